//! Filters, names, gaps: what a small world answers when one thing is changed.

use serde_json::{Value, json};

use crate::{
    evidence::Evidence,
    network::{Answer, PublicDns, Question, judge},
};

pub(crate) const DB: &str = "mydb.abc.eu-west-1.rds.amazonaws.com";
const SM: &str = "secretsmanager.eu-west-1.amazonaws.com";

pub(crate) fn group(id: &str, ingress: Value, egress: Value) -> Value {
    json!({"GroupId": id, "VpcId": "vpc-a", "IpPermissions": ingress, "IpPermissionsEgress": egress})
}

pub(crate) fn tcp(port: u16, peer: &str) -> Value {
    let (kind, key) = match peer.split_once('-') {
        Some(("sg", _)) => ("UserIdGroupPairs", "GroupId"),
        Some(("pl", _)) => ("PrefixListIds", "PrefixListId"),
        _ if peer.contains(':') => ("Ipv6Ranges", "CidrIpv6"),
        _ => ("IpRanges", "CidrIp"),
    };
    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, kind: [{key: peer}]})
}

pub(crate) fn all(peer: &str) -> Value {
    let mut rule = tcp(0, peer);
    rule["IpProtocol"] = json!("-1");
    rule
}

pub(crate) fn entry(
    number: i64,
    egress: bool,
    action: &str,
    ports: Option<(u16, u16)>,
    block: &str,
) -> Value {
    let key = if block.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" };
    let mut entry = json!({"RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": action, key: block});
    if let Some((from, to)) = ports {
        entry["Protocol"] = json!("6");
        entry["PortRange"] = json!({"From": from, "To": to});
    }
    entry
}

pub(crate) fn acl(id: &str, default: bool, subnets: &[&str], mut entries: Vec<Value>) -> Value {
    for egress in [true, false] {
        entries.push(entry(32767, egress, "deny", None, "0.0.0.0/0"));
    }
    let subnets: Vec<Value> = subnets.iter().map(|id| json!({"SubnetId": id})).collect();
    json!({"NetworkAclId": id, "VpcId": "vpc-a", "IsDefault": default, "Associations": subnets, "Entries": entries})
}

pub(crate) fn open(number: i64) -> Vec<Value> {
    vec![
        entry(number, true, "allow", None, "0.0.0.0/0"),
        entry(number, false, "allow", None, "0.0.0.0/0"),
    ]
}

pub(crate) fn interface(
    id: &str,
    subnet: &str,
    address: &str,
    groups: &[&str],
    kind: &str,
) -> Value {
    let groups: Vec<Value> = groups.iter().map(|id| json!({"GroupId": id})).collect();
    json!({"NetworkInterfaceId": id, "SubnetId": subnet, "VpcId": "vpc-a", "InterfaceType": kind,
        "Description": "", "SourceDestCheck": true, "Groups": groups,
        "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": true}]})
}

pub(crate) fn table(id: &str, main: bool, subnets: &[&str], routes: &[(&str, &str)]) -> Value {
    let mut associations: Vec<Value> = subnets.iter().map(|id| json!({"SubnetId": id})).collect();
    if main {
        associations.push(json!({"Main": true}));
    }
    let mut all = vec![
        json!({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}),
    ];
    all.extend(routes.iter().map(|(to, target)| route(to, target)));
    json!({"RouteTableId": id, "VpcId": "vpc-a", "Associations": associations, "Routes": all})
}

pub(crate) fn route(to: &str, target: &str) -> Value {
    let (target, state) = match target.strip_prefix('!') {
        Some(target) => (target, "blackhole"),
        None => (target, "active"),
    };
    let kind = match target.split('-').next().unwrap_or_default() {
        "nat" => "NatGatewayId",
        "eni" => "NetworkInterfaceId",
        "pcx" => "VpcPeeringConnectionId",
        "tgw" => "TransitGatewayId",
        "eigw" => "EgressOnlyInternetGatewayId",
        _ => "GatewayId",
    };
    let destination = if to.starts_with("pl-") {
        "DestinationPrefixListId"
    } else if to.contains(':') {
        "DestinationIpv6CidrBlock"
    } else {
        "DestinationCidrBlock"
    };
    json!({destination: to, kind: target, "State": state, "Origin": "CreateRoute"})
}

