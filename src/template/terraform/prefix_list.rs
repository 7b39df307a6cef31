//! EC2: managed prefix lists.

use serde_json::json;

use super::{value::Seen, world::World};
use crate::{evidence::Fact, template::Draft};

const LIST: &str = "aws_ec2_managed_prefix_list";

/// Puts the entries of prefix lists.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    let fact = Fact::ManagedPrefixListEntries;
    for list in world.of(&[LIST, "aws_prefix_list"]) {
        let Some(id) = super::vpc::id_of(world, list) else { continue };
        world.declare(draft, &id, list);
        let mut entries = Vec::new();
        let mut open = None;
        match world.blocks(list, if list.data { "entries" } else { "entry" }) {
            Seen::Known(count) => {
                let name = if list.data { "entries" } else { "entry" };
                for index in 0..count {
                    match list.text(&format!("{name}.~{index}.cidr")) {
                        Seen::Known(block) => entries.push(block),
                        Seen::Absent => {}
                        Seen::Open(why) => open = Some(why),
                    }
                }
            }
            // `data.aws_prefix_list` has the blocks by themselves.
            Seen::Absent => entries.extend(list.texts("cidr_blocks").known().unwrap_or_default()),
            Seen::Open(why) => open = Some(why),
        }
        for entry in world.made(&["aws_ec2_managed_prefix_list_entry"]) {
            match (world.id(entry, "prefix_list_id"), entry.text("cidr")) {
                (Seen::Known(own), Seen::Known(block)) if own == id => entries.push(block),
                (Seen::Known(own), Seen::Open(why)) if own == id => open = Some(why),
                (Seen::Open(why), _) => open = Some(why),
                _ => {}
            }
        }
        match open {
            Some(why) => draft.gap(fact, &id, why),
            None => draft.insert("ManagedPrefixListEntries", &id, json!(entries)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn entries_stand_in_the_list_and_beside_it() {
        let list: &[(&str, &[&str])] = &[("prefix_list_id", &["aws_ec2_managed_prefix_list.l.id"])];
        let own = json!({"entry": [{"cidr": "10.0.0.0/8"}]});
        let found = evidence(
            &[
                ("aws_ec2_managed_prefix_list.l", own.clone(), &[]),
                ("aws_ec2_managed_prefix_list_entry.e", json!({"cidr": "172.16.0.0/12"}), list),
            ],
            put,
        );
        let lists = found.managed_prefix_list_entries.known().expect("lists");
        assert_eq!(lists["aws_ec2_managed_prefix_list.l"], ["10.0.0.0/8", "172.16.0.0/12"]);
        let open: &[(&str, &[&str])] = &[("prefix_list_id", &["local.list"])];
        let found = evidence(
            &[
                ("aws_ec2_managed_prefix_list.l", own, &[]),
                ("aws_ec2_managed_prefix_list_entry.e", json!({"cidr": "172.16.0.0/12"}), open),
            ],
            put,
        );
        let wanted = [("ManagedPrefixListEntries", "aws_ec2_managed_prefix_list.l")];
        assert_eq!(gaps(&found), wanted);
    }
}
