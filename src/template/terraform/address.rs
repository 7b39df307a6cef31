//! Addresses of Terraform, taken apart: `module.db["a"].aws_subnet.x[0].id`. `references`
//! tells what they lead to.

use serde_json::Value;

/// One part of an address: a name, and the key in brackets after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) name: String,
    /// A number of `count`, or a key of `for_each` without its quotes.
    pub(super) key: Option<String>,
}

/// The parts between the dots. Dots in brackets and in quotes divide nothing.
pub(super) fn steps(address: &str) -> Vec<Step> {
    let mut found = Vec::new();
    let (mut step, mut key) = (Step::default(), String::new());
    let (mut in_key, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => {
                key.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' if in_key => quoted = !quoted,
            '[' if !in_key => in_key = true,
            ']' if in_key && !quoted => {
                in_key = false;
                // Of `a[0][1]` the first counts: it names the instance.
                step.key.get_or_insert(std::mem::take(&mut key));
                key.clear();
            }
            '.' if !in_key => found.push(std::mem::take(&mut step)),
            _ if in_key => key.push(c),
            _ => step.name.push(c),
        }
    }
    found.push(step);
    found.retain(|step| !step.name.is_empty());
    found
}

/// The modules that an address passes, outermost first.
pub(super) fn modules(address: &str) -> Vec<Step> {
    let all = steps(address);
    let pairs = all.chunks(2).take_while(|pair| pair[0].name == "module");
    pairs.filter_map(|pair| pair.get(1).cloned()).collect()
}

/// The `index` of an instance as a key.
pub(super) fn key(index: Option<&Value>) -> Option<String> {
    match index? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The references of an expression without those that are the beginning of another:
/// Terraform lists `a.b.id`, `a.b` and so on for one.
pub(super) fn longest<'a>(references: &[&'a str]) -> Vec<&'a str> {
    let begins = |whole: &str, start: &str| {
        whole.len() > start.len()
            && whole.starts_with(start)
            && whole[start.len()..].starts_with(['.', '['])
    };
    let mut found: Vec<&str> = Vec::new();
    for (at, one) in references.iter().enumerate() {
        // The parts follow the whole: a part that stands before it was named by itself.
        let is_part = references[..at].iter().any(|other| begins(other, one));
        if !is_part && !found.contains(one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Step, longest, modules, steps};

    fn step(name: &str, key: Option<&str>) -> Step {
        Step { name: name.to_owned(), key: key.map(str::to_owned) }
    }

    #[test]
    fn dots_in_keys_divide_nothing() {
        let found = steps(r#"module.db["a.b"].aws_subnet.x[0].id"#);
        let wanted = [
            step("module", None),
            step("db", Some("a.b")),
            step("aws_subnet", None),
            step("x", Some("0")),
            step("id", None),
        ];
        assert_eq!(found, wanted);
        assert_eq!(steps(r#"a["x\"]y"].b"#)[0].key.as_deref(), Some("x\"]y"));
        assert!(steps("").is_empty() && steps("..").is_empty());
    }

    #[test]
    fn modules_are_those_before_the_resource() {
        let found = modules("module.a[0].module.b.data.aws_vpc.x");
        assert_eq!(found, [step("a", Some("0")), step("b", None)]);
        assert!(modules("aws_vpc.module").is_empty());
    }

    #[test]
    fn of_a_reference_and_its_parts_the_whole_counts() {
        let all = ["aws_vpc.a.id", "aws_vpc.a", "var.x", "aws_vpc.ab", "aws_vpc.a"];
        assert_eq!(longest(&all), ["aws_vpc.a.id", "var.x", "aws_vpc.ab"]);
        let counted = ["aws_subnet.a[0].id", "aws_subnet.a[0]", "aws_subnet.a"];
        assert_eq!(longest(&counted), ["aws_subnet.a[0].id"]);
    }
}
