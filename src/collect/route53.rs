//! Route 53: the private hosted zones and the resolver rules of the function's VPC, by
//! which its host names are resolved.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{HostedZoneSummary, ResourceRecordSet, VpcRegion};
use aws_sdk_route53resolver::types::Filter;

use super::{
    call::Caller,
    convert::{list, word},
    pages::pages,
    scene::{PatchResult, Scene, patch},
    scope,
    session::Clients,
    step::steps,
};
use crate::network;
use crate::{
    aws::limits,
    evidence::{Fact, HostedZone, HostedZoneRecord, Observed, Reason, ResolverRule},
};

steps! {
    4 "route53:ListHostedZonesByVPC" => HostedZonesByVPC <- [Subnets]:
        |tasks| tasks.each(scope::function_vpcs(tasks.scene), hosted_zones);
    // Each is one list for the region; a run about one secret asks for its VPC's.
    4 "route53resolver:ListResolverRuleAssociations" => ResolverRules <- [Subnets]:
        |tasks| tasks.each(scope::function_vpcs(tasks.scene).into_iter().take(1), rule_associations);
    4 "route53resolver:ListResolverRules" => ResolverRules <- [Subnets]:
        |tasks| tasks.each(scope::function_vpcs(tasks.scene).into_iter().take(1), rules);
    5 "route53:ListResourceRecordSets" => HostedZonesByVPC <- [HostedZonesByVPC]:
        |tasks| {
        let mut zones = zones_by_weight(tasks.scene);
        let left_out = zones.split_off(zones.len().min(limits::ZONES_READ));
        let mut all = tasks.each(zones, records);
        all.extend(tasks.each(left_out, records_left_out));
        all
    };
}

const LIST_ZONES: &str = "route53:ListHostedZonesByVPC";
const LIST_RECORDS: &str = "route53:ListResourceRecordSets";
const LIST_RULES: &str = "route53resolver:ListResolverRules";
const LIST_ASSOCIATIONS: &str = "route53resolver:ListResolverRuleAssociations";

async fn hosted_zones(caller: &Caller, clients: &Clients, vpc: &str) -> PatchResult {
    let region = clients.route53.config().region().map(ToString::to_string).unwrap_or_default();
    let request = clients.route53.list_hosted_zones_by_vpc().vpc_id(vpc);
    let request = request.vpc_region(VpcRegion::from(region.as_str()));
    let mut pages =
        pages!(caller, LIST_ZONES, vpc, limits::DNS_PAGES, request, set_next_token, next_token);
    let mut zones = Vec::new();
    while let Some(page) = pages.next().await? {
        zones.extend(page.hosted_zone_summaries);
    }
    let cut = pages.cut();
    let vpc = vpc.to_owned();
    patch(move |scene| {
        let account = scene.evidence.account_id.clone();
        for zone in &zones {
            if let Some(owner) = foreign_owner(zone, account.as_deref()) {
                let message =
                    format!("the zone belongs to account {owner}, which alone can list it");
                let id = &zone.hosted_zone_id;
                scene.gap(Fact::HostedZonesByVPC, "", id, Reason::Unsupported, &message);
            }
        }
        if cut {
            let message =
                format!("only the first {most} pages of zones were read", most = limits::DNS_PAGES);
            scene.gap(Fact::HostedZonesByVPC, LIST_ZONES, &vpc, Reason::Truncated, &message);
        }
        let zones =
            zones.into_iter().filter(|zone| !is_of_a_service(zone)).map(|zone| HostedZone {
                hosted_zone_id: Some(zone.hosted_zone_id),
                name: Some(zone.name),
                records: Vec::new(),
            });
        let zones = zones.collect();
        match scene.evidence.hosted_zones_by_vpc.known_mut() {
            Some(by_vpc) => {
                by_vpc.insert(vpc, zones);
            }
            None => {
                let by_vpc = BTreeMap::from([(vpc, zones)]);
                scene.evidence.hosted_zones_by_vpc = Observed::Known(by_vpc);
            }
        }
    })
}

/// The private names of an interface endpoint and of EFS are zones too. They cannot be
/// listed; what is known of endpoints says more.
fn is_of_a_service(zone: &HostedZoneSummary) -> bool {
    zone.owner.as_ref().is_some_and(|owner| owner.owning_service.is_some())
}

fn foreign_owner<'a>(zone: &'a HostedZoneSummary, account: Option<&str>) -> Option<&'a str> {
    let owner = zone.owner.as_ref()?.owning_account.as_deref()?;
    (Some(owner) != account).then_some(owner)
}

/// The zones whose records matter, the most telling first: those under whose names Secrets
/// Manager, RDS or the database that the secret names are found.
fn zones_by_weight(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let shapes = evidence.secret_shape.known().into_iter().flatten();
    let hosts = shapes.filter_map(|(_, shape)| shape.values.get("host")?.as_str());
    let hosts = hosts.chain(scene.db_host.as_deref());
    let hosts: Vec<String> = hosts.map(network::plain).collect();
    let matters = |zone: &HostedZone| {
        let name = network::plain(zone.name.as_deref().unwrap_or_default());
        name.ends_with("amazonaws.com")
            || name.ends_with("api.aws")
            || hosts.iter().any(|host| network::is_under(host, &name))
    };
    let zones = evidence.hosted_zones_by_vpc.known().into_iter().flatten();
    let mut zones: Vec<(bool, String)> = zones
        .flat_map(|(_, zones)| zones)
        .filter_map(|zone| Some((!matters(zone), zone.hosted_zone_id.clone()?)))
        .filter(|(_, id)| evidence.gap(Fact::HostedZonesByVPC, Some(id)).is_none())
        .collect();
    zones.sort();
    zones.into_iter().map(|(_, id)| id).collect()
}

