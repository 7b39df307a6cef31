//! Makes the parts of a healthy world: role, key, network, database, stack, log
//! group, secret and function, in the order in which one needs the other.

use std::time::Duration;

use aws_sdk_lambda::{
    client::Waiters,
    primitives::Blob,
    types::{Environment, FunctionCode, Runtime, VpcConfig},
};
use aws_sdk_rds::types::{ApplyMethod, Parameter};
use aws_sdk_secretsmanager::types::RotationRulesType;
use serde_json::{Value, json};

use super::{Cloud, PASSWORD, network::Network, policy};
use crate::support::{
    emulators::{ACCOUNT, Kind},
    packages::zip,
    run::REGION,
};

/// How long a function may take to become active.
const PATIENCE: Duration = Duration::from_secs(30);

/// The statement by which Secrets Manager may invoke the function.
pub(super) const STATEMENT: &str = "SecretsManagerAccess";

pub(super) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub(super) fn log_group(name: &str) -> String {
    format!("/aws/lambda/{name}")
}

/// What the secret and its function stand on.
pub(super) struct Parts {
    pub(super) key_id: String,
    pub(super) network: Network,
    pub(super) key_arn: String,
    /// The role's inline policy.
    pub(super) rights: Value,
    role_arn: String,
    stack_id: String,
    pub(super) database_host: String,
}

impl Parts {
    pub(super) fn make(cloud: &Cloud, name: &str) -> Self {
        let key = cloud.wait(cloud.kms().create_key().description(name).send());
        let key = key.key_metadata.expect("a key has metadata");
        let key_arn = key.arn.expect("a key has an ARN");
        let network = Network::make(cloud, name);
        let rights = policy::rights(name, &key_arn);
        Self {
            role_arn: role(cloud, name, &rights),
            rights,
            stack_id: stack(cloud, name),
            database_host: database(cloud, name, &network),
            network,
            key_id: key.key_id,
            key_arn,
        }
    }

    /// The secret's value.
    pub(super) fn value(&self) -> String {
        let host = &self.database_host;
        json!({"engine": "postgres", "host": host, "port": 5432, "username": "app",
            "password": PASSWORD, "dbname": "app"})
        .to_string()
    }

    /// The secret, not yet rotated.
    pub(super) fn secret(&self, cloud: &Cloud, name: &str) -> String {
        let create = cloud.secrets().create_secret().name(name).kms_key_id(&self.key_arn);
        let made = cloud.wait(create.secret_string(self.value()).send());
        made.arn.expect("a secret has an ARN")
    }

    /// The function, which Secrets Manager may invoke.
    pub(super) fn function(&self, cloud: &Cloud, name: &str) {
        let package =
            zip(&[("lambda_function.py", b"def lambda_handler(event, context):\n    pass\n")]);
        let lambda = cloud.lambda();
        let create = lambda
            .create_function()
            .function_name(name)
            .runtime(Runtime::from("python3.12"))
            .handler("lambda_function.lambda_handler")
            .role(&self.role_arn)
            .timeout(30)
            .memory_size(256)
            .code(FunctionCode::builder().zip_file(Blob::new(package)).build())
            .vpc_config(
                VpcConfig::builder()
                    .set_subnet_ids(Some(self.network.subnets.to_vec()))
                    .security_group_ids(&self.network.function_group)
                    .build(),
            )
            .environment(
                Environment::builder()
                    .variables(
                        "SECRETS_MANAGER_ENDPOINT",
                        format!("https://secretsmanager.{REGION}.amazonaws.com"),
                    )
                    .variables("EXCLUDE_CHARACTERS", "/@\"'\\")
                    .build(),
            )
            .tags("aws:cloudformation:stack-name", name)
            .tags("aws:cloudformation:stack-id", &self.stack_id)
            .tags("aws:cloudformation:logical-id", "RotationFunction");
        cloud.wait(create.send());
        let active = lambda.wait_until_function_active_v2().function_name(name);
        cloud.attempt(active.wait(PATIENCE)).expect("a function becomes active");
        let allow = lambda
            .add_permission()
            .function_name(name)
            .statement_id(STATEMENT)
            .action("lambda:InvokeFunction")
            .principal("secretsmanager.amazonaws.com")
            .source_account(ACCOUNT);
        cloud.wait(allow.send());
    }
}

/// Configures rotation by a function that is not there yet, and leaves the
/// secret as if it had been rotated once.
pub(super) fn rotate(cloud: &Cloud, secret: &str, function_arn: &str, token: &str, kind: Kind) {
    let rules = RotationRulesType::builder().automatically_after_days(30).build();
    let rotate = cloud
        .secrets()
        .rotate_secret()
        .secret_id(secret)
        .client_request_token(token)
        .rotation_lambda_arn(function_arn)
        .rotation_rules(rules)
        .rotate_immediately(false)
        .send();
    match kind {
        // Makes the new version the current one at once.
        Kind::Ministack => drop(cloud.wait(rotate)),
        // Answers that there is no such function, once rotation is configured.
        Kind::Moto => {
            cloud.attempt(rotate).expect_err("there is no function yet");
            finish(cloud, secret, token);
        }
    }
}

