//! What people read, word for word: the reports of twenty worlds as text, JSON and
//! Markdown, and the index of the codes.

use std::fs;

use rotdoctor::{
    bundle,
    checks::Selection,
    examine,
    report::{
        json, markdown,
        text::{self, Layout},
        v1::Mode,
    },
};

use crate::{
    support::{root, rotdoctor},
    worlds,
};

/// Makes a test of each world: its name and its folder in `fixtures/worlds`.
macro_rules! reports {
    ($($test:ident: $world:literal),* $(,)?) => {
        $( #[test] fn $test() { reads_as_it_did($world); } )*
    };
}

// Worlds that together show every part of a report.
reports! {
    cfn01: "CFN01",
    db01: "DB01",
    db11: "DB11",
    iam01_get_secret_value: "IAM01-GetSecretValue",
    iam04: "IAM04",
    iam08: "IAM08",
    iam10: "IAM10",
    kms01: "KMS01",
    mgd02: "MGD02",
    net01: "NET01",
    net03: "NET03",
    net10: "NET10",
    net10t: "NET10T",
    run01: "RUN01",
    run05: "RUN05",
    sch04: "SCH04",
    sec02: "SEC02",
    sec04: "SEC04",
    sec09: "SEC09",
    tmo01: "TMO01",
}

/// Holds the world's reports to `tests/integration/snapshots/WORLD.{txt,md,json}.snap`.
fn reads_as_it_did(world: &str) {
    let text = worlds::text(&format!("{world}/fires"));
    let evidence = bundle::read(&text).expect("a bundle").evidence;
    let report = examine(&evidence, Mode::Bundle, &Selection::default());
    let shown = text::render(&report, Layout::default());
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (ending, printed) in [
            ("txt", anstream::adapter::strip_str(&shown).to_string()),
            ("md", markdown::render(&report)),
            ("json", json::render(&report)),
        ] {
            // A snapshot does not hold how a text ends.
            assert!(printed.ends_with('\n') && !printed.ends_with("\n\n"), "{world}.{ending}");
            insta::assert_snapshot!(format!("{world}.{ending}"), printed);
        }
    });
}

#[test]
fn the_index_of_codes_is_what_the_checks_say() {
    let printed = rotdoctor().args(["checks", "--output", "markdown"]).run().stdout;
    let kept = fs::read_to_string(root().join("docs/codes.md")).expect("the index");
    assert!(
        kept == printed,
        "docs/codes.md is old; cargo run --no-default-features -- checks --output markdown \
         > docs/codes.md writes it anew"
    );
}
