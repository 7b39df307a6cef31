//! A finding: a fact that is wrong now, with its proof and its fixes.

use super::Change;
use crate::{
    aws::commands::Command,
    catalogue::{Entry, Severity, entry},
    network::Hop,
};

/// A fact that is wrong now.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The catalogue entry: code, name, title.
    pub entry: &'static Entry,
    /// How bad; the entry's severity unless a check knows better.
    pub severity: Severity,
    /// ARN, id or name of what is wrong.
    pub resource: String,
    /// One or two sentences with the real names in them.
    pub summary: String,
    /// What it rests on.
    pub basis: Basis,
    /// What proves it.
    pub proofs: Vec<Proof>,
    /// The path that is blocked, where it is one.
    pub path: Option<BlockedPath>,
    /// What fixes it.
    pub fixes: Vec<Fix>,
    /// Commands that show that it is fixed.
    pub confirm: Vec<Command>,
    /// The policy statement that decides, where one does.
    pub statement: Option<PolicyStatement>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyStatement {
    /// The policy: an inline policy's name, a managed one's ARN, or words.
    pub policy: String,
    /// Sid, where it has one.
    pub sid: Option<String>,
    /// Its place in the document, from 0; none for a grant.
    pub index: Option<usize>,
    /// As it stands.
    pub source: serde_json::Value,
}

/// What a finding rests on, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The state of a resource, and a line that only this fault prints.
    StateAndLine,
    /// The state of a resource that rotation cannot work with.
    State,
    /// A line that only this fault prints.
    Line,
    /// State or dates that usually, not always, mean it.
    Indication,
    /// A line that this fault and others print.
    Candidate,
}

impl ProofKind {
    /// The word that the report uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Log => "log",
            Self::Trail => "trail",
            Self::Date => "date",
            Self::Stack => "stack",
            Self::Policy => "policy",
        }
    }
}

impl Basis {
    /// Rests on log or event text alone.
    pub fn is_by_log(self) -> bool {
        matches!(self, Self::Line | Self::Candidate)
    }

    /// A line names this fault and no other.
    pub fn names_by_line(self) -> bool {
        matches!(self, Self::Line | Self::StateAndLine)
    }

    /// What two findings of one fault rest on together.
    fn with(self, other: Self) -> Self {
        match (self.min(other), self.max(other)) {
            // State that the failing line bears out, even where the line alone
            // would not decide.
            (Self::State, Self::Line | Self::Candidate) => Self::StateAndLine,
            // A date that usually means it, and a line that agrees.
            (Self::Line, _) => Self::Line,
            (stronger, _) => stronger,
        }
    }
}

/// One piece of proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What kind of thing is quoted.
    pub kind: ProofKind,
    /// Where it comes from, such as `DescribeSecret` or `log, request 0c1e…`.
    pub source: String,
    /// The quote or the fact.
    pub text: String,
}

/// A path through the network, hop by hop, past the first that stops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPath {
    /// The function's subnet; none for a function without a VPC.
    pub subnet: Option<String>,
    /// The subnet's CIDR block, where it was seen.
    pub block: Option<String>,
    /// The hops, request first.
    pub hops: Vec<Hop>,
}

/// What kind of thing a proof quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofKind {
    /// A fact out of an API's answer.
    Fact,
    /// A log line.
    Log,
    /// A CloudTrail event.
    Trail,
    /// A date held against a table of ours.
    Date,
    /// A stack event.
    Stack,
    /// A statement of a policy, or what else was evaluated.
    Policy,
}

/// What fixes a finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fix {
    /// One sentence.
    pub summary: String,
    /// Commands to paste, with the real ids filled in, in the order in which they run.
    pub commands: Vec<Command>,
    /// The same for a CloudFormation template, to be taken over as it stands.
    pub template: Option<String>,
    /// The change to the evidence that it amounts to, where that can be said.
    pub change: Option<Change>,
}

#[cfg(test)]
impl Fix {
    /// The commands as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.commands.iter().map(Command::plain).collect()
    }
}

impl Finding {
    /// A finding with the entry's own severity.
    ///
    /// # Panics
    /// Where the catalogue has no such code: a bug that the registry's tests
    /// catch.
    pub fn new(code: &str, resource: impl Into<String>, summary: impl Into<String>) -> Self {
        let entry = entry(code).unwrap_or_else(|| panic!("no catalogue page for {code}"));
        Self {
            entry,
            severity: entry.severity,
            resource: resource.into(),
            summary: summary.into(),
            basis: Basis::State,
            proofs: Vec::new(),
            path: None,
            fixes: Vec::new(),
            confirm: Vec::new(),
            statement: None,
        }
    }

