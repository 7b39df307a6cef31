//! A policy document in place of another, in the evidence: what a fix amounts to, so that it
//! can be tried.

use serde_json::Value;

use super::edit::Document;
use crate::evidence::{Evidence, Observed, PolicyDocument, RolePolicy};

/// A document as it stands after a fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement {
    /// Which document.
    pub document: Document,
    /// The name of the inline policy, where it is a new one.
    pub name: String,
    /// The whole document.
    pub after: Value,
}

impl Replacement {
    /// Puts the document into the evidence. What was not seen stays so.
    pub fn apply(&self, evidence: &mut Evidence) {
        let after = PolicyDocument(self.after.clone());
        match &self.document {
            Document::RolePolicy { .. } => {
                let policy = RolePolicy {
                    policy_name: Some(self.name.clone()),
                    policy_document: Some(after),
                };
                match &mut evidence.role_policies {
                    Observed::Known(policies) => policies.push(policy),
                    Observed::Absent => evidence.role_policies = Observed::Known(vec![policy]),
                    _ => {}
                }
            }
            Document::InlinePolicy { policy: name, .. } => {
                for policy in evidence.role_policies.known_mut().into_iter().flatten() {
                    if policy.policy_name.as_deref() == Some(name) {
                        policy.policy_document = Some(after.clone());
                    }
                }
            }
            Document::ManagedPolicy { arn } => {
                let attached = evidence.attached_policies.known_mut().into_iter().flatten();
                for policy in attached.chain(evidence.permissions_boundary.known_mut()) {
                    if policy.policy_arn.as_deref() == Some(arn) {
                        policy.policy_document = Some(after.clone());
                    }
                }
            }
            Document::KeyPolicy { key: wanted } => {
                for (arn, key) in &mut evidence.keys {
                    let named = key.key_metadata.known().and_then(|metadata| metadata.arn.as_ref());
                    if arn == wanted || named == Some(wanted) {
                        key.policy = Observed::Known(after.clone());
                    }
                }
            }
            Document::SecretPolicy { secret } => {
                if evidence.secret_arn() == Some(secret) {
                    evidence.secret_policy = Observed::Known(after);
                }
            }
            Document::FunctionPolicy { .. } => evidence.function_policy = Observed::Known(after),
            Document::TrustPolicy { .. } => {
                if let Some(role) = evidence.role.known_mut() {
                    role.assume_role_policy_document = Some(after);
                }
            }
            Document::EndpointPolicy { endpoint: id } => {
                for endpoint in evidence.vpc_endpoints.known_mut().into_iter().flatten() {
                    if endpoint.vpc_endpoint_id.as_ref() == Some(id) {
                        endpoint.policy_document = Some(after.clone());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{
        fix,
        rotation::tests::{KEY, SECRET, world},
        rotation_requests,
    };

    /// What is denied, is allowed once the fix is in the evidence.
    fn mends(change: impl FnOnce(&mut Value)) {
        let mut evidence = world(change);
        let denied = |evidence: &_| -> Vec<_> {
            let requests = rotation_requests(evidence);
            requests.into_iter().filter(|request| !request.decide().is_allowed()).collect()
        };
        let plan = fix(&denied(&evidence));
        assert!(plan.verified && !plan.steps.is_empty(), "{:?}", plan.remaining);
        for step in &plan.steps {
            step.replacement.apply(&mut evidence);
        }
        assert!(denied(&evidence).is_empty(), "{:?}", plan.steps);
    }

    #[test]
    fn every_kind_of_document_goes_back_into_the_evidence() {
        let boundary = "arn:aws:iam::111122223333:policy/Bound";
        let only_get = json!({"Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]});
        mends(|bundle| bundle["RolePolicies"] = json!([]));
        mends(|bundle| bundle["FunctionPolicy"] = Value::Null);
        mends(|bundle| bundle["Role"]["AssumeRolePolicyDocument"] = json!({"Statement": []}));
        mends(|bundle| bundle["Keys"][KEY]["Policy"] = json!({"Statement": []}));
        mends(|bundle| {
            bundle["SecretPolicy"] = json!({"Statement": [{"Effect": "Deny", "Principal": "*",
                "Action": "*", "Resource": SECRET}]});
        });
        mends(|bundle| {
            bundle["Role"]["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": boundary});
            bundle["PermissionsBoundary"] =
                json!({"PolicyArn": boundary, "PolicyDocument": only_get});
        });
        mends(|bundle| {
            bundle["RolePolicies"][0]["PolicyDocument"]["Statement"][0]["Resource"] =
                json!(SECRET.trim_end_matches("-AbCdEf"));
        });
        mends(|bundle| {
            bundle["VpcEndpoints"] = json!([{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1",
                "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": true,
                "ServiceName": "com.amazonaws.eu-west-1.secretsmanager", "PolicyDocument": only_get}]);
        });
    }
}
