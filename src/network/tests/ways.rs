//! Ways between networks: NAT, gateways, peering, transit gateways, the
//! Internet.

use serde_json::{Value, json};

use super::worlds::*;

#[test]
fn nat_gateways() {
    let after = |change: fn(&mut Value)| {
        let mut world = with_nat();
        change(&mut world);
        short(&secrets_manager(&world))
    };
    let gateway = "blocked; nat_gateway nat-1 forward";
    assert_eq!(after(|w| w["NatGateways"][0]["State"] = json!("deleting")), gateway);
    assert_eq!(after(|w| w["NatGateways"][0]["ConnectivityType"] = json!("private")), gateway);
    assert_eq!(after(|w| w["NatGateways"] = Value::Null), "unknown", "dangling");
    let private = after(|w| w["NatGateways"][0]["SubnetId"] = json!("subnet-d1"));
    assert_eq!(private, "blocked; route rtb-main forward");
    let own = after(|w| w["NatGateways"][0]["SubnetId"] = json!("subnet-l1"));
    assert_eq!(own, "blocked; route rtb-fn forward");
    let regional = |w: &mut Value| {
        w["NatGateways"][0]["AvailabilityMode"] = json!("regional");
        w["NatGateways"][0].as_object_mut().expect("gateway").shift_remove("SubnetId");
    };
    assert_eq!(after(regional), "reachable");
    let detached = after(|w| {
        w["InternetGateways"][0]["Attachments"] = json!([]);
        w["RouteTables"][2]["Routes"][1]["State"] = json!("blackhole");
    });
    assert_eq!(detached, "blocked; internet_gateway vpc-a forward");
    let gone = after(|w| w["RouteTables"][1]["Routes"][1]["State"] = json!("blackhole"));
    assert_eq!(gone, "blocked; route rtb-fn forward");
}

#[test]
fn the_acl_of_the_nat_subnet_is_passed_four_times() {
    let entries = [
        entry(100, false, "allow", Some((443, 443)), "10.0.0.0/16"),
        entry(110, false, "allow", Some((1024, 65535)), "0.0.0.0/0"),
        entry(100, true, "allow", Some((443, 443)), "0.0.0.0/0"),
        entry(110, true, "allow", Some((1024, 65535)), "10.0.0.0/16"),
    ];
    let without = |index: Option<usize>| {
        let mut world = with_nat();
        let left = entries.iter().enumerate().filter(|(i, _)| Some(*i) != index);
        let left = left.map(|(_, entry)| entry.clone()).collect();
        push(&mut world["NetworkAcls"], acl("acl-p", false, &["subnet-p1"], left));
        short(&secrets_manager(&world))
    };
    assert_eq!(without(None), "reachable");
    assert_eq!(without(Some(0)), "blocked; nacl acl-p ingress forward");
    assert_eq!(without(Some(1)), "blocked; nacl acl-p ingress return");
    assert_eq!(without(Some(2)), "blocked; nacl acl-p egress forward");
    assert_eq!(without(Some(3)), "blocked; nacl acl-p egress return");
}

#[test]
fn a_function_has_no_public_address() {
    let mut world = world();
    add_route(&mut world, 1, "0.0.0.0/0", "igw-1");
    let expected = "blocked; internet_gateway igw-1 forward";
    assert_eq!(short(&secrets_manager(&world)), expected);
}

#[test]
fn nat_instances() {
    let mut world = world();
    let mut device = interface("eni-nat", "subnet-p1", "10.0.101.9", &["sg-nat"], "interface");
    device["SourceDestCheck"] = json!(false);
    device["Association"] = json!({"PublicIp": "54.1.2.3"});
    push(&mut world["NetworkInterfaces"], device);
    push(
        &mut world["SecurityGroups"],
        group("sg-nat", json!([tcp(443, "sg-fn")]), json!([all("0.0.0.0/0")])),
    );
    add_route(&mut world, 1, "0.0.0.0/0", "eni-nat");
    assert_eq!(short(&secrets_manager(&world)), "reachable");
    world["NetworkInterfaces"][5]["SourceDestCheck"] = json!(true);
    let expected = "blocked; nat_instance eni-nat forward";
    assert_eq!(short(&secrets_manager(&world)), expected);
    world["NetworkInterfaces"][5]["SourceDestCheck"] = json!(false);
    world["NetworkInterfaces"][5]["Association"] = Value::Null;
    assert_eq!(short(&secrets_manager(&world)), expected);
    world["SecurityGroups"][3]["IpPermissions"] = json!([]);
    let both = "blocked; security_group sg-nat ingress forward; nat_instance eni-nat forward";
    assert_eq!(short(&secrets_manager(&world)), both);
}

