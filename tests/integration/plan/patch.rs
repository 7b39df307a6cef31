//! A plan to be changed as Terraform would write the change: values, what is unknown,
//! and the configuration behind both.

use std::fs;

use serde_json::{Map, Value, json};

use crate::support::root;

/// A plan in the making.
#[derive(Clone)]
pub(super) struct Plan(pub(super) Value);

impl Plan {
    pub(super) fn fixture(name: &str) -> Self {
        let path = root().join("fixtures/plans").join(name);
        let text = fs::read_to_string(path).expect("a fixture");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    pub(super) fn healthy() -> Self {
        Self::fixture("healthy.json")
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    fn list(&mut self, pointer: &str) -> &mut Vec<Value> {
        self.0.pointer_mut(pointer).and_then(Value::as_array_mut).expect("a list")
    }

    fn in_list<'p>(&'p mut self, pointer: &str, address: &str) -> Option<&'p mut Value> {
        self.list(pointer).iter_mut().find(|one| one["address"] == address)
    }

    fn change(&mut self, address: &str) -> &mut Value {
        let found = self.in_list("/resource_changes", address);
        &mut found.unwrap_or_else(|| panic!("no {address}"))["change"]
    }

    fn planned(&mut self, address: &str) -> &mut Value {
        let found = self.in_list("/planned_values/root_module/resources", address);
        &mut found.unwrap_or_else(|| panic!("no {address}"))["values"]
    }

    fn expressions(&mut self, address: &str) -> &mut Value {
        let found = self.in_list("/configuration/root_module/resources", address);
        &mut found.unwrap_or_else(|| panic!("no {address}"))["expressions"]
    }

    /// A value that is known.
    pub(super) fn set(mut self, address: &str, path: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        put(self.planned(address), path, value.clone());
        put(&mut self.change(address)["after"], path, value.clone());
        put(&mut self.change(address)["after_unknown"], path, json!(false));
        put(self.expressions(address), path, json!({"constant_value": value}));
        self
    }

    /// A value that is known, of which the configuration says nothing: that of a block
    /// which is an attribute to the provider.
    pub(super) fn planned_only(mut self, address: &str, path: &str, value: Value) -> Self {
        put(self.planned(address), path, value.clone());
        put(&mut self.change(address)["after"], path, value);
        put(&mut self.change(address)["after_unknown"], path, json!(false));
        self
    }

    /// A part of such a value that is not known.
    pub(super) fn open_only(mut self, address: &str, path: &str) -> Self {
        put(self.planned(address), path, Value::Null);
        put(&mut self.change(address)["after_unknown"], path, json!(true));
        self
    }

    /// A value that is not known, and what its expression names.
    pub(super) fn refer(mut self, address: &str, path: &str, references: &[&str]) -> Self {
        put(self.planned(address), path, Value::Null);
        put(&mut self.change(address)["after"], path, Value::Null);
        put(&mut self.change(address)["after_unknown"], path, json!(true));
        put(self.expressions(address), path, json!({"references": whole(references)}));
        self
    }

    /// A value that AWS tells, since nothing in the configuration does.
    pub(super) fn unset(mut self, address: &str, name: &str) -> Self {
        self.planned(address).as_object_mut().expect("values").remove(name);
        self.change(address)["after"].as_object_mut().expect("values").remove(name);
        put(&mut self.change(address)["after_unknown"], name, json!(true));
        self.expressions(address).as_object_mut().expect("expressions").remove(name);
        self
    }

    /// Without a resource.
    pub(super) fn without(mut self, address: &str) -> Self {
        for pointer in [
            "/resource_changes",
            "/planned_values/root_module/resources",
            "/configuration/root_module/resources",
        ] {
            let before = self.list(pointer).len();
            self.list(pointer).retain(|one| one["address"] != address);
            assert_eq!(self.list(pointer).len(), before - 1, "{address} in {pointer}");
        }
        self
    }

    /// Where a resource is to be deleted.
    pub(super) fn deleting(mut self, address: &str) -> Self {
        let values = self.planned(address).clone();
        self.list("/planned_values/root_module/resources").retain(|one| one["address"] != address);
        self.list("/configuration/root_module/resources").retain(|one| one["address"] != address);
        *self.change(address) = json!({"actions": ["delete"], "before": values, "after": null,
            "after_unknown": {}});
        self
    }

    /// With one more resource: what is known, and what refers to others.
    pub(super) fn with(mut self, address: &str, known: Value, refers: &[(&str, &[&str])]) -> Self {
        let (kind, name) = address.split_once('.').expect("an address");
        let mut expressions: Map<String, Value> = known
            .as_object()
            .expect("values")
            .iter()
            .map(|(key, value)| (key.clone(), json!({"constant_value": value})))
            .collect();
        let mut unknown = json!({"id": true, "arn": true});
        for (path, references) in refers {
            put(&mut unknown, path, json!(true));
            expressions.insert((*path).to_owned(), json!({"references": whole(references)}));
        }
        let place = json!({"address": address, "mode": "managed", "type": kind, "name": name});
        let add = |key: &str, value: Value| {
            let mut place = place.clone();
            place[key] = value;
            place
        };
        let change = json!({"actions": ["create"], "before": null, "after": known,
            "after_unknown": unknown});
        self.list("/resource_changes").push(add("change", change));
        self.list("/planned_values/root_module/resources").push(add("values", known));
        self.list("/configuration/root_module/resources")
            .push(add("expressions", Value::Object(expressions)));
        self
    }
}

/// References as Terraform lists them: each with its beginnings.
fn whole(references: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for one in references {
        found.push((*one).to_owned());
        let parts: Vec<&str> = one.split('.').collect();
        let own = if parts[0] == "data" { 3 } else { 2 };
        if parts.len() > own && !matches!(parts[0], "var" | "local" | "each" | "count") {
            found.push(parts[..own].join("."));
        }
    }
    found
}

/// Puts a value at a path, through lists and what is not there yet.
fn put(value: &mut Value, path: &str, new: Value) {
    let mut at = value;
    for part in path.split('.') {
        at = match part.parse::<usize>() {
            Ok(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().expect("a list");
                while list.len() <= index {
                    list.push(json!({}));
                }
                &mut list[index]
            }
            Err(_) => {
                if !at.is_object() {
                    *at = json!({});
                }
                &mut at[part]
            }
        };
    }
    *at = new;
}
