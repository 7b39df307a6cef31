//! A Terraform plan (or state) as evidence: what `terraform show -json` writes, read
//! and resolved. One file for each area of AWS, beside those that read the plan
//! (`plan`, `resource`, `value`), follow references (`references`, `world`) and make ids (`ids`,
//! `place`).
//!
//! A plan says of many values only that they are known after apply. Where the
//! configuration tells which resource such a value comes from, the resource's own id
//! stands for it. Where it does not, the thing that needs it is left out, and a gap says
//! so: two values that are unknown are never held against each other.

mod address;
mod applications;
mod databases;
mod endpoints;
mod functions;
mod gateways;
mod ids;
mod keys;
mod network_acls;
mod parameters;
mod parts;
mod permissions;
mod place;
mod plan;
mod policy_documents;
mod prefix_lists;
mod references;
mod resource;
mod roles;
mod rotations;
mod route_tables;
mod secrets;
mod security_groups;
mod superusers;
#[cfg(test)]
mod testing;
mod value;
mod vpcs;
mod world;

use self::{plan::Plan, world::World};
use super::{Declarations, Settings, TemplateError};

/// The kind that makes a secret rotate.
const ROTATION: &str = "aws_secretsmanager_secret_rotation";

/// Reads the output of `terraform show -json PLAN` or, of a state, `terraform show -json`.
///
/// # Errors
/// [`TemplateError`] says what is wrong and what to do.
pub fn read(text: &str, settings: &Settings) -> Result<Declarations, TemplateError> {
    let plan = Plan::read(text)?;
    let mut found = Declarations::default();
    let rotations = plan.resources.iter().filter(|one| one.kind == ROTATION && !one.data);
    for rotation in rotations {
        let (place, assumed) = place::place(&plan, settings, rotation);
        found.notes.extend(assumed.filter(|note| !found.notes.contains(note)));
        let world = World { plan: &plan, place, file: &settings.file };
        found.rotations.push(rotations::declare(&world, rotation, settings.captured_at));
    }
    let in_old_style = plan.resources.iter().filter(|one| {
        one.kind == "aws_secretsmanager_secret"
            && !one.data
            && one.known_text("rotation_lambda_arn").is_some()
    });
    for secret in in_old_style {
        let rotates = found.rotations.iter().any(|one| {
            one.origins.of(&secret.known_text("arn").unwrap_or_default()).address == secret.address
        });
        if !rotates {
            let (place, _) = place::place(&plan, settings, secret);
            let world = World { plan: &plan, place, file: &settings.file };
            found.unexamined.push(rotations::unexamined(&world, secret, settings.captured_at));
        }
    }
    Ok(found)
}
