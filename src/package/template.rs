//! Which vended template a handler's file comes from, how old it is, and what it
//! can do, by the texts that it prints and the constructs that it holds. The
//! texts and their days are rows of the catalogue.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

use crate::{
    catalogue::{LogText, Origin, constructs, log_texts},
    evidence::{RotationCode, Time},
};

/// A file with fewer texts of a template than that is not made from one.
const LEAST: usize = 6;
/// Own texts that are kept.
const OWN: usize = 20;
/// Characters kept of a text.
const TEXT: usize = 160;

/// Reads a handler's file.
pub fn read(path: &str, code: &str) -> RotationCode {
    let mut read = RotationCode {
        path: Some(path.to_owned()),
        invokes: invokes(code),
        ..RotationCode::default()
    };
    for row in constructs() {
        if row.texts.iter().any(|text| code.contains(text.as_str())) {
            read.can.push(row.capability.clone());
        } else if row.proves_absence {
            read.cannot.push(row.capability.clone());
        }
    }
    let texts: Vec<&LogText> = log_texts()
        .iter()
        .filter(|text| text.origin == Origin::Template && !text.is_regex)
        .collect();
    let held: Vec<&LogText> =
        texts.iter().copied().filter(|text| holds(code, &text.text)).collect();
    let Some((template, percent)) = nearest(&texts, &held) else { return read };
    let of_template = |text: &&&LogText| text.templates.contains(&template);
    read.not_before = held.iter().filter(of_template).filter_map(|text| text.first_seen).max();
    read.before = texts
        .iter()
        .filter(of_template)
        .filter(|text| text.last_seen.is_none() && !holds(code, &text.text))
        .filter_map(|text| text.first_seen)
        // A text that came first with the template was taken out by hand.
        .filter(|day| read.not_before.is_none_or(|from| *day > from))
        .min();
    let own: Vec<String> = printed(code)
        .into_iter()
        .filter(|text| !texts.iter().any(|known| same(&known.text, text)))
        .collect();
    let lacks_old = texts.iter().filter(of_template).any(|text| {
        text.last_seen.is_none()
            && text.first_seen.is_some_and(|day| read.not_before.is_some_and(|from| day < from))
            && !holds(code, &text.text)
    });
    read.customised = Some(!own.is_empty() || lacks_old);
    // A literal may hold what nobody should print.
    let sealed = own.iter().take(OWN).map(|text| crate::seal::log_line(text).into_owned());
    read.own_texts = sealed.collect();
    read.template = Some(template);
    read.match_percent = Some(percent);
    read
}

/// The template whose texts the file holds most of, and which share of them.
fn nearest(texts: &[&LogText], held: &[&LogText]) -> Option<(String, i64)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for text in texts.iter().filter(|text| text.last_seen.is_none()) {
        for template in &text.templates {
            counts.entry(template).or_default().1 += 1;
        }
    }
    for text in held {
        for template in &text.templates {
            if let Some(count) = counts.get_mut(template.as_str()) {
                count.0 += usize::from(text.last_seen.is_none());
            }
        }
    }
    // Of two with the same number of texts, the one that has fewer to begin with.
    let (template, (found, all)) = counts
        .into_iter()
        .filter(|(_, (found, _))| *found >= LEAST)
        .max_by_key(|(_, (found, all))| (*found, usize::MAX - *all))?;
    let percent = i64::try_from(found * 100 / all.max(1)).unwrap_or(0);
    Some((template.to_owned(), percent))
}

/// Whether the code holds a text as a literal.
fn holds(code: &str, text: &str) -> bool {
    code.contains(text) || (text.contains(['\'', '"']) && code.contains(&escaped(text)))
}

fn escaped(text: &str) -> String {
    text.replace('\'', "\\'").replace('"', "\\\"")
}

fn same(known: &str, printed: &str) -> bool {
    known == printed || escaped(known) == printed || known.replace('\'', "\\'") == printed
}

/// The texts that the code logs or raises.
fn printed(code: &str) -> Vec<String> {
    static PRINTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?:logg(?:er|ing)\.(?:debug|info|warning|warn|error|exception|critical)|raise\s+\w+(?:\.\w+)*)\s*\(\s*f?(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')"#,
        )
        .expect("a constant pattern")
    });
    let mut out: Vec<String> = Vec::new();
    for found in PRINTED.captures_iter(code) {
        let text = found.get(1).or_else(|| found.get(2)).map_or("", |text| text.as_str());
        let text: String = text.chars().take(TEXT).collect();
        if !text.is_empty() && !out.contains(&text) && out.len() < 200 {
            out.push(text);
        }
    }
    out
}

