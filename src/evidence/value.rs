//! What each kind of value of a fact can do, so that [`Evidence`](super::Evidence) treats
//! all facts alike: be empty, and be cut down to some VPCs.

use std::collections::{BTreeMap, BTreeSet};

use super::{FactParts, FactRow};

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

/// Facts that are one value.
macro_rules! single_values {
    ($($shape:ty),* $(,)?) => { $( impl $crate::evidence::value::FactValue for $shape {} )* };
}

/// Items that belong to no single VPC.
macro_rules! items_of_no_vpc {
    ($($shape:ty),* $(,)?) => { $(
        impl $crate::evidence::value::ListItem for $shape {
            fn is_within(&self, _vpcs: &std::collections::BTreeSet<String>) -> bool {
                true
            }
        }
    )* };
}

/// Whether this is the id of one of the VPCs.
pub(super) fn is_one_of(vpc: &Option<String>, vpcs: &BTreeSet<String>) -> bool {
    vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc))
}

/// Items that belong to the VPC that they name.
macro_rules! items_with_a_vpc_id {
    ($($shape:ty),* $(,)?) => { $(
        impl $crate::evidence::value::ListItem for $shape {
            fn is_within(&self, vpcs: &std::collections::BTreeSet<String>) -> bool {
                $crate::evidence::value::is_one_of(&self.vpc_id, vpcs)
            }
        }
    )* };
}

/// Items that belong to the VPCs that they are attached to.
macro_rules! items_attached_to_vpcs {
    ($($shape:ty),* $(,)?) => { $(
        impl $crate::evidence::value::ListItem for $shape {
            fn is_within(&self, vpcs: &std::collections::BTreeSet<String>) -> bool {
                self.attachments.iter().any(|attachment| {
                    $crate::evidence::value::is_one_of(&attachment.vpc_id, vpcs)
                })
            }
        }
    )* };
}

pub(super) use {items_attached_to_vpcs, items_of_no_vpc, items_with_a_vpc_id, single_values};
