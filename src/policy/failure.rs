//! Why a statement or a grant does not match a request: the element, what it asks for, what
//! the request has, and the mistake that is usually behind it.

use std::fmt;

/// Where a near miss failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The element.
    pub failed_on: FailedOn,
    /// What the statement asks for.
    pub asked: Vec<String>,
    /// What the request has; none where the key is absent or was not seen.
    pub seen: Option<String>,
    /// What usually is behind it.
    pub hint: Option<Hint>,
    /// It may match after all.
    pub uncertain: bool,
}

/// The element on which a statement or a grant failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedOn {
    /// `Principal` or `NotPrincipal`.
    Principal,
    /// `Action` or `NotAction`.
    Action,
    /// `Resource` or `NotResource`.
    Resource,
    /// A condition key, as the statement writes it.
    Condition {
        /// The operator.
        operator: String,
        /// The key.
        key: String,
    },
    /// A grant's grantee.
    GranteePrincipal,
    /// A grant's operations.
    Operations,
    /// A grant's constraint.
    EncryptionContextSubset,
    /// A grant's constraint.
    EncryptionContextEquals,
}

impl fmt::Display for FailedOn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal => formatter.write_str("Principal"),
            Self::Action => formatter.write_str("Action"),
            Self::Resource => formatter.write_str("Resource"),
            Self::Condition { key, .. } => write!(formatter, "Condition:{key}"),
            Self::GranteePrincipal => formatter.write_str("GranteePrincipal"),
            Self::Operations => formatter.write_str("Operations"),
            Self::EncryptionContextSubset => {
                formatter.write_str("Constraints.EncryptionContextSubset")
            }
            Self::EncryptionContextEquals => {
                formatter.write_str("Constraints.EncryptionContextEquals")
            }
        }
    }
}

impl Failure {
    /// One clause: what is asked, what is there, and what usually is behind it.
    pub fn words(&self) -> String {
        let on = match &self.failed_on {
            FailedOn::Condition { operator, key } => format!("its condition {operator} {key}"),
            other => format!("its {other}"),
        };
        let asked = match self.asked.as_slice() {
            [] => "nothing".to_owned(),
            list => list.join(", "),
        };
        let seen = self.seen.as_deref().unwrap_or("nothing, the key is not in the request");
        let seen =
            if self.uncertain && self.seen.is_none() { "a value that was not seen" } else { seen };
        let hint = self.hint.map(|hint| format!(" ({})", hint.words())).unwrap_or_default();
        format!("{on} asks for {asked}, the request has {seen}{hint}")
    }
}

/// What usually is behind a near miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// A secret's ARN without its six random characters.
    SecretSuffixMissing,
    /// A secret's ARN with other random characters: of a secret that was
    /// deleted and created again.
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
