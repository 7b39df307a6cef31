//! What the template says of itself, for the checks that judge a template: transforms,
//! schedules, permissions, circles.

use serde_json::{Value as Json, json};

use super::{
    document::Node,
    functions::same_function,
    graph::Graph,
    scope::{Presence, Resource, Scope},
    world::{World, compact},
};

/// The kind of a rotation schedule.
pub(super) const SCHEDULE: &str = "AWS::SecretsManager::RotationSchedule";

/// The names of the transforms of a template.
pub(super) fn transforms(root: &Node) -> Vec<String> {
    let declared = root.get("Transform").map(Node::items).unwrap_or_default();
    let named = |one: &Node| one.text().or_else(|| one.get("Name")?.text()).map(str::to_owned);
    declared.iter().filter_map(named).collect()
}

/// The stack that the template would make.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let scope = world.scope;
    let graph = Graph::of(scope);
    let made = |one: &&Resource<'_>| scope.presence(one) != Presence::NotMade;
    let of_kind = |kind: &'static str| {
        scope.resources().iter().filter(move |one| one.kind == kind).filter(made)
    };
    let schedules: Vec<Json> = of_kind(SCHEDULE).map(|one| schedule(world, &graph, one)).collect();
    for one in of_kind(SCHEDULE).chain(of_kind("AWS::Lambda::Permission")) {
        world.draft.declare(one.name, world.origin(one, one.node.at));
    }
    let permissions: Vec<Json> =
        of_kind("AWS::Lambda::Permission").map(|one| permission(world, one)).collect();
    let circles: Vec<Json> =
        graph.circles().into_iter().map(|circle| json!({"LogicalResourceIds": circle})).collect();
    for one in circles.iter().filter_map(|circle| circle["LogicalResourceIds"][0].as_str()) {
        if let Some(resource) = scope.resource(one) {
            world.declare(one, resource, resource.node.at);
        }
    }
    let by_cdk = scope.resources().iter().any(|one| {
        one.kind == "AWS::CDK::Metadata"
            || one.node.get("Metadata").is_some_and(|m| m.get("aws:cdk:path").is_some())
    });
    let name = match scope.pseudo("AWS::StackName") {
        Some(super::resolved::Value::Text(name)) => name,
        _ => "the template".to_owned(),
    };
    world.draft.put(
        "Stack",
        // What is judged is what deploying it now would make.
        json!({"StackName": name, "CreationTime": scope.settings.captured_at.to_string(),
            "_Template": {"Transforms": transforms(scope.root),
            "MadeByCdk": by_cdk, "RotationSchedules": schedules, "Permissions": permissions,
            "Circles": circles}}),
    );
}

fn schedule(world: &World<'_, '_>, graph: &Graph<'_>, resource: &Resource<'_>) -> Json {
    let scope: &Scope<'_> = world.scope;
    let properties = scope.properties(resource);
    let hosted = properties.get("HostedRotationLambda");
    let secret = properties.get("SecretId").id().unwrap_or_default();
    let secret = super::secrets::find(scope, &secret).map_or(secret, |one| scope.id_of(one));
    let behind: Vec<&str> = graph.behind(resource.name).into_iter().collect();
    compact(json!({"LogicalResourceId": resource.name, "SecretId": secret,
        "RotationLambdaARN": properties.get("RotationLambdaARN").id(),
        "HostedRotationLambda": !hosted.is_nothing(),
        "Runtime": hosted.get("Runtime").id(), "DependsOn": behind}))
}

fn permission(world: &World<'_, '_>, resource: &Resource<'_>) -> Json {
    let properties = world.scope.properties(resource);
    let function = properties.get("FunctionName").id().unwrap_or_default();
    // The function as a schedule names it, where one does.
    let schedules = world.scope.resources().iter().filter(|one| one.kind == SCHEDULE);
    let arn = schedules
        .filter_map(|one| world.scope.property(one, "RotationLambdaARN").id())
        .find(|arn| same_function(world, &function, arn));
    compact(json!({"LogicalResourceId": resource.name,
        "FunctionName": arn.unwrap_or(function), "Principal": properties.get("Principal").id()}))
}
