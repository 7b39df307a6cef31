//! The answer's paths, hop by hop. Types only.

use serde::Serialize;

use super::{Blocker, Family, Missing, Needed, Verdict};

/// How a hop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HopOutcome {
    /// Passed.
    Ok,
    /// Passed for some source ports.
    Partly,
    /// Stopped.
    Stop,
    /// Not to be told.
    Unknown,
}

impl HopOutcome {
    /// The mark at the beginning of a hop's line.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partly => "partly",
            Self::Stop => "STOP",
            Self::Unknown => "unknown",
        }
    }
}

/// What a hop examines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    /// The name.
    Resolve,
    /// Egress rules of a security group.
    Egress,
    /// A network ACL, leaving a subnet.
    Out,
    /// A route of the request.
    Route,
    /// A gateway, a peering connection, an appliance.
    Via,
    /// A network ACL, entering a subnet.
    In,
    /// Ingress rules of a security group.
    Ingress,
    /// A route of the reply.
    RouteBack,
    /// A network ACL that the reply leaves a subnet by.
    OutBack,
    /// A network ACL that the reply enters a subnet by.
    InBack,
    /// A gateway or the like on the reply's way.
    ViaBack,
}

impl HopKind {
    /// The hop's label on its line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Egress => "egress",
            Self::Out => "out",
            Self::Route => "route",
            Self::Via => "via",
            Self::In => "in",
            Self::Ingress => "ingress",
            Self::RouteBack => "route back",
            Self::OutBack => "out back",
            Self::InBack => "in back",
            Self::ViaBack => "via back",
        }
    }
}

/// One hop of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hop {
    /// How it went.
    pub outcome: HopOutcome,
    /// What was examined.
    pub kind: HopKind,
    /// Its id.
    pub resource: String,
    /// The rule that decided.
    pub text: String,
    /// What would let it pass, where it stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
}

/// One way from an address of the function to an address of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Path {
    /// The function's subnet; `None` for a function without a VPC.
    pub subnet: Option<String>,
    /// The function's address.
    pub from: String,
    /// The target's address.
    pub to: String,
    /// The element at the target's address: an interface, an endpoint, or the
    /// host's name.
    pub target: String,
    /// IPv4 or IPv6.
    pub family: Family,
    /// How it went.
    pub verdict: Verdict,
    /// Hop by hop, request first.
    pub hops: Vec<Hop>,
    /// Every element that stops it.
    pub blockers: Vec<Blocker>,
    /// What was not seen on the way.
    pub missing: Vec<Missing>,
    /// How it went out.
    pub via: Via,
}

/// How a path leaves the function's subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Inside the VPC.
    Local,
    /// To an interface endpoint.
    Endpoint,
    /// Over a peering connection.
    Peering,
    /// Over a transit gateway.
    TransitGateway,
    /// Over the Internet: NAT, egress-only gateway, or Lambda's own network.
    Public,
    /// There is no way, or it was not seen.
    None,
}

impl Via {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Endpoint => "endpoint",
            Self::Peering => "peering",
            Self::TransitGateway => "transit_gateway",
            Self::Public => "public",
            Self::None => "none",
        }
    }
}
