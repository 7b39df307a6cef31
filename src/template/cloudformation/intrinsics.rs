//! The intrinsic functions: references are followed as far as the template decides
//! them, and what it leaves open stays open. Nothing is looked up outside.
//!
//! Semantics: CloudFormation Template Reference, "Intrinsic functions".

use super::{
    document::{Kind, Mark, Node},
    scope::Scope,
    value::{Resolved, Value},
};
use crate::template::aws::{Open, Setting};

/// How long a text may become: what grows beyond is open.
const LONGEST: usize = 1 << 16;
/// How deep references may lead.
const DEEPEST: u32 = 200;

/// Whether a map with this one key is a call.
pub(super) fn is_intrinsic(key: &str) -> bool {
    key == "Ref" || key == "Condition" || key.starts_with("Fn::")
}

impl Scope<'_> {
    /// The value of a node.
    pub(super) fn resolve(&self, node: &Node) -> Resolved {
        let left = self.fuel.get();
        if left == 0 {
            return open(node.at, "too much", "the template's references multiply without end");
        }
        self.fuel.set(left - 1);
        if self.depth.get() > DEEPEST {
            return open(node.at, "too deep", "the template's references are nested too deep");
        }
        self.depth.set(self.depth.get() + 1);
        let resolved = self.resolve_one(node);
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    fn resolve_one(&self, node: &Node) -> Resolved {
        let value = match &node.kind {
            Kind::Null => Value::Nothing,
            Kind::Bool(bool) => Value::Bool(*bool),
            Kind::Number(text) => Value::Number(text.clone()),
            Kind::Text(text) => literal(text),
            Kind::List(list) => Value::List(
                list.iter().map(|item| self.resolve(item)).filter(|r| !r.is_nothing()).collect(),
            ),
            Kind::Map(entries) => match entries.as_slice() {
                [(key, argument)] if is_intrinsic(key) => {
                    return self.intrinsic(node.at, key, argument);
                }
                // A macro in place may add any member.
                _ if entries.iter().any(|(key, _)| key == "Fn::Transform") => {
                    Open::named("Fn::Transform", "Fn::Transform is not evaluated").into()
                }
                _ => Value::Map(
                    entries
                        .iter()
                        .map(|(key, value)| (key.clone(), self.resolve(value)))
                        .filter(|(_, value)| !value.is_nothing())
                        .collect(),
                ),
            },
        };
        Resolved { at: node.at, value }
    }

    /// The value of a call.
    pub(super) fn intrinsic(&self, at: Mark, name: &str, argument: &Node) -> Resolved {
        let value = match name {
            "Ref" => self.reference(argument),
            "Fn::GetAtt" => self.get_att(argument),
            "Fn::Sub" => self.sub(argument),
            "Fn::Join" => self.join(argument),
            "Fn::If" => return self.either(at, argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Base64" => return self.resolve(argument),
            "Fn::Cidr" => self.cidr(argument),
            "Fn::GetAZs" => self.zones(argument),
            "Fn::Length" => self.length(argument),
            "Fn::ToJsonString" => self.json_text(argument),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                match self.condition_call(name, argument) {
                    Some(bool) => Value::Bool(bool),
                    None => Open::named(name, "a condition cannot be told").into(),
                }
            }
            // `Condition` in a policy statement is a map of its own.
            "Condition" if argument.text().is_none() => {
                Value::Map(vec![(name.to_owned(), self.resolve(argument))])
            }
            "Condition" => match argument.text().and_then(|name| self.condition(name)) {
                Some(bool) => Value::Bool(bool),
                None => Open::named(name, "a condition cannot be told").into(),
            },
            "Fn::ImportValue" => {
                let export = self.resolve(argument).id().unwrap_or_default();
                if let Some(value) = self.exported(&export) {
                    return Resolved { at, value };
                }
                let reason = format!("{export} is exported by another stack");
                Open::named(&format!("ImportValue {export}"), reason).into()
            }
            _ => {
                let what = argument.text().unwrap_or_default();
                Open::named(&format!("{name} {what}"), format!("{name} is not evaluated")).into()
            }
        };
        Resolved { at, value }
    }

    fn reference(&self, argument: &Node) -> Value {
        match argument.text() {
            Some(name) => self.named(name),
            None => Open::named("Ref", "Ref names nothing").into(),
        }
    }

    /// What a name stands for: a pseudo parameter, a parameter or a resource.
    fn named(&self, name: &str) -> Value {
        if let Some(value) = self.pseudo(name).or_else(|| self.parameter(name)) {
            return value;
        }
        match self.resource(name) {
            Some(resource) => self.once(name, || self.ref_of(resource)),
            None => Open::named(name, format!("nothing in the template is named {name}")).into(),
        }
    }

    fn get_att(&self, argument: &Node) -> Value {
        let parts: Vec<String> = match &argument.kind {
            Kind::List(list) => list.iter().filter_map(|part| self.resolve(part).known()).collect(),
            _ => argument.text().unwrap_or_default().splitn(2, '.').map(str::to_owned).collect(),
        };
        match parts.split_first() {
            Some((name, rest)) if !rest.is_empty() => self.attribute(name, &rest.join(".")),
            _ => Open::named("Fn::GetAtt", "Fn::GetAtt names no attribute").into(),
        }
    }

    /// An attribute of a resource.
    pub(super) fn attribute(&self, name: &str, attribute: &str) -> Value {
        let whole = format!("{name}.{attribute}");
        match self.resource(name) {
            Some(resource) => self.once(&whole, || self.attribute_of(resource, attribute)),
            None => Open::named(&whole, format!("nothing in the template is named {name}")).into(),
        }
    }

    /// Resolves a thing that may refer to itself.
    fn once(&self, name: &str, resolve: impl FnOnce() -> Value) -> Value {
        if let Some(known) = self.names.borrow().get(name) {
            return known.clone();
        }
        {
            let mut under_way = self.under_way.borrow_mut();
            if under_way.iter().any(|one| one == name) {
                return Open::named(name, format!("{name} refers to itself")).into();
            }
            under_way.push(name.to_owned());
        }
        let value = resolve();
        self.under_way.borrow_mut().pop();
        self.names.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }

    fn sub(&self, argument: &Node) -> Value {
        let (template, own) = match &argument.kind {
            Kind::List(list) => match list.as_slice() {
                [template, own, ..] => (template.text(), own.entries()),
                [template] => (template.text(), &[][..]),
                [] => (None, &[][..]),
            },
            _ => (argument.text(), &[][..]),
        };
        let Some(template) = template else {
            return Open::named("Fn::Sub", "Fn::Sub holds no text").into();
        };
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(start) = rest.find("${") {
            parts.push(Value::Text(rest[..start].to_owned()));
            let Some(end) = rest[start..].find('}') else { break };
            let name = rest[start + 2..start + end].trim();
            rest = &rest[start + end + 1..];
            let value = if let Some(plain) = name.strip_prefix('!') {
                Value::Text(format!("${{{plain}}}"))
            } else if let Some((_, node)) = own.iter().find(|(key, _)| key == name) {
                self.resolve(node).value
            } else {
                match name.split_once('.') {
                    Some((resource, attribute)) => self.attribute(resource, attribute),
                    None => self.named(name),
                }
            };
            parts.push(value);
        }
        parts.push(Value::Text(rest.to_owned()));
        concatenated(parts, "")
    }

    fn join(&self, argument: &Node) -> Value {
        let [delimiter, list] = argument.items() else {
            return Open::named("Fn::Join", "Fn::Join takes a delimiter and a list").into();
        };
        let delimiter = self.resolve(delimiter).known().unwrap_or_default();
        match self.resolve(list).value {
            Value::List(parts) => {
                concatenated(parts.into_iter().map(|part| part.value).collect(), &delimiter)
            }
            Value::Nothing => Value::Text(String::new()),
            other => other,
        }
    }

    fn either(&self, at: Mark, argument: &Node) -> Resolved {
        let [condition, yes, no] = argument.items() else {
            return open(at, "Fn::If", "Fn::If takes a condition and two values");
        };
        let name = condition.text().unwrap_or_default();
        match self.condition(name) {
            Some(true) => self.resolve(yes),
            Some(false) => self.resolve(no),
            None => {
                let (yes, no) = (self.resolve(yes), self.resolve(no));
                if yes.json() == no.json() && yes.first_open().is_none() {
                    return yes;
                }
                let named = format!("If {name} line {} column {}", at.line, at.column);
                open(at, &named, &format!("condition {name} cannot be told"))
            }
        }
    }

    fn select(&self, argument: &Node) -> Value {
        let [index, list] = argument.items() else {
            return Open::named("Fn::Select", "Fn::Select takes an index and a list").into();
        };
        let (index, list) = (self.resolve(index).number(), self.resolve(list));
        let (Setting::Known(index), Ok(index_in)) = (index, list.items()) else {
            let token = list.open().map_or("Fn::Select".to_owned(), |open| open.token.clone());
            let reason = list.open().map_or("its index is open".to_owned(), |it| it.reason.clone());
            let index = self.resolve(&argument.items()[0]).known().unwrap_or_default();
            return Open::named(&format!("{token} {index}"), reason).into();
        };
        let found = usize::try_from(index).ok().and_then(|index| index_in.get(index).copied());
        match found {
            Some(found) => found.value.clone(),
            None => Open::named("Fn::Select", "Fn::Select points behind its list").into(),
        }
    }

    fn split(&self, argument: &Node) -> Value {
        let [delimiter, text] = argument.items() else {
            return Open::named("Fn::Split", "Fn::Split takes a delimiter and a text").into();
        };
        let delimiter = self.resolve(delimiter).known().filter(|text| !text.is_empty());
        let text = self.resolve(text);
        match (delimiter, text.text()) {
            (Some(delimiter), Setting::Known(text)) if text.len() <= LONGEST => {
                let item =
                    |part: &str| Resolved { at: argument.at, value: Value::Text(part.to_owned()) };
                Value::List(text.split(delimiter.as_str()).map(item).collect())
            }
            (_, Setting::Open(open)) => Open {
                token: Open::named(&format!("Split {}", open.token), "").token,
                reason: open.reason,
            }
            .into(),
            _ => Open::named("Fn::Split", "Fn::Split has nothing to split").into(),
        }
    }

    fn find_in_map(&self, argument: &Node) -> Value {
        let names: Vec<Resolved> =
            argument.items().iter().take(3).map(|one| self.resolve(one)).collect();
        let keys: Vec<String> = names.iter().filter_map(Resolved::known).collect();
        let [map, first, second] = keys.as_slice() else {
            let reason = names.iter().find_map(|name| name.open()).map(|open| open.reason.clone());
            let tokens: Vec<String> = names.iter().filter_map(Resolved::id).collect();
            let reason = reason.unwrap_or_else(|| "Fn::FindInMap takes three names".to_owned());
            return Open::named(&format!("FindInMap {}", tokens.join(" ")), reason).into();
        };
        let found = self
            .root
            .get("Mappings")
            .and_then(|mappings| mappings.get(map)?.get(first)?.get(second));
        let default = || argument.items().get(3)?.get("DefaultValue");
        match found.or_else(default) {
            Some(node) => self.resolve(node).value,
            None => {
                let reason = format!("mapping {map} has no {second} for {first}");
                Open::named(&format!("FindInMap {map} {first} {second}"), reason).into()
            }
        }
    }

    fn cidr(&self, argument: &Node) -> Value {
        let arguments: Vec<Resolved> =
            argument.items().iter().map(|one| self.resolve(one)).collect();
        let told = |index: usize| arguments.get(index).and_then(Resolved::known);
        let blocks = || {
            let block: ipnet::IpNet = told(0)?.parse().ok()?;
            let count: usize = told(1)?.parse().ok().filter(|count| (1..=256).contains(count))?;
            let width: u8 = if block.addr().is_ipv4() { 32 } else { 128 };
            let bits: u8 = match told(2) {
                Some(bits) => bits.parse().ok()?,
                None => width / 4,
            };
            let subnets = block.subnets(width.checked_sub(bits)?).ok()?;
            let found: Vec<Resolved> = subnets
                .take(count)
                .map(|net| Resolved { at: argument.at, value: Value::Text(net.to_string()) })
                .collect();
            (found.len() == count).then_some(found)
        };
        match blocks() {
            Some(found) => Value::List(found),
            None => {
                let reason =
                    arguments.iter().find_map(|one| one.open()).map(|it| it.reason.clone());
                let of = arguments.first().and_then(Resolved::id).unwrap_or_default();
                let reason = reason.unwrap_or_else(|| format!("{of} cannot be cut so"));
                Open::named(&format!("Cidr {of}"), reason).into()
            }
        }
    }

    /// The zones of a region, as they are named in nearly all of them: which of them an
    /// account has is unknown.
    fn zones(&self, argument: &Node) -> Value {
        let region = match self.resolve(argument).text() {
            Setting::Known(region) => Some(region).filter(|region| !region.is_empty()),
            Setting::Absent => None,
            Setting::Open(open) => return open.into(),
        };
        let region = region.unwrap_or_else(|| self.place.region.clone());
        let zone = |letter: char| Resolved {
            at: argument.at,
            value: Value::Text(format!("{region}{letter}")),
        };
        Value::List(['a', 'b', 'c'].into_iter().map(zone).collect())
    }

    fn length(&self, argument: &Node) -> Value {
        let list = self.resolve(argument);
        match list.items() {
            Ok(items) => Value::Number(items.len().to_string()),
            Err(open) => open.into(),
        }
    }

    fn json_text(&self, argument: &Node) -> Value {
        let value = self.resolve(argument);
        match value.first_open() {
            None => Value::Text(value.json().to_string()),
            Some(open) => Open::named("ToJsonString", open.reason.clone()).into(),
        }
    }
}

