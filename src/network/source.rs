//! Where the function's connections start: the interfaces that Lambda keeps in
//! its subnets, else anywhere in those subnets; for a function without a VPC,
//! Lambda's own addresses.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Missing,
    address::{public_representatives, representatives},
    filter,
    place::{Destination, Origin},
    view::{View, addresses, items, text},
};
use crate::evidence::{Fact, Observed, VpcConfig};

/// The function, as far as paths go.
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    /// Its VPC configuration, where it has one.
    pub(super) config: Option<&'a VpcConfig>,
}

pub(super) fn function<'a>(view: &View<'a>) -> Result<Function<'a>, Missing> {
    let Observed::Known(function) = &view.evidence.function else {
        return Err(view.missing(Fact::Function, ""));
    };
    let configuration = &function.configuration;
    let config = configuration.vpc_config.as_ref().filter(|config| !config.subnet_ids.is_empty());
    let name = configuration.function_name.as_deref().or(configuration.function_arn.as_deref());
    Ok(Function { name: name.unwrap_or("the function"), config })
}

impl<'a> Function<'a> {
    pub(super) fn groups(&self) -> Vec<&'a str> {
        let config = self.config.into_iter();
        let mut ids: Vec<&str> =
            config.flat_map(|c| &c.security_group_ids).map(String::as_str).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The VPC; settled evidence names that of the subnets.
    pub(super) fn vpc(&self) -> Option<&'a str> {
        self.config?.vpc_id.as_deref()
    }
}

/// The addresses in one subnet.
pub(super) struct Sources<'a> {
    pub(super) origin: Origin<'a>,
    pub(super) addresses: Vec<IpAddr>,
    /// What would tell which of the addresses is in use; `None` where each of
    /// them is, or may be tomorrow.
    pub(super) unseen: Option<Missing>,
}

/// The addresses that the function may have in one of its subnets. `cuts`
/// tells apart what rules tell apart.
pub(super) fn sources<'a>(
    view: &View<'a>,
    function: &Function<'a>,
    subnet: &str,
    cuts: &[ipnet::IpNet],
) -> Result<Sources<'a>, Missing> {
    let subnet = view.subnet(subnet)?;
    let vpc = subnet.vpc_id.as_deref().or_else(|| function.vpc());
    let mut origin = Origin {
        subnet,
        vpc: vpc.ok_or_else(|| view.missing(Fact::Subnets, text(&subnet.subnet_id)))?,
        groups: function.groups(),
        whole: Vec::new(),
    };
    let wanted: BTreeSet<&str> = origin.groups.iter().copied().collect();
    let seen: BTreeSet<IpAddr> = items(&view.evidence.network_interfaces)
        .iter()
        .filter(|i| {
            i.subnet_id == subnet.subnet_id && i.interface_type.as_deref() == Some("lambda")
        })
        .filter(|i| {
            let own: BTreeSet<&str> =
                i.groups.iter().filter_map(|g| g.group_id.as_deref()).collect();
            own == wanted
        })
        .flat_map(addresses)
        .collect();
    let blocks = View::subnet_blocks(subnet);
    let dual_stack = function.config.is_some_and(|c| c.ipv6_allowed_for_dual_stack == Some(true))
        && blocks.iter().any(|block| block.addr().is_ipv6());
    let mut all: Vec<IpAddr> = seen.into_iter().collect();
    let mut guessed = false;
    for block in blocks {
        let is_v4 = block.addr().is_ipv4();
        if !all.iter().any(|address| address.is_ipv4() == is_v4) {
            guessed = true;
            let found = representatives(block, cuts);
            if let [one] = found.as_slice() {
                origin.whole.push(*one);
            }
            all.extend(found);
        }
    }
    all.retain(|address| address.is_ipv4() || dual_stack);
    let listed = matches!(view.evidence.network_interfaces, Observed::Known(_) | Observed::Absent);
    let unseen = (guessed && !listed)
        .then(|| view.missing(Fact::NetworkInterfaces, text(&subnet.subnet_id)));
    Ok(Sources { origin, addresses: all, unseen })
}

/// A rule for less than this is no rule for Lambda's own addresses: they come
/// from large pools and change.
const SMALLEST_POOL: u8 = 16;

/// Addresses that a function without a VPC may have.
pub(super) fn lambda_addresses(view: &View<'_>, to: &Destination<'_>, port: u16) -> Vec<IpAddr> {
    let groups = to.groups.clone().unwrap_or_default();
    let cuts = view.cuts(&groups.iter().copied().collect());
    let all = public_representatives(super::Family::of(to.address), &cuts);
    let lucky = |address: &IpAddr| {
        let length = filter::admitting_prefix(view, &groups, port, *address);
        length.is_some_and(|length| address.is_ipv4() && length >= SMALLEST_POOL)
    };
    all.into_iter().filter(|address| !lucky(address)).collect()
}
