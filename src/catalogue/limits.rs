//! The tables of bounds: `schedule_limits.toml` and `secret_limits.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// One bound.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The number; its name says of what.
    pub value: i64,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// Bounds of rotation schedules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleLimits {
    /// Hours between two rotations, at least.
    pub shortest_interval_hours: Limit,
    /// Fields of a cron expression.
    pub cron_fields: Limit,
    /// The only minute that a cron expression may name.
    pub cron_minute: Limit,
    /// Hours of the window where a schedule in hours sets none.
    pub window_of_hourly_schedule_hours: Limit,
    /// Days between two rotations, at most.
    pub most_days: Limit,
    /// Hours beyond the window after which a rotation is overdue.
    pub overdue_grace_hours: Limit,
    /// Days by which a next date must differ to count as shifted.
    pub shift_noticed_days: Limit,
}

/// Bounds of secrets and their versions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretLimits {
    /// Versions that a secret may have.
    pub versions_kept: Limit,
    /// Versions from which on it is worth a warning.
    pub versions_worrying: Limit,
    /// Hours for which a version is never purged.
    pub versions_spared_hours: Limit,
    /// Minutes for which a pending version may simply be under way.
    pub under_way_minutes: Limit,
    /// Days without a read that can be told from LastAccessedDate.
    pub unread_days: Limit,
}

/// Bounds of rotation schedules.
pub fn schedule_limits() -> &'static ScheduleLimits {
    static TABLE: LazyLock<ScheduleLimits> =
        LazyLock::new(|| super::table(include_str!("schedule_limits.toml")));
    &TABLE
}

/// Bounds of secrets and their versions.
pub fn secret_limits() -> &'static SecretLimits {
    static TABLE: LazyLock<SecretLimits> =
        LazyLock::new(|| super::table(include_str!("secret_limits.toml")));
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::{schedule_limits, secret_limits};

    #[test]
    fn the_tables_read_and_their_bounds_are_in_order() {
        assert_eq!(schedule_limits().shortest_interval_hours.value, 4);
        let limits = secret_limits();
        assert!(limits.versions_worrying.value < limits.versions_kept.value);
    }
}
