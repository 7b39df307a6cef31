//! RUN14: the function's variables ask for a password that cannot be generated.

use super::{
    environment::variable,
    function::{from_template, name_of, resource_of, rotation_function},
};
use crate::{
    aws::commands::Command,
    catalogue::{Severity, function_limit},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{function_name, published, show_setting, unset_variable},
    },
    evidence::{Fact, Function},
};

pub(super) static CHECK: Check = Check {
    name: "password-rules-possible",
    question: "Can Secrets Manager generate a password by the rules in the function's variables?",
    codes: &["RUN14"],
    facts: &[Fact::Secret, Fact::Function, Fact::LogEvents],
    judge,
};

const LENGTH: &str = "PASSWORD_LENGTH";
const CHARACTERS: &str = "EXCLUDE_CHARACTERS";
const EACH: &str = "REQUIRE_EACH_INCLUDED_TYPE";

/// The kinds of characters, the variable that leaves each out, and its members
/// (GetRandomPassword, API reference).
const KINDS: &[(&str, &str)] = &[
    ("EXCLUDE_LOWERCASE", "abcdefghijklmnopqrstuvwxyz"),
    ("EXCLUDE_UPPERCASE", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("EXCLUDE_NUMBERS", "0123456789"),
    ("EXCLUDE_PUNCTUATION", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
];

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let rules = PasswordRules::read(function)?;
    let Some(rules) = rules else {
        return Err(Stop::not_applicable("no variable of the function rules its passwords"));
    };
    let Some((variable, why)) = rules.fault() else { return Ok(Vec::new()) };
    // Code of one's own may read these names differently.
    let (basis, severity) = match from_template(function, case.log().if_known()) {
        true => (Basis::State, Severity::Error),
        false => (Basis::Indication, Severity::Warning),
    };
    let name = name_of(function);
    let finding = Finding::new(
        "RUN14",
        resource_of(function),
        format!("{name} cannot generate a password: {why}."),
    )
    .severity(severity)
    .on(basis)
    .fact("GetFunction", format!("Environment.Variables: {}", rules.set.join(", ")))
    .fix(
        format!("Remove {variable}, or set it to something that leaves a choice."),
        [unset_variable(function_name(function), variable)],
    )
    .confirm(
        Command::aws("secretsmanager", "get-random-password")
            .option("--password-length", "32")
            .flag("--require-each-included-type"),
    )
    .confirm(show_setting(
        case,
        function_name(function),
        format!("Environment.Variables.{variable}"),
    ));
    Ok(vec![published(case, finding)])
}

/// The rules as the variables set them.
struct PasswordRules<'f> {
    length: Option<&'f str>,
    characters: &'f str,
    left_out: Vec<&'static str>,
    each: bool,
    set: Vec<String>,
}

impl<'f> PasswordRules<'f> {
    /// The rules; none where no variable sets any.
    fn read(function: &'f Function) -> Result<Option<Self>, Stop> {
        let mut set = Vec::new();
        let mut read = |name: &str| -> Result<Option<&'f str>, Stop> {
            let value = variable(function, name)?;
            if let Some(value) = value {
                set.push(format!("{name} is {value:?}"));
            }
            Ok(value)
        };
        let length = read(LENGTH)?;
        let characters = read(CHARACTERS)?.unwrap_or_default();
        let mut left_out = Vec::new();
        for (name, _) in KINDS {
            if read(name)?.is_some_and(is_true) {
                left_out.push(*name);
            }
        }
        let each = read(EACH)?.is_none_or(is_true);
        Ok((!set.is_empty()).then_some(Self { length, characters, left_out, each, set }))
    }

    /// The variable at fault, and why.
    fn fault(&self) -> Option<(&'static str, String)> {
        let length = match self.length {
            None => None,
            Some(text) => match python_int(text) {
                None => return Some((LENGTH, format!("{LENGTH} is {text:?}, which is no number"))),
                Some(length) => Some(length),
            },
        };
        let (least, most) =
            (function_limit("password-length-min"), function_limit("password-length-max"));
        if let Some(length) = length.filter(|length| !(least..=most).contains(length)) {
            return Some((LENGTH, format!("{LENGTH} is {length}, not {least} to {most}")));
        }
        if self.characters.chars().count() as i64 > function_limit("exclude-characters-max") {
            return Some((CHARACTERS, format!("{CHARACTERS} is too long")));
        }
        let kinds: Vec<_> =
            KINDS.iter().filter(|(name, _)| !self.left_out.contains(name)).collect();
        if kinds.is_empty() {
            return Some((KINDS[0].0, "every kind of character is excluded".to_owned()));
        }
        let emptied = |members: &str| members.chars().all(|one| self.characters.contains(one));
        if kinds.iter().all(|(_, members)| emptied(members)) {
            return Some((CHARACTERS, format!("{CHARACTERS} leaves no character")));
        }
        if !self.each {
            return None;
        }
        if let Some((_, members)) = kinds.iter().find(|(_, members)| emptied(members)) {
            return Some((
                CHARACTERS,
                format!("{CHARACTERS} leaves none of {members}, of which one is required"),
            ));
        }
        let length = length.filter(|length| *length < kinds.len() as i64)?;
        Some((
            LENGTH,
            format!(
                "{LENGTH} is {length}, too short for one of each of {} kinds of characters",
                kinds.len()
            ),
        ))
    }
}

