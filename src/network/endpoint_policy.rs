//! Which API actions an endpoint's policy denies to the function. The built-in reading knows
//! Effect, Principal, Action, Resource and conditions about the principal, the account and
//! the endpoint, and leaves other conditions undecided.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Target, view::items};
use crate::{
    aws::arn::{self, Arn},
    evidence::{Evidence, PolicyDocument},
};

/// A request that a policy is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRequest<'a> {
    /// The function's role, where it is known.
    pub role_arn: Option<&'a str>,
    /// The function's account, where it is known.
    pub account: Option<&'a str>,
    /// With the service: `secretsmanager:GetSecretValue`.
    pub action: String,
    /// The ARN, or `*` for an action that knows no resource.
    pub resource: &'a str,
    /// The endpoint.
    pub endpoint: &'a str,
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyAnswer {
    /// Some statement allows it and none denies it.
    Allowed,
    /// A statement denies it, or none allows it.
    Denied,
    /// It hangs on something that was not seen or is not understood.
    Undecided,
}

/// Reads endpoint policies.
pub trait EndpointPolicy {
    /// Holds a request against a policy.
    fn decide(&self, policy: &PolicyDocument, request: &PolicyRequest<'_>) -> PolicyAnswer;
}

/// The five calls of the vended templates; the first four are about a secret.
const SECRETS_MANAGER_ACTIONS: [&str; 5] = [
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "GetRandomPassword",
];

/// Stands for a secret whose ARN is not known.
const NOT_KNOWN: &str = "";

const RDS_ACTIONS: [&str; 2] = ["DescribeDBInstances", "DescribeDBClusters"];

/// The actions that a policy of these endpoints denies, and those that it may
/// deny, both without the service's prefix.
pub(super) fn refused_actions(
    evidence: &Evidence,
    target: &Target,
    endpoints: &[String],
    policy: &dyn EndpointPolicy,
) -> (Vec<String>, Vec<String>) {
    let Target::AwsApi { service, secret_arn, superuser_arn, .. } = target else {
        return (Vec::new(), Vec::new());
    };
    let mut requests: Vec<(&str, &str)> = Vec::new();
    match service.as_str() {
        "secretsmanager" => {
            for action in SECRETS_MANAGER_ACTIONS {
                if action == "GetRandomPassword" {
                    requests.push((action, "*"));
                } else {
                    requests.push((action, secret_arn.as_deref().unwrap_or(NOT_KNOWN)));
                }
            }
            if let Some(arn) = superuser_arn {
                requests.push(("GetSecretValue", arn));
            }
        }
        "rds" => requests.extend(RDS_ACTIONS.map(|action| (action, "*"))),
        _ => {}
    }
    let configuration = evidence.function.known().map(|function| &function.configuration);
    let role_arn = configuration.and_then(|c| c.role.as_deref());
    let account = role_arn.and_then(Arn::account_of).or_else(|| evidence.account_id());
    let (mut denied, mut undecided) = (BTreeSet::new(), BTreeSet::new());
    for endpoint in items(&evidence.vpc_endpoints) {
        let Some(id) = endpoint.vpc_endpoint_id.as_ref().filter(|id| endpoints.contains(id)) else {
            continue;
        };
        // Without a policy of its own an endpoint lets everything pass.
        let Some(document) = &endpoint.policy_document else { continue };
        for &(action, resource) in &requests {
            let request = PolicyRequest {
                role_arn,
                account,
                action: format!("{service}:{action}"),
                resource,
                endpoint: id,
            };
            match policy.decide(document, &request) {
                PolicyAnswer::Allowed => {}
                PolicyAnswer::Denied if resource != NOT_KNOWN || !names_resources(document) => {
                    denied.insert(action.to_owned());
                }
                PolicyAnswer::Denied | PolicyAnswer::Undecided => {
                    undecided.insert(action.to_owned());
                }
            }
        }
    }
    undecided.retain(|action| !denied.contains(action));
    (denied.into_iter().collect(), undecided.into_iter().collect())
}

/// True where some statement is about particular resources.
fn names_resources(policy: &PolicyDocument) -> bool {
    policy.statements().any(|statement| {
        let named = statement.get("Resource").map(texts).unwrap_or_default();
        named.iter().any(|text| *text != "*") || statement.get("NotResource").is_some()
    })
}

/// The built-in reading.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInPolicy;

impl EndpointPolicy for BuiltInPolicy {
    fn decide(&self, policy: &PolicyDocument, request: &PolicyRequest<'_>) -> PolicyAnswer {
        let (mut allowed, mut undecided) = (false, false);
        for statement in policy.statements() {
            let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
            match matches(statement, request) {
                Some(true) if denies => return PolicyAnswer::Denied,
                Some(true) => allowed = true,
                Some(false) => {}
                None => undecided = true,
            }
        }
        match (allowed, undecided) {
            (_, true) => PolicyAnswer::Undecided,
            (true, false) => PolicyAnswer::Allowed,
            (false, false) => PolicyAnswer::Denied,
        }
    }
}

/// Whether a statement is about the request; `None` where it hangs on a
/// condition or another element that is not read here.
fn matches(statement: &Value, request: &PolicyRequest<'_>) -> Option<bool> {
    let action = request.action.to_ascii_lowercase();
    let on_action = |text: &str| glob(&text.to_ascii_lowercase(), &action);
    let on_resource = |text: &str| glob(text, request.resource);
    let action = either(statement, "Action", "NotAction", on_action);
    let resource = either(statement, "Resource", "NotResource", on_resource);
    if !action || !resource {
        return Some(false);
    }
    let principal = match statement.get("Principal") {
        Some(principal) => is_principal(principal, request)?,
        None => return None,
    };
    if !principal {
        return Some(false);
    }
    conditions(statement, request)
}

/// Whether a statement's conditions hold; `None` where one is about a key that
/// is not known here, or is of a kind that is not read here.
fn conditions(statement: &Value, request: &PolicyRequest<'_>) -> Option<bool> {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else {
        return Some(true);
    };
    let mut undecided = false;
    for (operator, keys) in operators {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            match condition(operator, key, &texts(wanted), request) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => undecided = true,
            }
        }
    }
    if undecided { None } else { Some(true) }
}