#[test]
fn a_middlebox_breaks_references() {
    let mut world = world();
    let mut device = interface("eni-fw", "subnet-p1", "10.0.101.9", &["sg-fw"], "interface");
    device["SourceDestCheck"] = json!(false);
    push(&mut world["NetworkInterfaces"], device);
    let open = json!([all("0.0.0.0/0")]);
    push(&mut world["SecurityGroups"], group("sg-fw", open.clone(), open));
    add_route(&mut world, 1, "10.0.11.0/24", "eni-fw");
    let expected = "blocked; security_group sg-db ingress forward";
    assert_eq!(short(&database(&world)), expected);
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "10.0.1.0/24")]);
    assert_eq!(short(&database(&world)), "reachable");
    add_route(&mut world, 1, "10.0.11.0/25", "vpce-gwlb");
    assert_eq!(short(&database(&world)), "unknown", "a firewall endpoint");
}

#[test]
fn the_longest_prefix_wins_even_a_blackhole() {
    let mut world = with_nat();
    add_route(&mut world, 1, "52.119.0.0/16", "!pcx-gone");
    assert_eq!(short(&secrets_manager(&world)), "blocked; route rtb-fn forward");
    add_route(&mut world, 1, "52.119.196.0/24", "nat-1");
    assert_eq!(short(&secrets_manager(&world)), "reachable");
    add_route(&mut world, 1, "pl-sm", "vgw-1");
    world["ManagedPrefixListEntries"] = json!({"pl-sm": ["52.119.196.0/25"]});
    let answer = secrets_manager(&world);
    assert_eq!(short(&answer), "unknown");
    assert!(answer.missing.iter().any(|missing| missing.resource == "vgw-1"));
    world["ManagedPrefixListEntries"] = json!({"pl-sm": ["52.119.196.0/24"]});
    assert_eq!(short(&secrets_manager(&world)), "reachable", "static before prefix list");
}

#[test]
fn one_family_is_enough() {
    assert_eq!(short(&secrets_manager(&dual_stack())), "reachable");
    let mut off = dual_stack();
    off["Function"]["Configuration"]["VpcConfig"]["Ipv6AllowedForDualStack"] = json!(false);
    assert_eq!(short(&secrets_manager(&off)), "blocked; route rtb-fn forward");
    let mut group = dual_stack();
    group["SecurityGroups"][0]["IpPermissionsEgress"] = json!([all("0.0.0.0/0")]);
    let expected = "blocked; security_group sg-fn egress forward; route rtb-fn forward";
    assert_eq!(short(&secrets_manager(&group)), expected);
}

#[test]
fn block_public_access() {
    let with = |mut world: Value, mode: &str| {
        world["VpcBlockPublicAccessOptions"] = json!({"InternetGatewayBlockMode": mode});
        short(&secrets_manager(&world))
    };
    let blocked = "blocked; block_public_access vpc-a forward";
    assert_eq!(with(with_nat(), "block-bidirectional"), blocked);
    assert_eq!(with(with_nat(), "block-ingress"), "reachable");
    assert_eq!(with(with_nat(), "off"), "reachable");
    assert_eq!(with(dual_stack(), "block-ingress"), "reachable");
    assert_eq!(with(with_endpoint(true), "block-bidirectional"), "reachable");
}

