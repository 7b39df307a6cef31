//! What was observed, in AWS's own names and shapes: the serde model of a
//! bundle. One file per AWS area. Nothing here judges and nothing here talks to
//! the outside.

mod database;
mod document;
mod facts;
mod function;
mod gap;
mod gateway;
mod iam;
mod kms;
mod log;
mod nearest;
mod observed;
mod package;
mod rotation_step;
mod secret;
mod shape;
mod stack;
mod time;
mod trail;
mod value;
mod vpc;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub(crate) use self::nearest::nearest;
pub use self::{
    database::*, document::*, facts::*, function::*, gap::*, gateway::*, iam::*, kms::*, log::*,
    observed::*, package::*, rotation_step::*, secret::*, stack::*, time::*, trail::*, vpc::*,
};
use self::{facts::with_facts, shape::shapes, value::FactValue};
use crate::aws::{arn::Arn, partitions::COMMERCIAL};

/// The version of the bundle format that this build reads and writes.
pub const SCHEMA_VERSION: u64 = 1;

shapes! {
    Tag {
        key: Option<String>,
        value: Option<String>,
    }
}

macro_rules! declare {
    (
        evidence { $( $(#[doc = $doc:literal])* $fact:ident $(as $spelled:literal)?
            in $field:ident: $type:ty, $row:expr; )* }
        keys { $( $(#[doc = $key_doc:literal])* $key_fact:ident
            in $key_field:ident: $key_type:ty, $key_row:expr; )* }
    ) => {
        /// Everything that was observed about one secret's rotation.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "PascalCase")]
        pub struct Evidence {
            /// Version of the format: 1.
            #[serde(default = "schema_version")]
            pub schema_version: u64,
            /// When the facts were collected; every date is judged against it.
            pub captured_at: Time,
            /// `aws`, `aws-cn`, `aws-us-gov`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub partition: Option<String>,
            /// The region of the secret.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub region: Option<String>,
            /// The account that was looked at.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub account_id: Option<String>,
            /// The database, where the caller named it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub database: Option<NamedDatabase>,
            $(
                $(#[doc = $doc])*
                #[serde(default, skip_serializing_if = "Observed::is_unseen" $(, rename = $spelled)?)]
                pub $field: Observed<$type>,
            )*
            /// By key ARN, what was seen of the KMS keys.
            #[serde(
                default,
                deserialize_with = "shape::null_is_unset",
                skip_serializing_if = "BTreeMap::is_empty"
            )]
            pub keys: BTreeMap<String, Key>,
            /// What could not be seen.
            #[serde(default)]
            pub gaps: Vec<Gap>,
        }

        impl Evidence {
            /// Puts each gap where a reader of the fact meets it: a fact that
            /// was asked for and refused is `NotSeen`, not `NotAsked`.
            pub fn settle(&mut self) {
                $( settle_one(Fact::$fact, &mut self.$field, self.gaps.iter()); )*
                for (arn, key) in &mut self.keys {
                    let own = self.gaps.iter().filter(|gap| gap.may_be_about(arn));
                    $( settle_one(Fact::$key_fact, &mut key.$key_field, own.clone()); )*
                }
                self.settle_vpc();
            }

            /// Notes that a fact was looked for and is definitely not there. For the parts
            /// of a key see [`Self::set_key_absent`].
            pub fn set_absent(&mut self, fact: Fact) {
                match fact {
                    $( Fact::$fact => self.$field = Observed::Absent, )*
                    $( Fact::$key_fact => {} )*
                }
            }

            /// Notes that this part of a key was looked for and is definitely not there.
            pub fn set_key_absent(&mut self, fact: Fact, arn: &str) {
                let key = self.keys.entry(arn.to_owned()).or_default();
                match fact {
                    $( Fact::$key_fact => key.$key_field = Observed::Absent, )*
                    _ => {}
                }
            }

            /// Back to not asked for; [`Self::settle`] then puts a gap there,
            /// where one stands.
            pub fn forget(&mut self, fact: Fact) {
                match fact {
                    $( Fact::$fact => self.$field = Observed::NotAsked, )*
                    $( Fact::$key_fact => {} )*
                }
            }

            /// Takes over what another knows of a fact, with its gaps, where it is not
            /// known here. Keys are taken over one by one, with their gaps.
            pub fn take_over(&mut self, fact: Fact, other: &Self) {
                match fact {
                    $( Fact::$fact => if self.$field.is_not_asked() {
                        self.$field = other.$field.clone();
                    } )*
                    $( Fact::$key_fact => self.take_over_keys(other), )*
                }
                self.take_over_gaps(fact, other);
            }

            /// The same, but of what belongs to a VPC only what belongs to one of these.
            pub fn take_over_within(&mut self, fact: Fact, other: &Self, vpcs: &BTreeSet<String>) {
                match fact {
                    $( Fact::$fact => if self.$field.is_not_asked() {
                        self.$field = match &other.$field {
                            Observed::Known(value) => {
                                Observed::Known(value.within(fact.row(), vpcs))
                            }
                            not_known => not_known.clone(),
                        };
                    } )*
                    $( Fact::$key_fact => self.take_over_keys(other), )*
                }
                self.take_over_gaps(fact, other);
            }

            /// What is known of a fact, without its value.
            pub fn state(&self, fact: Fact) -> Observed<()> {
                match fact {
                    $( Fact::$fact => self.$field.state(), )*
                    $( Fact::$key_fact => match self.gap(fact, None) {
                        Some(gap) => Observed::NotSeen(gap.clone()),
                        None if self.keys.is_empty() => Observed::NotAsked,
                        None => Observed::Known(()),
                    } )*
                }
            }
        }
    };
}
with_facts!(declare);

fn schema_version() -> u64 {
    SCHEMA_VERSION
}

fn settle_one<'a, T: FactValue>(
    fact: Fact,
    observed: &mut Observed<T>,
    mut gaps: impl Iterator<Item = &'a Gap>,
) {
    if observed.known().is_some_and(FactValue::is_nothing) {
        *observed = Observed::Absent;
    }
    if observed.is_not_asked()
        && let Some(gap) = gaps.find(|gap| gap.fact == fact.name())
    {
        *observed = Observed::NotSeen(gap.clone());
    }
}

