//! The Markdown format, for tickets and chat: the same as the text, with nothing left
//! out of the first cause. Everything that comes from outside is escaped.

use std::fmt::Write as _;

use super::{
    layout::Layout,
    package, place,
    sanitise::for_terminal,
    simulation, style,
    table::audit_rows,
    unseen,
    v1::{AuditReport, Cause, Command, Finding, Hop, Report, Rollback, Verdict},
    words,
};

/// Renders a report.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n", escaped(&words::target(report)));
    let word = words::verdict_word(report).0;
    let _ = writeln!(out, "**{word}**{}", escaped(&words::verdict(report)));
    if let Some(facts) = &report.package {
        let mut text = String::new();
        package::facts(&mut text, facts, Layout::default());
        fenced(&mut out, "", anstream::adapter::strip_str(&text).to_string().trim_matches('\n'));
    }
    for (index, cause) in report.causes.iter().enumerate() {
        self::cause(&mut out, report, cause, index == 0);
    }
    let failing = report.verdict == Verdict::Failing;
    if report.causes.is_empty() && (failing || report.unexplained.is_some()) {
        unexplained(&mut out, report);
    }
    let others = words::no_causes(report).into_iter().map(|(finding, kind)| {
        format!("**{}** {} ({kind})", finding.code, escaped(&finding.summary))
    });
    list(&mut out, "Also", others);
    let secrets = report.other_secrets.iter().map(|other| {
        let (verdict, rest) = words::other_secret(other);
        format!("**{verdict}** {}", escaped(&rest))
    });
    list(&mut out, "Other secrets in this log", secrets);
    let simulated = report.simulation.iter().flat_map(simulation::lines);
    list(&mut out, "Second opinion", simulated.map(|line| escaped(&line)));
    let unseen = unseen::lines(report, true).into_iter().map(|line| escaped(&line));
    list(&mut out, "Not seen", unseen);
    list(&mut out, "Notes", report.notes.iter().map(|note| escaped(note)));
    let _ = writeln!(out, "\n{}", words::checks_ran(report));
    out
}

/// Renders the summary of an audit, worst first.
pub fn audit(report: &AuditReport) -> String {
    let rows = audit_rows(report, false);
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n", escaped(&rows.heading));
    if !rows.rows.is_empty() {
        table(&mut out, ["Status", "Secret", "Code", "What", "Since"], &rows.rows);
        out.push('\n');
    }
    for (location, finding) in place::findings(report) {
        let (severity, code) = (style::severity(finding.severity).0, &finding.code);
        let place = escaped(&place::written(location));
        let _ = writeln!(out, "- {place}: **{severity} {code}** {}", escaped(&finding.name));
        let place::Details { lines, template } = place::details(finding);
        for line in lines {
            let _ = writeln!(out, "  {}", escaped(&line));
        }
        if !template.is_empty() {
            let _ = writeln!(out);
            for line in &template {
                let _ = writeln!(out, "      {}", for_terminal(line));
            }
        }
    }
    let open = place::open(report).into_iter().map(|open| {
        let (reason, facts) = (escaped(&open.reason), escaped(&open.facts.join(", ")));
        format!("{reason}: missing {facts}; leaves open {}", escaped(&open.checks.join(", ")))
    });
    list(&mut out, "Not declared", open);
    let _ = writeln!(out, "\n{}", rows.summary);
    out
}

fn cause(out: &mut String, report: &Report, cause: &Cause, is_first: bool) {
    let finding = &cause.finding;
    let heading = if is_first { "Cause" } else { "Or" };
    let (code, name) = (&finding.code, &finding.name);
    let confidence = style::confidence(cause.confidence);
    let _ = writeln!(out, "\n## {heading}: {code} {name} ({confidence})\n");
    let _ = writeln!(out, "{}", escaped(&finding.summary));
    path(out, finding);
    for proof in finding.evidence.iter().filter(|proof| !super::hops::is_shown(finding, proof)) {
        let _ = writeln!(out, "\n{}:", escaped(&proof.source));
        fenced(out, "", &proof.text);
    }
    let decide = cause.would_decide.iter().map(|line| escaped(line));
    lines(out, "What would decide", decide);
    if is_first {
        changes(out, report);
    }
    let mut saved = Vec::new();
    for (index, fix) in finding.fixes.iter().enumerate() {
        let heading = if index == 0 { words::fix_heading(fix) } else { "Or" };
        let _ = writeln!(out, "\n### {heading}\n\n{}", escaped(&fix.summary));
        if let Some(tried) = words::tried(fix) {
            let _ = writeln!(out, "({})", escaped(&tried));
        }
        if !fix.command_details.is_empty() {
            saves(out, &fix.rollback, &mut saved);
        }
        shell(out, &fix.command_details);
        if let Some(template) = &fix.template {
            fenced(out, "yaml", template);
        }
    }
    if is_first {
        plan(out, report, &mut saved);
        recovery(out, report);
        let confirm = words::confirmation(report, finding);
        if !confirm.is_empty() {
            let _ = writeln!(out, "\n### Confirm");
            shell(out, &confirm);
        }
        undo(out, report);
    }
}

fn changes(out: &mut String, report: &Report) {
    let changed = super::story::change_lines(report, usize::MAX);
    lines(out, "Changed before it broke", changed.iter().map(|line| escaped(line)));
}

