//! Which vended template the rotation function was created from, as far as the
//! evidence names one. What the templates ask for is in the catalogue.

use super::{Case, run::function::vended};
use crate::{
    catalogue::{Engine, engines},
    evidence::{Function, Stack},
    rotation_log::RotationLog,
};

/// A vended template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VendedTemplate {
    /// Such as `SecretsManagerRDSMySQLRotationSingleUser`.
    pub(super) name: String,
    /// What names it.
    pub(super) source: &'static str,
}

impl VendedTemplate {
    /// Whether it keeps two users and rotates them in turn.
    pub(super) fn alternates(&self) -> bool {
        self.name.ends_with("MultiUser")
    }

    /// The engine that it is for.
    pub(super) fn engine(&self) -> Option<&'static Engine> {
        engines().of_template(&self.name)
    }
}

/// The engine of the case's database, by the secret's value, its template, or RDS.
pub(crate) fn engine_of(case: &Case<'_>) -> Option<&'static Engine> {
    let shapes = case.secret_shape();
    let by_value = || engines().named(&shapes.if_known()?.get("AWSCURRENT")?.text("engine")?);
    let by_rds = || {
        let (instance, cluster) = super::database_of(case)?;
        let named = instance.and_then(|one| one.engine.as_deref());
        engines().named(named.or_else(|| cluster?.engine.as_deref())?)
    };
    by_value().or_else(|| template(case)?.engine()).or_else(by_rds)
}

/// The template of the case's function. Reads Function, Stack and LogEvents,
/// none of which decides anything alone.
pub(super) fn template(case: &Case<'_>) -> Option<VendedTemplate> {
    template_of(case.function().if_known(), case.stack().if_known(), case.log().if_known())
}

/// The template that the function's tags or description, its stack or its log
/// name.
pub(super) fn template_of(
    function: Option<&Function>,
    stack: Option<&Stack>,
    log: Option<&RotationLog>,
) -> Option<VendedTemplate> {
    let by_tag = || {
        let name = function?.tags.values().find_map(|value| name_within(value))?;
        Some(VendedTemplate { name, source: "tags of the function" })
    };
    let by_description = || {
        vended(function?)?;
        let name = described(function?.configuration.description.as_deref()?)?;
        Some(VendedTemplate { name, source: "description of the function" })
    };
    let by_stack = || {
        let tags = stack?.tags.iter().filter_map(|tag| tag.value.as_deref());
        let values = stack?.parameters.iter().filter_map(|value| value.parameter_value.as_deref());
        let name = tags.chain(values).find_map(name_within)?;
        Some(VendedTemplate { name, source: "stack of the function" })
    };
    let by_log = || match log?.templates.as_slice() {
        [only] => {
            let name = format!("{PREFIX}{}", only.trim_start_matches(PREFIX));
            Some(VendedTemplate { name, source: "texts in the log" })
        }
        _ => None,
    };
    by_tag().or_else(by_description).or_else(by_stack).or_else(by_log)
}

/// How the names of the templates begin.
const PREFIX: &str = "SecretsManager";

/// The name of a template in a text, such as an ARN or the name of a stack to
/// which something was appended.
fn name_within(text: &str) -> Option<String> {
    let start = text.find(PREFIX)?;
    let name: String = text[start..].chars().take_while(char::is_ascii_alphanumeric).collect();
    for end in ["RotationSingleUser", "RotationMultiUser"] {
        if let Some(at) = name.find(end) {
            return Some(name[..at + end.len()].to_owned());
        }
    }
    // The other templates are named in the ARN of their application alone: a
    // stack may be called anything.
    (text.contains(":applications/") && name.contains("Rotation")).then_some(name)
}

/// The template that a vended function's description names: "… RDS MySQL …
/// single user rotation scheme".
fn described(description: &str) -> Option<String> {
    let letters: String =
        description.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let engine = engines().of_description(&letters)?;
    let strategy = match () {
        () if letters.contains("singleuser") => "SingleUser",
        () if letters.contains("multiuser") || letters.contains("alternatinguser") => "MultiUser",
        () => return None,
    };
    Some(format!("{PREFIX}{}Rotation{strategy}", engine.template))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{described, name_within, template};
    use crate::{
        checks::{Case, testing::evidence},
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
        // As the table of texts calls them.
        let one = "RDSDb2RotationSingleUser".to_owned();
        let mut log = RotationLog { templates: vec![one], ..RotationLog::default() };
        let found = template(&Case::with_log(&empty, log.clone())).expect("template");
        assert!(!found.alternates());
        assert_eq!(found.name, "SecretsManagerRDSDb2RotationSingleUser");
        log.templates.push("RDSDb2RotationMultiUser".to_owned());
        assert_eq!(template(&Case::with_log(&empty, log)), None, "two candidates are none");
    }

    #[test]
    fn a_name_may_have_more_behind_it_and_a_stack_any_name() {
        let stack = "SecretsManagerRDSMySQLRotationSingleUser5c2-SecretRotation-3CUDHZMDMBO8";
        let within = |text: &str| name_within(text);
        assert_eq!(within(stack).as_deref(), Some("SecretsManagerRDSMySQLRotationSingleUser"));
        assert_eq!(within("SecretsManagerMyRotationFunction"), None);
        let cache =
            "arn:aws:serverlessrepo:us-east-1:1:applications/SecretsManagerElasticacheUserRotation";
        assert_eq!(within(cache).as_deref(), Some("SecretsManagerElasticacheUserRotation"));
        assert_eq!(within("arn:aws:serverlessrepo:us-east-1:1:applications/datadog"), None);
    }

    #[test]
    fn a_description_tells_the_template() {
        let of = |engine: &str, users: &str| {
            described(&format!(
                "Conducts an AWS SecretsManager secret rotation for {engine} using {users} user \
                 rotation scheme"
            ))
        };
        let name = of("RDS MySQL", "single");
        assert_eq!(name.as_deref(), Some("SecretsManagerRDSMySQLRotationSingleUser"));
        let name = of("RDS PostgreSQL", "multi");
        assert_eq!(name.as_deref(), Some("SecretsManagerRDSPostgreSQLRotationMultiUser"));
        assert_eq!(of("RDS MySQL", "no"), None);
        assert_eq!(of("a thing", "single"), None);
    }
}
