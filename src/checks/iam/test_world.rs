//! A world in which the role may do everything, for the tests of these checks.

use serde_json::{Value, json};

use crate::checks::{Check, Finding, Judgement, testing};

pub(super) const SECRET: &str =
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/billing-Gh12Jk";
pub(super) const OTHER: &str =
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/orders-AbCdEf";
pub(super) const SUPERUSER: &str =
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/admin-Zz99Yy";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";
pub(super) const KEY2: &str = "arn:aws:kms:eu-west-1:111122223333:key/k2";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/rotation-role";

/// The world as a bundle, changed in places.
pub(super) fn world(change: impl FnOnce(&mut Value)) -> Value {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
    let key = |arn: &str| {
        json!({"KeyMetadata": {"Arn": arn, "KeyId": &arn[arn.len() - 2..], "KeyState": "Enabled",
            "KeyManager": "CUSTOMER"}, "Grants": null,
            "Policy": {"Version": "2012-10-17", "Statement": [{"Sid": "Root", "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
                "Resource": "*"}]}})
    };
    let mut bundle = json!({
        "Secret": {"ARN": SECRET, "Name": "prod/billing", "KmsKeyId": "k1",
            "RotationLambdaARN": function},
        "SecretPolicy": null,
        "SecretVersions": {"Versions": []},
        "SuperuserSecret": {"ARN": SUPERUSER, "Name": "prod/admin", "KmsKeyId": "k2"},
        "Function": {"Configuration": {"FunctionName": "rotate", "FunctionArn": function,
            "Role": ROLE, "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["sg-1"]}}},
        "Role": {"RoleName": "rotation-role", "RoleId": "AROAEXAMPLEROTROLE1", "Arn": ROLE},
        "RolePolicies": [{"PolicyName": "rotation", "PolicyDocument": {"Version": "2012-10-17",
            "Statement": [
                {"Sid": "Secret", "Effect": "Allow", "Resource": [SECRET, OTHER], "Action": [
                    "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]},
                {"Sid": "Password", "Effect": "Allow",
                    "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
                {"Sid": "Key", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                    "Resource": KEY},
                {"Sid": "Admin", "Effect": "Allow", "Resource": SUPERUSER, "Action": [
                    "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]},
                {"Sid": "AdminKey", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY2},
                {"Sid": "Database", "Effect": "Allow", "Action": "rds:Describe*", "Resource": "*"},
                {"Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*"},
                {"Sid": "Network", "Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}}],
        "AttachedPolicies": null,
        "PermissionsBoundary": null,
        "Keys": {KEY: key(KEY), KEY2: key(KEY2)},
        "VpcEndpoints": null,
        "LogGroup": {"logGroupName": "/aws/lambda/rotate"},
        "DBInstances": [{"DBInstanceIdentifier": "i",
            "DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:i"}],
        "DBClusters": null,
    });
    change(&mut bundle);
    bundle
}

/// A statement of the role's policy.
pub(super) fn statement<'a>(bundle: &'a mut Value, sid: &str) -> &'a mut Value {
    bundle["RolePolicies"][0]["PolicyDocument"]["Statement"]
        .as_array_mut()
        .expect("a list")
        .iter_mut()
        .find(|statement| statement["Sid"] == sid)
        .expect("a statement")
}

/// One more statement in the role's policy.
pub(super) fn add(bundle: &mut Value, statement: Value) {
    bundle["RolePolicies"][0]["PolicyDocument"]["Statement"]
        .as_array_mut()
        .expect("a list")
        .push(statement);
}

/// Removes the statements for the superuser's secret, which nearly match many
/// requests.
pub(super) fn without_superuser(bundle: &mut Value) {
    bundle["RolePolicies"][0]["PolicyDocument"]["Statement"]
        .as_array_mut()
        .expect("a list")
        .retain(|statement| !statement["Sid"].as_str().is_some_and(|sid| sid.starts_with("Admin")));
}

/// What a check says of the changed world.
pub(super) fn judge(check: &Check, change: impl FnOnce(&mut Value)) -> Judgement {
    testing::judge(check, world(change))
}

/// The only finding of the changed world. Fails the test where its fix, tried,
/// leaves it standing.
pub(super) fn finding(check: &Check, change: impl FnOnce(&mut Value)) -> Finding {
    let bundle = world(change);
    let mut found = testing::judge(check, bundle.clone()).expect("findings");
    assert_eq!(found.len(), 1, "{:?}", testing::codes(&Ok(found.clone())));
    let finding = found.remove(0);
    if let Some(change) = finding.fixes.first().and_then(|fix| fix.change.as_ref()) {
        let mut evidence = testing::evidence(bundle);
        change.apply(&mut evidence);
        let fixed = serde_json::to_value(&evidence).expect("bundle");
        assert_eq!(testing::judge(check, fixed), Ok(vec![]), "the fix works");
    }
    finding
}

/// The finding's code and the Sid of its statement.
pub(super) fn code_and_sid(finding: &Finding) -> (&str, Option<&str>) {
    let statement = finding.statement.as_ref();
    (finding.code(), statement.and_then(|statement| statement.sid.as_deref()))
}

/// The world without a fact, which was refused.
pub(super) fn refused(fact: crate::evidence::Fact) -> Value {
    let mut bundle = world(|_| {});
    bundle.as_object_mut().expect("an object").remove(fact.name());
    bundle["Gaps"] = testing::denied(fact);
    bundle
}
