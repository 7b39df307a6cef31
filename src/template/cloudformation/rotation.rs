//! One rotation, put together: the schedule, its secret, its function, and the world
//! around them as it is where the schedule is made.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    databases, filters, functions, gateways, hosted, keys,
    resolved::{Resolved, Unknown, is_opaque},
    routes,
    scope::{Resource, Scope},
    secrets, stack, vpc,
    world::{World, compact},
};
use crate::{
    evidence::Fact,
    seal::bundle::BundleError,
    template::{Declared, Draft, Location},
};

/// Lists of a VPC that is made by the template: what is not there is not there.
const LISTS: &[Fact] = &[
    Fact::Subnets,
    Fact::SecurityGroups,
    Fact::NetworkAcls,
    Fact::RouteTables,
    Fact::VpcEndpoints,
    Fact::NatGateways,
    Fact::InternetGateways,
    Fact::EgressOnlyInternetGateways,
    Fact::VpcPeeringConnections,
    Fact::TransitGateways,
    Fact::TransitGatewayVpcAttachments,
    Fact::TransitGatewayRouteTables,
    Fact::DhcpOptions,
    // Nothing has an interface yet: any address of a subnet may be the function's.
    Fact::NetworkInterfaces,
];

/// A rotation's evidence.
pub(super) fn declare<'t>(
    whole: &Scope<'t>,
    schedule: &Resource<'t>,
    hidden: Option<String>,
) -> Result<Declared, BundleError> {
    let scope = whole.where_made(schedule);
    let mut world = World {
        scope: &scope,
        draft: Draft::default(),
        hidden,
        groups: Vec::new(),
        dual_stack: false,
    };
    let own = scope.resource(schedule.name).expect("both scopes are of one template");
    let origin = world.origin(own, own.node.at);
    world.draft.origins.set_schedule(Location { ..origin });
    build(&mut world, own);
    world.draft.finish(scope.settings.captured_at)
}

fn build<'s, 't>(world: &mut World<'s, 't>, schedule: &'s Resource<'t>) {
    let scope = world.scope;
    let place = scope.place.clone();
    world.draft.put("Partition", place.partition());
    world.draft.put("Region", place.region);
    world.draft.put("AccountId", place.account);
    let properties = scope.properties(schedule);
    world.declare(schedule.name, schedule, schedule.node.at);

    // The function first: its network decides what of the rest can be told.
    let hosted = properties.get("HostedRotationLambda");
    let named = properties.get("RotationLambdaARN").id();
    let mut superuser = None;
    let arn = match named {
        Some(arn) => {
            functions::declare(world, &arn);
            functions::policy(world, &arn);
            superuser = superuser_of_application(world, &arn);
            Some(arn)
        }
        None if !hosted.is_nothing() => match hosted::of_schedule(world, schedule, hosted) {
            Ok(vended) => {
                hosted::declare(world, &vended);
                superuser = vended.superuser.id();
                Some(vended.arn)
            }
            Err(unknown) => {
                functions::outside(world, "", &unknown.why);
                Some(unknown.token)
            }
        },
        None => None,
    };
    let configuration = world.draft.get("Function").map(|function| &function["Configuration"]);
    let vpc_config = configuration.map(|one| one["VpcConfig"].clone()).unwrap_or_default();
    let environment_key =
        configuration.and_then(|one| one["KMSKeyArn"].as_str().map(str::to_owned));
    world.groups = texts(&vpc_config["SecurityGroupIds"]);
    world.dual_stack = vpc_config["Ipv6AllowedForDualStack"] == true;

    let mut secret = secret(world, &properties);
    secret["RotationEnabled"] = json!(true);
    secret["RotationLambdaARN"] = json!(arn);
    if let Some(rules) = rules(properties.get("RotationRules")) {
        secret["RotationRules"] = rules;
    }
    world.draft.put("Secret", compact(secret));
    secrets::superuser(world, superuser);
    let mut wanted: BTreeSet<String> = environment_key.into_iter().collect();
    for fact in ["Secret", "SuperuserSecret"] {
        let key = world.draft.get(fact).and_then(|secret| secret["KmsKeyId"].as_str());
        wanted.extend(key.map(str::to_owned));
    }
    keys::declare(world, &wanted);
    database(world);
    network(world, &vpc_config);
    stack::declare(world);
}

