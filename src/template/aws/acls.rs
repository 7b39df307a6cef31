//! Network ACLs: their entries as EC2 shows them, and the ACL that comes with each VPC.

use super::{Open, Setting};
use crate::evidence::{NetworkAcl, NetworkAclAssociation, NetworkAclEntry, PortRange};

/// The number of the entry that ends each direction of every ACL, for IPv4; the next one
/// is that for IPv6.
const LAST: i64 = 32767;
/// The number of the entry that lets everything through in a default ACL.
const FIRST: i64 = 100;

/// What a file says of an entry.
pub(crate) struct EntrySettings {
    pub(crate) number: Setting<i64>,
    pub(crate) egress: bool,
    pub(crate) protocol: Setting<String>,
    pub(crate) action: Setting<String>,
    pub(crate) ipv4: Setting<String>,
    pub(crate) ipv6: Setting<String>,
    pub(crate) ports: (Setting<i64>, Setting<i64>),
}

impl EntrySettings {
    /// The entry in the shape of EC2.
    ///
    /// # Errors
    /// What of it is open or missing; `name` names it.
    pub(crate) fn entry(self, name: &str) -> Result<NetworkAclEntry, Open> {
        let missing = |what: &str| Open::named(name, format!("{name} does not show its {what}"));
        let number = self.number.settled()?.ok_or_else(|| missing("number"))?;
        let action = self.action.settled()?.ok_or_else(|| missing("action"))?;
        let protocol = protocol_number(self.protocol.settled()?.as_deref().unwrap_or("-1"));
        let (from, to) = (self.ports.0.settled()?, self.ports.1.settled()?);
        let every_port = protocol == "-1";
        Ok(NetworkAclEntry {
            rule_number: Some(number),
            egress: Some(self.egress),
            rule_action: Some(action.to_ascii_lowercase()),
            cidr_block: self.ipv4.settled()?,
            ipv6_cidr_block: self.ipv6.settled()?,
            port_range: from
                .zip(to)
                .filter(|_| !every_port)
                .map(|(from, to)| PortRange { from: Some(from), to: Some(to) }),
            protocol: Some(protocol),
        })
    }
}

/// EC2 shows protocols by their numbers.
fn protocol_number(named: &str) -> String {
    match named.to_ascii_lowercase().as_str() {
        "all" => "-1",
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        _ => named,
    }
    .to_owned()
}

fn everything(number: i64, egress: bool, action: &str) -> [NetworkAclEntry; 2] {
    let entry = NetworkAclEntry {
        rule_number: Some(number),
        egress: Some(egress),
        protocol: Some("-1".to_owned()),
        rule_action: Some(action.to_owned()),
        ..NetworkAclEntry::default()
    };
    let ipv6 = NetworkAclEntry {
        rule_number: Some(number + 1),
        ipv6_cidr_block: Some("::/0".to_owned()),
        ..entry.clone()
    };
    [NetworkAclEntry { cidr_block: Some("0.0.0.0/0".to_owned()), ..entry }, ipv6]
}

/// The entries that end every ACL and that nobody can change.
pub(crate) fn last_entries() -> Vec<NetworkAclEntry> {
    [true, false].into_iter().flat_map(|egress| everything(LAST, egress, "deny")).collect()
}

/// The entries that an ACL has that comes with a VPC, beside the last ones (Amazon VPC
/// User Guide, "Default network ACL").
pub(crate) fn default_entries() -> Vec<NetworkAclEntry> {
    [true, false].into_iter().flat_map(|egress| everything(FIRST, egress, "allow")).collect()
}

/// An ACL with the subnets that have it.
pub(crate) fn acl(
    id: &str,
    vpc: Option<String>,
    is_default: bool,
    entries: Vec<NetworkAclEntry>,
    subnets: Vec<String>,
) -> NetworkAcl {
    let associations = subnets.into_iter().map(|subnet| NetworkAclAssociation {
        network_acl_id: Some(id.to_owned()),
        subnet_id: Some(subnet),
    });
    NetworkAcl {
        network_acl_id: Some(id.to_owned()),
        vpc_id: vpc,
        is_default: Some(is_default),
        associations: associations.collect(),
        entries,
    }
}
