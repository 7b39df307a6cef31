//! Lambda: the rotation function, its alias and its policy.

use serde_json::{Map, Value, json};

use super::{
    plan::{Resource, members},
    repository,
    secret::Parts,
    value::{Seen, at},
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const FUNCTION: &str = "aws_lambda_function";
const ALIAS: &str = "aws_lambda_alias";
const PERMISSION: &str = "aws_lambda_permission";

/// The role of the function: its ARN or name, as far as that is known.
pub(super) type Role = Seen<String>;

/// Puts what is known of the function; gives its role.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) -> Role {
    let named = match &parts.function {
        Seen::Known(named) => named.clone(),
        Seen::Absent => return Seen::Absent,
        Seen::Open(why) => {
            for fact in [Fact::Function, Fact::FunctionPolicy] {
                draft.gap(fact, "", format!("the function of the rotation: {why}"));
            }
            return Seen::Open(why.clone());
        }
    };
    let arn = world.function_arn(&named);
    let plain: String = arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
    let of_repository = world
        .made(&[repository::STACK])
        .find(|stack| world.own_id(stack, "outputs.RotationLambdaARN").as_deref() == Some(&plain));
    if let Some(stack) = of_repository {
        return repository::put(world, draft, stack, &plain);
    }
    let function = world.of(&[FUNCTION]).find(|one| {
        world.own_id(one, "arn").as_deref() == Some(&plain) || world.is_called(one, &named)
    });
    let Some(function) = function else {
        let why = format!("{named} lies outside the plan");
        for fact in [Fact::Function, Fact::FunctionPolicy] {
            draft.gap(fact, &arn, why.clone());
        }
        return Seen::Open(why);
    };
    world.declare(draft, &plain, function);
    world.declare(draft, &world.name(function), function);
    if arn != plain {
        let alias =
            world.made(&[ALIAS]).find(|one| world.own_id(one, "arn").as_deref() == Some(&arn));
        world.declare(draft, &arn, alias.unwrap_or(function));
    }
    let role = world.arn_in(function, "role");
    put_function(world, draft, function, &plain, &role);
    put_policy(world, draft, function, &plain, &arn);
    role
}

