//! A world in neither format, which writes itself in both. Each property has its name in
//! CloudFormation and its argument in Terraform.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

/// The secret's ARN before it is there.
pub(super) const SECRET_ARN: &str =
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-xxxxxx";

/// The value of a property.
#[derive(Clone)]
enum Setting {
    /// The same in both.
    Same(Value),
    /// A document: JSON in a template, its text in a plan.
    Document(Value),
    /// References to attributes of other resources: name, attribute in CloudFormation (the
    /// resource itself where it is empty), attribute in Terraform. One, or a list of them.
    One(&'static str, &'static str, &'static str),
    List(Vec<(&'static str, &'static str, &'static str)>),
}

/// A resource: its kinds in both formats, and its properties by both names.
#[derive(Clone)]
pub(super) struct Resource {
    name: &'static str,
    kinds: [&'static str; 2],
    properties: Vec<(String, String, Setting)>,
}

/// A world.
#[derive(Clone)]
pub(super) struct World(Vec<Resource>);

fn resource(name: &'static str, kinds: [&'static str; 2]) -> Resource {
    Resource { name, kinds, properties: Vec::new() }
}

impl Resource {
    fn add(mut self, property: &str, argument: &str, setting: Setting) -> Self {
        self.properties.retain(|(own, _, _)| own != property);
        self.properties.push((property.to_owned(), argument.to_owned(), setting));
        self
    }

    fn set(self, property: &str, argument: &str, value: impl Into<Value>) -> Self {
        self.add(property, argument, Setting::Same(value.into()))
    }

    fn refer(
        self,
        property: &str,
        argument: &str,
        to: (&'static str, &'static str, &'static str),
    ) -> Self {
        self.add(property, argument, Setting::One(to.0, to.1, to.2))
    }

    fn in_vpc(self) -> Self {
        self.refer("VpcId", "vpc_id", ("Vpc", "", "id"))
    }
}

/// A policy with one statement.
pub(super) fn all(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": resource}]})
}

fn ingress(name: &'static str, group: &'static str, port: u16, from: &'static str) -> Resource {
    let kinds = ["AWS::EC2::SecurityGroupIngress", "aws_vpc_security_group_ingress_rule"];
    let from = (from, "GroupId", "id");
    resource(name, kinds)
        .refer("GroupId", "security_group_id", (group, "GroupId", "id"))
        .set("IpProtocol", "ip_protocol", "tcp")
        .set("FromPort", "from_port", port)
        .set("ToPort", "to_port", port)
        .refer("SourceSecurityGroupId", "referenced_security_group_id", from)
}

const GROUP: [&str; 2] = ["AWS::EC2::SecurityGroup", "aws_security_group"];
const SUBNET: [&str; 2] = ["AWS::EC2::Subnet", "aws_subnet"];

impl World {
    /// A rotation with all that it needs.
    pub(super) fn healthy() -> Self {
        let value = json!({"engine": "postgres", "username": "orders", "password": "x",
            "dbname": "orders", "host": "orders.declared.eu-west-1.rds.amazonaws.com",
            "port": 5432});
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let world = Self(vec![
            resource("Vpc", ["AWS::EC2::VPC", "aws_vpc"])
                .set("CidrBlock", "cidr_block", "10.20.0.0/16")
                .set("EnableDnsSupport", "enable_dns_support", true)
                .set("EnableDnsHostnames", "enable_dns_hostnames", true),
            resource("SubnetA", SUBNET).in_vpc().set("CidrBlock", "cidr_block", "10.20.1.0/24"),
            resource("SubnetB", SUBNET).in_vpc().set("CidrBlock", "cidr_block", "10.20.2.0/24"),
            resource("Table", ["AWS::EC2::RouteTable", "aws_route_table"]).in_vpc(),
            resource(
                "TableOfA",
                ["AWS::EC2::SubnetRouteTableAssociation", "aws_route_table_association"],
            )
            .refer("SubnetId", "subnet_id", ("SubnetA", "", "id"))
            .refer("RouteTableId", "route_table_id", ("Table", "", "id")),
            resource("FunctionGroup", GROUP).in_vpc().set("GroupName", "name", "function"),
            resource("DatabaseGroup", GROUP).in_vpc().set("GroupName", "name", "database"),
            resource("EndpointGroup", GROUP).in_vpc().set("GroupName", "name", "endpoint"),
            ingress("EndpointFromFunction", "EndpointGroup", 443, "FunctionGroup"),
            ingress("DatabaseFromFunction", "DatabaseGroup", 5432, "FunctionGroup"),
            resource("Endpoint", ["AWS::EC2::VPCEndpoint", "aws_vpc_endpoint"])
                .in_vpc()
                .set("VpcEndpointType", "vpc_endpoint_type", "Interface")
                .set("ServiceName", "service_name", "com.amazonaws.eu-west-1.secretsmanager")
                .set("PrivateDnsEnabled", "private_dns_enabled", true)
                .add("SubnetIds", "subnet_ids", Setting::List(vec![("SubnetA", "", "id")]))
                .add(
                    "SecurityGroupIds",
                    "security_group_ids",
                    Setting::List(vec![("EndpointGroup", "GroupId", "id")]),
                ),
            resource("Key", ["AWS::KMS::Key", "aws_kms_key"]).set("Enabled", "is_enabled", true),
            resource("Secret", ["AWS::SecretsManager::Secret", "aws_secretsmanager_secret"])
                .set("Name", "name", "prod/orders")
                .refer("KmsKeyId", "kms_key_id", ("Key", "Arn", "arn")),
            resource("Database", ["AWS::RDS::DBInstance", "aws_db_instance"])
                .set("DBInstanceIdentifier", "identifier", "orders")
                .set("Engine", "engine", "postgres")
                .set("EngineVersion", "engine_version", "16.4")
                .set("DBName", "db_name", "orders")
                .set("MasterUsername", "username", "orders")
                .set("PubliclyAccessible", "publicly_accessible", false)
                .set("DBSubnetGroupName", "db_subnet_group_name", "databases")
                .set("DBParameterGroupName", "parameter_group_name", "parameters")
                .add(
                    "VPCSecurityGroups",
                    "vpc_security_group_ids",
                    Setting::List(vec![("DatabaseGroup", "GroupId", "id")]),
                ),
            resource("Databases", ["AWS::RDS::DBSubnetGroup", "aws_db_subnet_group"])
                .set("DBSubnetGroupName", "name", "databases")
                .add(
                    "SubnetIds",
                    "subnet_ids",
                    Setting::List(vec![("SubnetA", "", "id"), ("SubnetB", "", "id")]),
                ),
            resource("Parameters", ["AWS::RDS::DBParameterGroup", "aws_db_parameter_group"]).set(
                "DBParameterGroupName",
                "name",
                "parameters",
            ),
            resource("Role", ["AWS::IAM::Role", "aws_iam_role"])
                .set("RoleName", "name", "rotate")
                .add("AssumeRolePolicyDocument", "assume_role_policy", Setting::Document(trust)),
            resource("Policy", ["AWS::IAM::RolePolicy", "aws_iam_role_policy"])
                .set("PolicyName", "name", "rotation")
                .refer("RoleName", "role", ("Role", "", "id")),
            resource("Rotator", ["AWS::Lambda::Function", "aws_lambda_function"])
                .set("FunctionName", "function_name", "rotate")
                .set("Runtime", "runtime", "python3.12")
                .set("Handler", "handler", "lambda_function.lambda_handler")
                .set("Timeout", "timeout", 30)
                .set("MemorySize", "memory_size", 256)
                .set(
                    "Environment.Variables.EXCLUDE_CHARACTERS",
                    "environment.0.variables.EXCLUDE_CHARACTERS",
                    "/@\"'\\",
                )
                .refer("Role", "role", ("Role", "Arn", "arn"))
                .add(
                    "VpcConfig.SubnetIds",
                    "vpc_config.0.subnet_ids",
                    Setting::List(vec![("SubnetA", "", "id")]),
                )
                .add(
                    "VpcConfig.SecurityGroupIds",
                    "vpc_config.0.security_group_ids",
                    Setting::List(vec![("FunctionGroup", "GroupId", "id")]),
                ),
            resource("Permission", ["AWS::Lambda::Permission", "aws_lambda_permission"])
                .refer("FunctionName", "function_name", ("Rotator", "", "function_name"))
                .set("Action", "action", "lambda:InvokeFunction")
                .set("Principal", "principal", "secretsmanager.amazonaws.com")
                .set("SourceAccount", "source_account", "123456789012"),
            resource(
                "Rotation",
                ["AWS::SecretsManager::RotationSchedule", "aws_secretsmanager_secret_rotation"],
            )
            .refer("SecretId", "secret_id", ("Secret", "", "id"))
            .refer("RotationLambdaARN", "rotation_lambda_arn", ("Rotator", "Arn", "arn"))
            .set(
                "RotationRules.ScheduleExpression",
                "rotation_rules.0.schedule_expression",
                "rate(30 days)",
            ),
        ]);
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Resource": SECRET_ARN, "Action": [
                "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]},
            {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*"},
            {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream",
                "logs:PutLogEvents", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
                "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
                "Resource": "*"}]});
        world.set_policy(policy).set_value(value).allow_out(None)
    }

    /// The rules by which the function's group lets traffic out: the formats write them in
    /// their own ways, since a template adds a rule for everything where none is written.
    pub(super) fn allow_out(mut self, port: Option<u16>) -> Self {
        let protocol = if port.is_some() { "tcp" } else { "-1" };
        let mut inline = json!({"IpProtocol": protocol, "CidrIp": "0.0.0.0/0"});
        let mut block = json!({"protocol": protocol, "cidr_blocks": ["0.0.0.0/0"],
            "from_port": 0, "to_port": 0});
        if let Some(port) = port {
            for name in ["FromPort", "ToPort"] {
                inline[name] = json!(port);
            }
            for name in ["from_port", "to_port"] {
                block[name] = json!(port);
            }
        }
        for one in self.0.iter_mut().filter(|one| one.kinds == GROUP) {
            let rules = [json!([inline]), json!([block])];
            let [property, argument] = rules;
            *one = one.clone().add("SecurityGroupEgress", "", Setting::Same(property)).add(
                "",
                "egress",
                Setting::Same(argument),
            );
        }
        self
    }

    fn find(&mut self, name: &str) -> &mut Resource {
        self.0.iter_mut().find(|one| one.name == name).expect(name)
    }

    /// Without a resource.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|one| one.name != name);
        self
    }

    pub(super) fn set(mut self, name: &str, property: &str, argument: &str, value: Value) -> Self {
        let own = self.find(name);
        *own = own.clone().set(property, argument, value);
        self
    }

    pub(super) fn set_document(
        mut self,
        name: &str,
        property: &str,
        argument: &str,
        document: Value,
    ) -> Self {
        let own = self.find(name);
        *own = own.clone().add(property, argument, Setting::Document(document));
        self
    }

    /// Without a property and what stands below it.
    pub(super) fn unset(mut self, name: &str, property: &str) -> Self {
        let below = format!("{property}.");
        let own = self.find(name);
        own.properties.retain(|(one, _, _)| one != property && !one.starts_with(&below));
        self
    }

    /// With a policy of the function's role.
    pub(super) fn set_policy(self, policy: Value) -> Self {
        self.set_document("Policy", "PolicyDocument", "policy", policy)
    }

    /// With a value of the secret: laid over the healthy one.
    pub(super) fn set_value(mut self, more: Value) -> Self {
        let own = self.find("Secret");
        let text = own.properties.iter().find_map(|(name, _, setting)| match setting {
            Setting::Same(Value::String(text)) if name == "SecretString" => Some(text.clone()),
            _ => None,
        });
        let mut value: Value =
            text.map_or(json!({}), |text| serde_json::from_str(&text).expect("JSON"));
        for (key, member) in more.as_object().expect("an object") {
            value[key] = member.clone();
        }
        let text = Value::String(value.to_string());
        *own = own.clone().add("SecretString", "", Setting::Same(text.clone()));
        self.0.retain(|one| one.name != "Value");
        self.0.push(
            resource("Value", ["", "aws_secretsmanager_secret_version"])
                .refer("", "secret_id", ("Secret", "", "id"))
                .add("-", "secret_string", Setting::Same(text)),
        );
        self
    }

    /// With an application of the Serverless Application Repository as the function.
    pub(super) fn with_application(self, parameters: &[(&str, &str)]) -> Self {
        let mut world = self.without("Rotator").without("Permission");
        let id = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                  SecretsManagerRDSPostgreSQLRotationSingleUser";
        let mut application = resource(
            "Application",
            [
                "AWS::Serverless::Application",
                "aws_serverlessapplicationrepository_cloudformation_stack",
            ],
        )
        .set("Location.ApplicationId", "application_id", id)
        .set("Location.SemanticVersion", "semantic_version", "1.1.671")
        .set("Parameters.functionName", "parameters.functionName", "rotate")
        .refer("Parameters.vpcSubnetIds", "parameters.vpcSubnetIds", ("SubnetA", "", "id"))
        .refer(
            "Parameters.vpcSecurityGroupIds",
            "parameters.vpcSecurityGroupIds",
            ("FunctionGroup", "GroupId", "id"),
        );
        for (name, value) in parameters {
            let path = (format!("Parameters.{name}"), format!("parameters.{name}"));
            application = application.set(&path.0, &path.1, *value);
        }
        world.0.push(application);
        let own = world.find("Rotation");
        let to = ("Application", "Outputs.RotationLambdaARN", "outputs.RotationLambdaARN");
        *own = own.clone().refer("RotationLambdaARN", "rotation_lambda_arn", to);
        world
    }

    /// As a CloudFormation template.
    pub(super) fn template(&self) -> Value {
        let mut resources = Map::new();
        for one in self.0.iter().filter(|one| !one.kinds[0].is_empty()) {
            let mut properties = json!({});
            for (path, _, setting) in &one.properties {
                if path.is_empty() {
                    continue;
                }
                let reference = |(name, attribute): (&str, &str)| match attribute {
                    "" => json!({"Ref": name}),
                    attribute => json!({"Fn::GetAtt": [name, attribute]}),
                };
                let value = match setting {
                    Setting::Same(value) | Setting::Document(value) => value.clone(),
                    Setting::One(name, attribute, _) => reference((name, attribute)),
                    Setting::List(all) => all.iter().map(|one| reference((one.0, one.1))).collect(),
                };
                put(&mut properties, path, value);
            }
            let mut whole = json!({"Type": one.kinds[0], "Properties": properties});
            if one.name == "Rotation" {
                let named = |wanted: &str| self.0.iter().any(|one| one.name == wanted);
                whole["DependsOn"] =
                    ["Permission"].into_iter().filter(|name| named(name)).collect();
            }
            resources.insert(one.name.to_owned(), whole);
        }
        json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})
    }

    /// As a Terraform plan that creates it.
    pub(super) fn plan(&self) -> Value {
        let kind_of = |name: &str| {
            self.0.iter().find(|one| one.name == name).map_or("aws_none", |one| one.kinds[1])
        };
        let (mut changes, mut configuration) = (Vec::new(), Vec::new());
        for one in &self.0 {
            let address = format!("{}.{}", one.kinds[1], one.name);
            let (mut after, mut unknown) = (json!({}), json!({"id": true, "arn": true}));
            let mut expressions = json!({});
            for (_, path, setting) in &one.properties {
                if path.is_empty() {
                    continue;
                }
                let references = |all: &[(&str, &str)]| {
                    let each = all.iter().flat_map(|(name, attribute)| {
                        let whole = format!("{}.{name}", kind_of(name));
                        [format!("{whole}.{attribute}"), whole]
                    });
                    json!({"references": each.collect::<Vec<_>>()})
                };
                let (known, expression) = match setting {
                    Setting::Same(value) => (Some(value.clone()), json!({"constant_value": value})),
                    Setting::Document(document) => {
                        let text = json!(document.to_string());
                        (Some(text.clone()), json!({"constant_value": text}))
                    }
                    Setting::One(name, _, attribute) => (None, references(&[(name, attribute)])),
                    Setting::List(all) => {
                        let all: Vec<_> = all.iter().map(|one| (one.0, one.2)).collect();
                        (None, references(&all))
                    }
                };
                match known {
                    Some(value) => put(&mut after, path, value),
                    None => put(&mut unknown, path, json!(true)),
                }
                // A map has one expression for all of it.
                match path.split_once('.') {
                    Some(("parameters", _)) => {
                        let list = &mut expressions["parameters"]["references"];
                        let more = expression["references"].as_array().cloned();
                        let own = list.as_array().cloned().unwrap_or_default();
                        *list = own.into_iter().chain(more.unwrap_or_default()).collect();
                    }
                    _ => put(&mut expressions, path, expression),
                }
            }
            let place = |key: &str, value: Value| {
                json!({"address": address, "mode": "managed", "type": one.kinds[1],
                    "name": one.name, key: value})
            };
            changes.push(place(
                "change",
                json!({"actions": ["create"], "after": after, "after_unknown": unknown}),
            ));
            configuration.push(place("expressions", expressions));
        }
        json!({"format_version": "1.2", "resource_changes": changes,
            "configuration": {"root_module": {"resources": configuration}}})
    }
}

