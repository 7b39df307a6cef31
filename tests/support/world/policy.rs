//! The policies of a world: what the function's role may do, and who else has a say
//! in it. A world begins with all that a rotation needs; a test takes something away.

use aws_sdk_kms::types::{GrantConstraints, GrantOperation};
use serde_json::{Value, json};

use super::{PASSWORD, World, making, token};
use crate::support::{emulators::ACCOUNT, run::REGION};

/// The role's inline policy.
pub(super) const INLINE: &str = "rotation";

/// What the function itself asks for.
pub(super) fn rights(name: &str, key_arn: &str) -> Value {
    let secret = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-*");
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Secret", "Effect": "Allow", "Resource": secret,
         "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]},
        {"Sid": "Password", "Effect": "Allow", "Resource": "*",
         "Action": "secretsmanager:GetRandomPassword"},
        {"Sid": "Key", "Effect": "Allow", "Resource": key_arn,
         "Action": ["kms:Decrypt", "kms:GenerateDataKey"]},
    ]})
}

/// What Lambda does with the role, in a managed policy.
pub(super) fn platform() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Interfaces", "Effect": "Allow", "Resource": "*",
         "Action": ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
                    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]},
        {"Sid": "Logs", "Effect": "Allow", "Resource": "*",
         "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]},
    ]})
}

/// The secret with which a function for alternating users logs in.
pub(crate) struct Superuser {
    pub(crate) secret_arn: String,
    pub(crate) key_arn: String,
}

/// The statement of that name in a document.
fn statement<'a>(document: &'a mut Value, sid: &str) -> &'a mut Value {
    let statements = document["Statement"].as_array_mut().expect("a list of statements");
    let found = statements.iter_mut().find(|statement| statement["Sid"] == sid);
    found.unwrap_or_else(|| panic!("no statement {sid}"))
}

/// The id of a key: moto takes no ARN everywhere.
fn id_of(key_arn: &str) -> &str {
    key_arn.rsplit('/').next().expect("a last part")
}

impl World {
    /// ARN of the secret's key.
    pub(crate) fn key_arn(&self) -> &str {
        &self.parts.key_arn
    }

    /// Changes a statement of the role's inline policy.
    pub(crate) fn right(&mut self, sid: &str, change: impl FnOnce(&mut Value)) -> &mut Self {
        change(statement(&mut self.parts.rights, sid));
        self.put_rights();
        self
    }

    /// Gives the role's rights on its secret for these secrets too.
    pub(crate) fn rights_on(&mut self, arns: &[String]) -> &mut Self {
        let statements = self.parts.rights["Statement"].as_array_mut().expect("a list");
        for statement in statements.iter_mut() {
            let of_secret = statement["Resource"].as_str().is_some_and(|r| r.contains(":secret:"));
            if of_secret {
                statement["Resource"] = json!(arns);
            }
        }
        self.put_rights();
        self
    }

    /// Takes an action out of a statement of the role's inline policy.
    pub(crate) fn without_right(&mut self, sid: &str, action: &str) -> &mut Self {
        self.right(sid, |statement| match statement["Action"].as_array_mut() {
            Some(actions) => actions.retain(|one| one != action),
            None => statement["Action"] = json!("secretsmanager:ListSecrets"),
        })
    }

    /// Adds a statement to the role's inline policy.
    pub(crate) fn another_right(&mut self, statement: Value) -> &mut Self {
        self.parts.rights["Statement"].as_array_mut().expect("a list").push(statement);
        self.put_rights();
        self
    }

    fn put_rights(&self) {
        let put = self.cloud.iam().put_role_policy().role_name(&self.name).policy_name(INLINE);
        self.cloud.wait(put.policy_document(self.parts.rights.to_string()).send());
    }

    /// Takes a statement out of the managed policy, in a new version of it.
    pub(crate) fn platform_without(&mut self, sid: &str) -> &mut Self {
        let mut document = platform();
        let statements = document["Statement"].as_array_mut().expect("a list of statements");
        statements.retain(|statement| statement["Sid"] != sid);
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{}", self.name);
        let version = self.cloud.iam().create_policy_version().policy_arn(arn);
        let version = version.policy_document(document.to_string()).set_as_default(true);
        self.cloud.wait(version.send());
        self
    }

    /// Puts a permissions boundary of these statements on the role, and gives its ARN.
    pub(crate) fn bounded(&mut self, statements: Value) -> String {
        let iam = self.cloud.iam();
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let create = iam.create_policy().policy_name(format!("{}-boundary", self.name));
        let made = self.cloud.wait(create.policy_document(document.to_string()).send());
        let arn = made.policy.and_then(|policy| policy.arn).expect("a policy has an ARN");
        let put = iam.put_role_permissions_boundary().role_name(&self.name);
        self.cloud.wait(put.permissions_boundary(&arn).send());
        arn
    }

    /// Gives the secret a resource policy.
    pub(crate) fn secret_policy(&mut self, statements: Value) -> &mut Self {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let put = self.cloud.secrets().put_resource_policy().secret_id(&self.secret_arn);
        self.cloud.wait(put.resource_policy(document.to_string()).send());
        self
    }

    /// Replaces the policy of the secret's key.
    pub(crate) fn key_policy(&mut self, statements: Value) -> &mut Self {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let put = self.cloud.kms().put_key_policy().key_id(self.key_id()).policy_name("default");
        self.cloud.wait(put.policy(document.to_string()).send());
        self
    }

