//! What an expression of the configuration refers to: through variables of modules,
//! outputs, `each` and `count`, to instances of resources. `ids` tells what an
//! instance's attribute is called in the evidence.
//!
//! Terraform writes only which things an expression names, not what it does with them:
//! where more than one answer is possible, there is none.

use serde_json::Value;

use super::{
    address::{self, Step},
    plan::{self, Plan, members},
    resource::Resource,
    value::{at, items},
};

/// References that lead further than this go round in a circle.
const LONGEST_WAY: u8 = 24;

/// A thing that an expression refers to.
#[derive(Clone, Debug)]
pub(super) enum Target<'p> {
    /// An attribute of an instance, where one is named.
    Attribute(&'p Resource, Option<String>),
    /// A value that stands in the configuration or among the variables.
    Given(&'p Value),
    /// Something that does not show, such as a local value.
    Hidden,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) modules: &'s [Step],
    /// The key of the instance, for `each` and `count`.
    pub(super) key: Option<&'s str>,
    /// What `for_each` goes through.
    pub(super) for_each: &'s Value,
}

/// The expressions for an attribute of an instance: one, unless the blocks it stands in
/// cannot be told apart. `~2` in a path is the third block of a set, which has no order.
pub(super) fn expressions<'p>(plan: &'p Plan, resource: &Resource, path: &str) -> Vec<&'p Value> {
    let mut found = vec![&plan.configuration(resource)["expressions"]];
    let mut walked = String::new();
    for part in path.split('.') {
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(part);
        let mut next = Vec::new();
        for expression in found {
            // A block that is written as a value has one expression for all of it.
            if is_leaf(expression) {
                next.push(expression);
                continue;
            }
            match expression {
                Value::Array(blocks) => {
                    let index: usize = part.trim_start_matches('~').parse().unwrap_or(usize::MAX);
                    match blocks.as_slice() {
                        [one] => next.push(one),
                        _ if part.starts_with('~') => {
                            let item = at(&resource.values, &walked);
                            next.extend(blocks.iter().filter(|block| fits(block, item)));
                        }
                        _ => next.extend(blocks.get(index)),
                    }
                }
                // A block that there is at most one of stands without a list.
                Value::Object(_) if part.trim_start_matches('~').parse::<usize>().is_ok() => {
                    next.push(expression);
                }
                Value::Object(members) => next.extend(members.get(part)),
                _ => {}
            }
        }
        found = next;
    }
    found
}

fn is_leaf(expression: &Value) -> bool {
    expression["references"].is_array() || expression.get("constant_value").is_some()
}

/// Whether a block of the configuration may be the one that was planned: nothing that
/// both say differs.
fn fits(block: &Value, item: &Value) -> bool {
    members(block).all(|(name, expression)| {
        let planned = &item[name.as_str()];
        expression.get("constant_value").is_none_or(|constant| {
            planned.is_null() || planned == constant || text_of(planned) == text_of(constant)
        })
    })
}

/// Numbers stand as texts here and there.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What an expression refers to, each thing once.
pub(super) fn targets<'p>(
    plan: &'p Plan,
    scope: Scope<'_>,
    expression: &'p Value,
    depth: u8,
) -> Vec<Target<'p>> {
    if let Some(constant) = expression.get("constant_value") {
        return vec![Target::Given(constant)];
    }
    let all: Vec<&str> =
        items(&expression["references"]).iter().filter_map(Value::as_str).collect();
    let all = address::longest(&all);
    if depth > LONGEST_WAY || all.is_empty() {
        return vec![Target::Hidden];
    }
    // `aws_subnet.a[count.index]` is named as two things.
    let indexed = all.iter().any(|one| matches!(*one, "count.index" | "each.key" | "each.value"));
    let mut found = Vec::new();
    for reference in all {
        let steps = address::steps(reference);
        found.extend(one(plan, scope, &steps, indexed, depth + 1));
    }
    found
}

fn one<'p>(
    plan: &'p Plan,
    scope: Scope<'_>,
    steps: &[Step],
    indexed: bool,
    depth: u8,
) -> Vec<Target<'p>> {
    let hidden = || vec![Target::Hidden];
    let Some(first) = steps.first() else { return Vec::new() };
    match (first.name.as_str(), steps.get(1)) {
        ("var", Some(name)) => variable(plan, scope, &name.name, &steps[2..], depth),
        ("each", Some(what)) if what.name == "value" => each(plan, scope, steps.get(2), depth),
        // Which instance it is, or where the files are: no value of its own.
        ("each" | "count" | "path" | "terraform" | "self", _) => Vec::new(),
        ("module", Some(call)) => output(plan, scope, call, &steps[2..], indexed, depth),
        ("data", Some(kind)) => match steps.get(2) {
            Some(name) => instances(plan, scope, (true, &kind.name, name), &steps[3..], indexed),
            None => hidden(),
        },
        ("local", _) | (_, None) => hidden(),
        (kind, Some(name)) => instances(plan, scope, (false, kind, name), &steps[2..], indexed),
    }
}

