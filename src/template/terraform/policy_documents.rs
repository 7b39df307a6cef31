//! Policy documents: as they are known, or put together again from the blocks of
//! `data.aws_iam_policy_document` where only ids are missing.

use serde_json::{Map, Value, json};

use super::{references::Target, resource::Resource, world::World};
use crate::template::aws::Setting;

/// The data source that writes documents.
const DOCUMENT: &str = "aws_iam_policy_document";

/// The document at a path.
pub(super) fn document<'p>(
    world: &World<'p>,
    resource: &'p Resource,
    path: &str,
) -> Setting<Value> {
    match resource.text(path) {
        Setting::Known(text) => parsed(&text, resource, path),
        Setting::Absent => Setting::Absent,
        Setting::Open(_) if world.is_left_to_aws(resource, path) => Setting::Absent,
        Setting::Open(open) => match from_blocks(world, resource, path) {
            Some(document) => Setting::Known(document),
            None => Setting::Open(open),
        },
    }
}

fn parsed(text: &str, resource: &Resource, path: &str) -> Setting<Value> {
    match serde_json::from_str::<Value>(text) {
        Ok(document @ Value::Object(_)) if document.get("Statement").is_some() => {
            Setting::Known(document)
        }
        // `{}` and `null` remove a policy.
        Ok(Value::Null) => Setting::Absent,
        Ok(Value::Object(empty)) if empty.is_empty() => Setting::Absent,
        _ => Setting::Open(format!("{}.{path} is no policy document", resource.address).into()),
    }
}

/// The document of the one data source that the expression names.
fn from_blocks<'p>(world: &World<'p>, resource: &'p Resource, path: &str) -> Option<Value> {
    let all = world.targets(resource, path);
    let [Target::Attribute(source, attribute)] = all.as_slice() else { return None };
    let whole = attribute.as_deref().is_none_or(|name| matches!(name, "json" | "minified_json"));
    if source.kind != DOCUMENT || !whole {
        // Another policy's document, given on.
        return match attribute.as_deref() {
            Some(path @ ("policy" | "assume_role_policy")) => match document(world, source, path) {
                Setting::Known(document) => Some(document),
                _ => None,
            },
            _ => None,
        };
    }
    if let Some(text) = source.known_text("json") {
        return serde_json::from_str(&text).ok();
    }
    // Documents that are laid over each other need those too.
    let layered =
        ["source_json", "override_json", "source_policy_documents", "override_policy_documents"];
    let is_set = |path: &&str| match source.value(path) {
        Setting::Known(value) => *value != json!([]) && *value != "",
        Setting::Absent => false,
        Setting::Open(_) => true,
    };
    if layered.iter().any(is_set) {
        return None;
    }
    let count = source.blocks("statement").known()?;
    let statements: Option<Vec<Value>> =
        (0..count).map(|index| statement(world, source, &format!("statement.{index}"))).collect();
    let version = source.known_text("version").unwrap_or_else(|| "2012-10-17".to_owned());
    Some(json!({"Version": version, "Statement": statements?}))
}

/// One statement; `None` where a part of it cannot be told.
fn statement<'p>(world: &World<'p>, source: &'p Resource, at: &str) -> Option<Value> {
    let path = |part: &str| format!("{at}.{part}");
    let mut found = Map::new();
    if let Some(sid) = source.text(&path("sid")).settled().ok()? {
        found.insert("Sid".to_owned(), json!(sid));
    }
    let effect = source.text(&path("effect")).settled().ok()?;
    let effect = effect.unwrap_or_else(|| "Allow".to_owned());
    let allows = effect == "Allow";
    found.insert("Effect".to_owned(), json!(effect));
    for (ours, theirs) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        let path = path(ours);
        // An expression may have put something behind an ARN. What is allowed there is
        // allowed for less or as much; what is denied must be known to the letter.
        let exact = !allows || ours.starts_with("not_");
        if exact && source.texts(&path).is_open() {
            return None;
        }
        if let Some(list) = world.arns_in(source, &path).settled().ok()?
            && !list.is_empty()
        {
            found.insert(theirs.to_owned(), json!(list));
        }
    }
    for (ours, theirs) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let principals = principals(world, source, &path(ours))?;
        if !principals.is_null() {
            found.insert(theirs.to_owned(), principals);
        }
    }
    let conditions = conditions(world, source, &path("condition"))?;
    if !conditions.is_empty() {
        found.insert("Condition".to_owned(), Value::Object(conditions));
    }
    Some(Value::Object(found))
}