impl Evidence {
    fn take_over_keys(&mut self, other: &Self) {
        for (arn, key) in &other.keys {
            self.keys.entry(arn.clone()).or_insert_with(|| key.clone());
        }
    }

    fn take_over_gaps(&mut self, fact: Fact, other: &Self) {
        for gap in &other.gaps {
            if gap.fact == fact.name() && !self.gaps.contains(gap) {
                self.gaps.push(gap.clone());
            }
        }
    }

    /// The function is in the VPC of its subnets, whatever else its configuration
    /// names.
    fn settle_vpc(&mut self) {
        let (Some(function), Some(subnets)) = (self.function.known_mut(), self.subnets.known())
        else {
            return;
        };
        let Some(config) = &mut function.configuration.vpc_config else { return };
        let own = subnets.iter().find(|subnet| {
            subnet.subnet_id.as_ref().is_some_and(|id| config.subnet_ids.contains(id))
        });
        if let Some(vpc) = own.and_then(|subnet| subnet.vpc_id.clone()) {
            config.vpc_id = Some(vpc);
        }
    }

    /// Adds a gap and puts it where a reader of the fact meets it.
    pub fn add_gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
            self.gaps.sort();
        }
        self.settle();
    }

    /// The first gap of a fact, for a resource where one is named.
    pub fn gap(&self, fact: Fact, resource: Option<&str>) -> Option<&Gap> {
        self.gaps.iter().find(|gap| {
            gap.fact == fact.name()
                && resource.is_none_or(|wanted| gap.resource.is_empty() || gap.resource == wanted)
        })
    }

    /// The secret's ARN, where DescribeSecret was seen.
    pub fn secret_arn(&self) -> Option<&str> {
        self.secret.known()?.arn.as_deref()
    }

    /// The region of the secret: as given, else out of its ARN.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or_else(|| Arn::region_of(self.secret_arn()?))
    }

    /// The account of the secret: out of its ARN, else as given.
    pub fn account_id(&self) -> Option<&str> {
        self.secret_arn().and_then(Arn::account_of).or(self.account_id.as_deref())
    }

    /// The partition: as given, else out of the secret's ARN, else `aws`.
    pub fn partition(&self) -> &str {
        self.partition
            .as_deref()
            .or_else(|| Arn::partition_of(self.secret_arn()?))
            .unwrap_or(COMMERCIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Observed, Reason};

    fn read(text: &str) -> Evidence {
        let mut evidence: Evidence = serde_json::from_str(text).expect("bundle");
        evidence.settle();
        evidence
    }

    #[test]
    fn missing_null_and_refused_are_three_things() {
        let evidence = read(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z","FunctionPolicy":null,"LogEvents":[],
                "Gaps":[{"Fact":"Role","Action":"iam:GetRole","Reason":"AccessDenied"}]}"#,
        );
        assert_eq!(evidence.secret, Observed::NotAsked);
        assert_eq!(evidence.function_policy, Observed::Absent);
        assert_eq!(evidence.log_events, Observed::Absent);
        assert!(
            matches!(&evidence.role, Observed::NotSeen(gap) if gap.reason == Reason::AccessDenied)
        );
    }

    #[test]
    fn writing_and_reading_keeps_every_arm() {
        let evidence = read(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z","Secret":{"Name":"a","RotationEnabled":false},
                "Stack":null,"Keys":{"k":{"Policy":{"Statement":[]}}},
                "Gaps":[{"Fact":"KeyGrants","Action":"kms:ListGrants","Resource":"k","Reason":"Throttled"}]}"#,
        );
        let text = serde_json::to_string(&evidence).expect("write");
        assert_eq!(read(&text), evidence);
        assert!(text.contains("\"RotationEnabled\":false"), "false is a fact: {text}");
        assert!(matches!(evidence.keys["k"].grants, Observed::NotSeen(_)));
        assert_eq!(evidence.keys["k"].key_metadata, Observed::NotAsked);
    }
}
