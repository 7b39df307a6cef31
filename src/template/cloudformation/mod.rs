//! CloudFormation templates, in YAML or JSON, as people write them and as the CDK and SAM
//! write them: what deploying one would make, as evidence for each rotation in it.
//!
//! A reference is followed as far as the template decides it (`intrinsics`). An id that
//! it leaves open is a token such as `${VpcId}`; any other value that is open takes the
//! thing with it out of the evidence, and a gap says why.

mod applications;
mod conditions;
mod databases;
mod document;
mod endpoints;
mod functions;
mod gateways;
mod graph;
mod ids;
mod intrinsics;
mod joined;
mod keys;
mod network_acls;
mod parameters;
mod permissions;
mod place;
mod policy_documents;
mod prefix_lists;
mod roles;
mod rotations;
mod route_tables;
mod scope;
mod secrets;
mod security_groups;
mod serverless;
mod stack;
mod superusers;
#[cfg(test)]
mod testing;
mod unexamined;
mod value;
mod vpcs;
mod world;

use std::collections::BTreeSet;

use self::{
    document::{Document, Node},
    graph::Graph,
    joined::Joined,
    scope::{Presence, Resource, Scope},
};
use super::{Declarations, Settings, TemplateError, aws::vended};

/// Transforms that are understood, or that make nothing of rotations.
const KNOWN_TRANSFORMS: &[&str] = &[
    "AWS::Serverless-2016-10-31",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::LanguageExtensions",
    "AWS::CodeDeployBlueGreen",
    "AWS::ServiceCatalog",
];

/// Resources that a nested stack or a module may add something to.
const MAY_BE_ADDED_TO: &[&str] = &[
    "AWS::EC2::VPC",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::NetworkAcl",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Serverless::Function",
    "AWS::SecretsManager::Secret",
];

/// Reads a template: one piece of evidence for each secret that a rotation schedule of it
/// names, in the order of the file.
///
/// # Errors
/// [`TemplateError::Syntax`] where the text is neither YAML nor JSON,
/// [`TemplateError::WrongKind`] where it is no CloudFormation template.
pub fn read(text: &str, settings: &Settings) -> Result<Declarations, TemplateError> {
    read_with(text, &[], settings)
}

/// Reads a template beside others, each with its file: what it imports from them is
/// followed. Others that cannot be read export nothing.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    text: &str,
    others: &[(&str, &str)],
    settings: &Settings,
) -> Result<Declarations, TemplateError> {
    let Document { root, mut notes } = document::read(text)?;
    if root.get("Resources").is_none_or(|resources| resources.entries().is_empty()) {
        return Err(wrong_kind(&root));
    }
    let (place, assumed) = place::place(&root, settings);
    let joined = Joined::of(root, others);
    let root = &joined.root;
    let scope = Scope::of(root, settings, &joined.files, place);
    let graph = Graph::of(&scope);
    let hidden = hidden(&scope, &graph);
    let (schedules, open) = schedules(&scope, &mut notes);
    if !schedules.is_empty() {
        notes.extend(assumed);
    }
    let rotations = schedules
        .into_iter()
        .map(|schedule| rotations::declare(&scope, schedule, hidden.clone()))
        .collect();
    let unexamined = open.into_iter().chain(unexamined::of_template(&scope));
    let unexamined = unexamined.map(|one| one.declared(&scope)).collect();
    Ok(Declarations { rotations, unexamined, notes })
}

fn wrong_kind(root: &Node) -> TemplateError {
    let what = if root.get("planned_values").is_some() || root.get("resource_changes").is_some() {
        "it looks like a Terraform plan: --plan reads those"
    } else if root.get("CapturedAt").is_some() {
        "it looks like a bundle: --bundle reads those"
    } else {
        "a template has a section Resources with at least one resource"
    };
    TemplateError::WrongKind(format!("the file is no CloudFormation template: {what}"))
}

/// The schedules, one for each secret: the first of several stands for all. Those that
/// cannot be examined come apart.
fn schedules<'s, 't>(
    scope: &'s Scope<'t>,
    notes: &mut Vec<String>,
) -> (Vec<&'s Resource<'t>>, Vec<unexamined::Unexamined<'s, 't>>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let own = scope.resources().iter().filter(|one| one.kind == stack::SCHEDULE);
    for resource in own.filter(|one| scope.file_of(one.name).is_none()) {
        match scope.presence(resource) {
            Presence::NotMade => continue,
            Presence::Open(reason) => notes.push(format!(
                "{}: {reason}; it was examined as if it were created",
                resource.name
            )),
            Presence::Made => {}
        }
        let properties = scope.properties(resource);
        let of_partner = ["ExternalSecretRotationRoleArn", "ExternalSecretRotationMetadata"];
        if of_partner.iter().any(|name| !properties.get(name).is_nothing()) {
            open.push(unexamined::Unexamined::of(
                resource,
                format!("{} rotates a managed external secret", resource.name),
            ));
            continue;
        }
        let secret = properties.get("SecretId").id().unwrap_or_default();
        let secret = secrets::find(scope, &secret).map_or(secret, |one| scope.id_of(one));
        if secret.is_empty() {
            open.push(unexamined::Unexamined::of(
                resource,
                format!("which secret {} rotates is open: its SecretId is empty", resource.name),
            ));
        } else if seen.insert(secret) {
            found.push(resource);
        }
    }
    (found, open)
}

/// Why resources may be created that the template does not show.
fn hidden(scope: &Scope<'_>, graph: &Graph<'_>) -> Option<String> {
    if let Some(reason) = unexamined::macros(scope).into_iter().next() {
        return Some(reason);
    }
    let adds = |one: &&Resource<'_>| {
        graph.direct(one.name).any(|target| {
            scope.resource(target).is_some_and(|one| MAY_BE_ADDED_TO.contains(&one.kind))
        })
    };
    let one = unexamined::nested(scope).into_iter().find(adds)?;
    Some(format!("{} may add to what the template creates", one.name))
}

/// Whether an application is one of those that rotate secrets.
fn is_rotation(scope: &Scope<'_>, application: &Resource<'_>) -> bool {
    vended::template_of_application(&applications::id(&scope.properties(application))).is_some()
}
