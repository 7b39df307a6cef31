//! Lambda: the rotation function, be it a function of the template, one that SAM makes,
//! or an application of the Serverless Application Repository. Hosted functions are
//! `hosted`'s business, roles are `roles`'.

use serde_json::{Map, Value as Json, json};

use super::{
    gateways::vpc_of,
    hosted,
    resolved::{Resolved, Unknown, Value},
    roles, serverless,
    world::{Made, World, compact},
};
use crate::{evidence::Fact, seal::HIDDEN};

/// The variable in which the vended functions find Secrets Manager.
pub(super) const ENDPOINT_VARIABLE: &str = "SECRETS_MANAGER_ENDPOINT";

/// The facts that are about a function.
const FACTS: [Fact; 2] = [Fact::Function, Fact::FunctionPolicy];

/// The function with this ARN, which may have a qualifier.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) {
    let plain = unqualified(arn);
    for kind in ["AWS::Lambda::Function", "AWS::Serverless::Function"] {
        let all = world.perhaps(kind);
        let own = all.into_iter().find(|(one, _)| is(world, one, plain));
        let Some((mut function, open)) = own else { continue };
        if let Err(why) = open {
            return outside(world, arn, &why);
        }
        if kind == "AWS::Serverless::Function" {
            function.properties = serverless::with_globals(world, function.properties);
        }
        return of_template(world, &function, arn);
    }
    let all = world.perhaps("AWS::Serverless::Application");
    let own = all.into_iter().find(|(one, _)| {
        world.scope.attribute_id(one.resource, "Outputs.RotationLambdaARN") == plain
    });
    match own {
        Some((application, Ok(()))) => match serverless::application(&application, plain) {
            Ok(vended) => hosted::declare(world, &vended),
            Err(unknown) => outside(world, arn, &unknown.why),
        },
        Some((_, Err(why))) => outside(world, arn, &why),
        None => outside(world, arn, &format!("function {arn} is not in the template")),
    }
}

