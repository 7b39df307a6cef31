//! The vended rotation templates of the Serverless Application Repository: the function
//! that a stack of one makes, as far as its parameters tell.

use serde_json::{Map, Value, json};

use super::{
    function::{Role, unknown_network, vpc_of},
    plan::Resource,
    value::Seen,
    world::World,
};
use crate::{evidence::Fact, template::Draft};

/// The kind that makes such a stack.
pub(super) const STACK: &str = "aws_serverlessapplicationrepository_cloudformation_stack";

/// Parameters that become variables of the function (public templates of
/// `SecretsManagerRotationTemplates`).
const VARIABLES: [(&str, &str); 8] = [
    ("endpoint", "SECRETS_MANAGER_ENDPOINT"),
    ("excludeCharacters", "EXCLUDE_CHARACTERS"),
    ("excludeNumbers", "EXCLUDE_NUMBERS"),
    ("excludePunctuation", "EXCLUDE_PUNCTUATION"),
    ("excludeUppercase", "EXCLUDE_UPPERCASE"),
    ("excludeLowercase", "EXCLUDE_LOWERCASE"),
    ("requireEachIncludedType", "REQUIRE_EACH_INCLUDED_TYPE"),
    ("passwordLength", "PASSWORD_LENGTH"),
];

/// Puts the function that a stack makes; gives its role, which the stack makes too.
pub(super) fn put<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    stack: &'p Resource,
    arn: &str,
) -> Role {
    world.declare(draft, arn, stack);
    let name = arn.rsplit(':').next().unwrap_or(arn);
    world.declare(draft, name, stack);
    let parameter = |name: &str| stack.known_text(&format!("parameters.{name}"));
    let variables: Map<String, Value> = VARIABLES
        .iter()
        .filter_map(|(ours, theirs)| Some(((*theirs).to_owned(), json!(parameter(ours)?))))
        .collect();
    let mut tags = Map::new();
    for (attribute, tag) in [
        ("application_id", "serverlessrepo:applicationId"),
        ("semantic_version", "serverlessrepo:semanticVersion"),
    ] {
        if let Some(value) = stack.known_text(attribute) {
            tags.insert(tag.to_owned(), json!(value));
        }
    }
    let mut configuration = json!({"FunctionName": name, "FunctionArn": arn, "State": "Active",
        "LastUpdateStatus": "Successful", "PackageType": "Zip"});
    if !variables.is_empty() {
        configuration["Environment"] = json!({"Variables": variables});
    }
    let network = network(world, draft, stack, arn);
    if !network.is_null() {
        configuration["VpcConfig"] = network;
    }
    draft.put("Function", json!({"Configuration": configuration, "Tags": tags}));
    // The template lets the service of the account's own partition invoke the function.
    draft.put(
        "FunctionPolicy",
        json!({"Version": "2012-10-17", "Id": "default", "Statement": [{
            "Sid": "SecretsManagerAccess", "Effect": "Allow",
            "Principal": {"Service": "secretsmanager.amazonaws.com"},
            "Action": "lambda:InvokeFunction", "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceAccount": world.place.account}}}]}),
    );
    Seen::Open(format!("{} makes its role by itself", stack.address))
}

