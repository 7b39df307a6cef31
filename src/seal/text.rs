//! Redaction of one text: a log line, a message, a JSON document. Patterns find
//! where a secret may begin; a small scanner finds where it ends, through
//! quotes at any depth of escaping. Structures are the parent module's.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::REDACTED;

/// Cheap look at a line: does anything in it smell of a secret?
static SUSPECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)passw|passphrase|pwd|\bpass\b|secret|token|authorization|identified|signature",
        r"|api.?key|access.?key|private.?key|akia|asia|://|jdbc:|iqoj|fwog|fqog",
    ))
});

/// Names that hold a secret wherever they stand before a value.
macro_rules! secret_names {
    () => {
        concat!(
            r"(?:[a-z0-9_.\-]*(?:password|passwd|passphrase|pwd)(?:_?(?:old|new|current|pending|previous|[0-9]{1,2}))?",
            r"|pass|(?:[a-z0-9_.\-]*[_.\-])?(?:secret_?access_?key|secret_?key|secret_?string|secret_?binary)",
            r"|(?:[a-z0-9_.\-]*[_.\-])?(?:client|shared|app|webhook)_?secret",
            r"|(?:aws|x-amz|x|my|db)?[_.\-]?(?:session|security|auth|access|refresh|id|bearer|api)[_.\-]?token",
            r"|(?:aws)?secretaccesskey|api[_\-]?key|private[_\-]?key|x-amz-signature)",
        )
    };
}

/// `"password": …`, `'password': …`, `\"password\": …`, `"password" = …`.
static QUOTED_NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"(?i)\\*["'](?:"#,
        secret_names!(),
        r#"|secret|token|authorization)\\*["']\s*(?:[:=]|=>)\s*"#
    ))
});
/// `password=…`, `PWD = …`.
static BARE_NAME_EQUALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(concat!(r"(?i)\b(?:", secret_names!(), r"|secret|token)\s*=\s*")));
/// `password: …`. Not `secret: …`, which names things in prose and in ARNs.
static BARE_NAME_COLON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(r"(?i)(?:^|[^a-z0-9_.\-:/'\x22\\])", secret_names!(), r":[ \t]*"))
});
/// `Authorization: Bearer …`: the rest of the header.
static AUTHORIZATION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)\bauthorization\s*[:=]\s*"#));
/// `ALTER USER … IDENTIFIED BY '…'`, `PASSWORD '…'`.
static SQL_PASSWORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)\b(?:identified\s+by(?:\s+values)?|password)\s+(?:\\*["'])"#));
/// `scheme://user:password@host`.
static URL_CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)([a-z][a-z0-9+.\-]*://[^\s:/?#@'"]*):([^\s'"]*)@"#));
/// `jdbc:oracle:thin:user/password@host`.
static JDBC_CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)(jdbc:[a-z:]+[^\s/@'":]+)/([^\s@'"]+)@"#));
/// AWS access key ids, and session tokens by the way they begin.
static AWS_KEYS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%\-]{60,}")
});
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)")
});
/// A version id or client request token: an identifier, not a secret.
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// Redacts one text. Lines that hold no secret come back as they were.
pub fn log_line(line: &str) -> Cow<'_, str> {
    if !SUSPECT.is_match(line) {
        return Cow::Borrowed(line);
    }
    let mut text = line.to_owned();
    // What one pattern leaves behind may be what another one looks for.
    for _ in 0..16 {
        let sealed = pass(&text);
        if sealed == text {
            break;
        }
        text = sealed;
    }
    if text == line { Cow::Borrowed(line) } else { Cow::Owned(text) }
}

fn pass(text: &str) -> String {
    let text = PRIVATE_KEY.replace_all(text, REDACTED);
    let text = AWS_KEYS.replace_all(&text, REDACTED);
    let text = URL_CREDENTIALS.replace_all(&text, |found: &Captures<'_>| {
        if is_port(&found[2]) { found[0].to_owned() } else { format!("{}:{REDACTED}@", &found[1]) }
    });
    let text = JDBC_CREDENTIALS
        .replace_all(&text, |found: &Captures<'_>| format!("{}/{REDACTED}@", &found[1]));
    let text = values(&text, &AUTHORIZATION, header_value);
    let text = values(&text, &QUOTED_NAME, value);
    let text = values(&text, &BARE_NAME_EQUALS, value);
    let text = values(&text, &BARE_NAME_COLON, value);
    values(&text, &SQL_PASSWORD, sql_value)
}