/// `principals` blocks, a set.
fn principals<'p>(world: &World<'p>, source: &'p Resource, at: &str) -> Option<Value> {
    let Some(count) = source.blocks(at).settled().ok()? else { return Some(Value::Null) };
    let mut found = Map::new();
    for index in 0..count {
        let kind = source.text(&format!("{at}.~{index}.type")).known()?;
        let path = format!("{at}.~{index}.identifiers");
        let identifiers = world.arns_in(source, &path).settled().ok()?.unwrap_or_default();
        if kind == "*" {
            return Some(json!("*"));
        }
        if let Value::Array(list) = found.entry(kind).or_insert_with(|| json!([])) {
            list.extend(identifiers.into_iter().map(Value::String));
        }
    }
    Some(Value::Object(found))
}

/// `condition` blocks, a set.
fn conditions<'p>(world: &World<'p>, source: &'p Resource, at: &str) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    let Some(count) = source.blocks(at).settled().ok()? else { return Some(found) };
    for index in 0..count {
        let text = |part: &str| source.text(&format!("{at}.~{index}.{part}")).known();
        let (test, variable) = (text("test")?, text("variable")?);
        let path = format!("{at}.~{index}.values");
        let wanted = variable.to_ascii_lowercase();
        let is_arn = wanted.ends_with("arn");
        let values = if is_arn { world.arns_in(source, &path) } else { world.ids(source, &path) };
        let values = values.settled().ok()?.unwrap_or_default();
        let operator = found.entry(test).or_insert_with(|| json!({}));
        if let Value::Object(operator) = operator {
            let list = operator.entry(variable).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.extend(values.into_iter().map(Value::String));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::document;
    use crate::template::{
        aws::Setting,
        terraform::testing::{plan, world},
    };

    /// The policy that `aws_x.p` takes from a data source with these statements.
    fn read(statements: Value, refers: &[(&str, &[&str])]) -> Setting<Value> {
        let mut all: Vec<(&str, &[&str])> = refers.to_vec();
        all.push(("json", &["data.aws_iam_policy_document.d"]));
        let plan = plan(&[
            ("aws_x.p", json!({}), &[("policy", &["data.aws_iam_policy_document.d.json"])]),
            ("data.aws_iam_policy_document.d", json!({"statement": statements}), &all),
            ("aws_secretsmanager_secret.s", json!({"name": "s"}), &[]),
        ]);
        document(&world(&plan), &plan.resources[0], "policy")
    }

    const RESOURCES: (&str, &[&str]) =
        ("statement.0.resources", &["aws_secretsmanager_secret.s.arn"]);

    #[test]
    fn a_document_is_put_together_where_only_ids_are_missing() {
        let statement = json!([{"sid": "S", "actions": ["a:B"],
            "principals": [{"type": "AWS", "identifiers": ["1"]}, {"type": "Service", "identifiers": ["s"]}],
            "condition": [{"test": "StringEquals", "variable": "aws:x", "values": ["v"]}]}]);
        let Setting::Known(found) = read(statement, &[RESOURCES]) else { panic!("no document") };
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-xxxxxx";
        assert_eq!(
            found["Statement"],
            json!([{"Sid": "S", "Effect": "Allow", "Action": ["a:B"], "Resource": [arn],
                "Principal": {"AWS": ["1"], "Service": ["s"]},
                "Condition": {"StringEquals": {"aws:x": ["v"]}}}])
        );
    }

    #[test]
    fn a_part_that_does_not_show_leaves_all_of_it_open() {
        let open = |document: Setting<Value>| matches!(document, Setting::Open(_));
        let hidden: (&str, &[&str]) = ("statement.0.resources", &["local.arns"]);
        assert!(open(read(json!([{"actions": ["a:B"]}]), &[hidden])));
        assert!(open(read(json!([{"effect": "Deny", "actions": ["a:B"]}]), &[RESOURCES])));
    }

    #[test]
    fn a_text_is_read_and_one_that_is_none_is_open() {
        let read = |text: &str| {
            let plan = plan(&[("aws_x.p", json!({"policy": text}), &[])]);
            document(&world(&plan), &plan.resources[0], "policy")
        };
        assert!(matches!(read(r#"{"Statement": []}"#), Setting::Known(_)));
        assert_eq!((read(""), read("{}")), (Setting::Absent, Setting::Absent));
        assert!(matches!(read("nonsense"), Setting::Open(_)));
    }
}