/// Makes no call: the budget leaves the records of this zone out.
async fn records_left_out(_: &Caller, _: &Clients, zone: &str) -> PatchResult {
    let zone = zone.to_owned();
    patch(move |scene| {
        let message = format!("only the records of {} zones were read", limits::ZONES_READ);
        scene.gap(Fact::HostedZonesByVPC, LIST_RECORDS, &zone, Reason::Truncated, &message);
    })
}

async fn records(caller: &Caller, clients: &Clients, zone: &str) -> PatchResult {
    let mut records = Vec::new();
    let (mut name, mut kind, mut identifier) = (None, None, None);
    let mut cut = false;
    // It goes on at a record, and has no token.
    for _ in 0..limits::DNS_PAGES {
        let request = clients.route53.list_resource_record_sets().hosted_zone_id(zone);
        let request = request
            .set_start_record_name(name)
            .set_start_record_type(kind)
            .set_start_record_identifier(identifier);
        let page = caller.call(LIST_RECORDS, zone, request.send()).await?;
        records.extend(page.resource_record_sets.into_iter().filter_map(record));
        cut = page.is_truncated;
        if !cut {
            break;
        }
        (name, kind, identifier) =
            (page.next_record_name, page.next_record_type, page.next_record_identifier);
    }
    let zone = zone.to_owned();
    patch(move |scene| {
        if cut {
            let message = format!(
                "only the first {most} pages of records were read",
                most = limits::DNS_PAGES
            );
            scene.gap(Fact::HostedZonesByVPC, LIST_RECORDS, &zone, Reason::Truncated, &message);
        }
        let zones = scene.evidence.hosted_zones_by_vpc.known_mut().into_iter().flatten();
        for known in zones.flat_map(|(_, zones)| zones) {
            if known.hosted_zone_id.as_deref() == Some(&zone) {
                known.records.clone_from(&records);
            }
        }
    })
}

/// A record that resolves to an address; of an alias, the name that it stands for.
fn record(set: ResourceRecordSet) -> Option<HostedZoneRecord> {
    let kind = set.r#type.as_str().to_owned();
    let values = match set.alias_target {
        Some(alias) => vec![alias.dns_name],
        None => list(set.resource_records, |record| record.value),
    };
    matches!(kind.as_str(), "A" | "AAAA" | "CNAME").then(|| HostedZoneRecord {
        name: Some(set.name),
        record_type: Some(kind),
        values,
    })
}

async fn rules(caller: &Caller, clients: &Clients, vpc: &str) -> PatchResult {
    let request = clients.route53resolver.list_resolver_rules();
    let most = caller.pages(limits::DNS_PAGES, limits::DNS_PAGES_OF_MANY);
    let mut pages = pages!(caller, LIST_RULES, vpc, most, request, set_next_token, next_token);
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await? {
        rules.extend(list(page.resolver_rules, |rule| ResolverRule {
            resolver_rule_id: rule.id,
            domain_name: rule.domain_name,
            rule_type: word(rule.rule_type),
            target_ips: list(rule.target_ips, |target| target.ip.or(target.ipv6))
                .into_iter()
                .flatten()
                .collect(),
            vpc_ids: Vec::new(),
        }));
    }
    let cut = pages.cut();
    let vpc = vpc.to_owned();
    patch(move |scene| {
        if cut {
            let message = "only the first pages of rules were read";
            scene.gap(Fact::ResolverRules, LIST_RULES, &vpc, Reason::Truncated, message);
        }
        join(scene, rules);
    })
}

async fn rule_associations(caller: &Caller, clients: &Clients, vpc: &str) -> PatchResult {
    let mut request = clients.route53resolver.list_resolver_rule_associations();
    if !caller.for_many() {
        request = request.filters(Filter::builder().name("VPCId").values(vpc).build());
    }
    let most = caller.pages(limits::DNS_PAGES, limits::DNS_PAGES_OF_MANY);
    let mut pages =
        pages!(caller, LIST_ASSOCIATIONS, vpc, most, request, set_next_token, next_token);
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await? {
        rules.extend(list(page.resolver_rule_associations, |association| ResolverRule {
            resolver_rule_id: association.resolver_rule_id,
            vpc_ids: association.vpc_id.into_iter().collect(),
            ..ResolverRule::default()
        }));
    }
    let cut = pages.cut();
    let vpc = vpc.to_owned();
    patch(move |scene| {
        if cut {
            let message = "only the first pages of associations were read";
            scene.gap(Fact::ResolverRules, LIST_ASSOCIATIONS, &vpc, Reason::Truncated, message);
        }
        join(scene, rules);
    })
}

/// Rules and their associations arrive in any order, and each holds a part.
fn join(scene: &mut Scene, parts: Vec<ResolverRule>) {
    let mut known = match std::mem::take(&mut scene.evidence.resolver_rules) {
        Observed::Known(rules) => rules,
        _ => Vec::new(),
    };
    for part in parts {
        let same = known.iter_mut().find(|rule| rule.resolver_rule_id == part.resolver_rule_id);
        match same {
            Some(rule) => {
                rule.domain_name = rule.domain_name.take().or(part.domain_name);
                rule.rule_type = rule.rule_type.take().or(part.rule_type);
                rule.target_ips.extend(part.target_ips);
                rule.vpc_ids.extend(part.vpc_ids);
            }
            None => known.push(part),
        }
    }
    scene.evidence.resolver_rules = Observed::Known(known);
}
