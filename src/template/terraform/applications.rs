//! Rotation functions that AWS vends: the applications of the Serverless Application
//! Repository.

use serde_json::Value;

use super::{
    functions::{unknown_network, vpc_of},
    resource::Resource,
    value::items,
    vpcs::SUBNETS,
    world::World,
};
use crate::{
    evidence::VpcConfig,
    template::{
        Draft,
        aws::{Open, Setting, functions, vended, vended::Vended},
    },
};

/// The kind that makes a stack of an application.
pub(super) const APPLICATION: &str = "aws_serverlessapplicationrepository_cloudformation_stack";

const GROUPS: [&str; 2] = ["aws_security_group", "aws_default_security_group"];

/// Declares the function with this ARN, where an application of the plan makes it.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft, arn: &str) -> bool {
    let Some(application) = find(world, arn) else { return false };
    let name = arn.rsplit(':').next().unwrap_or(arn);
    let role = format!("{name}Role");
    let role_arn = world.place.iam(&format!("role/{role}"));
    for id in [arn, name, &role, &role_arn] {
        world.declare(draft, id, application);
    }
    let id = application.known_text("application_id").unwrap_or_default();
    let Some(template) = vended::template_of_application(&id) else {
        let open = vended::unknown_application(&application.address, &id);
        functions::outside(draft, arn, open);
        return true;
    };
    let mut made = of_application(world, application, arn, template);
    made.version = application.known_text("semantic_version");
    made.network = network(world, draft, application, arn);
    vended::declare(draft, &world.place, made);
    true
}

/// The superuser's secret that the application is given which makes the function.
pub(super) fn superuser(world: &World<'_>, arn: &str) -> Option<String> {
    let application = find(world, arn)?;
    of_application(world, application, arn, "").superuser.known()
}

fn find<'p>(world: &World<'p>, arn: &str) -> Option<&'p Resource> {
    let own =
        |one: &&'p Resource| world.own_id(one, "outputs.RotationLambdaARN").as_deref() == Some(arn);
    world.created(&[APPLICATION]).find(own)
}

fn of_application<'p>(
    world: &World<'p>,
    application: &'p Resource,
    arn: &str,
    template: &str,
) -> Vended {
    Vended::of_parameters(arn, Some(template.to_owned()), |name| {
        parameter(world, application, name)
    })
}

/// A parameter. Where one value is unknown, Terraform may write that the whole map is:
/// then what the map refers to tells which parameters it can hold.
fn parameter<'p>(world: &World<'p>, application: &'p Resource, name: &str) -> Setting<String> {
    let path = format!("parameters.{name}");
    let kinds: &[&str] = match name {
        "kmsKeyArn" | "superuserSecretKmsKeyArn" | "masterSecretKmsKeyArn" => &["aws_kms_"],
        "superuserSecretArn" => &["aws_secretsmanager_secret", "aws_db_", "aws_rds_"],
        "endpoint" => &["aws_vpc_endpoint"],
        _ => &[],
    };
    if !application.is_unknown("parameters") {
        return match application.text(&path) {
            Setting::Open(open) => match world.named(application, &path).as_slice() {
                [only] if kinds.iter().any(|kind| only.kind.starts_with(kind)) => {
                    world.own_id(only, "arn").map_or(Setting::Open(open), Setting::Known)
                }
                _ => Setting::Open(open),
            },
            setting => setting,
        };
    }
    let open = || Open::named(&path, format!("{}.{path} is not known yet", application.address));
    match name {
        "kmsKeyArn" | "superuserSecretArn" | "superuserSecretKmsKeyArn" | "endpoint"
            if !names_kind(world, application, kinds) =>
        {
            Setting::Absent
        }
        // The older name of a parameter: the newer one is open already.
        "masterSecretArn" | "masterSecretKmsKeyArn" => Setting::Absent,
        _ => Setting::Open(open()),
    }
}