fn put_function<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    function: &'p Resource,
    arn: &str,
    role: &Role,
) {
    let mut found = Map::new();
    let mut set = |key: &str, value: Value| {
        if !value.is_null() {
            found.insert(key.to_owned(), value);
        }
    };
    set("FunctionName", json!(world.name(function)));
    set("FunctionArn", json!(arn));
    for (key, path) in [
        ("Runtime", "runtime"),
        ("Handler", "handler"),
        ("KMSKeyArn", "kms_key_arn"),
        ("Description", "description"),
    ] {
        set(key, json!(function.known_text(path)));
    }
    if let Seen::Known(role) = role {
        let role = world.called(&["aws_iam_role"], role).and_then(|r| world.own_id(r, "arn"));
        set("Role", json!(role.or_else(|| function.known_text("role"))));
    }
    set("Timeout", json!(function.number("timeout").known()));
    set("MemorySize", json!(function.number("memory_size").known()));
    let package = function.known_text("package_type").unwrap_or_else(|| "Zip".to_owned());
    set("PackageType", json!(package));
    let machines = function.texts("architectures").known().filter(|list| !list.is_empty());
    set("Architectures", json!(machines.unwrap_or_else(|| vec!["x86_64".to_owned()])));
    // Deploying makes it so.
    set("State", json!("Active"));
    set("LastUpdateStatus", json!("Successful"));
    set("Environment", environment(draft, function, arn));
    set("VpcConfig", network(world, draft, function, arn));
    set("Layers", layers(world, function));
    let log_group = function.known_text("logging_config.0.log_group");
    if let Some(group) = log_group {
        set("LoggingConfig", json!({"LogGroup": group}));
    }
    let tags: Map<String, Value> = members(at(&function.values, "tags"))
        .filter(|(_, value)| value.is_string())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut whole = json!({"Configuration": found});
    if !tags.is_empty() {
        whole["Tags"] = Value::Object(tags);
    }
    if let Some(reserved) = function.number("reserved_concurrent_executions").known()
        && reserved >= 0
    {
        whole["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    draft.put("Function", whole);
}

/// The variables. One that is not known yet is there, with a value that nobody vouches
/// for: what is not allow-listed is hidden anyway.
fn environment(draft: &mut Draft, function: &Resource, arn: &str) -> Value {
    let path = "environment.0.variables";
    if function.is_unknown(path) {
        draft.gap(
            Fact::Function,
            arn,
            format!("{}.environment is not known yet", function.address),
        );
        return Value::Null;
    }
    let mut variables: Map<String, Value> = members(at(&function.values, path))
        .filter_map(|(name, value)| Some((name.clone(), json!(value.as_str()?))))
        .collect();
    for (name, unknown) in members(at(&function.unknown, path)) {
        if *unknown == true {
            variables.insert(name.clone(), json!(crate::seal::HIDDEN));
            draft.gap(
                Fact::Function,
                arn,
                format!("{}.environment.{name} is not known yet", function.address),
            );
        }
    }
    if variables.is_empty() { Value::Null } else { json!({"Variables": variables}) }
}

/// Where the function runs. Groups that cannot be told leave open what every rule says
/// of it: then no path may be walked, so its subnets are left open too.
fn network<'p>(world: &World<'p>, draft: &mut Draft, function: &'p Resource, arn: &str) -> Value {
    let config = function.blocks("vpc_config");
    if config == Seen::Absent {
        return Value::Null;
    }
    let subnets = world.ids(function, "vpc_config.0.subnet_ids");
    let groups = world.ids(function, "vpc_config.0.security_group_ids");
    match (config, subnets, groups) {
        (Seen::Known(_), Seen::Known(subnets), Seen::Known(groups)) => {
            let dual = function.flag("vpc_config.0.ipv6_allowed_for_dual_stack").known();
            let vpc = vpc_of(world, function, &subnets);
            let mut found = json!({"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpc});
            if let Some(dual) = dual {
                found["Ipv6AllowedForDualStack"] = json!(dual);
            }
            found
        }
        (Seen::Known(_), Seen::Absent, Seen::Absent) => Value::Null,
        (_, subnets, groups) => {
            let why = [subnets, groups].into_iter().find_map(|seen| match seen {
                Seen::Open(why) => Some(why),
                _ => None,
            });
            let why =
                why.unwrap_or_else(|| format!("{}.vpc_config is not known yet", function.address));
            draft.gap(Fact::Function, arn, why.clone());
            unknown_network(draft, &function.address, &why)
        }
    }
}

/// The VPC of the subnets; one that is no other, where that cannot be told.
pub(super) fn vpc_of<'p>(world: &World<'p>, function: &'p Resource, subnets: &[String]) -> String {
    let of_subnet = subnets.iter().find_map(|id| {
        let subnet = world.called(&["aws_subnet", "aws_default_subnet"], id)?;
        world.id(subnet, "vpc_id").known()
    });
    of_subnet
        .or_else(|| function.known_text("vpc_config.0.vpc_id"))
        .unwrap_or_else(|| hidden(&function.address))
}

/// What stands for a part of a network that cannot be told.
fn hidden(address: &str) -> String {
    format!("${{{address}.vpc_config}}")
}

/// A place in a network that cannot be told.
pub(super) fn unknown_network(draft: &mut Draft, address: &str, why: &str) -> Value {
    let id = hidden(address);
    draft.gap(Fact::Subnets, &id, why);
    draft.gap(Fact::SecurityGroups, &id, why);
    json!({"SubnetIds": [id], "SecurityGroupIds": [id], "VpcId": id})
}

fn layers<'p>(world: &World<'p>, function: &'p Resource) -> Value {
    match world.arns_in(function, "layers") {
        Seen::Known(layers) if !layers.is_empty() => {
            let layers: Vec<Value> = layers.into_iter().map(|arn| json!({"Arn": arn})).collect();
            json!(layers)
        }
        _ => Value::Null,
    }
}

/// Lambda GetPolicy of the qualifier, as Lambda writes it.
fn put_policy<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    function: &'p Resource,
    plain: &str,
    arn: &str,
) {
    let qualifier = arn.strip_prefix(plain).and_then(|rest| rest.strip_prefix(':'));
    let mut statements = Vec::new();
    let mut open = None;
    for permission in world.made(&[PERMISSION]) {
        match belongs(world, permission, function, plain, qualifier) {
            Ok(false) => {}
            Ok(true) => match statement(world, permission, arn) {
                Ok(statement) => {
                    let sid = statement["Sid"].as_str().unwrap_or_default();
                    world.declare(draft, sid, permission);
                    statements.push(statement);
                }
                Err(why) => open = Some(why),
            },
            Err(why) => open = Some(why),
        }
    }
    match open {
        Some(why) => draft.gap(Fact::FunctionPolicy, arn, why),
        // One that is there already may have permissions from elsewhere, unless the plan
        // takes one away.
        None if statements.is_empty() && function.exists && !is_taken_away(world, function) => {
            draft.gap(
                Fact::FunctionPolicy,
                arn,
                format!("no permission for {} is in the plan", function.address),
            );
        }
        None if statements.is_empty() => draft.put("FunctionPolicy", Value::Null),
        None => draft.put(
            "FunctionPolicy",
            json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}),
        ),
    }
}

/// Whether the plan takes a permission away from the function.
fn is_taken_away<'p>(world: &World<'p>, function: &'p Resource) -> bool {
    let gone = world.plan.removed.iter().filter(|one| one.kind == PERMISSION);
    gone.filter_map(|one| one.known_text("function_name"))
        .any(|name| world.is_called(function, &name))
}