#[test]
fn peering() {
    assert_eq!(short(&database(&peered())), "reachable", "a reference over peering");
    let after = |change: fn(&mut Value)| {
        let mut world = peered();
        change(&mut world);
        short(&database(&world))
    };
    let pending =
        after(|w| w["VpcPeeringConnections"][0]["Status"]["Code"] = json!("pending-acceptance"));
    assert_eq!(pending, "blocked; peering pcx-1 forward");
    let region =
        after(|w| w["VpcPeeringConnections"][0]["AccepterVpcInfo"]["Region"] = json!("us-east-1"));
    assert_eq!(region, "blocked; security_group sg-db ingress forward");
    let forward = after(|w| w["RouteTables"][1] = table("rtb-fn", false, &["subnet-l1"], &[]));
    assert_eq!(forward, "blocked; route rtb-fn forward");
    let back = after(|w| w["RouteTables"][3]["Routes"] = json!([]));
    assert_eq!(back, "blocked; route rtb-b return");
    let transit =
        after(|w| w["VpcPeeringConnections"][0]["AccepterVpcInfo"]["VpcId"] = json!("vpc-c"));
    assert_eq!(transit, "blocked; peering pcx-1 forward");
    assert_eq!(after(|w| w["VpcPeeringConnections"] = Value::Null), "unknown", "dangling");
    let main = after(|w| {
        w["RouteTables"][0] = table("rtb-main", true, &[], &[("10.1.0.0/16", "pcx-1")]);
        w["RouteTables"][1] = table("rtb-fn", false, &["subnet-l2"], &[]);
    });
    assert_eq!(main, "reachable");
}

#[test]
fn a_peer_is_no_way_out() {
    let mut world = peered();
    add_route(&mut world, 1, "0.0.0.0/0", "pcx-1");
    assert_eq!(short(&secrets_manager(&world)), "blocked; peering pcx-1 forward");
}

#[test]
fn an_endpoint_in_a_peered_vpc_works_by_a_private_zone() {
    let mut world = peered();
    world["VpcEndpoints"] = with_endpoint(true)["VpcEndpoints"].clone();
    world["VpcEndpoints"][0]["VpcId"] = json!("vpc-b");
    world["VpcEndpoints"][0]["SubnetIds"] = json!(["subnet-b1"]);
    world["VpcEndpoints"][0]["NetworkInterfaceIds"] = json!(["eni-ep3"]);
    push(
        &mut world["NetworkInterfaces"],
        interface("eni-ep3", "subnet-b1", "10.1.11.20", &["sg-ep"], "vpc_endpoint"),
    );
    world["NetworkInterfaces"][5]["VpcId"] = json!("vpc-b");
    assert_eq!(short(&secrets_manager(&world)), "blocked; route rtb-fn forward");
    world["HostedZonesByVPC"] = json!({"vpc-a": [{"HostedZoneId": "Z1", "Name": "secretsmanager.eu-west-1.amazonaws.com",
        "Records": [{"Name": "secretsmanager.eu-west-1.amazonaws.com", "Type": "A",
            "Values": ["vpce-1-x.secretsmanager.eu-west-1.vpce.amazonaws.com"]}]}]});
    let answer = secrets_manager(&world);
    assert_eq!(short(&answer), "reachable");
    assert_eq!((answer.via.name(), answer.endpoints), ("peering", vec!["vpce-1".to_owned()]));
}

#[test]
fn a_private_address_is_not_reached_over_nat() {
    let mut world = peered();
    world["NatGateways"] = with_nat()["NatGateways"].clone();
    world["RouteTables"][1] = table("rtb-fn", false, &["subnet-l1"], &[("0.0.0.0/0", "nat-1")]);
    assert_eq!(short(&database(&world)), "blocked; route rtb-fn forward");
}

#[test]
fn a_public_database_in_a_peered_vpc() {
    let mut world = peered();
    world["DBInstances"][0]["PubliclyAccessible"] = json!(true);
    world["NetworkInterfaces"][2]["Association"] = json!({"PublicIp": "44.200.1.50"});
    world["NatGateways"] = with_nat()["NatGateways"].clone();
    add_route(&mut world, 1, "0.0.0.0/0", "nat-1");
    push(
        &mut world["InternetGateways"],
        json!({"InternetGatewayId": "igw-b",
        "Attachments": [{"VpcId": "vpc-b", "State": "available"}]}),
    );
    add_route(&mut world, 3, "0.0.0.0/0", "igw-b");
    let answer = database(&world);
    assert_eq!(short(&answer), "blocked; security_group sg-db ingress forward", "from NAT");
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "54.10.20.30/32")]);
    assert_eq!(short(&database(&world)), "reachable");
    push(&mut world["NatGateways"][0]["NatGatewayAddresses"], json!({"PublicIp": "54.10.20.31"}));
    let two = "intermittent; security_group sg-db ingress forward";
    assert_eq!(short(&database(&world)), two);
    world["RouteTables"][3]["Routes"].as_array_mut().expect("routes").pop();
    let expected = "blocked; security_group sg-db ingress forward; route rtb-b return";
    assert_eq!(short(&database(&world)), expected);
    world["VpcPeeringConnections"][0]["AccepterVpcInfo"]["PeeringOptions"] =
        json!({"AllowDnsResolutionFromRemoteVpc": true});
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "sg-fn")]);
    assert_eq!(short(&database(&world)), "reachable", "the private address");
}

