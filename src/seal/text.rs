//! Redaction of one text: a log line, a message, a JSON document. Patterns find where a secret
//! may begin; a small scanner finds where it ends, through quotes at any depth of escaping.
//! Structures are the parent module's.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex, RegexSet};

use super::{
    REDACTED, json,
    names::{Class, class_in, key_names, password_names, worth_hiding},
    pattern,
    quote::opening_quote,
};

/// Cheap look at a line: does anything in it smell of a secret?
static SUSPECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)pass|pwd|pw\b|secret|token|authorization|identified|signature|cookie|basic |bearer ",
        r"|api.?key|access.?key|private.?key|akia|asia|://|jdbc:|iqoj|fwog|fqog|eyj|gh[a-z]_",
        r#"|@tcp|@unix|sqlplus|["'][a-z][a-z0-9_$#]*/[^\s'"]+@"#,
    ))
});

/// Where a secret may begin, in the order in which the shapes are looked for.
/// The first [`WHOLE`] find the whole secret, the others its name.
const SHAPES: &[&str] = &[
    r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)",
    // The rest of a private key whose beginning was another event.
    r"[A-Za-z0-9+/=\s\\]{16,}-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    // AWS access key ids, with the secret key beside them, and session tokens
    // by the way they begin.
    concat!(
        r"(?:\b[A-Za-z0-9/+]{40}[\s:,;|/'\x22]{1,6})?\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"(?:[\s:,;|/'\x22]{1,6}(?:[\w ]+[\s:=,'\x22]{1,6})?[A-Za-z0-9/+]{40}\b)?",
    ),
    r"\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%\-]{60,}",
    r"\beyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]{2,}(?:\.[A-Za-z0-9_\-]*)*",
    r"\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16,}",
    // `jdbc:oracle:thin:user/password@host`.
    r#"(?i)(jdbc:[a-z:]+[^\s/@'":]+/)([^\s@'"]+)@"#,
    // Oracle's `user/password@host`.
    r#"(?i)(["'][a-z][a-z0-9_$#]*/|\bsqlplus\s+(?:-\S+\s+)*[^\s/]+/)([^\s'"]+)@"#,
    // Go's `user:password@tcp(host)`.
    r#"([^\s:/'"=]+:)(\S+)@(?:tcp|unix)[46]?\("#,
    r"(?i)\b((?:Basic|Bearer)\s+)([A-Za-z0-9+/_.~\-]{6,}=*)",
    // `Authorization: Bearer …`: the rest of the header.
    r"(?i)\b(?:authorization|(?:set-)?cookie)\s*[:=]\s*",
    // `"password": …`, `\"password\": …`, `"password" => …`.
    concat!(
        r#"(?i)\\*["'](?:"#,
        password_names!(),
        "|",
        key_names!(),
        r#"|(?:[a-z0-9_.\-]*[_.\-])?(?:secret|token)|authorization|(?:set-)?cookie)\\*["']\s*(?:=>|[:=])\s*"#
    ),
    // `'Key': 'password', 'Value': …`.
    concat!(
        r#"(?i)\\*["'][a-z]{0,12}(?:key|name)\\*["']\s*:\s*\\*["'](?:"#,
        password_names!(),
        "|",
        key_names!(),
        r#")\\*["']\s*,\s*\\*["'][a-z]{0,12}value\\*["']\s*:\s*"#
    ),
    // `password=…`, `PWD = …`, `:password => …`.
    concat!(
        r"(?i)\b(?:",
        password_names!(),
        "|",
        key_names!(),
        r"|(?:[a-z0-9_.\-]*[_.\-])?(?:secret|token))\s*(?:=>|:=|==?)\s*"
    ),
    // `password: …`. Not `secret: …`, which names things in prose and in ARNs.
    concat!(r"(?i)(?:^|[^a-z0-9_.\-:/])(?:", password_names!(), "|", key_names!(), r"):[ \t]*"),
    // `<password>…</password>`.
    concat!(
        r"(?i)<(?:\w+:)?(?:",
        password_names!(),
        "|",
        key_names!(),
        r"|secret|token)(?:\s[^<>]*)?>"
    ),
    // `--password …`, `'--password', '…'`.
    concat!(
        r#"(?i)(?:^|[\s'",\[(])--(?:[a-z0-9]+[_\-])*(?:password|passwd|passphrase|passcode|pass|pwd"#,
        r#"|secret|token|secret-string|api-key|secret-access-key)(?:[ \t]+|['"],\s*['"])"#,
    ),
    // `IDENTIFIED BY '…'`, `PASSWORD '…'`, `PASSWORD('…')`, `PASSWORD $$…$$`.
    concat!(
        r"(?i)\b(?:identified(?:\s+with\s+\S+)?\s+(?:by|as)(?:\s+values|\s+password)?\s*\(?",
        r"|password(?:\s+\(?|\())\s*"
    ),
    // `SET PASSWORD FOR 'user'@'%' = '…'`.
    r"(?i)\bset\s+password\s+for\s+[^=\s]{1,160}\s*=\s*",
    // Without quotes only where it is a statement for sure.
    r"(?:\bIDENTIFIED\s+BY|(?i:\b(?:alter|create)\s+user\s[^\n]*?\bidentified\s+by))\s+",
];
/// How many of the shapes are replaced whole.
const WHOLE: usize = 6;
/// How many more hold the secret in their second group.
const GROUPED: usize = 4;
/// How the value after each of the other names is found.
const SCANS: &[Scan] = &[
    header_value,
    value,
    value,
    bare_value,
    bare_value,
    element_value,
    flag_value,
    sql_value,
    bare_value,
    bare_value,
];

