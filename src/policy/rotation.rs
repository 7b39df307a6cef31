//! The requests that one rotation makes, out of the evidence: who asks for what, with which
//! condition keys, and which policies apply.
//!
//! Sources: Secrets Manager User Guide, "Permissions for rotation" and "Secret encryption and
//! decryption"; Lambda Developer Guide, "Execution role".

use super::{
    context::Context,
    decide::decide,
    decision::Decision,
    principal::Principal,
    request::{Layer, Layers, Part, Policies, Request},
    surroundings::{Surroundings, part, read, unseen},
};
use crate::{
    aws::principals,
    evidence::{Evidence, Fact},
};

/// What a request of a rotation is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Secrets Manager invokes the function.
    InvokeFunction,
    /// Lambda assumes the execution role.
    AssumeRole,
    /// The function describes the secret.
    DescribeSecret,
    /// The function reads the version with this label.
    GetSecretValue(String),
    /// The function asks for a password.
    GetRandomPassword,
    /// The function stores the new version.
    PutSecretValue,
    /// The function moves AWSCURRENT.
    UpdateSecretVersionStage,
    /// The secret's values are decrypted.
    DecryptSecret,
    /// The new version is encrypted.
    EncryptSecret,
    /// Values that still stand under an earlier key are decrypted.
    DecryptEarlierVersion,
    /// The function describes the superuser's secret.
    DescribeSuperuserSecret,
    /// The function reads the superuser's secret.
    GetSuperuserSecret,
    /// The superuser's secret is decrypted.
    DecryptSuperuserSecret,
    /// The function looks at the database's instance or cluster.
    DescribeDatabase,
    /// The function's log is written.
    WriteLogs,
    /// Lambda makes and removes the function's network interfaces.
    ManageNetworkInterfaces,
    /// Lambda decrypts the function's environment.
    DecryptEnvironment,
}

/// When a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// In every rotation.
    Always,
    /// In some: it depends on the function's code, or on how far an earlier
    /// attempt came.
    Sometimes,
    /// When interfaces are made, which an invocation does not wait for.
    Interfaces,
    /// For the log: rotation works without.
    Logs,
}

/// One request of a rotation.
#[derive(Clone, Debug)]
pub struct RotationRequest {
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub need: Need,
    /// The request.
    pub request: Request,
    /// The policies that apply.
    pub layers: Layers,
    /// The execution role.
    pub role: Option<String>,
    /// The VPC endpoint that the call goes through.
    pub endpoint: Option<String>,
    /// Layers that no fact of the evidence holds; they were taken as empty.
    pub assumed_empty: Vec<Layer>,
}

impl RotationRequest {
    /// Decides it.
    pub fn decide(&self) -> Decision {
        decide(&self.request, &self.layers)
    }
}

/// Every request that one rotation of this secret makes, as far as the evidence
/// tells which function rotates it and under which role.
pub fn rotation_requests(evidence: &Evidence) -> Vec<RotationRequest> {
    let mut builder = Builder { around: Surroundings::of(evidence), requests: Vec::new() };
    builder.invocation();
    builder.role_assumed();
    if let Some(principal) = builder.around.principal.clone() {
        builder.secret(&principal);
        builder.superuser(&principal);
        builder.database(&principal);
        builder.environment(&principal);
        builder.logs(&principal);
        builder.interfaces(&principal);
    }
    builder.requests
}

pub(super) struct Builder<'a> {
    pub(super) around: Surroundings<'a>,
    pub(super) requests: Vec<RotationRequest>,
}

impl<'a> Builder<'a> {
    pub(super) fn push(&mut self, purpose: Purpose, need: Need, request: Request, layers: Layers) {
        let endpoint = match (&layers.endpoint, &self.around.endpoint) {
            (Part::Given(_), Part::Given(endpoint)) => endpoint.vpc_endpoint_id.clone(),
            _ => None,
        };
        let role = self.around.role.clone();
        self.requests.push(RotationRequest {
            purpose,
            need,
            request,
            layers,
            role,
            endpoint,
            assumed_empty: Vec::new(),
        });
    }