/// `vpcSubnetIds` and `vpcSecurityGroupIds`: lists with commas.
fn network<'p>(world: &World<'p>, draft: &mut Draft, stack: &'p Resource, arn: &str) -> Value {
    let list = |name: &str| {
        let path = format!("parameters.{name}");
        if stack.is_unknown("parameters") || stack.text(&path).is_open() {
            return of_expression(world, stack, &path, name);
        }
        match stack.text(&path) {
            Seen::Known(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Seen::Known(parts.map(str::to_owned).collect())
            }
            _ => Seen::Absent,
        }
    };
    match (list("vpcSubnetIds"), list("vpcSecurityGroupIds")) {
        (Seen::Known(subnets), Seen::Known(groups)) => {
            let vpc = vpc_of(world, stack, &subnets);
            json!({"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpc})
        }
        (Seen::Absent, Seen::Absent) => Value::Null,
        (Seen::Open(why), _) | (_, Seen::Open(why)) => {
            draft.gap(Fact::Function, arn, why.clone());
            unknown_network(draft, &stack.address, &why)
        }
        (Seen::Known(_), Seen::Absent) | (Seen::Absent, Seen::Known(_)) => Value::Null,
    }
}

/// What the map of parameters refers to, by kind: the subnets or the groups among them.
/// The map has one expression for all of it, so nothing else may be among them that can
/// be one of either.
fn of_expression<'p>(
    world: &World<'p>,
    stack: &'p Resource,
    path: &str,
    name: &str,
) -> Seen<Vec<String>> {
    let kinds: &[&str] = match name {
        "vpcSubnetIds" => &["aws_subnet", "aws_default_subnet"],
        _ => &["aws_security_group", "aws_default_security_group"],
    };
    let why = format!("{}.{path} is not known yet", stack.address);
    let Some(found) = world.ids_of_kinds(stack, path, kinds) else { return Seen::Open(why) };
    if found.is_empty() { Seen::Open(why) } else { Seen::Known(found) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        evidence::Time,
        template::{
            Draft,
            terraform::{
                function,
                plan::Plan,
                secret::Parts,
                testing::{evidence, gaps, world},
                value::Seen,
                world::World,
            },
        },
    };

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

    fn put(world: &World<'_>, draft: &mut Draft) {
        let parts = Parts { secret: None, version: None, function: Seen::Known(ARN.to_owned()) };
        let role = function::put(world, draft, &parts);
        assert!(role.is_open(), "the stack makes its own");
    }

    #[test]
    fn the_parameters_of_a_vended_template_tell_its_function() {
        let application = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                           SecretsManagerRDSPostgreSQLRotationSingleUser";
        let parameters = json!({"functionName": "rotate", "vpcSubnetIds": "subnet-1, subnet-2",
            "vpcSecurityGroupIds": "sg-1", "endpoint": "https://secretsmanager.eu-west-1.amazonaws.com"});
        let known = json!({"application_id": application, "parameters": parameters});
        let found = evidence(&[(&format!("{}.s", super::STACK), known, &[])], put);
        let function = found.function.known().expect("a function");
        let config = function.configuration.vpc_config.as_ref().expect("a network");
        assert_eq!(config.subnet_ids, ["subnet-1", "subnet-2"]);
        assert_eq!(
            function.configuration.variable("SECRETS_MANAGER_ENDPOINT"),
            Some("https://secretsmanager.eu-west-1.amazonaws.com")
        );
        assert_eq!(
            function.tags.get("serverlessrepo:applicationId").map(String::as_str),
            Some(application)
        );
        assert!(found.function_policy.known().is_some());
        assert!(gaps(&found).is_empty());
    }

    #[test]
    fn a_map_of_parameters_that_is_not_known_tells_what_it_names() {
        let references = json!(["aws_subnet.a.id", "aws_security_group.g.id", "var.region"]);
        let address = format!("{}.s", super::STACK);
        let mut whole = json!({"format_version": "1.2", "variables": {"region": {"value": "eu-west-1"}},
            "configuration": {"root_module": {"resources": [{"address": address, "mode": "managed",
                "type": super::STACK, "name": "s",
                "expressions": {"parameters": {"references": references}}}]}},
            "resource_changes": []});
        for (address, known, unknown) in [
            ("aws_subnet.a", json!({"vpc_id": "vpc-1"}), json!({"id": true})),
            ("aws_security_group.g", json!({}), json!({"id": true})),
            (
                address.as_str(),
                json!({"parameters": {"functionName": "rotate"}}),
                json!({"parameters": {"vpcSubnetIds": true, "vpcSecurityGroupIds": true}}),
            ),
        ] {
            let (kind, name) = address.split_once('.').expect("an address");
            let change = json!({"address": address, "mode": "managed", "type": kind, "name": name,
                "change": {"actions": ["create"], "after": known, "after_unknown": unknown}});
            whole["resource_changes"].as_array_mut().expect("a list").push(change);
        }
        let plan = Plan::read(&whole.to_string()).expect("a plan");
        let mut draft = Draft::default();
        put(&world(&plan), &mut draft);
        let found = draft.finish(Time::default()).expect("evidence").evidence;
        let function = found.function.known().expect("a function");
        let config = function.configuration.vpc_config.as_ref().expect("a network");
        assert_eq!(config.subnet_ids, ["aws_subnet.a"]);
        assert_eq!(config.security_group_ids, ["aws_security_group.g"]);
    }
}