/// Puts a value at a path; a number in it is the place in a list of blocks.
fn put(value: &mut Value, path: &str, new: Value) {
    let mut at = value;
    for part in path.split('.') {
        at = match part.parse::<usize>() {
            Ok(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().expect("a list");
                while list.len() <= index {
                    list.push(json!({}));
                }
                &mut list[index]
            }
            Err(_) => &mut at[part],
        };
    }
    *at = new;
}

/// Ids as both formats name them: by the name of the resource alone.
pub(super) fn with_shared_names(value: Value) -> Value {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:igw-)?aws_[a-z0-9_]+\.([A-Z]\w*)").expect("a pattern"));
    static ID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(?:vpc|subnet|rtb|sg|acl|vpce|nat|igw)-([A-Z]\w*)").expect("a pattern")
    });
    let text = value.to_string();
    let text = ADDRESS.replace_all(&text, "$1");
    let mut text = ID.replace_all(&text, "$1").into_owned();
    for (argument, attribute) in [
        ("default_security_group_id", "DefaultSecurityGroup"),
        ("default_network_acl_id", "DefaultNetworkAcl"),
        ("default_route_table_id", "MainRouteTable"),
    ] {
        text = text.replace(argument, attribute);
    }
    sorted(serde_json::from_str(&text).expect("JSON"))
}

/// The order of lists means nothing in evidence.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(sorted).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(members) => {
            members.into_iter().map(|(key, member)| (key, sorted(member))).collect()
        }
        other => other,
    }
}