    fn invocation(&mut self) {
        let evidence = self.around.evidence;
        let Some(secret) = self.secret_known() else { return };
        let Some(function) = secret.rotation_lambda_arn.clone() else { return };
        let mut context = Context::default();
        match secret.arn.as_deref() {
            Some(arn) => context.set("aws:SourceArn", arn),
            None => context.set_present("aws:SourceArn"),
        }
        match evidence.account_id() {
            Some(account) => context.set("aws:SourceAccount", account),
            None => context.set_present("aws:SourceAccount"),
        }
        context.set("aws:PrincipalIsAWSService", "true");
        context.set("aws:PrincipalServiceName", principals::SECRETS_MANAGER);
        context.set("aws:SecureTransport", "true");
        if let Some(region) = evidence.region() {
            context.set("aws:RequestedRegion", region);
        }
        for unknown in ["aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalOrgID"] {
            context.set_unknown(unknown);
        }
        let layers = Layers {
            resource: part(&evidence.function_policy, Fact::FunctionPolicy, &function, |policy| {
                read("the function's policy", Some(policy)).map(|policy| vec![policy])
            }),
            ..Layers::default()
        };
        let request = Request {
            principal: Principal::Service(principals::SECRETS_MANAGER.to_owned()),
            action: "lambda:InvokeFunction".to_owned(),
            resource: function,
            resource_account: None,
            context,
        };
        self.push(Purpose::InvokeFunction, Need::Always, request, layers);
    }

    fn role_assumed(&mut self) {
        let Some(role) = self.around.role.clone() else { return };
        let mut context = Context::default();
        context.set("aws:PrincipalIsAWSService", "true");
        context.set("aws:PrincipalServiceName", principals::LAMBDA);
        context.set("aws:SecureTransport", "true");
        for unknown in ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID"] {
            context.set_unknown(unknown);
        }
        let layers = Layers {
            resource: part(&self.around.evidence.role, Fact::Role, &role, |role| {
                let policy = role.assume_role_policy_document.as_ref();
                read("the role's trust policy", policy).map(|policy| vec![policy])
            }),
            ..Layers::default()
        };
        let request = Request {
            principal: Principal::Service(principals::LAMBDA.to_owned()),
            action: "sts:AssumeRole".to_owned(),
            resource: role,
            resource_account: None,
            context,
        };
        self.push(Purpose::AssumeRole, Need::Always, request, layers);
    }
}