fn condition(
    operator: &str,
    key: &str,
    wanted: &[&str],
    request: &PolicyRequest<'_>,
) -> Option<bool> {
    let actual = match key.to_ascii_lowercase().as_str() {
        "aws:principalaccount" => request.account?,
        "aws:principalarn" => request.role_arn?,
        "aws:sourcevpce" => request.endpoint,
        "aws:resourceaccount" => Arn::account_of(request.resource)?,
        _ => return None,
    };
    let (operator, negated) = match operator {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => ("StringLike", true),
        "ArnLike" | "ArnEquals" => ("StringLike", false),
        other => (other, false),
    };
    let held = match operator {
        "StringEquals" => wanted.contains(&actual),
        "StringLike" => wanted.iter().any(|pattern| glob(pattern, actual)),
        _ => return None,
    };
    Some(held != negated)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn either(statement: &Value, yes: &str, no: &str, test: impl Fn(&str) -> bool) -> bool {
    if let Some(value) = statement.get(yes) {
        texts(value).into_iter().any(test)
    } else if let Some(value) = statement.get(no) {
        !texts(value).into_iter().any(test)
    } else {
        false
    }
}

/// Whether the function's role is meant; `None` where the role is not known.
fn is_principal(principal: &Value, request: &PolicyRequest<'_>) -> Option<bool> {
    let names = match principal {
        Value::Object(kinds) => kinds.get("AWS").map(texts).unwrap_or_default(),
        other => texts(other),
    };
    if names.contains(&"*") {
        return Some(true);
    }
    if names.is_empty() {
        return Some(false);
    }
    let (role, account) = (request.role_arn?, request.account?);
    let name = arn::role_name(role);
    Some(names.into_iter().any(|text| {
        let named = Arn::parse(text).filter(|arn| arn.account == account);
        let whole_account = text == account
            || named.is_some_and(|arn| arn.service == "iam" && arn.resource == "root");
        let session = named.and_then(Arn::session).is_some_and(|session| session.role == name);
        whole_account || session || text == role
    }))
}

/// `*` for any text, `?` for one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::{BuiltInPolicy, EndpointPolicy, PolicyAnswer, PolicyRequest, glob};
    use crate::evidence::PolicyDocument;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf";
    const ROLE: &str = "arn:aws:iam::111111111111:role/service/rotate";

    fn decide(statement: &str, action: &str, resource: &str) -> PolicyAnswer {
        let policy =
            PolicyDocument::parse(&format!(r#"{{"Statement":{statement}}}"#)).expect("policy");
        let request = PolicyRequest {
            role_arn: Some(ROLE),
            account: Some("111111111111"),
            action: format!("secretsmanager:{action}"),
            resource,
            endpoint: "vpce-1",
        };
        BuiltInPolicy.decide(&policy, &request)
    }

    #[test]
    fn a_policy_for_one_secret_denies_the_action_without_resource() {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"secretsmanager:*","Resource":["{SECRET}"]}}"#
        );
        assert_eq!(decide(&statement, "GetSecretValue", SECRET), PolicyAnswer::Allowed);
        assert_eq!(decide(&statement, "GetRandomPassword", "*"), PolicyAnswer::Denied);
    }

    #[test]
    fn principals_are_accounts_roles_and_sessions() {
        for (principal, expected) in [
            (r#""*""#, PolicyAnswer::Allowed),
            (r#"{"AWS":"111111111111"}"#, PolicyAnswer::Allowed),
            (r#"{"AWS":"arn:aws:iam::111111111111:root"}"#, PolicyAnswer::Allowed),
            (r#"{"AWS":["arn:aws:iam::111111111111:role/service/rotate"]}"#, PolicyAnswer::Allowed),
            (
                r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/rotate/fn"}"#,
                PolicyAnswer::Allowed,
            ),
            (r#"{"AWS":"222222222222"}"#, PolicyAnswer::Denied),
            (r#"{"AWS":"arn:aws:iam::111111111111:role/other"}"#, PolicyAnswer::Denied),
            (r#"{"Service":"lambda.amazonaws.com"}"#, PolicyAnswer::Denied),
        ] {
            let statement = format!(
                r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"}}"#
            );
            assert_eq!(decide(&statement, "PutSecretValue", SECRET), expected, "{principal}");
        }
    }

    #[test]
    fn deny_wins_and_conditions_are_left_open() {
        let allow = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
        let deny =
            r#"{"Effect":"Deny","Principal":"*","Action":"secretsmanager:put*","Resource":"*"}"#;
        let both = format!("[{allow},{deny}]");
        assert_eq!(decide(&both, "PutSecretValue", SECRET), PolicyAnswer::Denied);
        assert_eq!(decide(&both, "DescribeSecret", SECRET), PolicyAnswer::Allowed);
        let open = r#"{"Effect":"Allow","Principal":"*","NotAction":"s3:*","Resource":"*",
            "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#;
        assert_eq!(decide(open, "DescribeSecret", SECRET), PolicyAnswer::Undecided);
    }

    #[test]
    fn conditions_about_the_caller_are_read() {
        for (condition, expected) in [
            (r#"{"StringEquals":{"aws:PrincipalAccount":"111111111111"}}"#, PolicyAnswer::Allowed),
            (r#"{"StringEquals":{"aws:PrincipalAccount":["222222222222"]}}"#, PolicyAnswer::Denied),
            (
                r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/service/*"}}"#,
                PolicyAnswer::Allowed,
            ),
            (r#"{"StringNotEquals":{"aws:ResourceAccount":"111111111111"}}"#, PolicyAnswer::Denied),
            (r#"{"StringEquals":{"aws:SourceVpce":"vpce-2"}}"#, PolicyAnswer::Denied),
            (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, PolicyAnswer::Undecided),
        ] {
            let statement = format!(
                r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}"#
            );
            assert_eq!(decide(&statement, "GetSecretValue", SECRET), expected, "{condition}");
        }
    }

    #[test]
    fn globs_go_back_as_often_as_they_must() {
        assert!(glob("arn:*:secret:prod/db-??????", SECRET));
        assert!(!glob("arn:*:secret:prod/db-?????", SECRET));
        assert!(glob("*a*b*", "xxaxxabxx") && !glob("a", "") && glob("*", ""));
    }
}