fn texts(list: &Json) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

/// The superuser's secret that an application is given.
fn superuser_of_application(world: &World<'_, '_>, arn: &str) -> Option<String> {
    let all = world.perhaps("AWS::Serverless::Application");
    let (own, _) = all.into_iter().find(|(one, _)| {
        world.scope.attribute_id(one.resource, "Outputs.RotationLambdaARN") == arn
    })?;
    let parameters = own.properties.get("Parameters");
    parameters.get("superuserSecretArn").id().or_else(|| parameters.get("masterSecretArn").id())
}

/// DescribeSecret of the schedule's secret. Of one that lies outside, its key is not told.
fn secret(world: &mut World<'_, '_>, properties: &Resolved) -> Json {
    let id = properties.get("SecretId").id().unwrap_or_default();
    if let Some(resource) = secrets::find(world.scope, &id) {
        let found = secrets::described(world, resource);
        secrets::surroundings(world, resource);
        return found;
    }
    let why = format!("the secret {id} is not in the template");
    for fact in [Fact::SecretShape, Fact::SecretPolicy] {
        world.draft.gap(fact, &id, why.clone());
    }
    // One that is open is taken to be of this account and region.
    let arn = if id.starts_with("arn:") {
        id.clone()
    } else {
        world.scope.place.arn("secretsmanager", &format!("secret:{id}"))
    };
    let key = Unknown::named(&format!("key of {id}"), "").token;
    json!({"ARN": arn, "KmsKeyId": key,
        "VersionIdsToStages": {"declared": ["AWSCURRENT"]}})
}

fn rules(rules: &Resolved) -> Option<Json> {
    let days = rules.get("AutomaticallyAfterDays").number().ok()?;
    let duration = rules.get("Duration").text().ok()?;
    let expression = rules.get("ScheduleExpression").text().ok()?;
    let found = compact(json!({"AutomaticallyAfterDays": days, "Duration": duration,
        "ScheduleExpression": expression}));
    found.as_object().is_some_and(|members| !members.is_empty()).then_some(found)
}

/// The databases, where the secret is known to be that of one of them, or of none.
fn database(world: &mut World<'_, '_>) {
    databases::declare(world);
    let shape = world.draft.get("SecretShape");
    if secrets::names_database(shape) || world.draft.get("DBInstances").is_none() {
        return;
    }
    let keys = shape.map(|shape| texts(&shape["AWSCURRENT"]["Keys"])).unwrap_or_default();
    let may_name = shape.is_none() || keys.iter().any(|key| key == "host");
    if may_name {
        // Which of them, or whether another one, is not told.
        for fact in [Fact::DBInstances, Fact::DBClusters, Fact::DBParameters] {
            world.draft.remove(fact.name());
            world.draft.gap(fact, "", "which database the secret is for is not declared");
        }
    }
}

fn network(world: &mut World<'_, '_>, vpc_config: &Json) {
    vpc::declare(world);
    filters::declare(world);
    gateways::declare(world);
    routes::declare(world);
    let own = vpc_config["VpcId"].as_str().unwrap_or_default().to_owned();
    let known = world.draft.get("Vpcs").and_then(Json::as_array).into_iter().flatten();
    let known = known.map(|vpc| vpc["VpcId"].as_str().unwrap_or_default().to_owned());
    let known: BTreeSet<String> = known.collect();
    let hidden = world.hidden.clone();
    if own.is_empty() || known.contains(&own) {
        for fact in LISTS {
            let seen = world.draft.get(fact.name()).is_some();
            if !seen && hidden.is_none() {
                world.draft.list(fact.name());
            }
        }
        // A switch of the account and not of the template: off, until somebody sets it.
        world.draft.put("VpcBlockPublicAccessOptions", Json::Null);
    } else {
        outside(world, &own);
    }
    if let Some(why) = hidden {
        may_hold_more(world, &why);
    }
    if let Some(host) = odd_endpoint(world) {
        // As the CDK writes it. It is neither the private name of the endpoint nor one of
        // the names that the endpoint lists.
        let why = format!("whether {host} leads to the endpoint is not told");
        world.draft.remove("VpcEndpoints");
        world.draft.gap(Fact::VpcEndpoints, &host, why);
    }
}

