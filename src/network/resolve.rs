//! What a host name means to the function, before any path is walked: DHCP
//! options, resolver rules, private names of endpoints, private hosted zones,
//! RDS names inside and outside. Where several answers are possible, all are
//! given; which of them matters is decided by the paths.

use std::net::IpAddr;

use super::{
    Missing, Needed, Target, UnusedEndpoint,
    address::public_representatives,
    database, endpoint,
    place::{Destination, Place},
    resolver::{Answer, Answers, Resolver, plain},
    view::{items, text},
};
use crate::evidence::{Fact, Observed, VpcEndpoint};

/// All that is known about a name.
pub(super) struct Resolution<'a> {
    /// The possible answers, with the words for where each comes from.
    pub(super) answers: Vec<(String, Answer<'a>)>,
    /// Why there are several.
    pub(super) doubts: Vec<Missing>,
    /// What else is worth knowing about the name.
    pub(super) remarks: Vec<String>,
    /// Endpoints for the service that the name does not lead to.
    pub(super) unused: Vec<UnusedEndpoint>,
    /// The endpoints for other services, where there is none for this one.
    pub(super) others: Option<String>,
}

/// CNAMEs that follow each other further than this go round in a circle.
const LONGEST_CHAIN: u8 = 8;

impl<'a> Resolver<'_, 'a> {
    pub(super) fn resolve(self) -> Resolution<'a> {
        let host = plain(self.target.host());
        let mut answers = match (host.parse::<IpAddr>(), self.vpc) {
            (Ok(address), vpc) => {
                let found = Destination::locate(self.view, address, vpc, &host, false);
                vec![("an address".to_owned(), Answer::Places(vec![Place::certain(found)]))]
            }
            (Err(_), None) => vec![self.public(&host)],
            (Err(_), Some(vpc)) => self.in_vpc(vpc, &host),
        };
        for (_, answer) in &mut answers {
            if let Answer::Places(places) = answer {
                Place::sort(places);
            }
        }
        if let Target::AwsApi { service, .. } = self.target {
            for (_, answer) in &mut answers {
                if let Some(worse) = unusable(answer, service) {
                    *answer = worse;
                }
            }
        }
        let unused = endpoint::unused(self.view, self.vpc, self.target);
        let others = endpoint::others(self.view, self.vpc, self.target);
        let mut doubts = self.doubts.into_inner();
        doubts.sort();
        doubts.dedup();
        let mut remarks = self.remarks.into_inner();
        remarks.sort();
        remarks.dedup();
        Resolution { answers, doubts, remarks, unused, others }
    }

    fn in_vpc(&self, vpc: &'a str, host: &str) -> Answers<'a> {
        let mut answers = match self.foreign_servers(vpc) {
            Ok(None) => return self.amazon(vpc, host, 0),
            Ok(Some((options, servers))) => {
                let reason = format!(
                    "{options} sends names to {servers}, and what those answer cannot be seen"
                );
                self.doubt_about(Fact::DhcpOptions, options, reason);
                // Servers of one's own may hand names on to Amazon's resolver,
                // where that one answers at all.
                match self.view.dns_attributes(vpc) {
                    Ok((false, _)) => Vec::new(),
                    _ => self.amazon(vpc, host, 0),
                }
            }
            Err(missing) => {
                self.doubt(missing);
                self.amazon(vpc, host, 0)
            }
        };
        answers.push(self.public(host));
        answers
    }

    /// The DHCP options and the servers they name, where these are not
    /// Amazon's.
    fn foreign_servers(&self, vpc: &str) -> Result<Option<(&'a str, String)>, Missing> {
        let found = self.view.vpc(vpc)?;
        let id = match found.dhcp_options_id.as_deref() {
            Some("default") => return Ok(None),
            Some(id) => id,
            None => return Err(self.view.missing(Fact::Vpcs, vpc)),
        };
        // A set that the answer does not hold is none: Amazon's resolver answers.
        if self.view.evidence.dhcp_options == Observed::Absent {
            return Ok(None);
        }
        let list = items(&self.view.evidence.dhcp_options);
        let options = list
            .iter()
            .find(|options| options.dhcp_options_id.as_deref() == Some(id))
            .ok_or_else(|| self.view.missing(Fact::DhcpOptions, id))?;
        let servers: Vec<&str> = options
            .dhcp_configurations
            .iter()
            .filter(|setting| setting.key.as_deref() == Some("domain-name-servers"))
            .flat_map(|setting| &setting.values)
            .flat_map(|value| text(&value.value).split(','))
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .collect();
        let plus_two = super::address::block(text(&found.cidr_block))
            .and_then(|net| net.hosts().nth(1).or_else(|| net.hosts().next()));
        let is_amazon = |server: &str| {
            matches!(server, "AmazonProvidedDNS" | "169.254.169.253" | "fd00:ec2::253")
                || server.parse::<IpAddr>().ok().is_some_and(|address| Some(address) == plus_two)
        };
        if servers.iter().all(|server| is_amazon(server)) {
            Ok(None)
        } else {
            Ok(Some((id, servers.join(", "))))
        }
    }

    /// What Amazon's resolver answers in the VPC.
    pub(super) fn amazon(&self, vpc: &'a str, host: &str, depth: u8) -> Answers<'a> {
        match self.view.dns_attributes(vpc) {
            Ok(attributes) => self.with_attributes(vpc, attributes, host, depth),
            Err(missing) => {
                self.doubt(missing);
                let all = [(true, true), (true, false), (false, false)];
                all.into_iter().flat_map(|a| self.with_attributes(vpc, a, host, depth)).collect()
            }
        }
    }

    fn with_attributes(
        &self,
        vpc: &'a str,
        (support, hostnames): (bool, bool),
        host: &str,
        depth: u8,
    ) -> Answers<'a> {
        if !support {
            let text = format!(
                "enableDnsSupport (EnableDnsSupport) of {vpc} is off: no resolver answers {host}"
            );
            let needed = Needed::setting(format!("enableDnsSupport on for {vpc}"));
            let answer = Answer::NoAddress { resource: vpc.to_owned(), text, needed };
            return vec![(vpc.to_owned(), answer)];
        }
        if depth > LONGEST_CHAIN {
            let text = format!("the records for {host} go round in a circle");
            let answer = Answer::NoAddress { resource: vpc.to_owned(), text, needed: None };
            return vec![(vpc.to_owned(), answer)];
        }
        let mut answers = Vec::new();
        let zone = if hostnames {
            self.hosted_zone(vpc, host).unwrap_or_else(|missing| {
                answers.push((missing.to_string(), Answer::Unseen(missing.clone())));
                self.doubt(missing);
                None
            })
        } else {
            None
        };
        let hidden = if hostnames {
            self.private_names(vpc, host).unwrap_or_else(|missing| {
                answers.push((missing.to_string(), Answer::Unseen(missing.clone())));
                self.doubt(missing);
                Vec::new()
            })
        } else {
            Vec::new()
        };
        let rule = self.rule(vpc, host).unwrap_or_else(|missing| {
            answers.push((missing.to_string(), Answer::Unseen(missing.clone())));
            self.doubt(missing);
            None
        });
        let zone_length = zone.as_ref().map(|(name, _)| name.len());
        let private = if hidden.is_empty() { zone_length } else { Some(host.len()) };
        if let Some((domain, rule)) = rule
            && rule.rule_type.as_deref() == Some("FORWARD")
            && private.is_none_or(|length| domain.len() >= length)
        {
            let id = text(&rule.resolver_rule_id);
            let servers = rule.target_ips.join(", ");
            let reason =
                format!("{id} forwards {domain} to {servers}, whose answer cannot be seen");
            self.doubt_about(Fact::ResolverRules, id, reason);
            answers.push(self.public(host));
        }
        if hidden.len() + usize::from(zone_length == Some(host.len())) > 1 {
            let reason = format!("{host} is defined more than once in {vpc}");
            self.doubt_about(Fact::VpcEndpoints, vpc, reason);
        }
        for endpoint in &hidden {
            let id = text(&endpoint.vpc_endpoint_id);
            answers.push((format!("private name of {id}"), self.endpoint(endpoint, host)));
        }
        for endpoint in self.named_by(vpc, host, None) {
            let id = text(&endpoint.vpc_endpoint_id);
            let reason = format!("whether the private DNS of {id} is on is not visible");
            self.doubt_about(Fact::VpcEndpoints, id, reason);
            answers.push((format!("private name of {id}"), self.endpoint(endpoint, host)));
        }
        match zone {
            Some((name, zone)) if hidden.is_empty() || name == host => {
                answers.extend(self.in_zone(vpc, zone, host, depth));
            }
            _ if hidden.is_empty() => answers.push(self.ordinary(host, true)),
            _ => {}
        }
        answers
    }

    /// The endpoints whose private name this is, in this VPC, in service.
    fn private_names(&self, vpc: &str, host: &str) -> Result<Vec<&'a VpcEndpoint>, Missing> {
        if !endpoint::is_service_name(host) {
            return Ok(Vec::new());
        }
        self.view.list(&self.view.evidence.vpc_endpoints, Fact::VpcEndpoints, vpc)?;
        let mut found = self.named_by(vpc, host, Some(true));
        if found.is_empty() {
            self.view.whole(Fact::VpcEndpoints, vpc)?;
        }
        found.sort_by_key(|endpoint| &endpoint.vpc_endpoint_id);
        Ok(found)
    }

    /// The interface endpoints of a VPC, in service, that answer to a name where their
    /// private DNS is on; `private_dns` is what is known of that.
    fn named_by(&self, vpc: &str, host: &str, private_dns: Option<bool>) -> Vec<&'a VpcEndpoint> {
        items(&self.view.evidence.vpc_endpoints)
            .iter()
            .filter(|one| one.vpc_id.as_deref() == Some(vpc))
            .filter(|one| one.private_dns_enabled == private_dns)
            .filter(|one| private_dns.is_some() || endpoint::is_interface(one))
            .filter(|one| endpoint::is_available(one) && endpoint::has_private_name(one, host))
            .filter(|_| endpoint::is_service_name(host))
            .collect()
    }

    fn endpoint(&self, endpoint: &'a VpcEndpoint, host: &str) -> Answer<'a> {
        match endpoint::places(self.view, endpoint, host, &self.groups) {
            Ok(places) => Answer::Places(places),
            Err(missing) => Answer::Unseen(missing),
        }
    }

    fn public(&self, host: &str) -> (String, Answer<'a>) {
        self.ordinary(host, false)
    }

    /// The answer without private zones: names of endpoints, of databases, and
    /// public DNS. `inside` is Amazon's resolver in the VPC, which knows the
    /// private face of a public database.
    fn ordinary(&self, host: &str, inside: bool) -> (String, Answer<'a>) {
        if let Some(found) = endpoint::with_own_name(self.view, host) {
            let label = format!("name of {}", text(&found.vpc_endpoint_id));
            return (label, self.endpoint(found, host));
        }
        if let Some(answer) = database::answer(self, host, inside) {
            return ("RDS".to_owned(), answer);
        }
        let label = "public DNS".to_owned();
        let service = matches!(self.target, Target::AwsApi { .. });
        let recorded = self.dns.addresses(host);
        if !recorded.is_empty() {
            let vpc = self.vpc;
            let places = recorded
                .into_iter()
                .map(|a| Destination::locate(self.view, a, vpc, host, service))
                .map(Place::certain);
            return (label, Answer::Places(places.collect()));
        }
        if endpoint::is_own_name(host) {
            return (label, Answer::Unseen(self.view.missing(Fact::VpcEndpoints, host)));
        }
        if service && endpoint::is_service_name(host) {
            return (label, Answer::Places(self.somewhere(host)));
        }
        let mut missing = self.view.missing(Fact::DBInstances, host);
        if missing.reason == "not seen" {
            missing.reason = "no database and no record of that name was seen".to_owned();
        }
        (label, Answer::Unseen(missing))
    }

    /// A public address of AWS's that was not looked up: somewhere in the
    /// Internet, and whether in IPv6 too is not known.
    fn somewhere(&self, host: &str) -> Vec<Place<'a>> {
        use super::Family;
        let mut groups = self.view.device_groups();
        groups.extend(&self.groups);
        let cuts = self.view.cuts(&groups);
        let unseen = Missing {
            fact: Fact::VpcEndpoints,
            action: String::new(),
            resource: host.to_owned(),
            reason: format!("the public address of {host} was not looked up"),
        };
        [Family::Ipv4, Family::Ipv6]
            .into_iter()
            .map(|family| Place {
                candidates: public_representatives(family, &cuts)
                    .into_iter()
                    // A VPC's own IPv6 block is public, and none of AWS's services is in it.
                    .filter(|a| self.view.vpc_of(*a, None).is_none())
                    .map(|a| Destination::locate(self.view, a, None, host, true))
                    .map(|found| {
                        found.standing_for(match family {
                            Family::Ipv4 => "the Internet",
                            Family::Ipv6 => "the Internet (IPv6)",
                        })
                    })
                    .collect(),
                unseen: Some(unseen.clone()),
                doubtful: family == Family::Ipv6,
            })
            .collect()
    }
}

/// The answer as unusable, where an endpoint that it leads to does not serve.
fn unusable<'a>(answer: &Answer<'a>, service: &str) -> Option<Answer<'a>> {
    let Answer::Places(places) = answer else { return None };
    places.iter().flat_map(|place| &place.candidates).find_map(|candidate| {
        let super::place::Kind::Endpoint(found) = candidate.kind else { return None };
        let text = endpoint::out_of_service(found, service)?;
        Some(Answer::Unusable {
            endpoint: super::view::text(&found.vpc_endpoint_id).to_owned(),
            text,
        })
    })
}