/// A VPC with a function in a private subnet, a database in another, and a
/// public subnet; no way out.
pub(crate) fn world() -> Value {
    let everywhere = json!([all("0.0.0.0/0")]);
    json!({
        "CapturedAt": "2026-11-21T00:00:00Z", "Region": "eu-west-1", "AccountId": "111111111111",
        "Function": {"Configuration": {"FunctionName": "rotate",
            "Role": "arn:aws:iam::111111111111:role/rotate",
            "VpcConfig": {"VpcId": "vpc-a", "SubnetIds": ["subnet-l1"], "SecurityGroupIds": ["sg-fn"]}}},
        "Vpcs": [{"VpcId": "vpc-a", "CidrBlock": "10.0.0.0/16", "DhcpOptionsId": "dopt-1"}],
        "VpcAttributes": {"vpc-a": {"EnableDnsSupport": {"Value": true}, "EnableDnsHostnames": {"Value": true}}},
        "DhcpOptions": [{"DhcpOptionsId": "dopt-1", "DhcpConfigurations":
            [{"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]}]}],
        "Subnets": [
            {"SubnetId": "subnet-l1", "VpcId": "vpc-a", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "eu-west-1a"},
            {"SubnetId": "subnet-l2", "VpcId": "vpc-a", "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "eu-west-1b"},
            {"SubnetId": "subnet-d1", "VpcId": "vpc-a", "CidrBlock": "10.0.11.0/24", "AvailabilityZone": "eu-west-1a"},
            {"SubnetId": "subnet-d2", "VpcId": "vpc-a", "CidrBlock": "10.0.12.0/24", "AvailabilityZone": "eu-west-1b"},
            {"SubnetId": "subnet-p1", "VpcId": "vpc-a", "CidrBlock": "10.0.101.0/24", "AvailabilityZone": "eu-west-1a"}],
        "RouteTables": [
            table("rtb-main", true, &[], &[]),
            table("rtb-fn", false, &["subnet-l1", "subnet-l2"], &[]),
            table("rtb-pub", false, &["subnet-p1"], &[("0.0.0.0/0", "igw-1")])],
        "NetworkAcls": [acl("acl-0", true, &[], open(100))],
        "SecurityGroups": [
            group("sg-fn", json!([]), everywhere.clone()),
            group("sg-db", json!([tcp(5432, "sg-fn")]), json!([])),
            group("sg-ep", json!([tcp(443, "10.0.0.0/16")]), json!([]))],
        "NetworkInterfaces": [
            interface("eni-l1", "subnet-l1", "10.0.1.40", &["sg-fn"], "lambda"),
            interface("eni-l2", "subnet-l2", "10.0.2.40", &["sg-fn"], "lambda"),
            interface("eni-db", "subnet-d1", "10.0.11.50", &["sg-db"], "interface"),
            interface("eni-ep1", "subnet-d1", "10.0.11.20", &["sg-ep"], "vpc_endpoint"),
            interface("eni-ep2", "subnet-d2", "10.0.12.20", &["sg-ep"], "vpc_endpoint")],
        "VpcEndpoints": null, "NatGateways": null,
        "InternetGateways": [{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-a", "State": "available"}]}],
        "EgressOnlyInternetGateways": null, "VpcPeeringConnections": null, "TransitGateways": null,
        "TransitGatewayVpcAttachments": null, "TransitGatewayRouteTables": null,
        "ManagedPrefixListEntries": null, "VpcBlockPublicAccessOptions": null,
        "HostedZonesByVPC": null, "ResolverRules": null, "DBClusters": null,
        "DBInstances": [{"DBInstanceIdentifier": "mydb", "Endpoint": {"Address": DB, "Port": 5432},
            "PubliclyAccessible": false, "_NetworkInterfaceId": "eni-db",
            "DBSubnetGroup": {"VpcId": "vpc-a", "Subnets": [{"SubnetIdentifier": "subnet-d1"}, {"SubnetIdentifier": "subnet-d2"}]},
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db", "Status": "active"}]}]
    })
}

pub(crate) fn with_endpoint(private_dns: bool) -> Value {
    let mut world = world();
    world["VpcEndpoints"] = json!([{"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-a",
        "ServiceName": "com.amazonaws.eu-west-1.secretsmanager", "State": "available",
        "PrivateDnsEnabled": private_dns, "SubnetIds": ["subnet-d1", "subnet-d2"],
        "NetworkInterfaceIds": ["eni-ep1", "eni-ep2"], "Groups": [{"GroupId": "sg-ep"}],
        "DnsEntries": [{"DnsName": "vpce-1-x.secretsmanager.eu-west-1.vpce.amazonaws.com"},
            {"DnsName": "vpce-1-x-eu-west-1a.secretsmanager.eu-west-1.vpce.amazonaws.com"}]}]);
    world
}

pub(crate) fn with_nat() -> Value {
    let mut world = world();
    world["NatGateways"] = json!([{"NatGatewayId": "nat-1", "VpcId": "vpc-a", "SubnetId": "subnet-p1",
        "State": "available", "ConnectivityType": "public", "NatGatewayAddresses": [{"PublicIp": "54.10.20.30"}]}]);
    push(&mut world["RouteTables"][1]["Routes"], route("0.0.0.0/0", "nat-1"));
    world
}

pub(crate) fn push(list: &mut Value, item: Value) {
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().expect("list").push(item);
}

pub(crate) fn read(world: &Value) -> Evidence {
    let mut evidence: Evidence = serde_json::from_value(world.clone()).expect("bundle");
    evidence.settle();
    evidence
}

pub(crate) fn dns() -> PublicDns {
    serde_json::from_value(json!({SM: {"A": ["52.119.196.10"], "AAAA": ["2600:1f18:1234::10"]}}))
        .expect("records")
}

pub(crate) fn database(world: &Value) -> Answer {
    judge(&read(world), &Question::database(DB, 5432), &dns())
}

pub(crate) fn secrets_manager(world: &Value) -> Answer {
    let evidence = read(world);
    judge(&evidence, &Question::secrets_manager(&evidence).expect("question"), &dns())
}

/// The answer in short: verdict, then layer, resource, direction, phase of
/// each blocker.
pub(crate) fn short(answer: &Answer) -> String {
    let mut text = answer.verdict.word().to_owned();
    for blocker in &answer.blockers {
        let direction = blocker.direction.map_or(String::new(), |d| format!(" {}", d.name()));
        let (layer, phase) = (blocker.layer.name(), blocker.phase.name());
        text.push_str(&format!("; {layer} {}{direction} {phase}", blocker.resource));
    }
    text
}

fn explains(answer: &Answer, words: &str) -> bool {
    answer.explanation.iter().any(|line| line.contains(words))
}

fn refuse(world: &mut Value, fact: &str, action: &str, resource: &str) {
    push(
        &mut world["Gaps"],
        json!({"Fact": fact, "Action": action, "Resource": resource, "Reason": "AccessDenied"}),
    );
    if resource.is_empty() {
        world.as_object_mut().expect("world").shift_remove(fact);
    }
}

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
fn private_names_of_endpoints() {
    let blocked = "blocked; route rtb-fn forward";
    let mut off = with_endpoint(false);
    assert_eq!(short(&secrets_manager(&off)), blocked);
    assert!(explains(&secrets_manager(&off), "vpce-1 has private DNS off"));
    off["Function"]["Configuration"]["Environment"] = json!({"Variables":
        {"SECRETS_MANAGER_ENDPOINT": "https://vpce-1-x.secretsmanager.eu-west-1.vpce.amazonaws.com"}});
    assert_eq!(short(&secrets_manager(&off)), "reachable");
    off["VpcEndpoints"][0]["State"] = json!("pendingAcceptance");
    assert_eq!(short(&secrets_manager(&off)), blocked);

    let mut attribute = with_endpoint(true);
    attribute["VpcAttributes"]["vpc-a"]["EnableDnsHostnames"]["Value"] = json!(false);
    assert_eq!(short(&secrets_manager(&attribute)), blocked);
    assert!(explains(&secrets_manager(&attribute), "enableDnsHostnames"));
    attribute["VpcAttributes"]["vpc-a"]["EnableDnsSupport"]["Value"] = json!(false);
    assert_eq!(short(&secrets_manager(&attribute)), "blocked; dns vpc-a forward");

    let mut elsewhere = with_endpoint(true);
    elsewhere["VpcEndpoints"][0]["VpcId"] = json!("vpc-b");
    assert_eq!(short(&secrets_manager(&elsewhere)), blocked);
    assert!(explains(&secrets_manager(&elsewhere), "vpce-1 is in vpc-b"));

    let mut other = with_endpoint(true);
    other["VpcEndpoints"][0]["ServiceName"] = json!("com.amazonaws.eu-west-1.ssm");
    assert_eq!(short(&secrets_manager(&other)), blocked);
}

#[test]
fn a_broken_endpoint_has_no_fallback() {
    let mut world = with_nat();
    world["VpcEndpoints"] = with_endpoint(true)["VpcEndpoints"].clone();
    assert_eq!(secrets_manager(&world).via.name(), "endpoint");
    world["SecurityGroups"][2]["IpPermissions"] = json!([tcp(443, "sg-x")]);
    assert_eq!(short(&secrets_manager(&world)), "blocked; security_group sg-ep ingress forward");
    world["VpcEndpoints"][0]["PrivateDnsEnabled"] = json!(false);
    assert_eq!(short(&secrets_manager(&world)), "reachable");
}

#[test]
fn policies_of_endpoints_on_the_way() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf";
    let mut world = with_endpoint(true);
    world["Secret"] = json!({"ARN": arn, "Name": "db"});
    world["VpcEndpoints"][0]["PolicyDocument"] = json!({"Statement": [{"Effect": "Allow",
        "Principal": "*", "Action": "secretsmanager:*", "Resource": arn}]});
    let answer = secrets_manager(&world);
    assert_eq!(short(&answer), "reachable");
    assert_eq!(answer.api_denied_actions, ["GetRandomPassword"]);
    world["SuperuserSecret"] = json!({"ARN": arn.replace("db-", "super-"), "Name": "super"});
    let denied = secrets_manager(&world).api_denied_actions;
    assert_eq!(denied, ["GetRandomPassword", "GetSecretValue"]);
    // Not on the way, not denied.
    let mut around = with_nat();
    around["VpcEndpoints"] = world["VpcEndpoints"].clone();
    around["VpcEndpoints"][0]["PrivateDnsEnabled"] = json!(false);
    assert!(secrets_manager(&around).api_denied_actions.is_empty());
}

#[test]
fn every_interface_of_an_endpoint_must_answer() {
    let mut world = with_endpoint(true);
    push(&mut world["NetworkAcls"], acl("acl-d2", false, &["subnet-d2"], vec![]));
    let answer = secrets_manager(&world);
    let expected = "intermittent; nacl acl-d2 ingress forward; nacl acl-d2 egress return";
    assert_eq!(short(&answer), expected);
    assert!(explains(&answer, "10.0.12.20 (eni-ep2 in subnet-d2)"));
    world["Function"]["Configuration"]["Environment"] = json!({"Variables":
        {"SECRETS_MANAGER_ENDPOINT": "https://vpce-1-x-eu-west-1a.secretsmanager.eu-west-1.vpce.amazonaws.com"}});
    assert_eq!(short(&secrets_manager(&world)), "reachable", "a zonal name");
}

#[test]
fn zones_and_rules() {
    let zone = |name: &str, records: Value| json!({"vpc-a": [{"HostedZoneId": "Z1", "Name": name, "Records": records}]});
    let mut world = with_nat();
    world["HostedZonesByVPC"] = zone("amazonaws.com.", json!([]));
    assert_eq!(short(&secrets_manager(&world)), "blocked; dns Z1 forward");
    world["HostedZonesByVPC"] = zone(
        "eu-west-1.amazonaws.com.",
        json!([
        {"Name": format!("{SM}."), "Type": "A", "Values": ["10.0.11.20"]}]),
    );
    assert_eq!(secrets_manager(&world).via.name(), "local");
    world["HostedZonesByVPC"] = zone(
        "eu-west-1.amazonaws.com.",
        json!([
        {"Name": "\\052.eu-west-1.amazonaws.com.", "Type": "CNAME",
         "Values": ["vpce-1-x.secretsmanager.eu-west-1.vpce.amazonaws.com."]}]),
    );
    world["VpcEndpoints"] = with_endpoint(false)["VpcEndpoints"].clone();
    assert_eq!(secrets_manager(&world).via.name(), "endpoint");
    world["HostedZonesByVPC"] = zone(
        "a.example.",
        json!([
        {"Name": "a.example.", "Type": "CNAME", "Values": ["a.example."]}]),
    );
    let circle = judge(&read(&world), &Question::database("a.example", 5432), &dns());
    assert_eq!(short(&circle), "blocked; dns vpc-a forward");

    let mut world = with_endpoint(true);
    world["HostedZonesByVPC"] = zone("amazonaws.com.", json!([]));
    assert_eq!(short(&secrets_manager(&world)), "reachable", "the endpoint is more specific");
    let rule = |domain: &str, kind: &str| {
        json!([{"ResolverRuleId": "rslvr-1", "DomainName": domain, "RuleType": kind,
            "TargetIps": ["192.0.2.53"], "VpcIds": ["vpc-a"]}])
    };
    for (domain, kind, expected) in [
        ("amazonaws.com.", "FORWARD", "reachable"),
        (SM, "FORWARD", "unknown"),
        (SM, "SYSTEM", "reachable"),
        (".", "RECURSIVE", "reachable"),
    ] {
        world["ResolverRules"] = rule(domain, kind);
        assert_eq!(short(&secrets_manager(&world)), expected, "{domain} {kind}");
    }
}

#[test]
fn servers_of_ones_own_matter_only_where_answers_differ() {
    let servers = |world: &mut Value, server: &str| {
        world["DhcpOptions"][0]["DhcpConfigurations"][0]["Values"] = json!([{"Value": server}]);
    };
    let mut world = with_endpoint(true);
    for amazon in ["169.254.169.253", "10.0.0.2"] {
        servers(&mut world, amazon);
        assert_eq!(short(&secrets_manager(&world)), "reachable", "{amazon}");
    }
    servers(&mut world, "10.0.50.53");
    let answer = secrets_manager(&world);
    assert_eq!(short(&answer), "unknown");
    assert!(explains(&answer, "dopt-1"));
    assert_eq!(short(&database(&world)), "reachable", "a private address everywhere");
    let endpoints = world["VpcEndpoints"].clone();
    let mut both = with_nat();
    both["VpcEndpoints"] = endpoints;
    servers(&mut both, "10.0.50.53");
    assert_eq!(short(&secrets_manager(&both)), "reachable");
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
