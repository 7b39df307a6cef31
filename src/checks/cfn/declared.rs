//! The rotation schedules that the stack's template declares, where it was read.

use crate::{
    checks::Case,
    evidence::{StackTemplate, TemplateSchedule},
};

/// The template. Reads `Stack`.
pub(super) fn template_of<'c>(case: &'c Case<'_>) -> Option<&'c StackTemplate> {
    case.stack().if_known()?.template.as_ref()
}

/// The schedules of the case's secret. Reads `Secret`.
pub(super) fn schedules_of<'c>(
    case: &'c Case<'_>,
    template: &'c StackTemplate,
) -> impl Iterator<Item = &'c TemplateSchedule> {
    let secret = case.secret().if_known().and_then(|secret| secret.arn.as_deref());
    template
        .rotation_schedules
        .iter()
        .filter(move |one| secret.is_some() && one.secret_id.as_deref() == secret)
}

/// The name of a schedule in the template.
pub(super) fn name_of(schedule: &TemplateSchedule) -> &str {
    schedule.logical_resource_id.as_deref().unwrap_or("the schedule")
}
