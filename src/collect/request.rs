//! What a run is asked to collect, and what it gives back.

use std::{collections::BTreeSet, fmt, time::Duration};

use super::shard::Shard;
use crate::evidence::{Evidence, Fact, NamedDatabase, Time};

/// What to collect about one secret.
#[derive(Default)]
pub struct Request {
    /// Name, ARN or partial ARN.
    pub secret: String,
    /// The facts that the selected checks read; what these need is added.
    pub facts: BTreeSet<Fact>,
    /// Read the secret's value, to keep its shape. Without it the value is
    /// never asked for.
    pub read_secret: bool,
    /// Oldest log line and CloudTrail event of interest; `None` leaves it to
    /// the budgets.
    pub since: Option<Time>,
    /// Whole-run deadline; what is missing when it passes becomes a gap.
    /// `None` means [`RUN_TIMEOUT`](crate::aws::limits::RUN_TIMEOUT).
    pub timeout: Option<Duration>,
    /// Host and port of the database, where the caller knows better.
    pub database: Option<NamedDatabase>,
    /// How many CloudTrail look-ups may be made (two a second); `None` means
    /// [`TRAIL_CALLS`](crate::aws::limits::TRAIL_CALLS).
    pub trail_calls: Option<usize>,
    /// Called whenever a part of a wave is done.
    pub progress: Option<Box<dyn Fn(Progress)>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("secret", &self.secret)
            .field("facts", &self.facts)
            .field("read_secret", &self.read_secret)
            .field("since", &self.since)
            .field("timeout", &self.timeout)
            .field("database", &self.database)
            .field("trail_calls", &self.trail_calls)
            .finish_non_exhaustive()
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The wave, from 1.
    pub wave: u8,
    /// Parts of the wave that are done.
    pub done: usize,
    /// Parts of the wave.
    pub total: usize,
}

/// One call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Such as `lambda:GetFunction`.
    pub operation: &'static str,
    /// What was asked about.
    pub resource: String,
    /// The wave; 0 for the calls beside the waves (CloudTrail, ListSecrets).
    pub wave: u8,
    /// From the first attempt to the answer.
    pub milliseconds: u64,
    /// HTTP requests that were sent, retries included.
    pub attempts: u32,
    /// `ok`, `not found`, or why it failed.
    pub outcome: String,
}

/// What a run collected.
#[derive(Debug)]
pub struct Collected {
    /// The facts and the gaps, sealed.
    pub evidence: Evidence,
    /// Every call, in the order in which they ended.
    pub timings: Vec<Timing>,
    /// Who asked; `None` where STS could not be reached.
    pub caller_arn: Option<String>,
    /// Notes for the user on how the run was set up.
    pub notes: Vec<String>,
}

/// Takes the progress of a run about many: what kind of thing, how many are done, of how
/// many.
pub type ProgressSink = dyn Fn(&'static str, usize, usize);

/// Says of the evidence about a secret, with a policy of its own assumed to be absent,
/// whether that policy decides something.
pub type Suspect = dyn Fn(&Evidence) -> bool + Sync;

/// What to collect about many secrets.
pub struct BulkRequest {
    /// Which secrets.
    pub which: Which,
    /// The part of them that this run is about; all without one.
    pub shard: Option<Shard>,
    /// The facts that the selected checks read.
    pub facts: BTreeSet<Fact>,
    /// Ask about each secret by itself too, however many there are. Without it, that is
    /// done where it takes few calls.
    pub each: bool,
    /// Where single secrets are not asked about: which of them are, for their policies.
    pub suspect: Option<Box<Suspect>>,
    /// Read the values, to keep their shapes.
    pub read_secret: bool,
    /// Read the functions' logs.
    pub logs: bool,
    /// Oldest log line of interest.
    pub since: Option<Time>,
    /// Deadline; `None` means [`RUN_TIMEOUT_OF_MANY`](crate::aws::limits::RUN_TIMEOUT_OF_MANY).
    pub timeout: Option<Duration>,
    /// Called whenever one of many is done.
    pub progress: Option<Box<ProgressSink>>,
}

impl fmt::Debug for BulkRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BulkRequest")
            .field("which", &self.which)
            .field("shard", &self.shard)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Which secrets to collect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These, by name or ARN.
    Named(Vec<String>),
    /// Those that ListSecrets finds and that rotate.
    Listed(SecretFilter),
}

/// Which secrets to list; an empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFilter {
    /// Only secrets with all of these tags, by key and value.
    pub tags: Vec<(String, String)>,
    /// Only secrets whose names begin so.
    pub name_prefix: Option<String>,
}