static SET: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(SHAPES).expect("constant patterns"));
static PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| SHAPES.iter().map(|shape| pattern(shape)).collect());
/// `scheme://user:password@host`.
static URL_CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)([a-z][a-z0-9+.\-]*)(://[^\s:/?#'"]*):(\S*)@"#));
/// The start of a quoted value: `'`, Python's `b'`, SQL's `N'`, `SecretStr('`.
static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"^((?i:[burnef]|br|rb|u&)|[A-Za-z_][\w.]*\(\s*(?i:[burnef])?)?\\*["']"#)
});
/// Where a password without quotes ends: at white space, or where the next
/// setting of a connection string begins. Every other character may be its own.
static UNQUOTED_END: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s|[,;&]\s*[A-Za-z_][\w.\-]*="));
/// A whole JSON number or word as a member's value.
static LITERAL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(-?[0-9][0-9.eE+\-]*|true|false|null|None)\s*(?:[,}\]]|$)"));
static OBJECT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^[\[{]\s*(?:\\*["'{\[]|[\]}]|$)"#));
static DOLLAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\$\w*\$"));

/// Redacts one text. Lines that hold no secret come back as they were.
pub fn log_line(line: &str) -> Cow<'_, str> {
    if !SUSPECT.is_match(line) {
        return Cow::Borrowed(line);
    }
    let mut text = Cow::Borrowed(line);
    // What one pattern leaves behind may be what another one looks for.
    for _ in 0..16 {
        let sealed = json::document(&text).or_else(|| pass(&text));
        match sealed {
            Some(sealed) if sealed != text => text = Cow::Owned(sealed),
            _ => break,
        }
    }
    text
}

/// Whether a text that cannot be read member by member may hold a secret.
pub(super) fn is_suspect(text: &str) -> bool {
    SUSPECT.is_match(text)
}

/// One look for every shape; `None` where none is there.
fn pass(text: &str) -> Option<String> {
    let found = SET.matches(text);
    let has_url = text.contains("://");
    if !found.matched_any() && !has_url {
        return None;
    }
    let mut sealed = text.to_owned();
    if has_url {
        sealed = urls(&sealed);
    }
    for index in &found {
        let shape = &PATTERNS[index];
        sealed = match index.checked_sub(WHOLE) {
            None => shape.replace_all(&sealed, REDACTED).into_owned(),
            Some(index) if index < GROUPED => grouped(&sealed, shape),
            Some(index) => values(&sealed, shape, SCANS[index - GROUPED]),
        };
    }
    Some(sealed)
}

fn grouped(text: &str, shape: &Regex) -> String {
    shape
        .replace_all(text, |found: &Captures<'_>| {
            let (whole, secret) = (&found[0], &found[2]);
            let scheme = found[1].trim_end();
            // `Basic authentication` is prose.
            let is_word = ["basic", "bearer"].iter().any(|word| scheme.eq_ignore_ascii_case(word))
                && secret.trim_end_matches('.').chars().skip(1).all(|c| c.is_ascii_lowercase());
            if is_word || secret.starts_with(REDACTED) {
                whole.to_owned()
            } else {
                let end = &whole[found[1].len() + secret.len()..];
                format!("{}{REDACTED}{end}", &found[1])
            }
        })
        .into_owned()
}

fn urls(text: &str) -> String {
    let mut sealed = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(found) = URL_CREDENTIALS.captures_at(text, done) {
        let (Some(user), Some(secret)) = (found.get(2), found.get(3)) else { break };
        let is_web = matches!(&found[1].to_ascii_lowercase()[..], "http" | "https" | "ws" | "wss");
        if is_web && is_port(secret.as_str()) {
            sealed.push_str(&text[done..secret.start()]);
            done = secret.start();
        } else {
            sealed.push_str(&text[done..user.end()]);
            sealed.push(':');
            sealed.push_str(REDACTED);
            done = secret.end();
        }
    }
    sealed.push_str(&text[done..]);
    sealed
}

/// `host:8080/path?mail=a@b` is no credential.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=5).contains(&digits)
        && text[digits..].starts_with(['/', '?', '#', '"', '\'', '\\', ',', ')'])
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

/// The value of a member whose name stands in quotes.
fn value(found: &str, rest: &str) -> Option<(usize, usize)> {
    let class = class_in(found);
    if let Some((start, end)) = quoted(rest) {
        return worth_hiding(&rest[start..end], class).then_some((start, end));
    }
    match LITERAL.captures(rest).and_then(|literal| literal.get(1)) {
        Some(literal) => worth_hiding(literal.as_str(), class).then_some((0, literal.end())),
        None => unquoted(rest, class),
    }
}

/// The value of a name without quotes.
fn bare_value(found: &str, rest: &str) -> Option<(usize, usize)> {
    let class = class_in(found);
    if let Some((start, end)) = quoted_anyhow(rest) {
        let after = rest[end..].trim_start_matches('\\').chars().nth(1);
        // Text goes on after the quote: the quote is the password's own.
        // So is what only looks like `SecretStr('` or `N'` and is never closed.
        let is_open = match &rest[..start] {
            opening if opening.contains('(') => after != Some(')'),
            opening => end == rest.len() && opening.starts_with(char::is_alphabetic),
        };
        if !is_open && !after.is_some_and(char::is_alphanumeric) {
            return worth_hiding(&rest[start..end], class).then_some((start, end));
        }
    }
    unquoted(rest, class)
}

fn quoted(rest: &str) -> Option<(usize, usize)> {
    let found = OPENING.captures(rest)?;
    let prefix = found.get(1).map_or(0, |prefix| prefix.end());
    let quote = opening_quote(&rest[prefix..])?;
    let start = prefix + quote.length;
    Some((start, start + quote.end_of_content(&rest[start..])))
}

/// A quoted value in a language where a backslash may be a character like any
/// other, as in standard SQL: the longer of both readings.
fn quoted_anyhow(rest: &str) -> Option<(usize, usize)> {
    let (start, end) = quoted(rest)?;
    let mark = rest[..start].chars().next_back()?;
    if rest[..start - 1].ends_with('\\') {
        return Some((start, end));
    }
    let mut marks = rest[start..].match_indices(mark).map(|(at, _)| start + at).peekable();
    while let Some(at) = marks.next() {
        if marks.next_if_eq(&(at + 1)).is_none() {
            return Some((start, end.max(at)));
        }
    }
    Some((start, rest.len()))
}

fn unquoted(rest: &str, class: Class) -> Option<(usize, usize)> {
    // An object or a list: its own keys are looked at one by one.
    if OBJECT.is_match(rest) || rest.starts_with(REDACTED) {
        return None;
    }
    let end = match class {
        Class::Password => UNQUOTED_END.find(rest).map(|end| end.start()),
        Class::Key => rest.find(is_delimiter),
    }
    .unwrap_or(rest.len());
    // What the sentence around it adds.
    let closing =
        |c: char| matches!(c, ')' | ']' | '}' | ',' | ';' | '.' | ':' | '\'' | '"' | '\\' | '<');
    let core = rest[..end].trim_end_matches(closing);
    let is_worth = if core.is_empty() { end > 2 } else { worth_hiding(core, class) };
    is_worth.then_some((0, end))
}

fn header_value(_: &str, rest: &str) -> Option<(usize, usize)> {
    if opening_quote(rest).is_some() {
        return value("", rest);
    }
    let end = rest.find(['\r', '\n', '\'', '"', '\\', '}']).unwrap_or(rest.len());
    worth_hiding(&rest[..end], Class::Password).then_some((0, end))
}

fn element_value(found: &str, rest: &str) -> Option<(usize, usize)> {
    let end = rest.find("</").or_else(|| rest.find(char::is_whitespace)).unwrap_or(rest.len());
    worth_hiding(&rest[..end], class_in(found)).then_some((0, end))
}

/// Another option after the option is not its value.
fn flag_value(found: &str, rest: &str) -> Option<(usize, usize)> {
    if rest.starts_with("--") { None } else { bare_value(found, rest) }
}

fn sql_value(_: &str, rest: &str) -> Option<(usize, usize)> {
    if let Some(tag) = DOLLAR.find(rest) {
        let start = tag.end();
        let end = rest[start..].find(tag.as_str()).map_or(rest.len(), |end| start + end);
        return worth_hiding(&rest[start..end], Class::Password).then_some((start, end));
    }
    let (start, end) = quoted_anyhow(rest)?;
    worth_hiding(&rest[start..end], Class::Password).then_some((start, end))
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '}' | ']' | '"' | '\'' | '\\' | '<')
}
