//! Which rows of the log table a line matches.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::{
    log_table::log_texts,
    log_text::{LogText, Origin},
    pattern::Pattern,
};

/// The rows that a message matches, at most one of each origin, the most telling
/// first. Matches line by line: a text never reaches over a line break.
pub fn known_texts(message: &str) -> Vec<&'static LogText> {
    let mut best: Vec<(Origin, usize, &'static Matcher, &'static LogText)> = Vec::new();
    for index in MATCHERS.needles.matches(message) {
        let pattern = &MATCHERS.matchers[index];
        let text = &log_texts()[pattern.row];
        let position = best.iter().position(|(origin, ..)| *origin == text.origin);
        // Rows come in the table's order, so a later one wins by its literal text only.
        if position.is_some_and(|at| pattern.weight <= best[at].2.weight)
            || !pattern.matches(message)
        {
            continue;
        }
        let entry = (text.origin, index, pattern, text);
        match position {
            Some(at) => best[at] = entry,
            None => best.push(entry),
        }
    }
    best.sort_by_key(|(origin, index, ..)| (*origin, *index));
    best.into_iter().map(|(.., text)| text).collect()
}

/// A row's matcher.
struct Matcher {
    row: usize,
    /// Bytes of literal text; 0 for a regex row, where the order decides.
    weight: usize,
    /// The full regex; none where `needles` has it in full.
    pattern: Option<Pattern>,
}

impl Matcher {
    fn matches(&self, message: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(message))
    }
}

struct Matchers {
    matchers: Vec<Matcher>,
    /// Per pattern: its longest literal, or the regex that has none. One pass over a
    /// line sorts out nearly every row.
    needles: RegexSet,
}

static MATCHERS: LazyLock<Matchers> = LazyLock::new(|| {
    let mut needles = Vec::new();
    let mut matchers = Vec::new();
    for (row, text) in log_texts().iter().enumerate() {
        if text.is_regex {
            let pattern = Pattern::new(format!("(?m){}", text.text));
            let needle = pattern.literal().map(regex::escape);
            let pattern = needle.is_some().then_some(pattern);
            needles.push(needle.unwrap_or_else(|| format!("(?m){}", text.text)));
            matchers.push(Matcher { row, weight: 0, pattern });
            continue;
        }
        let literals = literals(&text.text);
        // A text that is a value and nothing else can be printed by anything.
        let Some(longest) = literals.iter().max_by_key(|literal| literal.trim().len()) else {
            continue;
        };
        if longest.trim().is_empty() {
            continue;
        }
        needles.push(literal_pattern(longest.trim()));
        matchers.push(Matcher {
            row,
            weight: literals.iter().map(|literal| literal.len()).sum(),
            pattern: Some(Pattern::new(format_pattern(&text.text))),
        });
    }
    let needles = RegexSet::new(&needles).expect("the table is tested to compile");
    Matchers { matchers, needles }
});

/// A value in a format string: `%s`, `%d`, an f-string's `{…}`, and the extractor's
/// `<expression>` (with an underscore; `<action>-<type>` is literal text).
static VALUE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"%[sd]|\{[^}]*\}| ?<[^<>]*_[^<>]*>").expect("a constant pattern"));

fn literals(format: &str) -> Vec<&str> {
    VALUE.split(format).filter(|literal| !literal.is_empty()).collect()
}

/// The literal as a regex; a `\n` of the source text may be any white space.
fn literal_pattern(literal: &str) -> String {
    let lines: Vec<&str> = literal.split("\\n").collect();
    let last = lines.len() - 1;
    let part = |(index, line): (usize, &&str)| {
        let line = if index > 0 { line.trim_start() } else { line };
        regex::escape(if index < last { line.trim_end() } else { line })
    };
    lines.iter().enumerate().map(part).collect::<Vec<_>>().join(r"\s+")
}

