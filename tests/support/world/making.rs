//! Makes the parts of a healthy world: role, key, network, database, stack, log
//! group, secret and function, in the order in which one needs the other.

use std::io::{Cursor, Write};

use aws_sdk_ec2::types::{
    AttributeBooleanValue, IpPermission, IpRange, UserIdGroupPair, VpcEndpointType,
};
use aws_sdk_lambda::{
    primitives::Blob,
    types::{Environment, FunctionCode, Runtime},
};
use aws_sdk_secretsmanager::types::RotationRulesType;
use serde_json::json;

use super::{Cloud, PASSWORD};
use crate::support::{
    emulators::{ACCOUNT, Kind},
    run::REGION,
};

/// The statement by which Secrets Manager may invoke the function.
pub(super) const STATEMENT: &str = "SecretsManagerAccess";

pub(super) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub(super) fn log_group(name: &str) -> String {
    format!("/aws/lambda/{name}")
}

/// A deployment package.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        package.start_file(*name, options).expect("a member's name");
        package.write_all(content).expect("memory takes all");
    }
    package.finish().expect("a whole archive").into_inner()
}

/// What the secret and its function stand on.
pub(super) struct Parts {
    pub(super) key_id: String,
    key_arn: String,
    role_arn: String,
    stack_id: String,
    database_host: String,
}

impl Parts {
    pub(super) fn make(cloud: &Cloud, name: &str) -> Self {
        let key = cloud.wait(cloud.kms().create_key().description(name).send());
        let key = key.key_metadata.expect("a key has metadata");
        let key_arn = key.arn.expect("a key has an ARN");
        let network = Network::make(cloud, name);
        Self {
            role_arn: role(cloud, name, &key_arn),
            stack_id: stack(cloud, name),
            database_host: database(cloud, name, &network),
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
        let package = zip(&[(
            "lambda_function.py",
            b"def lambda_handler(event, context):\n    pass\n".as_slice(),
        )]);
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
            // Without a VPC: neither emulator holds a private endpoint whole (one
            // keeps no private DNS, the other invents the function's VPC).
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
fn finish(cloud: &Cloud, secret: &str, token: &str) {
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

fn role(cloud: &Cloud, name: &str, key_arn: &str) -> String {
    let iam = cloud.iam();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let create = iam.create_role().role_name(name).assume_role_policy_document(trust.to_string());
    let role = cloud.wait(create.send()).role.expect("the role that was made");
    let rotation = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-*"),
         "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]},
        {"Effect": "Allow", "Resource": "*", "Action": "secretsmanager:GetRandomPassword"},
        {"Effect": "Allow", "Resource": key_arn, "Action": ["kms:Decrypt", "kms:GenerateDataKey"]},
    ]});
    let inline = iam.put_role_policy().role_name(name).policy_name("rotation");
    cloud.wait(inline.policy_document(rotation.to_string()).send());
    let platform = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces",
                   "ec2:DeleteNetworkInterface", "logs:CreateLogGroup", "logs:CreateLogStream",
                   "logs:PutLogEvents"]}]});
    let create = iam.create_policy().policy_name(name).policy_document(platform.to_string());
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
    let databases = cloud.databases();
    let subnets = databases
        .create_db_subnet_group()
        .db_subnet_group_name(name)
        .db_subnet_group_description(name)
        .set_subnet_ids(Some(network.subnets.clone()));
    cloud.wait(subnets.send());
    let create = instance(&databases, name)
        .master_user_password(PASSWORD)
        .db_subnet_group_name(name)
        .vpc_security_group_ids(&network.database_group);
    let made = cloud.wait(create.send()).db_instance.expect("the instance that was made");
    made.endpoint.and_then(|endpoint| endpoint.address).expect("emulators give an endpoint at once")
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
        .publicly_accessible(true)
        .master_username("postgres")
}

/// Two private subnets with an endpoint for Secrets Manager.
struct Network {
    subnets: Vec<String>,
    database_group: String,
}

impl Network {
    fn make(cloud: &Cloud, name: &str) -> Self {
        let ec2 = cloud.network();
        let vpc = cloud.wait(ec2.create_vpc().cidr_block("10.20.0.0/16").send()).vpc;
        let vpc = vpc.and_then(|vpc| vpc.vpc_id).expect("a VPC has an id");
        let yes = || AttributeBooleanValue::builder().value(true).build();
        let attribute = || ec2.modify_vpc_attribute().vpc_id(&vpc);
        cloud.wait(attribute().enable_dns_support(yes()).send());
        cloud.wait(attribute().enable_dns_hostnames(yes()).send());
        let subnets = [("10.20.1.0/24", "eu-west-1a"), ("10.20.2.0/24", "eu-west-1b")].map(
            |(block, zone)| {
                let create = ec2.create_subnet().vpc_id(&vpc).cidr_block(block);
                let made = cloud.wait(create.availability_zone(zone).send()).subnet;
                made.and_then(|subnet| subnet.subnet_id).expect("a subnet has an id")
            },
        );
        let group = |role: &str| {
            let create = ec2.create_security_group().vpc_id(&vpc).description(role);
            let made = cloud.wait(create.group_name(format!("{name}-{role}")).send());
            made.group_id.expect("a security group has an id")
        };
        let (function_group, database_group, endpoint_group) =
            (group("function"), group("database"), group("endpoint"));
        let admit = |to: &str, permission: IpPermission| {
            let admit = ec2.authorize_security_group_ingress().group_id(to);
            cloud.wait(admit.ip_permissions(permission).send());
        };
        let tcp =
            |port: i32| IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
        let from_function = UserIdGroupPair::builder().group_id(&function_group).build();
        admit(&database_group, tcp(5432).user_id_group_pairs(from_function).build());
        let from_vpc = IpRange::builder().cidr_ip("10.20.0.0/16").build();
        admit(&endpoint_group, tcp(443).ip_ranges(from_vpc).build());
        let endpoint = ec2
            .create_vpc_endpoint()
            .vpc_id(&vpc)
            .vpc_endpoint_type(VpcEndpointType::Interface)
            .service_name(format!("com.amazonaws.{REGION}.secretsmanager"))
            .set_subnet_ids(Some(subnets.to_vec()))
            .security_group_ids(endpoint_group)
            .private_dns_enabled(true);
        cloud.wait(endpoint.send());
        Self { subnets: subnets.to_vec(), database_group }
    }
}
