//! Who rotates, with which policies and over which network: what the evidence says of the
//! surroundings that the requests of one rotation share.

use std::sync::Arc;

use super::{
    context::Context,
    document::Policy,
    principal::Principal,
    request::{Layers, Part, Policies, Unseen},
};
use crate::{
    aws::arn::{self, Arn},
    evidence::{Evidence, Fact, FunctionConfiguration, Key, Observed, PolicyDocument, VpcEndpoint},
};

/// What the requests of one rotation share.
pub(super) struct Surroundings<'a> {
    pub(super) evidence: &'a Evidence,
    /// The execution role's ARN with its path.
    pub(super) role: Option<String>,
    pub(super) principal: Option<Principal>,
    identity: Policies,
    identity_unseen: Vec<Unseen>,
    boundary: Part<Arc<Policy>>,
    /// The endpoint through which the function reaches Secrets Manager.
    pub(super) endpoint: Part<&'a VpcEndpoint>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let function = evidence.function.known().map(|function| &function.configuration);
        let role = evidence
            .role
            .known()
            .and_then(|role| role.arn.clone())
            .or_else(|| function.and_then(|function| function.role.clone()));
        let principal = role.as_deref().and_then(|role| session(evidence, role));
        let mut identity = Vec::new();
        let mut identity_unseen = Vec::new();
        let about = role.clone().unwrap_or_default();
        match &evidence.role_policies {
            Observed::Known(list) => {
                for inline in list {
                    let name = inline.policy_name.clone().unwrap_or_default();
                    match read(&name, inline.policy_document.as_ref()) {
                        Some(policy) => identity.push(policy),
                        None => identity_unseen.push(unseen(Fact::RolePolicies, &name)),
                    }
                }
            }
            Observed::Absent => {}
            _ => identity_unseen.push(unseen(Fact::RolePolicies, &about)),
        }
        match &evidence.attached_policies {
            Observed::Known(list) => {
                for managed in list {
                    let name = managed.policy_arn.clone().or(managed.policy_name.clone());
                    let name = name.unwrap_or_default();
                    match read(&name, managed.policy_document.as_ref()) {
                        Some(policy) => identity.push(policy),
                        None => identity_unseen.push(unseen(Fact::AttachedPolicies, &name)),
                    }
                }
            }
            Observed::Absent => {}
            _ => identity_unseen.push(unseen(Fact::AttachedPolicies, &about)),
        }
        Self {
            evidence,
            boundary: boundary(evidence, &about),
            endpoint: endpoint(evidence, function),
            role,
            principal,
            identity,
            identity_unseen,
        }
    }

    pub(super) fn function(&self) -> Option<&'a FunctionConfiguration> {
        self.evidence.function.known().map(|function| &function.configuration)
    }

    /// The principal's own layers.
    pub(super) fn own_layers(&self) -> Layers {
        Layers {
            identity: self.identity.clone(),
            identity_unseen: self.identity_unseen.clone(),
            boundary: self.boundary.clone(),
            ..Layers::default()
        }
    }

    /// The policy of the endpoint; one without a policy lets everything through.
    pub(super) fn endpoint_policy(&self) -> Part<Policies> {
        match &self.endpoint {
            Part::Absent => Part::Absent,
            Part::Unseen(unseen) => Part::Unseen(unseen.clone()),
            Part::Given(endpoint) => {
                let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
                match read(id, endpoint.policy_document.as_ref()) {
                    Some(policy) => Part::Given(vec![policy]),
                    None => Part::Absent,
                }
            }
        }
    }

    /// The keys that every request of the role carries.
    pub(super) fn context(&self, resource_account: Option<&str>) -> Context {
        let mut context = self.role_context();
        if let Some(account) = resource_account {
            context.set("aws:ResourceAccount", account);
        }
        context
    }

    fn role_context(&self) -> Context {
        let mut context = Context::default();
        let (evidence, at) = (self.evidence, self.evidence.captured_at);
        if let Some(role) = &self.role {
            context.set("aws:PrincipalArn", role.as_str());
        }
        if let Some(account) = self.principal.as_ref().and_then(Principal::account) {
            context.set("aws:PrincipalAccount", account);
        }
        context.set("aws:PrincipalType", "AssumedRole");
        let id = evidence.role.known().and_then(|role| role.role_id.as_deref());
        match (id, self.function().and_then(|function| function.function_name.as_deref())) {
            (Some(id), Some(function)) => context.set("aws:userid", format!("{id}:{function}")),
            _ => context.set_present("aws:userid"),
        }
        context.set("aws:SecureTransport", "true");
        context.set("aws:ViaAWSService", "false");
        context.set("aws:PrincipalIsAWSService", "false");
        context.set("aws:TokenIssueTime", at.to_string());
        context.set("aws:CurrentTime", at.to_string());
        context.set("aws:EpochTime", (at.millis() / 1000).to_string());
        if let Some(region) = evidence.region() {
            context.set("aws:RequestedRegion", region);
        }
        for unknown in [
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:ResourceOrgID",
            "aws:ResourceOrgPaths",
        ] {
            context.set_unknown(unknown);
        }
        context.set_absent_or("aws:MultiFactorAuthPresent", "false");
        context.set_unknown_prefix("aws:PrincipalTag/");
        context.set_unknown_prefix("aws:ResourceTag/");
        context
    }

    /// Adds what a call from the function's code carries: the function, and the
    /// network that it comes over.
    pub(super) fn add_network(&self, context: &mut Context) {
        let function = self.function();
        match function.and_then(|function| function.function_arn.as_deref()) {
            Some(arn) => context.set("lambda:SourceFunctionArn", arn::unqualified(arn)),
            None => context.set_present("lambda:SourceFunctionArn"),
        }
        for unknown in ["aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"] {
            context.set_unknown(unknown);
        }
        match &self.endpoint {
            Part::Given(endpoint) => {
                let mut set = |key: &str, value: Option<&String>| match value {
                    Some(value) => context.set(key, value.as_str()),
                    None => context.set_present(key),
                };
                set("aws:SourceVpce", endpoint.vpc_endpoint_id.as_ref());
                set("aws:SourceVpc", endpoint.vpc_id.as_ref());
                context.set_present("aws:VpcSourceIp");
            }
            // Over the Internet: an address of a NAT gateway, or one of AWS's own.
            Part::Absent => context.set_present("aws:SourceIp"),
            Part::Unseen(_) => {
                for key in ["aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp", "aws:SourceIp"] {
                    context.set_unknown(key);
                }
            }
        }
    }

    /// What was seen of the key with this id or ARN, with its ARN.
    pub(super) fn key(&self, wanted: &str) -> Option<(String, &'a Key)> {
        let (arn, key) = self.evidence.keys.iter().find(|(arn, key)| {
            let metadata = key.key_metadata.known();
            arn.as_str() == wanted
                || arn.ends_with(&format!("/{wanted}"))
                || metadata.is_some_and(|metadata| {
                    metadata.key_id.as_deref() == Some(wanted)
                        || metadata.arn.as_deref() == Some(wanted)
                })
        })?;
        let named = key.key_metadata.known().and_then(|metadata| metadata.arn.clone());
        Some((named.unwrap_or_else(|| arn.clone()), key))
    }
}

