//! Runs the reachability vectors: those in `fixtures/vectors/reachability`, and
//! those in the `reachability` folder under `ROTDOCTOR_VECTORS`, where that is
//! set. When a vector passes is said in `fixtures/vectors/README.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
};

use rotdoctor::{
    evidence::{Evidence, FACTS, Fact, Gap, Reason},
    network::{Answer, Phase, PublicDns, Question, Target, Verdict, Via, judge_with},
    policy::EndpointPolicies,
};
use serde_json::{Map, Value, json};

#[test]
fn vectors_reachability() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors")];
    folders.extend(std::env::var_os("ROTDOCTOR_VECTORS").map(PathBuf::from));
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder.join("reachability")) else { continue };
        for entry in entries {
            let path = entry.expect("folder entry").path();
            if path.extension().is_some_and(|end| end == "json") {
                let text = std::fs::read_to_string(&path).expect("vector");
                files.insert(path, text);
            }
        }
    }
    let (mut passed, total) = (0, files.len());
    // Straight to stdout: the count is wanted from passing runs too, which the
    // test harness would keep to itself. It may stand in the middle of a line.
    let mut out = std::io::stdout().lock();
    writeln!(out).expect("stdout");
    for (path, text) in &files {
        let vector: Value = serde_json::from_str(text).unwrap_or_default();
        let id = vector["id"].as_str().map_or_else(
            || path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            str::to_owned,
        );
        let outcome = std::panic::catch_unwind(|| run(&vector))
            .unwrap_or_else(|_| Err(("an answer".to_owned(), "a panic".to_owned())));
        match outcome {
            Ok(()) => passed += 1,
            Err((expected, got)) => {
                writeln!(out, "{id}: expected {expected}, got {got}").expect("stdout");
            }
        }
    }
    writeln!(out, "reachability: {passed} of {total}").expect("stdout");
    drop(out);
    assert!(total > 0, "no vectors found");
    assert_eq!(passed, total);
}

fn run(vector: &Value) -> Result<(), (String, String)> {
    let Some(facts) = vector["facts"].as_object() else {
        return Err(("facts".to_owned(), "none".to_owned()));
    };
    let evidence = evidence(facts).map_err(|error| ("facts".to_owned(), error.to_string()))?;
    let dns: PublicDns = facts
        .get("PublicDns")
        .map_or_else(|| Ok(PublicDns::default()), |dns| serde_json::from_value(dns.clone()))
        .map_err(|error| ("public DNS".to_owned(), error.to_string()))?;
    let question = question(&vector["facts"]["Question"], &evidence)
        .ok_or_else(|| ("a question".to_owned(), vector["facts"]["Question"].to_string()))?;
    let policies = EndpointPolicies::new(&evidence);
    compare(&vector["expected"], &judge_with(&evidence, &question, &dns, &policies))
}

/// The evidence of a vector: what is neither given nor refused is empty.
fn evidence(facts: &Map<String, Value>) -> Result<Evidence, serde_json::Error> {
    let refused: Vec<&str> = facts
        .get("AccessDenied")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut bundle = Map::new();
    for row in FACTS {
        bundle.insert(row.name.to_owned(), facts.get(row.name).cloned().unwrap_or(Value::Null));
    }
    if let Some(function) = facts.get("LambdaFunction") {
        bundle.insert("Function".to_owned(), json!({"Configuration": function}));
    }
    let mut gaps = Vec::new();
    for refusal in refused {
        // `Operation`, `Operation:resource`, either with the service before it.
        let refusal = match refusal.split_once(':') {
            Some((service, rest)) if service.starts_with(char::is_lowercase) => rest,
            _ => refusal,
        };
        let (operation, resource) = refusal.split_once(':').unwrap_or((refusal, ""));
        for fact in facts_of(operation) {
            gaps.push(Gap {
                fact: fact.name().to_owned(),
                action: action_of(fact, operation),
                resource: resource.to_owned(),
                reason: Reason::AccessDenied,
                message: String::new(),
            });
            if resource.is_empty() {
                bundle.shift_remove(fact.name());
            } else if let Some(list) = bundle.get_mut(fact.name()) {
                hide(list, resource);
            }
        }
    }
    bundle.insert("CapturedAt".to_owned(), json!("2026-11-21T00:00:00Z"));
    for key in ["Region", "AccountId", "Partition"] {
        if let Some(value) = facts.get(key) {
            bundle.insert(key.to_owned(), value.clone());
        }
    }
    bundle.insert("Gaps".to_owned(), serde_json::to_value(gaps)?);
    let mut evidence: Evidence = serde_json::from_value(Value::Object(bundle))?;
    evidence.settle();
    Ok(evidence)
}

fn bare(action: &str) -> &str {
    action.rsplit(':').next().unwrap_or(action)
}

fn facts_of(operation: &str) -> Vec<Fact> {
    let rows = FACTS.iter().filter(|row| row.actions.iter().any(|a| bare(a) == operation));
    let found: Vec<Fact> = rows.map(|row| row.fact).collect();
    if !found.is_empty() {
        return found;
    }
    // Another operation that lists the same: by what it is about.
    let verbs = ["Describe", "Get", "List", "Search"];
    let about = verbs.iter().find_map(|verb| operation.strip_prefix(verb));
    about.and_then(Fact::named).into_iter().collect()
}