fn is(world: &World<'_, '_>, function: &Made<'_, '_>, arn: &str) -> bool {
    world.scope.attribute_id(function.resource, "Arn") == arn
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME` without what follows.
pub(super) fn unqualified(arn: &str) -> &str {
    if !arn.starts_with("arn:") {
        return arn;
    }
    arn.match_indices(':').nth(6).map_or(arn, |(at, _)| &arn[..at])
}

/// A function of which nothing is declared.
pub(super) fn outside(world: &mut World<'_, '_>, arn: &str, why: &str) {
    for fact in FACTS {
        world.draft.gap(fact, arn, why);
    }
    roles::outside(world, "", why);
}

fn of_template(world: &mut World<'_, '_>, function: &Made<'_, '_>, arn: &str) {
    world.declare(arn, function.resource, function.resource.node.at);
    world.declare(unqualified(arn), function.resource, function.resource.node.at);
    world.declare(&function.id, function.resource, function.resource.node.at);
    match configuration(world, function, arn) {
        Ok((configuration, role)) => {
            let tags = tags(function.properties.get("Tags"));
            let reserved = function.properties.get("ReservedConcurrentExecutions").number();
            let concurrency =
                reserved.ok().flatten().map(|count| json!({"ReservedConcurrentExecutions": count}));
            world.draft.put(
                "Function",
                compact(json!({"Configuration": configuration, "Tags": tags,
                    "Concurrency": concurrency})),
            );
            match role {
                Role::Named(role) => roles::declare(world, &role),
                Role::Open(unknown) => roles::outside(world, "", &unknown.why),
                Role::Made(role) => serverless::role(world, function, &role),
            }
        }
        Err(unknown) => {
            world.open(Fact::Function, arn, &unknown);
            roles::outside(world, "", &unknown.why);
        }
    }
}

enum Role {
    Named(String),
    Open(Unknown),
    /// SAM makes it.
    Made(String),
}

fn tags(tags: &Resolved) -> Json {
    let mut found = Map::new();
    // SAM has a map of them.
    for (key, value) in tags.members() {
        found.extend(value.known().map(|value| (key.clone(), Json::String(value))));
    }
    if let Json::Array(list) = World::tags(tags) {
        for tag in list {
            if let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) {
                found.insert(key.to_owned(), json!(value));
            }
        }
    }
    Json::Object(found)
}

fn configuration(
    world: &World<'_, '_>,
    function: &Made<'_, '_>,
    arn: &str,
) -> Result<(Json, Role), Unknown> {
    let properties = &function.properties;
    let role = match properties.get("Role").text() {
        Ok(Some(role)) => Role::Named(role),
        Ok(None) if function.resource.kind == "AWS::Serverless::Function" => {
            Role::Made(world.scope.place.iam(&format!("role/{}Role", function.resource.name)))
        }
        Ok(None) => Role::Open(Unknown::named("Role", "the function names no role")),
        // The same open text names the same role.
        Err(unknown) if unknown.token.starts_with("arn:") => Role::Named(unknown.token),
        Err(unknown) => Role::Open(unknown),
    };
    let named = match &role {
        Role::Named(arn) | Role::Made(arn) => Some(arn.clone()),
        Role::Open(unknown) => Some(unknown.token.clone()),
    };
    let layers: Vec<Json> =
        properties.get("Layers").ids().iter().map(|arn| json!({"Arn": arn})).collect();
    let architectures = properties.get("Architectures");
    let architectures = match architectures.first_unknown() {
        Some(_) => Json::Null,
        None if architectures.is_nothing() => json!(["x86_64"]),
        None => json!(architectures.ids()),
    };
    let logging = properties.get("LoggingConfig");
    let logging = (!logging.is_nothing()).then(|| {
        compact(json!({"LogFormat": logging.get("LogFormat").known(),
            "ApplicationLogLevel": logging.get("ApplicationLogLevel").known(),
            "SystemLogLevel": logging.get("SystemLogLevel").known(),
            "LogGroup": logging.get("LogGroup").known()}))
    });
    let number = |name: &str, default: i64| match properties.get(name).number() {
        Ok(told) => Some(told.unwrap_or(default)),
        Err(_) => None,
    };
    let found = compact(json!({"FunctionName": function.id, "FunctionArn": arn,
        "Runtime": properties.get("Runtime").id(), "Role": named,
        "Handler": properties.get("Handler").known(),
        "Description": properties.get("Description").known(),
        // CreateFunction: 3 seconds and 128 MB, where nothing is said.
        "Timeout": number("Timeout", 3), "MemorySize": number("MemorySize", 128),
        "State": "Active", "LastUpdateStatus": "Successful",
        "PackageType": properties.get("PackageType").known().unwrap_or_else(|| "Zip".to_owned()),
        "Architectures": architectures, "Layers": layers, "LoggingConfig": logging,
        "KMSKeyArn": properties.get("KmsKeyArn").id(),
        "Environment": environment(properties.get("Environment"))?,
        "VpcConfig": vpc_config(world, properties.get("VpcConfig"))?}));
    Ok((found, role))
}

/// The variables. One that is open stands as one that is not shown, save that which says
/// where Secrets Manager is: without it nothing can be told of the way.
fn environment(environment: &Resolved) -> Result<Json, Unknown> {
    let variables = environment.get("Variables");
    if let Some(unknown) = variables.unknown() {
        return Err(unknown.clone());
    }
    let mut found = Map::new();
    for (name, value) in variables.members() {
        match value.text() {
            Ok(value) => found.extend(value.map(|value| (name.clone(), Json::String(value)))),
            Err(unknown) if name == ENDPOINT_VARIABLE => return Err(unknown),
            Err(_) => {
                found.insert(name.clone(), json!(HIDDEN));
            }
        }
    }
    Ok(if found.is_empty() { Json::Null } else { json!({"Variables": found}) })
}

fn vpc_config(world: &World<'_, '_>, config: &Resolved) -> Result<Json, Unknown> {
    if let Some(unknown) = config.unknown() {
        return Err(unknown.clone());
    }
    let subnets = config.get("SubnetIds");
    let groups = config.get("SecurityGroupIds");
    if subnets.is_nothing() {
        return Ok(Json::Null);
    }
    let ipv6 = config.get("Ipv6AllowedForDualStack").flag()?;
    Ok(of_subnets(world, &subnets.ids(), &groups.ids(), ipv6))
}

/// The VPC configuration with these subnets, some of which may be open.
pub(super) fn of_subnets(
    world: &World<'_, '_>,
    subnets: &[String],
    groups: &[String],
    ipv6: Option<bool>,
) -> Json {
    if subnets.is_empty() {
        return Json::Null;
    }
    let vpc = subnets.iter().find_map(|id| vpc_of(world, id));
    let vpc =
        vpc.unwrap_or_else(|| format!("${{VPC of {}}}", subnets[0].replace(['$', '{', '}'], "")));
    compact(json!({"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpc,
        "Ipv6AllowedForDualStack": ipv6}))
}

/// The permissions on a function, as Lambda would write them into its policy.
pub(super) fn policy(world: &mut World<'_, '_>, arn: &str) {
    if world.draft.get("FunctionPolicy").is_some() || world.draft.get("Function").is_none() {
        return;
    }
    let mut statements = Vec::new();
    let mut open: Option<String> = world.hidden.clone();
    for (permission, made) in world.perhaps("AWS::Lambda::Permission") {
        let on = permission.properties.get("FunctionName");
        let concerns = match on.text() {
            Ok(Some(name)) => same_function(world, &name, arn),
            Ok(None) => false,
            // The name of this very function may be open.
            Err(unknown) if same_function(world, &unknown.token, arn) => true,
            Err(unknown) => {
                if on_open_function(&unknown) {
                    open.get_or_insert(unknown.why);
                }
                false
            }
        };
        if !concerns {
            continue;
        }
        let statement = made.map_err(|why| Unknown::named("a permission", why));
        match statement.and_then(|()| statement_of(world, &permission, arn)) {
            Ok(statement) => statements.push(statement),
            Err(unknown) => {
                open.get_or_insert(unknown.why);
            }
        }
    }
    let admits = statements
        .iter()
        .any(|statement| statement["Principal"]["Service"] == "secretsmanager.amazonaws.com");
    match open {
        // What is open only adds to what is allowed.
        Some(why) if !admits => world.draft.gap(Fact::FunctionPolicy, arn, why),
        _ if statements.is_empty() => world.draft.put("FunctionPolicy", Json::Null),
        _ => world.draft.put(
            "FunctionPolicy",
            json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}),
        ),
    }
}

/// Whether a permission's function is open as a whole, and so may be any.
fn on_open_function(unknown: &Unknown) -> bool {
    unknown.token.starts_with("${")
        && unknown.token.ends_with('}')
        && unknown.token.matches("${").count() == 1
}

/// Whether a name, a partial ARN or an ARN is that of the function with its qualifier.
pub(super) fn same_function(world: &World<'_, '_>, name: &str, arn: &str) -> bool {
    let whole = match name.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", ..] => name.to_owned(),
        [account, "function", ..] if account.bytes().all(|byte| byte.is_ascii_digit()) => {
            let rest = &name[account.len() + 1..];
            world.scope.place.arn("lambda", rest)
        }
        _ => world.scope.place.arn("lambda", &format!("function:{name}")),
    };
    whole.trim_end_matches(":$LATEST") == arn.trim_end_matches(":$LATEST")
}

fn statement_of(
    world: &World<'_, '_>,
    permission: &Made<'_, '_>,
    arn: &str,
) -> Result<Json, Unknown> {
    let properties = &permission.properties;
    let principal = properties.get("Principal").text()?.unwrap_or_default();
    let principal = if principal == "*" {
        json!("*")
    } else if principal.starts_with("arn:") {
        json!({"AWS": principal})
    } else if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        let partition = world.scope.place.partition();
        json!({"AWS": format!("arn:{partition}:iam::{principal}:root")})
    } else {
        json!({"Service": principal})
    };
    let mut conditions = Map::new();
    let mut add = |operator: &str, key: &str, value: Option<String>| {
        if let Some(value) = value {
            let keys = conditions.entry(operator).or_insert_with(|| json!({}));
            keys[key] = json!(value);
        }
    };
    add("StringEquals", "AWS:SourceAccount", properties.get("SourceAccount").text()?);
    add("ArnLike", "AWS:SourceArn", properties.get("SourceArn").text()?);
    add("StringEquals", "aws:PrincipalOrgID", properties.get("PrincipalOrgID").text()?);
    let action = properties.get("Action").text()?;
    Ok(compact(json!({"Sid": permission.resource.name, "Effect": "Allow",
        "Principal": principal, "Action": action, "Resource": arn,
        "Condition": if conditions.is_empty() { Json::Null } else { Json::Object(conditions) }})))
}

/// A list of ids that an application takes as one text.
pub(super) fn comma_list(value: &Resolved) -> Vec<String> {
    match &value.value {
        Value::Text(text) => {
            text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
        }
        // Open parts stand for ids of their own.
        Value::Unknown(unknown)
            if !unknown.token.starts_with("${") || unknown.token.contains(',') =>
        {
            unknown
                .token
                .split(',')
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty())
                .collect()
        }
        _ => value.ids(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::unqualified;
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

    #[test]
    fn a_qualifier_is_what_follows_the_name() {
        let arn = "arn:aws:lambda:us-east-1:1:function:f";
        assert_eq!(unqualified(&format!("{arn}:live")), arn);
        assert_eq!(unqualified(arn), arn);
        assert_eq!(unqualified("${Function}"), "${Function}");
    }
}