/// The session in which the function runs: Lambda names it after the function.
fn session(evidence: &Evidence, role: &str) -> Option<Principal> {
    let arn = Arn::parse(role)?;
    let name = arn::role_name(role);
    let function = evidence.function.known().and_then(|f| f.configuration.function_name.clone());
    let function = function.or_else(|| {
        let arn = evidence.secret.known()?.rotation_lambda_arn.as_deref()?;
        arn::function_name(arn).map(str::to_owned)
    })?;
    Some(Principal::Session {
        arn: Arn {
            service: "sts",
            region: "",
            resource: &format!("assumed-role/{name}/{function}"),
            ..arn
        }
        .to_string(),
        role: Some(role.to_owned()),
    })
}

fn boundary(evidence: &Evidence, role: &str) -> Part<Arc<Policy>> {
    let named = match &evidence.role {
        Observed::Known(role) => match &role.permissions_boundary {
            None => return Part::Absent,
            Some(boundary) => boundary.permissions_boundary_arn.clone(),
        },
        _ => None,
    };
    match &evidence.permissions_boundary {
        Observed::Known(managed) => {
            let name = managed.policy_arn.clone().or(named).unwrap_or_default();
            match read(&name, managed.policy_document.as_ref()) {
                Some(policy) => Part::Given(policy),
                None => Part::Unseen(unseen(Fact::PermissionsBoundary, &name)),
            }
        }
        Observed::Absent if named.is_none() => Part::Absent,
        _ => match named {
            Some(name) => Part::Unseen(unseen(Fact::PermissionsBoundary, &name)),
            None => Part::Unseen(unseen(Fact::Role, role)),
        },
    }
}

