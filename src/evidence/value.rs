//! What each kind of value of a fact can do, so that [`Evidence`](super::Evidence) treats
//! all facts alike: be empty, and be cut down to some VPCs.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The value of a fact.
pub(super) trait FactValue: Clone {
    /// Whether it is an empty list or map, which a bundle means as absent.
    fn is_nothing(&self) -> bool {
        false
    }

    /// Its parts that belong to these VPCs; all of it where it is not of one VPC.
    fn within(&self, _row: &FactRow, _vpcs: &BTreeSet<String>) -> Self {
        self.clone()
    }
}

/// An item of a fact that is a list.
pub(super) trait ListItem: Clone {
    /// Whether it belongs to one of these VPCs, or to no VPC at all.
    fn is_within(&self, vpcs: &BTreeSet<String>) -> bool;
}

impl<T: ListItem> FactValue for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }

    fn within(&self, _row: &FactRow, vpcs: &BTreeSet<String>) -> Self {
        self.iter().filter(|item| item.is_within(vpcs)).cloned().collect()
    }
}

impl<T: Clone> FactValue for BTreeMap<String, T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }

    fn within(&self, row: &FactRow, vpcs: &BTreeSet<String>) -> Self {
        if row.parts != FactParts::ByVpc {
            return self.clone();
        }
        let own = self.iter().filter(|(vpc, _)| vpcs.contains(*vpc));
        own.map(|(vpc, value)| (vpc.clone(), value.clone())).collect()
    }
}

macro_rules! single_values {
    ($($shape:ty),* $(,)?) => { $( impl FactValue for $shape {} )* };
}
single_values!(
    Function,
    KeyMetadata,
    LogGroup,
    ManagedPolicy,
    Package,
    PolicyDocument,
    Role,
    Secret,
    SecretVersions,
    Stack,
    VpcBlockPublicAccessOptions,
);

macro_rules! items_of_no_vpc {
    ($($shape:ty),* $(,)?) => { $(
        impl ListItem for $shape {
            fn is_within(&self, _vpcs: &BTreeSet<String>) -> bool {
                true
            }
        }
    )* };
}
items_of_no_vpc!(
    DbCluster,
    DbInstance,
    DbParameter,
    DhcpOptions,
    Grant,
    LogEvent,
    ManagedPolicy,
    ResolverRule,
    RolePolicy,
    SimulatedRequest,
    StackEvent,
    StackResource,
    TrailEvent,
    TransitGateway,
    TransitGatewayRouteTable,
);

fn is_one_of(vpc: &Option<String>, vpcs: &BTreeSet<String>) -> bool {
    vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc))
}

macro_rules! items_with_a_vpc_id {
    ($($shape:ty),* $(,)?) => { $(
        impl ListItem for $shape {
            fn is_within(&self, vpcs: &BTreeSet<String>) -> bool {
                is_one_of(&self.vpc_id, vpcs)
            }
        }
    )* };
}
items_with_a_vpc_id!(
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    Subnet,
    TransitGatewayVpcAttachment,
    Vpc,
    VpcEndpoint,
);

macro_rules! items_attached_to_vpcs {
    ($($shape:ty),* $(,)?) => { $(
        impl ListItem for $shape {
            fn is_within(&self, vpcs: &BTreeSet<String>) -> bool {
                self.attachments.iter().any(|attachment| is_one_of(&attachment.vpc_id, vpcs))
            }
        }
    )* };
}
items_attached_to_vpcs!(EgressOnlyInternetGateway, InternetGateway);

impl ListItem for VpcPeeringConnection {
    fn is_within(&self, vpcs: &BTreeSet<String>) -> bool {
        let sides = [&self.requester_vpc_info, &self.accepter_vpc_info];
        sides.into_iter().flatten().any(|side| is_one_of(&side.vpc_id, vpcs))
    }
}
