//! A refusal as a finding: its words, the statement that proves it, and what
//! fixes it.

use serde::Serialize as _;
use serde_json::Value;

use super::rights::{Right, Rights, role_name};
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Change, Finding, Fix, Judgement, PolicyStatement, ProofKind, Stop,
        commands::rotate,
    },
    policy::{
        Decision, DenyKind, FailedOn, Failure, Layer, Need, Part, RotationRequest, StatementRole,
        fix,
    },
};

/// What the summary of a refusal names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SummaryDetail {
    /// `kms:Decrypt on arn:…`.
    WithResources,
    /// The actions alone: their resources would be a list.
    ActionsOnly,
}

/// The refusals as findings, one for each code and policy owner; what
/// could not be decided where there is none.
pub(super) fn conclude(
    case: &Case<'_>,
    rights: Rights,
    detail: SummaryDetail,
    code: impl Fn(&Right) -> Option<&'static str>,
) -> Judgement {
    let mut groups: Vec<(&'static str, String, Vec<Right>)> = Vec::new();
    for right in rights.refused {
        let Some(code) = code(&right) else { continue };
        let at_fault = at_fault(&right);
        match groups.iter_mut().find(|(other, at, _)| *other == code && *at == at_fault) {
            Some((.., group)) => group.push(right),
            None => groups.push((code, at_fault, vec![right])),
        }
    }
    if groups.is_empty() && !rights.missing.is_empty() {
        return Err(Stop::Inconclusive(rights.missing));
    }
    Ok(groups
        .into_iter()
        .map(|(code, at, group)| finding(case, code, at, &group, detail))
        .collect())
}

/// What is wrong: the role, its boundary, or the resource with its own policy.
fn at_fault(right: &Right) -> String {
    let request = &right.request;
    match right.decision.layer {
        Layer::Resource | Layer::Grant if right.is_explicit() || right.is_cross_account() => {
            request.request.resource.clone()
        }
        Layer::Boundary => request
            .layers
            .boundary
            .given()
            .map_or_else(String::new, |policy| policy.name().to_owned()),
        _ => request.role.clone().unwrap_or_default(),
    }
}

fn finding(
    case: &Case<'_>,
    code: &'static str,
    at_fault: String,
    group: &[Right],
    detail: SummaryDetail,
) -> Finding {
    let sure: Vec<&Right> =
        group.iter().filter(|right| right.request.need != Need::Sometimes).collect();
    let named: Vec<&Right> = if sure.is_empty() { group.iter().collect() } else { sure.clone() };
    let first = named[0];
    let summary = format!(
        "The role {} may not call {}{}: {}.",
        role_name(&first.request),
        calls(&named, detail),
        if sure.is_empty() { ", which some rotations do" } else { "" },
        reason(&first.decision)
    );
    let mut finding = Finding::new(code, at_fault, summary).statement(statement(&first.decision));
    if sure.is_empty() {
        finding = finding.severity(Severity::Warning);
    }
    // A policy that no fact holds may allow what the role's own do not.
    if first.request.assumed_empty.contains(&Layer::Resource) && !first.is_explicit() {
        finding = finding.on(Basis::Indication);
    }
    for right in &named {
        let (source, text) = proof(right);
        if !finding.proofs.iter().any(|other| other.source == source && other.text == text) {
            finding = finding.proof(ProofKind::Policy, source, text);
        }
    }
    finding = finding.proof(ProofKind::Policy, "other policies that apply", others(first));
    let requests: Vec<RotationRequest> = group.iter().map(|right| right.request.clone()).collect();
    with_policy_fix(finding, &requests).confirm(rotate(case))
}

/// `A and B on R, C on *`.
fn calls(named: &[&Right], detail: SummaryDetail) -> String {
    let mut by_resource: Vec<(&str, Vec<&str>)> = Vec::new();
    for right in named {
        let request = &right.request.request;
        let resource =
            if detail == SummaryDetail::WithResources { request.resource.as_str() } else { "" };
        match by_resource.iter_mut().find(|(other, _)| *other == resource) {
            Some((_, actions)) if actions.contains(&request.action.as_str()) => {}
            Some((_, actions)) => actions.push(&request.action),
            None => by_resource.push((resource, vec![&request.action])),
        }
    }
    let parts: Vec<String> = by_resource
        .into_iter()
        .map(|(resource, actions)| match resource {
            "" => and(&actions),
            _ => format!("{} on {resource}", and(&actions)),
        })
        .collect();
    parts.join(", nor ")
}

fn and(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Why, as a clause.
pub(super) fn reason(decision: &Decision) -> String {
    let layer = decision.layer.words();
    let Some(decisive) = decision.decisive.first() else {
        return format!("no statement of the {layer} is about it");
    };
    let quote = decisive.quote.words();
    match (&decisive.failure, decision.role) {
        (Some(failure), StatementRole::NearMiss) => {
            let hint = failure.hint.map(|hint| format!(": {}", hint.words())).unwrap_or_default();
            format!("{quote} is the closest, but its {} does not match{hint}", on(failure))
        }
        _ => format!("{quote} denies it"),
    }
}

/// The element on which a near miss failed.
fn on(failure: &Failure) -> String {
    match &failure.failed_on {
        FailedOn::Condition { key, .. } => format!("condition on {key}"),
        other => other.to_string(),
    }
}

/// The decisive statement in the form of the report.
pub(super) fn statement(decision: &Decision) -> Option<PolicyStatement> {
    let quote = &decision.decisive.first()?.quote;
    (decision.kind != Some(DenyKind::KeyState)).then(|| PolicyStatement {
        policy: quote.policy.clone(),
        sid: quote.sid.clone(),
        index: quote.index,
        source: Value::clone(&quote.source),
    })
}

/// Where the decisive statement stands, and the statement with what it has and
/// what was asked for.
pub(super) fn proof(right: &Right) -> (String, String) {
    let (request, decision) = (&right.request, &right.decision);
    let Some(decisive) = decision.decisive.first() else {
        let text = format!("nothing is about {}", request.request.action);
        return (owner(request, decision.layer, None), text);
    };
    let quote = &decisive.quote;
    let place = match (&quote.sid, quote.index) {
        (Some(sid), Some(_)) => format!(", statement \"{sid}\""),
        (None, Some(index)) => format!(", statement {}", index + 1),
        (Some(id), None) => format!(" {id}"),
        (None, None) => String::new(),
    };
    let source = owner(request, decisive.layer, Some(&quote.policy)) + &place;
    let mut text = json(&quote.source);
    if let Some(failure) = &decisive.failure {
        let seen = failure.seen.as_deref().unwrap_or("nothing: the request does not carry it");
        text.push_str(&format!(
            "\nits {} has {}\nasked for {seen}",
            on(failure),
            failure.asked.join(", ")
        ));
    } else {
        text.push_str(&format!(
            "\nasked for {} on {}",
            request.request.action, request.request.resource
        ));
    }
    (source, text)
}

/// Whose policy it is.
fn owner(request: &RotationRequest, layer: Layer, policy: Option<&str>) -> String {
    let role = role_name(request);
    match (layer, policy) {
        (Layer::Identity, Some(policy)) => format!("role {role}, policy {policy}"),
        (Layer::Identity, None) => format!("policies of the role {role}"),
        (Layer::Boundary, Some(policy)) => {
            format!("role {role}, permissions boundary {policy}")
        }
        (_, Some(policy)) => policy.to_owned(),
        (layer, None) => format!("{} of {}", layer.words(), request.request.resource),
    }
}

/// A statement in one line, spaced so that it can be read and broken.
fn json(value: &Value) -> String {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
        ) -> std::io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => value.to_string(),
    }
}