/// Whether the map of parameters refers to a resource of these kinds, or may through
/// something that does not show.
fn names_kind<'p>(world: &World<'p>, application: &'p Resource, kinds: &[&str]) -> bool {
    let expression = &world.plan.configuration(application)["expressions"]["parameters"];
    let references = items(&expression["references"]).iter().filter_map(Value::as_str);
    references.into_iter().any(|reference| {
        reference.starts_with("local.")
            || reference.starts_with("var.")
            || reference.starts_with("module.")
            || kinds.iter().any(|kind| reference.starts_with(kind))
    })
}

/// `vpcSubnetIds` and `vpcSecurityGroupIds`: lists with commas.
fn network<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    application: &'p Resource,
    arn: &str,
) -> Option<VpcConfig> {
    let list = |name: &str, kinds: &[&str]| {
        let path = format!("parameters.{name}");
        if application.is_unknown("parameters") || application.text(&path).is_open() {
            return of_expression(world, application, &path, kinds);
        }
        application.text(&path).map(|text| vended::comma_list(&text))
    };
    match (list("vpcSubnetIds", &SUBNETS), list("vpcSecurityGroupIds", &GROUPS)) {
        (Setting::Known(subnets), Setting::Known(groups)) => {
            let vpc = vpc_of(world, application, &subnets);
            Some(functions::vpc_config(subnets, groups, vpc, None))
        }
        (Setting::Open(open), _) | (_, Setting::Open(open)) => {
            Some(unknown_network(draft, application, arn, &open))
        }
        _ => None,
    }
}

/// What the map of parameters refers to, by kind: the subnets or the groups among them.
/// The map may have one expression for all of it, so nothing else may be among them that
/// can be one of either.
fn of_expression<'p>(
    world: &World<'p>,
    application: &'p Resource,
    path: &str,
    kinds: &[&str],
) -> Setting<Vec<String>> {
    match world.ids_of_kinds(application, path, kinds) {
        Some(found) if !found.is_empty() => Setting::Known(found),
        _ => Setting::Open(Open::from(format!("{}.{path} is not known yet", application.address))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        evidence::Time,
        template::{
            Draft,
            aws::Setting,
            terraform::{
                functions,
                parts::Parts,
                plan::Plan,
                testing::{evidence, gaps, world},
                world::World,
            },
        },
    };

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

    fn declare(world: &World<'_>, draft: &mut Draft) {
        let parts = Parts { secret: None, version: None, function: Setting::Known(ARN.to_owned()) };
        functions::declare(world, draft, &parts);
    }

    #[test]
    fn the_parameters_of_a_vended_template_tell_its_function() {
        let application = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                           SecretsManagerRDSPostgreSQLRotationSingleUser";
        let parameters = json!({"functionName": "rotate", "vpcSubnetIds": "subnet-1, subnet-2",
            "vpcSecurityGroupIds": "sg-1", "endpoint": "https://secretsmanager.eu-west-1.amazonaws.com"});
        let known = json!({"application_id": application, "parameters": parameters});
        let found = evidence(&[(&format!("{}.s", super::APPLICATION), known, &[])], declare);
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
        let address = format!("{}.s", super::APPLICATION);
        let mut whole = json!({"format_version": "1.2", "variables": {"region": {"value": "eu-west-1"}},
            "configuration": {"root_module": {"resources": [{"address": address, "mode": "managed",
                "type": super::APPLICATION, "name": "s",
                "expressions": {"parameters": {"references": references}}}]}},
            "resource_changes": []});
        for (address, known, unknown) in [
            ("aws_subnet.a", json!({"vpc_id": "vpc-1"}), json!({"id": true})),
            ("aws_security_group.g", json!({}), json!({"id": true})),
            (
                address.as_str(),
                json!({"application_id": "x/SecretsManagerRDSMySQLRotationSingleUser",
                    "parameters": {"functionName": "rotate"}}),
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
        declare(&world(&plan), &mut draft);
        let found = draft.finish(Time::default()).evidence;
        let function = found.function.known().expect("a function");
        let config = function.configuration.vpc_config.as_ref().expect("a network");
        assert_eq!(config.subnet_ids, ["aws_subnet.a"]);
        assert_eq!(config.security_group_ids, ["aws_security_group.g"]);
    }
}
