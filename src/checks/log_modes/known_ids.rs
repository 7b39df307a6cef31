//! The ids that summaries and commands are filled with: those of the case, and
//! those that a row's named groups captured.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use regex::{Captures, Regex};

use crate::{
    aws::{
        arn,
        commands::{Argument, Command, CommandTemplate},
    },
    catalogue::About,
    checks::Case,
    evidence::{Fact, Secret},
};

/// The facts that [`KnownIds::of`] reads.
pub(in crate::checks) const FACTS: [Fact; 2] = [Fact::Secret, Fact::Function];

// In a sentence: with the space before it, or the whole bracket that ends in it.
static IN_SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r" \([^(){}]*\{([a-z_]+)\}'?\)| ?\{([a-z_]+)\}").expect("a constant pattern")
});

// What a name looks like. A log line is not to be trusted: anything else is no name that
// a command would be about.
static PLAIN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[A-Za-z0-9_.:/@+=,!-]+$").expect("a constant pattern"));

/// Ids by placeholder.
#[derive(Clone, Debug, Default)]
pub(in crate::checks) struct KnownIds {
    values: BTreeMap<String, String>,
    secret_resource: String,
    function_arn: Option<String>,
    role_arn: Option<String>,
    key: Option<String>,
}

impl KnownIds {
    /// The ids of the case.
    pub(in crate::checks) fn of(case: &Case<'_>) -> Self {
        let secret = case.secret().if_known();
        let role_arn = case.function().if_known().and_then(|f| f.configuration.role.clone());
        let function_arn = secret.and_then(|secret| secret.rotation_lambda_arn.clone());
        let key = secret.and_then(|secret| secret.kms_key_id.clone());
        let mut names = Self {
            secret_resource: case.secret_resource(),
            function_arn: function_arn.clone(),
            role_arn: role_arn.clone(),
            key: key.clone(),
            ..Self::default()
        };
        names.set("secret", Some(case.secret_id()));
        names.set("secret_arn", case.secret_arn_if_known());
        names.set("region", Some(case.region()));
        names.set("account", Some(case.account_id()));
        names.set("partition", Some(case.partition()));
        names.set("function", function_arn.as_deref().and_then(arn::function_name));
        names.set("role", role_arn.as_deref().map(arn::role_name));
        names.set("key", key.as_deref());
        names.set("version", secret.and_then(stuck_version));
        names
    }

    /// Sets one, where there is a value.
    pub(in crate::checks) fn set(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Sets one that has no value yet.
    pub(in crate::checks) fn set_if_new(&mut self, name: &str, value: Option<&str>) {
        if !self.values.contains_key(name) {
            self.set(name, value);
        }
    }

    /// A sentence, filled in; what is not known is left out.
    pub(in crate::checks) fn sentence(&self, text: &str) -> String {
        IN_SENTENCE
            .replace_all(text, |captures: &Captures<'_>| {
                let name = captures.get(1).or(captures.get(2)).map_or("", |name| name.as_str());
                let value = self.values.get(name);
                value.map_or(String::new(), |value| {
                    captures[0].replace(&format!("{{{name}}}"), value)
                })
            })
            .into_owned()
    }

    /// The secret in a command.
    pub(in crate::checks) fn secret(&self) -> Argument {
        let secret = self.values.get("secret").filter(|value| PLAIN.is_match(value));
        Argument::or_placeholder(secret.map(String::as_str), "SECRET")
    }

    /// A command, filled in with what a log line is trusted with; what is not known, or
    /// no plain name, stays a placeholder.
    pub(in crate::checks) fn command(&self, template: &CommandTemplate) -> Command {
        template.fill(|name| {
            let value = self.values.get(name).filter(|value| PLAIN.is_match(value));
            value.map(|value| Cow::Borrowed(value.as_str()))
        })
    }

    /// The resource of a finding.
    pub(in crate::checks) fn resource(&self, about: About) -> String {
        match about {
            About::Secret => None,
            About::Function => self.function_arn.clone(),
            About::Role => self.role_arn.clone(),
            About::Key => self.key.clone(),
        }
        .unwrap_or_else(|| self.secret_resource.clone())
    }
}

/// The version that holds AWSPENDING and not AWSCURRENT.
fn stuck_version(secret: &Secret) -> Option<&str> {
    let has = |stages: &[String], label: &str| stages.iter().any(|stage| stage == label);
    secret
        .version_ids_to_stages
        .iter()
        .find(|(_, stages)| has(stages, "AWSPENDING") && !has(stages, "AWSCURRENT"))
        .map(|(version, _)| version.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Observed};

    fn command(names: &KnownIds, template: &str) -> String {
        names.command(&CommandTemplate::parse(template).expect("a command")).plain()
    }

    #[test]
    fn a_log_line_cannot_put_words_into_a_command() {
        let mut names = KnownIds::default();
        names.set("user", Some("app; rm -rf /"));
        names.set("host", Some("db.example.eu-west-1.rds.amazonaws.com"));
        assert_eq!(
            command(&names, "run --user {user} --host {host}"),
            "run --user USER --host db.example.eu-west-1.rds.amazonaws.com"
        );
        assert_eq!(names.sentence("user {user}"), "user app; rm -rf /");
    }

    #[test]
    fn a_sentence_leaves_out_what_is_not_known() {
        let text = "The role {role} may not ({action}); port '{port}' (error {number}).";
        let mut names = KnownIds::default();
        names.set("port", Some("x"));
        assert_eq!(names.sentence(text), "The role may not; port 'x'.");
        names.set("role", Some("r"));
        names.set("number", Some("7"));
        assert_eq!(names.sentence(text), "The role r may not; port 'x' (error 7).");
    }

    #[test]
    fn the_name_of_a_managed_secret_is_quoted() {
        let mut names = KnownIds::default();
        names.set("secret", Some("rds!cluster-1a"));
        names.set("user", Some("app\",\"x"));
        assert_eq!(
            command(&names, r#"a --b {secret} --c '{"id":"{secret}","user":"{user}"}'"#),
            r#"a --b 'rds!cluster-1a' --c '{"id":"rds!cluster-1a","user":"USER"}'"#
        );
    }

    #[test]
    fn the_version_is_the_stuck_one() {
        let mut secret = Secret { name: Some("a".to_owned()), ..Secret::default() };
        let stages = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
        secret.version_ids_to_stages.insert("v1".to_owned(), stages(&["AWSCURRENT", "AWSPENDING"]));
        let evidence = Evidence { secret: Observed::Known(secret.clone()), ..Evidence::default() };
        assert_eq!(
            command(&KnownIds::of(&Case::new(&evidence)), "a --b {version}"),
            "a --b VERSION"
        );
        secret.version_ids_to_stages.insert("v2".to_owned(), stages(&["AWSPENDING"]));
        let evidence = Evidence { secret: Observed::Known(secret), ..Evidence::default() };
        assert_eq!(command(&KnownIds::of(&Case::new(&evidence)), "a --b {version}"), "a --b v2");
    }
}
