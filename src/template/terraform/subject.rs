//! Which database a secret is for: the one that its value refers to. A value that is not
//! known yet does not show, but the configuration tells what it is made of.

use serde_json::{Value, json};

use super::{
    database::{CLUSTERS, INSTANCE},
    plan::Resource,
    secret::Parts,
    value::items,
    world::World,
};
use crate::template::Draft;

/// Names the database, where the value does not show it and there is only one that it
/// can be.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    let shown = draft.get("SecretShape").is_some();
    let Some(version) = parts.version.filter(|_| !shown) else { return };
    let databases = databases(world, version);
    let [database] = databases.as_slice() else { return };
    let attribute = if database.kind == INSTANCE { "address" } else { "endpoint" };
    let Some(host) = world.host(database, attribute) else { return };
    // Only one that is in the evidence: of one that was left out, nothing may be said.
    if !is_known(draft, &host) {
        return;
    }
    if let Some(port) = super::database::port(world, database) {
        draft.put("Database", json!({"Host": host, "Port": port}));
    }
}

/// The databases whose attributes the value is made of.
fn databases<'p>(world: &World<'p>, version: &'p Resource) -> Vec<&'p Resource> {
    let mut found: Vec<&Resource> = Vec::new();
    for other in world.named(version, "secret_string") {
        let is_database = other.kind == INSTANCE || CLUSTERS.contains(&other.kind.as_str());
        if is_database && !found.iter().any(|one| std::ptr::eq(*one, other)) {
            found.push(other);
        }
    }
    found
}

fn is_known(draft: &Draft, host: &str) -> bool {
    let list = |key: &str| draft.get(key).map_or(&[][..], items);
    let is = |value: &Value| value.as_str() == Some(host);
    list("DBInstances").iter().any(|one| is(&one["Endpoint"]["Address"]))
        || list("DBClusters").iter().any(|one| is(&one["Endpoint"]))
}
