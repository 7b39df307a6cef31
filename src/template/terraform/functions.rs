//! Lambda: the rotation function, whether it is a function of the plan or one that AWS
//! vends.

use serde_json::Value;

use super::{
    applications, parts::Parts, permissions, plan::members, resource::Resource, value::at,
    vpcs::vpc_of_subnet, world::World,
};
use crate::{
    evidence::{
        Concurrency, Environment, Fact, Function, FunctionConfiguration, Layer, LoggingConfig,
        Observed, VpcConfig,
    },
    seal::HIDDEN,
    template::{
        Draft,
        aws::{Open, Setting, functions},
    },
};

const FUNCTION: &str = "aws_lambda_function";
const ALIAS: &str = "aws_lambda_alias";

/// The function of the rotation, its policy and its role.
pub(super) fn declare<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    let named = match &parts.function {
        Setting::Known(named) => named.clone(),
        Setting::Absent => return,
        Setting::Open(open) => return functions::outside(draft, "", of_rotation(open)),
    };
    let arn = world.place.function_arn(&named);
    let plain = functions::unqualified(&arn).to_owned();
    if applications::declare(world, draft, &plain) {
        return;
    }
    let function = world.of(&[FUNCTION]).find(|one| {
        world.own_id(one, "arn").as_deref() == Some(&plain) || world.is_called(one, &named)
    });
    let Some(function) = function else {
        return functions::outside(draft, &arn, format!("{named} is not in the plan"));
    };
    world.declare(draft, &plain, function);
    world.declare(draft, &world.name(function), function);
    if arn != plain {
        let alias =
            world.created(&[ALIAS]).find(|one| world.own_id(one, "arn").as_deref() == Some(&arn));
        world.declare(draft, &arn, alias.unwrap_or(function));
    }
    let role = world.arn_in(function, "role");
    one_function(world, draft, function, &plain, &role);
    permissions::declare(world, draft, function, &plain, &arn);
    super::roles::declare(world, draft, role);
}

/// Why the function of a rotation is open.
pub(super) fn of_rotation(open: &Open) -> Open {
    Open { reason: format!("the function of the rotation: {}", open.reason), ..open.clone() }
}

fn one_function<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    function: &'p Resource,
    arn: &str,
    role: &Setting<String>,
) {
    let text = |path: &str| function.known_text(path);
    let number = |path: &str, default: i64| match function.number(path) {
        Setting::Known(number) => Some(number),
        Setting::Absent => Some(default),
        Setting::Open(_) => None,
    };
    let role = role.clone().known().map(|named| {
        let role = world.called(&["aws_iam_role"], &named);
        role.and_then(|role| world.own_id(role, "arn")).unwrap_or(named)
    });
    let machines = function.texts("architectures").known().filter(|list| !list.is_empty());
    let log_group = text("logging_config.0.log_group");
    let log_format = text("logging_config.0.log_format");
    let logging = log_group.is_some() || log_format.is_some();
    let deployed = functions::deployed(&world.name(function), arn);
    let configuration = FunctionConfiguration {
        runtime: text("runtime"),
        handler: text("handler"),
        kms_key_arn: text("kms_key_arn"),
        description: text("description"),
        role,
        timeout: number("timeout", functions::DEFAULT_TIMEOUT),
        memory_size: number("memory_size", functions::DEFAULT_MEMORY),
        package_type: text("package_type").or(deployed.package_type.clone()),
        architectures: machines.unwrap_or_else(|| vec![functions::DEFAULT_ARCHITECTURE.to_owned()]),
        environment: environment(draft, function, arn),
        vpc_config: network(world, draft, function, arn),
        layers: layers(world, function),
        logging_config: logging.then(|| LoggingConfig {
            log_format,
            application_log_level: text("logging_config.0.application_log_level"),
            system_log_level: text("logging_config.0.system_log_level"),
            log_group,
        }),
        ..deployed
    };
    let tags = members(at(&function.values, "tags"))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    let reserved = function.number("reserved_concurrent_executions").known();
    draft.evidence.function = Observed::Known(Function {
        configuration,
        tags: tags.collect(),
        concurrency: reserved
            .filter(|reserved| *reserved >= 0)
            .map(|reserved| Concurrency { reserved_concurrent_executions: Some(reserved) }),
    });
}

