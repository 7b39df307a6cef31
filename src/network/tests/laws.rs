//! Laws that hold in every world: less allowed opens nothing, more denied opens
//! nothing, and order means nothing.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::worlds::*;
use crate::network::Answer;

/// How far the target is open, in a world without gaps.
fn openness(answer: &Answer) -> u8 {
    match answer.verdict.word() {
        "reachable" => 2,
        "intermittent" => 1,
        "blocked" => 0,
        other => panic!("{other} in a world without gaps: {:?}", answer.missing),
    }
}

fn blocks() -> impl Strategy<Value = &'static str> {
    select(vec![
        "0.0.0.0/0",
        "10.0.0.0/16",
        "10.0.1.0/24",
        "10.0.1.128/25",
        "10.0.2.0/24",
        "10.0.11.50/32",
    ])
}

fn rule() -> impl Strategy<Value = Value> {
    let peer = prop_oneof![blocks(), select(vec!["sg-fn", "sg-db", "sg-ep", "pl-1"])];
    (select(vec![443, 5432, 3306]), peer, any::<bool>())
        .prop_map(|(port, peer, wide)| if wide { all(peer) } else { tcp(port, peer) })
}

fn rules() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(rule(), 0..4)
}

fn acl_entry() -> impl Strategy<Value = Value> {
    let ports = prop_oneof![
        Just(None),
        select(vec![(5432, 5432), (443, 443), (1024, 65535), (32768, 65535), (1024, 32767)])
            .prop_map(Some)
    ];
    (1..20_i64, any::<bool>(), select(vec!["allow", "allow", "deny"]), ports, blocks()).prop_map(
        |(number, egress, action, ports, block)| entry(number, egress, action, ports, block),
    )
}

/// Entries with a number each, as AWS has them.
fn acl_entries() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(acl_entry(), 0..8).prop_map(|mut entries| {
        for (index, entry) in entries.iter_mut().enumerate() {
            entry["RuleNumber"] = json!(10 * (index + 1));
        }
        entries
    })
}

prop_compose! {
    fn any_world()(
        egress in rules(), ingress in rules(), endpoint in rules(),
        near in acl_entries(), far in acl_entries(),
        idle in any::<bool>(), nat in any::<bool>(), both in any::<bool>(), opened in any::<bool>(),
    ) -> Value {
        let mut world = with_endpoint(true);
        if nat {
            world = with_nat();
        }
        world["ManagedPrefixListEntries"] = json!({"pl-1": ["10.0.2.0/23", "52.119.196.0/24"]});
        if both {
            world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-l1", "subnet-l2"]);
        }
        if idle {
            world["NetworkInterfaces"].as_array_mut().expect("list").drain(0..2);
        }
        world["SecurityGroups"][0]["IpPermissionsEgress"] = json!(egress);
        world["SecurityGroups"][1]["IpPermissions"] = json!(ingress);
        world["SecurityGroups"][2]["IpPermissions"] = json!(endpoint);
        if opened {
            push(&mut world["SecurityGroups"][0]["IpPermissionsEgress"], all("0.0.0.0/0"));
            push(&mut world["SecurityGroups"][1]["IpPermissions"], all("10.0.0.0/16"));
        }
        push(&mut world["NetworkAcls"], acl("acl-fn", false, &["subnet-l1"], near));
        push(&mut world["NetworkAcls"], acl("acl-db", false, &["subnet-d1"], far));
        world
    }
}

fn answers(world: &Value) -> [Answer; 2] {
    [database(world), secrets_manager(world)]
}

fn no_more_open(before: &Value, after: &Value) {
    for (old, new) in answers(before).iter().zip(answers(after)) {
        assert!(openness(&new) <= openness(old), "{} became {}", short(old), short(&new));
    }
}

/// Turns every list of the world around, by a generator of its own.
fn turn(value: &mut Value, seed: &mut u64) {
    match value {
        Value::Array(list) => {
            for item in list.iter_mut() {
                turn(item, seed);
            }
            for index in (1..list.len()).rev() {
                *seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let other = usize::try_from(*seed >> 33).expect("31 bits") % (index + 1);
                list.swap(index, other);
            }
        }
        Value::Object(map) => map.values_mut().for_each(|item| turn(item, seed)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removing_an_allow_rule_opens_nothing(world in any_world(), group in 0..3_usize, index in 0..5_usize) {
        let mut less = world.clone();
        for key in ["IpPermissions", "IpPermissionsEgress"] {
            let list = less["SecurityGroups"][group][key].as_array_mut().expect("rules");
            if index < list.len() {
                list.remove(index);
            }
        }
        no_more_open(&world, &less);
    }

    #[test]
    fn adding_a_deny_entry_opens_nothing(world in any_world(), mut denied in acl_entry(), which in 0..3_usize) {
        denied["RuleAction"] = json!("deny");
        let mut more = world.clone();
        push(&mut more["NetworkAcls"][which]["Entries"], denied);
        no_more_open(&world, &more);
    }

    #[test]
    fn removing_a_route_opens_nothing_where_no_wider_one_is_left(world in any_world()) {
        let mut less = world.clone();
        less["RouteTables"][1]["Routes"] = json!([]);
        no_more_open(&world, &less);
    }

    #[test]
    fn the_order_of_lists_means_nothing(world in any_world(), seed in any::<u64>()) {
        let mut turned = world.clone();
        turn(&mut turned, &mut seed.clone());
        for (old, new) in answers(&world).iter().zip(answers(&turned)) {
            prop_assert_eq!(old.verdict, new.verdict);
            prop_assert_eq!(&old.blockers, &new.blockers);
            prop_assert_eq!(&old.failing, &new.failing);
            prop_assert_eq!(&old.explanation, &new.explanation);
        }
    }
}
