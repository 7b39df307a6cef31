//! Checks on the secret, its versions and what its value must hold.

mod clone_name_too_long;
mod empty_pending;
mod engine_of_the_value;
mod excluded_characters;
mod host_of_the_value;
mod keys_of_the_value;
mod no_current_value;
mod password_changed_elsewhere;
mod pending_label_removed;
mod port_of_the_value;
mod rds_endpoints;
mod replica_secret;
mod rotation_switched_off;
mod scheduled_for_deletion;
mod second_writer;
mod stage_shape;
mod stale_pending_value;
mod stuck_pending;
mod superuser_host;
mod superuser_managed_for_cluster;
mod superuser_pointer;
mod superuser_rotation_stuck;
mod version_quota;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &keys_of_the_value::CHECK,
    &engine_of_the_value::CHECK,
    &no_current_value::CHECK,
    &stuck_pending::CHECK,
    &empty_pending::CHECK,
    &password_changed_elsewhere::CHECK,
    &stale_pending_value::CHECK,
    &host_of_the_value::CHECK,
    &superuser_host::CHECK,
    &port_of_the_value::CHECK,
    &excluded_characters::CHECK,
    &scheduled_for_deletion::CHECK,
    &rotation_switched_off::CHECK,
    &version_quota::CHECK,
    &clone_name_too_long::CHECK,
    &superuser_rotation_stuck::CHECK,
    &superuser_managed_for_cluster::CHECK,
    &replica_secret::CHECK,
    &second_writer::CHECK,
    &superuser_pointer::CHECK,
    &pending_label_removed::CHECK,
];