/// The variables. One that is not known yet stands as one that is not shown; where even
/// their names are not known, so is what the function reads from them.
fn environment(draft: &mut Draft, function: &Resource, arn: &str) -> Option<Environment> {
    let path = "environment.0.variables";
    let mut gap = |what: &str| {
        let reason = format!("{}.{what} is not known yet", function.address);
        draft.gap(Fact::Function, arn, reason);
    };
    if function.is_unknown(path) {
        gap("environment");
        return None;
    }
    let mut variables: Vec<(String, String)> = members(at(&function.values, path))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    for (name, unknown) in members(at(&function.unknown, path)) {
        if *unknown == Value::Bool(true) {
            variables.push((name.clone(), HIDDEN.to_owned()));
            gap(&format!("environment.{name}"));
        }
    }
    functions::environment(variables)
}

/// Where the function runs. Groups that are open leave open what every rule says of it:
/// then no path may be followed, so its subnets are left open too.
fn network<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    function: &'p Resource,
    arn: &str,
) -> Option<VpcConfig> {
    let config = function.blocks("vpc_config");
    if config.is_absent() {
        return None;
    }
    let subnets = world.ids(function, "vpc_config.0.subnet_ids");
    let groups = world.ids(function, "vpc_config.0.security_group_ids");
    match (config, subnets, groups) {
        (Setting::Known(_), Setting::Known(subnets), Setting::Known(groups)) => {
            let dual_stack = function.flag("vpc_config.0.ipv6_allowed_for_dual_stack").known();
            let vpc = vpc_of(world, function, &subnets);
            Some(functions::vpc_config(subnets, groups, vpc, dual_stack))
        }
        (Setting::Known(_), Setting::Absent, Setting::Absent) => None,
        (_, Setting::Open(open), _) | (_, _, Setting::Open(open)) => {
            Some(unknown_network(draft, function, arn, &open))
        }
        _ => {
            let reason = format!("{}.vpc_config is not known yet", function.address);
            Some(unknown_network(draft, function, arn, &reason.into()))
        }
    }
}

/// The VPC of the subnets; one that is no other, where that is unknown.
pub(super) fn vpc_of<'p>(world: &World<'p>, function: &'p Resource, subnets: &[String]) -> String {
    subnets
        .iter()
        .find_map(|id| vpc_of_subnet(world, id))
        .or_else(|| function.known_text("vpc_config.0.vpc_id"))
        .unwrap_or_else(|| hidden(&function.address))
}

/// What stands for a part of a network that is open.
fn hidden(address: &str) -> String {
    format!("${{{address}.vpc_config}}")
}

/// A place in a network that is open.
pub(super) fn unknown_network(
    draft: &mut Draft,
    function: &Resource,
    arn: &str,
    open: &Open,
) -> VpcConfig {
    let id = hidden(&function.address);
    draft.gap(Fact::Function, arn, open);
    draft.gap(Fact::Subnets, &id, open);
    draft.gap(Fact::SecurityGroups, &id, open);
    functions::vpc_config(vec![id.clone()], vec![id.clone()], id, None)
}

fn layers<'p>(world: &World<'p>, function: &'p Resource) -> Vec<Layer> {
    let layer = |arn| Layer { arn: Some(arn), ..Layer::default() };
    let layers = world.arns_in(function, "layers").known().unwrap_or_default();
    layers.into_iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        aws::Setting,
        terraform::{
            parts::Parts,
            testing::{evidence, gaps},
            world::World,
        },
    };

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

    fn declare(world: &World<'_>, draft: &mut Draft) {
        let function = Setting::Known(format!("{ARN}:live"));
        super::declare(world, draft, &Parts { secret: None, version: None, function });
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
            declare,
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
        let found = evidence(&[("aws_lambda_function.f", known, &[])], declare);
        assert_eq!(gaps(&found), [("FunctionPolicy", format!("{ARN}:live").as_str())]);
    }

    #[test]
    fn variables_that_nobody_vouches_for_are_hidden() {
        let variables = json!({"EXCLUDE_CHARACTERS": "/@", "DB_PASSWORD": "hunter2"});
        let known = json!({"function_name": "f", "environment": [{"variables": variables}]});
        let found = evidence(&[("aws_lambda_function.f", known, &[])], declare);
        let function = &found.function.known().expect("a function").configuration;
        assert_eq!(function.variable("EXCLUDE_CHARACTERS"), Some("/@"));
        assert_eq!(function.variable("DB_PASSWORD"), Some("(hidden)"));
    }
}
