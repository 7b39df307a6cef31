//! The names of RDS databases: which interface answers, and whether the
//! function sees its private or its public address.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Missing,
    address::{is_private, public_representatives, representatives},
    peering,
    place::{Destination, Kind, Place},
    resolver::{Answer, Resolver, plain},
    view::{View, addresses, items, text},
};
use crate::evidence::{DbCluster, DbInstance, Fact, NetworkInterface, Subnet};

/// The instances behind a host name; `None` where no database has the name.
fn instances<'a>(
    resolver: &Resolver<'_, 'a>,
    host: &str,
) -> Option<Result<Vec<&'a DbInstance>, Missing>> {
    let view = resolver.view;
    let all = items(&view.evidence.db_instances);
    let own: Vec<&DbInstance> = all
        .iter()
        .filter(|i| i.endpoint.as_ref().is_some_and(|e| plain(text(&e.address)) == host))
        .collect();
    if !own.is_empty() {
        return Some(one_of(resolver, own, host));
    }
    let clusters = items(&view.evidence.db_clusters);
    let named = |name: &Option<String>| name.is_some() && plain(text(name)) == host;
    let cluster = clusters.iter().find(|c| named(&c.endpoint) || named(&c.reader_endpoint))?;
    let writer = named(&cluster.endpoint);
    Some(members(view, cluster, writer))
}

/// Of several instances with one name, which RDS never gives, that in the function's
/// VPC.
fn one_of<'a>(
    resolver: &Resolver<'_, 'a>,
    own: Vec<&'a DbInstance>,
    host: &str,
) -> Result<Vec<&'a DbInstance>, Missing> {
    if own.len() == 1 {
        return Ok(own);
    }
    let near: Vec<&DbInstance> = own
        .into_iter()
        .filter(|i| i.db_subnet_group.as_ref().and_then(|g| g.vpc_id.as_deref()) == resolver.vpc)
        .collect();
    if near.len() == 1 { Ok(near) } else { Err(resolver.view.missing(Fact::DBInstances, host)) }
}

fn members<'a>(
    view: &View<'a>,
    cluster: &DbCluster,
    writer: bool,
) -> Result<Vec<&'a DbInstance>, Missing> {
    let all = || cluster.db_cluster_members.iter();
    let mut wanted: Vec<_> =
        all().filter(|m| m.is_cluster_writer.unwrap_or(false) == writer).collect();
    if wanted.is_empty() {
        // A cluster without readers answers its reader endpoint with the writer.
        wanted = all().collect();
    }
    let known = items(&view.evidence.db_instances);
    let id = text(&cluster.db_cluster_identifier);
    if wanted.is_empty() {
        let own = known.iter().filter(|i| i.db_cluster_identifier.as_deref() == Some(id));
        let own: Vec<&DbInstance> = own.collect();
        return if own.is_empty() { Err(view.missing(Fact::DBInstances, id)) } else { Ok(own) };
    }
    wanted
        .into_iter()
        .map(|member| {
            let name = &member.db_instance_identifier;
            let found = known.iter().find(|i| i.db_instance_identifier == *name);
            found.ok_or_else(|| view.missing(Fact::DBInstances, text(name)))
        })
        .collect()
}

/// The answer to the name of a database; `None` where it is no such name.
pub(super) fn answer<'a>(
    resolver: &Resolver<'_, 'a>,
    host: &str,
    inside: bool,
) -> Option<Answer<'a>> {
    let instances = match instances(resolver, host)? {
        Ok(instances) => instances,
        Err(missing) => return Some(Answer::Unseen(missing)),
    };
    let mut places = Vec::new();
    for instance in instances {
        let own = match private_places(resolver, instance) {
            Ok(own) => own,
            Err(missing) => return Some(Answer::Unseen(missing)),
        };
        if instance.publicly_accessible != Some(true) {
            places.extend(own);
            continue;
        }
        let vpc = own.first().and_then(|place| place.candidates.first()?.vpc);
        match sees_private(resolver, vpc, inside) {
            Ok(true) => places.extend(own),
            Ok(false) => match public_place(resolver, own, host) {
                Ok(place) => places.push(place),
                Err(missing) => return Some(Answer::Unseen(missing)),
            },
            Err(missing) => return Some(Answer::Unseen(missing)),
        }
    }
    Some(Answer::Places(places))
}

/// Whether the resolver that is asked knows the private address of a publicly
/// accessible database.
fn sees_private(
    resolver: &Resolver<'_, '_>,
    database_vpc: Option<&str>,
    inside: bool,
) -> Result<bool, Missing> {
    let (Some(own), Some(other), true) = (resolver.vpc, database_vpc, inside) else {
        return Ok(false);
    };
    if own == other {
        return Ok(true);
    }
    let view = resolver.view;
    let fact = Fact::VpcPeeringConnections;
    let list = view.list(&view.evidence.vpc_peering_connections, fact, own)?;
    let mut between: Vec<(&str, bool)> = list
        .iter()
        .filter(|connection| peering::is_active(connection))
        .filter_map(|connection| {
            let (_, far) = peering::sides(connection, own)?;
            let options = far.peering_options.as_ref();
            let on = options.and_then(|o| o.allow_dns_resolution_from_remote_vpc) == Some(true);
            (far.vpc_id.as_deref() == Some(other))
                .then(|| (text(&connection.vpc_peering_connection_id), on))
        })
        .collect();
    between.sort();
    let allowed = between.iter().any(|(_, on)| *on);
    if let (false, Some((id, _))) = (allowed, between.first()) {
        resolver.remark(format!(
            "{id} does not resolve names of {other} for {own} to private addresses \
             (AllowDnsResolutionFromRemoteVpc is off)"
        ));
    }
    Ok(allowed
        && view.dns_attributes(own)? == (true, true)
        && view.dns_attributes(other)? == (true, true))
}

