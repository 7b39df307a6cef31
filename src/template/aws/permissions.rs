//! Permissions on a function, as the statements that Lambda writes into its policy.

use serde_json::{Map, Value, json};

use super::{Open, Place, Setting};
use crate::evidence::PolicyDocument;

/// The service that invokes rotation functions.
pub(crate) const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";

/// What a file says of a permission.
pub(crate) struct PermissionSettings {
    /// The statement's id: as declared, else the name of what declares it.
    pub(crate) sid: String,
    pub(crate) action: Setting<String>,
    pub(crate) principal: Setting<String>,
    pub(crate) source_account: Setting<String>,
    pub(crate) source_arn: Setting<String>,
    pub(crate) organization: Setting<String>,
}

impl PermissionSettings {
    /// The statement.
    ///
    /// # Errors
    /// What of it is open.
    pub(crate) fn statement(self, function: &str, place: &Place) -> Result<Value, Open> {
        let principal = principal(&self.principal.settled()?.unwrap_or_default(), place);
        let mut statement = json!({"Sid": self.sid, "Effect": "Allow", "Principal": principal,
            "Action": self.action.settled()?.unwrap_or_default(), "Resource": function});
        let mut conditions = Map::new();
        for (operator, key, value) in [
            ("StringEquals", "AWS:SourceAccount", self.source_account),
            ("ArnLike", "AWS:SourceArn", self.source_arn),
            ("StringEquals", "aws:PrincipalOrgID", self.organization),
        ] {
            let value = match value {
                Setting::Absent => continue,
                Setting::Known(value) => json!(value),
                // The same open text is the same ARN: `${$}` is a dollar sign. Another one is
                // a variable, whose value no request has.
                Setting::Open(open) if operator == "ArnLike" && open.token.starts_with("arn:") => {
                    json!([open.token.replace("${", "${$}{"), open.token])
                }
                Setting::Open(open) => return Err(open),
            };
            conditions.entry(operator).or_insert_with(|| json!({}))[key] = value;
        }
        if !conditions.is_empty() {
            statement["Condition"] = Value::Object(conditions);
        }
        Ok(statement)
    }
}

/// Lambda keeps a service by its name, an account as its root, and anything else as it is.
fn principal(named: &str, place: &Place) -> Value {
    let is_account = named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_digit());
    match named {
        "*" => json!("*"),
        account if is_account => {
            json!({"AWS": format!("arn:{}:iam::{account}:root", place.partition())})
        }
        arn if arn.starts_with("arn:") => json!({"AWS": arn}),
        service => json!({"Service": service}),
    }
}

/// Whether a statement lets Secrets Manager invoke the function.
pub(crate) fn admits_secrets_manager(statement: &Value) -> bool {
    statement["Principal"]["Service"] == SECRETS_MANAGER
}

/// The policy that Lambda makes of its permissions.
pub(crate) fn policy(statements: Vec<Value>) -> PolicyDocument {
    PolicyDocument(json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}))
}

/// The permission that AWS's own templates give: of Secrets Manager in the function's
/// account.
pub(crate) fn vended(function: &str, place: &Place) -> PolicyDocument {
    policy(vec![json!({"Sid": "SecretsManagerAccess", "Effect": "Allow",
        "Principal": {"Service": SECRETS_MANAGER}, "Action": "lambda:InvokeFunction",
        "Resource": function,
        "Condition": {"StringEquals": {"AWS:SourceAccount": place.account}}})])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PermissionSettings, admits_secrets_manager};
    use crate::template::aws::{Open, Place, Setting};

    fn settings(principal: &str) -> PermissionSettings {
        PermissionSettings {
            sid: "P".to_owned(),
            action: Setting::Known("lambda:InvokeFunction".to_owned()),
            principal: Setting::Known(principal.to_owned()),
            source_account: Setting::Absent,
            source_arn: Setting::Absent,
            organization: Setting::Absent,
        }
    }

    #[test]
    fn principals_are_written_as_lambda_does() {
        let place = Place { region: "eu-west-1".to_owned(), account: "1".to_owned() };
        for (named, written) in [
            ("*", json!("*")),
            ("111122223333", json!({"AWS": "arn:aws:iam::111122223333:root"})),
            ("arn:aws:iam::1:role/r", json!({"AWS": "arn:aws:iam::1:role/r"})),
            ("secretsmanager.amazonaws.com", json!({"Service": "secretsmanager.amazonaws.com"})),
        ] {
            let statement = settings(named).statement("f", &place).expect("nothing is open");
            assert_eq!(statement["Principal"], written);
            assert_eq!(admits_secrets_manager(&statement), named.starts_with("secrets"));
            assert!(statement.get("Condition").is_none());
        }
        let open = PermissionSettings {
            source_arn: Setting::Open(Open::from("it is open")),
            ..settings("*")
        };
        assert_eq!(open.statement("f", &place).expect_err("open").reason, "it is open");
    }
}
