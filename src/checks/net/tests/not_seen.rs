//! The RDS API, and what was not asked for or refused.

use super::*;

#[test]
fn the_rds_api_is_asked_only_for_a_managed_superuser() {
    let mut managed = secret(with_endpoint(true));
    managed["SuperuserSecret"] = json!({"Name": "rds!db-1", "OwningService": "rds"});
    let found = only_finding_with_fix(&rds_api_path::CHECK, managed.clone());
    assert_eq!((found.code(), found.resource.as_str()), ("NET14", "rtb-fn"));
    assert!(found.fixes[0].lines().iter().any(|c| c.contains("com.amazonaws.eu-west-1.rds ")));
    let mut nat = secret(with_nat());
    nat["SuperuserSecret"] = managed["SuperuserSecret"].clone();
    assert!(codes(&judge(&rds_api_path::CHECK, nat)).is_empty());
    managed["SuperuserSecret"] = json!({"Name": "admin"});
    assert!(not_applicable(&judge(&rds_api_path::CHECK, managed.clone())));
    managed.as_object_mut().expect("bundle").shift_remove("SuperuserSecret");
    assert!(not_applicable(&judge(&rds_api_path::CHECK, managed.clone())));
    managed["Gaps"] = crate::checks::testing::denied(Fact::SuperuserSecret);
    assert!(lacks(&judge(&rds_api_path::CHECK, managed.clone()), Fact::SuperuserSecret));
}

#[test]
fn the_log_of_such_a_call_is_enough() {
    let mut world = secret(with_endpoint(true));
    let text = "[ERROR] ValueError: setSecret: Encountered API error while fetching connection parameters from DescribeDBInstances RDS API: timed out";
    let lines = [
        "START RequestId: 11111111-aaaa-4bbb-8ccc-000000000001 Version: $LATEST",
        text,
        "END RequestId: 11111111-aaaa-4bbb-8ccc-000000000001",
    ];
    world["LogEvents"] = lines
        .iter()
        .enumerate()
        .map(|(at, text)| json!({"timestamp": 1_795_057_921_000_u64 + at as u64, "logStreamName": "s", "message": text}))
        .collect();
    let found = judge(&rds_api_path::CHECK, world).expect("findings");
    assert_eq!(all_codes(&found), ["NET14"]);
}

#[test]
fn facts_that_nobody_asked_for_are_named_once() {
    let mut world = secret(world());
    for fact in ["Subnets", "RouteTables", "SecurityGroups", "Vpcs", "NetworkInterfaces"] {
        world.as_object_mut().expect("world").shift_remove(fact);
    }
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] =
        json!(["subnet-l1", "subnet-l2"]);
    let Err(Stop::Inconclusive(missing)) = judge(&secrets_manager_path::CHECK, world) else {
        panic!("judged what it did not see");
    };
    let subnets: Vec<_> = missing.iter().filter(|one| one.fact == Fact::Subnets).collect();
    assert_eq!(subnets.len(), 1, "{missing:?}");
    assert_eq!((subnets[0].reason.as_str(), subnets[0].resource.as_str()), ("not asked for", ""));
}

#[test]
fn servers_of_ones_own_are_a_reason_and_no_permission() {
    let mut world = secret(with_endpoint(true));
    world["DhcpOptions"][0]["DhcpConfigurations"][0]["Values"] = json!([{"Value": "10.0.0.9"}]);
    let Err(Stop::Inconclusive(missing)) = judge(&secrets_manager_path::CHECK, world) else {
        panic!("judged what it cannot see");
    };
    assert!(
        missing.iter().any(|one| one.action.is_empty() && one.reason.contains("10.0.0.9")),
        "{missing:?}"
    );
}

/// A case reads what it declares, whatever the engine then looks at.
#[test]
fn the_engine_counts_as_reading_all_of_its_facts() {
    let evidence = Evidence::default();
    let case = Case::new(&evidence);
    case.network();
    assert!(crate::network::FACTS.iter().all(|fact| case.reads().contains(fact)));
}
#[test]
fn what_was_refused_makes_it_inconclusive() {
    let mut refused = secret(with_endpoint(true));
    refused.as_object_mut().expect("world").shift_remove("SecurityGroups");
    refused["Gaps"] = crate::checks::testing::denied(Fact::SecurityGroups);
    for check in [&secrets_manager_path::CHECK, &database_path::CHECK] {
        let Err(Stop::Inconclusive(missing)) = judge(check, shaped(refused.clone())) else {
            panic!("{} judged what it did not see", check.name);
        };
        assert!(
            missing.iter().any(|one| one.action == "ec2:DescribeSecurityGroups"),
            "{missing:?}"
        );
    }
    // What is nowhere on the path does not matter.
    let mut elsewhere = secret(with_endpoint(true));
    elsewhere.as_object_mut().expect("world").shift_remove("TransitGateways");
    elsewhere["Gaps"] = crate::checks::testing::denied(Fact::TransitGateways);
    assert!(codes(&judge(&secrets_manager_path::CHECK, elsewhere)).is_empty());
}

#[test]
fn zones_that_nobody_asked_for_are_none_and_refused_ones_are_not() {
    let mut live = world();
    for fact in ["HostedZonesByVPC", "ResolverRules"] {
        live.as_object_mut().expect("world").shift_remove(fact);
    }
    let found = reach(live.clone());
    assert_eq!(all_codes(&found), ["NET01"]);
    assert!(found[0].proofs.iter().any(|proof| proof.text.contains("were not looked at")));
    assert!(reach(with_endpoint(true)).is_empty());
    let mut refused = secret(with_endpoint(true));
    refused.as_object_mut().expect("world").shift_remove("HostedZonesByVPC");
    refused["Gaps"] = crate::checks::testing::denied(Fact::HostedZonesByVPC);
    assert!(lacks(&judge(&secrets_manager_path::CHECK, refused), Fact::HostedZonesByVPC));
}

/// Another account's zone cannot be listed. It matters where the name belongs to it.
#[test]
fn a_zone_whose_records_were_not_seen_counts_where_it_decides() {
    let with_zone = |name: &str| {
        let mut world = world();
        world["HostedZonesByVPC"] = json!({"vpc-a": [{"HostedZoneId": "Z2", "Name": name}]});
        world["Gaps"] = json!([{"Fact": "HostedZonesByVPC", "Action": "", "Resource": "Z2",
            "Reason": "Unsupported", "Message": "the zone belongs to account 999999999999"}]);
        world
    };
    let elsewhere = reach(with_zone("corp.internal."));
    assert_eq!(all_codes(&elsewhere), ["NET01"]);
    assert_eq!(elsewhere[0].basis, Basis::State);
    let decisive = judge(&secrets_manager_path::CHECK, with_zone("eu-west-1.amazonaws.com."));
    assert!(lacks(&decisive, Fact::HostedZonesByVPC), "{decisive:?}");
}

/// Few callers may read Route 53, and few VPCs have a zone that matters.
#[test]
fn a_way_that_is_closed_without_zones_is_told_where_they_were_refused() {
    let mut refused = world();
    refused.as_object_mut().expect("world").shift_remove("HostedZonesByVPC");
    refused["Gaps"] = crate::checks::testing::denied(Fact::HostedZonesByVPC);
    let found = reach(refused);
    assert_eq!(all_codes(&found), ["NET01"]);
    assert_eq!(found[0].basis, Basis::Indication);
    assert!(found[0].proofs.iter().any(|proof| proof.text.contains("could not be seen")));
}
