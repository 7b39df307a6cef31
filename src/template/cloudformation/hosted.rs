//! Vended rotation functions: those that `HostedRotationLambda` and the applications of
//! the Serverless Application Repository make, with role and permission.
//!
//! What is built rests on the CloudFormation reference of `HostedRotationLambda` and on
//! the policy templates of SAM (`catalogue/known_policies.toml`). The package is AWS's
//! and is not in the template; the time limit is the 30 seconds of the applications.
//! That the permission is there, and that the schedule waits for it, is what the
//! transform is for; whether it names the account is not told, and nothing is made of it.

use serde_json::{Value as Json, json};

use super::{
    functions::{ENDPOINT_VARIABLE, comma_list, of_subnets},
    resolved::{Resolved, Unknown},
    scope::Resource,
    world::{World, compact},
};
use crate::{
    catalogue::{vended_handler, vended_statements},
    evidence::Fact,
};

/// A function that AWS's template makes.
pub(super) struct Vended<'s, 't> {
    /// What declares it.
    pub(super) resource: &'s Resource<'t>,
    pub(super) arn: String,
    pub(super) name: String,
    /// The template, such as `SecretsManagerRDSMySQLRotationSingleUser`.
    pub(super) template: Option<String>,
    /// The build, where it is pinned.
    pub(super) version: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) subnets: Vec<String>,
    pub(super) groups: Vec<String>,
    /// What its role may use: the secret's key, the superuser's secret and its key.
    pub(super) key: Resolved,
    pub(super) superuser: Resolved,
    pub(super) superuser_key: Resolved,
    /// The characters that passwords are to lack.
    pub(super) exclude: Option<String>,
}

/// Seconds that a vended function may run.
const TIMEOUT: i64 = 30;
/// Who vends the applications.
const APPLICATIONS: &str = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/";

/// The function that a schedule's `HostedRotationLambda` asks for.
pub(super) fn of_schedule<'s, 't>(
    world: &World<'s, 't>,
    schedule: &'s Resource<'t>,
    hosted: &Resolved,
) -> Result<Vended<'s, 't>, Unknown> {
    if let Some(unknown) = hosted.unknown() {
        return Err(unknown.clone());
    }
    let name = hosted.get("RotationLambdaName").id();
    let name = name.unwrap_or_else(|| format!("{}HostedRotationLambda", schedule.name));
    let kind = hosted.get("RotationType").text()?;
    let either = |new: &str, old: &str| match hosted.get(new) {
        told if told.is_nothing() => hosted.get(old).clone(),
        told => told.clone(),
    };
    Ok(Vended {
        resource: schedule,
        arn: world.scope.place.arn("lambda", &format!("function:{name}")),
        name,
        template: kind.as_deref().and_then(template_of_type),
        version: None,
        runtime: hosted.get("Runtime").known(),
        endpoint: None,
        subnets: comma_list(hosted.get("VpcSubnetIds")),
        groups: comma_list(hosted.get("VpcSecurityGroupIds")),
        key: hosted.get("KmsKeyArn").clone(),
        superuser: either("SuperuserSecretArn", "MasterSecretArn"),
        superuser_key: either("SuperuserSecretKmsKeyArn", "MasterSecretKmsKeyArn"),
        exclude: hosted.get("ExcludeCharacters").known(),
    })
}

/// The template of a `RotationType`, such as `PostgreSQLSingleUser`.
fn template_of_type(kind: &str) -> Option<String> {
    let (engine, strategy) = ["SingleUser", "MultiUser"]
        .into_iter()
        .find_map(|strategy| Some((kind.strip_suffix(strategy)?, strategy)))?;
    let family = match engine {
        "MySQL" | "PostgreSQL" | "Oracle" | "MariaDB" | "SQLServer" | "Db2" => "RDS",
        "Redshift" | "MongoDB" => "",
        _ => return None,
    };
    Some(format!("SecretsManager{family}{engine}Rotation{strategy}"))
}