fn plan<'r>(out: &mut String, report: &'r Report, saved: &mut Vec<&'r [String]>) {
    let Some(plan) = &report.fix_plan else { return };
    let line = escaped(&super::story::plan_line(plan));
    let shown = super::story::steps_shown(report);
    let heading = if shown == 0 { "All of it" } else { "Also needed" };
    let _ = writeln!(out, "\n### {heading}, in this order\n\n{line}");
    for (index, step) in plan.steps.iter().enumerate().skip(shown) {
        let _ = writeln!(out, "\n{}. {} {}", index + 1, step.code, escaped(&step.summary));
        saves(out, &step.rollback, saved);
        shell(out, &step.command_details);
    }
}

/// What to save before the fix whose commands follow.
fn saves<'r>(out: &mut String, ways: &'r [Rollback], saved: &mut Vec<&'r [String]>) {
    let first = super::story::saves(ways, saved);
    for (text, all) in &first {
        let _ = writeln!(out, "\n{}", escaped(text));
        shell(out, all);
    }
    if !first.is_empty() {
        let _ = writeln!(out, "\nThen apply the fix:");
    }
}

/// What undoes the fixes, apart from all that is to be pasted.
fn undo(out: &mut String, report: &Report) {
    let (heading, when) = super::story::UNDO;
    for (index, (text, all)) in super::story::undos(report, usize::MAX).iter().enumerate() {
        if index == 0 {
            let _ = writeln!(out, "\n### {heading} {when}");
        }
        let _ = writeln!(out, "\n{}", escaped(text));
        shell(out, all);
    }
}

fn recovery(out: &mut String, report: &Report) {
    let Some(recovery) = &report.recovery else { return };
    let _ = writeln!(out, "\n### Then\n\n{}", escaped(&recovery.summary));
    for step in &recovery.steps {
        let _ = writeln!(out, "\n{}", escaped(&step.summary));
        shell(out, &step.command_details);
    }
    let _ = writeln!(out, "\nWatch it:");
    shell(out, &recovery.watch_details);
}

/// A list under a small heading.
fn lines(out: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        if index == 0 {
            let _ = writeln!(out, "\n### {heading}\n");
        }
        let _ = writeln!(out, "- {line}");
    }
}

fn path(out: &mut String, finding: &Finding) {
    if finding.path.is_empty() {
        return;
    }
    let row = |hop: &Hop| {
        let outcome = if hop.outcome == "stop" { "**STOP**" } else { &hop.outcome };
        [outcome.to_owned(), hop.kind.clone(), hop.resource.clone(), hop.text.clone()]
    };
    let rows: Vec<_> = finding.path.iter().map(row).collect();
    out.push('\n');
    table(out, ["", "Hop", "Resource", "What decided"], &rows);
}

fn unexplained(out: &mut String, report: &Report) {
    let _ = writeln!(out, "\n## No cause found\n");
    if let Some(error) = &report.unexplained {
        let _ = writeln!(out, "{}", escaped(&super::story::error_heading(error)));
        fenced(out, "", &super::story::error_text(error));
        if let Some(frame) = &error.frame {
            let _ = writeln!(out, "\nraised in {}", escaped(frame));
        }
        lines(
            out,
            "Codes with similar texts",
            super::story::near_lines(error).map(|l| escaped(&l)),
        );
    }
    changes(out, report);
    recovery(out, report);
}

fn list(out: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        if index == 0 {
            let _ = writeln!(out, "\n## {heading}\n");
        }
        let _ = writeln!(out, "- {line}");
    }
}

fn table<const N: usize>(out: &mut String, heads: [&str; N], rows: &[[String; N]]) {
    let _ = writeln!(out, "| {} |\n|{}", heads.join(" | "), " --- |".repeat(N));
    for row in rows {
        let cells = row.each_ref().map(|cell| match cell.as_str() {
            "**STOP**" => cell.clone(),
            cell => escaped(cell),
        });
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn shell(out: &mut String, commands: &[Command]) {
    if !commands.is_empty() {
        fenced(out, "sh", &Command::texts(commands).join("\n"));
    }
}

/// A block of code, whose fence is longer than any in it.
fn fenced(out: &mut String, language: &str, text: &str) {
    let text = for_terminal(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "\n{fence}{language}\n{}\n{fence}", text.trim_end());
}

/// Text that shows as it is, in one line: nothing in it is a mark, a link, or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in for_terminal(text).chars() {
        match c {
            '\n' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '!' | '&' => {
                out.extend(['\\', c]);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, fenced, table};

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escaped("a|b *c* <img src=x>"), r"a\|b \*c\* \<img src=x\>");
        assert_eq!(escaped("[x](http://y)\n# h"), r"\[x\](http://y) \# h");
        assert_eq!(escaped("\u{1b}[31mred"), r"\[31mred");
    }

    #[test]
    fn a_block_holds_blocks() {
        let mut out = String::new();
        fenced(&mut out, "sh", "echo ```` x\n");
        assert_eq!(out, "\n`````sh\necho ```` x\n`````\n");
    }

    #[test]
    fn a_row_stays_a_row() {
        let mut out = String::new();
        table(&mut out, ["A", "B"], &[["x\ny".to_owned(), "p|q".to_owned()]]);
        assert_eq!(out, "| A | B |\n| --- | --- |\n| x y | p\\|q |\n");
    }
}