fn action_of(fact: Fact, operation: &str) -> String {
    let action = fact.actions().iter().find(|action| bare(action) == operation);
    action.map_or_else(|| operation.to_owned(), |action| (*action).to_owned())
}

/// Takes what belongs to a refused resource out of a fact: the item with that
/// id, or everything of that VPC or account.
fn hide(fact: &mut Value, resource: &str) {
    match fact {
        Value::Array(list) => list.retain(|item| {
            let own = item.as_object().into_iter().flatten();
            !own.filter(|(key, _)| key.ends_with("Id") || key.ends_with("Identifier"))
                .any(|(_, value)| value.as_str() == Some(resource))
        }),
        Value::Object(by_id) => {
            by_id.shift_remove(resource);
        }
        _ => {}
    }
}

fn question(given: &Value, evidence: &Evidence) -> Option<Question> {
    let port = u16::try_from(given["Port"].as_u64()?).ok()?;
    match given["Target"].as_str()? {
        "database" => Some(Question::database(given["Host"].as_str()?, port)),
        "aws_api" => {
            let name = given["Service"].as_str()?;
            let mut question = match name {
                "secretsmanager" => Question::secrets_manager(evidence)?,
                other => Question::regional_api(evidence, other)?,
            };
            if let Target::AwsApi { host, port: own, secret_arn, .. } = &mut question.target {
                *own = port;
                *secret_arn = given["SecretArn"].as_str().map(str::to_owned);
                if let Some(given) = given["Host"].as_str() {
                    given.clone_into(host);
                }
            }
            Some(question)
        }
        _ => None,
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|l| l.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn compare(expected: &Value, answer: &Answer) -> Result<(), (String, String)> {
    let got = || {
        let blockers: Vec<String> = answer
            .blockers
            .iter()
            .map(|b| {
                let direction = b.direction.map_or("", |d| d.name());
                format!("{} {} {direction} {}", b.layer.name(), b.resource, b.phase.name())
            })
            .collect();
        let missing: Vec<String> = answer.missing.iter().map(ToString::to_string).collect();
        format!(
            "{} {blockers:?} missing {missing:?} via {} denied {:?}",
            answer.verdict.word(),
            answer.via.name(),
            answer.api_denied_actions
        )
    };
    let differs = |what: String| Err((what, got()));
    let mut right = strings(&expected["accept"]);
    right.extend(expected["verdict"].as_str());
    if !right.contains(&answer.verdict.word()) {
        return differs(format!("verdict {}", right.join(" or ")));
    }
    let wanted = expected["blocking"].as_array().cloned().unwrap_or_default();
    // A verdict that is only accepted comes with blockers of its own.
    let exact = expected["verdict"].as_str() == Some(answer.verdict.word());
    let of = |item: &Value| {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        (text("layer"), text("resource"))
    };
    let named: BTreeSet<_> = wanted.iter().map(of).collect();
    let reported: BTreeSet<_> =
        answer.blockers.iter().map(|b| (b.layer.name().to_owned(), b.resource.clone())).collect();
    let given = expected["blocking"].is_array() || answer.verdict == Verdict::Reachable;
    if named != reported && given && (exact || !wanted.is_empty()) {
        return differs(format!("blocking {named:?}"));
    }
    for item in wanted.iter().filter(|_| exact) {
        let fits = answer.blockers.iter().any(|blocker| {
            let own = (blocker.layer.name().to_owned(), blocker.resource.clone());
            own == of(item) && directed(item, blocker.direction.map(|d| d.name()), blocker.phase)
        });
        if !fits {
            return differs(format!("blocking {item}"));
        }
    }
    for id in strings(&expected["must_not_blame"]) {
        if answer.blockers.iter().any(|blocker| blocker.resource == id) {
            return differs(format!("no blame on {id}"));
        }
    }
    let explanation = answer.explanation.join("\n");
    for id in strings(&expected["must_name"]) {
        if !explanation.contains(id) {
            return differs(format!("{id} in the explanation {explanation}"));
        }
    }
    if let Some(via) = expected["via"].as_str()
        && !goes_by(answer, via)
    {
        return differs(format!("via {via}"));
    }
    if let Some(denied) = expected.get("api_denied_actions") {
        let wanted: BTreeSet<&str> = strings(denied).into_iter().collect();
        let reported: BTreeSet<&str> =
            answer.api_denied_actions.iter().map(String::as_str).collect();
        if wanted != reported {
            return differs(format!("denied {wanted:?}"));
        }
    }
    Ok(())
}

/// The way taken: by its kind, or by the id of an element on it.
fn goes_by(answer: &Answer, via: &str) -> bool {
    let private = !matches!(answer.via, Via::Public | Via::None);
    via == answer.via.name()
        || via == "private" && private
        || answer.endpoints.iter().any(|id| id == via) && answer.via == Via::Endpoint
        || answer.paths.iter().flat_map(|path| &path.hops).any(|hop| hop.resource == via)
}

/// Direction and phase, where the vector gives them. `return` as the direction
/// of a route means the reply's route.
fn directed(item: &Value, direction: Option<&str>, phase: Phase) -> bool {
    let direction_fits = match item["direction"].as_str() {
        None => true,
        Some(given @ ("return" | "forward")) => given == phase.name(),
        Some(given) => direction == Some(given),
    };
    direction_fits && item["phase"].as_str().is_none_or(|given| given == phase.name())
}
