//! AWS policies, evaluated purely: may this request be made, and which statement says so or
//! says no. Three-valued, since what was not seen is neither a yes nor a no.
//!
//! ```text
//! rotation_requests(evidence) → RotationRequest { request, layers }
//!                 decide(request, layers) → Decision { statement, near miss, doubts }
//!                 fix(requests)           → FixPlan { statements, commands, verified }
//! ```

mod action;
mod allowed;
mod arn_pattern;
mod command;
mod condition;
mod context;
mod decide;
mod decision;
mod document;
mod edit;
mod endpoint;
mod failure;
mod filter;
mod fix;
mod grant;
mod hint;
mod judge;
mod near_miss;
mod operators;
mod path;
mod pattern;
mod principal;
mod proposal;
mod replace;
mod request;
mod rotation;
mod rotation_key;
mod rotation_own;
mod rotation_secret;
#[cfg(test)]
mod sample;
mod second_opinion;
mod statement;
mod surroundings;
mod tri;

pub use self::{
    context::{Context, Known},
    decide::decide,
    decision::{Decision, Decisive, DenyKind, Doubt, DoubtReason, StatementRole},
    document::{Effect, Policy, Statement},
    edit::Document,
    endpoint::EndpointPolicies,
    failure::{FailedOn, Failure, Hint},
    fix::{FixPlan, FixStep, fix},
    principal::Principal,
    replace::Replacement,
    request::{Layer, Layers, Part, Policies, Quote, Request, Unseen},
    rotation::{Need, Purpose, RotationRequest, rotation_requests},
    second_opinion::{Difference, SecondOpinion, second_opinion, simulated_requests},
    statement::Element,
    tri::Tri,
};

#[cfg(test)]
mod properties {
    use std::sync::Arc;

    use proptest::{prelude::*, sample::select};
    use serde_json::{Value, json};

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/r";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/f";
    const ACTIONS: &[&str] = &[
        "secretsmanager:GetSecretValue",
        "secretsmanager:Get*",
        "kms:Decrypt",
        "kms:*",
        "*",
        "logs:PutLogEvents",
    ];
    const RESOURCES: &[&str] = &[
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf",
        "arn:aws:secretsmanager:*:*:secret:a-??????",
        "arn:aws:secretsmanager:eu-west-1:444455556666:secret:a-AbCdEf",
        "arn:aws:kms:eu-west-1:111122223333:key/k",
        "arn:aws:kms:*:*:key/*",
        "*",
    ];
    const ASKED: &[&str] = &[
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:444455556666:secret:a-AbCdEf",
        "arn:aws:kms:eu-west-1:111122223333:key/k",
    ];
    const PRINCIPALS: &[&str] = &[
        "*",
        ROLE,
        SESSION,
        "arn:aws:iam::111122223333:root",
        "444455556666",
        "AROAEXAMPLEEXAMPLE1",
    ];
    const CONDITIONS: &[&str] = &[
        r#"{}"#,
        r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#,
        r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
        r#"{"StringLike":{"aws:PrincipalOrgID":"o-*"}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#,
    ];

