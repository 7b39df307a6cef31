//! What the parts of a template refer to: its parameters, mappings, conditions and
//! resources, and where it would be deployed.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
};

use super::{
    document::Node,
    value::{Resolved, Value},
};
use crate::template::{
    Settings,
    aws::{Open, Place},
};

/// A resource of the template.
#[derive(Debug)]
pub(super) struct Resource<'t> {
    /// Its logical id.
    pub(super) name: &'t str,
    pub(super) kind: &'t str,
    /// The whole of it.
    pub(super) node: &'t Node,
}

/// Whether a resource is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Made,
    /// Its condition is false.
    NotMade,
    /// Its condition cannot be told, and reason.
    Open(String),
}

/// The template, ready to be resolved.
pub(super) struct Scope<'t> {
    pub(super) root: &'t Node,
    pub(super) settings: &'t Settings,
    pub(super) place: Place,
    /// The file of each resource that another template declares.
    files: &'t HashMap<String, String>,
    resources: Vec<Resource<'t>>,
    by_name: HashMap<&'t str, usize>,
    /// Conditions that are taken as decided: those under which a rotation is there.
    assumed: BTreeMap<String, bool>,
    pub(super) conditions: RefCell<HashMap<String, Option<bool>>>,
    /// What is being resolved: whoever comes back to it goes round in a circle.
    pub(super) under_way: RefCell<Vec<String>>,
    /// What names stand for, once resolved.
    pub(super) names: RefCell<HashMap<String, Value>>,
    /// How deep the resolution is by now.
    pub(super) depth: Cell<u32>,
    /// How many values may still be resolved: references that multiply end here.
    pub(super) fuel: Cell<u32>,
}

/// How many conditions one may imply.
const LONGEST_CHAIN: usize = 100;
/// More than any template takes.
const FUEL: u32 = 3_000_000;

impl<'t> Scope<'t> {
    pub(super) fn of(
        root: &'t Node,
        settings: &'t Settings,
        files: &'t HashMap<String, String>,
        place: Place,
    ) -> Self {
        let mut resources = Vec::new();
        let declared = root.get("Resources").map(Node::entries).unwrap_or_default();
        for (name, node) in declared {
            if let Some(kind) = node.get("Type").and_then(Node::text) {
                resources.push(Resource { name, kind, node });
            }
        }
        let by_name = resources.iter().enumerate().map(|(at, one)| (one.name, at)).collect();
        Self {
            root,
            settings,
            place,
            files,
            resources,
            by_name,
            assumed: BTreeMap::new(),
            conditions: RefCell::default(),
            under_way: RefCell::default(),
            names: RefCell::default(),
            depth: Cell::new(0),
            fuel: Cell::new(FUEL),
        }
    }

    /// The same template where a resource is there: its condition holds, and what that
    /// implies.
    pub(super) fn where_made(&self, resource: &Resource<'t>) -> Self {
        let mut scope = Self::of(self.root, self.settings, self.files, self.place.clone());
        if let Some(name) = resource.node.get("Condition").and_then(Node::text) {
            let mut assumed = BTreeMap::new();
            self.imply(name, true, &mut assumed);
            scope.assumed = assumed;
        }
        scope
    }

    /// What follows from a condition: the parts of an `And` hold with it, those of an
    /// `Or` fall with it, a `Not` turns round.
    fn imply(&self, name: &str, holds: bool, assumed: &mut BTreeMap<String, bool>) {
        if assumed.len() > LONGEST_CHAIN || assumed.insert(name.to_owned(), holds).is_some() {
            return;
        }
        if let Some(node) = self.condition_node(name) {
            self.imply_node(node, holds, assumed);
        }
    }

    fn imply_node(&self, node: &Node, holds: bool, assumed: &mut BTreeMap<String, bool>) {
        let [(function, argument)] = node.entries() else { return };
        match (function.as_str(), holds) {
            ("Condition", _) => {
                if let Some(name) = argument.text() {
                    self.imply(name, holds, assumed);
                }
            }
            ("Fn::Not", _) => {
                argument.items().iter().for_each(|one| self.imply_node(one, !holds, assumed));
            }
            ("Fn::And", true) | ("Fn::Or", false) => {
                argument.items().iter().for_each(|one| self.imply_node(one, holds, assumed));
            }
            _ => {}
        }
    }