fn groups(instance: &DbInstance) -> Vec<&str> {
    instance
        .vpc_security_groups
        .iter()
        .filter(|group| matches!(group.status.as_deref(), None | Some("active" | "adding")))
        .filter_map(|group| group.vpc_security_group_id.as_deref())
        .collect()
}

/// The private addresses of an instance: of its interface, else of interfaces
/// that look like its own, else anywhere in its subnet group.
fn private_places<'a>(
    resolver: &Resolver<'_, 'a>,
    instance: &'a DbInstance,
) -> Result<Vec<Place<'a>>, Missing> {
    let view = resolver.view;
    let id = text(&instance.db_instance_identifier);
    let groups = groups(instance);
    let own = instance.network_interface_id.as_deref().and_then(|id| view.interface(id).ok());
    if let Some(interface) = own {
        let all = addresses(interface);
        let made =
            all.map(|a| Destination::interface(view, interface, a, &groups, Kind::Interface));
        return Ok(made.map(Place::certain).collect());
    }
    let group = instance.db_subnet_group.as_ref();
    let subnets: Vec<&str> = group
        .map(|group| group.subnets.iter().filter_map(|s| s.subnet_identifier.as_deref()).collect())
        .unwrap_or_default();
    let unseen = view.missing(Fact::NetworkInterfaces, id);
    let alike: Vec<Destination<'a>> = lookalikes(view, &subnets, &groups)
        .into_iter()
        .filter_map(|i| Some((i, addresses(i).find(IpAddr::is_ipv4)?)))
        .map(|(i, a)| Destination::interface(view, i, a, &groups, Kind::Interface))
        .collect();
    if !alike.is_empty() {
        return Ok(vec![Place::one_of(alike, unseen)]);
    }
    let host = instance.endpoint.as_ref().map(|e| plain(text(&e.address))).unwrap_or_default();
    let recorded = resolver.dns.addresses(&host);
    let recorded = recorded.into_iter().find(|address| is_private(*address));
    let cuts = view.cuts(&resolver.groups.iter().copied().collect::<BTreeSet<_>>());
    let mut candidates = Vec::new();
    for subnet in subnets {
        let subnet: &Subnet = view.subnet(subnet)?;
        let block = View::subnet_blocks(subnet).into_iter().find(|net| net.addr().is_ipv4());
        let Some(block) = block else { continue };
        let found = match recorded {
            Some(address) if block.contains(&address) => vec![address],
            Some(_) => continue,
            None => representatives(block, &cuts),
        };
        candidates.extend(found.into_iter().map(|address| Destination {
            address,
            inner: None,
            vpc: subnet.vpc_id.as_deref(),
            subnet: Some(subnet),
            groups: if groups.is_empty() { Err(unseen.clone()) } else { Ok(groups.clone()) },
            name: id.to_owned(),
            kind: Kind::Interface,
            shown: recorded.is_none().then(|| block.to_string()),
        }));
    }
    if candidates.is_empty() { Err(unseen) } else { Ok(vec![Place::one_of(candidates, unseen)]) }
}

/// The interfaces of databases in these subnets (in any, where none is known)
/// with exactly these groups.
fn lookalikes<'a>(view: &View<'a>, subnets: &[&str], groups: &[&str]) -> Vec<&'a NetworkInterface> {
    let wanted: BTreeSet<&str> = groups.iter().copied().collect();
    items(&view.evidence.network_interfaces)
        .iter()
        .filter(|i| text(&i.description).contains("RDSNetworkInterface"))
        .filter(|i| subnets.is_empty() || subnets.contains(&text(&i.subnet_id)))
        .filter(|i| {
            let own: BTreeSet<&str> =
                i.groups.iter().filter_map(|g| g.group_id.as_deref()).collect();
            own == wanted
        })
        .collect()
}

/// The public face of a database.
fn public_place<'a>(
    resolver: &Resolver<'_, 'a>,
    own: Vec<Place<'a>>,
    host: &str,
) -> Result<Place<'a>, Missing> {
    let view = resolver.view;
    let unseen = view.missing(Fact::NetworkInterfaces, host);
    let inner = own.into_iter().find(Place::is_ipv4);
    let mut inner = inner.map(|place| place.candidates).unwrap_or_default();
    let Some(first) = inner.pop().filter(|_| inner.is_empty()) else { return Err(unseen) };
    let associated = view.interface(&first.name).ok().and_then(|interface| {
        interface.association.as_ref()?.public_ip.as_deref()?.parse::<IpAddr>().ok()
    });
    let recorded =
        resolver.dns.addresses(host).into_iter().find(|a| a.is_ipv4() && !is_private(*a));
    if let Some(address) = associated.or(recorded) {
        return Ok(Place::certain(first.at_public(address)));
    }
    let mut relevant = view.device_groups();
    relevant.extend(&resolver.groups);
    let all = public_representatives(super::Family::Ipv4, &view.cuts(&relevant));
    let face = |address| first.clone().at_public(address).standing_for("its public address");
    let candidates = all.into_iter().map(face).collect();
    Ok(Place::one_of(candidates, unseen))
}
