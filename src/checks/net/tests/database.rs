//! The path to the database.

use super::*;

#[test]
fn a_private_database_needs_a_function_in_a_vpc() {
    let mut outside = shaped(world());
    outside["Function"]["Configuration"]["VpcConfig"] = json!(null);
    let found = only_finding_with_fix(&database_path::CHECK, outside);
    assert_eq!(found.code(), "NET09");
    assert!(
        found.fixes[0].lines()[0].ends_with("SubnetIds=subnet-d1,subnet-d2,SecurityGroupIds=sg-fn"),
        "the group that the database admits: {:?}",
        found.fixes[0].lines()
    );
}

#[test]
fn a_private_database_is_enough_where_its_network_was_not_seen() {
    let mut blind = shaped(world());
    blind["Function"]["Configuration"]["VpcConfig"] = json!(null);
    for fact in ["Subnets", "NetworkInterfaces", "SecurityGroups", "RouteTables", "NetworkAcls"] {
        blind.as_object_mut().expect("world").shift_remove(fact);
    }
    let found = judge(&database_path::CHECK, blind.clone()).expect("findings");
    assert_eq!((all_codes(&found), found[0].basis), (vec!["NET09"], Basis::State));
    assert!(found[0].fixes[0].lines()[0].contains("SecurityGroupIds=sg-db"), "the only one known");
    assert!(!is_fixed_by(blind.clone(), &found[0]), "what was not seen verifies nothing");
    blind["DBInstances"][0]["PubliclyAccessible"] = json!(true);
    assert!(judge(&database_path::CHECK, blind).is_err());
}

#[test]
fn the_databases_group_is_net10_and_the_functions_net11() {
    let shut =
        shaped(with_group(world(), 1, group("sg-db", json!([tcp(5432, "sg-app")]), json!([]))));
    let found = only_finding_with_fix(&database_path::CHECK, shut);
    assert_eq!((found.code(), found.resource.as_str()), ("NET10", "sg-db"));
    assert_eq!(
        found.fixes[0].lines(),
        ["aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 \
          --source-group sg-fn"]
    );
    let narrow = group("sg-fn", json!([]), json!([tcp(443, "0.0.0.0/0")]));
    let found =
        only_finding_with_fix(&database_path::CHECK, shaped(with_group(world(), 0, narrow)));
    assert_eq!((found.code(), found.resource.as_str()), ("NET11", "sg-fn"));
}