fn open(at: Mark, name: &str, reason: &str) -> Resolved {
    Resolved { at, value: Open::named(name, reason).into() }
}

/// A text of the template; what Parameter Store or Secrets Manager fill in is open, and
/// which value that is never matters here.
fn literal(text: &str) -> Value {
    match text.find("{{resolve:") {
        Some(start) => {
            let end = text[start..].find("}}").map_or(text.len(), |end| start + end);
            Open::named(&text[start + 2..end], "it is resolved when the stack is deployed").into()
        }
        None => Value::Text(text.to_owned()),
    }
}

/// Texts in a row; one that is open leaves the whole open, with the rest around it.
fn concatenated(parts: Vec<Value>, delimiter: &str) -> Value {
    let mut text = String::new();
    let mut reason: Option<String> = None;
    let mut first = true;
    for part in parts {
        if text.len() > LONGEST {
            return Open::named("a long text", "the text is too long").into();
        }
        if part == Value::Nothing {
            continue;
        }
        if !first {
            text.push_str(delimiter);
        }
        first = false;
        match part {
            Value::Text(part) | Value::Number(part) => text.push_str(&part),
            Value::Bool(part) => text.push_str(if part { "true" } else { "false" }),
            Value::Open(open) => {
                text.push_str(&open.token);
                reason.get_or_insert(open.reason);
            }
            _ => {
                text.push_str("${a list}");
                reason.get_or_insert_with(|| "a list stands in a text".to_owned());
            }
        }
    }
    match reason {
        Some(reason) => Open { token: text, reason }.into(),
        // The CDK puts such a reference together out of pieces.
        None => literal(&text),
    }
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::{document, testing::with_scope};

    const TEMPLATE: &str = r#"
Parameters:
  Env: {Type: String, Default: prod}
  Vpc: {Type: 'AWS::EC2::VPC::Id'}
  Cidrs: {Type: CommaDelimitedList, Default: '10.0.0.0/8, 10.1.0.0/16'}
  Password: {Type: String, NoEcho: true, Default: hunter2}
Mappings:
  Ports: {prod: {db: 5432}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  Unsure: !Equals [!Ref Vpc, vpc-1]
  Neither: !Not [!Or [!Condition IsProd, !Condition Unsure]]
  Round: !And [!Condition Round, !Condition Round]
Resources:
  A: {Type: 'AWS::IAM::Role', Properties: {RoleName: !Ref B}}
  B: {Type: 'AWS::IAM::Role', Properties: {RoleName: !Ref A}}
"#;

    fn json(text: &str) -> serde_json::Value {
        let node = document::read(text).expect(text).root;
        with_scope(TEMPLATE, |scope| scope.resolve(&node).json())
    }

    #[test]
    fn intrinsics_are_followed() {
        use serde_json::json;
        for (text, expected) in [
            ("!Ref Env", json!("prod")),
            ("!Ref Cidrs", json!(["10.0.0.0/8", "10.1.0.0/16"])),
            ("!Sub 'a-${Env}-${!Env}-${AWS::Region}'", json!("a-prod-${Env}-us-east-1")),
            ("!Sub ['${x}/${Env}', {x: !Ref Env}]", json!("prod/prod")),
            ("!Join [':', [a, !Ref Env, c]]", json!("a:prod:c")),
            ("!Select [1, !Ref Cidrs]", json!("10.1.0.0/16")),
            ("!Select [1, !Split ['/', a/b/c]]", json!("b")),
            ("!FindInMap [Ports, !Ref Env, db]", json!(5432)),
            ("!If [IsProd, 1, 2]", json!(1)),
            ("[a, !If [IsProd, !Ref AWS::NoValue, b]]", json!(["a"])),
            ("{a: !If [IsProd, !Ref AWS::NoValue, b], c: d}", json!({"c": "d"})),
            ("!If [Neither, 1, 2]", json!(2)),
            ("!If [Unsure, 1, 1]", json!(1)),
            ("!Select [0, !GetAZs '']", json!("us-east-1a")),
            ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", json!("10.0.1.0/24")),
            ("!Base64 abc", json!("abc")),
        ] {
            assert_eq!(json(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_open_stays_open_and_is_the_same_everywhere() {
        for (text, expected) in [
            ("!Ref Vpc", "${Vpc}"),
            ("!Sub 'arn:${Vpc}:x'", "arn:${Vpc}:x"),
            ("!ImportValue net:vpc", "${ImportValue net.vpc}"),
            ("!Select [0, !Ref Vpc]", "${Vpc 0}"),
            ("!Ref Password", "${Password}"),
            (
                "!Join ['', ['{{resolve:secretsmanager:', !Ref Vpc, ':x}}']]",
                "${resolve.secretsmanager.}${Vpc}:x}}",
            ),
            ("'{{resolve:ssm:/a}}'", "${resolve.ssm./a}"),
            ("{Fn::Transform: {Name: x}, a: b}", "${Fn.Transform}"),
            ("!FindInMap [Ports, dev, db]", "${FindInMap Ports dev db}"),
            ("!GetAtt A.Arn", "arn:aws:iam::123456789012:role/${A}"),
            ("!If [Round, 1, 2]", "${If Round line 1 column 1}"),
        ] {
            let found = json(text);
            let told = found.as_str().unwrap_or_default().to_owned();
            if text.starts_with("!GetAtt") || text.starts_with("!If") {
                assert!(told.contains("${"), "{text}: {told}");
            } else {
                assert_eq!(told, expected, "{text}");
            }
        }
    }

    #[test]
    fn references_that_multiply_come_to_an_end() {
        let mut text = "Resources:\n".to_owned();
        for n in 0..60 {
            let next = n + 1;
            text.push_str(&format!(
                "  R{n}: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: !Sub '${{R{next}}}${{R{next}}}'}}}}\n"
            ));
        }
        let node = document::read("!Ref R0").expect("a node").root;
        with_scope(&text, |scope| assert!(scope.resolve(&node).first_open().is_some()));
        // As deep as nesting and references go, conditions too.
        let mut text = "Conditions:\n".to_owned();
        for n in 0..5000 {
            text.push_str(&format!("  C{n}: !Not [!Condition C{}]\n", n + 1));
        }
        text.push_str("Resources:\n");
        for n in 0..500 {
            let deep = format!("{}!Ref R{}{}", "[".repeat(40), n + 1, "]".repeat(40));
            text.push_str(&format!(
                "  R{n}: {{Type: 'AWS::IAM::Role', Condition: C0, Properties: {{RoleName: {deep}}}}}\n"
            ));
        }
        let text = text.replace("RoleName: [", "RoleName: !Join ['', [").replace("]}}\n", "]]}}\n");
        with_scope(&text, |scope| {
            assert!(scope.resolve(&node).first_open().is_some());
            assert_eq!(scope.condition("C0"), None);
            scope.where_made(&scope.resources()[0]);
        });
    }
}
