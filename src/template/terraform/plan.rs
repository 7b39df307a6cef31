//! A plan or a state as `terraform show -json` writes it: the resources that will be
//! there, what is known of each, and the configuration behind them. The other
//! modules say what they mean.
//!
//! Source: Terraform's "JSON Output Format" (format version 1).

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    address::{self, Step},
    resource::Resource,
    value,
};
use crate::template::TemplateError;

/// The major version of the format that is read.
const FORMAT: u64 = 1;
/// Modules deeper than this are no plan that Terraform wrote.
const DEEPEST: usize = 64;

/// A plan or a state.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) resources: Vec<Resource>,
    /// What is there now and will not be, as it is now.
    pub(super) removed: Vec<Resource>,
    /// `configuration`; empty in a state.
    pub(super) configuration: Value,
    /// The values of the root module's variables.
    pub(super) variables: Value,
    places: HashSet<String>,
}

impl Plan {
    /// Reads it.
    ///
    /// # Errors
    /// The text is no JSON, or no plan and no state, or of a newer format.
    pub(super) fn read(text: &str) -> Result<Self, TemplateError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let whole = parse(text)?;
        check(&whole)?;
        let mut plan = Self {
            resources: Vec::new(),
            removed: Vec::new(),
            configuration: whole["configuration"].clone(),
            variables: whole["variables"].clone(),
            places: HashSet::new(),
        };
        let changes = Changes::of(&whole["resource_changes"]);
        // What the plan leaves behind; data sources that are read by now stand in the
        // state before it.
        for root in [
            &whole["planned_values"]["root_module"],
            &whole["values"]["root_module"],
            &whole["prior_state"]["values"]["root_module"],
        ] {
            let is_prior = std::ptr::eq(root, &whole["prior_state"]["values"]["root_module"]);
            let planned = whole["planned_values"].is_object();
            plan.add_module(root, &changes, is_prior && planned, 0);
        }
        for change in changes.list {
            plan.add_change(change);
        }
        let regions: Vec<_> = plan.resources.iter().map(|one| plan.region_of(one)).collect();
        for (resource, region) in plan.resources.iter_mut().zip(regions) {
            resource.region = region;
        }
        Ok(plan)
    }

    fn add_module(&mut self, module: &Value, changes: &Changes<'_>, data_only: bool, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for resource in value::items(&module["resources"]) {
            let Some(address) = resource["address"].as_str() else { continue };
            let change = changes.by_address.get(address).copied().unwrap_or(&Value::Null);
            let is_data = resource["mode"] == "data";
            if changes.gone.contains(address) || data_only && !is_data {
                continue;
            }
            let existed = actions(change).iter().all(|action| *action != "create");
            self.add(resource, &resource["values"], &change["change"]["after_unknown"], existed);
        }
        for child in value::items(&module["child_modules"]) {
            self.add_module(child, changes, data_only, depth + 1);
        }
    }

    /// What the plan's values leave out: all that is cut out of a plan for a sample, and
    /// data sources of which nothing is known.
    fn add_change(&mut self, change: &Value) {
        let actions = actions(change);
        let stays = !actions.is_empty()
            && !matches!(actions.as_slice(), ["delete" | "forget"])
            && change["deposed"].is_null();
        let inner = &change["change"];
        if stays {
            let exists = !actions.contains(&"create");
            self.add(change, &inner["after"], &inner["after_unknown"], exists);
        } else if actions == ["delete"] {
            self.removed.extend(made(change, &inner["before"], &Value::Null, true));
        }
    }

    fn add(&mut self, place: &Value, values: &Value, unknown: &Value, exists: bool) {
        if let Some(made) = made(place, values, unknown, exists)
            && !self.places.contains(&made.address)
        {
            self.places.insert(made.address.clone());
            self.resources.push(made);
        }
    }
}

/// A resource at a place of the plan.
fn made(place: &Value, values: &Value, unknown: &Value, exists: bool) -> Option<Resource> {
    let text = |key: &str| place[key].as_str().map(str::to_owned);
    let (Some(address), Some(kind)) = (text("address"), text("type")) else { return None };
    let own = address::steps(&address);
    let key =
        address::key(place.get("index")).or_else(|| own.last().and_then(|step| step.key.clone()));
    let name = text("name").or_else(|| own.last().map(|step| step.name.clone()));
    Some(Resource {
        modules: address::modules(&address),
        data: place["mode"] == "data",
        address,
        kind,
        name: name.unwrap_or_default(),
        key,
        values: values.clone(),
        unknown: unknown.clone(),
        exists,
        region: None,
    })
}

