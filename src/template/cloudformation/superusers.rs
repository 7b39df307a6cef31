//! Secrets Manager: the superuser's secret that a secret's value or a vended function
//! names.

use super::{databases, scope::Presence, secrets, world::World};
use crate::{
    evidence::{Fact, Observed},
    template::aws::Open,
};

/// The superuser's secret: the one that the value names, else the one that the function's
/// template is given.
pub(super) fn declare(world: &mut World<'_, '_>, given: Option<String>) {
    let shapes = &world.draft.evidence.secret_shape;
    // Without a value there is no superuser in it.
    let is_unseen = shapes.is_unseen();
    let shape = shapes.known().and_then(|shapes| shapes.get("AWSCURRENT"));
    let named = shape.and_then(|shape| Some(shape.values.get("masterarn")?.as_str()?.to_owned()));
    let has_key = shape.is_some_and(|shape| shape.keys.iter().any(|key| key == "masterarn"));
    let Some(arn) = named.or(given) else {
        if has_key || is_unseen {
            world.draft.gap(Fact::SuperuserSecret, "", "the secret's masterarn is not declared");
        } else {
            world.draft.evidence.superuser_secret = Observed::Absent;
        }
        return;
    };
    let scope = world.scope;
    if let Some((resource, secret)) = databases::managed_secret(scope, &arn) {
        world.declare_whole(&arn, resource);
        world.draft.evidence.superuser_secret = Observed::Known(secret);
        return;
    }
    match secrets::find(scope, &arn) {
        Some(resource) if scope.presence(resource) == Presence::Made => {
            let found = secrets::described(world, resource);
            world.draft.evidence.superuser_secret = Observed::Known(found);
        }
        _ => {
            let open = Open::from(format!("the superuser's secret {arn} is not declared"));
            world.draft.gap(Fact::SuperuserSecret, &arn, open);
        }
    }
}