/// The layers that were held against the request, and those that nobody sees.
fn others(right: &Right) -> String {
    let layers = &right.request.layers;
    let (service, _) = right.request.request.action.split_once(':').unwrap_or_default();
    let mut parts = vec![match layers.identity.as_slice() {
        [] => "the role has no policy".to_owned(),
        list => {
            let names: Vec<&str> = list.iter().map(|policy| policy.name()).collect();
            format!("role policies: {}", names.join(", "))
        }
    }];
    let mut add = |name: &str, part: &dyn Fn() -> Option<&'static str>| {
        if let Some(word) = part() {
            parts.push(format!("{name}: {word}"));
        }
    };
    add("permissions boundary", &|| state(&layers.boundary));
    let empty = &right.request.assumed_empty;
    if matches!(service, "kms" | "secretsmanager") && !empty.contains(&Layer::Resource) {
        add(if service == "kms" { "key policy" } else { "resource policy" }, &|| {
            state(&layers.resource)
        });
    }
    if service == "kms" {
        add("grants", &|| state(&layers.grants));
    }
    let mut unseen: Vec<String> =
        right.decision.not_evaluated.iter().map(|layer| plural(*layer)).collect();
    if empty.contains(&Layer::Resource) {
        unseen.push("the resource policy of that secret".to_owned());
    }
    if !unseen.is_empty() {
        parts.push(format!("not evaluated: {}", unseen.join(", ")));
    }
    parts.join("; ")
}

fn plural(layer: Layer) -> String {
    match layer {
        Layer::Scp => "service control policies".to_owned(),
        Layer::Rcp => "resource control policies".to_owned(),
        other => other.words().to_owned(),
    }
}

fn state<T>(part: &Part<T>) -> Option<&'static str> {
    Some(match part {
        Part::Given(_) => "seen",
        Part::Absent => "none",
        Part::Unseen(_) => "not seen",
    })
}

/// Adds what lets the requests through, as commands and as a template.
pub(super) fn with_policy_fix(mut finding: Finding, requests: &[RotationRequest]) -> Finding {
    let plan = fix(requests);
    if plan.steps.is_empty() {
        let words = plan.remaining.first().map_or_else(String::new, |text| format!(": {text}"));
        return finding
            .advice(format!("No policy of this account can be changed to allow it{words}."));
    }
    let mut summary: Vec<&str> = Vec::new();
    let mut commands = Vec::new();
    for step in &plan.steps {
        summary.push(&step.summary);
        commands.extend(step.commands.iter().cloned());
    }
    let mut summary = summary.join(" ");
    let widens: Vec<&str> =
        plan.steps.iter().flat_map(|step| &step.widens).map(String::as_str).collect();
    if !widens.is_empty() {
        summary.push_str(&format!(" Note: {}.", widens.join("; ")));
    }
    let policies = plan.steps.iter().map(|step| step.replacement.clone()).collect();
    let change = Change::ReplacePolicies { policies };
    finding = finding.fix(summary, commands).trying(change.clone());
    let template: Vec<&str> =
        plan.steps.iter().map(|step| step.cloudformation.trim_end()).collect();
    finding.fixes.push(Fix {
        summary: "in CloudFormation, if a stack owns it:".to_owned(),
        template: Some(template.join("\n")),
        change: Some(change),
        ..Fix::default()
    });
    finding
}