/// The attribute that the rest of a reference names.
fn attribute(rest: &[Step]) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for step in rest {
        parts.push(&step.name);
        parts.extend(step.key.as_deref());
    }
    (!parts.is_empty()).then(|| parts.join("."))
}

fn instances<'p>(
    plan: &'p Plan,
    scope: Scope<'_>,
    (data, kind, name): (bool, &str, &Step),
    rest: &[Step],
    indexed: bool,
) -> Vec<Target<'p>> {
    let all: Vec<&Resource> = plan
        .resources
        .iter()
        .filter(|one| one.data == data && one.kind == kind && one.name == name.name)
        .filter(|one| one.modules == scope.modules)
        .collect();
    let with_key = |key: &str| all.iter().find(|one| one.key.as_deref() == Some(key)).copied();
    let chosen: Vec<&Resource> = match (&name.key, scope.key) {
        (Some(key), _) => with_key(key).into_iter().collect(),
        (None, Some(key)) if indexed => match with_key(key) {
            Some(same) => vec![same],
            None => all,
        },
        _ => all,
    };
    chosen.into_iter().map(|one| Target::Attribute(one, attribute(rest))).collect()
}

fn variable<'p>(
    plan: &'p Plan,
    scope: Scope<'_>,
    name: &str,
    rest: &[Step],
    depth: u8,
) -> Vec<Target<'p>> {
    let hidden = || vec![Target::Hidden];
    let Some((call, outer)) = scope.modules.split_last() else {
        let Some(mut given) = plan::variable(plan, name) else { return hidden() };
        if let Some(path) = attribute(rest) {
            given = at(given, &path);
        }
        return vec![Target::Given(given)];
    };
    let calls = &plan.module(outer)["module_calls"][call.name.as_str()];
    let expression = &calls["expressions"][name];
    if expression.is_null() {
        let default = plan.module(scope.modules)["variables"][name].get("default");
        return default.map_or_else(hidden, |default| vec![Target::Given(default)]);
    }
    let outer =
        Scope { modules: outer, key: call.key.as_deref(), for_each: &calls["for_each_expression"] };
    let found = targets(plan, outer, expression, depth);
    match rest {
        [] => found,
        // A part of an object or a list: which of the things it is does not show.
        _ => match found.as_slice() {
            [Target::Given(value)] => {
                let path = attribute(rest).unwrap_or_default();
                vec![Target::Given(at(value, &path))]
            }
            [Target::Attribute(resource, None)] => {
                vec![Target::Attribute(resource, attribute(rest))]
            }
            [_] => found,
            _ => hidden(),
        },
    }
}

/// `each.value`, with what it asks of it.
fn each<'p>(plan: &'p Plan, scope: Scope<'_>, asked: Option<&Step>, depth: u8) -> Vec<Target<'p>> {
    let hidden = || vec![Target::Hidden];
    let (Some(key), false) = (scope.key, scope.for_each.is_null()) else { return hidden() };
    let references: Vec<&str> =
        items(&scope.for_each["references"]).iter().filter_map(Value::as_str).collect();
    let [one] = address::longest(&references)[..] else { return hidden() };
    let mut whole = address::steps(one);
    if let ([first, call], Some(asked)) = (whole.as_mut_slice(), asked)
        && first.name == "module"
    {
        call.key = Some(key.to_owned());
        let call = call.clone();
        return output(plan, scope, &call, std::slice::from_ref(asked), false, depth + 1);
    }
    let inner = Scope { key: Some(key), for_each: &Value::Null, ..scope };
    let found = self::one(plan, inner, &whole, true, depth + 1);
    match found.as_slice() {
        [Target::Attribute(resource, None)] if resource.key.as_deref() == Some(key) => {
            let rest = asked.map(|step| step.name.clone());
            vec![Target::Attribute(resource, rest)]
        }
        [Target::Given(Value::Object(all))] => {
            let value = all.get(key).unwrap_or(&Value::Null);
            let value = asked.map_or(value, |step| &value[step.name.as_str()]);
            vec![Target::Given(value)]
        }
        _ => hidden(),
    }
}

