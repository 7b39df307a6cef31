//! Groups, ACLs, gaps: what a small world answers when one thing is changed.

use serde_json::{Value, json};

use super::worlds::*;
use crate::{
    evidence::Fact,
    network::{Question, judge},
};

#[test]
fn the_plain_world() {
    assert_eq!(short(&database(&world())), "reachable");
    assert_eq!(short(&secrets_manager(&world())), "blocked; route rtb-fn forward");
    assert_eq!(short(&secrets_manager(&with_endpoint(true))), "reachable");
    assert_eq!(short(&secrets_manager(&with_nat())), "reachable");
    assert_eq!(secrets_manager(&with_endpoint(true)).via.name(), "endpoint");
    assert_eq!(secrets_manager(&with_nat()).via.name(), "public");
}

#[test]
fn rules_of_groups() {
    let ingress = |rules: Value| {
        let mut world = world();
        world["SecurityGroups"][1]["IpPermissions"] = rules;
        world["ManagedPrefixListEntries"] =
            json!({"pl-in": ["10.0.1.0/24"], "pl-out": ["10.9.0.0/16"]});
        short(&database(&world))
    };
    let with = |key: &str, value: Value| {
        let mut rule = tcp(5432, "sg-fn");
        rule[key] = value;
        rule
    };
    for rule in [
        tcp(5432, "10.0.1.40/32"),
        tcp(5432, "pl-in"),
        all("sg-fn"),
        with("IpProtocol", json!("6")),
        with("FromPort", json!(0)),
        with("UserIdGroupPairs", json!([{"GroupId": "sg-x"}, {"GroupId": "sg-fn"}])),
    ] {
        assert_eq!(ingress(json!([tcp(22, "0.0.0.0/0"), rule.clone()])), "reachable", "{rule}");
    }
    for rule in [
        tcp(3306, "sg-fn"),
        tcp(5432, "sg-x"),
        tcp(5432, "10.0.1.41/32"),
        tcp(5432, "::/0"),
        tcp(5432, "pl-out"),
        with("IpProtocol", json!("udp")),
        json!({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
    ] {
        let expected = "blocked; security_group sg-db ingress forward";
        assert_eq!(ingress(json!([rule.clone()])), expected, "{rule}");
    }
}

#[test]
fn a_group_of_another_vpc_acts_while_it_is_associated() {
    let with_state = |state: &str| {
        let mut world = world();
        world["SecurityGroups"][0]["VpcId"] = json!("vpc-shared");
        world["SecurityGroupVpcAssociations"] =
            json!([{"GroupId": "sg-fn", "VpcId": "vpc-a", "State": state}]);
        database(&world)
    };
    assert_eq!(short(&with_state("associated")), "reachable");
    let unknown = with_state("disassociating");
    assert_eq!(short(&unknown), "unknown");
    let missing = &unknown.missing[0];
    assert_eq!(
        (missing.fact, missing.resource.as_str()),
        (Fact::SecurityGroupVpcAssociations, "sg-fn")
    );
    assert!(missing.reason.contains("disassociating"), "{}", missing.reason);
}

#[test]
fn every_blocker_is_named_in_one_run() {
    let mut world = world();
    world["SecurityGroups"][0]["IpPermissionsEgress"] = json!([tcp(443, "0.0.0.0/0")]);
    world["SecurityGroups"][1]["IpPermissions"] = json!([]);
    push(&mut world["NetworkAcls"], acl("acl-db", false, &["subnet-d1"], vec![]));
    let expected = "blocked; security_group sg-db ingress forward; \
        security_group sg-fn egress forward; nacl acl-db ingress forward; nacl acl-db egress return";
    assert_eq!(short(&database(&world)), expected);
}

#[test]
fn a_prefix_list_that_was_not_seen_makes_it_unknown_unless_another_rule_decides() {
    let mut world = world();
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "pl-1")]);
    refuse(&mut world, "ManagedPrefixListEntries", "ec2:GetManagedPrefixListEntries", "pl-1");
    let answer = database(&world);
    assert_eq!(short(&answer), "unknown");
    assert!(explains(&answer, "ec2:GetManagedPrefixListEntries for pl-1 (access denied)"));
    push(&mut world["SecurityGroups"][1]["IpPermissions"], tcp(5432, "sg-fn"));
    assert_eq!(short(&database(&world)), "reachable");
}

#[test]
fn an_idle_function_may_come_from_anywhere_in_its_subnet() {
    let mut world = world();
    world["NetworkInterfaces"].as_array_mut().expect("list").drain(0..2);
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "10.0.1.0/24")]);
    assert_eq!(short(&database(&world)), "reachable");
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "10.0.1.128/25")]);
    let answer = database(&world);
    assert_eq!(short(&answer), "intermittent; security_group sg-db ingress forward");
    assert!(explains(&answer, "subnet-l1"));
    refuse(&mut world, "NetworkInterfaces", "ec2:DescribeNetworkInterfaces", "");
    assert_eq!(short(&database(&world)), "unknown");
}

#[test]
fn one_bad_subnet_is_intermittent_and_named() {
    let mut world = world();
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] =
        json!(["subnet-l1", "subnet-l2"]);
    assert_eq!(short(&database(&world)), "reachable");
    push(&mut world["NetworkAcls"], acl("acl-l2", false, &["subnet-l2"], vec![]));
    let answer = database(&world);
    let expected = "intermittent; nacl acl-l2 ingress return; nacl acl-l2 egress forward";
    assert_eq!(short(&answer), expected);
    assert_eq!(answer.failing, ["subnet-l2"]);
}

