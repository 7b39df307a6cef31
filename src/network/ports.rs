//! Sets of TCP ports as sorted, disjoint ranges. A stateless filter lets
//! through a set of ports, not "a port", and that is what this type is for.

use std::fmt;

/// A set of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<(u16, u16)>);

impl PortSet {
    /// No port.
    pub fn empty() -> Self {
        Self::default()
    }

    /// One port.
    pub fn one(port: u16) -> Self {
        Self(vec![(port, port)])
    }

    /// All ports from `first` to `last`, both included; none where `first` is
    /// the greater.
    pub fn range(first: u16, last: u16) -> Self {
        if first > last { Self::empty() } else { Self(vec![(first, last)]) }
    }

    /// The ports that Lambda, NAT gateways and load balancers take as source
    /// ports, and to which replies therefore go: 1024–65535.
    pub fn ephemeral() -> Self {
        Self::range(1024, u16::MAX)
    }

    /// How many ports.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|&(first, last)| u32::from(last) - u32::from(first) + 1).sum()
    }

    /// True where there is no port.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ports that are in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        for &(a, b) in &self.0 {
            for &(c, d) in &other.0 {
                let (first, last) = (a.max(c), b.min(d));
                if first <= last {
                    ranges.push((first, last));
                }
            }
        }
        ranges.sort();
        Self(ranges)
    }

    /// The ports that are here and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = self.0.clone();
        for &(c, d) in &other.0 {
            let mut next = Vec::with_capacity(left.len() + 1);
            for (a, b) in left {
                if d < a || c > b {
                    next.push((a, b));
                    continue;
                }
                if a < c {
                    next.push((a, c - 1));
                }
                if d < b {
                    next.push((d + 1, b));
                }
            }
            left = next;
        }
        Self(left)
    }

    /// The ports that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<(u16, u16)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            match merged.last_mut() {
                Some(previous) if u32::from(first) <= u32::from(previous.1) + 1 => {
                    previous.1 = previous.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// The share of `whole` that is in this set, from 0 to 1.
    pub fn share_of(&self, whole: &Self) -> f64 {
        if whole.is_empty() {
            return 0.0;
        }
        f64::from(self.intersect(whole).len()) / f64::from(whole.len())
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, (first, last)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::PortSet;

    #[test]
    fn sets_are_cut_and_joined_at_the_ends() {
        let all = PortSet::range(0, u16::MAX);
        assert_eq!(all.subtract(&all), PortSet::empty());
        let without = PortSet::ephemeral().subtract(&PortSet::one(3389));
        assert_eq!(without.to_string(), "1024-3388, 3390-65535");
        assert_eq!(without.len(), 64_511);
        assert_eq!(without.union(&PortSet::one(3389)), PortSet::ephemeral());
        assert_eq!(PortSet::range(5, 4), PortSet::empty());
        assert_eq!(all.subtract(&PortSet::range(1, u16::MAX)), PortSet::one(0));
    }

    #[test]
    fn half_of_the_ephemeral_ports_is_half() {
        let half = PortSet::range(32768, u16::MAX);
        let share = half.share_of(&PortSet::ephemeral());
        assert!((0.50..0.52).contains(&share), "{share}");
        assert!(PortSet::one(443).share_of(&PortSet::ephemeral()) < f64::EPSILON);
    }
}
