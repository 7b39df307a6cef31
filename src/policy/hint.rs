//! What usually is behind a near miss: the mistakes that people make with the
//! policies of a rotation. Finding the near miss is `proof.rs`'s business.

use super::{
    condition::Condition,
    context::Known,
    document::{Listed, Statement},
    principal::Principal,
    proof::{FailedOn, Failure},
    statement::Asked,
};
use crate::aws::arn::{self, Arn, KeyResource};

/// What usually is behind a near miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// A secret's ARN without its six random characters.
    SecretSuffixMissing,
    /// A secret's ARN with other random characters: of a secret that was
    /// deleted and made anew.
    SecretSuffixStale,
    /// The ARN of another secret.
    OtherSecret,
    /// An action without resource types takes only `*`.
    NeedsStar,
    /// The same thing in another region.
    OtherRegion,
    /// The same thing in another account.
    OtherAccount,
    /// An alias: it never authorises the use of a key.
    KeyAlias,
    /// Another key.
    OtherKey,
    /// The role's ARN without its path.
    RolePathMissing,
    /// `aws:PrincipalArn` is the role's ARN, never the session's.
    SessionInsteadOfRole,
    /// The id of a principal that was deleted.
    DeletedPrincipal,
    /// A wildcard within a principal's ARN matches nobody.
    WildcardPrincipal,
    /// A service is named where the role asks.
    ServiceInsteadOfRole,
    /// The request does not carry the key.
    KeyAbsent,
    /// An operator that takes `*` literally.
    LiteralWildcard,
    /// The function with another qualifier, or without one.
    OtherQualifier,
    /// A log group's ARN without what covers its streams.
    LogStreamsMissing,
    /// Variables need Version 2012-10-17.
    VariableWithoutVersion,
    /// A statement of a key policy without Resource has no effect.
    ResourceMissing,
    /// The actions of another service.
    OtherService,
}

impl Hint {
    /// The hint as a clause.
    pub fn words(self) -> &'static str {
        match self {
            Self::SecretSuffixMissing => {
                "the ARN lacks the six random characters at the end of a secret's ARN"
            }
            Self::SecretSuffixStale => {
                "the six random characters are those of another secret of this name, probably one that was deleted"
            }
            Self::OtherSecret => "it names another secret",
            Self::NeedsStar => "this action has no resource type and is covered by * alone",
            Self::OtherRegion => "it names another region",
            Self::OtherAccount => "it names another account",
            Self::KeyAlias => "an alias never authorises the use of a key; the key's ARN does",
            Self::OtherKey => "it names another key",
            Self::RolePathMissing => "the role's ARN is written without its path",
            Self::SessionInsteadOfRole => {
                "aws:PrincipalArn holds the role's ARN with its path, never the session's"
            }
            Self::DeletedPrincipal => {
                "it shows the id of a principal that was deleted; one of the same name is another principal"
            }
            Self::WildcardPrincipal => "a wildcard within a principal's ARN matches nobody",
            Self::ServiceInsteadOfRole => {
                "it names a service, but the call is made with the function's role"
            }
            Self::KeyAbsent => "the request does not carry this key",
            Self::LiteralWildcard => "this operator takes * literally",
            Self::OtherQualifier => "it names the function with another qualifier",
            Self::LogStreamsMissing => "the ARN of a log group covers its streams only with :*",
            Self::VariableWithoutVersion => {
                "without Version 2012-10-17 a variable is taken literally"
            }
            Self::ResourceMissing => "a statement of a key policy without Resource has no effect",
            Self::OtherService => "its actions are those of another service",
        }
    }
}

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
