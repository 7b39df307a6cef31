//! How old the rotation function's code is by the dates in the evidence, and what
//! that says about what it can do.

use crate::{
    catalogue::{Capability, releases},
    checks::{
        Case, Finding, ProofKind,
        run::function::{application_version, build_lags, numbers},
        vended_template::template_of,
    },
    evidence::{Fact, Function, Time},
};

/// The facts that [`FunctionAge::of`] looks at beside the function.
pub(super) const AGE_FACTS: [Fact; 3] = [Fact::Stack, Fact::LogGroup, Fact::LogEvents];

/// What the dates say about a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ability {
    /// It has it.
    Present,
    /// It cannot have it: its code is older.
    Absent,
    /// It was set up before; it may have been renewed since.
    Doubtful,
    /// Unknown.
    Unknown,
}

/// A day that bounds the age of the code, with what says so.
#[derive(Clone, Debug)]
struct AgeBound {
    at: Time,
    source: &'static str,
    text: String,
}

/// The age of a function's code.
#[derive(Clone, Debug, Default)]
pub(super) struct FunctionAge {
    /// The code is from then or later.
    not_before: Option<AgeBound>,
    /// The code is from then or earlier.
    not_after: Option<AgeBound>,
    /// The function was set up at that time.
    created: Option<AgeBound>,
    /// The function was there at that time.
    existed: Option<AgeBound>,
    /// Whether its build is one of a partition whose builds lag behind.
    lagging: bool,
}

impl FunctionAge {
    /// Reads `Stack`, `LogGroup` and `LogEvents`; none of them is needed.
    pub(super) fn of(case: &Case<'_>, function: &Function) -> Self {
        let stack = case.stack().if_known();
        let log = case.log();
        let text =
            log.if_known().and_then(|log| log.template_texts.first()).map(|(text, day)| AgeBound {
                at: *day,
                source: "log",
                text: format!("it prints {text:?}, as templates do since {}", day.date()),
            });
        let version = application_version(function, stack);
        let build = version.as_ref().and_then(|(version, source)| {
            let template = template_of(Some(function), stack, None);
            let application = template.map(|template| template.name).unwrap_or_default();
            let row = releases(case.partition(), &application).into_iter().rev().find(|row| {
                row.not_before.is_some() && numbers(&row.version) <= numbers(version)
            })?;
            Some(AgeBound {
                at: row.not_before?,
                source,
                text: format!(
                    "it is build {version}; build {} is from {} or later",
                    row.version,
                    row.not_before?.date()
                ),
            })
        });
        let bound = |at: Option<Time>, source, what: &str| {
            at.map(|at| AgeBound { at, source, text: format!("{what} {}", at.date()) })
        };
        Self {
            not_before: [text, build].into_iter().flatten().max_by_key(|bound| bound.at),
            not_after: bound(
                function.configuration.last_modified,
                "GetFunction",
                "LastModified: neither code nor configuration changed after",
            ),
            created: bound(
                stack.and_then(|stack| stack.creation_time),
                "DescribeStacks",
                "CreationTime: its stack was created on",
            ),
            existed: bound(
                case.log_group()
                    .if_known()
                    .and_then(|group| group.creation_time)
                    .and_then(Time::from_millis),
                "DescribeLogGroups",
                "creationTime: it has logged since",
            ),
            lagging: build_lags(case, function),
        }
    }

    /// Whether the function can do something.
    pub(super) fn can(&self, capability: &Capability) -> Ability {
        let since = capability.since;
        let before = |bound: &Option<AgeBound>| bound.as_ref().map(|bound| bound.at < since);
        match () {
            () if before(&self.not_before) == Some(false) => Ability::Present,
            () if before(&self.not_after) == Some(true) => Ability::Absent,
            () if before(&self.created) == Some(false) && !self.lagging => Ability::Present,
            () if before(&self.created) == Some(true) || before(&self.existed) == Some(true) => {
                Ability::Doubtful
            }
            () => Ability::Unknown,
        }
    }

    /// Adds what speaks for an old function to a finding's proofs.
    pub(super) fn prove(&self, mut finding: Finding, capability: &Capability) -> Finding {
        for bound in [&self.not_after, &self.created, &self.existed].into_iter().flatten() {
            if bound.at < capability.since {
                finding = finding.fact(bound.source, &bound.text);
            }
        }
        finding.proof(
            ProofKind::Date,
            &capability.provenance.source,
            format!(
                "a vended function {} if it was set up on {} or later",
                capability.what,
                capability.since.date()
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Ability, FunctionAge};
    use crate::{
        catalogue::capability,
        checks::{Case, testing::evidence},
        evidence::Time,
        rotation_log::RotationLog,
    };

    fn ability(bundle: Value, text: Option<&str>) -> Ability {
        let evidence = evidence(bundle);
        let template_texts = text
            .map(|day| ("text".to_owned(), Time::parse(day).expect("day")))
            .into_iter()
            .collect();
        let log = RotationLog { template_texts, ..RotationLog::default() };
        let case = Case::with_log(&evidence, log);
        let function = case.function();
        let function = function.if_known().expect("function");
        FunctionAge::of(&case, function).can(capability("scram", None).expect("row"))
    }

    fn bundle(modified: &str, created: Option<&str>) -> Value {
        json!({"Function": {"Configuration": {"LastModified": modified}},
            "Stack": created.map(|day| json!({"CreationTime": day}))})
    }

    #[test]
    fn code_that_never_changed_since_is_old() {
        assert_eq!(ability(bundle("2020-05-01T00:00:00.000+0000", None), None), Ability::Absent);
    }

    #[test]
    fn the_day_of_the_stack_counts_unless_the_log_knows_better() {
        let modified = "2024-01-01T00:00:00Z";
        assert_eq!(ability(bundle(modified, Some("2020-05-01")), None), Ability::Doubtful);
        assert_eq!(ability(bundle(modified, Some("2022-05-01")), None), Ability::Present);
        let text = Some("2023-12-15");
        assert_eq!(ability(bundle(modified, Some("2020-05-01")), text), Ability::Present);
        assert_eq!(ability(bundle(modified, None), Some("2021-05-24")), Ability::Unknown);
    }

    #[test]
    fn a_log_group_shows_how_long_it_was_there() {
        let mut old = bundle("2024-01-01T00:00:00Z", None);
        old["LogGroup"] = json!({"creationTime": 1_600_000_000_000_i64});
        assert_eq!(ability(old.clone(), None), Ability::Doubtful);
        old["LogGroup"] = json!({"creationTime": 1_700_000_000_000_i64});
        assert_eq!(ability(old, None), Ability::Unknown);
    }

    #[test]
    fn a_build_tells_its_age_and_other_partitions_lag_behind() {
        let mut build = bundle("2024-01-01T00:00:00Z", Some("2020-05-01"));
        build["Function"]["Tags"] = json!({"serverlessrepo:semanticVersion": "1.1.367"});
        assert_eq!(ability(build.clone(), None), Ability::Present);
        build["Partition"] = json!("aws-cn");
        build["Stack"]["CreationTime"] = json!("2023-05-01");
        assert_eq!(ability(build, None), Ability::Unknown);
    }
}
