//! EC2: managed prefix lists.

use super::{resource::Resource, vpcs::id_of, world::World};
use crate::{
    evidence::Fact,
    template::{
        Draft,
        aws::{Open, Setting},
        draft::begin,
    },
};

const KINDS: [&str; 2] = ["aws_ec2_managed_prefix_list", "aws_prefix_list"];

/// The entries of prefix lists.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    for list in world.of(&KINDS) {
        let Some(id) = id_of(world, list) else { continue };
        world.declare(draft, &id, list);
        match entries_of(world, list, &id) {
            Err(open) => draft.gap(Fact::ManagedPrefixListEntries, &id, open),
            Ok(entries) => {
                let lists = &mut draft.evidence.managed_prefix_list_entries;
                begin(lists).insert(id, entries);
            }
        }
    }
}

fn entries_of<'p>(world: &World<'p>, list: &'p Resource, id: &str) -> Result<Vec<String>, Open> {
    let name = if list.data { "entries" } else { "entry" };
    let mut entries = Vec::new();
    match world.blocks(list, name).settled()? {
        Some(count) => {
            for index in 0..count {
                entries.extend(list.text(&format!("{name}.~{index}.cidr")).settled()?);
            }
        }
        // `data.aws_prefix_list` has the CIDR blocks by themselves.
        None => entries.extend(list.texts("cidr_blocks").known().unwrap_or_default()),
    }
    for entry in world.created(&["aws_ec2_managed_prefix_list_entry"]) {
        match world.id(entry, "prefix_list_id") {
            Setting::Known(own) if own == id => entries.extend(entry.text("cidr").settled()?),
            Setting::Open(open) => return Err(open),
            _ => {}
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
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
            declare,
        );
        let lists = found.managed_prefix_list_entries.known().expect("lists");
        assert_eq!(lists["aws_ec2_managed_prefix_list.l"], ["10.0.0.0/8", "172.16.0.0/12"]);
        let open: &[(&str, &[&str])] = &[("prefix_list_id", &["local.list"])];
        let found = evidence(
            &[
                ("aws_ec2_managed_prefix_list.l", own, &[]),
                ("aws_ec2_managed_prefix_list_entry.e", json!({"cidr": "172.16.0.0/12"}), open),
            ],
            declare,
        );
        let wanted = [("ManagedPrefixListEntries", "aws_ec2_managed_prefix_list.l")];
        assert_eq!(gaps(&found), wanted);
    }
}
