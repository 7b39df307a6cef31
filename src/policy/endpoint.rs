//! The network engine's question, which calls an endpoint's policy refuses, answered by the
//! evaluator.

use std::sync::Arc;

use serde_json::json;

use super::{
    decide::decide,
    document::{Effect, Policy},
    request::{Layers, Part, Request},
    rotation::rotation_requests,
    surroundings::Surroundings,
};
use crate::{
    aws::arn::Arn,
    evidence::{Evidence, PolicyDocument},
    network::{BuiltInPolicy, EndpointPolicy, PolicyAnswer, PolicyRequest},
};

/// Reads endpoint policies with everything that is known of the function, its
/// role and the secret.
#[derive(Clone, Copy, Debug)]
pub struct EndpointPolicies<'a> {
    evidence: &'a Evidence,
}

impl<'a> EndpointPolicies<'a> {
    /// For the rotation that this evidence is about.
    pub fn new(evidence: &'a Evidence) -> Self {
        Self { evidence }
    }

    /// The request as the function makes it through this endpoint; none where
    /// the role is not known.
    fn request(&self, asked: &PolicyRequest<'_>) -> Option<Request> {
        let around = Surroundings::of(self.evidence);
        let of_rotation = rotation_requests(self.evidence).into_iter().find(|known| {
            known.request.action == asked.action && known.request.resource == asked.resource
        });
        let mut request = match of_rotation {
            Some(known) => known.request,
            None => {
                let account = Arn::parse(asked.resource).map(|arn| arn.account.to_owned());
                let mut context = around.context(account.as_deref());
                around.add_network(&mut context);
                Request {
                    principal: around.principal.clone()?,
                    action: asked.action.clone(),
                    resource: asked.resource.to_owned(),
                    resource_account: account,
                    context,
                }
            }
        };
        let context = &mut request.context;
        context.set("aws:SourceVpce", asked.endpoint);
        let endpoints = self.evidence.vpc_endpoints.known().into_iter().flatten();
        let vpc = endpoints
            .filter(|endpoint| endpoint.vpc_endpoint_id.as_deref() == Some(asked.endpoint))
            .find_map(|endpoint| endpoint.vpc_id.clone());
        match vpc {
            Some(vpc) => context.set("aws:SourceVpc", vpc),
            None => context.set_present("aws:SourceVpc"),
        }
        context.set_present("aws:VpcSourceIp");
        context.remove("aws:SourceIp");
        Some(request)
    }
}

impl EndpointPolicy for EndpointPolicies<'_> {
    fn decide(&self, policy: &PolicyDocument, request: &PolicyRequest<'_>) -> PolicyAnswer {
        let asked = (!request.resource.is_empty()).then(|| self.request(request)).flatten();
        let Some(asked) = asked else { return BuiltInPolicy.decide(policy, request) };
        let Ok(document) = Policy::read(request.endpoint, &policy.0) else {
            return PolicyAnswer::Undecided;
        };
        // Everything but the endpoint says yes, so that its policy decides.
        let all = |principal: bool| {
            let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
            if principal {
                statement["Principal"] = json!("*");
            }
            Arc::new(Policy::new("all", json!({ "Statement": [statement] })))
        };
        let layers = Layers {
            identity: vec![all(false)],
            resource: Part::Given(vec![all(true)]),
            endpoint: Part::Given(vec![Arc::new(document)]),
            ..Layers::default()
        };
        let decision = decide(&asked, &layers);
        match decision.effect {
            _ if !decision.is_certain() => PolicyAnswer::Undecided,
            Effect::Allow => PolicyAnswer::Allowed,
            Effect::Deny => PolicyAnswer::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::rotation::tests::{SECRET, world},
        *,
    };

    fn answer(statement: Value, action: &str, resource: &str) -> PolicyAnswer {
        let evidence = world(|bundle| {
            bundle["VpcEndpoints"] = json!([{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1",
                "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": true,
                "ServiceName": "com.amazonaws.eu-west-1.secretsmanager"}]);
        });
        let request = PolicyRequest {
            role_arn: Some("arn:aws:iam::111122223333:role/rotation/RotRole"),
            account: Some("111122223333"),
            action: format!("secretsmanager:{action}"),
            resource,
            endpoint: "vpce-1",
        };
        let document = PolicyDocument(json!({"Version": "2012-10-17", "Statement": [statement]}));
        EndpointPolicies::new(&evidence).decide(&document, &request)
    }

    fn allow(condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*",
            "Resource": SECRET, "Condition": condition})
    }

    #[test]
    fn the_endpoints_policy_alone_decides() {
        assert_eq!(answer(allow(json!({})), "GetSecretValue", SECRET), PolicyAnswer::Allowed);
        assert_eq!(answer(allow(json!({})), "GetRandomPassword", "*"), PolicyAnswer::Denied);
    }

    #[test]
    fn conditions_that_the_built_in_reading_leaves_open_are_decided() {
        let under = |condition| answer(allow(condition), "GetSecretValue", SECRET);
        let tag =
            |value: &str| json!({"StringEquals": {"secretsmanager:ResourceTag/Project": value}});
        assert_eq!(under(tag("orders")), PolicyAnswer::Allowed);
        assert_eq!(under(tag("billing")), PolicyAnswer::Denied);
        assert_eq!(under(json!({"Bool": {"aws:SecureTransport": "true"}})), PolicyAnswer::Allowed);
        assert_eq!(
            under(json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
            PolicyAnswer::Undecided
        );
    }

    #[test]
    fn a_secret_outside_the_rotations_requests_is_judged_too() {
        let other = SECRET.replace("db-AbCdEf", "other-GhIjKl");
        assert_eq!(answer(allow(json!({})), "GetSecretValue", &other), PolicyAnswer::Denied);
    }
}
