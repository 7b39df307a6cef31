//! Invocations → attempts. Secrets Manager invokes the function once for each step
//! and begins an attempt, a retry of one included, with createSecret. Steps that no
//! text tells are taken from the neighbours, only where those leave one choice.

use super::{Attempt, AttemptOutcome, Invocation, RunOutcome, excerpt};
use crate::evidence::RotationStep;
use crate::{
    catalogue::{Effect, Origin},
    evidence::Time,
};

/// Seconds between two invocations up to which the later goes on with the attempt of
/// the earlier: steps follow each other at once, retries within minutes.
const TOGETHER: f64 = 600.0;

/// Attempts that may be under way at once, of the secrets that share a function.
const CONCURRENT: usize = 16;

/// Sorts by start; an invocation without a time keeps its place after the one before.
pub(super) fn order(invocations: &mut Vec<Invocation>) {
    let mut newest: Option<Time> = None;
    let mut keyed: Vec<(Option<Time>, Invocation)> = std::mem::take(invocations)
        .into_iter()
        .map(|run| {
            newest = run.started_at.or(newest);
            (newest, run)
        })
        .collect();
    keyed.sort_by_key(|(at, _)| *at);
    invocations.extend(keyed.into_iter().map(|(_, run)| run));
}

/// Groups the invocations and fills in the steps that their place tells. `cut` says
/// that older invocations were dropped, `sure` that they are a rotation function's.
pub(super) fn group(invocations: &mut [Invocation], cut: bool, sure: bool) -> Vec<Attempt> {
    if !sure && !may_be_a_rotation(invocations) {
        return Vec::new();
    }
    let begins = !cut && !later_created(invocations);
    let mut attempts: Vec<Attempt> = Vec::new();
    for index in 0..invocations.len() {
        if by_hand(&invocations[index]) {
            continue;
        }
        let same_event = (0..index).rev().find(|&earlier| {
            invocations[earlier].request_id.is_some()
                && invocations[earlier].request_id == invocations[index].request_id
        });
        if let Some(earlier) = same_event {
            let (step, token) = (invocations[earlier].step, invocations[earlier].token.clone());
            let run = &mut invocations[index];
            run.step = run.step.or(step);
            run.token = run.token.take().or(token);
        }
        // Where several secrets share the function, their attempts may interleave.
        let whose = whose(&attempts, invocations, index);
        if let Whose::Of(own) = whose {
            let attempt = attempts.remove(own);
            attempts.push(attempt);
        }
        let joins = attempts.last().is_some_and(|attempt| {
            same_event.is_some_and(|earlier| attempt.runs.contains(&earlier))
                || !matches!(whose, Whose::Unclear) && goes_on(attempt, invocations, index)
        });
        if invocations[index].step.is_none() {
            invocations[index].step = match attempts.last() {
                Some(attempt) if joins => place_within(attempt, invocations, index),
                Some(attempt) => first_of_attempt(Some(attempt), invocations, index),
                None if begins => first_of_attempt(None, invocations, index),
                None => None,
            }
            .filter(|step| invocations[index].hits.iter().all(|hit| hit.text.may_come_from(*step)));
        }
        let run = &invocations[index];
        if !joins {
            attempts.push(Attempt { started_at: run.started_at, ..Attempt::default() });
        }
        let Some(attempt) = attempts.last_mut() else { continue };
        attempt.runs.push(index);
        attempt.token = attempt.token.take().or_else(|| run.token.clone());
        attempt.secret = attempt.secret.take().or_else(|| run.secret.clone());
        merge_by_token(&mut attempts);
    }
    for attempt in &mut attempts {
        take_complaint(attempt, invocations);
        conclude(attempt, invocations);
    }
    attempts.sort_by_key(|attempt| attempt.runs.first().copied());
    attempts
}

/// Which attempt an invocation may go on with.
enum Whose {
    /// This one.
    Of(usize),
    /// The last, or none.
    Last,
    /// It names no secret, and attempts of several are under way.
    Unclear,
}

