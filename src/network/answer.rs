//! The answer's own types: verdict, blockers, what was missing. Hops and paths
//! stand in `hop`; no reasoning here.

use std::fmt;

use serde::Serialize;

use crate::evidence::Fact;

/// Whether the function gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Request and reply pass, from everywhere to everywhere.
    Reachable,
    /// They never pass.
    Blocked,
    /// They pass from some subnet, address or port, and not from another.
    Intermittent,
    /// A fact that would decide it was not seen.
    Unknown,
}

impl Verdict {
    /// The verdict in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Blocked => "blocked",
            Self::Intermittent => "intermittent",
            Self::Unknown => "unknown",
        }
    }
}

/// The kind of element that blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Name resolution; the resource is the VPC or the hosted zone.
    Dns,
    /// The function has no VPC; the resource is the function's name.
    LambdaVpcConfig,
    /// A security group.
    SecurityGroup,
    /// A network ACL.
    Nacl,
    /// A route table.
    Route,
    /// An internet gateway, or the VPC that has none attached.
    InternetGateway,
    /// A NAT gateway.
    NatGateway,
    /// The interface of a NAT instance or of another appliance.
    NatInstance,
    /// A peering connection.
    Peering,
    /// A transit gateway's attachment or route table.
    TransitGateway,
    /// VPC Block Public Access; the resource is the VPC.
    BlockPublicAccess,
}

impl Layer {
    /// The layer's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::LambdaVpcConfig => "lambda_vpc_config",
            Self::SecurityGroup => "security_group",
            Self::Nacl => "nacl",
            Self::Route => "route",
            Self::InternetGateway => "internet_gateway",
            Self::NatGateway => "nat_gateway",
            Self::NatInstance => "nat_instance",
            Self::Peering => "peering",
            Self::TransitGateway => "transit_gateway",
            Self::BlockPublicAccess => "block_public_access",
        }
    }
}

/// The direction of a rule, as seen from the element that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the interface or subnet.
    Ingress,
    /// Out of it.
    Egress,
}

impl Direction {
    /// The direction's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// Whether the request or the reply is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The request.
    Forward,
    /// The reply.
    Return,
}

impl Phase {
    /// The phase's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Return => "return",
        }
    }
}

/// The rule, route or setting that would let the connection pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Needed {
    /// A rule of a security group.
    SecurityGroupRule {
        /// The group that needs it.
        group: String,
        /// Its direction.
        direction: Direction,
        /// TCP port.
        port: u16,
        /// The other side's group, where a reference works on this path.
        peer_group: Option<String>,
        /// The other side's block.
        peer_cidr: String,
    },
    /// An entry of a network ACL, before the entry that denies.
    AclEntry {
        /// The ACL.
        acl: String,
        /// Its direction.
        direction: Direction,
        /// First TCP port.
        from_port: u16,
        /// Last TCP port.
        to_port: u16,
        /// The other side's block.
        peer_cidr: String,
        /// Number of the entry that denies now, where one with a number did.
        before_rule: Option<i64>,
    },
    /// A route.
    Route {
        /// The table.
        route_table: String,
        /// Its destination.
        destination: String,
        /// What it should lead to, in words or as an id.
        target: String,
    },
    /// Something else, in words.
    Setting {
        /// What.
        text: String,
    },
}

impl Needed {
    pub(super) fn setting(text: impl Into<String>) -> Option<Self> {
        Some(Self::Setting { text: text.into() })
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecurityGroupRule { group, direction, port, peer_group, peer_cidr } => {
                let to = if *direction == Direction::Ingress { "from" } else { "to" };
                let peer = peer_group.as_deref().unwrap_or(peer_cidr);
                write!(f, "{} rule in {group}: tcp {port} {to} {peer}", direction.name())
            }
            Self::AclEntry { acl, direction, from_port, to_port, peer_cidr, before_rule } => {
                let to = if *direction == Direction::Ingress { "from" } else { "to" };
                let ports = if from_port == to_port {
                    from_port.to_string()
                } else {
                    format!("{from_port}-{to_port}")
                };
                write!(
                    f,
                    "{} entry in {acl}: allow tcp {ports} {to} {peer_cidr}",
                    direction.name()
                )?;
                match before_rule {
                    Some(number) => write!(f, ", numbered below {number}"),
                    None => Ok(()),
                }
            }
            Self::Route { route_table, destination, target } => {
                write!(f, "route in {route_table}: {destination} to {target}")
            }
            Self::Setting { text } => f.write_str(text),
        }
    }
}

/// One element that blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Blocker {
    /// What kind of element.
    pub layer: Layer,
    /// Its id.
    pub resource: String,
    /// The rule's direction, for groups and ACLs.
    pub direction: Option<Direction>,
    /// Request or reply.
    pub phase: Phase,
    /// True where it stops only a part of the connections (of source ports).
    pub partial: bool,
    /// Why it blocks.
    pub text: String,
    /// What would let the connection pass.
    pub needed: Option<Needed>,
}

/// An endpoint for the service that the name does not lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnusedEndpoint {
    /// Its id.
    pub endpoint: String,
    /// Why, as a kind.
    pub reason: Unused,
    /// Why, in words.
    pub text: String,
}

/// Why a name does not lead to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Unused {
    /// It is not available.
    State,
    /// It is in another VPC than the function.
    OtherVpc,
    /// Private DNS is off.
    PrivateDnsOff,
    /// Its private name is another one.
    OtherName,
    /// A DNS attribute of the VPC is off.
    VpcAttribute {
        /// `enableDnsSupport` or `enableDnsHostnames`.
        name: String,
    },
}

/// A fact that would decide something and was not seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The fact.
    pub fact: Fact,
    /// The IAM action that would show it; empty where no call does.
    pub action: String,
    /// The resource that was asked about; empty where it is a list.
    pub resource: String,
    /// Why it was not seen.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.action.is_empty() {
            return f.write_str(&self.reason);
        }
        f.write_str(&self.action)?;
        if !self.resource.is_empty() {
            write!(f, " for {}", self.resource)?;
        }
        write!(f, " ({})", self.reason)
    }
}

// By hand: `Fact` is a name in the evidence, not a type of its schema.
impl Serialize for Missing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Missing", 4)?;
        object.serialize_field("fact", self.fact.name())?;
        object.serialize_field("action", &self.action)?;
        object.serialize_field("resource", &self.resource)?;
        object.serialize_field("reason", &self.reason)?;
        object.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Missing {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NetworkMissing".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "fact": {"type": "string"},
                "action": {"type": "string"},
                "resource": {"type": "string"},
                "reason": {"type": "string"}
            },
            "required": ["fact", "action", "resource", "reason"]
        })
    }
}
