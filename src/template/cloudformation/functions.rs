//! Lambda: the rotation function, whether it is a function of the template, one that SAM
//! makes, or one that AWS vends.

use std::collections::BTreeMap;

use super::{
    applications,
    gateways::vpc_of,
    permissions, roles, serverless,
    value::Resolved,
    world::{Created, World, tags},
};
use crate::{
    evidence::{
        Concurrency, Environment, Fact, Function, FunctionConfiguration, Layer, LoggingConfig,
        Observed, VpcConfig,
    },
    seal::HIDDEN,
    template::aws::{Open, Setting, functions, policies},
};

/// The kinds of resources that are functions.
const KINDS: [&str; 2] = ["AWS::Lambda::Function", serverless::FUNCTION];

/// The function with this ARN, which may have a qualifier, and its policy.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) {
    let plain = functions::unqualified(arn);
    for kind in KINDS {
        let all = world.perhaps(kind);
        let own =
            all.into_iter().find(|(one, _)| world.scope.attribute_id(one.resource, "Arn") == plain);
        let Some((mut function, open)) = own else { continue };
        if let Err(open) = open {
            return functions::outside(&mut world.draft, arn, open);
        }
        if kind == serverless::FUNCTION {
            function.properties = serverless::with_globals(world, function.properties);
        }
        one_function(world, &function, arn);
        return permissions::declare(world, arn);
    }
    if !applications::declare(world, plain) {
        let reason = format!("the function {arn} is not declared");
        functions::outside(&mut world.draft, arn, reason);
    }
}

fn one_function(world: &mut World<'_, '_>, function: &Created<'_, '_>, arn: &str) {
    for id in [arn, functions::unqualified(arn), &function.id] {
        world.declare_whole(id, function.resource);
    }
    let role = role_of(world, function);
    match configuration(world, function, arn) {
        Ok(mut configuration) => {
            configuration.role = role.named();
            let reserved = function.properties.get("ReservedConcurrentExecutions").number();
            let concurrency = reserved
                .known()
                .map(|count| Concurrency { reserved_concurrent_executions: Some(count) });
            let tags = function_tags(function.properties.get("Tags"));
            world.draft.evidence.function =
                Observed::Known(Function { configuration, tags, concurrency });
            match role {
                FunctionRole::Named(role) => roles::declare(world, &role),
                FunctionRole::Open(open) => policies::outside(&mut world.draft, "", open),
                FunctionRole::OfSam(role) => serverless::declare_role(world, function, &role),
            }
        }
        Err(open) => {
            world.draft.gap(Fact::Function, arn, &open);
            policies::outside(&mut world.draft, "", open);
        }
    }
}

/// What a function says of its role.
enum FunctionRole {
    Named(String),
    Open(Open),
    /// SAM makes one.
    OfSam(String),
}

impl FunctionRole {
    fn named(&self) -> Option<String> {
        Some(match self {
            Self::Named(arn) | Self::OfSam(arn) => arn.clone(),
            Self::Open(open) => open.token.clone(),
        })
    }
}

fn role_of(world: &World<'_, '_>, function: &Created<'_, '_>) -> FunctionRole {
    match function.properties.get("Role").text() {
        Setting::Known(role) => FunctionRole::Named(role),
        Setting::Absent if function.resource.kind == serverless::FUNCTION => {
            let name = format!("role/{}Role", function.resource.name);
            FunctionRole::OfSam(world.scope.place.iam(&name))
        }
        Setting::Absent => FunctionRole::Open(Open::named("Role", "the function names no role")),
        // The same open text names the same role.
        Setting::Open(open) if open.token.starts_with("arn:") => FunctionRole::Named(open.token),
        Setting::Open(open) => FunctionRole::Open(open),
    }
}

/// Tags by key: SAM has a map of them, CloudFormation a list.
fn function_tags(declared: &Resolved) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in declared.members() {
        found.extend(value.known().map(|value| (key.clone(), value)));
    }
    for tag in tags(declared) {
        found.extend(tag.key.zip(tag.value));
    }
    found
}

fn configuration(
    world: &World<'_, '_>,
    function: &Created<'_, '_>,
    arn: &str,
) -> Result<FunctionConfiguration, Open> {
    let properties = &function.properties;
    let layers = properties.get("Layers").ids();
    let architectures = properties.get("Architectures");
    let architectures = match architectures.first_open() {
        Some(_) => Vec::new(),
        None if architectures.is_nothing() => vec![functions::DEFAULT_ARCHITECTURE.to_owned()],
        None => architectures.ids(),
    };
    let logging = properties.get("LoggingConfig");
    let logging = (!logging.is_nothing()).then(|| LoggingConfig {
        log_format: logging.get("LogFormat").known(),
        application_log_level: logging.get("ApplicationLogLevel").known(),
        system_log_level: logging.get("SystemLogLevel").known(),
        log_group: logging.get("LogGroup").known(),
    });
    let number = |name: &str, default: i64| match properties.get(name).number() {
        Setting::Known(number) => Some(number),
        Setting::Absent => Some(default),
        Setting::Open(_) => None,
    };
    let deployed = functions::deployed(&function.id, arn);
    Ok(FunctionConfiguration {
        runtime: properties.get("Runtime").id(),
        handler: properties.get("Handler").known(),
        description: properties.get("Description").known(),
        timeout: number("Timeout", functions::DEFAULT_TIMEOUT),
        memory_size: number("MemorySize", functions::DEFAULT_MEMORY),
        package_type: properties.get("PackageType").known().or(deployed.package_type.clone()),
        architectures,
        layers: layers
            .into_iter()
            .map(|arn| Layer { arn: Some(arn), ..Layer::default() })
            .collect(),
        logging_config: logging,
        kms_key_arn: properties.get("KmsKeyArn").id(),
        environment: environment(properties.get("Environment"))?,
        vpc_config: vpc_config(world, properties.get("VpcConfig"))?,
        ..deployed
    })
}