    /// Merges another finding of the same fault: its proofs, and its fixes
    /// where they are new. The words of the one that rests on more stay.
    pub fn absorb(&mut self, other: &Self) {
        let basis = self.basis.with(other.basis);
        let (mut kept, absorbed) = if other.basis < self.basis {
            (other.clone(), self.clone())
        } else {
            (self.clone(), other.clone())
        };
        kept.proofs.extend(
            absorbed.proofs.into_iter().filter(|p| !kept.proofs.contains(p)).collect::<Vec<_>>(),
        );
        kept.path = kept.path.or(absorbed.path);
        // A fix that can be tried is worth more than one that cannot.
        let tried = |fixes: &[Fix]| fixes.iter().any(|fix| fix.change.is_some());
        let (mut fixes, more, by_log) = if tried(&absorbed.fixes) && !tried(&kept.fixes) {
            (absorbed.fixes, kept.fixes, kept.basis.is_by_log())
        } else {
            (kept.fixes, absorbed.fixes, absorbed.basis.is_by_log())
        };
        // A log names few of the things that a fix changes: where one that knows them
        // was tried, a summary with placeholders helps nobody.
        let vague = by_log && tried(&fixes);
        for fix in more {
            let new = fixes.iter().all(|known| known.summary != fix.summary);
            if new && (fix.change.is_some() || !vague) {
                fixes.push(fix);
            }
        }
        kept.fixes = fixes;
        if kept.confirm.is_empty() {
            kept.confirm = absorbed.confirm;
        }
        if kept.statement.is_none() {
            kept.statement = absorbed.statement;
        }
        kept.severity = self.severity.min(other.severity);
        kept.basis = basis;
        *self = kept;
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.entry.code
    }

    /// With another basis than the state of a resource.
    #[must_use]
    pub fn on(mut self, basis: Basis) -> Self {
        self.basis = basis;
        self
    }

    /// With another severity than the catalogue's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With a fact out of an API's answer as proof.
    #[must_use]
    pub fn fact(self, source: impl Into<String>, text: impl Into<String>) -> Self {
        self.proof(ProofKind::Fact, source, text)
    }

    /// With one more proof.
    #[must_use]
    pub fn proof(
        mut self,
        kind: ProofKind,
        source: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.proofs.push(Proof { kind, source: source.into(), text: text.into() });
        self
    }

    /// With a fix of words and commands.
    #[must_use]
    pub fn fix(
        mut self,
        summary: impl Into<String>,
        commands: impl IntoIterator<Item = Command>,
    ) -> Self {
        self.fixes.push(Fix {
            summary: summary.into(),
            commands: commands.into_iter().collect(),
            ..Fix::default()
        });
        self
    }

    /// With a fix that no command makes.
    #[must_use]
    pub fn advice(self, summary: impl Into<String>) -> Self {
        self.fix(summary, [])
    }

    /// With the path that is blocked.
    #[must_use]
    pub fn along(mut self, path: Option<BlockedPath>) -> Self {
        self.path = path;
        self
    }

    /// Says what the last fix changes in the evidence, so that it can be tried.
    #[must_use]
    pub fn trying(mut self, change: Change) -> Self {
        if let Some(fix) = self.fixes.last_mut() {
            fix.change = Some(change);
        }
        self
    }

    /// With the policy statement that decides.
    #[must_use]
    pub fn statement(mut self, statement: Option<PolicyStatement>) -> Self {
        self.statement = statement;
        self
    }

    /// With a command that shows that it is fixed.
    #[must_use]
    pub fn confirm(mut self, command: Command) -> Self {
        self.confirm.push(command);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Basis, Finding};
    use crate::{aws::commands::Command, checks::Change};

    #[test]
    fn new_fixes_are_taken_and_known_ones_are_not_told_twice() {
        let mut state = Finding::new("RUN13", "f", "state")
            .fix("One.", [Command::program("a")])
            .fix("Two.", [Command::program("b")]);
        let line = Finding::new("RUN13", "f", "line")
            .on(Basis::Line)
            .fix("Two.", [Command::program("c")])
            .fix("Three.", [Command::program("d")])
            .trying(Change::RestoreSecret);
        let summaries = |finding: &Finding| {
            finding.fixes.iter().map(|fix| fix.summary.clone()).collect::<Vec<_>>()
        };
        let mut untried = state.clone();
        untried.absorb(
            &Finding::new("RUN13", "f", "")
                .fix("One.", [Command::program("z")])
                .fix("Four.", [Command::program("e")]),
        );
        assert_eq!(summaries(&untried), ["One.", "Two.", "Four."]);
        assert_eq!(untried.fixes[0].lines(), ["a"]);
        state.absorb(&line);
        assert_eq!((state.basis, state.summary.as_str()), (Basis::StateAndLine, "state"));
        assert_eq!(summaries(&state), ["Two.", "Three.", "One."], "what can be tried goes first");

        let vague = Finding::new("RUN13", "f", "")
            .on(Basis::Line)
            .fix("Change the NAME.", [Command::program("e")]);
        let mut known = Finding::new("RUN13", "f", "").fix("One.", [Command::program("a")]);
        known.fixes[0].change = Some(Change::RestoreSecret);
        known.absorb(&vague);
        assert_eq!(summaries(&known), ["One."], "what the log alone suggests says less");
    }
}
