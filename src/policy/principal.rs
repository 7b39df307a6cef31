//! Principals: who asks, and whom `Principal` and `NotPrincipal` name.
//!
//! Semantics: IAM User Guide, "IAM JSON policy elements: Principal" and
//! "NotPrincipal".

use serde_json::Value;

use super::{condition::texts, context::Context, tri::Tri};
use crate::aws::arn::Arn;

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A service, such as `secretsmanager.amazonaws.com`.
    Service(String),
    /// A session of a role.
    Session {
        /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`.
        arn: String,
        /// The role's ARN with its path, where it is known.
        role: Option<String>,
    },
    /// A role, user or account by its ARN.
    Arn(String),
}

impl Principal {
    /// Reads a session's ARN, another ARN, or a service's name. The role of a
    /// session is `aws:PrincipalArn` of the context.
    pub fn read(text: &str, context: &Context) -> Self {
        match Arn::parse(text) {
            None => Self::Service(text.to_owned()),
            Some(arn) if arn.session().is_some() => Self::Session {
                arn: text.to_owned(),
                role: context.value("aws:PrincipalArn").map(str::to_owned),
            },
            Some(_) => Self::Arn(text.to_owned()),
        }
    }

    /// The ARN, or the service's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Service(name) => name,
            Self::Session { arn, .. } | Self::Arn(arn) => arn,
        }
    }

    /// The account; none for a service.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Service(_) => None,
            Self::Session { arn, .. } | Self::Arn(arn) => Arn::parse(arn).map(|arn| arn.account),
        }
    }

    /// The role's ARN, of a session or of the role itself.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Session { role, .. } => role.as_deref(),
            Self::Arn(arn) if Arn::parse(arn)?.role().is_some() => Some(arn),
            _ => None,
        }
    }
}

/// How a statement names the one who asks, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PrincipalMatch {
    /// Not at all.
    None,
    /// Perhaps: the path of the role is not known.
    Perhaps,
    /// By its account: an Allow delegates only.
    Account,
    /// By the role's (or user's) ARN.
    Role,
    /// By the session's own ARN.
    Session,
    /// By the service's name.
    Service,
    /// As everyone.
    Everyone,
}

impl PrincipalMatch {
    /// Whether a boundary or a session policy that says nothing leaves such a
    /// grant alone.
    pub(super) fn is_unlimited(self) -> bool {
        matches!(self, Self::Session | Self::Service | Self::Everyone)
    }
}

/// The names in a `Principal` or `NotPrincipal` element.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    names: Vec<Name>,
    /// As they are written, with their kinds.
    pub(super) texts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Everyone,
    Account(String),
    Arn(String),
    /// `AROA…`: what AWS shows for a principal that was deleted.
    Deleted,
    Service(String),
    /// Federated, canonical user, or nothing that is known.
    Other,
}

impl Names {
    /// Reads the element.
    pub(super) fn read(element: &Value) -> Self {
        let mut names = Self::default();
        match element {
            Value::Object(kinds) => {
                for (kind, values) in kinds {
                    for text in texts(values) {
                        names.names.push(match kind.as_str() {
                            "AWS" => aws(&text),
                            "Service" => Name::Service(text.clone()),
                            _ => Name::Other,
                        });
                        names.texts.push(format!("{kind} {text}"));
                    }
                }
            }
            other => {
                for text in texts(other) {
                    names.names.push(aws(&text));
                    names.texts.push(text);
                }
            }
        }
        names
    }

    /// The strongest way in which they name the one who asks.
    pub(super) fn name(&self, principal: &Principal) -> PrincipalMatch {
        self.names.iter().map(|name| hit(name, principal)).max().unwrap_or(PrincipalMatch::None)
    }

    /// Whether `NotPrincipal` leaves the one who asks out of the statement. AWS
    /// asks for role, session and account to be listed; with only some of them
    /// it does not say what happens.
    pub(super) fn leave_out(&self, principal: &Principal) -> Tri {
        let listed = |wanted: &[PrincipalMatch]| {
            self.names.iter().any(|name| wanted.contains(&hit(name, principal)))
        };
        if listed(&[PrincipalMatch::Everyone, PrincipalMatch::Service]) {
            return Tri::Yes;
        }
        let parts = [
            listed(&[PrincipalMatch::Account]),
            listed(&[PrincipalMatch::Role]),
            listed(&[PrincipalMatch::Session]) || !matches!(principal, Principal::Session { .. }),
        ];
        if parts == [true; 3] {
            return Tri::Yes;
        }
        let named = self.name(principal) != PrincipalMatch::None;
        if named { Tri::Unknown } else { Tri::No }
    }

    /// Whether one of them is the id of a principal that was deleted.
    pub(super) fn has_deleted(&self) -> bool {
        self.names.contains(&Name::Deleted)
    }
}

fn aws(text: &str) -> Name {
    if text == "*" {
        return Name::Everyone;
    }
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Name::Account(text.to_owned());
    }
    match Arn::parse(text) {
        Some(arn) if arn.service == "iam" && arn.resource == "root" => {
            Name::Account(arn.account.to_owned())
        }
        Some(_) => Name::Arn(text.to_owned()),
        None if is_unique_id(text) => Name::Deleted,
        None => Name::Other,
    }
}

/// `AROA…`, `AIDA…` and their kind (IAM User Guide, "IAM identifiers").
fn is_unique_id(text: &str) -> bool {
    text.len() >= 16
        && text.starts_with('A')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn hit(name: &Name, principal: &Principal) -> PrincipalMatch {
    match (name, principal) {
        (Name::Everyone, _) => PrincipalMatch::Everyone,
        (Name::Service(name), Principal::Service(asking)) if name == asking => {
            PrincipalMatch::Service
        }
        (Name::Account(account), _) if principal.account() == Some(account) => {
            PrincipalMatch::Account
        }
        (Name::Arn(text), Principal::Session { arn, .. }) if text == arn => PrincipalMatch::Session,
        (Name::Arn(text), Principal::Session { role: Some(role), .. }) if text == role => {
            PrincipalMatch::Role
        }
        (Name::Arn(text), Principal::Session { arn, role: None }) if may_be_role(text, arn) => {
            PrincipalMatch::Perhaps
        }
        // A grant to a user is, like one to a session, not limited by its boundary.
        (Name::Arn(text), Principal::Arn(arn)) if text == arn => {
            if principal.role().is_some() {
                PrincipalMatch::Role
            } else {
                PrincipalMatch::Session
            }
        }
        _ => PrincipalMatch::None,
    }
}

/// Whether a role's ARN may be that of a session, whose ARN has no path.
fn may_be_role(role: &str, session: &str) -> bool {
    let (Some(role), Some(session)) = (Arn::parse(role), Arn::parse(session)) else { return false };
    let name = role.role().map(|role| role.name);
    role.account == session.account
        && name.is_some()
        && name == session.session().map(|session| session.role)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/rotation/RotRole";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/RotRole/rotfn";
    const ROOT: &str = "arn:aws:iam::111122223333:root";

    fn session() -> Principal {
        Principal::Session { arn: SESSION.to_owned(), role: Some(ROLE.to_owned()) }
    }

    fn name(element: serde_json::Value) -> PrincipalMatch {
        Names::read(&element).name(&session())
    }

    #[test]
    fn kinds_of_names() {
        assert_eq!(name(json!("*")), PrincipalMatch::Everyone);
        assert_eq!(name(json!({"AWS": "*"})), PrincipalMatch::Everyone);
        assert_eq!(name(json!({"AWS": ["444455556666", ROLE]})), PrincipalMatch::Role);
        assert_eq!(name(json!({"AWS": SESSION})), PrincipalMatch::Session);
        assert_eq!(name(json!({"AWS": ROOT})), PrincipalMatch::Account);
        assert_eq!(name(json!({"AWS": "111122223333"})), PrincipalMatch::Account);
        for nobody in [
            "arn:aws:iam::111122223333:role/RotRole",
            "arn:aws:iam::111122223333:role/rotation/*",
            "arn:aws:sts::111122223333:assumed-role/RotRole/*",
            "arn:aws:sts::111122223333:assumed-role/RotRole/other",
            "arn:aws:iam::*:root",
            "arn:aws:iam::444455556666:root",
            "AROAEXAMPLEROTROLE1",
        ] {
            assert_eq!(name(json!({ "AWS": nobody })), PrincipalMatch::None, "{nobody}");
        }
        assert_eq!(name(json!({"Service": "secretsmanager.amazonaws.com"})), PrincipalMatch::None);
        assert_eq!(name(json!({"Federated": SESSION})), PrincipalMatch::None);
        assert!(Names::read(&json!({"AWS": "AROAEXAMPLEROTROLE1"})).has_deleted());
    }

    #[test]
    fn services_are_named_exactly_or_as_everyone() {
        let service = Principal::Service("secretsmanager.amazonaws.com".to_owned());
        let name = |element| Names::read(&element).name(&service);
        assert_eq!(name(json!({"Service": ["lambda.amazonaws.com"]})), PrincipalMatch::None);
        assert_eq!(
            name(json!({"Service": "secretsmanager.amazonaws.com"})),
            PrincipalMatch::Service
        );
        assert_eq!(name(json!({"AWS": ROOT})), PrincipalMatch::None);
        assert_eq!(name(json!("*")), PrincipalMatch::Everyone);
    }

    #[test]
    fn an_unknown_path_is_perhaps() {
        let session = Principal::Session { arn: SESSION.to_owned(), role: None };
        let name = |text| Names::read(&json!({ "AWS": text })).name(&session);
        assert_eq!(name(ROLE), PrincipalMatch::Perhaps);
        assert_eq!(name("arn:aws:iam::111122223333:role/Other"), PrincipalMatch::None);
    }

    #[test]
    fn not_principal_needs_role_session_and_account() {
        let leaves_out =
            |names: &[&str]| Names::read(&json!({ "AWS": names })).leave_out(&session());
        assert_eq!(leaves_out(&[ROLE, SESSION, ROOT]), Tri::Yes);
        assert_eq!(leaves_out(&[ROLE]), Tri::Unknown);
        assert_eq!(leaves_out(&["arn:aws:iam::111122223333:role/Other"]), Tri::No);
    }
}
