//! How outcomes of several paths are put together: each of them happens, one of
//! them is real, or the client may choose.

use std::collections::BTreeSet;

use super::{Blocker, Missing, Path, Verdict};

/// What several paths amount to.
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) blockers: Vec<Blocker>,
    pub(super) missing: Vec<Missing>,
    pub(super) paths: Vec<Path>,
    /// Subnets and addresses that fail where others do not.
    pub(super) failing: Vec<String>,
}

impl Outcome {
    pub(super) fn unknown(missing: Vec<Missing>) -> Self {
        Self {
            verdict: Verdict::Unknown,
            blockers: Vec::new(),
            missing,
            paths: Vec::new(),
            failing: Vec::new(),
        }
    }

    pub(super) fn blocked(blockers: Vec<Blocker>) -> Self {
        Self { verdict: Verdict::Blocked, blockers, ..Self::unknown(Vec::new()) }
    }

    pub(super) fn of(path: Path) -> Self {
        let blockers = match path.verdict {
            Verdict::Blocked | Verdict::Intermittent => path.blockers.clone(),
            Verdict::Reachable | Verdict::Unknown => Vec::new(),
        };
        let missing =
            if path.verdict == Verdict::Unknown { path.missing.clone() } else { Vec::new() };
        Self { verdict: path.verdict, blockers, missing, paths: vec![path], failing: Vec::new() }
    }

    fn take(&mut self, other: Self, with_blockers: bool) {
        if with_blockers {
            self.blockers.extend(other.blockers);
        }
        self.missing.extend(other.missing);
        self.failing.extend(other.failing);
        for path in other.paths {
            if !self.paths.iter().any(|known| alike(known, &path)) {
                self.paths.push(path);
            }
        }
    }

    fn settled(mut self) -> Self {
        let keys = |b: &Blocker| (b.layer, b.resource.clone(), b.direction, b.phase);
        self.blockers.sort();
        // Of the same element the blocker that stops everything is the truth.
        self.blockers.sort_by_key(|blocker| (keys(blocker), blocker.partial));
        self.blockers.dedup_by_key(|blocker| keys(blocker));
        self.missing.sort();
        self.missing.dedup();
        self.failing.sort();
        self.failing.dedup();
        if !matches!(self.verdict, Verdict::Intermittent | Verdict::Unknown) {
            self.failing.clear();
        }
        self
    }
}

/// True where two paths tell a reader the same.
fn alike(a: &Path, b: &Path) -> bool {
    let keys = |path: &Path| {
        let blockers = path.blockers.iter();
        let all: Vec<_> =
            blockers.map(|b| (b.layer, b.resource.clone(), b.direction, b.phase)).collect();
        (path.subnet.clone(), path.target.clone(), path.family, path.verdict, all)
    };
    keys(a) == keys(b)
}

/// Each of them happens: all must pass. Names the failing ones.
pub(super) fn every(outcomes: Vec<(String, Outcome)>) -> Outcome {
    let verdicts: BTreeSet<Verdict> = outcomes.iter().map(|(_, o)| o.verdict).collect();
    let verdict = if verdicts.len() == 1 {
        outcomes[0].1.verdict
    } else if verdicts.contains(&Verdict::Intermittent)
        || verdicts.contains(&Verdict::Reachable) && verdicts.contains(&Verdict::Blocked)
    {
        Verdict::Intermittent
    } else {
        Verdict::Unknown
    };
    let mut all = Outcome { verdict, ..Outcome::unknown(Vec::new()) };
    for (name, outcome) in outcomes {
        let fails = matches!(outcome.verdict, Verdict::Blocked | Verdict::Intermittent);
        if fails && (verdicts.len() > 1 || outcome.verdict == Verdict::Intermittent) {
            all.failing.push(name);
        }
        all.take(outcome, true);
    }
    all.settled()
}

/// One of them is real, and it was not seen which: they must agree.
pub(super) fn one_of(outcomes: Vec<Outcome>, unseen: &[Missing]) -> Outcome {
    let verdicts: BTreeSet<Verdict> = outcomes.iter().map(|o| o.verdict).collect();
    let agreed = verdicts.first().copied().filter(|_| verdicts.len() == 1);
    let mut all =
        Outcome { verdict: agreed.unwrap_or(Verdict::Unknown), ..Outcome::unknown(Vec::new()) };
    // Where it cannot be told, what blocks one of them may not be on the way.
    let certain = outcomes.len() == 1 || agreed.is_some_and(|v| v != Verdict::Unknown);
    for outcome in outcomes {
        all.take(outcome, certain);
    }
    if all.verdict == Verdict::Unknown {
        all.missing.extend_from_slice(unseen);
    }
    all.settled()
}

/// The client may choose: one that passes is enough.
pub(super) fn either(outcomes: Vec<Outcome>) -> Outcome {
    let verdicts: BTreeSet<Verdict> = outcomes.iter().map(|o| o.verdict).collect();
    let order = [Verdict::Reachable, Verdict::Intermittent, Verdict::Unknown];
    let verdict = order.into_iter().find(|v| verdicts.contains(v)).unwrap_or(Verdict::Blocked);
    let mut all = Outcome { verdict, ..Outcome::unknown(Vec::new()) };
    for outcome in outcomes {
        let counts = outcome.verdict == verdict || verdict != Verdict::Reachable;
        let mut outcome = outcome;
        if !counts {
            outcome.missing.clear();
            outcome.failing.clear();
        }
        all.take(outcome, !matches!(verdict, Verdict::Reachable | Verdict::Unknown));
    }
    all.settled()
}