    prop_compose! {
        fn a_statement()(
            deny in prop::bool::weighted(0.2),
            not in prop::bool::weighted(0.1),
            action in select(ACTIONS),
            resource in select(RESOURCES),
            principal in select(PRINCIPALS),
            condition in select(CONDITIONS),
        ) -> Value {
            let condition: Value = serde_json::from_str(condition).expect("a condition");
            json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                if not { "NotAction" } else { "Action" }: action,
                "Resource": resource,
                "Principal": {"AWS": principal},
                "Condition": condition,
            })
        }
    }

    fn documents() -> impl Strategy<Value = Vec<Value>> {
        prop::collection::vec(a_statement(), 0..4)
    }

    fn policy(statements: &[Value]) -> Arc<Policy> {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        Arc::new(Policy::new("p", document))
    }

    prop_compose! {
        fn a_request()(
            action in select(&["secretsmanager:GetSecretValue", "kms:Decrypt"][..]),
            resource in select(ASKED),
            endpoint in any::<bool>(),
        ) -> Request {
            let mut context = Context::default();
            context.set("aws:PrincipalArn", ROLE);
            context.set("aws:SecureTransport", "true");
            context.set_unknown("aws:PrincipalOrgID");
            if endpoint {
                context.set("aws:SourceVpce", "vpce-1");
            }
            Request {
                principal: Principal::read(SESSION, &context),
                action: action.to_owned(),
                resource: resource.to_owned(),
                resource_account: None,
                context,
            }
        }
    }

    prop_compose! {
        fn a_world()(
            identity in documents(),
            resource in prop::option::of(documents()),
            boundary in prop::option::of(documents()),
            endpoint in prop::option::of(documents()),
        ) -> Layers {
            let part = |list: Option<Vec<Value>>| {
                list.map_or(Part::Absent, |list| Part::Given(vec![policy(&list)]))
            };
            Layers {
                identity: vec![policy(&identity)],
                resource: part(resource),
                boundary: boundary.map_or(Part::Absent, |list| Part::Given(policy(&list))),
                endpoint: part(endpoint),
                ..Layers::default()
            }
        }
    }

    /// Any JSON, with the words of policies in it.
    fn any_json() -> impl Strategy<Value = Value> {
        let words = select(
            &[
                "Statement",
                "Effect",
                "Allow",
                "Deny",
                "Action",
                "NotAction",
                "Resource",
                "Principal",
                "NotPrincipal",
                "AWS",
                "Condition",
                "StringLike",
                "Null",
                "Version",
                "2012-10-17",
                "*",
                "${aws:x, 'y'}",
                "${",
                "arn:aws:iam::1:root",
                "a:*b?",
                "ForAllValues:IpAddressIfExists",
                "ForAnyValue:",
            ][..],
        );
        let text = prop_oneof![words.prop_map(str::to_owned), any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_deny_never_helps(request in a_request(), world in a_world()) {
            let before = decide(&request, &world);
            let mut more = world.clone();
            let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
            more.identity.push(policy(&[deny]));
            let after = decide(&request, &more);
            prop_assert!(after.is_denied());
            prop_assert_eq!(after.kind, Some(DenyKind::Explicit));
            // Nor does one that may match.
            let doubtful = json!({"Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}});
            let mut more = world;
            more.identity.push(policy(&[doubtful]));
            let after = decide(&request, &more);
            prop_assert!(!after.is_allowed());
            prop_assert_eq!(before.effect == Effect::Deny, after.effect == Effect::Deny);
        }

        #[test]
        fn taking_a_boundary_away_never_hurts(request in a_request(), world in a_world()) {
            let before = decide(&request, &world);
            let after = decide(&request, &Layers { boundary: Part::Absent, ..world });
            if before.is_allowed() {
                prop_assert!(after.is_allowed());
            }
        }

        #[test]
        fn the_order_of_statements_means_nothing(request in a_request(), world in a_world()) {
            let turn = |policy: &Arc<Policy>| {
                let mut document = policy.document().clone();
                if let Some(list) = document["Statement"].as_array_mut() {
                    list.reverse();
                }
                Arc::new(Policy::new("p", document))
            };
            let turned = Layers {
                identity: world.identity.iter().map(turn).collect(),
                resource: match &world.resource {
                    Part::Given(list) => Part::Given(list.iter().map(turn).collect()),
                    other => other.clone(),
                },
                ..world.clone()
            };
            let (before, after) = (decide(&request, &world), decide(&request, &turned));
            prop_assert_eq!(before.effect, after.effect);
            prop_assert_eq!(before.kind, after.kind);
            prop_assert_eq!(before.is_certain(), after.is_certain());
        }

        #[test]
        fn seeing_more_never_contradicts_what_was_certain(request in a_request(), world in a_world()) {
            let before = decide(&request, &world);
            prop_assume!(before.is_certain());
            let mut request = request;
            request.context.set("aws:PrincipalOrgID", "o-1");
            prop_assert_eq!(decide(&request, &world).effect, before.effect);
            request.context.remove("aws:PrincipalOrgID");
            prop_assert_eq!(decide(&request, &world).effect, before.effect);
        }

        #[test]
        fn no_document_makes_it_panic(document in any_json(), request in a_request()) {
            if let Ok(policy) = Policy::read("p", &document) {
                let policy = Arc::new(policy);
                let layers = Layers {
                    identity: vec![policy.clone()],
                    boundary: Part::Given(policy.clone()),
                    resource: Part::Given(vec![policy.clone()]),
                    endpoint: Part::Given(vec![policy]),
                    ..Layers::default()
                };
                let decision = decide(&request, &layers);
                prop_assert_eq!(decision.effect == Effect::Deny, decision.kind.is_some());
            }
        }

        #[test]
        fn no_statement_makes_it_panic(statement in any_json(), request in a_request()) {
            let document = json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": statement}]});
            let layers = Layers {
                identity: vec![Arc::new(Policy::new("p", document))], ..Layers::default()
            };
            let decision = decide(&request, &layers);
            prop_assert!(!decision.words("a", "r").is_empty());
        }
    }

    fn ask(resource: &str) -> Request {
        let mut context = Context::default();
        context.set("aws:PrincipalArn", ROLE);
        Request {
            principal: Principal::read(SESSION, &context),
            action: "secretsmanager:GetSecretValue".to_owned(),
            resource: resource.to_owned(),
            resource_account: None,
            context,
        }
    }

    fn decided(request: &Request, policy: Arc<Policy>) -> Decision {
        decide(request, &Layers { identity: vec![policy], ..Layers::default() })
    }

    /// The steps of one pattern are bounded by its length times the text's
    /// (`pattern.rs`), and each is looked at once a request: a document of a
    /// megabyte is decided, with its near miss.
    #[test]
    fn a_megabyte_of_hostile_policy_is_decided() {
        let pattern = format!("arn:aws:secretsmanager:*:*:secret:{}b", "*a".repeat(500));
        let statement = json!({"Effect": "Allow", "Action": format!("secretsmanager:{}z", "*e".repeat(500)),
            "Resource": pattern, "Condition": {"StringLike": {"aws:PrincipalArn": "*:*r*".repeat(100)}}});
        let hostile = policy(&vec![statement; 500]);
        assert!(hostile.document().to_string().len() > 1_000_000);
        let name = "a".repeat(500);
        let request =
            ask(&format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-AbCdEf"));
        assert!(decided(&request, hostile).is_denied());
        let one = json!({"Effect": "Allow", "Action": "*", "Resource": format!("{}b", "*a".repeat(500_000))});
        assert!(decided(&request, policy(&[one])).is_denied());
        let many: Vec<String> = (0..40_000).map(|n| format!("secretsmanager:Get{n}*")).collect();
        let many = json!({"Effect": "Allow", "Action": many, "Resource": "*"});
        assert!(decided(&request, policy(&[many])).is_denied());
    }

    #[test]
    fn nesting_ends_in_an_error_or_in_nothing() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Policy::read("p", &Value::from(deep)).is_err());
        let deep = format!("{}1{}", "{\"Statement\":".repeat(100_000), "}".repeat(100_000));
        assert!(Policy::read("p", &Value::from(deep.as_str())).is_err());
        let encoded = deep.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        assert!(Policy::read("p", &Value::from(encoded)).is_err());
        // As deep as JSON may be: no element is where it belongs, so nothing matches.
        let nested = (0..100).fold(json!("*"), |inner, _| json!([inner]));
        let statement = json!({"Effect": "Allow", "Action": nested, "Resource": nested, "Principal": nested,
            "Condition": {"StringLike": {"aws:PrincipalArn": nested}}});
        assert!(decided(&ask("*"), policy(&[statement])).is_denied());
    }

    #[test]
    fn odd_unicode_is_text_like_any_other() {
        let odd = [
            "\u{0}",
            "\u{202e}",
            "é",
            "e\u{301}",
            "İ",
            "ß",
            "ﬃ",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{feff}",
            "％",
            "＊",
            "ſecretsmanager:Get*",
            "\u{2126}",
            "ǅ",
            "\u{10ffff}",
            "${İ}",
            "${\u{0},'\u{202e}'}",
        ];
        for text in odd {
            let name =
                format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{text}-AbCdEf");
            let exact = json!({"Sid": text, "Effect": "Allow", "Action": "secretsmanager:*",
                "Resource": name.replace("${", "${$}{"), "Condition": {"StringNotLikeIfExists": {text: text}}});
            assert!(decided(&ask(&name), policy(&[exact])).is_allowed(), "{text:?}");
            // What only looks alike is another action, key or operator.
            let alike = json!({"Effect": "Allow", "Action": text, "Resource": "*", "Principal": {text: text},
                "Condition": {text: {text: text}, "StringLike": {text: text}}});
            let decision = decided(&ask(&name), policy(&[alike]));
            assert!(decision.is_denied(), "{text:?}");
            assert!(!decision.words(text, text).is_empty());
        }
        assert!(Policy::read("p", &json!(r#"{"Statement":{"Sid":"\ud800"}}"#)).is_err());
    }
}
