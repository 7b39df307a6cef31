//! Evidence is untrusted: names and ids that try to break out of a printed command, in
//! every world and every format. What is printed must read, by a shell's rules, as exactly
//! the arguments that the report's data names.

use std::{collections::BTreeSet, slice};

use proptest::strategy::Strategy as _;
use rotdoctor::{
    bundle,
    checks::Selection,
    examine,
    report::{
        github, json, junit, markdown, sarif,
        text::{self, Layout},
        v1::{Command, Mode, Report},
    },
};
use serde_json::Value;

use crate::{shell, worlds};

/// Stands in every hostile value, so that it is found again.
const MARK: &str = "zq7";

/// What a value is replaced by; `#` is a number, so that different values stay different.
const HOSTILE: [&str; 18] = [
    "a#;touch zq7",
    "$(touch zq7#)",
    "`touch zq7#`",
    "a#' touch zq7 '",
    "a#\" touch zq7 \"",
    "a#\ntouch zq7",
    "a#|touch zq7",
    "--zq7=#",
    "-zq7#",
    "a#&&touch zq7",
    "a#>zq7",
    "a#\\' zq7",
    "a#\u{1b}[31mzq7",
    "a#\u{202e}zq7\u{2066}",
    "a#!zq7^x^y^",
    "a# {zq7,b} * ~ ?",
    "a#\",\"Action\":\"zq7",
    "file:///zq7#",
];

/// Keys whose values are names: ids, ARNs, hosts, users.
fn names_something(key: &str) -> bool {
    const ENDS: [&str; 16] = [
        "Name",
        "Id",
        "Arn",
        "ARN",
        "Sid",
        "Identifier",
        "Address",
        "username",
        "host",
        "dbname",
        "Handler",
        "Role",
        "KeyId",
        "Region",
        "masterarn",
        "Runtime",
    ];
    ENDS.iter().any(|end| key.ends_with(end))
}

/// The values of a world that are names: each without what stands before its last `/` or
/// `:`, since the rest of an ARN is shared.
fn names(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| names(value, key, found)),
        Value::Array(list) => list.iter().for_each(|value| names(value, key, found)),
        Value::String(text) if names_something(key) && text.len() <= 120 => {
            let tail = text.rsplit(['/', ':']).next().unwrap_or_default();
            // Words that AWS gives a meaning are no names of somebody.
            let is_word = tail.ends_with("amazonaws.com") || tail.starts_with("AWS");
            if tail.len() >= 3 && !is_word {
                found.insert(tail.to_owned());
            }
        }
        _ => {}
    }
}

/// The world with each of these names replaced wherever it stands, in keys too.
fn replaced(value: &Value, names: &[(String, String)]) -> Value {
    let text = |text: &str| {
        let with = |text: String, (from, to): &(String, String)| text.replace(from, to);
        names.iter().fold(text.to_owned(), with)
    };
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (text(key), replaced(value, names))).collect()
        }
        Value::Array(list) => list.iter().map(|value| replaced(value, names)).collect(),
        Value::String(string) => Value::String(text(string)),
        other => other.clone(),
    }
}

fn all_worlds() -> impl Iterator<Item = String> {
    let both = |folder: String| ["fires", "quiet"].map(|kind| format!("{folder}/{kind}"));
    worlds::folders().into_iter().flat_map(both)
}

/// The reports of a world whose names are hostile: once all of them, and once a third, so
/// that faults which need whole names are still found.
fn hostile_reports(index: usize, world: &Value) -> Vec<Report> {
    let mut found = BTreeSet::new();
    names(world, "", &mut found);
    // Longer names first: one may be part of another.
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let variant = |(round, step): (usize, usize)| {
        let chosen = found.iter().enumerate().filter(|(at, _)| at % step == round % step);
        let hostile = HOSTILE[(index * 5 + round) % HOSTILE.len()];
        let names: Vec<(String, String)> = chosen
            .map(|(at, name)| (name.clone(), hostile.replace('#', &at.to_string())))
            .collect();
        let read = bundle::read(&replaced(world, &names).to_string()).ok()?;
        Some(examine(&read.evidence, Mode::Bundle, &Selection::default()))
    };
    [(0, 1), (1 + index % 3, 3)].into_iter().filter_map(variant).collect()
}

