//! Where each finding of a template or a plan is declared.

use super::v1::Report;
use crate::template::Origins;

/// Adds to each finding where it is declared, and removes the commands: what is not deployed
/// is fixed in the file.
pub fn locate(report: &mut Report, origins: &Origins) {
    let causes = report.causes.iter_mut().map(|cause| &mut cause.finding);
    for finding in causes.chain(&mut report.findings) {
        let statement = finding.statement.as_ref();
        let statement = statement.and_then(|it| origins.of_statement(&it.policy, it.index?));
        let location = statement
            .unwrap_or_else(|| origins.of_property(&finding.code, origins.of(&finding.resource)));
        finding.location = Some(location.clone());
        finding.confirm.clear();
        finding.confirm_details.clear();
        for fix in &mut finding.fixes {
            fix.commands.clear();
            fix.command_details.clear();
            fix.rollback.clear();
        }
    }
}
