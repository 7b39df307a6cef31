//! Where a connection goes and where it starts: addresses with their interface,
//! subnet, VPC and groups.

use std::net::IpAddr;

use super::{
    Missing,
    address::is_private,
    view::{View, text},
};
use crate::evidence::{Fact, NetworkInterface, Subnet, VpcEndpoint};

/// What sits at an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    /// An interface endpoint's interface.
    Endpoint(&'a VpcEndpoint),
    /// Another interface of a VPC: a database.
    Interface,
    /// A public address of AWS's own: it answers everybody.
    Service,
    /// An address that no interface of the evidence carries.
    Foreign,
}

/// One address of the target.
#[derive(Clone, Debug)]
pub(super) struct Destination<'a> {
    /// The address that the function dials.
    pub(super) address: IpAddr,
    /// The private address, where the dialled one is its public face.
    pub(super) inner: Option<IpAddr>,
    pub(super) vpc: Option<&'a str>,
    pub(super) subnet: Option<&'a Subnet>,
    pub(super) groups: Result<Vec<&'a str>, Missing>,
    /// Interface, endpoint or host name.
    pub(super) name: String,
    pub(super) kind: Kind<'a>,
    /// What to call it in texts, where the address stands for others like it.
    pub(super) shown: Option<String>,
}

impl<'a> Destination<'a> {
    /// An interface of a VPC at one of its private addresses. `groups` stands
    /// in where the interface lists none.
    pub(super) fn interface(
        view: &View<'a>,
        interface: &'a NetworkInterface,
        address: IpAddr,
        groups: &[&'a str],
        kind: Kind<'a>,
    ) -> Self {
        let own: Vec<&str> =
            interface.groups.iter().filter_map(|g| g.group_id.as_deref()).collect();
        let mut groups = if own.is_empty() { groups.to_vec() } else { own };
        groups.sort();
        Self {
            address,
            inner: None,
            vpc: interface.vpc_id.as_deref(),
            subnet: interface.subnet_id.as_deref().and_then(|id| view.subnet(id).ok()),
            groups: Ok(groups),
            name: text(&interface.network_interface_id).to_owned(),
            kind,
            shown: None,
        }
    }

    /// The same interface at its public address.
    pub(super) fn at_public(mut self, address: IpAddr) -> Self {
        self.inner = Some(self.address);
        self.address = address;
        self
    }

    /// Whatever sits at an address: an interface that was seen, an address of a
    /// VPC that was seen, or nothing of ours. `service` says that a public
    /// address belongs to AWS.
    pub(super) fn locate(
        view: &View<'a>,
        address: IpAddr,
        vpc: Option<&str>,
        host: &str,
        service: bool,
    ) -> Self {
        if let Some(found) = view.interface_at(address, vpc) {
            let endpoint = view.endpoint_of(found);
            let kind = endpoint.map_or(Kind::Interface, Kind::Endpoint);
            return Self::interface(view, found, address, &[], kind);
        }
        if let Some(found) = view.interface_at_public(address)
            && let Some(inner) = super::view::addresses(found).find(IpAddr::is_ipv4)
        {
            return Self::interface(view, found, inner, &[], Kind::Interface).at_public(address);
        }
        let vpc = view.vpc_of(address, vpc);
        let kind = if service && !is_private(address) { Kind::Service } else { Kind::Foreign };
        Self {
            address,
            inner: None,
            vpc,
            subnet: vpc.and_then(|vpc| view.subnet_of(vpc, address)),
            groups: Err(view.missing(Fact::NetworkInterfaces, &address.to_string())),
            name: host.to_owned(),
            kind,
            shown: None,
        }
    }

    /// The same, standing for all addresses of which it is one.
    pub(super) fn standing_for(mut self, words: impl Into<String>) -> Self {
        self.shown = Some(words.into());
        self
    }

    /// True where the address means something only inside VPCs.
    pub(super) fn is_inside(&self) -> bool {
        self.inner.is_none() && (self.vpc.is_some() || is_private(self.address))
    }

    pub(super) fn subnet_id(&self) -> Option<&'a str> {
        self.subnet.and_then(|subnet| subnet.subnet_id.as_deref())
    }
}

/// One logical address of the target, of one family. With several candidates
/// only one of them is real and it was not seen which.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) candidates: Vec<Destination<'a>>,
    /// What would tell the candidates apart.
    pub(super) unseen: Option<Missing>,
    /// True where it was not seen whether the name has such an address at all.
    pub(super) doubtful: bool,
}

impl<'a> Place<'a> {
    pub(super) fn certain(destination: Destination<'a>) -> Self {
        Self { candidates: vec![destination], unseen: None, doubtful: false }
    }

    /// One of several, and `unseen` would tell which.
    pub(super) fn one_of(candidates: Vec<Destination<'a>>, unseen: Missing) -> Self {
        Self { candidates, unseen: Some(unseen), doubtful: false }
    }

    /// Puts places in an order that does not hang on how the evidence lists them.
    pub(super) fn sort(places: &mut [Self]) {
        for place in places.iter_mut() {
            place.candidates.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
        }
        places.sort_by(|a, b| {
            let key = |p: &Self| p.candidates.first().map(|c| (c.address, c.name.clone()));
            key(a).cmp(&key(b))
        });
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.candidates.first().is_some_and(|d| d.address.is_ipv4())
    }
}

/// Where the function starts a connection from.
#[derive(Clone, Debug)]
pub(super) struct Origin<'a> {
    pub(super) subnet: &'a Subnet,
    pub(super) vpc: &'a str,
    pub(super) groups: Vec<&'a str>,
    /// Addresses that stand for the whole block of the subnet.
    pub(super) whole: Vec<IpAddr>,
}

impl<'a> Origin<'a> {
    pub(super) fn subnet_id(&self) -> &'a str {
        text(&self.subnet.subnet_id)
    }
}
