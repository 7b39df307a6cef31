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