/// What is wrong with one command of the data.
fn fault(command: &Command) -> Option<String> {
    let read = match shell::read(&command.text) {
        Ok(read) => read,
        Err(error) => return Some(error),
    };
    let programs = match command.pipeline.as_slice() {
        [] => slice::from_ref(&command.argv),
        programs => programs,
    };
    if read.programs != programs {
        return Some(format!("a shell reads {:?}, the data says {programs:?}", read.programs));
    }
    if (read.variable, read.file, read.environment)
        != (command.variable.clone(), command.output_file.clone(), command.environment.clone())
    {
        return Some("what takes the output, or the environment, differs".to_owned());
    }
    let hostile_option =
        |word: &&String| word.starts_with(&format!("-{MARK}")) || word.starts_with("--zq7");
    if let Some(word) = programs.iter().flatten().find(hostile_option) {
        return Some(format!("{word} is an option"));
    }
    let of_aws = programs.iter().filter(|words| words.first().is_some_and(|it| it == "aws"));
    if of_aws.flatten().any(|word| word.starts_with("file:///zq7")) {
        return Some("the AWS CLI would read a file".to_owned());
    }
    if command.text.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{2069}')) {
        return Some("a character that cannot be seen".to_owned());
    }
    None
}

/// The report in each format, undone to the lines that a reader of that format gets.
fn printed(report: &Report) -> Vec<(&'static str, String)> {
    let one = slice::from_ref(report);
    let screen =
        |verbose, width| text::render(report, Layout { verbose, width }).replace(" \\\n    ", " ");
    let unescaped = |text: String| {
        let entities = [
            ("&#xA;", "\n"),
            ("&#10;", "\n"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&amp;", "&"),
        ];
        entities.iter().fold(text, |text, (from, to)| text.replace(from, to))
    };
    let annotations = github::render(one, &[]);
    let annotations = annotations.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
    vec![
        ("text", screen(false, 80)),
        ("text -v", screen(true, 100)),
        ("markdown", markdown::render(report)),
        ("junit", unescaped(junit::render(one, &[]).replace('<', "\n<"))),
        ("github", annotations),
        ("sarif", strings(&sarif::render(one, &[]))),
        ("json", strings(&json::render(report))),
        ("jsonl", strings(&json::line(json::LineType::Report, report))),
    ]
}

/// Every text of a JSON document, each on lines of its own.
fn strings(document: &str) -> String {
    fn walk(value: &Value, key: &str, out: &mut String) {
        match value {
            // Help of a rule is the page of its code, with no value of the evidence in it.
            Value::Object(map) if key != "rules" => {
                map.iter().for_each(|(key, value)| walk(value, key, out));
            }
            Value::Array(list) if key != "rules" => {
                list.iter().for_each(|value| walk(value, key, out));
            }
            Value::String(text) => *out += &format!("{text}\n"),
            _ => {}
        }
    }
    let mut out = String::new();
    walk(&serde_json::from_str(document).expect("JSON"), "", &mut out);
    out
}

/// Lines that begin as a command does.
fn command_lines(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().map(str::trim).filter(|line| {
        let begins = |start: &&str| line.starts_with(*start);
        let starts = ["aws ", "rotdoctor ", "VERSION=$(", "VALUE=$(", "psql ", "openssl ", "pip "];
        // Sentences begin with these words too.
        let is_sentence = line.ends_with("says more.") || line.starts_with("aws are ");
        starts.iter().any(begins) && !is_sentence
    })
}

/// Whether a line that is not among the report's data is one of the closing commands of
/// the formats for people: rotate, and diagnose again.
fn is_closing(line: &str) -> bool {
    let Ok(read) = shell::read(line) else { return false };
    let [program] = read.programs.as_slice() else { return false };
    let words: Vec<&str> = program.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["rotdoctor", "diagnose", name, rest @ ..] => {
            let is_option = |word: &&str| *word == "--wait" || word.starts_with("--region");
            !name.starts_with('-') && rest.first().is_none_or(is_option)
        }
        ["aws", "secretsmanager", "rotate-secret", rest @ ..] => rest
            .first()
            .is_some_and(|word| *word == "--secret-id" || word.starts_with("--secret-id=")),
        _ => false,
    }
}

