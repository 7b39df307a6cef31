//! What a resource will be called: what `Ref` and `Fn::GetAtt` return of it. Names are
//! those that are declared, else the logical id, and ARNs are put together with them;
//! EC2's ids have the prefix that tells their kind.
//!
//! Source: CloudFormation Template Reference, "Return values" of each resource.

use super::{
    document::Mark,
    scope::{Resource, Scope},
    value::{Resolved, Value},
};
use crate::template::aws::{Open, Setting, databases, secrets};

/// EC2's kinds and how their ids begin.
const EC2: &[(&str, &str)] = &[
    ("VPC", "vpc-"),
    ("Subnet", "subnet-"),
    ("RouteTable", "rtb-"),
    ("SecurityGroup", "sg-"),
    ("NetworkAcl", "acl-"),
    ("VPCEndpoint", "vpce-"),
    ("NatGateway", "nat-"),
    ("InternetGateway", "igw-"),
    ("EgressOnlyInternetGateway", "eigw-"),
    ("VPCPeeringConnection", "pcx-"),
    ("TransitGateway", "tgw-"),
    ("TransitGatewayAttachment", "tgw-attach-"),
    ("TransitGatewayVpcAttachment", "tgw-attach-"),
    ("TransitGatewayRouteTable", "tgw-rtb-"),
    ("PrefixList", "pl-"),
    ("DHCPOptions", "dopt-"),
    ("NetworkInterface", "eni-"),
    ("VPNGateway", "vgw-"),
    ("Instance", "i-"),
];

/// The attributes of EC2's kinds that are their id.
const EC2_IDS: &[&str] = &[
    "Id",
    "VpcId",
    "SubnetId",
    "RouteTableId",
    "GroupId",
    "NatGatewayId",
    "InternetGatewayId",
    "PrefixListId",
    "DhcpOptionsId",
    "VPNGatewayId",
    "InstanceId",
    "TransitGatewayRouteTableId",
];

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

