//! One rotation, put together: the schedule, its secret, its function, and the resources
//! around them as they are where the schedule is created.

use std::collections::BTreeSet;

use super::{
    applications, databases, endpoints, functions, gateways, keys, network_acls, prefix_lists,
    route_tables,
    scope::{Resource, Scope},
    secrets, security_groups, stack, superusers,
    value::{Resolved, is_opaque},
    vpcs,
    world::World,
};
use crate::{
    evidence::{Fact, Function, Observed, RotationRules, Secret, VpcConfig},
    template::{
        Declared, Draft,
        aws::{
            Open, databases as engines, functions as lambda, rules::Rule, secrets as names,
            vpcs as networks,
        },
        draft::entries,
    },
};

/// A rotation's evidence.
pub(super) fn declare<'t>(
    whole: &Scope<'t>,
    schedule: &Resource<'t>,
    hidden: Option<String>,
) -> Declared {
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
    world.draft.origins.set_schedule(origin);
    build(&mut world, own);
    world.draft.finish(scope.settings.captured_at)
}

fn build<'s, 't>(world: &mut World<'s, 't>, schedule: &'s Resource<'t>) {
    let scope = world.scope;
    let place = &scope.place;
    let evidence = &mut world.draft.evidence;
    evidence.partition = Some(place.partition().to_owned());
    evidence.region = Some(place.region.clone());
    evidence.account_id = Some(place.account.clone());
    let properties = scope.properties(schedule);
    world.declare_whole(schedule.name, schedule);

    // The function first: its network decides what of the rest can be told.
    let (function, given_superuser) = function(world, schedule, &properties);
    let configuration = world.draft.evidence.function.known().map(configuration_of);
    let vpc_config = configuration.as_ref().and_then(|(config, _)| config.clone());
    let environment_key = configuration.and_then(|(_, key)| key);
    world.groups =
        vpc_config.as_ref().map(|one| one.security_group_ids.clone()).unwrap_or_default();
    world.dual_stack =
        vpc_config.as_ref().is_some_and(|one| one.ipv6_allowed_for_dual_stack == Some(true));

    let secret = Secret {
        rotation_enabled: Some(true),
        rotation_lambda_arn: function,
        rotation_rules: rules(properties.get("RotationRules")),
        ..secret(world, &properties)
    };
    world.draft.evidence.secret = Observed::Known(secret);
    superusers::declare(world, given_superuser);
    let mut wanted: BTreeSet<String> = environment_key.into_iter().collect();
    for secret in [&world.draft.evidence.secret, &world.draft.evidence.superuser_secret] {
        wanted.extend(secret.known().and_then(|secret| secret.kms_key_id.clone()));
    }
    keys::declare(world, &wanted);
    database(world);
    network(world, vpc_config.as_ref());
    stack::declare(world);
}

fn configuration_of(function: &Function) -> (Option<VpcConfig>, Option<String>) {
    let configuration = &function.configuration;
    (configuration.vpc_config.clone(), configuration.kms_key_arn.clone())
}

/// Declares the function; gives its ARN, and the superuser's secret that it is given.
fn function<'s, 't>(
    world: &mut World<'s, 't>,
    schedule: &'s Resource<'t>,
    properties: &Resolved,
) -> (Option<String>, Option<String>) {
    let hosted = properties.get("HostedRotationLambda");
    if let Some(arn) = properties.get("RotationLambdaARN").id() {
        functions::declare(world, &arn);
        let superuser = applications::superuser(world, lambda::unqualified(&arn));
        return (Some(arn), superuser);
    }
    if hosted.is_nothing() {
        world.draft.complete(&lambda::FACTS);
        return (None, None);
    }
    match applications::declare_hosted(world, schedule, hosted) {
        Ok((arn, superuser)) => (Some(arn), superuser),
        Err(open) => {
            lambda::outside(&mut world.draft, "", &open);
            (Some(open.token), None)
        }
    }
}

/// DescribeSecret of the schedule's secret. Of one that is not declared, its key is open.
fn secret(world: &mut World<'_, '_>, properties: &Resolved) -> Secret {
    let id = properties.get("SecretId").id().unwrap_or_default();
    if let Some(resource) = secrets::find(world.scope, &id) {
        let found = secrets::described(world, resource);
        secrets::surroundings(world, resource);
        return found;
    }
    for fact in [Fact::SecretShape, Fact::SecretPolicy] {
        world.draft.gap(fact, &id, secrets::outside(&id));
    }
    if let Some((resource, managed)) = databases::managed_secret(world.scope, &id) {
        world.declare_whole(&id, resource);
        return managed;
    }
    Secret {
        // One that is open is taken to be of this account and region.
        arn: Some(names::arn_of(&world.scope.place, &id)),
        kms_key_id: Some(Open::named(&format!("key of {id}"), "").token),
        version_ids_to_stages: names::first_version(),
        ..Secret::default()
    }
}