/// The regex of a format string: open at the front, since runtimes and loggers put
/// their own text there; closed at the end up to the quote and bracket that Python's
/// `repr` adds, since some texts are the beginning of others.
fn format_pattern(format: &str) -> String {
    let mut pattern = String::from("(?m)");
    let mut at = 0;
    for value in VALUE.find_iter(format) {
        pattern.push_str(&literal_pattern(&format[at..value.start()]));
        pattern.push_str(if value.as_str().contains('<') { ".*" } else { ".*?" });
        at = value.end();
    }
    pattern.push_str(&literal_pattern(format[at..].trim_end()));
    pattern.push_str(r#"['")\]]*\s*$"#);
    pattern
}

#[cfg(test)]
mod tests {
    use super::{MATCHERS, known_texts};
    use crate::catalogue::log_texts;

    fn codes(message: &str) -> Vec<&'static str> {
        known_texts(message).iter().filter_map(|text| text.code.as_deref()).collect()
    }

    #[test]
    fn every_pattern_compiles() {
        for matcher in &MATCHERS.matchers {
            match &matcher.pattern {
                // It would take the whole set off the fast path wherever a letter
                // is not ASCII.
                None => assert!(!log_texts()[matcher.row].text.contains(r"\b")),
                Some(pattern) => assert!(!pattern.regex().as_str().is_empty()),
            }
        }
        let in_full = MATCHERS.matchers.iter().filter(|matcher| matcher.pattern.is_none()).count();
        assert!(in_full < 15, "{in_full} rows have no literal");
    }

    #[test]
    fn one_row_only_has_no_text_to_match() {
        let without: Vec<_> = (0..log_texts().len())
            .filter(|row| !MATCHERS.matchers.iter().any(|pattern| pattern.row == *row))
            .map(|row| log_texts()[row].text.as_str())
            .collect();
        assert_eq!(without, ["<full_error_message>"]);
    }

    #[test]
    fn the_longer_of_two_texts_wins() {
        let hit = |message| known_texts(message)[0].text.as_str();
        assert_eq!(
            hit("setSecret: Unable to log into database using credentials in master secret arn:x"),
            "setSecret: Unable to log into database using credentials in master secret %s"
        );
        assert_eq!(
            hit("Secret arn:x is not enabled for rotation"),
            "Secret %s is not enabled for rotation"
        );
        assert_eq!(
            hit("Secret arn:x is not enabled for rotation."),
            "Secret %s is not enabled for rotation."
        );
        assert_eq!(
            hit(
                "Unable to clone user, username length with _clone appended would exceed 63 characters"
            ),
            "Unable to clone user, username length with _clone appended would exceed 63 characters"
        );
        assert_eq!(
            hit(
                "Unable to clone user, username length with _clone appended would exceed 32 characters"
            ),
            "Unable to clone user, username length with _clone appended would exceed %s characters"
        );
    }

    #[test]
    fn the_refusal_counts_before_the_line_that_wraps_it() {
        let wrapped = "setSecret: Encountered API error while fetching connection parameters from \
             DescribeDBInstances RDS API: An error occurred (AccessDenied) when calling the \
             DescribeDBInstances operation: User: arn:aws:sts::1:assumed-role/r/f is not \
             authorized to perform: rds:DescribeDBInstances";
        assert_eq!(codes(wrapped), ["IAM12", "IAM12"]);
        let silent = "setSecret: Encountered API error while fetching connection parameters from \
             DescribeDBInstances RDS API: Connect timeout on endpoint URL: \
             \"https://rds.eu-west-1.amazonaws.com/\"";
        assert_eq!(codes(silent), ["NET14", "IAM12"]);
    }

    #[test]
    fn tells_the_policy_from_the_tail_of_the_refusal() {
        let denied = |operation: &str, tail: &str| {
            codes(&format!(
                "ClientError: An error occurred (AccessDeniedException) when calling the \
                 {operation} operation: {tail}"
            ))
        };
        let who = "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: arn:x ";
        let cases = [
            ("because no identity-based policy allows the action", "IAM01"),
            ("because no VPC endpoint policy allows the action", "NET08"),
            ("with an explicit deny in a VPC endpoint policy", "NET08"),
            ("with an explicit deny in a resource-based policy", "IAM10"),
            ("because no permissions boundary allows the action", "IAM11"),
            ("with an explicit deny in a service control policy", "IAM11"),
            ("", "IAM01"),
        ];
        for (tail, code) in cases {
            assert_eq!(denied("GetSecretValue", &format!("{who}{tail}")), [code], "{tail}");
        }
        assert_eq!(denied("GetSecretValue", "Access to KMS is not allowed"), ["IAM04"]);
        assert_eq!(denied("PutSecretValue", "Access to KMS is not allowed"), ["IAM05"]);
    }

    #[test]
    fn a_missing_module_tells_a_wrong_build_from_a_missing_package() {
        let import = |module: &str| {
            codes(&format!(
                "Runtime.ImportModuleError: Unable to import module 'lambda_function': \
                 No module named '{module}'\nTraceback (most recent call last):"
            ))
        };
        assert_eq!(import("_pg"), ["RUN01"]);
        assert_eq!(import("pymssql._pymssql"), ["RUN01"]);
        assert_eq!(import("pg"), ["RUN02"]);
        assert_eq!(import("pymysql"), ["RUN02"]);
        assert_eq!(import("house_rules"), Vec::<&str>::new());
    }

    #[test]
    fn knows_nothing_of_other_text() {
        for text in ["", "hello", "Loading function", "  File \"/var/task/x.py\", line 3, in f"] {
            assert!(known_texts(text).is_empty(), "{text}");
        }
    }
}