/// The interface endpoint that the function's calls to Secrets Manager go
/// through: the one it is configured to use, else the one that private DNS leads to.
fn endpoint<'a>(
    evidence: &'a Evidence,
    function: Option<&FunctionConfiguration>,
) -> Part<&'a VpcEndpoint> {
    let Some(function) = function else {
        return Part::Unseen(unseen(Fact::Function, ""));
    };
    let vpc = function.vpc_config.as_ref().and_then(|config| config.vpc_id.as_deref());
    let Some(vpc) = vpc.filter(|vpc| !vpc.is_empty()) else { return Part::Absent };
    let endpoints = match &evidence.vpc_endpoints {
        Observed::Known(endpoints) => endpoints,
        Observed::Absent => return Part::Absent,
        _ => return Part::Unseen(unseen(Fact::VpcEndpoints, vpc)),
    };
    let told = function.variable("SECRETS_MANAGER_ENDPOINT").unwrap_or_default();
    let named = endpoints
        .iter()
        .find(|endpoint| endpoint.vpc_endpoint_id.as_deref().is_some_and(|id| told.contains(id)));
    let private = endpoints.iter().find(|endpoint| {
        endpoint.vpc_id.as_deref() == Some(vpc)
            && endpoint.vpc_endpoint_type.as_deref().is_none_or(|kind| kind == "Interface")
            && endpoint.service_name.as_deref().is_some_and(|s| s.ends_with(".secretsmanager"))
            && endpoint.state.as_deref().is_none_or(|state| state.eq_ignore_ascii_case("available"))
            && endpoint.private_dns_enabled == Some(true)
    });
    named.or(private).map_or(Part::Absent, Part::Given)
}

pub(super) fn unseen(fact: Fact, resource: &str) -> Unseen {
    Unseen { fact, resource: resource.to_owned() }
}

/// A document under a name; none where there is nothing to read.
pub(super) fn read(name: &str, document: Option<&PolicyDocument>) -> Option<Arc<Policy>> {
    let document = document.filter(|document| !document.0.is_null())?;
    Policy::read(name, &document.0).ok().map(Arc::new)
}

/// An observed fact as a part, with what an unreadable value counts as.
pub(super) fn part<T, U>(
    observed: &Observed<T>,
    fact: Fact,
    resource: &str,
    read: impl FnOnce(&T) -> Option<U>,
) -> Part<U> {
    match observed {
        Observed::Known(value) => match read(value) {
            Some(value) => Part::Given(value),
            None => Part::Unseen(unseen(fact, resource)),
        },
        Observed::Absent => Part::Absent,
        _ => Part::Unseen(unseen(fact, resource)),
    }
}
