//! How to try a login without showing the password: `login_checks.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::provenance::Provenance;
use crate::aws::commands::CommandTemplate;

/// A client of some engines.
#[derive(Debug, Deserialize)]
pub struct LoginCheck {
    /// Engines, by their names in `database_engines.toml`.
    pub engines: Vec<String>,
    /// The command, with the secret's value in `$VALUE` and its label as `stage`.
    pub command: CommandTemplate,
    /// Where that is known from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// The login check of an engine, where one keeps the password out of sight.
pub fn login_check(engine: &str) -> Option<&'static LoginCheck> {
    static ROWS: LazyLock<Vec<LoginCheck>> = LazyLock::new(|| {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            client: Vec<LoginCheck>,
        }
        let table: Table = super::table(include_str!("login_checks.toml"));
        table.client
    });
    ROWS.iter().find(|row| row.engines.iter().any(|name| name == engine))
}

#[cfg(test)]
mod tests {
    use super::login_check;
    use crate::catalogue::{engines, provenance::assert_sound};

    #[test]
    fn the_password_is_in_a_variable_and_never_an_argument() {
        let rows: Vec<_> =
            engines().all().iter().filter_map(|engine| login_check(&engine.name)).collect();
        assert!(rows.len() >= 5, "{rows:?}");
        for row in rows {
            let command = row.command.unfilled().plain();
            let (variable, rest) = command
                .split_once(r#"="$(printf %s "$VALUE" | jq -r .password)""#)
                .expect("a variable");
            assert!(variable.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{variable}");
            assert!(!rest.contains(".password") && !rest.contains("echo"), "{rest}");
            assert_sound(&row.provenance);
        }
    }
}
