//! A part of many secrets, chosen by a hash of the ARN that is the same on every machine
//! and in every version. No call is made here.

use std::{fmt, hash::Hasher, str::FromStr};

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u64,
    of: u64,
}

impl Shard {
    /// Whether the secret of that ARN belongs to this part.
    pub fn has(&self, arn: &str) -> bool {
        fnv1a(arn) % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (number, of) = text.split_once('/')?;
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&number).then_some(Self { number, of })
        };
        read().ok_or_else(|| format!("'{text}' is no part such as 1/3, 2/3 or 3/3"))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.of)
    }
}

/// FNV-1a, 64 bits: the standard library's hash may change between builds, and the shards
/// of one audit may run different ones.
fn fnv1a(text: &str) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{Shard, fnv1a};

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the FNV reference source.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn each_secret_is_in_one_part() {
        let shards: Vec<Shard> =
            ["1/3", "2/3", "3/3"].into_iter().map(|text| text.parse().expect("a part")).collect();
        let mut counts = [0; 3];
        for index in 0..3000 {
            let arn =
                format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{index}-AbCdEf");
            let has: Vec<usize> = (0..3).filter(|part| shards[*part].has(&arn)).collect();
            assert_eq!(has.len(), 1, "{arn}");
            counts[has[0]] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "-1/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