    pub(super) fn condition_node(&self, name: &str) -> Option<&'t Node> {
        self.root.get("Conditions")?.get(name)
    }

    pub(super) fn assumed(&self, condition: &str) -> Option<bool> {
        self.assumed.get(condition).copied()
    }

    pub(super) fn resources(&self) -> &[Resource<'t>] {
        &self.resources
    }

    pub(super) fn resource(&self, name: &str) -> Option<&Resource<'t>> {
        self.by_name.get(name).map(|at| &self.resources[*at])
    }

    /// The file of a resource, where another template declares it.
    pub(super) fn file_of(&self, resource: &str) -> Option<&'t str> {
        self.files.get(resource).map(String::as_str)
    }

    /// What a template exports under a name.
    pub(super) fn exported(&self, name: &str) -> Option<Value> {
        let outputs = self.root.get("Outputs").map(Node::entries).unwrap_or_default();
        let (_, output) = outputs.iter().find(|(_, output)| {
            let export = output.get("Export").and_then(|export| export.get("Name"));
            export.is_some_and(|node| self.resolve(node).id().as_deref() == Some(name))
        })?;
        Some(self.resolve(output.get("Value")?).value)
    }

    /// Whether a resource is made.
    pub(super) fn presence(&self, resource: &Resource<'_>) -> Presence {
        let Some(node) = resource.node.get("Condition") else { return Presence::Made };
        let Some(name) = node.text() else {
            return Presence::Open(format!("the condition of {} is no name", resource.name));
        };
        match self.condition(name) {
            Some(true) => Presence::Made,
            Some(false) => Presence::NotMade,
            None => Presence::Open(format!("condition {name} cannot be told")),
        }
    }

    /// One property of a resource.
    pub(super) fn property(&self, resource: &Resource<'_>, name: &str) -> Resolved {
        let Some(properties) = resource.node.get("Properties") else {
            return Resolved::nothing().clone();
        };
        if let Some((key, value)) = properties.entries().first()
            && properties.entries().len() == 1
            && super::intrinsics::is_intrinsic(key)
        {
            return self.intrinsic(properties.at, key, value).get(name).clone();
        }
        match properties.get(name) {
            Some(node) => self.resolve(node),
            // A macro in place may add any property.
            None if properties.get("Fn::Transform").is_some() => Resolved {
                at: properties.at,
                value: Open::named(
                    &format!("{}.{name}", resource.name),
                    format!("Fn::Transform may declare {name} of {}", resource.name),
                )
                .into(),
            },
            None => Resolved::nothing().clone(),
        }
    }

    /// The properties of a resource.
    pub(super) fn properties(&self, resource: &Resource<'_>) -> Resolved {
        let Some(node) = resource.node.get("Properties") else {
            return Resolved::nothing().clone();
        };
        self.resolve(node)
    }

    /// What a parameter stands for.
    pub(super) fn parameter(&self, name: &str) -> Option<Value> {
        let node = self.root.get("Parameters")?.get(name)?;
        let kind = node.get("Type").and_then(Node::text).unwrap_or("String");
        let open = |reason: String| Some(Open::named(name, reason).into());
        if node.get("NoEcho").and_then(Node::text).is_some_and(|text| text != "false") {
            return open(format!("the value of parameter {name} is not to be shown"));
        }
        if kind.starts_with("AWS::SSM::Parameter") {
            return open(format!("parameter {name} stands for a value in Parameter Store"));
        }
        let given = self.settings.parameters.get(name).map(String::as_str);
        let Some(text) = given.or_else(|| node.get("Default")?.text()) else {
            return open(format!("parameter {name} has no value"));
        };
        if text.contains("{{resolve:") {
            return open(format!("parameter {name} is resolved when the stack is deployed"));
        }
        let at = node.at;
        Some(if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::List(
                items.map(|item| Resolved { at, value: Value::Text(item.to_owned()) }).collect(),
            )
        } else {
            Value::Text(text.to_owned())
        })
    }

    /// A pseudo parameter.
    pub(super) fn pseudo(&self, name: &str) -> Option<Value> {
        let place = &self.place;
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        if let Some(given) =
            self.settings.parameters.get(name).filter(|_| name.starts_with("AWS::"))
        {
            return text(given);
        }
        match name {
            "AWS::Region" => text(&place.region),
            "AWS::AccountId" => text(&place.account),
            "AWS::Partition" => text(place.partition()),
            "AWS::URLSuffix" => text(place.url_suffix()),
            "AWS::NoValue" => Some(Value::Nothing),
            "AWS::StackName" | "AWS::StackId" | "AWS::NotificationARNs" => {
                Some(Open::named(name, format!("{name} is known only to the stack")).into())
            }
            _ => None,
        }
    }
}