impl Plan {
    /// The configuration of a module, by the names of the calls that lead to it.
    pub(super) fn module(&self, modules: &[Step]) -> &Value {
        modules.iter().fold(&self.configuration["root_module"], |module, step| {
            &module["module_calls"][step.name.as_str()]["module"]
        })
    }

    /// The configuration of a resource.
    pub(super) fn configuration(&self, resource: &Resource) -> &Value {
        let mode = if resource.data { "data" } else { "managed" };
        value::items(&self.module(&resource.modules)["resources"])
            .iter()
            .find(|one| {
                one["type"] == resource.kind.as_str()
                    && one["name"] == resource.name.as_str()
                    && one["mode"].as_str().unwrap_or("managed") == mode
            })
            .unwrap_or(&Value::Null)
    }

    /// The region of a resource itself, else of its provider.
    fn region_of(&self, resource: &Resource) -> Option<String> {
        if let Some(own) = resource.known_text("region").filter(|own| looks_like_a_region(own)) {
            return Some(own);
        }
        let providers = &self.configuration["provider_config"];
        let key = self.configuration(resource)["provider_config_key"].as_str().unwrap_or("aws");
        // In a module the key has the module's name before it: `db:aws`.
        let plain = key.rsplit(':').next().unwrap_or(key);
        let provider =
            [key, plain].into_iter().map(|key| &providers[key]).find(|one| !one.is_null());
        let provider = provider?;
        let region = &provider["expressions"]["region"];
        if let Some(constant) = region["constant_value"].as_str() {
            return Some(constant.to_owned());
        }
        let references = value::items(&region["references"]).iter().filter_map(Value::as_str);
        let mut values = references
            .filter_map(|reference| variable(self, reference.strip_prefix("var.")?)?.as_str());
        values.next().filter(|text| looks_like_a_region(text)).map(str::to_owned)
    }
}

/// Whether a text has the form of a region's name.
pub(super) fn looks_like_a_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() >= 3 && parts.last().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()))
}

/// What changes.
struct Changes<'v> {
    list: &'v [Value],
    by_address: HashMap<&'v str, &'v Value>,
    /// What will not be there any more.
    gone: HashSet<&'v str>,
}

impl<'v> Changes<'v> {
    fn of(list: &'v Value) -> Self {
        let list = value::items(list);
        let live = || list.iter().filter(|change| change["deposed"].is_null());
        let named = |change: &'v Value| Some((change["address"].as_str()?, change));
        let gone = live().filter(|c| matches!(actions(c).as_slice(), ["delete" | "forget"]));
        Self {
            list,
            by_address: live().filter_map(named).collect(),
            gone: gone.filter_map(|change| change["address"].as_str()).collect(),
        }
    }
}

fn actions(change: &Value) -> Vec<&str> {
    value::items(&change["change"]["actions"]).iter().filter_map(Value::as_str).collect()
}

fn parse(text: &str) -> Result<Value, TemplateError> {
    if text.starts_with("PK\u{3}\u{4}") || text.contains('\0') {
        return Err(TemplateError::Syntax(
            "this is a plan file as terraform keeps it. Run `terraform show -json PLAN > plan.json` \
             and give that file"
                .to_owned(),
        ));
    }
    // What wraps terraform in a pipeline prints lines of its own before and after.
    let text = text.trim();
    let start = match text.starts_with('{') {
        true => 0,
        false => text.find("\n{").map_or(0, |end| end + 1),
    };
    let mut all = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    let first = all.next().unwrap_or_else(|| serde_json::from_str(""));
    first.map_err(|error| {
        let what = if error.is_eof() { "cut off" } else { "not JSON" };
        TemplateError::Syntax(format!(
            "the plan is {what}: {error}. Write it with `terraform show -json PLAN > plan.json`"
        ))
    })
}

