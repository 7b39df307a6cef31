//! Rotation functions that AWS vends: those that `HostedRotationLambda` asks for, and the
//! applications of the Serverless Application Repository.
//!
//! That the permission is there, and that the schedule waits for it, is what the transform
//! of a hosted function is for.

use super::{
    functions::of_subnets,
    scope::Resource,
    value::{Resolved, Value},
    world::{Created, World},
};
use crate::template::aws::{Open, vended, vended::Vended};

/// The kind of an application.
pub(super) const APPLICATION: &str = "AWS::Serverless::Application";

/// Declares the function that a schedule's `HostedRotationLambda` asks for; gives its ARN
/// and the superuser's secret that it is given.
///
/// # Errors
/// What is open.
pub(super) fn declare_hosted(
    world: &mut World<'_, '_>,
    schedule: &Resource<'_>,
    hosted: &Resolved,
) -> Result<(String, Option<String>), Open> {
    if let Some(open) = hosted.open() {
        return Err(open.clone());
    }
    let name = hosted.get("RotationLambdaName").id();
    let name = name.unwrap_or_else(|| format!("{}HostedRotationLambda", schedule.name));
    let arn = world.scope.place.arn("lambda", &format!("function:{name}"));
    let kind = hosted.get("RotationType").text().settled()?;
    let template = kind.as_deref().and_then(vended::template_of_type);
    // The properties are called as the parameters of the applications are.
    let parameter = |name: &str| {
        let (first, rest) = name.split_at(1);
        hosted.get(&format!("{}{rest}", first.to_ascii_uppercase())).text()
    };
    let mut made = Vended::of_parameters(&arn, template, parameter);
    made.runtime = hosted.get("Runtime").text();
    let subnets = comma_list(hosted.get("VpcSubnetIds"));
    let groups = comma_list(hosted.get("VpcSecurityGroupIds"));
    made.network = of_subnets(world, subnets, groups, None);
    let superuser = made.superuser.clone().or_token();
    declare_vended(world, schedule, made);
    Ok((arn, superuser))
}

/// Declares the function with this ARN, where an application of the template makes it.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) -> bool {
    let Some((application, open)) = find(world, arn) else { return false };
    match open.and_then(|()| of_application(world, &application, arn)) {
        Ok(made) => declare_vended(world, application.resource, made),
        Err(open) => {
            crate::template::aws::functions::outside(&mut world.draft, arn, open);
        }
    }
    true
}

/// The superuser's secret that an application is given for the function with this ARN.
pub(super) fn superuser(world: &World<'_, '_>, arn: &str) -> Option<String> {
    let (application, _) = find(world, arn)?;
    of_application(world, &application, arn).ok()?.superuser.or_token()
}

type Found<'s, 't> = (Created<'s, 't>, Result<(), Open>);

fn find<'s, 't>(world: &World<'s, 't>, arn: &str) -> Option<Found<'s, 't>> {
    world
        .perhaps(APPLICATION)
        .into_iter()
        .find(|(one, _)| world.scope.attribute_id(one.resource, "Outputs.RotationLambdaARN") == arn)
}

/// The id of an application.
pub(super) fn id(properties: &Resolved) -> String {
    let location = properties.get("Location");
    let id = location.get("ApplicationId").id().or_else(|| location.id());
    id.unwrap_or_default()
}

fn of_application(
    world: &World<'_, '_>,
    application: &Created<'_, '_>,
    arn: &str,
) -> Result<Vended, Open> {
    let id = id(&application.properties);
    let template = vended::template_of_application(&id);
    let template =
        template.ok_or_else(|| vended::unknown_application(application.resource.name, &id))?;
    let parameters = application.properties.get("Parameters");
    let template = Some(template.to_owned());
    let mut made = Vended::of_parameters(arn, template, |name| parameters.get(name).text());
    made.version = application.properties.get("Location").get("SemanticVersion").known();
    let subnets = comma_list(parameters.get("vpcSubnetIds"));
    let groups = comma_list(parameters.get("vpcSecurityGroupIds"));
    made.network = of_subnets(world, subnets, groups, None);
    Ok(made)
}

fn declare_vended(world: &mut World<'_, '_>, resource: &Resource<'_>, made: Vended) {
    let role = format!("{}Role", made.name);
    let role_arn = world.scope.place.iam(&format!("role/{role}"));
    for id in [&made.arn, &made.name, &role, &role_arn] {
        world.declare_whole(id, resource);
    }
    vended::declare(&mut world.draft, &world.scope.place, made);
}

/// A list of ids that is written as one text. Open parts stand for ids of their own.
fn comma_list(value: &Resolved) -> Vec<String> {
    match &value.value {
        Value::Text(text) => vended::comma_list(text),
        Value::Open(open) if !open.token.starts_with("${") || open.token.contains(',') => {
            vended::comma_list(&open.token)
        }
        _ => value.ids(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::cloudformation::testing::only;

    #[test]
    fn function_role_and_permission_are_made() {
        let declared = only(
            "
Parameters: {Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}}
Resources:
  S: {Type: 'AWS::SecretsManager::Secret', Properties: {KmsKeyId: !GetAtt K.Arn}}
  K: {Type: 'AWS::KMS::Key'}
  Sched:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref S
      HostedRotationLambda:
        RotationType: MySQLMultiUser
        RotationLambdaName: rotate
        SuperuserSecretArn: arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf
        VpcSubnetIds: !Join [',', !Ref Subnets]
        VpcSecurityGroupIds: 'sg-1, sg-2'
",
        );
        let found = serde_json::to_value(declared.evidence).expect("a bundle");
        let configuration = &found["Function"]["Configuration"];
        assert_eq!(configuration["FunctionName"], "rotate");
        assert_eq!(configuration["VpcConfig"]["SecurityGroupIds"], json!(["sg-1", "sg-2"]));
        assert_eq!(configuration["VpcConfig"]["SubnetIds"], json!(["${Subnets}"]));
        assert_eq!(found["Secret"]["RotationLambdaARN"], configuration["FunctionArn"]);
        let statements = found["RolePolicies"][0]["PolicyDocument"]["Statement"].to_string();
        assert!(statements.contains("secret:a-AbCdEf"), "{statements}");
        assert!(!statements.contains("kms:Decrypt"), "no KmsKeyArn was given: {statements}");
    }
}