/// Function, policy and role.
pub(super) fn declare(world: &mut World<'_, '_>, vended: &Vended<'_, '_>) {
    let place = world.scope.place.clone();
    for id in [vended.arn.as_str(), vended.name.as_str()] {
        world.declare(id, vended.resource, vended.resource.node.at);
    }
    let (region, suffix) = (&place.region, place.url_suffix());
    let endpoint = vended.endpoint.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("https://secretsmanager.{region}.{suffix}"));
    let mut variables = json!({ENDPOINT_VARIABLE: endpoint});
    if let Some(exclude) = &vended.exclude {
        variables["EXCLUDE_CHARACTERS"] = json!(exclude);
    }
    let role_name = format!("{}Role", vended.name);
    let role = place.iam(&format!("role/{role_name}"));
    let vpc = of_subnets(world, &vended.subnets, &vended.groups, None);
    let mut tags = json!({});
    if let Some(template) = &vended.template {
        tags["serverlessrepo:applicationId"] = json!(format!("{APPLICATIONS}{template}"));
    }
    if let Some(version) = &vended.version {
        tags["serverlessrepo:semanticVersion"] = json!(version);
    }
    world.draft.put(
        "Function",
        json!({"Tags": tags, "Configuration": compact(json!({"FunctionName": vended.name,
            "FunctionArn": vended.arn, "Runtime": vended.runtime, "Role": role,
            "Handler": vended_handler(), "Timeout": TIMEOUT, "State": "Active",
            "LastUpdateStatus": "Successful", "PackageType": "Zip",
            "Environment": {"Variables": variables}, "VpcConfig": vpc}))}),
    );
    let account = &place.account;
    world.draft.put(
        "FunctionPolicy",
        json!({"Version": "2012-10-17", "Statement": [{"Sid": "SecretsManager",
            "Effect": "Allow", "Principal": {"Service": "secretsmanager.amazonaws.com"},
            "Action": "lambda:InvokeFunction", "Resource": vended.arn,
            "Condition": {"StringEquals": {"AWS:SourceAccount": account}}}]}),
    );
    declare_role(world, vended, &role, &role_name);
}

fn declare_role(world: &mut World<'_, '_>, vended: &Vended<'_, '_>, role: &str, name: &str) {
    let place = world.scope.place.clone();
    world.declare(role, vended.resource, vended.resource.node.at);
    world
        .draft
        .put("Role", json!({"RoleName": name, "Arn": role, "AssumeRolePolicyDocument": trust()}));
    let mut statements = Vec::new();
    for row in vended_statements() {
        let named = match row.needs.as_str() {
            "key" => vended.key.text(),
            "superuser" => vended.superuser.text(),
            "superuser_key" => vended.superuser_key.text(),
            _ => Ok(Some(String::new())),
        };
        let named = match named {
            Ok(Some(named)) => named,
            Ok(None) => continue,
            // Which one it is does not matter for what it lets through.
            Err(unknown) => unknown.token,
        };
        let filled = row
            .statement
            .replace("{partition}", place.partition())
            .replace("{region}", &place.region)
            .replace("{account}", &place.account)
            .replace("{function}", &vended.arn);
        let filled = filled.replace(&format!("{{{}}}", row.needs), &named);
        if let Ok(statement) = serde_json::from_str::<Json>(&filled) {
            statements.push(statement);
        }
    }
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    world.draft.push("RolePolicies", json!({"PolicyName": name, "PolicyDocument": policy}));
    world.draft.list("AttachedPolicies");
    world.draft.put("PermissionsBoundary", Json::Null);
    // A key that a parameter names may be any: what it lets through is not told.
    if let Some(unknown) = vended.key.unknown() {
        world.open(Fact::RolePolicies, name, unknown);
        world.draft.push("RolePolicies", json!({"PolicyName": "KmsKeyArn"}));
    }
}

/// The trust that every function's role needs.
pub(super) fn trust() -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::template_of_type;
    use crate::template::cloudformation::testing::only;

    #[test]
    fn a_type_names_its_template() {
        let of = |kind: &str| template_of_type(kind);
        assert_eq!(
            of("MySQLSingleUser").as_deref(),
            Some("SecretsManagerRDSMySQLRotationSingleUser")
        );
        assert_eq!(
            of("RedshiftMultiUser").as_deref(),
            Some("SecretsManagerRedshiftRotationMultiUser")
        );
        assert_eq!(of("Other"), None);
    }

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
