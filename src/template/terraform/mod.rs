//! A Terraform plan (or state) as evidence: what `terraform show -json` writes, read
//! and resolved. One file for each area of AWS, beside those that read the plan
//! (`plan`, `value`), follow references (`references`, `world`) and make ids (`ids`,
//! `place`). Nothing is judged here.
//!
//! A plan says of many values only that they are known after apply. Where the
//! configuration tells which resource such a value comes from, the resource's own id
//! stands for it. Where it does not, the thing that needs it is left out, and a gap says
//! so: two values that are unknown are never held against each other.

mod address;
mod database;
mod endpoint;
mod function;
mod gateway;
mod ids;
mod key;
mod network_acl;
mod parameters;
mod place;
mod plan;
mod policy_document;
mod prefix_list;
mod references;
mod repository;
mod role;
mod route;
mod secret;
mod security_group;
mod subject;
#[cfg(test)]
mod testing;
mod value;
mod vpc;
mod world;

use serde_json::Value;

use self::{place::Place, plan::Plan, plan::Resource, world::World};
use super::{Declarations, Declared, Draft, Settings, TemplateError};
use crate::evidence::Fact;

/// The kind that makes a secret rotate.
const ROTATION: &str = "aws_secretsmanager_secret_rotation";

/// The kind that makes a stack out of an application of the repository.
const APPLICATION: &str = "aws_serverlessapplicationrepository_cloudformation_stack";

/// Reads the output of `terraform show -json PLAN` or, of a state, `terraform show -json`.
///
/// # Errors
/// [`TemplateError`] says what is wrong and what to do.
pub fn read(text: &str, settings: &Settings) -> Result<Declarations, TemplateError> {
    let plan = Plan::read(text)?;
    let mut found = Declarations::default();
    let rotations = plan.resources.iter().filter(|one| one.kind == ROTATION && !one.data);
    for rotation in rotations {
        let place = Place::of(&plan, settings, rotation);
        if let Some(note) = &place.assumed
            && !found.notes.contains(note)
        {
            found.notes.push(note.clone());
        }
        let world = World { plan: &plan, place, file: &settings.file };
        found.rotations.push(declared(&world, rotation, settings)?);
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
            found.notes.push(format!(
                "{} rotates by its own rotation_lambda_arn, which the AWS provider took out in \
                 version 5: it was not examined",
                secret.address
            ));
        }
    }
    Ok(found)
}

/// The evidence of one rotation.
fn declared(
    world: &World<'_>,
    rotation: &Resource,
    settings: &Settings,
) -> Result<Declared, TemplateError> {
    let mut draft = Draft::default();
    draft.put("Partition", world.place.partition.as_str());
    draft.put("Region", world.place.region.as_str());
    draft.put("AccountId", world.place.account.as_str());
    draft.origins.set_schedule(world.origin(rotation));
    // The plan outlives the rotation; this is the same resource with its lifetime.
    let Some(rotation) = world.made(&[ROTATION]).find(|one| one.address == rotation.address) else {
        return Ok(draft.finish(settings.captured_at)?);
    };
    let parts = secret::put(world, &mut draft, rotation);
    let role = function::put(world, &mut draft, &parts);
    role::put(world, &mut draft, role);
    // Terraform itself makes no stack.
    if world.made(&[APPLICATION]).next().is_some() {
        draft.gap(Fact::Stack, "", "the stack of an application stands in no plan");
    } else {
        draft.put("Stack", Value::Null);
    }
    key::put(world, &mut draft, &parts);
    vpc::put(world, &mut draft);
    route::put(world, &mut draft);
    network_acl::put(world, &mut draft);
    security_group::put(world, &mut draft);
    prefix_list::put(world, &mut draft);
    endpoint::put(world, &mut draft);
    gateway::put(world, &mut draft);
    database::put(world, &mut draft);
    parameters::put(world, &mut draft);
    subject::put(world, &mut draft, &parts);
    vpc::outside(world, &mut draft);
    Ok(draft.finish(settings.captured_at)?)
}