/// Does what finishSecret does: moves AWSCURRENT to the pending version and
/// takes AWSPENDING off.
pub(super) fn finish(cloud: &Cloud, secret: &str, token: &str) {
    let secrets = cloud.secrets();
    let described = cloud.wait(secrets.describe_secret().secret_id(secret).send());
    let stages = described.version_ids_to_stages.expect("the secret has versions");
    let current = stages
        .iter()
        .find(|(_, stages)| stages.iter().any(|stage| stage == "AWSCURRENT"))
        .map(|(version, _)| version.clone())
        .expect("one version is current");
    let relabel = || secrets.update_secret_version_stage().secret_id(secret);
    let promote = relabel().version_stage("AWSCURRENT").move_to_version_id(token);
    cloud.wait(promote.remove_from_version_id(current).send());
    let release = relabel().version_stage("AWSPENDING").remove_from_version_id(token);
    cloud.wait(release.send());
}

fn role(cloud: &Cloud, name: &str, rights: &Value) -> String {
    let iam = cloud.iam();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let create = iam.create_role().role_name(name).assume_role_policy_document(trust.to_string());
    let role = cloud.wait(create.send()).role.expect("the role that was made");
    let inline = iam.put_role_policy().role_name(name).policy_name(policy::INLINE);
    cloud.wait(inline.policy_document(rights.to_string()).send());
    let create =
        iam.create_policy().policy_name(name).policy_document(policy::platform().to_string());
    let policy = cloud.wait(create.send()).policy.expect("the policy that was made");
    let arn = policy.arn.expect("a policy has an ARN");
    cloud.wait(iam.attach_role_policy().role_name(name).policy_arn(arn).send());
    role.arn
}

/// A stack that holds the function's log group.
fn stack(cloud: &Cloud, name: &str) -> String {
    let template = json!({"Resources": {"RotationLog": {"Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": log_group(name)}}}});
    let create = cloud.stacks().create_stack().stack_name(name);
    let made = cloud.wait(create.template_body(template.to_string()).send());
    made.stack_id.expect("a stack has an id")
}

fn database(cloud: &Cloud, name: &str, network: &Network) -> String {
    database_in(cloud, name, &network.database_subnets, &network.database_group)
}

/// A database in these subnets, and the host name that it answers to.
pub(super) fn database_in(cloud: &Cloud, name: &str, subnets: &[String], group: &str) -> String {
    let databases = cloud.databases();
    let make = databases
        .create_db_subnet_group()
        .db_subnet_group_name(name)
        .db_subnet_group_description(name)
        .set_subnet_ids(Some(subnets.to_vec()));
    cloud.wait(make.send());
    let create = instance(&databases, name)
        .master_user_password(PASSWORD)
        .db_subnet_group_name(name)
        .vpc_security_group_ids(group);
    let made = cloud.wait(create.send()).db_instance.expect("the instance that was made");
    made.endpoint.and_then(|endpoint| endpoint.address).expect("emulators give an endpoint at once")
}

/// A parameter group of the database's own, in which these are set.
pub(super) fn parameters(cloud: &Cloud, database: &str, set: &[(&str, &str)]) {
    let databases = cloud.databases();
    let create = databases.create_db_parameter_group().db_parameter_group_name(database);
    let create = create.db_parameter_group_family("postgres16").description(database);
    // There may be one from before.
    drop(cloud.attempt(create.send()));
    let parameters = set.iter().map(|(name, value)| {
        let parameter = Parameter::builder().parameter_name(*name).parameter_value(*value);
        parameter.apply_method(ApplyMethod::Immediate).build()
    });
    let modify = databases.modify_db_parameter_group().db_parameter_group_name(database);
    cloud.wait(modify.set_parameters(Some(parameters.collect())).send());
    let attach = databases.modify_db_instance().db_instance_identifier(database);
    cloud.wait(attach.db_parameter_group_name(database).apply_immediately(true).send());
}

/// A database whose master password RDS keeps in a secret of its own.
pub(super) fn managed_secret(cloud: &Cloud, name: &str) -> String {
    let create = instance(&cloud.databases(), name).manage_master_user_password(true);
    let made = cloud.wait(create.send()).db_instance.expect("the instance that was made");
    made.master_user_secret.and_then(|secret| secret.secret_arn).expect("RDS made a secret")
}

fn instance(
    databases: &aws_sdk_rds::Client,
    name: &str,
) -> aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder {
    databases
        .create_db_instance()
        .db_instance_identifier(name)
        .db_instance_class("db.t4g.micro")
        .engine("postgres")
        .engine_version("16.4")
        .allocated_storage(20)
        .master_username("postgres")
}
