//! What is shown for pipelines works: the commands, the configuration, the files for
//! GitHub Actions and pre-commit.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use rotdoctor::configuration::Configuration;
use saphyr_parser::{Event, Parser};

use crate::{
    support::{Ran, root, rotdoctor, scratch},
    worlds,
};

const FILES: [&str; 4] = ["README.md", "docs/pipelines.md", "action.yml", ".pre-commit-hooks.yaml"];

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The blocks of code of a Markdown file in that language.
pub(crate) fn blocks(file: &str, language: &str) -> Vec<String> {
    let (text, mut blocks) = (text(file), Vec::new());
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once(&format!("```{language}\n")) {
        let (block, after) = after.split_once("```").expect("a block ends");
        blocks.push(block.to_owned());
        rest = after;
    }
    assert!(!blocks.is_empty(), "{file} has no {language}");
    blocks
}

/// Every command of `rotdoctor` that is shown, a line broken by a backslash put together.
fn commands() -> Vec<String> {
    let all = FILES.map(|file| text(file).replace("\\\n", " ")).join("\n");
    let begins = ["rotdoctor ", "bin/rotdoctor ", "\"$ROTDOCTOR\" ", "entry: rotdoctor "];
    let lines = all.lines().flat_map(|line| line.split(" && ")).filter_map(|line| {
        let line = line.trim().trim_start_matches("- ").trim_start_matches("`");
        begins.iter().find_map(|begin| line.strip_prefix(begin)).map(str::to_owned)
    });
    // A sentence begins with the name too; a sub-command is one of these.
    let known = ["audit", "diagnose", "capture", "logs", "package", "explain", "permissions"];
    lines.filter(|line| known.contains(&line.split(' ').next().unwrap_or_default())).collect()
}

fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit()));
    words
        .filter(|word| word.len() > 3 && word.starts_with("--") && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}

/// The flags of every option in the source, those of the part that talks to AWS too, which
/// this binary does not have: a field named `all_regions` is `--all-regions`.
fn declared() -> BTreeSet<String> {
    let mut flags = BTreeSet::new();
    for file in fs::read_dir(root().join("src/cli")).expect("the command line's source") {
        let source = fs::read_to_string(file.expect("a file").path()).expect("its text");
        let mut option = false;
        for line in source.lines().map(str::trim) {
            option |= line.starts_with("#[arg(");
            if let Some((field, _)) = line.split_once(": ").filter(|_| option) {
                let field = field.rsplit(' ').next().unwrap_or_default();
                flags.insert(format!("--{}", field.replace('_', "-")));
                option = false;
            }
        }
    }
    flags
}

#[test]
fn every_flag_that_is_shown_exists() {
    let mut known = flags("--help --version");
    for sub in ["audit", "diagnose", "logs", "package", "explain", "permissions", "schema"] {
        known.extend(flags(&rotdoctor().args([sub, "--help"]).run().stdout));
    }
    known.extend(declared());
    // Of cargo and git, by name.
    known.extend(flags("--locked --no-default-features --path --root --depth --manifest-path"));
    for file in FILES {
        for flag in flags(&text(file)) {
            assert!(known.contains(&flag), "{file}: {flag}");
        }
    }
    assert!(!known.contains("--all-the-regions"));
}

#[test]
fn commands_that_are_shown_are_understood() {
    let lines = commands();
    assert!(lines.len() >= 20, "{lines:#?}");
    let offline = flags(&rotdoctor().args(["audit", "--help"]).run().stdout);
    let mut audits = 0;
    for line in lines.iter().filter(|line| line.starts_with("audit ")) {
        let shown = line.split(" # ").next().expect("a line").split(" > ").next().expect("it");
        let shown = shown.split(['|', '`']).next().expect("it").replace("\"${options[@]}\"", "");
        let live = flags(&shown).iter().any(|flag| !offline.contains(flag));
        if live || !(shown.contains("--template") || shown.contains("--plan")) {
            continue;
        }
        let words: Vec<&str> = shown.split_whitespace().collect();
        let folder = scratch("shown");
        prepare(&folder);
        let Ran { code, stderr, .. } = rotdoctor().current_dir(&folder).args(&words).run();
        // Without credentials AWS is not reached, and the command line was understood.
        let asks_aws = shown.contains("--with-live") && code == 4;
        assert!([0, 1, 3].contains(&code) || asks_aws, "{code} for {shown}: {stderr}");
        audits += 1;
    }
    assert!(audits >= 4, "{audits} of {lines:#?}");
}

