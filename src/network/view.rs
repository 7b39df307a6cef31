//! The evidence, indexed for path walking: by id, by address, by association.
//! A look-up says what it did not see; nothing here judges.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use ipnet::IpNet;

use super::{Missing, address::block};
use crate::evidence::*;

/// The evidence as the engine looks at it.
pub(super) struct View<'a> {
    pub(super) evidence: &'a Evidence,
    vpcs: HashMap<&'a str, &'a Vpc>,
    subnets: HashMap<&'a str, &'a Subnet>,
    groups: HashMap<&'a str, &'a SecurityGroup>,
    interfaces: HashMap<&'a str, &'a NetworkInterface>,
    by_address: HashMap<IpAddr, Vec<&'a NetworkInterface>>,
    by_public_address: HashMap<IpAddr, &'a NetworkInterface>,
    tables: BTreeMap<&'a str, &'a RouteTable>,
    main_tables: BTreeMap<&'a str, &'a RouteTable>,
    acls: BTreeMap<&'a str, &'a NetworkAcl>,
    default_acls: BTreeMap<&'a str, &'a NetworkAcl>,
}

/// The items of an observed list; none where it was not seen.
pub(super) fn items<T>(observed: &Observed<Vec<T>>) -> &[T] {
    observed.known().map_or(&[], Vec::as_slice)
}

/// The text of an optional field, empty where it is unset.
pub(super) fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn by_id<T>(list: &[T], id: impl Fn(&T) -> &Option<String>) -> HashMap<&str, &T> {
    list.iter().filter_map(|item| Some((id(item).as_deref()?, item))).collect()
}

/// The addresses of an interface inside its VPC.
pub(super) fn addresses(interface: &NetworkInterface) -> impl Iterator<Item = IpAddr> {
    let v4 = interface.private_ip_addresses.iter().map(|a| text(&a.private_ip_address));
    let v6 = interface.ipv6_addresses.iter().map(|a| text(&a.ipv6_address));
    v4.chain(v6).filter_map(|text| text.parse().ok())
}

