//! What the template says of itself, for the checks that judge a template: transforms,
//! schedules, permissions, circles.

use super::{
    document::Node,
    graph::Graph,
    permissions::{PERMISSION, same_function},
    scope::{Presence, Resource, Scope},
    secrets::ATTACHMENT,
    value::Value,
    world::World,
};
use crate::evidence::{
    Observed, Stack, StackTemplate, TemplateAttachment, TemplateCircle, TemplatePermission,
    TemplateSchedule,
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
    let of_kind = |kind: &'static str| {
        let own = scope.resources().iter().filter(move |one| one.kind == kind);
        own.filter(|one| scope.presence(one) != Presence::NotMade)
    };
    let rotation_schedules = of_kind(SCHEDULE).map(|one| schedule(world, &graph, one)).collect();
    let attachments = of_kind(ATTACHMENT).map(|one| attachment(scope, one)).collect();
    let permissions = of_kind(PERMISSION).map(|one| permission(world, one)).collect();
    for one in of_kind(SCHEDULE).chain(of_kind(PERMISSION)) {
        world.draft.declare(one.name, world.origin(one, one.node.at));
    }
    let circles = graph.circles();
    for one in circles.iter().filter_map(|circle| circle.first()) {
        if let Some(resource) = scope.resource(one) {
            world.declare_whole(one, resource);
        }
    }
    let circle = |names: Vec<&str>| TemplateCircle {
        logical_resource_ids: names.into_iter().map(str::to_owned).collect(),
    };
    let made_by_cdk = scope.resources().iter().any(|one| {
        one.kind == "AWS::CDK::Metadata"
            || one.node.get("Metadata").is_some_and(|m| m.get("aws:cdk:path").is_some())
    });
    let name = match scope.pseudo("AWS::StackName") {
        Some(Value::Text(name)) => name,
        _ => "the template".to_owned(),
    };
    world.draft.evidence.stack = Observed::Known(Stack {
        stack_name: Some(name),
        // What is judged is what deploying it now would make.
        creation_time: Some(scope.settings.captured_at),
        template: Some(StackTemplate {
            transforms: transforms(scope.root),
            made_by_cdk,
            rotation_schedules,
            attachments,
            permissions,
            circles: circles.into_iter().map(circle).collect(),
        }),
        ..Stack::default()
    });
}

fn schedule(world: &World<'_, '_>, graph: &Graph<'_>, resource: &Resource<'_>) -> TemplateSchedule {
    let scope: &Scope<'_> = world.scope;
    let properties = scope.properties(resource);
    let hosted = properties.get("HostedRotationLambda");
    let secret = properties.get("SecretId").id().unwrap_or_default();
    let secret = super::secrets::find(scope, &secret).map_or(secret, |one| scope.id_of(one));
    TemplateSchedule {
        logical_resource_id: Some(resource.name.to_owned()),
        secret_id: Some(secret),
        rotation_lambda_arn: properties.get("RotationLambdaARN").id(),
        hosted_rotation_lambda: !hosted.is_nothing(),
        runtime: hosted.get("Runtime").id(),
        depends_on: graph.behind(resource.name).into_iter().map(str::to_owned).collect(),
    }
}

fn attachment(scope: &Scope<'_>, resource: &Resource<'_>) -> TemplateAttachment {
    let id = scope.property(resource, "SecretId").id().unwrap_or_default();
    let secret = super::secrets::find(scope, &id);
    TemplateAttachment {
        logical_resource_id: Some(resource.name.to_owned()),
        secret_id: Some(secret.map_or(id, |one| scope.id_of(one))),
        keys_before: secret.map(|one| super::secrets::own_keys(scope, one)).unwrap_or_default(),
    }
}

fn permission(world: &World<'_, '_>, resource: &Resource<'_>) -> TemplatePermission {
    let properties = world.scope.properties(resource);
    let function = properties.get("FunctionName").id().unwrap_or_default();
    // The function as a schedule names it, where one does.
    let schedules = world.scope.resources().iter().filter(|one| one.kind == SCHEDULE);
    let arn = schedules
        .filter_map(|one| world.scope.property(one, "RotationLambdaARN").id())
        .find(|arn| same_function(world, &function, arn));
    TemplatePermission {
        logical_resource_id: Some(resource.name.to_owned()),
        function_name: Some(arn.unwrap_or(function)),
        principal: properties.get("Principal").id(),
    }
}
