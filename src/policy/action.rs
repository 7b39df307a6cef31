//! Patterns of `Action` and `NotAction`. Both parts are compared without case.

use super::pattern::Pattern;

/// An entry of `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub(super) struct ActionPattern {
    /// As it is written.
    pub(super) text: String,
    /// Service and name in lower case; nothing for text that is no action.
    parts: Option<(Pattern, Pattern)>,
    /// What it begins with before any wildcard, in lower case: most patterns
    /// are decided by it.
    prefix: String,
}

/// An action as a request names it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    text: String,
    service: String,
    name: String,
}

impl Action {
    /// Reads `service:Name`.
    pub(super) fn read(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let (service, name) = lower.split_once(':').unwrap_or((&lower, ""));
        let (service, name) = (service.to_owned(), name.to_owned());
        Self { text: lower, service, name }
    }

    /// The service's prefix.
    pub(super) fn service(&self) -> &str {
        &self.service
    }

    /// The name in lower case.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl ActionPattern {
    /// Reads an entry.
    pub(super) fn read(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let parts = match lower.split_once(':') {
            Some(parts) => Some(parts),
            None if lower == "*" => Some(("*", "*")),
            None => None,
        };
        let parts = parts.map(|(service, name)| {
            (Pattern::new(service, true, false), Pattern::new(name, true, false))
        });
        let prefix = lower.split(['*', '?']).next().unwrap_or_default().to_owned();
        Self { text: text.to_owned(), parts, prefix }
    }

    /// Whether it covers an action.
    pub(super) fn covers(&self, action: &Action) -> bool {
        action.text.starts_with(&self.prefix)
            && self.parts.as_ref().is_some_and(|(service, name)| {
                service.matches(&action.service) && name.matches(&action.name)
            })
    }

    /// Whether it is about the action's service.
    pub(super) fn names_service_of(&self, action: &Action) -> bool {
        self.parts.as_ref().is_some_and(|(service, _)| service.matches(&action.service))
    }

    /// Whether it hands out a whole service.
    pub(super) fn is_whole_service(&self) -> bool {
        self.parts.as_ref().is_some_and(|(_, name)| name.is_run())
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, ActionPattern};

    #[test]
    fn service_and_name_without_case() {
        let action = Action::read("secretsmanager:GetSecretValue");
        for (pattern, expected) in [
            ("SecretsManager:getsecretVALUE", true),
            ("secretsmanager:Get*", true),
            ("secretsmanager:*Value", true),
            ("secretsmanager:GetSecretValu?", true),
            ("secretsmanager:GetSecretValue?", false),
            ("secretsmanager:*", true),
            ("*:*", true),
            ("*", true),
            ("secretsmanager", false),
            ("kms:*", false),
            ("secretsmanager:GetSecretValueX", false),
        ] {
            assert_eq!(ActionPattern::read(pattern).covers(&action), expected, "{pattern}");
        }
        let key = Action::read("kms:GenerateDataKeyWithoutPlaintext");
        assert!(ActionPattern::read("kms:GenerateDataKey*").covers(&key));
        assert!(!ActionPattern::read("kms:GenerateDataKey").covers(&key));
    }
}
