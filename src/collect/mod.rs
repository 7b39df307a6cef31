//! Reads the facts about one secret from AWS: read-only calls, planned in waves
//! from the facts that the selected checks declare. The only async code, and
//! the only code that names a type of the AWS SDK. Nothing here judges.
//!
//! One file per AWS service holds the calls and turns answers into the model;
//! `plan` says what is asked when, `run` does it, `failure` says what a refusal
//! means, `session` holds region and credentials.

mod account;
mod bulk;
mod call;
mod cloudformation;
mod cloudtrail;
mod convert;
mod ec2;
mod ec2_gateway;
mod ec2_vpc;
mod failure;
mod function;
mod http;
mod iam;
mod inventory;
mod kms;
mod lambda;
mod list;
mod logs;
mod loose_json;
mod package;
mod pages;
pub mod plan;
mod rds;
mod regions;
mod rights;
mod route53;
mod run;
mod scene;
mod secretsmanager;
mod session;
mod shard;
mod simulation;
mod sts;
mod tasks;
mod underneath;

use std::{collections::BTreeSet, fmt, time::Duration};

pub use self::{
    bulk::{BulkRequest, DEFAULT_TIMEOUT_OF_MANY, Suspect, Told},
    inventory::Inventory,
    list::{SecretFilter, Which},
    rights::CallerRights,
    session::{Connection, Session},
    shard::Shard,
    simulation::Question,
};
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
    /// `None` means [`DEFAULT_TIMEOUT`].
    pub timeout: Option<Duration>,
    /// Host and port of the database, where the caller knows better.
    pub database: Option<NamedDatabase>,
    /// How many CloudTrail look-ups may be made (two a second); `None` means
    /// [`DEFAULT_TRAIL_CALLS`].
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

/// The deadline of a run that names none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// CloudTrail look-ups of a run that names no number.
pub const DEFAULT_TRAIL_CALLS: usize = 10;

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

/// What a run brought home.
#[derive(Debug)]
pub struct Collected {
    /// The facts and the gaps, sealed.
    pub evidence: Evidence,
    /// Every call, in the order in which they ended.
    pub timings: Vec<Timing>,
    /// Who asked; `None` where STS could not be reached.
    pub caller_arn: Option<String>,
    /// What the user should be told about how the run was set up.
    pub notes: Vec<String>,
}

/// Why nothing could be examined at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// No region is configured.
    #[error(
        "no region: pass --region, set AWS_REGION, give the profile a region (aws configure set region REGION), or name the secret by its full ARN"
    )]
    NoRegion,
    /// The credentials are missing, expired or invalid.
    #[error("{message}\n{hint}")]
    Credentials {
        /// What is wrong.
        message: String,
        /// The command that mends it.
        hint: String,
    },
    /// The secret is not there.
    #[error(
        "no secret {name:?} in {region}{}: check the region and the account, and give the name in full (an ARN works with or without its last six characters)",
        account.as_ref().map(|id| format!(" of account {id}")).unwrap_or_default()
    )]
    SecretNotFound {
        /// As it was asked for.
        name: String,
        /// Where.
        region: String,
        /// In which account, where STS said so.
        account: Option<String>,
    },
    /// The function is not there.
    #[error(
        "no function {name:?} in {region}: check the region and the account, and give the name in full, or the ARN"
    )]
    FunctionNotFound {
        /// As it was asked for.
        name: String,
        /// Where.
        region: String,
    },
    /// The function is there, and its package could not be read.
    #[error("package of {function}: {message}")]
    PackageUnread {
        /// As it was asked for.
        function: String,
        /// Why, without the URL, which is signed.
        message: String,
    },
    /// Nothing answers at the endpoint.
    #[error("cannot reach {url}: {message}")]
    Unreachable {
        /// The endpoint, or the service's name.
        url: String,
        /// Why.
        message: String,
    },
    /// An option does not make sense.
    #[error("{0}")]
    Configuration(String),
    /// The first call failed in another way.
    #[error("{action} failed: {message}")]
    Failed {
        /// Such as `secretsmanager:ListSecrets`.
        action: String,
        /// What the service said.
        message: String,
    },
}

/// Opens a session and collects the facts about one secret.
///
/// # Errors
/// [`CollectError`] where nothing could be examined; everything less than that
/// is a gap in the evidence.
pub async fn collect(
    connection: &Connection,
    request: &Request,
) -> Result<Collected, CollectError> {
    Session::open(connection, &[&request.secret]).await?.collect(request).await
}

/// [`collect`], from code that is not async.
///
/// # Errors
/// As [`collect`].
pub fn run(connection: &Connection, request: &Request) -> Result<Collected, CollectError> {
    block_on(collect(connection, request))
}

/// Drives a future of this module to its end on a runtime of its own (the
/// current thread).
///
/// # Errors
/// As the future; [`CollectError::Configuration`] where no runtime could start.
pub fn block_on<T>(work: impl Future<Output = Result<T, CollectError>>) -> Result<T, CollectError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CollectError::Configuration(format!("no async runtime: {error}")))?
        .block_on(work)
}