#[test]
fn ephemeral_ports_are_a_set() {
    let reply = |from: u16, to: u16| {
        let mut world = world();
        let entries = vec![
            entry(100, false, "allow", Some((5432, 5432)), "10.0.0.0/16"),
            entry(100, true, "allow", Some((from, to)), "10.0.0.0/16"),
        ];
        push(&mut world["NetworkAcls"], acl("acl-db", false, &["subnet-d1"], entries));
        short(&database(&world))
    };
    assert_eq!(reply(1024, 65535), "reachable");
    assert_eq!(reply(32768, 65535), "intermittent; nacl acl-db egress return");
    assert_eq!(reply(443, 1100), "blocked; nacl acl-db egress return");
}

#[test]
fn two_halves_of_the_ports_may_be_nothing() {
    let mut world = world();
    let mut low = open(100);
    low[1] = entry(100, false, "allow", Some((1024, 32767)), "0.0.0.0/0");
    let mut high = open(100);
    high[0] = entry(100, true, "allow", Some((32768, 65535)), "0.0.0.0/0");
    push(&mut world["NetworkAcls"], acl("acl-fn", false, &["subnet-l1"], low));
    push(&mut world["NetworkAcls"], acl("acl-db", false, &["subnet-d1"], high));
    let expected = "blocked; nacl acl-db egress return; nacl acl-fn ingress return";
    assert_eq!(short(&database(&world)), expected);
}

#[test]
fn unknown_is_never_blocked_and_blocked_is_never_unknown() {
    for (fact, action) in [
        ("NetworkAcls", "ec2:DescribeNetworkAcls"),
        ("SecurityGroups", "ec2:DescribeSecurityGroups"),
        ("RouteTables", "ec2:DescribeRouteTables"),
        ("Subnets", "ec2:DescribeSubnets"),
        ("DBInstances", "rds:DescribeDBInstances"),
        ("Function", "lambda:GetFunction"),
    ] {
        let mut world = world();
        refuse(&mut world, fact, action, "");
        let answer = database(&world);
        assert_eq!(short(&answer), "unknown", "{fact}");
        assert!(explains(&answer, action), "{fact}: {:?}", answer.explanation);
    }
    let mut world = world();
    world["SecurityGroups"][1]["IpPermissions"] = json!([]);
    refuse(&mut world, "NetworkAcls", "ec2:DescribeNetworkAcls", "");
    assert_eq!(short(&database(&world)), "blocked; security_group sg-db ingress forward");
}

#[test]
fn a_hidden_acl_is_not_the_default_one() {
    let mut world = world();
    refuse(&mut world, "NetworkAcls", "ec2:DescribeNetworkAcls", "acl-db");
    let answer = database(&world);
    assert_eq!(short(&answer), "unknown");
    assert!(explains(&answer, "acl-db"));
}

#[test]
fn a_database_without_visible_interface_is_judged_by_its_subnet_group() {
    let mut world = world();
    world["NetworkInterfaces"].as_array_mut().expect("list").remove(2);
    assert_eq!(short(&database(&world)), "reachable");
    push(&mut world["NetworkAcls"], acl("acl-d2", false, &["subnet-d2"], vec![]));
    let answer = database(&world);
    assert_eq!(short(&answer), "unknown");
    assert!(explains(&answer, "ec2:DescribeNetworkInterfaces"));
    world["SecurityGroups"][1]["IpPermissions"] = json!([]);
    assert_eq!(database(&world).verdict.word(), "blocked");
}

#[test]
fn a_cluster_name_leads_to_its_writer() {
    let mut world = world();
    let cluster = "c.cluster-abc.eu-west-1.rds.amazonaws.com";
    world["DBClusters"] = json!([{"DBClusterIdentifier": "c", "Endpoint": cluster,
        "DBClusterMembers": [{"DBInstanceIdentifier": "mydb", "IsClusterWriter": true},
            {"DBInstanceIdentifier": "other", "IsClusterWriter": false}]}]);
    let answer = judge(&read(&world), &Question::database(cluster, 5432), &dns());
    assert_eq!(short(&answer), "reachable");
}

#[test]
fn what_was_not_asked_is_unknown_and_what_is_not_offered_is_not_there() {
    let mut world = with_endpoint(true);
    refuse(&mut world, "HostedZonesByVPC", "route53:ListHostedZonesByVPC", "");
    assert_eq!(short(&secrets_manager(&world)), "unknown");
    world["Gaps"][0]["Reason"] = json!("Unsupported");
    assert_eq!(short(&secrets_manager(&world)), "reachable");
}

#[test]
fn bad_input_is_no_panic() {
    let mut world = world();
    world["SecurityGroups"][1]["IpPermissions"] = json!([
        {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/99"}]}, {}, {"IpProtocol": "?"},
        {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 1, "UserIdGroupPairs": [{}]}]);
    world["NetworkAcls"][0]["Entries"] = json!([{}, {"Egress": true}, {"CidrBlock": "x"}]);
    world["RouteTables"][1]["Routes"] = json!([{}, {"DestinationCidrBlock": "0.0.0.0/0"},
        {"DestinationPrefixListId": "pl-none", "NatGatewayId": "nat-none"}]);
    world["Subnets"][1]["CidrBlock"] = json!("10.0.1.0/24");
    database(&world);
    secrets_manager(&world);
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-none"]);
    assert_eq!(short(&database(&world)), "unknown");
    for fact in ["Subnets", "RouteTables", "NetworkAcls", "SecurityGroups"] {
        let mut world = with_nat();
        world[fact] = json!([{}]);
        assert_ne!(database(&world).verdict.word(), "reachable", "{fact}");
        secrets_manager(&world);
    }
}