/// `host:8080/path?mail=a@b` is no credential.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=5).contains(&digits) && text[digits..].starts_with(['/', '?', '#'])
}

/// Where a value lies after its name, as byte offsets into the rest; `None`
/// where there is nothing to redact.
type Scan = fn(&str, &str) -> Option<(usize, usize)>;

fn values(text: &str, name: &Regex, scan: Scan) -> String {
    let mut sealed = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(found) = name.find_at(text, done) {
        let rest = &text[found.end()..];
        match scan(found.as_str(), rest) {
            Some((start, end)) => {
                sealed.push_str(&text[done..found.end() + start]);
                sealed.push_str(REDACTED);
                done = found.end() + end;
            }
            None => {
                sealed.push_str(&text[done..found.end()]);
                done = found.end();
            }
        }
        if done >= text.len() {
            break;
        }
    }
    sealed.push_str(&text[done..]);
    sealed
}

fn value(_: &str, rest: &str) -> Option<(usize, usize)> {
    // Python's b'…', u'…', r'…'.
    let prefix = usize::from(
        rest.len() > 1
            && rest.starts_with(['b', 'B', 'u', 'r'])
            && rest[1..].starts_with(['\'', '"']),
    );
    let (start, end) = match opening_quote(&rest[prefix..]) {
        Some(quote) => {
            let start = prefix + quote.length;
            (start, start + quote.end_of_content(&rest[start..]))
        }
        // An object or a list: its own keys are looked at one by one.
        None if rest.starts_with(['{', '[']) => return None,
        None if rest.starts_with(REDACTED) => return None,
        None => (0, rest.find(is_delimiter).unwrap_or(rest.len())),
    };
    worth_hiding(&rest[start..end]).then_some((start, end))
}

fn header_value(_: &str, rest: &str) -> Option<(usize, usize)> {
    if opening_quote(rest).is_some() {
        return value("", rest);
    }
    let end = rest.find(['\r', '\n', '\'', '"', '\\', '}']).unwrap_or(rest.len());
    worth_hiding(&rest[..end]).then_some((0, end))
}

/// The pattern took the opening quote with it.
fn sql_value(found: &str, rest: &str) -> Option<(usize, usize)> {
    let quote_at = found.rfind(|c: char| c.is_whitespace())? + 1;
    let quote = opening_quote(&found[quote_at..])?;
    let end = quote.end_of_content(rest);
    worth_hiding(&rest[..end]).then_some((0, end))
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '}' | ']' | '"' | '\'' | '\\' | '<')
}

/// Identifiers, masks and the words that say that there is a value are no secrets.
fn worth_hiding(value: &str) -> bool {
    let value = value.trim();
    let mask = |c: char| matches!(c, '*' | '.' | '•');
    !(value.is_empty()
        || value.starts_with(REDACTED)
        || value == super::HIDDEN
        || value.starts_with("arn:aws")
        || value.chars().all(mask)
        || UUID.is_match(value)
        || [
            "yes",
            "no",
            "true",
            "false",
            "none",
            "null",
            "nil",
            "%s",
            "hidden_due_to_security_reasons",
        ]
        .contains(&value.to_ascii_lowercase().as_str()))
}

struct Quote {
    mark: char,
    /// Backslashes before the mark: 0 in plain text, 1 inside a JSON string,
    /// 3 inside a JSON string inside a JSON string.
    depth: usize,
    /// Bytes of the backslashes and the mark.
    length: usize,
}

fn opening_quote(text: &str) -> Option<Quote> {
    let depth = text.bytes().take_while(|byte| *byte == b'\\').count();
    let mark = text[depth..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(Quote { mark, depth, length: depth + 1 })
}

impl Quote {
    /// Bytes of content before the closing quote; all of it where none closes.
    ///
    /// At depth d a closing mark follows d backslashes, modulo 2(d+1); an
    /// escaped mark inside the value follows more of them.
    fn end_of_content(&self, text: &str) -> usize {
        let period = 2 * (self.depth + 1);
        let mut backslashes = 0;
        for (index, c) in text.char_indices() {
            if c == '\\' {
                backslashes += 1;
            } else {
                if c == self.mark && backslashes % period == self.depth {
                    return index - self.depth;
                }
                // Fewer than an escaped mark needs: an outer string ends here.
                if c == self.mark && backslashes < self.depth {
                    return index - backslashes;
                }
                backslashes = 0;
            }
        }
        text.len()
    }
}
