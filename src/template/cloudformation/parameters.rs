//! RDS: the parameters that the template's parameter groups set.

use super::world::World;
use crate::{
    evidence::Fact,
    template::aws::{Setting, databases},
};

const GROUPS: [&str; 3] = [
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::DocDB::DBClusterParameterGroup",
];

/// The parameters; of a group that is not in the template nothing is known.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let (mut found, mut own, mut is_open) = (Vec::new(), Vec::new(), false);
    for kind in GROUPS {
        for group in world.created(kind, Fact::DBParameters) {
            world.declare_whole(&group.id, group.resource);
            let parameters = group.properties.get("Parameters");
            if let Some(open) = parameters.open() {
                is_open = true;
                world.draft.gap(Fact::DBParameters, &group.id, open);
            }
            for (name, value) in parameters.members() {
                match value.text() {
                    Setting::Known(value) => {
                        found.push(databases::parameter(&group.id, name.clone(), value));
                    }
                    Setting::Absent => {}
                    Setting::Open(open) => {
                        is_open = true;
                        world.draft.gap(Fact::DBParameters, &group.id, open);
                    }
                }
            }
            own.push(group.id);
        }
    }
    databases::put_parameters(&mut world.draft, found, &own, is_open);
}
