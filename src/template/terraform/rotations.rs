//! One rotation, put together: its secret, its function, and the resources around them.

use super::{
    ROTATION, applications, databases, endpoints, functions, gateways, keys, network_acls,
    parameters, prefix_lists, resource::Resource, route_tables, secrets, security_groups,
    superusers, vpcs, world::World,
};
use crate::{
    evidence::{Fact, Time},
    template::{Declared, Draft},
};

/// A rotation's evidence.
pub(super) fn declare(world: &World<'_>, rotation: &Resource, captured_at: Time) -> Declared {
    let mut draft = Draft::default();
    let place = &world.place;
    draft.evidence.partition = Some(place.partition().to_owned());
    draft.evidence.region = Some(place.region.clone());
    draft.evidence.account_id = Some(place.account.clone());
    draft.origins.set_schedule(world.origin(rotation));
    // The plan outlives the rotation; this is the same resource with its lifetime.
    let own = world.created(&[ROTATION]).find(|one| one.address == rotation.address);
    let Some(rotation) = own else { return draft.finish(captured_at) };
    let parts = secrets::declare(world, &mut draft, rotation);
    functions::declare(world, &mut draft, &parts);
    // Terraform itself makes no stack.
    if world.created(&[applications::APPLICATION]).next().is_some() {
        draft.gap(Fact::Stack, "", "the stack of an application stands in no plan");
    } else {
        draft.complete(&[Fact::Stack]);
    }
    keys::declare(world, &mut draft, &parts);
    vpcs::declare(world, &mut draft);
    security_groups::declare(world, &mut draft);
    network_acls::declare(world, &mut draft);
    endpoints::declare(world, &mut draft);
    gateways::declare(world, &mut draft);
    prefix_lists::declare(world, &mut draft);
    route_tables::declare(world, &mut draft);
    databases::declare(world, &mut draft);
    parameters::declare(world, &mut draft);
    superusers::declare(world, &mut draft, &parts);
    vpcs::outside(world, &mut draft);
    draft.finish(captured_at)
}

/// A secret that rotates by an argument of its own, which the AWS provider removed in
/// version 5: it is not examined, and all of it is open.
pub(super) fn unexamined(world: &World<'_>, secret: &Resource, captured_at: Time) -> Declared {
    let mut draft = Draft::default();
    draft.evidence.region = Some(world.place.region.clone());
    draft.evidence.account_id = Some(world.place.account.clone());
    draft.origins.set_schedule(world.origin(secret));
    let reason = format!("{} rotates by its own rotation_lambda_arn", secret.address);
    for fact in [Fact::Secret, Fact::Function] {
        draft.gap(fact, &secret.address, reason.as_str());
    }
    draft.finish(captured_at)
}