/// The host of `SECRETS_MANAGER_ENDPOINT`, where it is an endpoint's id before the name of
/// the service.
fn odd_endpoint(world: &World<'_, '_>) -> Option<String> {
    let function = world.draft.get("Function")?;
    let variables = &function["Configuration"]["Environment"]["Variables"];
    let url = variables[functions::ENDPOINT_VARIABLE].as_str()?;
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    (host.starts_with("vpce-") && !host.contains(".vpce.")).then(|| host.to_owned())
}

/// The function's VPC is not made here: what else is in it is not told.
fn outside(world: &mut World<'_, '_>, vpc: &str) {
    let why = format!("the VPC of the function, {vpc}, is not in the template");
    for fact in [Fact::Vpcs, Fact::VpcAttributes].iter().chain(LISTS) {
        if *fact != Fact::NetworkInterfaces {
            world.draft.gap(*fact, "", why.clone());
        }
    }
    world.draft.list("NetworkInterfaces");
    let endpoints = world.draft.get("VpcEndpoints").and_then(Json::as_array);
    let found = endpoints.into_iter().flatten().any(|endpoint| {
        endpoint["VpcId"] == *vpc
            && endpoint["ServiceName"]
                .as_str()
                .is_some_and(|name| name.ends_with(".secretsmanager"))
    });
    if !found {
        // Without it in the list, calls would seem to leave over the Internet.
        world.draft.remove("VpcEndpoints");
    }
}

/// Resources that the template does not show may be in its VPCs.
fn may_hold_more(world: &mut World<'_, '_>, why: &str) {
    for fact in LISTS {
        world.draft.gap(*fact, "", why);
    }
    world.draft.remove("RouteTables");
    let token = "${rules that the template does not show}";
    world.draft.gap(Fact::ManagedPrefixListEntries, token, why);
    let groups = world.draft.get_mut("SecurityGroups").and_then(Json::as_array_mut);
    for group in groups.into_iter().flatten() {
        for direction in ["IpPermissions", "IpPermissionsEgress"] {
            if let Some(rules) = group[direction].as_array_mut() {
                rules.push(json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": token}]}));
            }
        }
    }
    let own = world.draft.get("VpcEndpoints").and_then(Json::as_array);
    if own.is_none_or(|list| list.iter().all(|one| is_opaque(&one["VpcId"].to_string()))) {
        world.draft.remove("VpcEndpoints");
    }
}

#[cfg(test)]
mod tests {
    use crate::template::{Settings, cloudformation};

    #[test]
    fn there_is_one_rotation_for_each_secret() {
        let text = "
Resources:
  A: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: a}}
  B: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: b}}
  Managed: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: 'rds!db-1', RotationRules: {AutomaticallyAfterDays: 7}}}
  OfB: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref B, RotationLambdaARN: 'arn:f', RotationRules: {AutomaticallyAfterDays: 7}}}
  OfA: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref A, RotationLambdaARN: 'arn:f'}}
  Again: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: b, RotationLambdaARN: 'arn:g'}}
";
        let read = cloudformation::read(text, &Settings::default()).expect("a template");
        let secrets = read.rotations.iter().filter_map(|one| one.evidence.secret.known());
        let names: Vec<&str> = secrets.filter_map(|secret| secret.name.as_deref()).collect();
        assert_eq!(names, ["b", "a"]);
        assert!(read.notes.iter().any(|note| note.contains("Managed")), "{:?}", read.notes);
        let template = read.rotations[0].evidence.stack.known().and_then(|s| s.template.clone());
        let schedules = template.expect("a template").rotation_schedules;
        let of_b = schedules
            .iter()
            .filter(|one| one.secret_id.as_deref().is_some_and(|arn| arn.contains("secret:b-")));
        assert_eq!(of_b.count(), 2, "both are there for CFN08");
    }
}