/// The files that the examples name.
fn prepare(folder: &Path) {
    fs::create_dir_all(folder.join("infra")).expect("a folder");
    let copy = |from: &str, to: &str| {
        fs::copy(root().join(from), folder.join(to)).expect("a file to copy");
    };
    copy("fixtures/templates/healthy.yaml", "infra/orders.yaml");
    copy("fixtures/templates/healthy.yaml", "stack.yaml");
    copy("fixtures/plans/healthy.json", "plan.json");
    fs::write(folder.join("orders.json"), worlds::text("KMS01/fires")).expect("a bundle");
    fs::write(folder.join("infra/prod.json"), r#"{"Environment": "prod"}"#).expect("a file");
}

#[test]
fn the_configuration_that_is_shown_is_read() {
    let blocks = blocks("README.md", "toml");
    assert_eq!(blocks.len(), 1);
    let shown = Configuration::parse(&blocks[0]).expect("the README's configuration");
    assert!(!shown.check.is_empty() && !shown.skip.is_empty() && !shown.severity.is_empty());
    assert!(shown.fail_on.is_some() && shown.waivers.len() == 1, "each key has its example");
}

#[test]
fn the_screen_that_is_shown_is_the_screen() {
    let shown = &blocks("README.md", "text")[0];
    let folder = scratch("screen");
    fs::create_dir_all(folder.join("infra")).expect("a folder");
    let healthy = text("fixtures/templates/healthy.yaml");
    let closed = healthy.replace("FromPort: 443", "FromPort: 444");
    fs::write(folder.join("infra/orders.yaml"), closed).expect("a file");
    let args = ["audit", "--template", "infra/orders.yaml", "--region", "eu-west-1"];
    let run = rotdoctor().current_dir(&folder).args(args).run();
    let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&run.stdout).trim(), lines(shown).trim());
}

#[test]
fn every_file_of_yaml_is_yaml() {
    let mut all: Vec<String> = blocks("docs/pipelines.md", "yaml");
    all.extend(["action.yml", ".pre-commit-hooks.yaml"].map(text));
    for yaml in all {
        for event in Parser::new_from_str(&yaml) {
            event.unwrap_or_else(|error| panic!("{error}:\n{yaml}"));
        }
    }
}

/// The value of a key, as the file has it.
fn scalars(file: &str, key: &str) -> Vec<String> {
    let text = text(file);
    let events = Parser::new_from_str(&text).map(|event| event.expect("YAML").0);
    let scalars: Vec<Option<String>> = events
        .map(|event| match event {
            Event::Scalar(value, ..) => Some(value.to_string()),
            _ => None,
        })
        .collect();
    let pairs = scalars.windows(2).filter(|pair| pair[0].as_deref() == Some(key));
    pairs.filter_map(|pair| pair[1].clone()).collect()
}

#[test]
fn the_hook_takes_templates_and_runs() {
    let hooks = ".pre-commit-hooks.yaml";
    assert_eq!(scalars(hooks, "id"), ["rotdoctor-template"]);
    assert_eq!(scalars(hooks, "entry"), ["rotdoctor audit"]);
    let files = regex::Regex::new(&scalars(hooks, "files")[0]).expect("a pattern");
    for template in ["a/orders.template", "cdk.out/S.template.json", "template.yaml", "cfn/x.yml"] {
        assert!(files.is_match(template), "{template}");
    }
    for other in ["package.json", ".github/workflows/ci.yml", "templates/deployment.yaml"] {
        assert!(!files.is_match(other), "{other}");
    }
    let args = ["audit", "--quiet", "--template", "fixtures/templates/healthy.yaml"];
    assert!(text(hooks).contains("args: [--quiet, --template]"));
    assert_eq!(rotdoctor().args(args).run().code, 0);
}

#[cfg(unix)]
#[test]
fn the_action_audits_and_says_how_it_ended() {
    let script = scalars("action.yml", "run").pop().expect("the last step");
    let folder = scratch("action");
    prepare(&folder);
    let closed = text("fixtures/templates/healthy.yaml").replace("FromPort: 443", "FromPort: 444");
    fs::write(folder.join("infra/a b.yaml"), closed).expect("a file");
    let step = |template: &str, parameters: &str| {
        let output = folder.join("output.txt");
        let _ = fs::remove_file(&output);
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]).env_clear();
        bash.current_dir(&folder).env("PATH", std::env::var_os("PATH").expect("a PATH"));
        for unset in ["PLAN", "BUNDLE", "CONFIG", "FAIL_ON"] {
            bash.env(unset, "");
        }
        bash.env("ROTDOCTOR", env!("CARGO_BIN_EXE_rotdoctor")).env("TEMPLATE", template);
        bash.env("PARAMETERS", parameters).env("REGION", "eu-west-1");
        bash.env("SARIF_FILE", "out.sarif").env("GITHUB_OUTPUT", &output);
        let run = Ran::of(&mut bash);
        let told = fs::read_to_string(&output).unwrap_or_default();
        (run, told)
    };
    let (good, told) = step("infra/orders.yaml\n", "infra/prod.json\n");
    assert_eq!((good.code, told.as_str()), (0, "exit-code=0\n"), "{}{}", good.stdout, good.stderr);

    let (bad, told) = step("infra/orders.yaml\ninfra/a b.yaml\n", "Environment=prod");
    assert_eq!((bad.code, told.as_str()), (1, "exit-code=1\n"), "{}", bad.stderr);
    assert!(bad.stdout.starts_with("::error file=infra/a b.yaml,line="), "{}", bad.stdout);
    let sarif = fs::read_to_string(folder.join("out.sarif")).expect("the SARIF file");
    assert!(sarif.contains("infra/a%20b.yaml"), "{sarif}");

    let (none, _) = step("", "");
    assert_eq!(none.code, 2);
    let (hostile, _) = step("$(touch pwned); x", "");
    assert_eq!(hostile.code, 4);
    assert!(!folder.join("pwned").exists());
}