fn whose(attempts: &[Attempt], invocations: &[Invocation], index: usize) -> Whose {
    let run = &invocations[index];
    let continues = |at: &usize| goes_on(&attempts[*at], invocations, index);
    let own = attempts.iter().rposition(|attempt| same_rotation(attempt, run));
    if let Some(own) = own.filter(continues) {
        return Whose::Of(own);
    }
    if run.secret.is_some() || run.token.is_some() {
        return Whose::Last;
    }
    let mut under_way: Vec<usize> = Vec::new();
    for at in (0..attempts.len()).rev().take(CONCURRENT).filter(continues) {
        let secret = &attempts[at].secret;
        if secret.is_some() && !under_way.iter().any(|&other| attempts[other].secret == *secret) {
            under_way.push(at);
        }
    }
    match under_way.as_slice() {
        [] => Whose::Last,
        [one] => Whose::Of(*one),
        _ => Whose::Unclear,
    }
}

/// Whether a log that somebody gave may be a rotation function's: not where an
/// error of the code's own is all that it tells, without a word of a rotation.
fn may_be_a_rotation(invocations: &[Invocation]) -> bool {
    let own_error = |run: &Invocation| {
        run.error.as_ref().is_some_and(|error| !error.error_type.starts_with("Runtime."))
    };
    let sign = |run: &Invocation| {
        run.step.is_some()
            || run.token.is_some()
            || run.secret.is_some()
            || run.hits.iter().any(|hit| {
                hit.text.origin == Origin::Template || hit.text.effect == Effect::Failure
            })
            || run.lines.iter().any(|line| line.text.to_ascii_lowercase().contains("secret"))
            || excerpt::tell_of_a_known_failure(&run.lines)
    };
    !invocations.iter().any(own_error) || invocations.iter().any(sign)
}

/// Whether a createSecret did its work somewhere: then a silent invocation at the
/// start of the log may be a later step of an attempt whose start is not shown.
fn later_created(invocations: &[Invocation]) -> bool {
    invocations.iter().any(|run| run.step == Some(RotationStep::CreateSecret) && done(run))
}

/// An invocation with a test event is no rotation.
fn by_hand(run: &Invocation) -> bool {
    run.hits.iter().any(|hit| hit.text.proves("manual-invoke"))
}

fn done(run: &Invocation) -> bool {
    run.hits.iter().any(|hit| hit.text.effect == Effect::StepDone)
}

fn gap(earlier: &Invocation, later: &Invocation) -> Option<f64> {
    let before = earlier.ended_at.or(earlier.started_at)?;
    Some(later.started_at?.seconds_since(before))
}

/// Whether a line says that both are of one rotation.
fn same_rotation(attempt: &Attempt, run: &Invocation) -> bool {
    match (&attempt.token, &run.token) {
        (Some(token), Some(other)) => token == other,
        _ => run.secret.is_some() && attempt.secret == run.secret,
    }
}

/// Whether the invocation goes on with the attempt.
fn goes_on(attempt: &Attempt, invocations: &[Invocation], index: usize) -> bool {
    let run = &invocations[index];
    if let (Some(token), Some(other)) = (&attempt.token, &run.token) {
        return token == other;
    }
    if attempt.secret.is_some() && run.secret.is_some() && attempt.secret != run.secret {
        return false;
    }
    let Some(&last) = attempt.runs.last() else { return true };
    let last = &invocations[last];
    if run.step == Some(RotationStep::CreateSecret) && found_its_version(run) {
        // Its version was there already: a further round of the same rotation.
        return attempt.secret == run.secret && !finished(last);
    }
    if gap(last, run).is_some_and(|seconds| seconds > TOGETHER) || finished(last) {
        return false;
    }
    match (last.step, run.step) {
        // A createSecret after a failed one is its retry; after anything else it
        // begins the next attempt.
        (Some(RotationStep::CreateSecret), Some(RotationStep::CreateSecret)) => last.failed(),
        (_, Some(RotationStep::CreateSecret)) => false,
        (Some(before), Some(now)) if now < before => false,
        _ => true,
    }
}

/// Whether createSecret found the version that an earlier round made.
fn found_its_version(run: &Invocation) -> bool {
    run.hits
        .iter()
        .any(|hit| hit.text.step == Some(RotationStep::CreateSecret) && hit.text.proves("retry"))
}

fn finished(run: &Invocation) -> bool {
    run.step == Some(RotationStep::FinishSecret)
        && (done(run) || run.outcome == RunOutcome::Returned)
}

