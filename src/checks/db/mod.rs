//! Checks on the database, as far as RDS facts and dates tell.

mod capability;
mod database_status;
mod db2_wait;
mod driver;
mod oracle_grants;
mod package_says;
pub(super) mod parameters;
mod restricted_passwords;
mod scram;
mod server_certificate;
pub(super) mod subject;
mod tls;

use super::{Case, Check};
use crate::evidence::{DbCluster, DbInstance};

/// The instance and the cluster that the secret belongs to, as far as is known.
pub(crate) fn database_of<'c>(
    case: &'c Case<'_>,
) -> Option<(Option<&'c DbInstance>, Option<&'c DbCluster>)> {
    let subject = subject::subject(case).ok()?;
    Some((subject.instance, subject.cluster))
}

pub(super) static CHECKS: &[&Check] = &[
    &scram::CHECK,
    &tls::CHECK,
    &driver::CHECK,
    &oracle_grants::CHECK,
    &db2_wait::CHECK,
    &server_certificate::CHECK,
    &restricted_passwords::CHECK,
    &database_status::CHECK,
];
