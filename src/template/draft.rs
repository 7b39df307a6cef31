//! Evidence in the making: AWS's shapes as JSON, put together key by key, then read as
//! a bundle is. The formats fill it in; nothing is resolved here.

use serde_json::{Map, Value};

use super::{Declared, Location, Origins};
use crate::{
    evidence::{Fact, Gap, Reason, Time},
    seal::bundle,
};

/// Evidence in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// The keys of a bundle.
    object: Map<String, Value>,
    gaps: Vec<Gap>,
    /// Where each thing is declared.
    pub(crate) origins: Origins,
}

impl Draft {
    /// Puts a fact that is one value, such as `Secret` or `Region`.
    pub(crate) fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.object.insert(key.to_owned(), value.into());
    }

    /// Adds to a fact that is a list, such as `Subnets`.
    pub(crate) fn push(&mut self, key: &str, item: Value) {
        if let Value::Array(list) = self.list(key) {
            list.push(item);
        }
    }

    /// Adds to a fact that is a map, such as `VpcAttributes`.
    pub(crate) fn insert(&mut self, key: &str, name: &str, item: Value) {
        let map = self.object.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(map) = map {
            map.insert(name.to_owned(), item);
        }
    }

    /// Says that a list is whole, even where nothing was added to it: an empty one is
    /// absent, where a missing one was not asked for.
    pub(crate) fn list(&mut self, key: &str) -> &mut Value {
        self.object.entry(key).or_insert_with(|| Value::Array(Vec::new()))
    }

    /// What stands under a key by now.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// Takes a fact out again: what is known of it is not enough. A gap says why.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.object.remove(key)
    }

    /// What stands under a key by now, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.object.get_mut(key)
    }

    /// Takes a fact out again.
    pub(crate) fn remove(&mut self, key: &str) {
        self.object.remove(key);
    }

    /// Notes what the declaration leaves open: the id of the thing (empty for a whole
    /// fact), and why in words such as `parameter SubnetIds has no value`.
    pub(crate) fn gap(&mut self, fact: Fact, resource: &str, why: impl Into<String>) {
        self.gaps.push(Gap {
            fact: fact.name().to_owned(),
            action: String::new(),
            resource: resource.to_owned(),
            reason: Reason::NotDeclared,
            message: why.into(),
        });
    }

    /// Notes where a thing is declared, by an id that the evidence has for it.
    pub(crate) fn declare(&mut self, id: impl Into<String>, origin: Location) {
        self.origins.declare(id, origin);
    }

    /// Reads it as evidence of that time.
    ///
    /// # Errors
    /// Where a value has another type than AWS gives it, with its path.
    pub(crate) fn finish(mut self, captured_at: Time) -> Result<Declared, bundle::BundleError> {
        self.put("SchemaVersion", crate::evidence::SCHEMA_VERSION);
        self.put("CapturedAt", captured_at.to_string());
        let mut evidence = bundle::from_object(self.object)?.evidence;
        evidence.gaps.extend(self.gaps);
        bundle::normalise(&mut evidence);
        Ok(Declared { evidence, origins: self.origins })
    }
}