/// The step of an invocation that follows in the same attempt and tells none.
fn place_within(
    attempt: &Attempt,
    invocations: &[Invocation],
    index: usize,
) -> Option<RotationStep> {
    let run = &invocations[index];
    let last = &invocations[*attempt.runs.last()?];
    let before = last.step?;
    if gap(last, run).is_some_and(|seconds| seconds > TOGETHER) {
        return None;
    }
    if last.outcome == RunOutcome::Returned {
        return RotationStep::ALL.into_iter().find(|step| *step > before);
    }
    // Nothing comes after a createSecret that failed; a later step that fails may be
    // retried alone or with the steps before it, which end in another way.
    let same_end = last.outcome == run.outcome && last.error == run.error;
    (last.failed() && (before == RotationStep::CreateSecret || same_end)).then_some(before)
}

/// The step of an attempt's first invocation that tells none: createSecret, where it
/// failed. (One that returned in silence tells nothing.)
fn first_of_attempt(
    before: Option<&Attempt>,
    invocations: &[Invocation],
    index: usize,
) -> Option<RotationStep> {
    let run = &invocations[index];
    let certain = match before {
        None => true,
        Some(attempt) => {
            let last = &invocations[*attempt.runs.last()?];
            finished(last) || gap(last, run).is_some_and(|seconds| seconds > TOGETHER)
        }
    };
    let told = run
        .hits
        .iter()
        .any(|hit| matches!(hit.text.effect, Effect::Progress | Effect::StepDone | Effect::Login));
    (certain && run.failed() && !run.excerpt && !told).then_some(RotationStep::CreateSecret)
}

/// Joins the last attempt to the one before, where a later line shows that both are
/// about one token.
fn merge_by_token(attempts: &mut Vec<Attempt>) {
    let [.., before, last] = attempts.as_slice() else { return };
    if last.token.is_none() || before.token != last.token {
        return;
    }
    if let Some(last) = attempts.pop()
        && let Some(before) = attempts.last_mut()
    {
        before.runs.extend(last.runs);
        before.secret = before.secret.take().or(last.secret);
    }
}

/// Takes the last invocation of an attempt as failed, where it says so and no more
/// than that: it printed an error that rotations fail with, nothing that shows its
/// work done, and no step came after it. Runtimes but Python's and Node.js's have no
/// form for what a handler raised.
fn take_complaint(attempt: &Attempt, invocations: &mut [Invocation]) {
    let Some(run) = attempt.runs.last().map(|&index| &mut invocations[index]) else { return };
    let undecided = matches!(run.outcome, RunOutcome::Open | RunOutcome::Returned);
    if undecided
        && !run.surely_returned
        && !done(run)
        // A template raises what it cannot get over.
        && !run.hits.iter().any(|hit| hit.text.origin == Origin::Template)
        && excerpt::complain_of_a_known_failure(&run.lines)
    {
        run.outcome = RunOutcome::Failed;
    }
}

fn conclude(attempt: &mut Attempt, invocations: &mut [Invocation]) {
    let runs = || attempt.runs.iter().map(|&index| &invocations[index]);
    let silent_success = attempt.runs.len() == RotationStep::ALL.len()
        && runs().all(|run| run.step.is_none() && run.outcome == RunOutcome::Returned);
    let rotated = runs()
        .any(|run| finished(run) || run.hits.iter().any(|hit| hit.text.proves("rotation-done")));
    // A retry whose end is not shown does not undo the failure before it.
    let last_failed =
        runs().rfind(|run| run.outcome != RunOutcome::Open).is_some_and(Invocation::failed);
    attempt.outcome = if rotated || silent_success {
        AttemptOutcome::Succeeded
    } else if last_failed {
        AttemptOutcome::Failed
    } else {
        AttemptOutcome::Open
    };
    attempt.failed_step = match attempt.outcome {
        AttemptOutcome::Succeeded => None,
        _ => runs().rev().find(|run| run.failed()).and_then(|run| run.step),
    };
    for &index in &attempt.runs {
        let run = &mut invocations[index];
        run.token = run.token.take().or_else(|| attempt.token.clone());
    }
}