impl Scope<'_> {
    /// What a property says, or what stands for it; else the logical id.
    fn declared_name(&self, resource: &Resource<'_>, property: &str) -> Value {
        match self.property(resource, property).value {
            Value::Nothing => text(resource.name),
            value => value,
        }
    }

    /// The declared name where it is known, else the logical id: of a database it is held
    /// against nothing but other references to it.
    fn known_name(&self, resource: &Resource<'_>, property: &str) -> Value {
        match self.property(resource, property).value {
            Value::Text(name) => text(name),
            _ => text(resource.name),
        }
    }

    /// A declared name with text around it.
    fn around(&self, name: Value, make: impl FnOnce(&str) -> String) -> Value {
        match name {
            Value::Open(open) => Open { token: make(&open.token), reason: open.reason }.into(),
            other => {
                let plain = Resolved { at: Mark::default(), value: other }.known();
                text(make(&plain.unwrap_or_default()))
            }
        }
    }

    /// What `Ref` returns.
    pub(super) fn ref_of(&self, resource: &Resource<'_>) -> Value {
        if let Some(id) = ec2_id(resource) {
            return text(id);
        }
        match resource.kind {
            "AWS::SecretsManager::Secret" => self.secret_arn(resource),
            "AWS::SecretsManager::SecretTargetAttachment"
            | "AWS::SecretsManager::RotationSchedule"
            | "AWS::SecretsManager::ResourcePolicy" => self.property(resource, "SecretId").value,
            "AWS::Lambda::Function" | "AWS::Serverless::Function" => {
                self.declared_name(resource, "FunctionName")
            }
            "AWS::Lambda::Alias" | "AWS::Lambda::Version" => self.qualified(resource),
            "AWS::Lambda::LayerVersion" | "AWS::Serverless::LayerVersion" => {
                let name = self.declared_name(resource, "LayerName");
                self.around(name, |name| self.place.arn("lambda", &format!("layer:{name}:1")))
            }
            "AWS::IAM::Role" => self.declared_name(resource, "RoleName"),
            "AWS::IAM::ManagedPolicy" => self.managed_policy_arn(resource),
            "AWS::KMS::Alias" => self.declared_name(resource, "AliasName"),
            "AWS::RDS::DBInstance" | "AWS::DocDB::DBInstance" => {
                self.known_name(resource, "DBInstanceIdentifier")
            }
            "AWS::RDS::DBCluster" | "AWS::DocDB::DBCluster" => {
                self.known_name(resource, "DBClusterIdentifier")
            }
            "AWS::Redshift::Cluster" => self.known_name(resource, "ClusterIdentifier"),
            "AWS::RDS::DBSubnetGroup" | "AWS::DocDB::DBSubnetGroup" => {
                self.declared_name(resource, "DBSubnetGroupName")
            }
            "AWS::RDS::DBParameterGroup" => self.declared_name(resource, "DBParameterGroupName"),
            "AWS::RDS::DBClusterParameterGroup" => {
                self.declared_name(resource, "DBClusterParameterGroupName")
            }
            "AWS::DocDB::DBClusterParameterGroup" => self.declared_name(resource, "Name"),
            "AWS::Logs::LogGroup" => self.declared_name(resource, "LogGroupName"),
            _ => text(resource.name),
        }
    }

    /// What `Fn::GetAtt` returns.
    pub(super) fn attribute_of(&self, resource: &Resource<'_>, attribute: &str) -> Value {
        let place = &self.place;
        let open = || {
            let whole = format!("{}.{attribute}", resource.name);
            let reason = format!("{whole} is known only once it is deployed");
            Value::from(Open::named(&whole, reason))
        };
        if let Some(id) = ec2_id(resource) {
            let own = resource.kind.trim_start_matches("AWS::EC2::");
            return match attribute {
                "DefaultSecurityGroup" => text(default_group(&id)),
                "DefaultNetworkAcl" => text(default_acl(&id)),
                "Arn" => text(place.arn("ec2", &format!("{}/{id}", own.to_lowercase()))),
                // A subnet's VpcId is its VPC's, a VPC's is its own.
                _ => match self.property(resource, attribute).value {
                    Value::Nothing if EC2_IDS.contains(&attribute) => text(id),
                    Value::Nothing => open(),
                    value => value,
                },
            };
        }
        match (resource.kind, attribute) {
            ("AWS::SecretsManager::Secret", "Id") => self.secret_arn(resource),
            ("AWS::SecretsManager::SecretTargetAttachment", "Id") => self.ref_of(resource),
            ("AWS::Lambda::Function" | "AWS::Serverless::Function", "Arn") => self
                .around(self.ref_of(resource), |name| {
                    place.arn("lambda", &format!("function:{name}"))
                }),
            ("AWS::Lambda::Alias", "AliasArn") | ("AWS::Lambda::Version", "FunctionArn") => {
                self.qualified(resource)
            }
            ("AWS::Lambda::Version", "Version") => text(resource.name),
            ("AWS::Lambda::LayerVersion", "LayerVersionArn") => self.ref_of(resource),
            ("AWS::Serverless::Application", "Outputs.RotationLambdaARN") => {
                let name = self.property(resource, "Parameters").get("functionName").value.clone();
                let name = if name == Value::Nothing { text(resource.name) } else { name };
                self.around(name, |name| place.arn("lambda", &format!("function:{name}")))
            }
            ("AWS::IAM::Role", "Arn") => {
                let path = self.property(resource, "Path").known();
                let path = path.unwrap_or_else(|| "/".to_owned());
                self.around(self.ref_of(resource), |name| place.iam(&format!("role{path}{name}")))
            }
            ("AWS::IAM::ManagedPolicy", "PolicyArn") => self.managed_policy_arn(resource),
            ("AWS::KMS::Key" | "AWS::KMS::ReplicaKey", "Arn") => {
                text(place.arn("kms", &format!("key/{}", resource.name)))
            }
            ("AWS::KMS::Key" | "AWS::KMS::ReplicaKey", "KeyId") => text(resource.name),
            (
                "AWS::RDS::DBInstance"
                | "AWS::RDS::DBCluster"
                | "AWS::DocDB::DBCluster"
                | "AWS::DocDB::DBInstance"
                | "AWS::Redshift::Cluster",
                _,
            ) => match (attribute, self.endpoint(resource)) {
                ("MasterUserSecret.SecretArn" | "MasterPasswordSecretArn", _) => {
                    self.master_secret(resource)
                }
                ("Endpoint.Address", host) => host,
                ("Endpoint", host) if resource.kind.starts_with("AWS::DocDB") => host,
                ("Endpoint.Port" | "Port", _) => match super::databases::port(self, resource) {
                    Setting::Known(port) => Value::Number(port.to_string()),
                    Setting::Absent => open(),
                    Setting::Open(open) => open.into(),
                },
                ("ReadEndpoint.Address" | "ReadEndpoint", Value::Text(host)) => {
                    text(databases::reader_host(&host))
                }
                _ => open(),
            },
            ("AWS::Logs::LogGroup", "Arn") => self.around(self.ref_of(resource), |name| {
                place.arn("logs", &format!("log-group:{name}:*"))
            }),
            _ => open(),
        }
    }

    /// The ARN of a secret, with an end like that which AWS draws: a policy that names
    /// it without that end does not match.
    pub(super) fn secret_arn(&self, resource: &Resource<'_>) -> Value {
        self.around(self.declared_name(resource, "Name"), |name| secrets::arn(&self.place, name))
    }

    fn managed_policy_arn(&self, resource: &Resource<'_>) -> Value {
        let path = self.property(resource, "Path").known().unwrap_or_else(|| "/".to_owned());
        self.around(self.declared_name(resource, "ManagedPolicyName"), |name| {
            self.place.iam(&format!("policy{path}{name}"))
        })
    }

    /// The ARN of an alias or a version of a function.
    fn qualified(&self, resource: &Resource<'_>) -> Value {
        let function = self.property(resource, "FunctionName");
        let qualifier = match resource.kind {
            "AWS::Lambda::Alias" => self.declared_name(resource, "Name"),
            _ => text(resource.name),
        };
        let qualifier = Resolved { at: Mark::default(), value: qualifier }.id().unwrap_or_default();
        self.around(function.value, |name| {
            let arn = if name.starts_with("arn:") {
                name.to_owned()
            } else {
                self.place.arn("lambda", &format!("function:{name}"))
            };
            format!("{arn}:{qualifier}")
        })
    }

    /// The ARN of the secret that RDS or Redshift keeps for a master user.
    fn master_secret(&self, resource: &Resource<'_>) -> Value {
        text(secrets::managed_arn(&self.place, &owner(resource)))
    }

    /// The host name of a database, in the form that AWS gives it.
    pub(super) fn endpoint(&self, resource: &Resource<'_>) -> Value {
        let engine = databases::engine_of_kind(resource.kind);
        let of_cluster = resource.kind.ends_with("Cluster");
        self.around(self.ref_of(resource), |name| {
            databases::host(&self.place, name, engine, of_cluster)
        })
    }

    /// The id that the evidence has for a resource.
    pub(super) fn id_of(&self, resource: &Resource<'_>) -> String {
        Resolved { at: Mark::default(), value: self.ref_of(resource) }.id().unwrap_or_default()
    }

    /// An attribute as an id.
    pub(super) fn attribute_id(&self, resource: &Resource<'_>, attribute: &str) -> String {
        let value = self.attribute_of(resource, attribute);
        Resolved { at: Mark::default(), value }.id().unwrap_or_default()
    }
}