/// Lines that invoke a Lambda function.
fn invokes(code: &str) -> Vec<String> {
    static CLIENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:client|resource)\(\s*(?:service_name\s*=\s*)?["']lambda["']"#)
            .expect("a constant pattern")
    });
    if !CLIENT.is_match(code) {
        return Vec::new();
    }
    code.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter(|line| line.contains(".invoke(") || line.contains(".invoke_async("))
        .take(5)
        .map(|line| crate::seal::log_line(line.trim()).chars().take(TEXT).collect())
        .collect()
}

/// Whether the code is certainly older than a day, or certainly not; none where
/// its texts do not tell.
pub fn older_than(code: &RotationCode, day: Time) -> Option<bool> {
    if code.not_before.is_some_and(|from| from >= day) {
        return Some(false);
    }
    (code.customised == Some(false) && code.before.is_some_and(|before| before <= day))
        .then_some(true)
}

#[cfg(test)]
mod tests {
    use super::{older_than, read};
    use crate::{
        catalogue::{Origin, log_texts},
        evidence::Time,
    };

    /// Code that prints every text that a template had on a day.
    pub(crate) fn code_of(template: &str, day: &str) -> String {
        let day = Time::parse(day).expect("day");
        let mut code = String::from("import boto3\nimport logging\n");
        for text in log_texts().iter().filter(|text| text.origin == Origin::Template) {
            let there = text.templates.iter().any(|one| one == template)
                && text.first_seen.is_some_and(|from| from <= day)
                && text.last_seen.is_none_or(|last| last > day);
            if there {
                let text = text.text.replace('\\', "\\\\").replace('"', "\\\"");
                code.push_str(&format!("logger.info(\"{text}\" % arn)\n"));
            }
        }
        code
    }

    fn day(text: &str) -> Time {
        Time::parse(text).expect("day")
    }

    #[test]
    fn every_template_is_known_by_its_texts() {
        for template in [
            "RDSPostgreSQLRotationSingleUser",
            "RDSMySQLRotationMultiUser",
            "RDSOracleRotationMultiUser",
            "RDSDb2RotationSingleUser",
            "MongoDBRotationSingleUser",
            "RDSSQLServerRotationSingleUser",
        ] {
            let found = read("lambda_function.py", &code_of(template, "2026-01-01"));
            assert_eq!(found.template.as_deref(), Some(template));
            assert_eq!(found.customised, Some(false), "{template}: {:?}", found.own_texts);
            assert_eq!(found.before, None, "{template}");
        }
    }

    #[test]
    fn old_code_lacks_what_came_later() {
        let old =
            read("lambda_function.py", &code_of("RDSPostgreSQLRotationSingleUser", "2020-01-01"));
        assert_eq!(older_than(&old, day("2021-12-30")), Some(true));
        assert_eq!(
            older_than(&old, day("2021-01-01")),
            None,
            "what came in May 2021 proves no more"
        );
        let new =
            read("lambda_function.py", &code_of("RDSPostgreSQLRotationSingleUser", "2026-01-01"));
        assert_eq!(older_than(&new, day("2021-12-30")), Some(false));
        assert_eq!(older_than(&new, day("2024-01-01")), None);
    }

    #[test]
    fn a_text_of_one_s_own_is_a_change() {
        let mut code = code_of("RDSMySQLRotationSingleUser", "2026-01-01");
        code.push_str("logger.info(\"told the team about %s\" % arn)\n");
        let found = read("lambda_function.py", &code);
        assert_eq!(found.customised, Some(true));
        assert_eq!(found.own_texts, ["told the team about %s"]);
        assert_eq!(read("app.py", "print('hello')").template, None);
    }

    #[test]
    fn constructs_tell_what_it_can_do() {
        let tls = read("l.py", "use_ssl, fall_back = get_ssl_config(secret_dict)");
        assert!(
            tls.can.contains(&"tls".to_owned())
                && tls.cannot.contains(&"password-variables".to_owned())
        );
    }

    #[test]
    fn a_second_function_is_seen() {
        let code = "c = boto3.client('lambda')\nc.invoke(FunctionName=other)\n";
        assert_eq!(read("l.py", code).invokes, ["c.invoke(FunctionName=other)"]);
        assert!(read("l.py", "sns.invoke(x)").invokes.is_empty());
    }
}
