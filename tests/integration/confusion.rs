//! Codes that look alike: worlds whose log tells the same, by the tables of texts. Each
//! is given the log of each other, word for word, and must keep its own answer: the
//! deciding fact stands outside of the log. What no fact decides is listed, and there
//! both must be among the causes, with what would decide.

use std::collections::{BTreeMap, BTreeSet};

use rotdoctor::{
    bundle, catalogue,
    checks::{self, Case, Selection},
    diagnosis::{self, Diagnosis},
    evidence::{Evidence, TrailEvent},
    examine_log,
    report::v1::{Confidence, Verdict},
    rotation_log::RotationLog,
};

use crate::worlds;

/// What the log of a world tells when it is read alone: the step, and the codes that
/// the tables of texts give it, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Symptom {
    step: Option<String>,
    codes: Vec<String>,
}

struct World {
    /// The folder's name: a code, or one with a variant behind it.
    name: String,
    evidence: Evidence,
    symptom: Symptom,
}

impl World {
    fn code(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }
}

/// Codes that no fact tells from the others in their group, only a text of their own:
/// where that is missing, the report names them, is not sure, and asks.
const BY_TEXT_ALONE: &[(&str, &str)] = &[
    ("DB16", "which users a database has, no call of AWS's shows"),
    ("SEC18", "which characters the readers of a secret take, no call of AWS's shows"),
];

fn diagnose(evidence: &Evidence) -> Diagnosis {
    let (case, selection) = (Case::new(evidence), Selection::default());
    diagnosis::diagnose(&case, &checks::run(&case, &selection), &selection)
}

fn first(diagnosis: &Diagnosis) -> Option<&'static str> {
    diagnosis.causes.first().map(|cause| cause.finding.code())
}

/// What the log tells alone; where it shows no failure, the step that CloudTrail names.
fn symptom(evidence: &Evidence, told: &Diagnosis) -> Symptom {
    let events = evidence.log_events.known().map_or(&[][..], Vec::as_slice);
    let mut log = RotationLog::from_events(events, None);
    // What Secrets Manager itself says of the attempt is a part of what it looks like.
    let trail = evidence.trail_events.known().into_iter().flatten();
    log.trail_events = trail.filter(|event| is_of_attempt(event, None)).cloned().collect();
    let alone = examine_log(log, &Selection::default());
    let attempts = &alone.rotation.attempts;
    match attempts.iter().rev().find(|attempt| attempt.outcome == "failed") {
        Some(failed) => Symptom {
            step: failed.failed_step.clone(),
            codes: alone.causes.iter().map(|cause| cause.finding.code.clone()).collect(),
        },
        None => {
            let step = told.timeline.last_failure().and_then(|attempt| attempt.failed_step);
            Symptom { step: step.map(|step| step.name().to_owned()), codes: Vec::new() }
        }
    }
}

/// The worlds that fail and whose first cause is their code.
fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for name in worlds::folders() {
        let text = worlds::text(&format!("{name}/fires"));
        let evidence = bundle::read(&text).expect("a bundle").evidence;
        let told = diagnose(&evidence);
        let world = World { name, symptom: symptom(&evidence, &told), evidence };
        if told.verdict == Verdict::Failing && first(&told) == Some(world.code()) {
            worlds.push(world);
        }
    }
    worlds
}

/// The names that a log spells out, of one world, in an order in which none hides in
/// one before it.
fn names(evidence: &Evidence) -> Vec<Option<String>> {
    let secret = evidence.secret.known();
    let function = evidence.function.known().map(|function| &function.configuration);
    let stage = |label| secret.and_then(|secret| secret.version_with(label).map(str::to_owned));
    let shape = evidence.secret_shape.known().and_then(|shapes| shapes.get("AWSCURRENT"));
    let arn = secret.and_then(|secret| secret.rotation_lambda_arn.clone());
    let name = arn.as_deref().and_then(|arn| arn.split(':').nth(6)).map(str::to_owned);
    let role = function.and_then(|function| function.role.as_deref());
    vec![
        secret.and_then(|secret| secret.arn.clone()),
        arn,
        name,
        role.and_then(|arn| arn.rsplit('/').next()).map(str::to_owned),
        stage("AWSPENDING"),
        stage("AWSCURRENT"),
        stage("AWSPREVIOUS"),
        shape.and_then(|shape| shape.text("host")),
        shape.and_then(|shape| shape.text("username")),
        secret.and_then(|secret| secret.name.clone()),
    ]
}

