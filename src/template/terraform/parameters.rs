//! RDS: the parameters that the plan's parameter groups set.

use super::world::World;
use crate::{
    evidence::Fact,
    template::{
        Draft,
        aws::{Setting, databases},
    },
};

const GROUPS: [&str; 3] = [
    "aws_db_parameter_group",
    "aws_rds_cluster_parameter_group",
    "aws_docdb_cluster_parameter_group",
];

/// The parameters; of a group that is not in the plan nothing is known.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    let (mut found, mut own, mut is_open) = (Vec::new(), Vec::new(), false);
    for group in world.created(&GROUPS) {
        let group_name = world.name(group);
        world.declare(draft, &group_name, group);
        let mut gap = |open| {
            is_open = true;
            draft.gap(Fact::DBParameters, &group_name, open);
        };
        match world.blocks(group, "parameter") {
            Setting::Known(count) => {
                for index in 0..count {
                    let text = |part: &str| group.text(&format!("parameter.~{index}.{part}"));
                    match (text("name"), text("value")) {
                        (Setting::Known(name), Setting::Known(value)) => {
                            found.push(databases::parameter(&group_name, name, value));
                        }
                        (Setting::Open(open), _) | (_, Setting::Open(open)) => gap(open),
                        _ => {}
                    }
                }
            }
            Setting::Absent => {}
            Setting::Open(open) => gap(open),
        }
        own.push(group_name);
    }
    databases::put_parameters(draft, found, &own, is_open);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        terraform::{
            databases,
            testing::{evidence, gaps},
            world::World,
        },
    };

    fn declare(world: &World<'_>, draft: &mut Draft) {
        databases::declare(world, draft);
        super::declare(world, draft);
    }

    fn instance(group: &str) -> serde_json::Value {
        json!({"identifier": "d", "engine": "postgres", "parameter_group_name": group,
            "vpc_security_group_ids": ["sg-1"], "publicly_accessible": false})
    }

    #[test]
    fn parameters_of_a_group_in_the_plan_are_known() {
        let group = json!({"name": "own", "parameter": [{"name": "rds.force_ssl", "value": "1"}]});
        let found = evidence(
            &[
                ("aws_db_parameter_group.g", group, &[]),
                ("aws_db_instance.d", instance("own"), &[]),
            ],
            declare,
        );
        let one = &found.db_parameters.known().expect("parameters")[0];
        assert_eq!(one.db_parameter_group_name.as_deref(), Some("own"));
        assert_eq!(one.parameter_value.as_deref(), Some("1"));
    }

    #[test]
    fn a_group_outside_the_plan_is_a_gap_and_a_default_one_is_not() {
        let found = evidence(&[("aws_db_instance.d", instance("elsewhere"), &[])], declare);
        assert_eq!(gaps(&found), [("DBParameters", "elsewhere")]);
        assert!(found.db_parameters.is_unseen());
        let found =
            evidence(&[("aws_db_instance.d", instance("default.postgres16"), &[])], declare);
        assert!(found.gaps.is_empty());
    }
}