fn check(part: usize, parts: usize) {
    let mut wrong = Vec::new();
    let mut marked = 0;
    for (index, name) in all_worlds().enumerate().filter(|(index, _)| index % parts == part) {
        for (variant, report) in
            hostile_reports(index, &worlds::bundle(&name)).into_iter().enumerate()
        {
            let known: BTreeSet<&str> =
                report.commands().map(|command| command.text.as_str()).collect();
            marked += known.iter().filter(|text| text.contains(MARK)).count();
            for command in report.commands() {
                if let Some(fault) = fault(command) {
                    wrong.push(format!("{}: {fault}\n  {}", name, command.text));
                }
            }
            let printed = if variant == index % 2 { printed(&report) } else { Vec::new() };
            for (format, printed) in printed {
                for line in command_lines(&printed) {
                    if !known.contains(line) && !is_closing(line) {
                        wrong.push(format!("{} in {format}: {line}", name));
                    }
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "{} faults\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
    assert!(marked > 100, "only {marked} commands hold a hostile value");
}

#[test]
fn no_value_breaks_out_of_a_command_in_worlds_of_the_first_half() {
    check(0, 2);
}

#[test]
fn no_value_breaks_out_of_a_command_in_worlds_of_the_second_half() {
    check(1, 2);
}

#[test]
fn lists_of_texts_and_of_data_say_the_same() {
    fn walk(value: &Value, pairs: &mut usize) {
        let Value::Object(map) = value else {
            return value.as_array().into_iter().flatten().for_each(|value| walk(value, pairs));
        };
        for (key, value) in map {
            let list = match key.as_str() {
                "command_details" => "commands",
                "confirm_details" => "confirm",
                "watch_details" => "watch",
                "before_details" => "before",
                "undo_details" => "undo",
                _ => {
                    walk(value, pairs);
                    continue;
                }
            };
            let texts: Vec<&Value> =
                value.as_array().expect("a list").iter().map(|one| &one["text"]).collect();
            assert_eq!(texts, map[list].as_array().expect("a list").iter().collect::<Vec<_>>());
            let undoes = |one: &Value| one["effect"] == "undo";
            let all = value.as_array().expect("a list");
            assert_eq!(all.iter().any(undoes), list == "undo", "{all:?}");
            assert!(list != "before" || all.iter().all(|one| one["effect"] == "look"), "{all:?}");
            *pairs += 1;
        }
    }
    let mut pairs = 0;
    for name in all_worlds() {
        let read = bundle::read(&worlds::text(&name)).expect("a bundle");
        let report = examine(&read.evidence, Mode::Bundle, &Selection::default());
        walk(&serde_json::to_value(&report).expect("JSON"), &mut pairs);
        for command in report.commands() {
            assert_eq!(fault(command), None, "{}: {}", name, command.text);
        }
    }
    assert!(pairs > 500, "{pairs}");
}

/// What a real shell passes to a program, asked by `printf '%s\0' …`.
fn by_a_shell(shell: &str, text: &str) -> Vec<String> {
    let output = std::process::Command::new(shell)
        .args(["-c", text])
        .env_clear()
        .env("VERSION", "7")
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{shell}: {text}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split_terminator('\0').map(str::to_owned).collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn a_shell_reads_back_the_arguments_of_the_data(
        words in proptest::collection::vec(
            proptest::prop_oneof![
                r#"[-'"$`\\!^;|&<>(){}\[\]*?~#%=, a\n\t]{0,12}"#,
                "\\PC{0,8}",
                proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
            ],
            1..6,
        ),
    ) {
        use rotdoctor::aws::commands::{Argument, Command, CommandContext};
        let mut command = Command::program("printf").operand("FORMAT", "%s\\0");
        for word in &words {
            command = command
                .option("--name", word)
                .operand("WORD", word)
                .operand("WORD", Argument::from(word).then(Argument::variable("VERSION")));
        }
        let rendered = command.render(CommandContext::default());
        let expected: Vec<String> =
            rendered.pipeline[0][2..].iter().map(|word| word.replace("$VERSION", "7")).collect();
        proptest::prop_assert_eq!(by_a_shell("sh", &rendered.text), expected);
        let read = shell::read(&rendered.text).map(|line| line.programs);
        proptest::prop_assert_eq!(read, Ok(rendered.pipeline));
    }
}
