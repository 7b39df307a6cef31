//! EC2: managed prefix lists.

use super::world::World;
use crate::{evidence::Fact, template::draft::begin};

/// The entries of prefix lists.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let fact = Fact::ManagedPrefixListEntries;
    for list in world.created("AWS::EC2::PrefixList", fact) {
        let entries = list.properties.get("Entries");
        if let Some(open) = entries.first_open() {
            world.draft.gap(fact, &list.id, open);
            continue;
        }
        let items = entries.items().unwrap_or_default();
        let blocks = items.iter().filter_map(|entry| entry.get("Cidr").known()).collect();
        begin(&mut world.draft.evidence.managed_prefix_list_entries).insert(list.id, blocks);
    }
}
