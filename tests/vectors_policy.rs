//! The policy vectors: one request a line, with the decision and the statement
//! that has to be named. Runs `policy.jsonl` and `policy_rules.jsonl` of
//! `fixtures/vectors` and, where the environment variable `ROTDOCTOR_VECTORS`
//! names a folder, its `policy.jsonl`.

use std::{env, fs, io::Write as _, panic::catch_unwind, path::Path};

use rotdoctor::policy::{Decision, Effect, StatementRole};
use serde_json::Value;

#[path = "differential/inputs.rs"]
mod inputs;

#[test]
fn vectors_policy() {
    let mut lines = Vec::new();
    for own in ["policy.jsonl", "policy_rules.jsonl"] {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors").join(own);
        let vectors = read(&own);
        assert!(!vectors.is_empty(), "{} holds vectors", own.display());
        lines.extend(vectors);
    }
    if let Some(folder) = env::var_os("ROTDOCTOR_VECTORS") {
        lines.extend(read(&Path::new(&folder).join("policy.jsonl")));
    }
    let (mut passed, mut scored) = (0, 0);
    // Straight to stdout: the count is wanted from passing runs too, which the
    // test harness would keep to itself. It may stand in the middle of a line.
    let mut out = std::io::stdout().lock();
    writeln!(out).expect("stdout");
    for vector in lines.iter().filter(|vector| vector["scored"] == Value::Bool(true)) {
        scored += 1;
        let judged = catch_unwind(|| difference(vector, &inputs::judge(&vector["inputs"])));
        match judged.unwrap_or_else(|_| Some(("an answer".to_owned(), "a panic".to_owned()))) {
            None => passed += 1,
            Some((expected, got)) => {
                let id = vector["id"].as_str().unwrap_or("?");
                writeln!(out, "{id}: expected {expected}, got {got}").expect("stdout");
            }
        }
    }
    writeln!(out, "policy: {passed} of {scored}").expect("stdout");
    drop(out);
    assert_eq!(passed, scored);
}

fn read(path: &Path) -> Vec<Value> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("a vector is one line of JSON"))
        .collect()
}

/// Expected and got, where they differ in decision, kind, layer, Sid or index,
/// role or failing element.
fn difference(vector: &Value, decision: &Decision) -> Option<(String, String)> {
    let (expected, wanted) = (&vector["expected"], &vector["decisive_statement"]);
    let effect = match decision.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    };
    // A vector knows no doubt: a request that is allowed only if something
    // undocumented turns out well is compared the way it leans.
    let mut pairs = vec![
        ("decision", expected["decision"].clone(), Value::from(effect)),
        ("kind", expected["kind"].clone(), decision.kind.map(|kind| kind.name()).into()),
    ];
    if wanted.is_object() {
        pairs.push(("layer", wanted["layer"].clone(), layer(decision).into()));
        if wanted.get("sid").is_some() {
            pairs.push(("sid", wanted["sid"].clone(), sid(decision)));
        }
        if wanted.get("index").is_some() {
            let index = decision.decisive.first().and_then(|decisive| decisive.quote.index);
            pairs.push(("index", wanted["index"].clone(), index.into()));
        }
        pairs.push(("role", wanted["role"].clone(), decision.role.name().into()));
        if wanted.get("failed_on").is_some() {
            let failed_on = decision.failure().map(|failure| failure.failed_on.to_string());
            pairs.push(("failed_on", wanted["failed_on"].clone(), failed_on.into()));
        }
    }
    let differs = pairs.iter().any(|(name, wanted, got)| !same(name, wanted, got));
    differs.then(|| {
        let show = |pick: fn(&(&str, Value, Value)) -> Value| {
            let parts = pairs.iter().map(|pair| format!("{} {}", pair.0, pick(pair)));
            parts.collect::<Vec<_>>().join(" ")
        };
        (show(|pair| pair.1.clone()), show(|pair| pair.2.clone()))
    })
}

/// Equal; the names of condition keys have no case.
fn same(name: &str, wanted: &Value, got: &Value) -> bool {
    match (name, wanted.as_str(), got.as_str()) {
        ("failed_on", Some(wanted), Some(got)) if wanted.starts_with("Condition:") => {
            wanted.eq_ignore_ascii_case(got)
        }
        _ => wanted == got,
    }
}

fn layer(decision: &Decision) -> &'static str {
    match (decision.role, decision.decisive.len()) {
        (StatementRole::Allow, 2) => "resource+identity",
        _ => decision.layer.name(),
    }
}

fn sid(decision: &Decision) -> Value {
    let sids: Vec<Option<&str>> =
        decision.decisive.iter().map(|decisive| decisive.quote.sid.as_deref()).collect();
    match sids.as_slice() {
        [] => Value::Null,
        [one] => Value::from(*one),
        many => many.iter().map(|sid| sid.unwrap_or_default()).collect::<Vec<_>>().join("+").into(),
    }
}
