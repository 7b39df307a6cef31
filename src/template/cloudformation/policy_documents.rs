//! Policy documents of a template: those in which something is open stay readable where
//! it stands in a resource or in the value of a condition on texts, as a variable that no
//! request has.

use serde_json::Value as Json;

use super::value::{Resolved, is_opaque};
use crate::template::aws::{Open, Setting};

/// The services whose requests a rotation makes, for statements on any action.
const SERVICES: &[&str] = &["secretsmanager", "kms", "rds", "logs", "ec2", "lambda"];

/// Reads a document as IAM would return it.
pub(super) fn read(document: &Resolved) -> Setting<Json> {
    if document.is_nothing() {
        return Setting::Absent;
    }
    if let Some(open) = document.open() {
        return Setting::Open(open.clone());
    }
    let wrong = || {
        let reason = format!("the policy in line {} is no policy document", document.at.line);
        Setting::Open(Open::named("a policy", reason))
    };
    // A document may be given as text.
    let mut json = match document.json() {
        Json::String(text) => match serde_json::from_str(&text) {
            Ok(json) => json,
            Err(_) => return wrong(),
        },
        json => json,
    };
    if !json.is_object() {
        return wrong();
    }
    let Some(open) = document.first_open() else { return Setting::Known(json) };
    // Before that version there are no variables.
    let with_variables = json["Version"] == "2012-10-17";
    let readable = with_variables
        && match &mut json["Statement"] {
            Json::Array(list) => list.iter_mut().all(open_statement),
            one => open_statement(one),
        };
    if readable { Setting::Known(json) } else { Setting::Open(open.clone()) }
}

/// Rewrites what is open in a statement; false where it stands anywhere but in its
/// resources and in its conditions on texts.
fn open_statement(statement: &mut Json) -> bool {
    let actions = services(statement);
    let Some(members) = statement.as_object_mut() else { return false };
    for (name, member) in members {
        match name.as_str() {
            "Resource" | "NotResource" => {
                let written = match member.take() {
                    Json::Array(list) => list,
                    one => vec![one],
                };
                let mut resources = Vec::new();
                for one in written {
                    let Json::String(text) = one else { return false };
                    resources.extend(open_resource(&text, &actions).into_iter().map(Json::String));
                }
                *member = Json::Array(resources);
            }
            "Condition" => {
                let Some(operators) = member.as_object() else { return false };
                for (operator, keys) in operators {
                    let about_text = operator.contains("String") || operator.contains("Arn");
                    if holds_open(keys) && !about_text {
                        return false;
                    }
                }
            }
            _ if holds_open(member) => return false,
            _ => {}
        }
    }
    true
}

fn holds_open(value: &Json) -> bool {
    match value {
        Json::String(text) => is_opaque(text) && !is_variable(text),
        Json::Array(list) => list.iter().any(holds_open),
        Json::Object(members) => members.values().any(holds_open),
        _ => false,
    }
}

/// Whether every variable in a text is one of IAM's, which have a colon.
fn is_variable(text: &str) -> bool {
    text.split("${").skip(1).all(|rest| rest.split('}').next().unwrap_or_default().contains(':'))
}

fn services(statement: &Json) -> Vec<String> {
    let actions: Vec<&str> = match &statement["Action"] {
        Json::String(one) => vec![one],
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let mut found: Vec<String> = actions
        .iter()
        .filter_map(|action| action.split_once(':'))
        .map(|(service, _)| service.to_ascii_lowercase())
        .collect();
    if found.is_empty() || found.iter().any(|service| service.contains('*')) {
        found = SERVICES.iter().map(|service| (*service).to_owned()).collect();
    }
    found.sort();
    found.dedup();
    found
}

/// A resource as patterns that can be held against a request: IAM knows variables in
/// the last part of an ARN only.
fn open_resource(text: &str, services: &[String]) -> Vec<String> {
    if !is_opaque(text) || is_variable(text) {
        return vec![text.to_owned()];
    }
    // The same open text names the same resource: `${$}` is a dollar sign.
    let itself = text.replace("${", "${$}{");
    // The first token ends the text that is known.
    let start = text.find("${").unwrap_or_default();
    let token: String = text[start..].split_inclusive('}').next().unwrap_or_default().to_owned();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, service, region, account, resource] if !is_opaque(service) => {
            let plain = |part: &str| if is_opaque(part) { "*".to_owned() } else { part.to_owned() };
            let around = [*partition, *region, *account].iter().any(|part| is_opaque(part));
            let resource = if around { token } else { (*resource).to_owned() };
            let (partition, region, account) = (plain(partition), plain(region), plain(account));
            vec![format!("arn:{partition}:{service}:{region}:{account}:{resource}"), itself]
        }
        _ => {
            let of_service = |service: &String| format!("arn:*:{service}:*:*:{token}");
            services.iter().map(of_service).chain([itself]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::template::{
        aws::Setting,
        cloudformation::{document, testing::with_scope},
    };

    fn reading(text: &str) -> Result<Value, String> {
        let template = "Parameters: {P: {Type: String}}\nResources: {}\n";
        let node = document::read(text).expect(text).root;
        with_scope(template, |scope| match read(&scope.resolve(&node)) {
            Setting::Known(document) => Ok(document),
            Setting::Open(open) => Err(open.reason),
            Setting::Absent => Ok(Value::Null),
        })
    }

    #[test]
    fn what_is_open_in_a_resource_is_a_variable_and_elsewhere_opens_the_document() {
        let with = |statement: &str| {
            reading(&format!("{{Version: 2012-10-17, Statement: [{statement}]}}"))
        };
        let open = with("{Effect: Allow, Action: 'kms:Decrypt', Resource: !Ref P}");
        assert_eq!(
            open.expect("a document")["Statement"][0]["Resource"],
            json!(["arn:*:kms:*:*:${P}", "${$}{P}"])
        );
        let part = with("{Effect: Allow, Action: 'a:b', Resource: !Sub 'arn:aws:s3:::x/${P}'}");
        assert_eq!(
            part.expect("a document")["Statement"][0]["Resource"],
            json!(["arn:aws:s3:::x/${P}", "arn:aws:s3:::x/${$}{P}"])
        );
        let region = with("{Effect: Deny, Action: '*', Resource: !Sub 'arn:aws:kms:${P}:1:key/k'}");
        assert_eq!(
            region.expect("a document")["Statement"][0]["Resource"],
            json!(["arn:aws:kms:*:1:${P}", "arn:aws:kms:${$}{P}:1:key/k"])
        );
        assert!(with("{Effect: Allow, Action: !Ref P, Resource: '*'}").is_err());
        assert!(with("{Effect: Allow, Principal: {AWS: !Ref P}, Action: 'a:b'}").is_err());
        assert!(with("{Effect: Allow, Action: 'a:b', Resource: '${aws:username}'}").is_ok());
        assert!(reading("{Statement: [{Action: 'a:b', Resource: !Ref P}]}").is_err());
        assert_eq!(reading("!Ref P"), Err("parameter P has no value".to_owned()));
        assert!(reading("7").is_err());
        assert!(reading("'{\"Version\": \"2012-10-17\"}'").is_ok());
    }
}