/// Whether it is a plan or a state of a format that is known.
fn check(whole: &Value) -> Result<(), TemplateError> {
    let wrong = |text: String| Err(TemplateError::WrongKind(text));
    let how = "`terraform show -json PLAN > plan.json` writes one";
    let Some(object) = whole.as_object() else {
        return wrong(format!("this is no Terraform plan: {how}"));
    };
    if object.contains_key("Resources") || object.contains_key("AWSTemplateFormatVersion") {
        return wrong(format!("this is a CloudFormation template, no Terraform plan: {how}"));
    }
    if object.contains_key("@level") {
        return wrong(format!(
            "this is the log of `terraform plan -json`, which has no values: {how}"
        ));
    }
    if object.contains_key("lineage") && object.contains_key("serial") {
        return wrong(
            "this is a state file as terraform keeps it. Run `terraform show -json > state.json` \
             and give that file"
                .to_owned(),
        );
    }
    let known = ["planned_values", "resource_changes", "values"];
    if !known.iter().any(|key| object.contains_key(*key)) {
        // An empty state has a version and nothing else.
        return match whole["format_version"].is_string() && !object.contains_key("valid") {
            true => Ok(()),
            false => wrong(format!("this is no Terraform plan: {how}")),
        };
    }
    let version = whole["format_version"].as_str().unwrap_or("1");
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(major) if major > FORMAT => wrong(format!(
            "the plan's format {version} is newer than this rotdoctor knows (it reads {FORMAT}.x): \
             update rotdoctor"
        )),
        _ => Ok(()),
    }
}

/// The root module's variables, by name.
pub(super) fn variable<'p>(plan: &'p Plan, name: &str) -> Option<&'p Value> {
    plan.variables.get(name)?.get("value")
}

/// An object's members; none where it is no object.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Plan;

    fn error(text: &str) -> String {
        Plan::read(text).expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_plan_says_what_to_do() {
        assert!(error("PK\u{3}\u{4}\0\0").contains("terraform show -json PLAN"));
        assert!(error("{\"format_version\": ").contains("cut off"));
        assert!(error("resource {").contains("not JSON") && error("").contains("cut off"));
        assert!(error("[]").contains("no Terraform plan"));
        assert!(error("{}").contains("no Terraform plan"));
        assert!(error(r#"{"AWSTemplateFormatVersion": "x"}"#).contains("CloudFormation"));
        assert!(error(r#"{"@level": "info"}"#).contains("terraform plan -json"));
        assert!(error(r#"{"version": 4, "serial": 1, "lineage": "x"}"#).contains("state file"));
        let newer = error(r#"{"format_version": "2.0", "planned_values": {}}"#);
        assert!(newer.contains("update rotdoctor"), "{newer}");
    }

    #[test]
    fn what_a_pipeline_prints_around_it_is_left_out() {
        let wrapped = "[command]/bin/terraform show -json plan\n{\"format_version\": \"1.2\", \
                       \"planned_values\": {}}%0A\n::set-output name=exitcode::0\n";
        assert!(Plan::read(wrapped).expect("a plan").resources.is_empty());
    }

    #[test]
    fn what_goes_is_gone_and_what_stays_counts_once() {
        let resource = |name: &str| {
            json!({"address": format!("aws_vpc.{name}"), "mode": "managed", "type": "aws_vpc",
                "name": name, "values": {"cidr_block": "10.0.0.0/16"}})
        };
        let change = |name: &str, actions: &[&str]| {
            json!({"address": format!("aws_vpc.{name}"), "mode": "managed", "type": "aws_vpc",
                "name": name, "change": {"actions": actions, "after": {}, "after_unknown": {"id": true}}})
        };
        let plan = json!({"format_version": "1.2",
            "planned_values": {"root_module": {"resources": [resource("kept"), resource("new")]}},
            "prior_state": {"values": {"root_module": {"resources": [resource("old")]}}},
            "resource_changes": [change("kept", &["no-op"]), change("new", &["delete", "create"]),
                change("old", &["delete"]), change("left", &["forget"])]});
        let plan = Plan::read(&plan.to_string()).expect("a plan");
        let found: Vec<_> = plan.resources.iter().map(|r| (r.name.as_str(), r.exists)).collect();
        assert_eq!(found, [("kept", true), ("new", false)]);
        assert_eq!(plan.resources[1].unknown, json!({"id": true}));
    }

    #[test]
    fn a_state_is_read_too_and_so_are_data_sources_of_the_state_before() {
        let data = json!({"address": "module.a.data.aws_vpc.x", "mode": "data", "type": "aws_vpc",
            "name": "x", "values": {"id": "vpc-1"}});
        let module = json!({"root_module": {"child_modules": [{"address": "module.a",
            "resources": [data]}]}});
        for plan in [
            json!({"format_version": "1.0", "values": module}),
            json!({"format_version": "1.0", "planned_values": {"root_module": {}},
                "prior_state": {"values": module}}),
        ] {
            let plan = Plan::read(&plan.to_string()).expect("a plan");
            assert!(plan.resources[0].data && plan.resources[0].modules[0].name == "a");
        }
    }
}
