//! Interface endpoints: their names, their addresses, why one is not used.

use std::net::IpAddr;

use super::{
    Missing, Target, Unused, UnusedEndpoint,
    address::representatives,
    place::{Destination, Kind, Place},
    resolver::plain,
    view::{View, addresses, items, text},
};
use crate::evidence::{Fact, VpcEndpoint};

const SERVICE_SUFFIXES: [&str; 4] =
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"];

/// True for host names that AWS gives to its services.
pub(super) fn is_service_name(host: &str) -> bool {
    SERVICE_SUFFIXES.iter().any(|suffix| host.ends_with(suffix)) && !host.contains(".rds.")
}

/// True for the names that endpoints have of their own.
pub(super) fn is_own_name(host: &str) -> bool {
    host.contains(".vpce.amazonaws.com")
}

pub(super) fn is_available(endpoint: &VpcEndpoint) -> bool {
    let kind = endpoint.vpc_endpoint_type.as_deref();
    // The console's spelling and the API's differ in the first letter.
    let state = endpoint.state.as_deref();
    matches!(kind, None | Some("Interface"))
        && state.is_none_or(|state| state.eq_ignore_ascii_case("available"))
}

/// The service as its last label says: `secretsmanager`.
fn service_of(endpoint: &VpcEndpoint) -> &str {
    text(&endpoint.service_name).rsplit('.').next().unwrap_or_default()
}

fn serves(endpoint: &VpcEndpoint, service: &str) -> bool {
    let own = service_of(endpoint);
    own == service || own.strip_suffix("-fips") == Some(service)
}

/// Why an endpoint that a name leads to does not serve.
pub(super) fn out_of_service(endpoint: &VpcEndpoint, service: &str) -> Option<String> {
    let id = text(&endpoint.vpc_endpoint_id);
    if !is_available(endpoint) {
        return Some(format!(
            "{id} is in state {}",
            endpoint.state.as_deref().unwrap_or("unknown")
        ));
    }
    if endpoint.service_name.is_some() && !serves(endpoint, service) {
        return Some(format!("{id} serves {}, not {service}", text(&endpoint.service_name)));
    }
    None
}

/// True where the endpoint's private name is `host`: as listed, else as it
/// follows from the service's name.
pub(super) fn has_private_name(endpoint: &VpcEndpoint, host: &str) -> bool {
    let own = endpoint.dns_entries.iter().map(|entry| plain(text(&entry.dns_name)));
    if own.filter(|name| !is_own_name(name)).any(|name| name == host) {
        return true;
    }
    let name = text(&endpoint.service_name);
    let Some((_, tail)) = name.split_once("amazonaws.") else { return false };
    let Some((region, service)) = tail.split_once('.') else { return false };
    let prefix = format!("{service}.{region}.amazonaws.com");
    host == prefix || host == format!("{prefix}.cn")
}

/// The endpoint that has this name of its own.
pub(super) fn with_own_name<'a>(view: &View<'a>, host: &str) -> Option<&'a VpcEndpoint> {
    if !is_own_name(host) {
        return None;
    }
    let all = || items(&view.evidence.vpc_endpoints).iter();
    let listed = all()
        .filter(|endpoint| {
            let mut names = endpoint.dns_entries.iter().map(|entry| plain(text(&entry.dns_name)));
            names.any(|name| name == host)
        })
        .min_by_key(|endpoint| &endpoint.vpc_endpoint_id);
    // The name begins with the id, whether it is listed or not.
    let begins = |endpoint: &&VpcEndpoint| {
        let rest = endpoint.vpc_endpoint_id.as_deref().and_then(|id| host.strip_prefix(id));
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let longest = |endpoint: &&VpcEndpoint| text(&endpoint.vpc_endpoint_id).len();
    listed.or_else(|| all().filter(begins).max_by_key(longest))
}