/// Whether it tells of the attempt that failed last, not of one before.
fn is_of_attempt(event: &TrailEvent, pending: Option<&str>) -> bool {
    let name = event.event_name.as_deref().unwrap_or_default();
    name.starts_with("Rotation")
        && (pending.is_none() || event.rotation_token().as_deref() == pending)
}

/// The world with the log and the rotation events of another.
fn with_symptom_of(world: &World, donor: &World) -> Evidence {
    let pairs: Vec<(String, String)> = names(&donor.evidence)
        .into_iter()
        .zip(names(&world.evidence))
        .filter_map(|(from, to)| Some((from?, to?)))
        .collect();
    let renamed = |text: String| {
        // In two rounds, so that a new name is not taken for an old one.
        let marked = pairs.iter().enumerate().fold(text, |text, (index, (from, _))| {
            text.replace(from.as_str(), &format!("\u{1}{index}\u{1}"))
        });
        pairs
            .iter()
            .enumerate()
            .fold(marked, |text, (index, (_, to))| text.replace(&format!("\u{1}{index}\u{1}"), to))
    };
    let mut evidence = world.evidence.clone();
    evidence.log_events = donor.evidence.log_events.clone();
    for event in evidence.log_events.known_mut().into_iter().flatten() {
        event.message = renamed(std::mem::take(&mut event.message));
    }
    let pending = |world: &World| {
        let secret = world.evidence.secret.known();
        secret.and_then(|secret| secret.version_with("AWSPENDING")).map(str::to_owned)
    };
    let (own_pending, others_pending) = (pending(world), pending(donor));
    if let (Some(own), Some(others)) =
        (evidence.trail_events.known_mut(), donor.evidence.trail_events.known())
    {
        own.retain(|event| !is_of_attempt(event, own_pending.as_deref()));
        let others = others.iter().filter(|one| is_of_attempt(one, others_pending.as_deref()));
        own.extend(others.cloned().map(|mut event| {
            event.cloud_trail_event = event.cloud_trail_event.map(&renamed);
            event
        }));
    }
    evidence
}

#[test]
fn of_two_codes_with_one_symptom_the_deciding_fact_tells() {
    let worlds = worlds();
    let mut groups: BTreeMap<Symptom, Vec<&World>> = BTreeMap::new();
    for world in &worlds {
        groups.entry(world.symptom.clone()).or_default().push(world);
    }
    let mut wrong = Vec::new();
    let mut pairs = BTreeSet::new();
    let mut open = BTreeSet::new();
    for (symptom, group) in &groups {
        // A code that the tables give this symptom belongs to the group, whatever its
        // own world's log looks like.
        let suggested =
            worlds.iter().filter(|world| symptom.codes.iter().any(|code| code == world.code()));
        let members: BTreeMap<&str, &World> = group
            .iter()
            .copied()
            .chain(suggested)
            .map(|world| (world.name.as_str(), world))
            .collect();
        for donor in group {
            for world in members.values().filter(|world| world.code() != donor.code()) {
                pairs.insert((donor.code().to_owned(), world.code().to_owned()));
                let evidence = with_symptom_of(world, donor);
                let told = diagnose(&evidence);
                if first(&told) == Some(world.code()) {
                    continue;
                }
                let causes: Vec<&str> =
                    told.causes.iter().map(|cause| cause.finding.code()).collect();
                if BY_TEXT_ALONE.iter().any(|(code, _)| *code == world.code()) {
                    open.insert(world.code());
                    let asks = |code: &str| {
                        catalogue::entry(code)
                            .and_then(catalogue::Entry::deciding_question)
                            .is_some()
                    };
                    let unsure = told.causes.first().is_some_and(|cause| {
                        cause.confidence != Confidence::Confirmed && asks(cause.finding.code())
                    });
                    if unsure && causes.contains(&world.code()) && asks(world.code()) {
                        continue;
                    }
                }
                wrong.push(format!("{} with the log of {}: {causes:?}", world.name, donor.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs.len() >= 200, "only {} pairs: the worlds no longer look alike", pairs.len());
    let listed: BTreeSet<&str> = BY_TEXT_ALONE.iter().map(|(code, _)| *code).collect();
    assert_eq!(open, listed, "decided by now, or not listed");
}