#[test]
fn transit_gateways() {
    assert_eq!(short(&database(&transit())), "reachable");
    let after = |change: fn(&mut Value)| {
        let mut world = transit();
        change(&mut world);
        short(&database(&world))
    };
    let routes = |w: &mut Value, index: usize, state: &str| {
        w["TransitGatewayRouteTables"][0]["Routes"][index]["State"] = json!(state);
    };
    let mut world = transit();
    routes(&mut world, 1, "blackhole");
    assert_eq!(short(&database(&world)), "blocked; transit_gateway tgw-rtb-1 forward");
    let mut world = transit();
    routes(&mut world, 0, "blackhole");
    assert_eq!(short(&database(&world)), "blocked; transit_gateway tgw-rtb-1 return");
    let zone = after(|w| w["TransitGatewayVpcAttachments"][0]["SubnetIds"] = json!(["subnet-l2"]));
    assert_eq!(zone, "blocked; transit_gateway att-a forward");
    let state = after(|w| w["TransitGatewayVpcAttachments"][1]["State"] = json!("pending"));
    assert_eq!(state, "blocked; transit_gateway att-b forward");
    assert_eq!(after(|w| w["TransitGatewayVpcAttachments"] = Value::Null), "unknown");
    let unread = after(|w| {
        w.as_object_mut().expect("world").shift_remove("TransitGatewayRouteTables");
    });
    assert_eq!(unread, "unknown");
    let back = after(|w| w["RouteTables"][3]["Routes"] = json!([]));
    assert_eq!(back, "blocked; route rtb-b return");
}

#[test]
fn references_over_a_transit_gateway_want_support_everywhere() {
    let mut world = transit();
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "sg-fn")]);
    let blocked = "blocked; security_group sg-db ingress forward";
    let enable = json!({"SecurityGroupReferencingSupport": "enable"});
    assert_eq!(short(&database(&world)), blocked);
    world["TransitGateways"][0]["Options"] = enable.clone();
    world["TransitGatewayVpcAttachments"][0]["Options"] = enable.clone();
    assert_eq!(short(&database(&world)), blocked);
    world["TransitGatewayVpcAttachments"][1]["Options"] = enable;
    assert_eq!(short(&database(&world)), "reachable");
}

#[test]
fn a_function_without_a_vpc() {
    let mut world = world();
    world["Function"]["Configuration"]["VpcConfig"] = json!({});
    assert_eq!(short(&secrets_manager(&world)), "reachable");
    assert_eq!(short(&database(&world)), "blocked; lambda_vpc_config rotate forward");
    world["DBInstances"][0]["PubliclyAccessible"] = json!(true);
    world["NetworkInterfaces"][2] =
        interface("eni-db", "subnet-p1", "10.0.101.50", &["sg-db"], "interface");
    world["NetworkInterfaces"][2]["Association"] = json!({"PublicIp": "44.200.1.50"});
    let rules = |world: &mut Value, peer: &str| {
        world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, peer)]);
        short(&database(world))
    };
    let blocked = "blocked; security_group sg-db ingress forward";
    assert_eq!(rules(&mut world, "sg-fn"), blocked);
    assert_eq!(rules(&mut world, "10.0.0.0/8"), blocked);
    assert_eq!(rules(&mut world, "44.1.2.3/32"), blocked, "Lambda's addresses change");
    assert_eq!(rules(&mut world, "0.0.0.0/0"), "reachable");
    world["NetworkInterfaces"][2]["SubnetId"] = json!("subnet-d1");
    assert_eq!(short(&database(&world)), "blocked; route rtb-main return");
}