/// The addresses of an endpoint: one interface for each of its subnets. A zonal
/// name gives those of the zone only.
pub(super) fn places<'a>(
    view: &View<'a>,
    endpoint: &'a VpcEndpoint,
    host: &str,
    function_groups: &[&'a str],
) -> Result<Vec<Place<'a>>, Missing> {
    let kind = Kind::Endpoint(endpoint);
    let groups: Vec<&str> = endpoint.groups.iter().filter_map(|g| g.group_id.as_deref()).collect();
    let mut places = Vec::new();
    let mut covered: Vec<&str> = Vec::new();
    for id in &endpoint.network_interface_ids {
        let Ok(interface) = view.interface(id) else { continue };
        let subnet = interface.subnet_id.as_deref().and_then(|id| view.subnet(id).ok());
        let blocks = subnet.map(View::subnet_blocks);
        // An address that its subnet does not hold is none of the interface's.
        let held = |address: &IpAddr| {
            blocks.as_ref().is_none_or(|blocks| blocks.iter().any(|net| net.contains(address)))
        };
        for address in addresses(interface).filter(held) {
            covered.extend(interface.subnet_id.as_deref());
            let found = Destination::interface(view, interface, address, &groups, kind);
            places.push(Place::certain(found));
        }
    }
    let id = text(&endpoint.vpc_endpoint_id);
    let cuts = view.cuts(&function_groups.iter().copied().collect());
    for subnet in endpoint.subnet_ids.iter().filter(|id| !covered.contains(&id.as_str())) {
        // The interface was not seen; its subnet and the endpoint's groups were.
        let subnet = view.subnet(subnet)?;
        let unseen = view.missing(Fact::NetworkInterfaces, id);
        let block = View::subnet_blocks(subnet).into_iter().find(|net| net.addr().is_ipv4());
        let candidates = block.map(|net| representatives(net, &cuts)).unwrap_or_default();
        let make = |address: IpAddr| Destination {
            address,
            inner: None,
            vpc: endpoint.vpc_id.as_deref(),
            subnet: Some(subnet),
            groups: if groups.is_empty() { Err(unseen.clone()) } else { Ok(groups.clone()) },
            name: id.to_owned(),
            kind,
            shown: block.map(|net| net.to_string()),
        };
        places.push(Place::one_of(candidates.into_iter().map(make).collect(), unseen.clone()));
    }
    let zonal: Vec<Place<'a>> =
        places.iter().filter(|place| in_zone_of(place, host)).cloned().collect();
    let places = if zonal.is_empty() { places } else { zonal };
    if places.is_empty() { Err(view.missing(Fact::NetworkInterfaces, id)) } else { Ok(places) }
}

fn in_zone_of(place: &Place<'_>, host: &str) -> bool {
    let label = host.split('.').next().unwrap_or_default();
    let zone = place.candidates.first().and_then(|c| c.subnet?.availability_zone.as_deref());
    is_own_name(host) && zone.is_some_and(|zone| label.ends_with(&format!("-{zone}")))
}

/// The endpoints for the service that are there and that the name does not lead
/// to, each with every reason.
pub(super) fn unused(view: &View<'_>, vpc: Option<&str>, target: &Target) -> Vec<UnusedEndpoint> {
    let (Target::AwsApi { service, host, .. }, Some(vpc)) = (target, vpc) else {
        return Vec::new();
    };
    let host = plain(host);
    let mut found = Vec::new();
    for endpoint in items(&view.evidence.vpc_endpoints).iter().filter(|e| is_interface(e)) {
        let id = text(&endpoint.vpc_endpoint_id);
        let mut add = |reason: Unused, text: String| {
            found.push(UnusedEndpoint { endpoint: id.to_owned(), reason, text });
        };
        let own_vpc = endpoint.vpc_id.as_deref() == Some(vpc);
        if !serves(endpoint, service) {
            continue;
        }
        if !is_available(endpoint) {
            let state = endpoint.state.as_deref().unwrap_or("unknown");
            add(Unused::State, format!("{id} is in state {state}, so {host} does not lead to it"));
        }
        if is_own_name(&host) {
            continue;
        }
        if !own_vpc {
            let other = endpoint.vpc_id.as_deref().unwrap_or("another VPC");
            let text =
                format!("{id} is in {other}, not in {vpc}: its private name holds there only");
            add(Unused::OtherVpc, text);
        }
        if endpoint.private_dns_enabled == Some(false) {
            let text = format!(
                "{id} has private DNS off (PrivateDnsEnabled), so {host} does not lead to it"
            );
            add(Unused::PrivateDnsOff, text);
        } else if own_vpc && !has_private_name(endpoint, &host) {
            let text = format!(
                "{host} is not the private name of {id} ({})",
                text(&endpoint.service_name)
            );
            add(Unused::OtherName, text);
        }
        let Ok((support, hostnames)) = view.dns_attributes(vpc) else { continue };
        let off = [
            ("enableDnsSupport", "EnableDnsSupport", support),
            ("enableDnsHostnames", "EnableDnsHostnames", hostnames),
        ];
        for (name, key, _) in off.into_iter().filter(|(.., on)| own_vpc && !on) {
            let text = format!(
                "{name} ({key}) of {vpc} is off, so the private name of {id} is not in effect"
            );
            add(Unused::VpcAttribute { name: name.to_owned() }, text);
        }
    }
    found.sort();
    found
}

pub(super) fn is_interface(endpoint: &VpcEndpoint) -> bool {
    matches!(endpoint.vpc_endpoint_type.as_deref(), None | Some("Interface"))
}

/// The VPC's endpoints, where none of them is for the service.
pub(super) fn others(view: &View<'_>, vpc: Option<&str>, target: &Target) -> Option<String> {
    let (Target::AwsApi { service, .. }, Some(vpc)) = (target, vpc) else { return None };
    let all = items(&view.evidence.vpc_endpoints).iter().filter(|e| is_interface(e));
    let own: Vec<&VpcEndpoint> = all.filter(|e| e.vpc_id.as_deref() == Some(vpc)).collect();
    if own.is_empty() || own.iter().any(|endpoint| serves(endpoint, service)) {
        return None;
    }
    let mut names: Vec<String> = own
        .iter()
        .map(|e| format!("{} serves {}", text(&e.vpc_endpoint_id), text(&e.service_name)))
        .collect();
    names.sort();
    Some(format!("no endpoint for {service} in {vpc}; {}", names.join("; ")))
}
