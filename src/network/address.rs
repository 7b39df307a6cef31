//! Addresses and blocks: parsing, what is private, and the representatives of
//! a block whose exact address is not known.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use serde::Serialize;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }

    /// The family as people write it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

/// A block, or one address as a block of its own; `None` where it is neither.
pub(super) fn block(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .map(|net| net.trunc())
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// True where the text is a block that holds the address.
pub(super) fn holds(text: Option<&str>, address: IpAddr) -> bool {
    text.and_then(block).is_some_and(|net| net.contains(&address))
}

const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// Blocks that are public by name but belong to nobody's hosts: the
/// documentation and benchmark ranges, multicast, "this network".
const UNUSED: [&str; 7] = [
    "0.0.0.0/8",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001:db8::/32",
];

/// True for addresses that the Internet does not route (RFC 1918, 6598, 4193,
/// loopback, link-local).
pub(super) fn is_private(address: IpAddr) -> bool {
    PRIVATE.iter().any(|text| holds(Some(text), address))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn address(family: Family, number: u128) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => u32::try_from(number).ok().map(|n| IpAddr::V4(Ipv4Addr::from(n))),
        Family::Ipv6 => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}

/// More than this many different neighbourhoods of one block are not kept
/// apart: the answer then rests on the first ones.
const MOST_REPRESENTATIVES: usize = 512;

/// One address for each part of `span` that no block of `cuts` divides: every
/// rule over those blocks treats all addresses of a part alike.
pub(super) fn representatives(span: IpNet, cuts: &[IpNet]) -> Vec<IpAddr> {
    let family = Family::of(span.addr());
    let (start, end) = (number(span.network()), number(span.broadcast()));
    let mut starts = BTreeSet::from([start]);
    for cut in cuts.iter().filter(|cut| Family::of(cut.addr()) == family) {
        let after = number(cut.broadcast()).checked_add(1);
        for boundary in [Some(number(cut.network())), after].into_iter().flatten() {
            if (start..=end).contains(&boundary) {
                starts.insert(boundary);
            }
        }
    }
    starts
        .into_iter()
        .take(MOST_REPRESENTATIVES)
        .filter_map(|number| address(family, number))
        .collect()
}

/// One address for each part of the public Internet that `cuts` tell apart.
pub(super) fn public_representatives(family: Family, cuts: &[IpNet]) -> Vec<IpAddr> {
    let whole = match family {
        Family::Ipv4 => "0.0.0.0/0",
        // Only this part of the IPv6 space is handed out.
        Family::Ipv6 => "2000::/3",
    };
    let closed: Vec<IpNet> = PRIVATE.iter().chain(&UNUSED).filter_map(|text| block(text)).collect();
    let all: Vec<IpNet> = cuts.iter().chain(&closed).copied().collect();
    let Some(span) = block(whole) else { return Vec::new() };
    representatives(span, &all)
        .into_iter()
        .filter(|&address| !closed.iter().any(|net| net.contains(&address)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Family, block, is_private, public_representatives, representatives};

    fn cut(texts: &[&str]) -> Vec<ipnet::IpNet> {
        texts.iter().filter_map(|text| block(text)).collect()
    }

    #[test]
    fn a_block_is_represented_where_rules_divide_it() {
        let span = block("10.0.1.0/24").expect("block");
        let found = representatives(span, &cut(&["10.0.1.128/25", "10.0.0.0/16", "::/0"]));
        assert_eq!(
            found,
            [
                "10.0.1.0".parse::<std::net::IpAddr>().expect("ip"),
                "10.0.1.128".parse().expect("ip")
            ]
        );
        assert_eq!(representatives(span, &cut(&["10.0.1.7/32"])).len(), 3);
    }

    #[test]
    fn the_end_of_the_address_space_is_no_panic() {
        let all = block("::/0").expect("block");
        assert_eq!(representatives(all, &cut(&["::/0", "ffff::/16"])).len(), 2);
        let v4 = block("0.0.0.0/0").expect("block");
        assert_eq!(representatives(v4, &cut(&["255.0.0.0/8"])).len(), 2);
    }

    #[test]
    fn public_representatives_are_public() {
        let found = public_representatives(Family::Ipv4, &cut(&["10.0.0.0/16", "52.0.0.0/8"]));
        assert!(found.iter().all(|&address| !is_private(address)), "{found:?}");
        assert!(found.contains(&"52.0.0.0".parse().expect("ip")));
        assert!(!public_representatives(Family::Ipv6, &[]).is_empty());
    }

    #[test]
    fn bad_blocks_are_no_blocks() {
        assert!(block("10.0.0.0/33").is_none());
        assert!(block("").is_none());
        assert_eq!(block("10.0.0.5/16"), block("10.0.0.0/16"));
        assert_eq!(block("10.0.0.5"), block("10.0.0.5/32"));
    }
}