/// What the templates read as true.
fn is_true(value: &str) -> bool {
    ["true", "1", "y", "yes"].contains(&value.to_lowercase().as_str())
}

/// A number as Python's `int()` reads it.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks, not_applicable},
    };

    fn bundle(variables: serde_json::Value) -> serde_json::Value {
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate",
                "Description": "Conducts an AWS SecretsManager secret rotation for RDS MySQL",
                "Environment": {"Variables": variables}}}})
    }

    #[test]
    fn rules_that_leave_no_password_are_found() {
        for variables in [
            json!({"PASSWORD_LENGTH": "thirty"}),
            json!({"PASSWORD_LENGTH": ""}),
            json!({"PASSWORD_LENGTH": "0"}),
            json!({"PASSWORD_LENGTH": "5000"}),
            json!({"PASSWORD_LENGTH": "3"}),
            json!({"EXCLUDE_CHARACTERS": "0123456789"}),
            json!({"EXCLUDE_NUMBERS": "true", "EXCLUDE_LOWERCASE": "1",
                "EXCLUDE_UPPERCASE": "yes", "EXCLUDE_PUNCTUATION": "Y"}),
        ] {
            let found = judge(&CHECK, bundle(variables.clone())).expect("findings");
            assert_eq!(found.len(), 1, "{variables}");
            assert_eq!(found[0].severity, Severity::Error);
        }
    }

    #[test]
    fn rules_that_leave_one_are_fine() {
        for variables in [
            json!({"PASSWORD_LENGTH": " 4_0 "}),
            json!({"PASSWORD_LENGTH": "3", "REQUIRE_EACH_INCLUDED_TYPE": "false"}),
            json!({"PASSWORD_LENGTH": "3", "EXCLUDE_PUNCTUATION": "true"}),
            json!({"EXCLUDE_CHARACTERS": "0123456789", "EXCLUDE_NUMBERS": "true"}),
            json!({"EXCLUDE_CHARACTERS": "/@\"'\\"}),
        ] {
            assert!(codes(&judge(&CHECK, bundle(variables.clone()))).is_empty(), "{variables}");
        }
        assert!(not_applicable(&judge(&CHECK, bundle(json!({})))));
    }

    #[test]
    fn code_of_one_s_own_may_read_them_differently() {
        let mut own = bundle(json!({"PASSWORD_LENGTH": "0"}));
        own["Function"]["Configuration"]["Description"] = json!("my own");
        own["Gaps"] = json!([{"Fact": "LogEvents", "Reason": "AccessDenied"}]);
        assert_eq!(judge(&CHECK, own).expect("findings")[0].severity, Severity::Warning);
    }

    #[test]
    fn a_denied_function_is_inconclusive() {
        let gap = json!({"Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
        let hidden = bundle(json!({"PASSWORD_LENGTH": "(hidden)"}));
        assert!(lacks(&judge(&CHECK, hidden), crate::evidence::Fact::Function));
    }
}
