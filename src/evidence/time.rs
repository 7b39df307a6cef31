//! Points in time, in every spelling that AWS's APIs and CLI use.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub struct Time(#[cfg_attr(test, schemars(with = "String"))] pub Timestamp);

impl Time {
    /// Reads RFC 3339, Lambda's `2026-01-31T10:18:42.533+0000` and a plain date.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self(at));
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"] {
            if let Ok(at) = Timestamp::strptime(format, text) {
                return Some(Self(at));
            }
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|zoned| Self(zoned.timestamp()))
    }

    /// From milliseconds since 1970, as CloudWatch Logs counts.
    pub fn from_millis(millis: i64) -> Option<Self> {
        Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// From seconds since 1970, as some AWS APIs print them.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        Timestamp::from_nanosecond((seconds * 1e9) as i128).ok().map(Self)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds from `earlier` to this.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.millis() - earlier.millis()) as f64 / 1000.0
    }

    /// Whole days from `earlier` to this; negative where this is before it.
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.millis() - earlier.millis()).div_euclid(86_400_000)
    }

    /// `2026-11-21`, in UTC.
    pub fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }

    /// `2026-11-21 03:12 UTC`.
    pub fn minute(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    /// `2026-11-21 03:12:04 UTC`.
    pub fn second(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time such as 2026-11-21T03:12:04Z, or seconds since 1970")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                Time::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Time, E> {
                // Beyond this, the number can only be milliseconds (year 5138 in seconds).
                let seconds = if number.abs() > 1e11 { number / 1000.0 } else { number };
                Time::from_seconds(seconds)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Time, E> {
                self.visit_f64(number as f64)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Time, E> {
                self.visit_f64(number as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn reads_every_spelling_that_aws_prints() {
        for text in [
            "\"2026-11-21T03:12:04Z\"",
            "\"2026-11-21T03:12:04.000+0000\"",
            "\"2026-11-21T03:12:04.000000+00:00\"",
            "\"2026-11-21T04:12:04+01:00\"",
            "1795230724",
            "1795230724.0",
            "1795230724000",
        ] {
            let time: Time = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(time.to_string(), "2026-11-21T03:12:04Z", "{text}");
        }
        assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
    }

    #[test]
    fn counts_days_towards_the_past_and_the_future() {
        let (a, b) =
            (Time::parse("2026-11-21").expect("date"), Time::parse("2026-11-23").expect("date"));
        assert_eq!((b.days_since(a), a.days_since(b)), (2, -2));
    }
}
