//! Checks on the database, by RDS facts, dates and the function's package.

mod capability;
mod database_available;
mod database_certificate_valid;
mod driver_fits_database;
mod function_copies_oracle_grants;
mod function_speaks_scram;
mod function_speaks_tls;
mod function_waits_for_db2;
mod package_capability;
pub(super) mod parameters;
pub(super) mod secret_database;
mod seen_databases;
mod user_may_change_its_password;

use super::{Case, Check};
use crate::evidence::{DbCluster, DbInstance};

/// The instance and the cluster that the secret belongs to, as far as is known.
pub(crate) fn database_of<'c>(
    case: &'c Case<'_>,
) -> Option<(Option<&'c DbInstance>, Option<&'c DbCluster>)> {
    let database = secret_database::secret_database(case).ok()?;
    Some((database.instance, database.cluster))
}

pub(super) static CHECKS: &[&Check] = &[
    &function_speaks_scram::CHECK,
    &function_speaks_tls::CHECK,
    &driver_fits_database::CHECK,
    &function_copies_oracle_grants::CHECK,
    &function_waits_for_db2::CHECK,
    &database_certificate_valid::CHECK,
    &user_may_change_its_password::CHECK,
    &database_available::CHECK,
];
