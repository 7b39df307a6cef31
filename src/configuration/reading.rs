//! Reads `rotdoctor.toml`, strictly: what is not known is an error that says where it
//! stands and what was probably meant.

use jiff::civil::Date;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Configuration, Waiver};
use crate::{
    catalogue::{self, Severity},
    checks::Selection,
    evidence::nearest,
};

const KEYS: &[&str] = &["check", "skip", "fail-on", "open", "severity", "waiver"];
const WAIVER_KEYS: &[&str] = &["code", "resource", "reason", "until"];
const LEVELS: &[&str] = &["error", "warning", "never"];
/// What `open` may be.
const OPEN: &[&str] = &["fail", "allow"];
const SEVERITIES: &[&str] = &["error", "warning", "note"];

/// Why a configuration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ConfigurationError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

type Read<T> = Result<T, ConfigurationError>;

/// The text that is read, to tell lines.
struct Text<'a>(&'a str);

impl Configuration {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigurationError`] with the line.
    pub fn parse(text: &str) -> Read<Self> {
        let place = Text(text);
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            place.error(at, error.message().to_owned())
        })?;
        let table = table.get_ref();
        place.only(table, KEYS, "")?;
        let mut configuration = Self {
            check: place.words(table, "check")?,
            skip: place.words(table, "skip")?,
            ..Self::default()
        };
        if let Some(value) = table.get("fail-on") {
            configuration.fail_on = Some(place.one_of(value, LEVELS)?.to_owned());
        }
        if let Some(value) = table.get("open") {
            configuration.open = Some(place.one_of(value, OPEN)?.to_owned());
        }
        if let Some(value) = table.get("severity") {
            let severities = value.get_ref().as_table().ok_or_else(|| {
                place.wrong(value, "a table such as `severity = { IAM19 = \"warning\" }`")
            })?;
            for (code, value) in severities {
                let known = place.code(code.span().start, code.get_ref())?;
                let severity = match place.one_of(value, SEVERITIES)? {
                    "error" => Severity::Error,
                    "warning" => Severity::Warning,
                    _ => Severity::Note,
                };
                configuration.severity.insert(known, severity);
            }
        }
        if let Some(value) = table.get("waiver") {
            let waivers =
                value.get_ref().as_array().ok_or_else(|| place.wrong(value, "`[[waiver]]`"))?;
            for value in waivers.iter() {
                configuration.waivers.push(place.waiver(value)?);
            }
        }
        place.names(table, &configuration)?;
        Ok(configuration)
    }
}

impl Text<'_> {
    fn line(&self, at: usize) -> usize {
        self.0.get(..at).unwrap_or(self.0).matches('\n').count() + 1
    }

    fn error(&self, at: usize, message: String) -> ConfigurationError {
        ConfigurationError { line: self.line(at), message }
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, expected: &str) -> ConfigurationError {
        let found = value.get_ref().type_str();
        self.error(
            value.span().start,
            format!("expected {expected}, found a value of type {found}"),
        )
    }

    /// Refuses keys that are not known.
    fn only(&self, table: &DeTable<'_>, known: &[&str], of: &str) -> Read<()> {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let near = nearest(name, known.iter().copied());
                let message = format!("unknown key '{name}'{of}{}", meant(near, known));
                return Err(self.error(key.span().start, message));
            }
        }
        Ok(())
    }

    fn text<'t>(&self, value: &'t Spanned<DeValue<'_>>) -> Read<&'t str> {
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong(value, "text in quotes"))?;
        if text.trim().is_empty() {
            return Err(self.error(value.span().start, "this may not be empty".to_owned()));
        }
        Ok(text)
    }

    fn one_of<'t>(&self, value: &'t Spanned<DeValue<'_>>, known: &[&str]) -> Read<&'t str> {
        let text = self.text(value)?;
        if known.contains(&text) {
            return Ok(text);
        }
        let near = nearest(text, known.iter().copied());
        let message = format!("'{text}' is not known here{}", meant(near, known));
        Err(self.error(value.span().start, message))
    }

    fn words(&self, table: &DeTable<'_>, key: &str) -> Read<Vec<String>> {
        let Some(value) = table.get(key) else { return Ok(Vec::new()) };
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.wrong(value, "a list such as [\"SCH03\", \"NET\"]"))?;
        list.iter().map(|value| self.text(value).map(str::to_owned)).collect()
    }

    /// A code, by itself or by its name.
    fn code(&self, at: usize, text: &str) -> Read<String> {
        if let Some(entry) = catalogue::entry(text) {
            return Ok(entry.code.to_owned());
        }
        let names = catalogue::entries().iter().flat_map(|entry| [entry.code, entry.name]);
        let near = nearest(text, names);
        let meant = near.map_or_else(
            || "; `rotdoctor checks` lists the codes".to_owned(),
            |near| format!("; did you mean '{near}'?"),
        );
        Err(self.error(at, format!("'{text}' is no code{meant}")))
    }

    fn waiver(&self, value: &Spanned<DeValue<'_>>) -> Read<Waiver> {
        let start = value.span().start;
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(value, "`[[waiver]]`"))?;
        self.only(table, WAIVER_KEYS, " in a waiver")?;
        let needed = |key: &str| {
            table.get(key).ok_or_else(|| self.error(start, format!("this waiver has no '{key}'")))
        };
        let code = needed("code")?;
        let until = needed("until")?;
        Ok(Waiver {
            code: self.code(code.span().start, self.text(code)?)?,
            resource: self.text(needed("resource")?)?.to_owned(),
            reason: self.text(needed("reason")?)?.to_owned(),
            until: self.day(until)?,
            line: self.line(start),
        })
    }

    /// A day, as TOML writes one or in quotes.
    fn day(&self, value: &Spanned<DeValue<'_>>) -> Read<Date> {
        let written = match value.get_ref() {
            DeValue::Datetime(day) => day.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => return Err(self.wrong(value, "a day such as 2027-03-31")),
        };
        written.parse().map_err(|_| {
            self.error(value.span().start, format!("'{written}' is no day such as 2027-03-31"))
        })
    }

    /// Refuses checks that do not exist.
    fn names(&self, table: &DeTable<'_>, configuration: &Configuration) -> Read<()> {
        let Err(unknown) = Selection::new(&configuration.check, &configuration.skip) else {
            return Ok(());
        };
        let places = ["check", "skip"].into_iter().filter_map(|key| table.get(key));
        let mut items =
            places.filter_map(|value| value.get_ref().as_array()).flat_map(|a| a.iter());
        let at = items.find(|item| item.get_ref().as_str() == Some(&unknown.name));
        let at = at.map_or(0, |item| item.span().start);
        Err(self.error(at, unknown.to_string()))
    }
}

