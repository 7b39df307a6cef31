//! What a resource is called in the evidence: by the id that it has, else by one that is
//! made of what is known of it.
//!
//! An id that is made is the resource's address; ARNs are made of names, as AWS does.

use super::{applications, resource::Resource, world::World};
use crate::template::aws::{databases, secrets, secrets::Owner};

/// What an internet gateway's id begins with; routes tell by it what they lead to.
const INTERNET_GATEWAY: &str = "igw-";

/// An address as a part of an ARN: no character that would end the part.
fn in_arn(address: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_./".contains(c) { c } else { '-' };
    address.chars().map(keep).collect()
}

/// The attribute in which Terraform keeps the name of a resource of that kind.
fn name_attribute(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "aws_lambda_function" => "function_name",
        "aws_lambda_layer_version" => "layer_name",
        "aws_db_instance" => "identifier",
        "aws_rds_cluster" | "aws_docdb_cluster" | "aws_redshift_cluster" => "cluster_identifier",
        "aws_rds_cluster_instance" | "aws_docdb_cluster_instance" => "identifier",
        "aws_secretsmanager_secret"
        | "aws_lambda_alias"
        | "aws_iam_role"
        | "aws_iam_policy"
        | "aws_kms_alias"
        | "aws_db_subnet_group"
        | "aws_db_parameter_group"
        | "aws_rds_cluster_parameter_group"
        | "aws_serverlessapplicationrepository_cloudformation_stack" => "name",
        _ => return None,
    })
}

impl<'p> World<'p> {
    /// The name of a resource: as known, else made of its address.
    pub(super) fn name(&self, resource: &Resource) -> String {
        name_attribute(&resource.kind)
            .and_then(|attribute| resource.known_text(attribute))
            .unwrap_or_else(|| in_arn(&resource.address))
    }

    /// The ARN of a resource: as known, else made of its name.
    pub(super) fn arn(&self, resource: &'p Resource) -> Option<String> {
        if let Some(arn) = resource.known_text("arn") {
            return Some(arn);
        }
        let name = self.name(resource);
        let place = &self.place;
        Some(match resource.kind.as_str() {
            "aws_secretsmanager_secret" => secrets::arn(place, &name),
            "aws_lambda_function" => place.arn("lambda", &format!("function:{name}")),
            "aws_lambda_alias" => {
                let function = self.id(resource, "function_name").known()?;
                let function = place.function_arn(&function);
                format!("{function}:{name}")
            }
            "aws_iam_role" => place.iam(&format!("role{}{name}", path(resource))),
            "aws_iam_policy" => place.iam(&format!("policy{}{name}", path(resource))),
            "aws_kms_key" | "aws_kms_replica_key" | "aws_kms_external_key" => {
                place.arn("kms", &format!("key/{}", self.key_id(resource)))
            }
            "aws_kms_alias" => place.arn("kms", &name),
            "aws_db_instance" | "aws_rds_cluster_instance" | "aws_docdb_cluster_instance" => {
                place.arn("rds", &format!("db:{name}"))
            }
            "aws_rds_cluster" | "aws_docdb_cluster" => place.arn("rds", &format!("cluster:{name}")),
            "aws_redshift_cluster" => place.arn("redshift", &format!("cluster:{name}")),
            "aws_vpc_endpoint" => {
                place.arn("ec2", &format!("vpc-endpoint/{}", in_arn(&resource.address)))
            }
            "aws_vpc" => place.arn("ec2", &format!("vpc/{}", in_arn(&resource.address))),
            _ => return None,
        })
    }

    fn key_id(&self, resource: &Resource) -> String {
        let known = resource.known_text("key_id").or_else(|| resource.known_text("id"));
        known.unwrap_or_else(|| in_arn(&resource.address))
    }

    /// The id of a thing of EC2 and the like: as known, else its address.
    pub(super) fn physical(&self, resource: &'p Resource) -> String {
        let address = &resource.address;
        resource.known_text("id").unwrap_or_else(|| match resource.kind.as_str() {
            "aws_internet_gateway" => format!("{INTERNET_GATEWAY}{address}"),
            // What comes with a VPC by itself, taken over.
            "aws_default_route_table" => self.taken_over(resource, "default_route_table_id"),
            "aws_default_network_acl" => self.taken_over(resource, "default_network_acl_id"),
            "aws_default_security_group" => {
                let vpc = self.id(resource, "vpc_id").known();
                let id = vpc.map(|vpc| match self.called(&["aws_vpc"], &vpc) {
                    Some(vpc) => self.default_of(vpc, "default_security_group_id"),
                    None => implied(&vpc, "default_security_group_id"),
                });
                id.unwrap_or_else(|| address.clone())
            }
            _ => address.clone(),
        })
    }

    fn taken_over(&self, resource: &'p Resource, attribute: &str) -> String {
        self.id(resource, attribute).known().unwrap_or_else(|| resource.address.clone())
    }

    /// The id of what comes with a VPC by itself.
    pub(super) fn default_of(&self, vpc: &'p Resource, attribute: &str) -> String {
        let known = vpc.known_text(attribute);
        known.unwrap_or_else(|| implied(&self.physical(vpc), attribute))
    }

