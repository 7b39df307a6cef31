//! Values with an inner structure, such as `SubnetIds=subnet-1,subnet-2`: the AWS CLI takes
//! them apart at commas, so text from evidence may only stand in them where it holds none.

use serde_json::Value;

use super::Argument;

impl Argument {
    /// A structure as the AWS CLI takes it: in its shorthand (`Key=value,List=[{Key=value}]`)
    /// where every text in it is plain, else as JSON, in which any text stays one value.
    ///
    /// Shorthand syntax: AWS CLI User Guide, "Using shorthand syntax with the AWS CLI".
    pub fn structure(value: &Value) -> Self {
        match value.as_object().and_then(fields) {
            Some(text) => Self::from(text),
            None => Self::json(value),
        }
    }
}

fn fields(object: &serde_json::Map<String, Value>) -> Option<String> {
    let fields = object.iter().map(|(key, value)| match value {
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Option<Vec<String>> = items.iter().map(plain).collect();
            Some(format!("{key}={}", items?.join(",")))
        }
        Value::Array(items) => {
            let items: Option<Vec<String>> = items
                .iter()
                .map(|item| Some(format!("{{{}}}", fields(item.as_object()?)?)))
                .collect();
            Some(format!("{key}=[{}]", items?.join(",")))
        }
        other => Some(format!("{key}={}", plain(other)?)),
    });
    Some(fields.collect::<Option<Vec<_>>>()?.join(","))
}

/// A scalar that the shorthand takes as it stands.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:/@+!-".contains(c);
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::commands::Command;

    fn text(value: Value) -> String {
        let command = Command::aws("x", "y").option("--z", Argument::structure(&value)).plain();
        command.trim_start_matches("aws x y --z ").to_owned()
    }

    #[test]
    fn plain_text_is_written_in_shorthand() {
        let vpc = json!({"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]});
        assert_eq!(text(vpc), "SubnetIds=subnet-1,subnet-2,SecurityGroupIds=sg-1");
        let rule = json!({"IpProtocol": "tcp", "FromPort": 443, "UserIdGroupPairs": [{"GroupId": "sg-1"}]});
        assert_eq!(text(rule), "'IpProtocol=tcp,FromPort=443,UserIdGroupPairs=[{GroupId=sg-1}]'");
    }

    #[test]
    fn text_that_would_change_the_structure_makes_it_json() {
        let vpc = json!({"SubnetIds": ["subnet-1,SecurityGroupIds=sg-evil"]});
        assert_eq!(text(vpc), r#"'{"SubnetIds":["subnet-1,SecurityGroupIds=sg-evil"]}'"#);
        assert_eq!(text(json!({"SubnetIds": []})), r#"'{"SubnetIds":[]}'"#);
        assert_eq!(text(json!({"Name": ""})), r#"'{"Name":""}'"#);
    }
}