fn meant(near: Option<&str>, known: &[&str]) -> String {
    match near {
        Some(near) => format!("; did you mean '{near}'?"),
        None => format!("; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::Configuration;
    use crate::catalogue::Severity;

    const WHOLE: &str = r#"
skip = ["SCH03"]
fail-on = "warning"

[severity]
IAM19 = "warning"
log-retention = "note"

[[waiver]]
code = "RUN05"
resource = "*:secret:legacy/*"
reason = "moves to python3.12 with the spring release"
until = 2027-03-31
"#;

    #[test]
    fn a_whole_file_is_read() {
        let text = WHOLE.replace("log-retention = \"note\"\n", "");
        let configuration = Configuration::parse(&text).expect("a configuration");
        assert_eq!(configuration.skip, ["SCH03"]);
        assert_eq!(configuration.fail_on.as_deref(), Some("warning"));
        assert_eq!(configuration.severity["IAM19"], Severity::Warning);
        let waiver = &configuration.waivers[0];
        assert_eq!((waiver.code.as_str(), waiver.line), ("RUN05", 8));
        assert_eq!(waiver.until.to_string(), "2027-03-31");
        assert_eq!(Configuration::parse(""), Ok(Configuration::default()));
    }

    #[test]
    fn the_schema_knows_what_the_reader_knows() {
        let schema: serde_json::Value =
            serde_json::from_str(crate::report::schema::configuration()).expect("JSON");
        let keys = |of: &serde_json::Value| -> Vec<String> {
            of["properties"].as_object().expect("properties").keys().cloned().collect()
        };
        let words = |of: &serde_json::Value| -> Vec<String> {
            let list = of["enum"].as_array().expect("an enum").iter();
            list.map(|word| word.as_str().expect("a word").to_owned()).collect()
        };
        assert_eq!(keys(&schema), super::KEYS);
        let waiver = &schema["properties"]["waiver"]["items"];
        assert_eq!(keys(waiver), super::WAIVER_KEYS);
        assert_eq!(waiver["required"].as_array().map(Vec::len), Some(super::WAIVER_KEYS.len()));
        assert_eq!(words(&schema["properties"]["fail-on"]), super::LEVELS);
        let severity = &schema["properties"]["severity"]["additionalProperties"];
        assert_eq!(words(severity), super::SEVERITIES);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_was_meant() {
        for (text, line, told) in [
            ("skp = []", 1, "did you mean 'skip'?"),
            ("\n\nskip = [\"NET1\"]", 3, "did you mean"),
            ("check = \"NET\"", 1, "a list such as"),
            ("fail-on = \"warn\"", 1, "did you mean 'warning'?"),
            ("[severity]\nIAM91 = \"note\"", 2, "no code"),
            ("[severity]\nIAM19 = \"info\"", 2, "known are error, warning, note"),
            ("[[waiver]]\ncode = \"RUN05\"", 1, "has no 'until'"),
            ("[[waiver]]\ncode=\"RUN05\"\nuntil=2027-01-01\nresource=\"*\"", 1, "has no 'reason'"),
            (
                "[[waiver]]\ncode=\"RUN05\"\nuntil=2027-01-01\nresource=\"*\"\nreason=\" \"",
                5,
                "may not be empty",
            ),
            (
                "[[waiver]]\ncode=\"RUN05\"\nuntil=\"soon\"\nresource=\"*\"\nreason=\"r\"",
                3,
                "no day",
            ),
            ("[[waiver]]\nkode = \"x\"", 2, "did you mean 'code'?"),
            ("waiver = 3", 1, "[[waiver]]"),
            ("skip = [\n  \"NET01\"\n", 2, ""),
        ] {
            let error = Configuration::parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(told), "{text}: {error}");
        }
    }
}