/// Whether a permission is for the function and the qualifier.
fn belongs<'p>(
    world: &World<'p>,
    permission: &'p Resource,
    function: &'p Resource,
    plain: &str,
    qualifier: Option<&str>,
) -> Result<bool, String> {
    let Some(named) = world.id(permission, "function_name").settled()? else { return Ok(false) };
    let own = permission.text("qualifier").settled();
    let in_name = world.function_arn(&named);
    let (whole, in_name) = match in_name.strip_prefix(plain).map(|rest| rest.strip_prefix(':')) {
        Some(Some(qualifier)) => (true, Some(qualifier.to_owned())),
        Some(None) => (in_name == plain, None),
        None => (world.is_called(function, &named), None),
    };
    if !whole {
        return Ok(false);
    }
    let own = match own {
        Ok(own) => own.or(in_name),
        // `aws_lambda_alias.x.name` as a qualifier is known; what is not, is a version.
        Err(why) => return Err(why),
    };
    Ok(own.as_deref() == qualifier)
}

fn statement<'p>(world: &World<'p>, permission: &'p Resource, arn: &str) -> Result<Value, String> {
    let sid = permission.known_text("statement_id").unwrap_or_else(|| permission.address.clone());
    let action = permission.text("action").settled()?.unwrap_or_default();
    let principal = world.arn_in(permission, "principal").settled()?.unwrap_or_default();
    // Lambda keeps a service by its name, an account as its root, anything else as it is.
    let is_account = principal.len() == 12 && principal.chars().all(|c| c.is_ascii_digit());
    let principal = match principal.as_str() {
        "*" => json!("*"),
        account if is_account => {
            json!({"AWS": format!("arn:{}:iam::{account}:root", world.place.partition)})
        }
        arn if arn.starts_with("arn:") => json!({"AWS": arn}),
        service => json!({"Service": service}),
    };
    let mut conditions = Map::new();
    let mut add = |operator: &str, key: &str, value: Option<String>| {
        if let Some(value) = value {
            let entry = conditions.entry(operator).or_insert_with(|| json!({}));
            entry[key] = json!(value);
        }
    };
    add("StringEquals", "AWS:SourceAccount", world.id(permission, "source_account").settled()?);
    add("ArnLike", "AWS:SourceArn", world.arn_in(permission, "source_arn").settled()?);
    add("StringEquals", "aws:PrincipalOrgID", permission.text("principal_org_id").settled()?);
    let mut found = json!({"Sid": sid, "Effect": "Allow", "Principal": principal,
        "Action": action, "Resource": arn});
    if !conditions.is_empty() {
        found["Condition"] = Value::Object(conditions);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        terraform::{
            secret::Parts,
            testing::{evidence, gaps},
            value::Seen,
            world::World,
        },
    };

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

    fn put(world: &World<'_>, draft: &mut Draft) {
        let function = Seen::Known(format!("{ARN}:live"));
        let _ = super::put(world, draft, &Parts { secret: None, version: None, function });
    }

    #[test]
    fn the_policy_is_that_of_the_qualifier_as_lambda_writes_it() {
        let permission = |sid: &str, principal: &str, qualifier: Option<&str>| {
            json!({"statement_id": sid, "action": "lambda:InvokeFunction", "principal": principal,
                "function_name": "f", "qualifier": qualifier, "source_account": "123456789012"})
        };
        let found = evidence(
            &[
                ("aws_lambda_function.f", json!({"function_name": "f"}), &[]),
                (
                    "aws_lambda_permission.a",
                    permission("a", "secretsmanager.amazonaws.com", Some("live")),
                    &[],
                ),
                ("aws_lambda_permission.b", permission("b", "210987654321", Some("live")), &[]),
                ("aws_lambda_permission.c", permission("c", "x.amazonaws.com", None), &[]),
            ],
            put,
        );
        let policy = &found.function_policy.known().expect("a policy").0;
        let statements = policy["Statement"].as_array().expect("statements");
        assert_eq!(statements.len(), 2, "{policy}");
        assert_eq!(statements[0]["Principal"]["Service"], "secretsmanager.amazonaws.com");
        assert_eq!(statements[0]["Resource"], format!("{ARN}:live"));
        assert_eq!(statements[0]["Condition"]["StringEquals"]["AWS:SourceAccount"], "123456789012");
        assert_eq!(statements[1]["Principal"]["AWS"], "arn:aws:iam::210987654321:root");
    }

    #[test]
    fn one_that_is_there_already_may_have_permissions_from_elsewhere() {
        let known = json!({"id": "f", "function_name": "f"});
        let found = evidence(&[("aws_lambda_function.f", known, &[])], put);
        assert_eq!(gaps(&found), [("FunctionPolicy", format!("{ARN}:live").as_str())]);
    }

    #[test]
    fn variables_that_nobody_vouches_for_are_hidden() {
        let variables = json!({"EXCLUDE_CHARACTERS": "/@", "DB_PASSWORD": "hunter2"});
        let known = json!({"function_name": "f", "environment": [{"variables": variables}]});
        let found = evidence(&[("aws_lambda_function.f", known, &[])], put);
        let function = &found.function.known().expect("a function").configuration;
        assert_eq!(function.variable("EXCLUDE_CHARACTERS"), Some("/@"));
        assert_eq!(function.variable("DB_PASSWORD"), Some("(hidden)"));
    }
}
