//! Rules of security groups. A side of a rule that is open stands in it as a prefix list
//! whose entries nobody knows: the rest of what the group allows is known.

use crate::evidence::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};

/// A rule, from blocks, prefix lists and groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    /// Name or number; all protocols where none is said.
    pub(crate) protocol: Option<String>,
    /// First and last port.
    pub(crate) ports: (Option<i64>, Option<i64>),
    pub(crate) ipv4: Vec<String>,
    pub(crate) ipv6: Vec<String>,
    pub(crate) prefix_lists: Vec<String>,
    /// Groups, each with its account.
    pub(crate) groups: Vec<(String, String)>,
}

impl Rule {
    /// The rule in the shape of EC2.
    pub(crate) fn permission(self) -> IpPermission {
        let protocol = match self.protocol.as_deref() {
            None | Some("all") => "-1".to_owned(),
            Some(protocol) => protocol.to_owned(),
        };
        let (from, to) = if protocol == "-1" { (None, None) } else { self.ports };
        let ipv4 = |block| IpRange { cidr_ip: Some(block), ..IpRange::default() };
        let ipv6 = |block| Ipv6Range { cidr_ipv6: Some(block), ..Ipv6Range::default() };
        let list = |id| PrefixListId { prefix_list_id: Some(id), ..PrefixListId::default() };
        let pair = |(group, account)| UserIdGroupPair {
            group_id: Some(group),
            user_id: Some(account),
            ..UserIdGroupPair::default()
        };
        IpPermission {
            ip_protocol: Some(protocol),
            from_port: from,
            to_port: to,
            ip_ranges: self.ipv4.into_iter().map(ipv4).collect(),
            ipv6_ranges: self.ipv6.into_iter().map(ipv6).collect(),
            prefix_list_ids: self.prefix_lists.into_iter().map(list).collect(),
            user_id_group_pairs: self.groups.into_iter().map(pair).collect(),
        }
    }

    /// A rule of which nothing is known.
    pub(crate) fn open(prefix_list: String) -> IpPermission {
        Self { prefix_lists: vec![prefix_list], ..Self::default() }.permission()
    }
}
