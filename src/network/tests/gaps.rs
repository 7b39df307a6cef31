//! Laws about what was not seen and what makes no sense: hiding a fact never
//! turns one answer into another, and broken evidence is no panic.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::worlds::*;
use crate::{
    evidence::Evidence,
    network::{Answer, FACTS, Question, Verdict, judge},
};

/// A world of each kind, with some trouble in it.
fn any_world() -> impl Strategy<Value = Value> {
    let kinds = (0..8_usize, any::<bool>(), any::<bool>(), 0..6_usize);
    kinds.prop_map(|(kind, both, idle, trouble)| {
        let mut world = match kind {
            0 => world(),
            1 => with_endpoint(true),
            2 => with_endpoint(false),
            3 => with_nat(),
            4 => dual_stack(),
            5 => peered(),
            6 => transit(),
            _ => {
                let mut public = with_nat();
                public["DBInstances"][0]["PubliclyAccessible"] = json!(true);
                public["Function"]["Configuration"]["VpcConfig"] = json!(null);
                public
            }
        };
        if both && world["Function"]["Configuration"]["VpcConfig"].is_object() {
            world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] =
                json!(["subnet-l1", "subnet-l2"]);
        }
        if idle {
            world["NetworkInterfaces"].as_array_mut().expect("list").drain(0..2);
        }
        match trouble {
            0 => world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "10.0.1.0/25")]),
            1 => world["SecurityGroups"][2]["IpPermissions"] = json!([]),
            2 => push(
                &mut world["NetworkAcls"],
                acl(
                    "acl-fn",
                    false,
                    &["subnet-l1"],
                    vec![entry(1, true, "allow", None, "0.0.0.0/0")],
                ),
            ),
            3 => push(&mut world["RouteTables"][1]["Routes"], route("52.119.0.0/16", "!pcx-0")),
            4 => world["VpcAttributes"]["vpc-a"]["EnableDnsHostnames"] = json!({"Value": false}),
            _ => {}
        }
        world
    })
}

fn answers(evidence: &Evidence) -> [Answer; 2] {
    let secrets_manager = Question::secrets_manager(evidence).expect("question");
    [Question::database(DB, 5432), secrets_manager]
        .map(|question| judge(evidence, &question, &dns()))
}

/// Every place in a bundle.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(index, item)| {
            found.push(format!("{at}/{index}"));
            places(item, &format!("{at}/{index}"), found);
        }),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            found.push(format!("{at}/{key}"));
            places(item, &format!("{at}/{key}"), found);
        }),
        _ => {}
    }
}

fn nonsense() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(""),
        json!("sg-gone"),
        json!("subnet-gone"),
        json!("10.0.0.0/99"),
        json!("10.0.0.0/8"),
        json!("::/0"),
        json!("0.0.0.0/0"),
        json!("vpc-b"),
        json!("*"),
        json!(-1),
        json!(99_999_999),
        json!([]),
        json!({}),
        json!(true),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hiding_a_fact_makes_an_answer_unknown_and_never_another(world in any_world(), fact in select(FACTS.to_vec())) {
        let mut hidden = world.clone();
        refuse(&mut hidden, fact.name(), fact.actions()[0], "");
        if fact == crate::evidence::Fact::Function {
            return Ok(());
        }
        for (before, after) in answers(&read(&world)).iter().zip(answers(&read(&hidden))) {
            let same = before.verdict == after.verdict;
            prop_assert!(
                same || after.verdict == Verdict::Unknown || before.verdict == Verdict::Unknown,
                "{} became {} without {}", short(before), short(&after), fact.name()
            );
            if after.verdict == Verdict::Unknown {
                prop_assert!(!after.missing.is_empty(), "unknown, and nothing says why");
            }
        }
    }

    #[test]
    fn hiding_one_resource_makes_an_answer_unknown_and_never_another(
        world in any_world(),
        list in select(vec![
            ("SecurityGroups", "GroupId"), ("NetworkAcls", "NetworkAclId"),
            ("RouteTables", "RouteTableId"), ("Subnets", "SubnetId"),
            ("NatGateways", "NatGatewayId"), ("InternetGateways", "InternetGatewayId"),
            ("VpcPeeringConnections", "VpcPeeringConnectionId"),
            ("TransitGatewayVpcAttachments", "TransitGatewayAttachmentId"),
            ("TransitGatewayRouteTables", "TransitGatewayRouteTableId"),
            ("DBInstances", "DBInstanceIdentifier"), ("VpcEndpoints", "VpcEndpointId"),
        ]),
        which in any::<prop::sample::Index>(),
    ) {
        let (fact, id) = list;
        let mut hidden = world.clone();
        let Some(items) = hidden[fact].as_array_mut().filter(|items| !items.is_empty()) else {
            return Ok(());
        };
        let gone = items.remove(which.index(items.len()));
        let resource = gone[id].as_str().expect("an id").to_owned();
        let action = crate::evidence::Fact::named(fact).expect("a fact").actions()[0];
        push(&mut hidden["Gaps"], json!({"Fact": fact, "Action": action,
            "Resource": resource, "Reason": "AccessDenied"}));
        for (before, after) in answers(&read(&world)).iter().zip(answers(&read(&hidden))) {
            let same = before.verdict == after.verdict;
            prop_assert!(
                same || after.verdict == Verdict::Unknown || before.verdict == Verdict::Unknown,
                "{} became {} without {resource}", short(before), short(&after)
            );
        }
    }

    #[test]
    fn broken_evidence_is_no_panic(
        world in any_world(),
        breaks in prop::collection::vec((any::<prop::sample::Index>(), nonsense()), 1..6),
    ) {
        let mut broken = world;
        for (which, value) in breaks {
            let mut all = Vec::new();
            places(&broken, "", &mut all);
            let at = which.get(&all);
            *broken.pointer_mut(at).expect("a place") = value;
        }
        // What is no bundle any more is refused before it gets here.
        let Ok(mut evidence) = serde_json::from_value::<Evidence>(broken) else { return Ok(()) };
        evidence.settle();
        let question = Question::secrets_manager(&evidence);
        for question in question.into_iter().chain([Question::database(DB, 5432)]) {
            let answer = judge(&evidence, &question, &dns());
            let blocks = matches!(answer.verdict, Verdict::Blocked | Verdict::Intermittent);
            prop_assert!(!blocks || !answer.blockers.is_empty(), "blocked by nothing");
            prop_assert!(answer.verdict != Verdict::Reachable || answer.blockers.is_empty());
        }
    }

    #[test]
    fn the_order_of_the_subnets_means_nothing(world in any_world()) {
        let mut turned = world.clone();
        if let Some(ids) = turned["Function"]["Configuration"]["VpcConfig"]["SubnetIds"].as_array_mut() {
            ids.reverse();
        }
        for (one, other) in answers(&read(&world)).iter().zip(answers(&read(&turned))) {
            prop_assert_eq!(one, &other);
        }
    }
}