#[test]
fn an_acl_between_the_subnets_is_net12() {
    let mut world = world();
    let entries = vec![
        entry(100, true, "allow", None, "0.0.0.0/0"),
        entry(100, false, "allow", Some((443, 443)), "0.0.0.0/0"),
    ];
    push(&mut world["NetworkAcls"], acl("acl-db", false, &["subnet-d1"], entries));
    let found = only_finding_with_fix(&database_path::CHECK, shaped(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET12", "acl-db"));
    assert_eq!(
        found.fixes[0].lines(),
        ["aws ec2 create-network-acl-entry --network-acl-id acl-db --ingress --rule-number 101 \
          --protocol tcp --port-range From=5432,To=5432 --cidr-block 10.0.1.0/24 --rule-action allow"]
    );
}

#[test]
fn another_vpc_without_a_route_is_net13_and_a_peering_that_is_there_is_used() {
    let mut world = shaped(world());
    let place = |index: usize, key: &str, value: &str, world: &mut Value| {
        world["Subnets"][index][key] = json!(value);
    };
    for (index, block) in [(2, "10.1.11.0/24"), (3, "10.1.12.0/24")] {
        place(index, "VpcId", "vpc-b", &mut world);
        place(index, "CidrBlock", block, &mut world);
    }
    push(
        &mut world["Vpcs"],
        json!({"VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16", "DhcpOptionsId": "dopt-1"}),
    );
    let mut far = table("rtb-far", true, &[], &[]);
    far["VpcId"] = json!("vpc-b");
    far["Routes"] = json!([route("10.1.0.0/16", "local")]);
    push(&mut world["RouteTables"], far);
    let mut default = acl("acl-b", true, &[], open(100));
    default["VpcId"] = json!("vpc-b");
    push(&mut world["NetworkAcls"], default);
    world["SecurityGroups"][1] =
        group("sg-db", json!([tcp(5432, "10.0.0.0/16")]), json!([all("0.0.0.0/0")]));
    world["SecurityGroups"][1]["VpcId"] = json!("vpc-b");
    world["NetworkInterfaces"][2]["VpcId"] = json!("vpc-b");
    world["NetworkInterfaces"][2]["PrivateIpAddresses"][0]["PrivateIpAddress"] =
        json!("10.1.11.50");
    world["DBInstances"][0]["DBSubnetGroup"]["VpcId"] = json!("vpc-b");
    let found = judge(&database_path::CHECK, world.clone()).expect("findings");
    assert_eq!(all_codes(&found), ["NET13"]);
    assert!(
        found[0]
            .fixes
            .iter()
            .any(|fix| fix.lines().iter().any(|c| c.contains("subnet-d1,subnet-d2")))
    );
    world["VpcPeeringConnections"] = json!([{"VpcPeeringConnectionId": "pcx-1",
        "Status": {"Code": "active"},
        "RequesterVpcInfo": {"VpcId": "vpc-a", "CidrBlock": "10.0.0.0/16"},
        "AccepterVpcInfo": {"VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16"}}]);
    let found = only_finding_with_fix(&database_path::CHECK, world);
    let commands = &found.fixes[0].lines();
    assert_eq!(commands.len(), 2, "there and back: {commands:?}");
    for route in [
        "--route-table-id rtb-fn --destination-cidr-block 10.1.11.0/24 --vpc-peering-connection-id pcx-1",
        "--route-table-id rtb-far --destination-cidr-block 10.0.1.0/24 --vpc-peering-connection-id pcx-1",
    ] {
        assert!(commands.iter().any(|command| command.ends_with(route)), "{commands:?}");
    }
}

#[test]
fn a_host_that_no_database_has_is_net17() {
    let mut gone = shaped(world());
    gone["SecretShape"]["AWSCURRENT"]["Values"]["host"] =
        json!("old.abc.eu-west-1.rds.amazonaws.com");
    let found = judge(&database_path::CHECK, gone.clone()).expect("findings");
    assert_eq!((all_codes(&found), found[0].basis), (vec!["NET17"], Basis::State));
    let with_host = |host: &str| {
        let mut bundle = gone.clone();
        bundle["SecretShape"]["AWSCURRENT"]["Values"]["host"] = json!(host);
        judge(&database_path::CHECK, bundle)
    };
    let other_account = with_host("old.xyz.eu-west-1.rds.amazonaws.com").expect("findings");
    assert_eq!(other_account[0].basis, Basis::Indication);
    for unseen in [
        "p.proxy-abc.eu-west-1.rds.amazonaws.com",
        "old.abc.eu-west-2.rds.amazonaws.com",
        "db.example.com",
    ] {
        assert!(lacks(&with_host(unseen), Fact::DBInstances), "{unseen}");
    }
    gone.as_object_mut().expect("bundle").shift_remove("DBClusters");
    gone["Gaps"] = crate::checks::testing::denied(Fact::DBClusters);
    assert!(lacks(&judge(&database_path::CHECK, gone), Fact::DBInstances));
}

#[test]
fn a_database_that_is_only_assumed_is_never_certain() {
    let shut = group("sg-db", json!([]), json!([]));
    let assumed =
        judge(&database_path::CHECK, secret(with_group(world(), 1, shut))).expect("findings");
    assert_eq!((all_codes(&assumed), assumed[0].basis), (vec!["NET10"], Basis::Indication));
}

#[test]
fn a_public_name_over_peering_is_resolved_to_the_private_address() {
    let mut world = peered();
    world["DBInstances"][0]["PubliclyAccessible"] = json!(true);
    world["NetworkInterfaces"][2]["Association"] = json!({"PublicIp": "44.200.1.50"});
    let found = only_finding_with_fix(&database_path::CHECK, shaped(world));
    assert_eq!(found.code(), "NET13");
    assert_eq!(
        found.fixes[0].lines(),
        ["aws ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id pcx-1 \
          --accepter-peering-connection-options AllowDnsResolutionFromRemoteVpc=true"]
    );
}

#[test]
fn the_database_that_the_caller_names_is_the_one_that_is_asked_about() {
    let mut world = secret(world());
    world["Database"] = json!({"Host": "10.0.12.7", "Port": 3306});
    let found = judge(&database_path::CHECK, world).expect_err("its groups were not seen");
    assert!(matches!(found, Stop::Inconclusive(_)), "{found:?}");
}