    /// An attribute that AWS or this module gives, where it does.
    pub(super) fn own_id(&self, resource: &'p Resource, attribute: &str) -> Option<String> {
        if let Some(known) = resource.known_text(attribute) {
            return Some(known);
        }
        // A data source that is not read yet may turn out to be anything.
        if resource.data {
            return None;
        }
        let kind = resource.kind.as_str();
        match attribute {
            "arn" => self.arn(resource),
            "id" => match kind {
                "aws_secretsmanager_secret" | "aws_iam_policy" => self.arn(resource),
                "aws_secretsmanager_secret_version" | "aws_secretsmanager_secret_rotation" => None,
                "aws_kms_key" => Some(self.key_id(resource)),
                _ if name_attribute(kind).is_some() => Some(self.name(resource)),
                _ => Some(self.physical(resource)),
            },
            "key_id" if kind == "aws_kms_key" => Some(self.key_id(resource)),
            "secret_arn" | "secret_id"
                if resource.kind.starts_with("aws_secretsmanager_secret_") =>
            {
                None
            }
            "default_security_group_id" | "default_network_acl_id" | "default_route_table_id"
                if kind == "aws_vpc" =>
            {
                Some(implied(&self.physical(resource), attribute))
            }
            "main_route_table_id" if kind == "aws_vpc" => {
                Some(self.default_of(resource, "default_route_table_id"))
            }
            "outputs.RotationLambdaARN" if kind == applications::APPLICATION => {
                // Where its name is not known yet, the address stands for it.
                let name = resource.known_text("parameters.functionName");
                let name = name.unwrap_or_else(|| in_arn(&resource.address));
                Some(self.place.arn("lambda", &format!("function:{name}")))
            }
            "master_user_secret.0.secret_arn" | "master_password_secret_arn" => {
                Some(secrets::managed_arn(&self.place, &self.owner(resource)))
            }
            "address" | "endpoint" | "reader_endpoint" => self.host(resource, attribute),
            _ if name_attribute(kind) == Some(attribute) => Some(self.name(resource)),
            _ => None,
        }
    }

    /// The host name of a database: as known, else one that tells it from all others.
    pub(super) fn host(&self, resource: &Resource, attribute: &str) -> Option<String> {
        if let Some(known) = resource.known_text(attribute) {
            // `aws_db_instance.endpoint` has the port behind the name.
            let host = known.rsplit_once(':').map_or(known.as_str(), |(host, _)| host);
            return Some(host.to_owned());
        }
        let of_cluster = match resource.kind.as_str() {
            "aws_rds_cluster" | "aws_docdb_cluster" | "aws_redshift_cluster" => true,
            "aws_db_instance" | "aws_rds_cluster_instance" | "aws_docdb_cluster_instance" => false,
            _ => return None,
        };
        let engine = databases::engine_of_kind(&resource.kind);
        let host = databases::host(&self.place, &self.name(resource), engine, of_cluster);
        Some(match attribute {
            "reader_endpoint" => databases::reader_host(&host),
            _ => host,
        })
    }

    /// Whether a service keeps the secret of a database's master user.
    pub(super) fn keeps_master_secret(&self, resource: &Resource) -> bool {
        ["manage_master_user_password", "manage_master_password"]
            .iter()
            .any(|flag| resource.flag(flag).known() == Some(true))
    }

    /// A database as the owner of a secret.
    pub(super) fn owner(&self, resource: &'p Resource) -> Owner {
        Owner {
            name: self.name(resource),
            arn: self.own_id(resource, "arn"),
            is_cluster: resource.kind.ends_with("_cluster"),
            is_redshift: resource.kind == "aws_redshift_cluster",
        }
    }
}

/// The id of what comes with a VPC by itself.
fn implied(vpc: &str, attribute: &str) -> String {
    format!("{vpc}.{attribute}")
}

/// The path of a role or a policy.
fn path(resource: &Resource) -> String {
    resource.known_text("path").unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::terraform::testing::{plan, world};

    #[test]
    fn what_is_known_is_kept_and_what_is_not_is_made_of_names() {
        let plan = plan(&[
            ("aws_secretsmanager_secret.a", json!({"name": "prod/a"}), &[]),
            ("aws_secretsmanager_secret.b[\"x:y\"]", json!({}), &[]),
            ("aws_iam_role.a", json!({"name": "r", "path": "/p/"}), &[]),
            ("aws_vpc.a", json!({"id": "vpc-1", "default_security_group_id": "sg-1"}), &[]),
            ("aws_vpc.b", json!({}), &[]),
            ("aws_internet_gateway.a", json!({}), &[]),
            ("data.aws_vpc.later", json!({}), &[]),
            ("aws_db_instance.a", json!({"identifier": "Orders"}), &[]),
        ]);
        let world = world(&plan);
        let own = |index: usize, name: &str| world.own_id(&plan.resources[index], name);
        let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";
        assert_eq!(own(0, "id"), Some(format!("{secret}prod/a-xxxxxx")));
        let other = own(1, "arn").expect("an ARN");
        assert_eq!(other.split(':').count(), 7, "no colon of a key: {other}");
        assert_eq!(own(2, "arn").as_deref(), Some("arn:aws:iam::123456789012:role/p/r"));
        assert_eq!(own(2, "id").as_deref(), Some("r"));
        assert_eq!(own(3, "default_security_group_id").as_deref(), Some("sg-1"));
        assert_eq!(
            own(4, "main_route_table_id").as_deref(),
            Some("aws_vpc.b.default_route_table_id")
        );
        assert_eq!(own(5, "id").as_deref(), Some("igw-aws_internet_gateway.a"));
        assert_eq!(own(6, "id"), None, "what is read later may be anything");
        let host = own(7, "address").expect("a host");
        assert_eq!(host, "orders.declared.eu-west-1.rds.amazonaws.com");
    }
}
