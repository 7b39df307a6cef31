//! The facts of a deployment package as tables, for `rotdoctor package`.

use std::fmt::Write as _;

use comfy_table::Table;

use super::{
    layout::Layout,
    sanitise::for_terminal,
    style::{self, paint},
    table::{push, table},
    wrap::{block, hanging},
};
use crate::evidence::{Libpq, NativeLibrary, Package, RotationCode};

/// Compiled modules shown without `-v`.
const MODULES_SHOWN: usize = 12;

/// Everything that was seen in a package.
pub(super) fn facts(out: &mut String, package: &Package, layout: Layout) {
    archives(out, package, layout);
    libpq(out, &package.libpq, layout);
    modules(out, &package.libraries, layout);
    code(out, package, layout);
    if !package.problems.is_empty() {
        heading(out, "NOT READ, OR ODD");
        for problem in &package.problems {
            let _ = write!(out, "{}", hanging(&for_terminal(problem), 2, 4, layout.width));
        }
    }
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{}", paint(style::HEADING, text));
}

fn add<const N: usize>(table: &mut Table, row: [String; N]) {
    table.add_row(row.map(|cell| for_terminal(&cell).into_owned()));
}

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "-".to_owned())
}

fn archives(out: &mut String, package: &Package, layout: Layout) {
    for archive in &package.archives {
        let (size, read) = (archive.size.unwrap_or(0), archive.bytes_read.unwrap_or(0));
        let line = format!(
            "{}: {} files, {}; {} of it read{}.",
            text(&archive.name),
            archive.entries.unwrap_or(0),
            bytes(size),
            bytes(read),
            if archive.complete == Some(false) { ", not all that matters" } else { "" }
        );
        let _ = write!(out, "{}", block(&for_terminal(&line), 2, layout.width));
    }
}

fn bytes(count: i64) -> String {
    #[allow(clippy::cast_precision_loss)] // shown with one decimal
    let count = count as f64;
    match count {
        small if small < 1e3 => format!("{small} B"),
        middle if middle < 1e6 => format!("{:.1} kB", middle / 1e3),
        large => format!("{:.1} MB", large / 1e6),
    }
}

fn libpq(out: &mut String, found: &[Libpq], layout: Layout) {
    heading(out, "LIBPQ");
    if found.is_empty() {
        let _ = writeln!(out, "  none: this package does not talk to PostgreSQL through libpq");
        return;
    }
    let mut rows = table(layout);
    rows.set_header(["SCRAM", "MACHINE", "RELEASE", "LINKED", "FILE"]);
    for one in found {
        let release = one.release.as_ref().map(|release| format!("PostgreSQL {release}"));
        add(
            &mut rows,
            [
                text(&one.scram),
                text(&one.machine),
                release.unwrap_or_else(|| "-".to_owned()),
                text(&one.linked),
                text(&one.path),
            ],
        );
    }
    push(out, &mut rows, 5);
    for one in found {
        let signals: Vec<String> = one
            .signals
            .iter()
            .map(|signal| format!("{} {}", text(&signal.kind), text(&signal.found)))
            .collect();
        let name = one.path.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("-");
        let mut line = format!("{name}: {}", signals.join("; "));
        if let Some(disagreement) = &one.disagreement {
            let _ = write!(line, ". The signs disagree: {disagreement}");
        }
        if layout.verbose || one.disagreement.is_some() || one.scram.as_deref() != Some("yes") {
            let _ = write!(out, "{}", hanging(&for_terminal(&line), 2, 4, layout.width));
        }
    }
}

fn modules(out: &mut String, libraries: &[NativeLibrary], layout: Layout) {
    let modules: Vec<&NativeLibrary> =
        libraries.iter().filter(|one| one.module.is_some()).collect();
    if modules.is_empty() {
        return;
    }
    heading(out, "COMPILED MODULES");
    let mut rows = table(layout);
    rows.set_header(["MODULE", "PYTHON", "MACHINE", "FILE"]);
    let shown = if layout.verbose { modules.len() } else { MODULES_SHOWN };
    for one in modules.iter().take(shown) {
        add(&mut rows, [text(&one.module), text(&one.python), text(&one.machine), text(&one.path)]);
    }
    push(out, &mut rows, 4);
    if modules.len() > shown {
        let _ = writeln!(out, "  … and {} more (-v shows them)", modules.len() - shown);
    }
}

fn code(out: &mut String, package: &Package, layout: Layout) {
    let Some(code) = &package.code else {
        heading(out, "CODE");
        let _ = writeln!(out, "  no lambda_function.py: this is no rotation function's code");
        return;
    };
    heading(out, "CODE");
    let mut lines = vec![format!("{}: {}", text(&code.path), template(code))];
    if !code.can.is_empty() {
        lines.push(format!("can: {}", code.can.join(", ")));
    }
    if !code.cannot.is_empty() && code.template.is_some() {
        lines.push(format!("cannot, or has no need to: {}", code.cannot.join(", ")));
    }
    let missing: Vec<&str> = package
        .imports
        .iter()
        .filter(|one| one.provided.as_deref() == Some("missing"))
        .filter_map(|one| one.module.as_deref())
        .collect();
    if !missing.is_empty() {
        lines.push(format!("imports what is not there: {}", missing.join(", ")));
    }
    for own in code.own_texts.iter().take(if layout.verbose { 20 } else { 3 }) {
        lines.push(format!("own text: {own:?}"));
    }
    for line in lines {
        let _ = write!(out, "{}", hanging(&for_terminal(&line), 2, 4, layout.width));
    }
}

fn template(code: &RotationCode) -> String {
    let Some(template) = &code.template else {
        return "not made from a public rotation template, as far as its texts tell".to_owned();
    };
    let customised = match code.customised {
        Some(true) => "changed by hand",
        Some(false) => "not changed, as far as its texts tell",
        None => "changed or not cannot be told",
    };
    let from = code.not_before.map(|day| format!(", from {} or later", day.date()));
    let before = code.before.map(|day| format!(", usually from before {}", day.date()));
    format!(
        "SecretsManager{template} ({} % of its texts), {customised}{}{}",
        code.match_percent.unwrap_or(0),
        from.unwrap_or_default(),
        before.unwrap_or_default()
    )
}
