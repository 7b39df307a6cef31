//! Recognises the mistakes that people make with the policies of a rotation, from the element
//! on which a statement failed.

use super::{
    condition::Condition,
    context::Known,
    document::{Listed, Statement},
    failure::{FailedOn, Failure, Hint},
    principal::Principal,
    statement::Asked,
};
use crate::aws::arn::{self, Arn, KeyResource};

/// What is behind a failure, where it is one of the usual things.
pub(super) fn of(
    failure: &Failure,
    statement: &Statement,
    asked: &Asked<'_>,
    condition: Option<&Condition>,
) -> Option<Hint> {
    if failure.uncertain {
        return None;
    }
    match failure.failed_on {
        FailedOn::Principal => principal(failure, statement, asked),
        FailedOn::Action => (!statement.names_service(&asked.action)).then_some(Hint::OtherService),
        FailedOn::Resource => resource(failure, statement, asked),
        FailedOn::Condition { .. } => {
            condition.and_then(|condition| of_condition(failure, condition, statement, asked))
        }
        _ => None,
    }
}

fn principal(failure: &Failure, statement: &Statement, asked: &Asked<'_>) -> Option<Hint> {
    let Some(Listed::These(names)) = &statement.principal else { return None };
    let request = &asked.request.principal;
    if names.has_deleted() {
        return Some(Hint::DeletedPrincipal);
    }
    if let Some(role) = request.role()
        && failure.asked.iter().any(|text| is_role_without_path(text_of(text), role))
    {
        return Some(Hint::RolePathMissing);
    }
    if failure.asked.iter().any(|text| text_of(text).starts_with("arn:") && text.contains('*')) {
        return Some(Hint::WildcardPrincipal);
    }
    let service = failure.asked.iter().all(|text| text.starts_with("Service "));
    (service && !matches!(request, Principal::Service(_))).then_some(Hint::ServiceInsteadOfRole)
}

/// `AWS arn:…` without the kind.
fn text_of(text: &str) -> &str {
    text.split_once(' ').map_or(text, |(_, text)| text)
}

fn is_role_without_path(written: &str, role: &str) -> bool {
    written != role
        && written.contains(":role/")
        && arn::role_name(written) == arn::role_name(role)
        && Arn::parse(written).map(|arn| arn.account) == Arn::parse(role).map(|arn| arn.account)
}

fn resource(failure: &Failure, statement: &Statement, asked: &Asked<'_>) -> Option<Hint> {
    let resource = asked.request.resource.as_str();
    if statement.resource.is_none() {
        return Some(Hint::ResourceMissing);
    }
    if resource == "*" {
        return Some(Hint::NeedsStar);
    }
    if !statement.variables && failure.asked.iter().any(|text| text.contains("${")) {
        return Some(Hint::VariableWithoutVersion);
    }
    failure.asked.iter().filter_map(|text| arns(text, resource)).min()
}

fn of_condition(
    failure: &Failure,
    condition: &Condition,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Option<Hint> {
    let key = condition.key.to_lowercase();
    if asked.request.context.look(&key) == Known::Absent {
        return Some(Hint::KeyAbsent);
    }
    if !statement.variables && condition.values.iter().any(|value| value.contains("${")) {
        return Some(Hint::VariableWithoutVersion);
    }
    if condition.has_literal_wildcard() {
        return Some(Hint::LiteralWildcard);
    }
    let seen = failure.seen.as_deref()?;
    if key == "aws:principalarn" {
        if condition.values.iter().any(|value| value.contains(":assumed-role/")) {
            return Some(Hint::SessionInsteadOfRole);
        }
        if condition.values.iter().any(|value| is_role_without_path(value, seen)) {
            return Some(Hint::RolePathMissing);
        }
    }
    condition.values.iter().filter_map(|value| arns(value, seen)).min()
}

/// How an ARN that is written differs from the one that is meant. The smaller
/// hint is the nearer one.
pub(super) fn arns(written: &str, meant: &str) -> Option<Hint> {
    let (wrote, mean) = (Arn::parse(written)?, Arn::parse(meant)?);
    if wrote.service != mean.service {
        return None;
    }
    if wrote.account != mean.account && !wrote.account.contains(['*', '?']) {
        return Some(Hint::OtherAccount);
    }
    if wrote.region != mean.region && !wrote.region.contains(['*', '?']) {
        return Some(Hint::OtherRegion);
    }
    match mean.service {
        "secretsmanager" => {
            let name = arn::without_random_suffix(mean.resource);
            if wrote.resource == name {
                Some(Hint::SecretSuffixMissing)
            } else if wrote
                .resource
                .strip_prefix(name)
                .is_some_and(|suffix| arn::split_random_suffix(suffix).is_some())
            {
                Some(Hint::SecretSuffixStale)
            } else {
                Some(Hint::OtherSecret)
            }
        }
        "kms" if matches!(wrote.key(), Some(KeyResource::Alias(_))) => Some(Hint::KeyAlias),
        "kms" => Some(Hint::OtherKey),
        "lambda" => {
            let same = wrote.function()?.name == mean.function()?.name;
            same.then_some(Hint::OtherQualifier)
        }
        "logs" => mean
            .resource
            .strip_prefix(wrote.resource)
            .is_some_and(|rest| rest.starts_with(':'))
            .then_some(Hint::LogStreamsMissing),
        _ => None,
    }
}
