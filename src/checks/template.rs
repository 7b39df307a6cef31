//! Which vended template the rotation function was made from, as far as the
//! evidence names one. What the templates ask for is in the catalogue.

use super::{Case, run::function::build_lags};
use crate::{
    catalogue::{Engine, engines},
    evidence::Time,
};

/// A vended template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// Such as `SecretsManagerRDSMySQLRotationSingleUser`.
    pub(super) name: String,
    /// What names it.
    pub(super) source: &'static str,
}

impl Template {
    /// Whether it keeps two users and rotates them in turn.
    pub(super) fn alternates(&self) -> bool {
        self.name.ends_with("MultiUser")
    }

    /// The engine that it is for.
    pub(super) fn engine(&self) -> Option<&'static Engine> {
        engines().of_template(&self.name)
    }
}

/// The template that the function's tags, its stack or its log name. Reads
/// Function, Stack and LogEvents, none of which decides anything alone.
pub(super) fn template(case: &Case<'_>) -> Option<Template> {
    let function = case.function().if_known();
    let tags = function.into_iter().flat_map(|function| function.tags.values());
    if let Some(name) = tags.map(String::as_str).find_map(name_within) {
        return Some(Template { name, source: "tags of the function" });
    }
    let stack = case.stack().if_known();
    let texts = stack.into_iter().flat_map(|stack| {
        stack.tags.iter().filter_map(|tag| tag.value.as_deref()).chain(
            stack.parameters.iter().filter_map(|parameter| parameter.parameter_value.as_deref()),
        )
    });
    if let Some(name) = texts.into_iter().find_map(name_within) {
        return Some(Template { name, source: "stack of the function" });
    }
    let log = case.log().if_known()?;
    match log.templates.as_slice() {
        [only] => name_within(only).map(|name| Template { name, source: "texts in the log" }),
        _ => None,
    }
}

fn name_within(text: &str) -> Option<String> {
    let start = text.find("SecretsManager")?;
    let name: String = text[start..].chars().take_while(char::is_ascii_alphanumeric).collect();
    (name.ends_with("RotationSingleUser") || name.ends_with("RotationMultiUser")).then_some(name)
}

/// Whether the function's code is certainly older than a day: nothing of the
/// function changed since. `None` where that cannot be told.
pub(super) fn code_is_older_than(case: &Case<'_>, day: Time) -> Option<bool> {
    let function = case.function().if_known()?;
    if function.configuration.last_modified.is_some_and(|changed| changed < day) {
        return Some(true);
    }
    let created = case
        .stack()
        .if_known()
        .and_then(|stack| stack.creation_time)
        .filter(|_| !build_lags(case, function));
    let in_the_log =
        case.log().if_known().and_then(|log| log.template_texts.iter().map(|(_, day)| *day).max());
    [created, in_the_log].into_iter().flatten().any(|then| then >= day).then_some(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{code_is_older_than, template};
    use crate::{
        checks::{Case, testing::evidence},
        evidence::Time,
        rotation_log::RotationLog,
    };

    #[test]
    fn tags_stack_and_log_name_the_template() {
        let arn = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                   SecretsManagerRDSMariaDBRotationMultiUser";
        let tagged = evidence(json!({"Function": {"Tags": {"serverlessrepo:applicationId": arn}}}));
        let found = template(&Case::new(&tagged)).expect("template");
        assert!(found.alternates());
        assert_eq!(found.engine().map(|engine| engine.name.as_str()), Some("mariadb"));

        let empty = evidence(json!({}));
        let one = "SecretsManagerRDSDb2RotationSingleUser".to_owned();
        let mut log = RotationLog { templates: vec![one], ..RotationLog::default() };
        assert!(!template(&Case::with_log(&empty, log.clone())).expect("template").alternates());
        log.templates.push("SecretsManagerRDSDb2RotationMultiUser".to_owned());
        assert_eq!(template(&Case::with_log(&empty, log)), None, "two candidates are none");
    }

    #[test]
    fn age_is_told_only_where_dates_prove_it() {
        let day = Time::parse("2023-12-15").expect("day");
        let of = |bundle| code_is_older_than(&Case::new(&evidence(bundle)), day);
        let changed = |at: &str| json!({"Configuration": {"LastModified": at}});
        assert_eq!(of(json!({"Function": changed("2023-01-01T00:00:00.000+0000")})), Some(true));
        assert_eq!(of(json!({"Function": changed("2025-01-01T00:00:00.000+0000")})), None);
        assert_eq!(
            of(json!({"Function": changed("2025-01-01T00:00:00.000+0000"),
                      "Stack": {"CreationTime": "2024-05-01T00:00:00Z"}})),
            Some(false)
        );
        let lagging = json!({"Partition": "aws-cn", "Stack": {"CreationTime": "2024-05-01T00:00:00Z"},
            "Function": {"Configuration": {"LastModified": "2025-01-01T00:00:00.000+0000"},
                "Tags": {"serverlessrepo:semanticVersion": "1.1.60"}}});
        assert_eq!(of(lagging), None, "an old build set up late");
    }
}