/// A database as the owner of a secret.
pub(super) fn owner(resource: &Resource<'_>) -> secrets::Owner {
    secrets::Owner {
        name: resource.name.to_owned(),
        arn: None,
        is_cluster: resource.kind.ends_with("Cluster"),
        is_redshift: databases::engine_of_kind(resource.kind) == Some(databases::REDSHIFT),
    }
}

/// The id of one of EC2's resources.
fn ec2_id(resource: &Resource<'_>) -> Option<String> {
    let kind = resource.kind.strip_prefix("AWS::EC2::")?;
    let (_, prefix) = EC2.iter().find(|(name, _)| *name == kind)?;
    Some(format!("{prefix}{}", resource.name))
}

/// The group that comes with a VPC.
pub(super) fn default_group(vpc: &str) -> String {
    format!("sg-{}.DefaultSecurityGroup", vpc.trim_start_matches("vpc-"))
}

/// The network ACL that comes with a VPC.
pub(super) fn default_acl(vpc: &str) -> String {
    format!("acl-{}.DefaultNetworkAcl", vpc.trim_start_matches("vpc-"))
}

/// The main route table that comes with a VPC.
pub(super) fn main_table(vpc: &str) -> String {
    format!("rtb-{}.MainRouteTable", vpc.trim_start_matches("vpc-"))
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::with_scope;

    #[test]
    fn names_and_arns_are_those_that_aws_would_give() {
        let text = r#"
Parameters: {Name: {Type: String}}
Resources:
  Named: {Type: AWS::SecretsManager::Secret, Properties: {Name: prod/orders}}
  Open: {Type: AWS::SecretsManager::Secret, Properties: {Name: !Ref Name}}
  Fn: {Type: AWS::Lambda::Function}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Fn, Name: live}}
  Role: {Type: AWS::IAM::Role, Properties: {Path: /rotation/}}
  Key: {Type: AWS::KMS::Key}
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc}}
  Db: {Type: AWS::RDS::DBCluster, Properties: {DBClusterIdentifier: Orders, Engine: aurora-mysql}}
"#;
        for (reference, expected) in [
            (
                "!Ref Named",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/orders-xxxxxx",
            ),
            ("!Ref Open", "arn:aws:secretsmanager:us-east-1:123456789012:secret:${Name}-xxxxxx"),
            ("!Ref Fn", "Fn"),
            ("!GetAtt Fn.Arn", "arn:aws:lambda:us-east-1:123456789012:function:Fn"),
            ("!Ref Live", "arn:aws:lambda:us-east-1:123456789012:function:Fn:live"),
            ("!GetAtt Role.Arn", "arn:aws:iam::123456789012:role/rotation/Role"),
            ("!GetAtt Key.Arn", "arn:aws:kms:us-east-1:123456789012:key/Key"),
            ("!Ref Vpc", "vpc-Vpc"),
            ("!GetAtt Vpc.VpcId", "vpc-Vpc"),
            ("!GetAtt Subnet.VpcId", "vpc-Vpc"),
            ("!GetAtt Vpc.CidrBlock", "10.0.0.0/16"),
            ("!GetAtt Vpc.DefaultSecurityGroup", "sg-Vpc.DefaultSecurityGroup"),
            ("!GetAtt Db.Endpoint.Address", "orders.cluster-declared.us-east-1.rds.amazonaws.com"),
            ("!GetAtt Db.Endpoint.Port", "3306"),
            ("!GetAtt Subnet.AvailabilityZone", "${Subnet.AvailabilityZone}"),
            ("!Ref Nobody", "${Nobody}"),
        ] {
            with_scope(text, |scope| {
                let node = super::super::document::read(reference).expect(reference).root;
                assert_eq!(scope.resolve(&node).id().as_deref(), Some(expected), "{reference}");
            });
        }
    }
}