/// What was not seen, where a key has neither policy nor state in the evidence.
pub(super) fn unseen_key(resource: &str) -> Part<Policies> {
    Part::Unseen(unseen(Fact::KeyPolicy, resource))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::{super::*, *};
    use crate::evidence::Evidence;

    pub(in super::super) const SECRET: &str =
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
    pub(in super::super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";

    /// A world in which everything is allowed, changed in places.
    pub(in super::super) fn world(change: impl FnOnce(&mut Value)) -> Evidence {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:rotfn";
        let mut bundle = json!({
            "CapturedAt": "2026-11-20T10:00:00Z",
            "Secret": {"ARN": SECRET, "Name": "db", "KmsKeyId": "k1", "RotationLambdaARN": function,
                "Tags": [{"Key": "Project", "Value": "orders"}]},
            "SecretPolicy": null,
            "Function": {"Configuration": {"FunctionName": "rotfn", "FunctionArn": function,
                "Role": "arn:aws:iam::111122223333:role/rotation/RotRole",
                "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}},
            "FunctionPolicy": {"Version": "2012-10-17", "Statement": [{"Sid": "SM", "Effect": "Allow",
                "Principal": {"Service": principals::SECRETS_MANAGER}, "Action": "lambda:InvokeFunction",
                "Resource": function, "Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"}}}]},
            "Role": {"RoleName": "RotRole", "RoleId": "AROAEXAMPLEROTROLE1", "Path": "/rotation/",
                "Arn": "arn:aws:iam::111122223333:role/rotation/RotRole",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                    "Principal": {"Service": principals::LAMBDA}, "Action": "sts:AssumeRole"}}},
            "RolePolicies": [{"PolicyName": "rotation", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Sid": "Secret", "Effect": "Allow", "Resource": SECRET, "Action": [
                    "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]},
                {"Sid": "Password", "Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
                {"Sid": "Key", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": KEY},
                {"Sid": "Lambda", "Effect": "Allow", "Action": ["logs:*", "ec2:*"], "Resource": "*"}]}}],
            "AttachedPolicies": [],
            "Keys": {KEY: {"KeyMetadata": {"Arn": KEY, "KeyId": "k1", "KeyState": "Enabled", "KeyManager": "CUSTOMER"},
                "Grants": null, "Policy": {"Version": "2012-10-17", "Statement": [{"Sid": "Root", "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}}},
            "VpcEndpoints": [],
        });
        change(&mut bundle);
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("bundle");
        evidence.settle();
        evidence
    }

    fn find(requests: &[RotationRequest], purpose: Purpose) -> &RotationRequest {
        requests.iter().find(|request| request.purpose == purpose).expect("the request is made")
    }

    #[test]
    fn a_sound_world_is_allowed_for_sure() {
        let requests = rotation_requests(&world(|_| {}));
        for request in &requests {
            let decision = request.decide();
            let words = decision.words(&request.request.action, &request.request.resource);
            assert!(decision.is_allowed(), "{:?}: {words} {:?}", request.purpose, decision.doubts);
        }
        let actions: Vec<&str> = requests.iter().map(|r| r.request.action.as_str()).collect();
        for action in [
            "lambda:InvokeFunction",
            "sts:AssumeRole",
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:GetRandomPassword",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "logs:PutLogEvents",
            "ec2:DescribeNetworkInterfaces",
        ] {
            assert!(actions.contains(&action), "{action}");
        }
    }

    #[test]
    fn the_key_is_asked_by_secrets_manager_without_the_functions_network() {
        let requests = rotation_requests(&world(|bundle| {
            bundle["VpcEndpoints"] = json!([{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1",
                "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": true,
                "ServiceName": "com.amazonaws.eu-west-1.secretsmanager"}]);
        }));
        let key = &find(&requests, Purpose::DecryptSecret).request.context;
        assert_eq!(key.value("kms:ViaService"), Some("secretsmanager.eu-west-1.amazonaws.com"));
        assert_eq!(key.value("kms:EncryptionContext:SecretARN"), Some(SECRET));
        assert_eq!(key.look("aws:SourceVpce"), Known::Absent);
        assert_eq!(key.value("aws:ViaAWSService"), Some("true"));
        let secret = find(&requests, Purpose::DescribeSecret);
        assert_eq!(secret.request.context.value("aws:SourceVpce"), Some("vpce-1"));
        assert_eq!(secret.request.context.look("aws:SourceIp"), Known::Absent);
        assert_eq!(secret.request.context.look("secretsmanager:VersionStage"), Known::Absent);
        assert_eq!(secret.request.context.value("aws:ResourceTag/Project"), Some("orders"));
        assert_eq!(secret.request.context.look("aws:ResourceTag/None"), Known::Absent);
        assert_eq!(secret.request.context.value("aws:userid"), Some("AROAEXAMPLEROTROLE1:rotfn"));
        let interfaces = find(&requests, Purpose::ManageNetworkInterfaces);
        assert_eq!(interfaces.request.context.look("lambda:SourceFunctionArn"), Known::Absent);
    }

    #[test]
    fn over_nat_the_address_is_there_but_not_its_value() {
        let requests = rotation_requests(&world(|_| {}));
        let secret = &find(&requests, Purpose::DescribeSecret).request.context;
        assert_eq!(secret.look("aws:SourceIp"), Known::Present);
        assert_eq!(secret.look("aws:SourceVpce"), Known::Absent);
    }

    #[test]
    fn the_managed_key_needs_nothing_in_its_account_and_never_works_from_another() {
        let managed = rotation_requests(&world(|bundle| {
            bundle["Secret"]["KmsKeyId"] = Value::Null;
            bundle["RolePolicies"][0]["PolicyDocument"]["Statement"][2] = json!(null);
        }));
        assert!(find(&managed, Purpose::DecryptSecret).decide().is_allowed());
        let other = SECRET.replace("111122223333", "444455556666");
        let crossed = rotation_requests(&world(|bundle| {
            bundle["Secret"]["KmsKeyId"] = Value::Null;
            bundle["Secret"]["ARN"] = json!(other);
            let statement = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"});
            bundle["RolePolicies"][0]["PolicyDocument"]["Statement"][2] = statement;
        }));
        let decision = find(&crossed, Purpose::DecryptSecret).decide();
        assert!(decision.is_denied());
        let failure = decision.failure().expect("a near miss");
        assert_eq!(failure.failed_on.to_string(), "Condition:kms:CallerAccount");
    }

    #[test]
    fn the_superuser_has_its_own_key_and_earlier_versions_theirs() {
        let superuser = SECRET.replace("db-", "admin-");
        let requests = rotation_requests(&world(|bundle| {
            bundle["SuperuserSecret"] = json!({"ARN": superuser, "KmsKeyId": "k2"});
            bundle["SecretVersions"] = json!({"Versions": [
                {"VersionId": "v1", "VersionStages": ["AWSCURRENT"], "KmsKeyIds": ["arn:aws:kms:eu-west-1:111122223333:key/old"]}]});
            for id in ["k2", "old"] {
                let arn = KEY.replace("k1", id);
                bundle["Keys"][&arn] = bundle["Keys"][KEY].clone();
                bundle["Keys"][&arn]["KeyMetadata"] =
                    json!({"Arn": arn, "KeyId": id, "KeyState": "Enabled"});
            }
        }));
        for (purpose, resource) in [
            (Purpose::GetSuperuserSecret, superuser.as_str()),
            (Purpose::DecryptSuperuserSecret, "arn:aws:kms:eu-west-1:111122223333:key/k2"),
            (Purpose::DecryptEarlierVersion, "arn:aws:kms:eu-west-1:111122223333:key/old"),
        ] {
            let request = find(&requests, purpose);
            assert_eq!(request.request.resource, resource);
            let decision = request.decide();
            assert!(decision.is_denied(), "{:?}", decision.doubts);
            let failure = decision.failure().expect("a near miss");
            assert_eq!(failure.failed_on, FailedOn::Resource);
        }
        let request = find(&requests, Purpose::DecryptSuperuserSecret);
        let context = &request.request.context;
        assert_eq!(context.value("kms:EncryptionContext:SecretARN"), Some(superuser.as_str()));
        assert_eq!(find(&requests, Purpose::GetSuperuserSecret).assumed_empty, [Layer::Resource]);
    }

    #[test]
    fn what_was_not_asked_or_refused_leaves_it_open() {
        for fact in ["SecretPolicy", "RolePolicies", "AttachedPolicies", "VpcEndpoints", "Role"] {
            let requests = rotation_requests(&world(|bundle| {
                bundle.as_object_mut().expect("object").remove(fact);
                bundle["Gaps"] = json!([{"Fact": fact, "Action": "a:b", "Reason": "AccessDenied"}]);
            }));
            let decision = find(&requests, Purpose::DescribeSecret).decide();
            assert!(!decision.is_certain(), "{fact}");
            assert!(decision.unseen().any(|unseen| unseen.fact.name() == fact), "{fact}");
        }
        let requests = rotation_requests(&world(|bundle| bundle["Keys"] = json!({})));
        assert!(!find(&requests, Purpose::DecryptSecret).decide().is_certain());
        assert!(rotation_requests(&Evidence::default()).is_empty());
    }
}
