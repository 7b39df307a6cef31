//! RDS: parameters that the plan's parameter groups set.

use serde_json::{Value, json};

use super::{
    value::{Seen, items},
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const GROUPS: [&str; 3] = [
    "aws_db_parameter_group",
    "aws_rds_cluster_parameter_group",
    "aws_docdb_cluster_parameter_group",
];
/// How the names of the groups begin that come with an engine, and set nothing.
const DEFAULT: &str = "default.";

/// Puts the parameters; a group that is used and not in the plan is a gap.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    let mut parameters = Vec::new();
    let mut known = Vec::new();
    for group in world.made(&GROUPS) {
        let name = world.name(group);
        world.declare(draft, &name, group);
        match world.blocks(group, "parameter") {
            Seen::Known(count) => {
                for index in 0..count {
                    let text = |part: &str| group.text(&format!("parameter.~{index}.{part}"));
                    match (text("name"), text("value")) {
                        (Seen::Known(parameter), Seen::Known(value)) => parameters.push(json!({
                            "DBParameterGroupName": name, "ParameterName": parameter,
                            "ParameterValue": value, "Source": "user"})),
                        (Seen::Open(why), _) | (_, Seen::Open(why)) => {
                            draft.gap(Fact::DBParameters, &name, why);
                        }
                        _ => {}
                    }
                }
            }
            Seen::Absent => {}
            Seen::Open(why) => draft.gap(Fact::DBParameters, &name, why),
        }
        known.push(name);
    }
    let mut outside = Vec::new();
    for (fact, pointer) in [
        ("DBInstances", "/DBParameterGroups/0/DBParameterGroupName"),
        ("DBClusters", "/DBClusterParameterGroup"),
    ] {
        let all = draft.get(fact).map_or(&[][..], items);
        let named = all.iter().filter_map(|one| one.pointer(pointer).and_then(Value::as_str));
        outside.extend(
            named
                .filter(|name| !name.starts_with(DEFAULT) && !known.iter().any(|own| own == name))
                .map(str::to_owned),
        );
    }
    let is_open = !outside.is_empty();
    for name in outside {
        draft.gap(
            Fact::DBParameters,
            &name,
            format!("the parameter group {name} lies outside the plan"),
        );
    }
    // A list with a hole would say of what is in the hole that it is not set.
    if !is_open {
        draft.put("DBParameters", Value::Array(parameters));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        terraform::{
            database,
            testing::{evidence, gaps},
            world::World,
        },
    };

    fn put(world: &World<'_>, draft: &mut Draft) {
        database::put(world, draft);
        super::put(world, draft);
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
            put,
        );
        let one = &found.db_parameters.known().expect("parameters")[0];
        assert_eq!(one.db_parameter_group_name.as_deref(), Some("own"));
        assert_eq!(one.parameter_value.as_deref(), Some("1"));
    }

    #[test]
    fn a_group_outside_the_plan_is_a_gap_and_a_default_one_is_not() {
        let found = evidence(&[("aws_db_instance.d", instance("elsewhere"), &[])], put);
        assert_eq!(gaps(&found), [("DBParameters", "elsewhere")]);
        assert!(found.db_parameters.is_unseen());
        let found = evidence(&[("aws_db_instance.d", instance("default.postgres16"), &[])], put);
        assert!(found.gaps.is_empty());
    }
}
