//! What the vended templates ask of a value: `database_engines.toml`. When they
//! learnt what is in `vended_templates.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// The table of engines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engines {
    engine: Vec<Engine>,
    /// Keys that every template for databases asks for.
    pub required: RequiredKeys,
    /// How the alternating-users templates name the second user.
    pub clone: CloneName,
    /// What RDS refuses in a master user's password.
    pub master_password: MasterPassword,
    /// How the names of AWS's own endpoints look.
    pub endpoints: EndpointNames,
}

/// One engine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// The name in a secret's `engine`.
    pub name: String,
    /// The part of the template's name that stands for it.
    pub template: String,
    /// The values of `engine` that its templates take today.
    pub accepts: Vec<String>,
    /// The one among them that older templates refuse (`aurora-engine-names` among
    /// what vended functions can do).
    pub aurora: Option<String>,
    /// Characters of a user's name, at most, by the template.
    pub username_limit: Option<usize>,
    /// The variable that overrides this limit.
    pub username_limit_variable: Option<String>,
    /// What the server itself allows, where that is more.
    pub username_limit_of_server: Option<usize>,
    /// Keys that only this engine's templates ask for.
    #[serde(default)]
    pub also_required: Vec<String>,
    /// Characters that the engine refuses in a password.
    pub password_rejects: Option<String>,
    /// Whether the single-user template too needs `masterarn`.
    #[serde(default)]
    pub single_user_needs_superuser: bool,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// Keys that every template for databases asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredKeys {
    /// Their names.
    pub keys: Vec<String>,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// How the second of two alternating users is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneName {
    /// What is appended to the first one's name.
    pub suffix: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// What RDS refuses in a master user's password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterPassword {
    /// The characters.
    pub rejects: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// How the names of AWS's own endpoints look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointNames {
    /// How they end.
    pub suffixes: Vec<String>,
    /// What marks the reader endpoint of a cluster.
    pub reader_mark: String,
    /// What marks an RDS Proxy.
    pub proxy_mark: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// The table of engines.
pub fn engines() -> &'static Engines {
    static TABLE: LazyLock<Engines> =
        LazyLock::new(|| super::table(include_str!("database_engines.toml")));
    &TABLE
}

impl Engines {
    /// All engines.
    pub fn all(&self) -> &[Engine] {
        &self.engine
    }

    /// The engine that a secret's `engine` names.
    pub fn named(&self, engine: &str) -> Option<&Engine> {
        self.engine.iter().find(|row| row.accepts.iter().any(|name| name == engine))
    }

    /// The engine of a template, by the template's name.
    pub fn of_template(&self, template: &str) -> Option<&Engine> {
        self.engine.iter().find(|row| template.contains(&format!("{}Rotation", row.template)))
    }

    /// The engine of a vended function, by its description in lower case without
    /// spaces.
    pub fn of_description(&self, description: &str) -> Option<&Engine> {
        self.engine.iter().find(|row| description.contains(&row.template.to_lowercase()))
    }

    /// The name of a user without the mark of its clone.
    pub fn base_user<'a>(&self, user: &'a str) -> &'a str {
        user.strip_suffix(self.clone.suffix.as_str()).unwrap_or(user)
    }
}

impl EndpointNames {
    /// Whether a host is one of AWS's own database endpoints.
    pub fn is_of_aws(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.suffixes.iter().any(|suffix| host.ends_with(suffix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::engines;

    #[test]
    fn an_engine_is_found_by_its_names_and_by_its_template() {
        let engines = engines();
        assert_eq!(engines.named("aurora-mysql").map(|row| row.name.as_str()), Some("mysql"));
        assert!(engines.named("Postgres").is_none(), "the templates compare letter by letter");
        let template = "SecretsManagerRDSOracleRotationMultiUser";
        assert_eq!(engines.of_template(template).map(|row| row.name.as_str()), Some("oracle"));
        let described = engines.of_description("asecretrotationforrdssqlserverusing");
        assert_eq!(described.map(|row| row.name.as_str()), Some("sqlserver"));
    }

    #[test]
    fn every_row_has_a_source() {
        for row in &engines().engine {
            assert!(!row.source.is_empty() && !row.checked.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn endpoints_and_clones_are_told_by_the_table() {
        let engines = engines();
        assert!(engines.endpoints.is_of_aws("db.abc.eu-west-1.RDS.amazonaws.com."));
        assert!(!engines.endpoints.is_of_aws("db.example.com"));
        assert_eq!(engines.base_user("app_clone"), "app");
    }
}