    /// Grants the role the use of the secret's key for the secret with this ARN, and
    /// gives the grant's id.
    pub(crate) fn key_granted_for(&mut self, secret_arn: &str) -> String {
        let constraints = GrantConstraints::builder();
        let constraints = constraints.encryption_context_subset("SecretARN", secret_arn).build();
        let create = self.cloud.kms().create_grant().key_id(self.key_arn()).name("rotation");
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{}", self.name);
        let create = create.grantee_principal(role).constraints(constraints);
        let create = create.operations(GrantOperation::Decrypt);
        let made = self.cloud.wait(create.operations(GrantOperation::GenerateDataKey).send());
        made.grant_id.expect("a grant has an id")
    }

    /// Disables a key.
    pub(crate) fn key_disabled(&mut self, key: &str) -> &mut Self {
        self.cloud.wait(self.cloud.kms().disable_key().key_id(id_of(key)).send());
        self
    }

    /// Schedules the deletion of the secret's key.
    pub(crate) fn key_to_be_deleted(&mut self) -> &mut Self {
        let delete = self.cloud.kms().schedule_key_deletion().key_id(self.key_id());
        self.cloud.wait(delete.pending_window_in_days(7).send());
        self
    }

    /// Lets Secrets Manager invoke the function for another secret alone.
    pub(crate) fn permission_for_another(&mut self, secret_arn: &str) -> &mut Self {
        self.without_permission();
        let allow = self.cloud.lambda().add_permission().function_name(&self.name);
        let allow = allow.statement_id(making::STATEMENT).action("lambda:InvokeFunction");
        let allow = allow.principal("secretsmanager.amazonaws.com").source_arn(secret_arn);
        self.cloud.wait(allow.send());
        self
    }

    /// The rotation calls an alias of the function, on which there is no permission.
    pub(crate) fn rotated_by_alias(&mut self, alias: &str) -> &mut Self {
        self.without_function();
        self.function_arn = format!("{}:{alias}", making::function_arn(&self.name));
        self.rotate_with(&self.function_arn, &token());
        self.parts.function(&self.cloud, &self.name);
        let lambda = self.cloud.lambda();
        let version = self.cloud.wait(lambda.publish_version().function_name(&self.name).send());
        let version = version.version.expect("a version has a number");
        let create = lambda.create_alias().function_name(&self.name).name(alias);
        self.cloud.wait(create.function_version(version).send());
        self
    }

    /// Goes over to alternating users: the function logs in with a second secret,
    /// under a key of its own, and may do all that this takes.
    pub(crate) fn with_superuser(&mut self) -> Superuser {
        let key = self.cloud.wait(self.cloud.kms().create_key().description("superuser").send());
        let key_arn = key.key_metadata.and_then(|key| key.arn).expect("a key has an ARN");
        let value = json!({"engine": "postgres", "host": self.parts.database_host, "port": 5432,
            "username": "postgres", "password": PASSWORD});
        let create = self.cloud.secrets().create_secret().name(format!("superuser-{}", self.name));
        let create = create.kms_key_id(&key_arn).secret_string(value.to_string());
        let secret_arn = self.cloud.wait(create.send()).arn.expect("a secret has an ARN");
        self.log_in_with(&secret_arn);
        self.another_right(json!({"Sid": "SuperuserKey", "Effect": "Allow", "Resource": key_arn,
            "Action": ["kms:Decrypt"]}));
        Superuser { secret_arn, key_arn }
    }

    /// Goes over to alternating users, where RDS keeps the superuser's password; gives
    /// the ARN of the secret in which it does.
    pub(crate) fn with_managed_superuser(&mut self) -> String {
        let modify = self.cloud.databases().modify_db_instance().db_instance_identifier(&self.name);
        let modified = self.cloud.wait(modify.manage_master_user_password(true).send());
        let secret = modified.db_instance.and_then(|instance| instance.master_user_secret);
        let secret = secret.and_then(|secret| secret.secret_arn).expect("RDS made a secret");
        self.log_in_with(&secret);
        secret
    }

    fn log_in_with(&mut self, superuser: &str) {
        let mut value: Value = serde_json::from_str(&self.value).expect("the value is JSON");
        value["masterarn"] = json!(superuser);
        self.store(&value.to_string());
        self.another_right(json!({"Sid": "Superuser", "Effect": "Allow", "Resource": superuser,
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]}));
        self.another_right(json!({"Sid": "Database", "Effect": "Allow", "Resource": "*",
            "Action": ["rds:DescribeDBInstances", "rds:DescribeDBClusters"]}));
    }

    /// How boto3 tells that Secrets Manager refuses a call, with what the message ends in.
    pub(crate) fn refused(&self, operation: &str, resource: Option<&str>, why: &str) -> String {
        let on = resource.map_or_else(String::new, |arn| format!(" on resource: {arn}"));
        format!(
            "ClientError: An error occurred (AccessDeniedException) when calling the {operation} \
             operation: User: arn:aws:sts::{ACCOUNT}:assumed-role/{0}/{0} is not authorized to \
             perform: secretsmanager:{operation}{on} {why}",
            self.name
        )
    }

    /// The same, where the role's own policies are silent.
    pub(crate) fn not_allowed(&self, operation: &str, resource: Option<&str>) -> String {
        let why = format!(
            "because no identity-based policy allows the secretsmanager:{operation} action"
        );
        self.refused(operation, resource, &why)
    }
}
