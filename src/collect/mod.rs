//! Reads the facts about one secret from AWS: read-only calls, planned in waves
//! from the facts that the selected checks declare. The only async code, and
//! the only code that names a type of the AWS SDK. Nothing here judges.
//!
//! One file per AWS service holds its steps, makes their calls and turns the answers into
//! evidence; `plan` puts the steps together, `run` carries them out, `failure` says what a
//! refusal means, `session` holds region and credentials.

mod account;
mod bulk;
mod call;
mod cloudformation;
mod cloudtrail;
mod convert;
mod ec2;
mod ec2_gateway;
mod ec2_vpc;
mod error;
mod existing;
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
mod parallel;
pub mod plan;
mod profiles;
mod rds;
mod regions;
mod request;
mod rights;
mod route53;
mod run;
mod scene;
mod scope;
mod secretsmanager;
mod session;
mod shard;
mod simulation;
mod step;
mod sts;

pub use self::{
    error::CollectError,
    inventory::Inventory,
    request::{
        BulkRequest, Collected, Progress, ProgressSink, Request, SecretFilter, Suspect, Timing,
        Which,
    },
    rights::CallerRights,
    session::{Connection, Session},
    shard::Shard,
    simulation::Question,
};

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