/// The variables. One that is open stands as one that is not shown, except for that which
/// says where Secrets Manager is: without it nothing is known of the path.
fn environment(declared: &Resolved) -> Result<Option<Environment>, Open> {
    let variables = declared.get("Variables");
    if let Some(open) = variables.open() {
        return Err(open.clone());
    }
    let mut found = Vec::new();
    for (name, value) in variables.members() {
        match value.text() {
            Setting::Known(value) => found.push((name.clone(), value)),
            Setting::Absent => {}
            Setting::Open(open) if name == functions::ENDPOINT_VARIABLE => return Err(open),
            Setting::Open(_) => found.push((name.clone(), HIDDEN.to_owned())),
        }
    }
    Ok(functions::environment(found))
}

fn vpc_config(world: &World<'_, '_>, config: &Resolved) -> Result<Option<VpcConfig>, Open> {
    if let Some(open) = config.open() {
        return Err(open.clone());
    }
    let ipv6 = config.get("Ipv6AllowedForDualStack").flag().settled()?;
    let groups = config.get("SecurityGroupIds").ids();
    Ok(of_subnets(world, config.get("SubnetIds").ids(), groups, ipv6))
}

/// The VPC configuration with these subnets, some of which may be open.
pub(super) fn of_subnets(
    world: &World<'_, '_>,
    subnets: Vec<String>,
    groups: Vec<String>,
    ipv6: Option<bool>,
) -> Option<VpcConfig> {
    let first = subnets.first()?;
    let vpc = subnets.iter().find_map(|id| vpc_of(world, id));
    let vpc = vpc.unwrap_or_else(|| format!("${{VPC of {}}}", first.replace(['$', '{', '}'], "")));
    Some(functions::vpc_config(subnets, groups, vpc, ipv6))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::template::cloudformation::testing::{evidence, open_in};

    fn with(function: &str, more: &str) -> Value {
        evidence(&format!(
            "
  F: {{Type: 'AWS::Lambda::Function', Properties: {{{function}}}}}
{more}"
        ))
    }

    #[test]
    fn a_function_has_lambdas_defaults() {
        let configuration = with("Handler: a.b", "")["Function"]["Configuration"].clone();
        assert_eq!(
            (&configuration["Timeout"], &configuration["MemorySize"]),
            (&json!(3), &json!(128))
        );
        assert_eq!(configuration["State"], "Active");
        assert!(configuration.get("VpcConfig").is_none(), "{configuration}");
    }

    #[test]
    fn without_knowing_its_endpoint_or_network_a_function_is_open() {
        for open in [
            "Environment: {Variables: {SECRETS_MANAGER_ENDPOINT: !Ref Open}}",
            "Environment: !If [Unsure, {Variables: {}}, !Ref 'AWS::NoValue']",
            "VpcConfig: !If [Unsure, {SubnetIds: [a]}, !Ref 'AWS::NoValue']",
        ] {
            let found = with(open, "");
            assert!(found.get("Function").is_none(), "{open}");
            assert_eq!(open_in(&found, "Function").len(), 1, "{open}");
        }
        let other = with("Environment: {Variables: {OTHER: !Ref Open}}", "");
        assert!(other.get("Function").is_some(), "another variable decides nothing");
    }

    #[test]
    fn permissions_are_the_functions_policy() {
        let permission = |properties: &str| {
            with(
                "Handler: a.b",
                &format!(
                    "  P: {{Type: 'AWS::Lambda::Permission', Properties: {{Action: 'lambda:InvokeFunction', {properties}}}}}\n"
                ),
            )
        };
        let found = permission(
            "FunctionName: !Ref F, Principal: secretsmanager.amazonaws.com, SourceAccount: '1'",
        );
        let statement = &found["FunctionPolicy"]["Statement"][0];
        assert_eq!(statement["Principal"], json!({"Service": "secretsmanager.amazonaws.com"}));
        assert_eq!(statement["Condition"], json!({"StringEquals": {"AWS:SourceAccount": "1"}}));
        let other = permission("FunctionName: other, Principal: secretsmanager.amazonaws.com");
        assert_eq!(other["FunctionPolicy"], Value::Null, "looked for, and not there");
        assert!(open_in(&other, "FunctionPolicy").is_empty());
        for open in [
            "FunctionName: !Ref Open, Principal: secretsmanager.amazonaws.com",
            "FunctionName: !Ref F, Principal: !Ref Open",
            "FunctionName: !Ref F, Principal: secretsmanager.amazonaws.com, SourceArn: !Ref Open",
        ] {
            assert_eq!(open_in(&permission(open), "FunctionPolicy").len(), 1, "{open}");
        }
    }
}