/// An output of a module that is called here.
fn output<'p>(
    plan: &'p Plan,
    scope: Scope<'_>,
    call: &Step,
    rest: &[Step],
    indexed: bool,
    depth: u8,
) -> Vec<Target<'p>> {
    let hidden = || vec![Target::Hidden];
    let Some((wanted, more)) = rest.split_first() else { return hidden() };
    let inner = &plan.module(scope.modules)["module_calls"][call.name.as_str()]["module"];
    let expression = &inner["outputs"][wanted.name.as_str()]["expression"];
    if expression.is_null() {
        return hidden();
    }
    let mut keys: Vec<Option<String>> = plan
        .resources
        .iter()
        .filter_map(|one| {
            let (outer, own) = one.modules.split_at_checked(scope.modules.len())?;
            let step =
                own.first().filter(|step| outer == scope.modules && step.name == call.name)?;
            Some(step.key.clone())
        })
        .collect();
    keys.dedup();
    let same = |key: &Option<String>| key.as_deref() == scope.key;
    if call.key.is_some() {
        keys = vec![call.key.clone()];
    } else if indexed && keys.iter().any(same) {
        keys.retain(same);
    }
    let mut found = Vec::new();
    for key in keys {
        let mut modules = scope.modules.to_vec();
        modules.push(Step { name: call.name.clone(), key });
        let inner = Scope { modules: &modules, key: None, for_each: &Value::Null };
        found.extend(targets(plan, inner, expression, depth));
    }
    match (&wanted.key, more) {
        (None, []) => found,
        // One of a list: of instances in their order, or of a list as it is written.
        (Some(key), []) => match key.parse::<usize>() {
            Ok(index) if found.iter().all(|one| matches!(one, Target::Attribute(..))) => {
                found.into_iter().nth(index).into_iter().collect()
            }
            _ => hidden(),
        },
        _ => match found.as_slice() {
            [Target::Attribute(resource, None)] => {
                vec![Target::Attribute(resource, attribute(more))]
            }
            _ => hidden(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        aws::Setting,
        terraform::testing::{plan, world},
    };

    #[test]
    fn an_instance_of_the_same_key_is_meant_where_the_expression_counts() {
        let plan = plan(&[
            ("aws_subnet.a[0]", json!({}), &[]),
            ("aws_subnet.a[1]", json!({}), &[]),
            ("aws_x.counted[1]", json!({}), &[("subnet_id", &["aws_subnet.a", "count.index"])]),
            ("aws_x.plain[1]", json!({}), &[("subnet_id", &["aws_subnet.a"])]),
            (
                "aws_x.first",
                json!({}),
                &[("subnet_id", &["aws_subnet.a[0].id", "aws_subnet.a[0]"])],
            ),
            ("aws_x.all", json!({}), &[("subnet_ids", &["aws_subnet.a"])]),
        ]);
        let world = world(&plan);
        let id = |index: usize| world.id(&plan.resources[index], "subnet_id");
        assert_eq!(id(2), Setting::Known("aws_subnet.a[1]".to_owned()));
        assert!(id(3).is_open(), "one of two is none");
        assert_eq!(id(4), Setting::Known("aws_subnet.a[0]".to_owned()));
        let all = world.ids(&plan.resources[5], "subnet_ids");
        assert_eq!(all.known().map(|ids| ids.len()), Some(2));
    }

    #[test]
    fn each_value_is_the_instance_with_the_same_key() {
        let plan = plan(&[
            ("aws_x.each[\"a\"]", json!({}), &[]),
            ("aws_x.each[\"b\"]", json!({}), &[]),
            ("aws_y.one[\"b\"]", json!({}), &[("x_id", &["each.value.id", "each.value"])]),
        ]);
        let id = world(&plan).id(&plan.resources[2], "x_id");
        assert_eq!(id, Setting::Known("aws_x.each[\"b\"]".to_owned()));
    }

    #[test]
    fn a_choice_tells_nothing_unless_only_one_of_it_is_unknown() {
        let plan = plan(&[
            ("aws_security_group.a", json!({}), &[]),
            ("aws_security_group.b", json!({}), &[]),
            (
                "aws_x.two",
                json!({}),
                &[("g", &["var.x", "aws_security_group.a.id", "aws_security_group.b.id"])],
            ),
            ("aws_x.local", json!({}), &[("g", &["local.g", "aws_security_group.a.id"])]),
            ("aws_x.path", json!({}), &[("g", &["path.module", "aws_security_group.a.id"])]),
        ]);
        let world = world(&plan);
        assert!(world.id(&plan.resources[2], "g").is_open());
        assert!(world.id(&plan.resources[3], "g").is_open());
        assert!(world.ids(&plan.resources[2], "g").is_open());
        let known = Setting::Known("aws_security_group.a".to_owned());
        assert_eq!(world.id(&plan.resources[4], "g"), known);
    }

    #[test]
    fn a_vpc_that_is_handed_on_in_secret_is_the_only_new_one() {
        let hidden: &[(&str, &[&str])] = &[("vpc_id", &["local.vpc_id"])];
        let given = [
            ("aws_vpc.a", json!({}), &[][..]),
            ("aws_subnet.a", json!({}), hidden),
            ("aws_vpc.b", json!({}), &[]),
        ];
        let one = plan(&given[..2]);
        assert_eq!(
            world(&one).id(&one.resources[1], "vpc_id"),
            Setting::Known("aws_vpc.a".to_owned())
        );
        let two = plan(&given);
        assert!(world(&two).id(&two.resources[1], "vpc_id").is_open());
    }
}