impl<'a> View<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        let mut view = Self {
            evidence,
            vpcs: by_id(items(&evidence.vpcs), |v| &v.vpc_id),
            subnets: by_id(items(&evidence.subnets), |s| &s.subnet_id),
            groups: by_id(items(&evidence.security_groups), |g| &g.group_id),
            interfaces: by_id(items(&evidence.network_interfaces), |i| &i.network_interface_id),
            by_address: HashMap::new(),
            by_public_address: HashMap::new(),
            tables: BTreeMap::new(),
            main_tables: BTreeMap::new(),
            acls: BTreeMap::new(),
            default_acls: BTreeMap::new(),
        };
        for interface in items(&evidence.network_interfaces) {
            for address in addresses(interface) {
                view.by_address.entry(address).or_default().push(interface);
            }
            let public = interface.association.as_ref().and_then(|a| a.public_ip.as_deref());
            if let Some(address) = public.and_then(|text| text.parse().ok()) {
                view.by_public_address.insert(address, interface);
            }
        }
        view.associate_tables();
        view.associate_acls();
        view
    }

    fn associate_tables(&mut self) {
        let mut tables: Vec<_> = items(&self.evidence.route_tables).iter().collect();
        tables.sort_by_key(|table| &table.route_table_id);
        for table in tables {
            for association in &table.associations {
                if let Some(subnet) = association.subnet_id.as_deref() {
                    self.tables.entry(subnet).or_insert(table);
                } else if association.main == Some(true)
                    && let Some(vpc) = table.vpc_id.as_deref()
                {
                    self.main_tables.entry(vpc).or_insert(table);
                }
            }
        }
    }

    fn associate_acls(&mut self) {
        let mut acls: Vec<_> = items(&self.evidence.network_acls).iter().collect();
        acls.sort_by_key(|acl| &acl.network_acl_id);
        for acl in acls {
            for subnet in acl.associations.iter().filter_map(|a| a.subnet_id.as_deref()) {
                self.acls.entry(subnet).or_insert(acl);
            }
            if acl.is_default == Some(true)
                && let Some(vpc) = acl.vpc_id.as_deref()
            {
                self.default_acls.entry(vpc).or_insert(acl);
            }
        }
    }

    /// The fact as one that was not seen.
    pub(super) fn missing(&self, fact: Fact, resource: &str) -> Missing {
        let gap = self.evidence.gap(fact, Some(resource)).or_else(|| self.evidence.gap(fact, None));
        let first_action = fact.actions()[0];
        match gap {
            Some(gap) => Missing {
                fact,
                action: if gap.action.is_empty() { first_action } else { &gap.action }.to_owned(),
                resource: if resource.is_empty() { &gap.resource } else { resource }.to_owned(),
                reason: gap.words(),
            },
            None => Missing {
                fact,
                action: first_action.to_owned(),
                resource: resource.to_owned(),
                reason: "not seen".to_owned(),
            },
        }
    }

    /// A list that may be empty; an error where it was not seen at all. What the service
    /// does not offer is absent where the fact's row says that this is safe.
    pub(super) fn list<T>(
        &self,
        observed: &'a Observed<Vec<T>>,
        fact: Fact,
        resource: &str,
    ) -> Result<&'a [T], Missing> {
        match observed {
            Observed::Known(list) => Ok(list),
            Observed::Absent => Ok(&[]),
            Observed::NotSeen(gap) if gap.means_absent() => Ok(&[]),
            _ => Err(self.missing(fact, resource)),
        }
    }

    /// An error where something of the list may be hidden from us: "it is not
    /// in the list" then proves nothing. `names` are the ids that a gap about
    /// them would matter for; gaps about another VPC do not.
    pub(super) fn whole(&self, fact: Fact, vpc: &str) -> Result<(), Missing> {
        let hidden = self.evidence.gaps.iter().any(|gap| {
            gap.fact == fact.name()
                && !gap.means_absent()
                && (!gap.resource.starts_with("vpc-") || gap.resource == vpc)
        });
        if hidden { Err(self.missing(fact, "")) } else { Ok(()) }
    }

    pub(super) fn vpc(&self, id: &str) -> Result<&'a Vpc, Missing> {
        self.vpcs.get(id).copied().ok_or_else(|| self.missing(Fact::Vpcs, id))
    }

    pub(super) fn subnet(&self, id: &str) -> Result<&'a Subnet, Missing> {
        self.subnets.get(id).copied().ok_or_else(|| self.missing(Fact::Subnets, id))
    }

    /// A security group. One of a VPC that was not seen acts here only by its association,
    /// while that is in state `associated`.
    pub(super) fn group(&self, id: &str) -> Result<&'a SecurityGroup, Missing> {
        let group = self.groups.get(id).copied();
        let group = group.ok_or_else(|| self.missing(Fact::SecurityGroups, id))?;
        if group.vpc_id.as_deref().is_none_or(|vpc| self.vpcs.contains_key(vpc)) {
            return Ok(group);
        }
        let associations = items(&self.evidence.security_group_vpc_associations).iter();
        let own = associations.filter(|one| one.group_id.as_deref() == Some(id));
        match own.map(|one| text(&one.state)).find(|state| *state != "associated") {
            None => Ok(group),
            Some(state) => Err(Missing {
                reason: format!("its association with the VPC is in state {state}"),
                ..self.missing(Fact::SecurityGroupVpcAssociations, id)
            }),
        }
    }

    pub(super) fn interface(&self, id: &str) -> Result<&'a NetworkInterface, Missing> {
        self.interfaces.get(id).copied().ok_or_else(|| self.missing(Fact::NetworkInterfaces, id))
    }

    /// The interface with that private address, in `vpc` where several VPCs
    /// use the address.
    pub(super) fn interface_at(
        &self,
        address: IpAddr,
        vpc: Option<&str>,
    ) -> Option<&'a NetworkInterface> {
        let found = self.by_address.get(&address)?;
        let own = found.iter().find(|i| vpc.is_some() && i.vpc_id.as_deref() == vpc);
        own.or_else(|| found.iter().min_by_key(|i| &i.network_interface_id)).copied()
    }

    /// The interface endpoint that an interface belongs to.
    pub(super) fn endpoint_of(&self, interface: &NetworkInterface) -> Option<&'a VpcEndpoint> {
        let id = interface.network_interface_id.as_ref()?;
        items(&self.evidence.vpc_endpoints)
            .iter()
            .find(|endpoint| endpoint.network_interface_ids.contains(id))
    }

    pub(super) fn interface_at_public(&self, address: IpAddr) -> Option<&'a NetworkInterface> {
        self.by_public_address.get(&address).copied()
    }

    /// The route table of a subnet: the explicit one, else the VPC's main one.
    /// The flag says that it is the main one.
    pub(super) fn table(&self, subnet: &Subnet) -> Result<(&'a RouteTable, bool), Missing> {
        let id = text(&subnet.subnet_id);
        if let Some(table) = self.tables.get(id) {
            return Ok((table, false));
        }
        let vpc = text(&subnet.vpc_id);
        self.whole(Fact::RouteTables, vpc)?;
        let main = self.main_tables.get(vpc).copied();
        main.map(|table| (table, true)).ok_or_else(|| self.missing(Fact::RouteTables, vpc))
    }

    /// The network ACL of a subnet: the explicit one, else the VPC's default.
    pub(super) fn acl(&self, subnet: &Subnet) -> Result<&'a NetworkAcl, Missing> {
        let id = text(&subnet.subnet_id);
        if let Some(acl) = self.acls.get(id) {
            return Ok(acl);
        }
        let vpc = text(&subnet.vpc_id);
        self.whole(Fact::NetworkAcls, vpc)?;
        self.default_acls.get(vpc).copied().ok_or_else(|| self.missing(Fact::NetworkAcls, id))
    }

    /// The entries of a prefix list.
    pub(super) fn prefix_list(&self, id: &str) -> Result<Vec<IpNet>, Missing> {
        let lists = self.evidence.managed_prefix_list_entries.known();
        let entries = lists.and_then(|lists| lists.get(id));
        let refused = self
            .evidence
            .gaps
            .iter()
            .any(|gap| gap.fact == Fact::ManagedPrefixListEntries.name() && gap.resource == id);
        match entries {
            Some(entries) if !refused || !entries.is_empty() => {
                Ok(entries.iter().filter_map(|entry| block(entry)).collect())
            }
            _ => {
                let mut missing = self.missing(Fact::ManagedPrefixListEntries, id);
                if missing.reason == "not seen" {
                    // The entries are what decides, not the list's description.
                    missing.action = "ec2:GetManagedPrefixListEntries".to_owned();
                }
                Err(missing)
            }
        }
    }

    /// The blocks of a VPC, of both families.
    pub(super) fn vpc_blocks(&self, vpc: &Vpc) -> Vec<IpNet> {
        let live = |state: &Option<CidrBlockState>| {
            let state = state.as_ref().and_then(|s| s.state.as_deref());
            matches!(state, None | Some("associated" | "associating"))
        };
        let v4 = vpc.cidr_block_association_set.iter().filter(|a| live(&a.cidr_block_state));
        let v6 = vpc.ipv6_cidr_block_association_set.iter();
        let v6 = v6.filter(|a| live(&a.ipv6_cidr_block_state));
        let mut texts: BTreeSet<&str> = v4.map(|a| text(&a.cidr_block)).collect();
        texts.extend(v6.map(|a| text(&a.ipv6_cidr_block)));
        texts.insert(text(&vpc.cidr_block));
        texts.into_iter().filter_map(block).collect()
    }

    /// True where a VPC that was seen holds the address.
    pub(super) fn in_vpc(&self, vpc: &str, address: IpAddr) -> bool {
        let blocks = self.vpcs.get(vpc).map(|vpc| self.vpc_blocks(vpc)).unwrap_or_default();
        blocks.iter().any(|net| net.contains(&address))
    }

    /// The blocks of a subnet, of both families.
    pub(super) fn subnet_blocks(subnet: &Subnet) -> Vec<IpNet> {
        let v6 = subnet.ipv6_cidr_block_association_set.iter();
        let v6 = v6.filter(|a| {
            let state = a.ipv6_cidr_block_state.as_ref().and_then(|s| s.state.as_deref());
            matches!(state, None | Some("associated"))
        });
        let texts = std::iter::once(text(&subnet.cidr_block));
        texts.chain(v6.map(|a| text(&a.ipv6_cidr_block))).filter_map(block).collect()
    }

    /// The subnet of a VPC that holds the address.
    pub(super) fn subnet_of(&self, vpc: &str, address: IpAddr) -> Option<&'a Subnet> {
        let subnets = items(&self.evidence.subnets).iter();
        subnets
            .filter(|subnet| text(&subnet.vpc_id) == vpc)
            .filter(|subnet| Self::subnet_blocks(subnet).iter().any(|net| net.contains(&address)))
            .min_by_key(|subnet| &subnet.subnet_id)
    }

    /// The id of the VPC (of those seen) that holds the address; `prefer`
    /// first.
    pub(super) fn vpc_of(&self, address: IpAddr, prefer: Option<&str>) -> Option<&'a str> {
        let mut ids: Vec<&str> = self.vpcs.keys().copied().collect();
        ids.sort_by_key(|id| (Some(*id) != prefer, *id));
        ids.into_iter().find(|id| self.in_vpc(id, address))
    }

    /// Every block that divides addresses on some path: entries of ACLs,
    /// destinations of routes, prefix lists, and the rules of these groups.
    pub(super) fn cuts(&self, groups: &BTreeSet<&str>) -> Vec<IpNet> {
        let mut texts: BTreeSet<&str> = BTreeSet::new();
        for acl in items(&self.evidence.network_acls) {
            texts.extend(acl.entries.iter().filter_map(|e| e.cidr_block.as_deref()));
            texts.extend(acl.entries.iter().filter_map(|e| e.ipv6_cidr_block.as_deref()));
        }
        for table in items(&self.evidence.route_tables) {
            texts.extend(table.routes.iter().filter_map(|r| r.destination_cidr_block.as_deref()));
            texts.extend(
                table.routes.iter().filter_map(|r| r.destination_ipv6_cidr_block.as_deref()),
            );
        }
        for table in items(&self.evidence.transit_gateway_route_tables) {
            texts.extend(table.routes.iter().filter_map(|r| r.destination_cidr_block.as_deref()));
        }
        for group in groups.iter().filter_map(|id| self.groups.get(id)) {
            for rule in group.ip_permissions.iter().chain(&group.ip_permissions_egress) {
                texts.extend(rule.ip_ranges.iter().filter_map(|r| r.cidr_ip.as_deref()));
                texts.extend(rule.ipv6_ranges.iter().filter_map(|r| r.cidr_ipv6.as_deref()));
            }
        }
        if let Some(lists) = self.evidence.managed_prefix_list_entries.known() {
            texts.extend(lists.values().flatten().map(String::as_str));
        }
        texts.into_iter().filter_map(block).collect()
    }

    /// The groups of every interface that a route names.
    pub(super) fn device_groups(&self) -> BTreeSet<&'a str> {
        let routes = items(&self.evidence.route_tables).iter().flat_map(|table| &table.routes);
        let devices =
            routes.filter_map(|route| self.interfaces.get(route.network_interface_id.as_deref()?));
        devices.flat_map(|i| &i.groups).filter_map(|group| group.group_id.as_deref()).collect()
    }

    /// The two DNS attributes of a VPC: support, hostnames.
    pub(super) fn dns_attributes(&self, vpc: &str) -> Result<(bool, bool), Missing> {
        let attributes = self.evidence.vpc_attributes.known().and_then(|all| all.get(vpc));
        let value = |attribute: &Option<BooleanAttribute>| attribute.as_ref()?.value;
        attributes
            .and_then(|a| Some((value(&a.enable_dns_support)?, value(&a.enable_dns_hostnames)?)))
            .ok_or_else(|| self.missing(Fact::VpcAttributes, vpc))
    }
}