fn rules(rules: &Resolved) -> Option<RotationRules> {
    let found = RotationRules {
        automatically_after_days: rules.get("AutomaticallyAfterDays").number().settled().ok()?,
        duration: rules.get("Duration").text().settled().ok()?,
        schedule_expression: rules.get("ScheduleExpression").text().settled().ok()?,
    };
    (found != RotationRules::default()).then_some(found)
}

/// The databases, where the secret is known to be that of one of them, or of none.
fn database(world: &mut World<'_, '_>) {
    databases::declare(world);
    let evidence = &world.draft.evidence;
    let shape = &evidence.secret_shape;
    if secrets::names_database(shape) || evidence.db_instances.is_unseen() {
        return;
    }
    let keys = shape.known().and_then(|shapes| shapes.get("AWSCURRENT"));
    let has_host = keys.is_some_and(|shape| shape.keys.iter().any(|key| key == "host"));
    if shape.known().is_none() || has_host {
        // Which of them, or whether another one, is unknown.
        for fact in engines::FACTS {
            world.draft.forget(fact);
            world.draft.gap(fact, "", "which database the secret is for is not declared");
        }
    }
}

/// Networks, and what of them is unknown.
fn network(world: &mut World<'_, '_>, vpc_config: Option<&VpcConfig>) {
    vpcs::declare(world);
    security_groups::declare(world);
    network_acls::declare(world);
    endpoints::declare(world);
    gateways::declare(world);
    prefix_lists::declare(world);
    route_tables::declare(world);
    let own = vpc_config.and_then(|config| config.vpc_id.clone());
    let is_known = own.as_ref().is_none_or(|own| {
        entries(&world.draft.evidence.vpcs).iter().any(|vpc| vpc.vpc_id.as_ref() == Some(own))
    });
    match own {
        Some(own) if !is_known => outside(world, &own),
        _ => {
            if world.hidden.is_none() {
                world.draft.complete(networks::LISTS);
            }
            // A switch of the account and not of the template: off, until somebody sets it.
            world.draft.evidence.vpc_block_public_access_options = Observed::Absent;
        }
    }
    // Nothing has an interface yet: any address of a subnet may be the function's.
    world.draft.complete(&[Fact::NetworkInterfaces]);
    if let Some(reason) = world.hidden.clone() {
        may_hold_more(world, &reason);
    }
    if let Some(host) = odd_endpoint(world) {
        // As the CDK writes it. It is neither the private name of the endpoint nor one of
        // the names that the endpoint lists.
        let reason = format!("whether {host} is a name of the endpoint is unknown");
        world.draft.forget(Fact::VpcEndpoints);
        world.draft.gap(Fact::VpcEndpoints, &host, reason);
    }
}

/// The host of `SECRETS_MANAGER_ENDPOINT`, where it is an endpoint's id before the name of
/// the service.
fn odd_endpoint(world: &World<'_, '_>) -> Option<String> {
    let function = world.draft.evidence.function.known()?;
    let url = function.configuration.variable(lambda::ENDPOINT_VARIABLE)?;
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    (host.starts_with("vpce-") && !host.contains(".vpce.")).then(|| host.to_owned())
}

/// The function's VPC is not declared: what else is in it is unknown.
fn outside(world: &mut World<'_, '_>, vpc: &str) {
    let open = Open::from(format!("the VPC of the function, {vpc}, is not declared"));
    for fact in [Fact::Vpcs, Fact::VpcAttributes].iter().chain(networks::LISTS) {
        world.draft.gap(*fact, "", &open);
    }
    if !networks::serves_secrets_manager(&world.draft, vpc) {
        // Without it in the list, calls would seem to leave over the Internet.
        world.draft.forget(Fact::VpcEndpoints);
    }
}

/// Resources that the template does not show may be in its VPCs.
fn may_hold_more(world: &mut World<'_, '_>, reason: &str) {
    for fact in networks::LISTS {
        world.draft.gap(*fact, "", reason);
    }
    world.draft.forget(Fact::RouteTables);
    let token = "${rules that the template does not show}";
    world.draft.gap(Fact::ManagedPrefixListEntries, token, reason);
    let evidence = &mut world.draft.evidence;
    for group in evidence.security_groups.known_mut().into_iter().flatten() {
        group.ip_permissions.push(Rule::open(token.to_owned()));
        group.ip_permissions_egress.push(Rule::open(token.to_owned()));
    }
    let in_open_vpcs = entries(&evidence.vpc_endpoints)
        .iter()
        .all(|one| one.vpc_id.as_deref().is_some_and(is_opaque));
    if in_open_vpcs {
        world.draft.forget(Fact::VpcEndpoints);
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
        assert_eq!(read.rotations.len(), 3, "one without a function is examined too");
        let template = read.rotations[1].evidence.stack.known().and_then(|s| s.template.clone());
        let schedules = template.expect("a template").rotation_schedules;
        let of_b = schedules
            .iter()
            .filter(|one| one.secret_id.as_deref().is_some_and(|arn| arn.contains("secret:b-")));
        assert_eq!(of_b.count(), 2, "both are there for CFN08");
    }
}
