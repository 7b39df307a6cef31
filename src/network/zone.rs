//! Private hosted zones and resolver rules: the most specific one decides, and
//! a zone that lacks the record answers that there is none.

use std::net::IpAddr;

use super::{
    Missing, Needed,
    place::{Destination, Place},
    resolver::{Answer, Answers, Resolver, plain},
    view::text,
};
use crate::evidence::{Fact, Gap, HostedZone, HostedZoneRecord, Observed, Reason, ResolverRule};

/// True where `host` is `domain` or lies under it. Everything lies under the
/// root.
pub(crate) fn is_under(host: &str, domain: &str) -> bool {
    domain.is_empty()
        || host == domain
        || host.strip_suffix(domain).is_some_and(|head| head.ends_with('.'))
}

impl<'a> Resolver<'_, 'a> {
    /// The most specific private hosted zone that the name lies in.
    pub(super) fn hosted_zone(
        &self,
        vpc: &str,
        host: &str,
    ) -> Result<Option<(String, &'a HostedZone)>, Missing> {
        let zones = match &self.view.evidence.hosted_zones_by_vpc {
            Observed::Known(zones) => zones.get(vpc).map_or(&[][..], Vec::as_slice),
            Observed::Absent => &[],
            Observed::NotSeen(gap) if gap.means_absent() => &[],
            _ => return Err(self.view.missing(Fact::HostedZonesByVPC, vpc)),
        };
        let records_of = |id: &str| zones.iter().any(|zone| text(&zone.hosted_zone_id) == id);
        let hidden = self.view.evidence.gaps.iter().any(|gap| {
            gap.fact == Fact::HostedZonesByVPC.name()
                && !gap.means_absent()
                && (gap.resource == vpc
                    || !gap.resource.starts_with("vpc-") && !records_of(&gap.resource))
        });
        if hidden {
            return Err(self.view.missing(Fact::HostedZonesByVPC, ""));
        }
        let decides = zones
            .iter()
            .map(|zone| (plain(text(&zone.name)), zone))
            .filter(|(name, _)| !name.is_empty() && is_under(host, name))
            .max_by_key(|(name, zone)| (name.len(), &zone.hosted_zone_id));
        // A zone whose records were not seen, or not all, matters where it decides.
        if let Some((_, zone)) = &decides {
            let id = text(&zone.hosted_zone_id);
            let gaps = &self.view.evidence.gaps;
            let is_of = |gap: &&Gap| {
                gap.fact == Fact::HostedZonesByVPC.name() && !id.is_empty() && gap.resource == id
            };
            if let Some(gap) = gaps.iter().find(is_of) {
                return Err(Missing {
                    fact: Fact::HostedZonesByVPC,
                    action: gap.action.clone(),
                    resource: id.to_owned(),
                    reason: match gap.reason {
                        Reason::Unsupported => gap.message.clone(),
                        reason => reason.words().to_owned(),
                    },
                });
            }
        }
        Ok(decides)
    }

    /// The resolver rule that decides for the name.
    pub(super) fn rule(
        &self,
        vpc: &str,
        host: &str,
    ) -> Result<Option<(String, &'a ResolverRule)>, Missing> {
        let rules = self.view.list(&self.view.evidence.resolver_rules, Fact::ResolverRules, vpc)?;
        self.view.whole(Fact::ResolverRules, vpc)?;
        Ok(rules
            .iter()
            .filter(|rule| rule.vpc_ids.iter().any(|id| id == vpc))
            .filter(|rule| rule.rule_type.as_deref() != Some("RECURSIVE"))
            .map(|rule| (plain(text(&rule.domain_name)), rule))
            .filter(|(domain, _)| is_under(host, domain))
            .max_by_key(|(domain, rule)| (domain.len(), &rule.resolver_rule_id)))
    }

    /// The answer of a private hosted zone; it never falls back to public DNS.
    pub(super) fn in_zone(
        &self,
        vpc: &'a str,
        zone: &'a HostedZone,
        host: &str,
        depth: u8,
    ) -> Answers<'a> {
        let id = text(&zone.hosted_zone_id);
        let label = format!("private hosted zone {id}");
        let named = |wanted: &str| -> Vec<&HostedZoneRecord> {
            zone.records.iter().filter(|record| plain(text(&record.name)) == wanted).collect()
        };
        let mut records = named(host);
        if records.is_empty() {
            let parents = host.match_indices('.').map(|(at, _)| format!("*{}", &host[at..]));
            records = parents
                // Route 53's API spells the asterisk as an octal escape.
                .flat_map(|name| [name.replace('*', "\\052"), name])
                .map(|name| named(&name))
                .find(|found| !found.is_empty())
                .unwrap_or_default();
        }
        let values: Vec<&str> = records
            .iter()
            .filter(|r| matches!(r.record_type.as_deref(), Some("A" | "AAAA" | "CNAME")))
            .flat_map(|record| &record.values)
            .map(String::as_str)
            .collect();
        let addresses: Vec<IpAddr> = values.iter().filter_map(|v| v.trim().parse().ok()).collect();
        if !addresses.is_empty() {
            let places = addresses
                .into_iter()
                .map(|a| Destination::locate(self.view, a, Some(vpc), host, false))
                .map(Place::certain);
            return vec![(label, Answer::Places(places.collect()))];
        }
        if let Some(name) = values.first() {
            return self.amazon(vpc, &plain(name), depth + 1);
        }
        let text = format!(
            "private hosted zone {id} ({}) shadows {host} and has no record for it",
            text(&zone.name),
        );
        let needed = Needed::setting(format!(
            "a record for {host} in {id}, or {id} disassociated from {vpc}"
        ));
        vec![(label, Answer::NoAddress { resource: id.to_owned(), text, needed })]
    }
}
