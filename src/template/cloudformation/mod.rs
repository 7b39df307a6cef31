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
mod value;
mod vpcs;
mod world;

use std::collections::BTreeSet;

use self::{
    document::Node,
    graph::Graph,
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
    let document = document::read(text)?;
    let root = &document.root;
    if root.get("Resources").is_none_or(|resources| resources.entries().is_empty()) {
        return Err(wrong_kind(root));
    }
    let mut notes = document.notes;
    let (place, assumed) = place::place(root, settings);
    let scope = Scope::of(root, settings, place);
    let graph = Graph::of(&scope);
    let hidden = hidden(&scope, &graph, &mut notes);
    let schedules = schedules(&scope, &mut notes);
    if !schedules.is_empty() {
        notes.extend(assumed);
    }
    let mut rotations = Vec::new();
    for schedule in schedules {
        rotations.push(rotations::declare(&scope, schedule, hidden.clone()));
    }
    Ok(Declarations { rotations, notes })
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

/// The schedules, one for each secret: the first of several stands for all.
fn schedules<'s, 't>(scope: &'s Scope<'t>, notes: &mut Vec<String>) -> Vec<&'s Resource<'t>> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for resource in scope.resources().iter().filter(|one| one.kind == stack::SCHEDULE) {
        match scope.presence(resource) {
            Presence::NotMade => continue,
            Presence::Open(why) => {
                notes.push(format!("{}: {why}; it was examined as if it were made", resource.name))
            }
            Presence::Made => {}
        }
        let properties = scope.properties(resource);
        let own = [properties.get("RotationLambdaARN"), properties.get("HostedRotationLambda")];
        if own.iter().all(|one| one.is_nothing()) {
            notes.push(format!(
                "{} names no function: the service that manages the secret rotates it",
                resource.name
            ));
            continue;
        }
        let secret = properties.get("SecretId").id().unwrap_or_default();
        let secret = secrets::find(scope, &secret).map_or(secret, |one| scope.id_of(one));
        if secret.is_empty() {
            notes.push(format!("{} names no secret and was left out", resource.name));
            continue;
        }
        if seen.insert(secret) {
            found.push(resource);
        }
    }
    found
}

/// Why resources may be made that the template does not show; each reason is noted.
fn hidden(scope: &Scope<'_>, graph: &Graph<'_>, notes: &mut Vec<String>) -> Option<String> {
    let mut why = Vec::new();
    for name in stack::transforms(scope.root) {
        if !KNOWN_TRANSFORMS.contains(&name.as_str()) {
            why.push(format!("transform {name} may add to the template"));
        }
    }
    let resources = scope.root.get("Resources").map(Node::entries).unwrap_or_default();
    for (name, node) in resources {
        if name.starts_with("Fn::") {
            why.push(format!("{name} among the resources was not expanded"));
        } else if node.get("Type").and_then(Node::text).is_none() {
            notes.push(format!("{name} has no type and was left out"));
        }
    }
    if scope.root.get("Fn::Transform").is_some() {
        why.push("Fn::Transform may add to the template".to_owned());
    }
    for one in scope.resources() {
        let nested = one.kind == "AWS::CloudFormation::Stack" || one.kind.ends_with("::MODULE");
        let unknown_application =
            one.kind == "AWS::Serverless::Application" && !is_rotation(scope, one);
        if !nested && !unknown_application {
            continue;
        }
        notes.push(format!("{} ({}) may hide a rotation: it was not read", one.name, one.kind));
        let added = graph.direct(one.name).any(|target| {
            scope.resource(target).is_some_and(|one| MAY_BE_ADDED_TO.contains(&one.kind))
        });
        if added {
            why.push(format!("{} may add to what the template makes", one.name));
        }
    }
    notes.extend(why.iter().map(|why| format!("{why}; it may hide a rotation")));
    why.into_iter().next()
}

/// Whether an application is one of those that rotate secrets.
fn is_rotation(scope: &Scope<'_>, application: &Resource<'_>) -> bool {
    vended::template_of_application(&applications::id(&scope.properties(application))).is_some()
}
