//! The worlds that tests start from: a function, its database, and one thing
//! more. No test stands here.

use serde_json::{Value, json};

use crate::{
    evidence::Evidence,
    network::{Answer, PublicDns, Question, judge},
};

pub(crate) const DB: &str = "mydb.abc.eu-west-1.rds.amazonaws.com";
pub(crate) const SM: &str = "secretsmanager.eu-west-1.amazonaws.com";

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

pub(crate) fn explains(answer: &Answer, words: &str) -> bool {
    answer.explanation.iter().any(|line| line.contains(words))
}

pub(crate) fn refuse(world: &mut Value, fact: &str, action: &str, resource: &str) {
    push(
        &mut world["Gaps"],
        json!({"Fact": fact, "Action": action, "Resource": resource, "Reason": "AccessDenied"}),
    );
    if resource.is_empty() {
        world.as_object_mut().expect("world").shift_remove(fact);
    }
}

pub(crate) fn add_route(world: &mut Value, table: usize, to: &str, target: &str) {
    push(&mut world["RouteTables"][table]["Routes"], route(to, target));
}

pub(crate) fn dual_stack() -> Value {
    let mut world = world();
    world["Function"]["Configuration"]["VpcConfig"]["Ipv6AllowedForDualStack"] = json!(true);
    world["Vpcs"][0]["Ipv6CidrBlockAssociationSet"] =
        json!([{"Ipv6CidrBlock": "2600:1f18:aaaa:bb00::/56"}]);
    world["Subnets"][0]["Ipv6CidrBlockAssociationSet"] =
        json!([{"Ipv6CidrBlock": "2600:1f18:aaaa:bb01::/64"}]);
    push(&mut world["SecurityGroups"][0]["IpPermissionsEgress"], all("::/0"));
    for egress in [true, false] {
        push(&mut world["NetworkAcls"][0]["Entries"], entry(101, egress, "allow", None, "::/0"));
    }
    world["EgressOnlyInternetGateways"] = json!([{"EgressOnlyInternetGatewayId": "eigw-1",
        "Attachments": [{"VpcId": "vpc-a", "State": "attached"}]}]);
    add_route(&mut world, 1, "::/0", "eigw-1");
    world
}

/// The database in a second VPC.
pub(crate) fn two_vpcs(way: &str) -> Value {
    let mut world = world();
    push(
        &mut world["Vpcs"],
        json!({"VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16", "DhcpOptionsId": "dopt-1"}),
    );
    world["VpcAttributes"]["vpc-b"] = world["VpcAttributes"]["vpc-a"].clone();
    push(
        &mut world["Subnets"],
        json!({"SubnetId": "subnet-b1", "VpcId": "vpc-b",
        "CidrBlock": "10.1.11.0/24", "AvailabilityZone": "eu-west-1a"}),
    );
    push(
        &mut world["RouteTables"],
        json!({"RouteTableId": "rtb-b", "VpcId": "vpc-b",
        "Associations": [{"Main": true}], "Routes": [route("10.1.0.0/16", "local"), route("10.0.0.0/16", way)]}),
    );
    let mut acl = acl("acl-b", true, &[], open(100));
    acl["VpcId"] = json!("vpc-b");
    push(&mut world["NetworkAcls"], acl);
    world["NetworkInterfaces"][2] =
        interface("eni-db", "subnet-b1", "10.1.11.50", &["sg-db"], "interface");
    world["NetworkInterfaces"][2]["VpcId"] = json!("vpc-b");
    world["SecurityGroups"][1]["VpcId"] = json!("vpc-b");
    world["DBInstances"][0]["DBSubnetGroup"] =
        json!({"VpcId": "vpc-b", "Subnets": [{"SubnetIdentifier": "subnet-b1"}]});
    add_route(&mut world, 1, "10.1.0.0/16", way);
    world
}

pub(crate) fn peered() -> Value {
    let mut world = two_vpcs("pcx-1");
    let side = |vpc: &str, block: &str| {
        json!({"VpcId": vpc, "CidrBlock": block, "Region": "eu-west-1",
            "PeeringOptions": {"AllowDnsResolutionFromRemoteVpc": false}})
    };
    world["VpcPeeringConnections"] = json!([{"VpcPeeringConnectionId": "pcx-1",
        "Status": {"Code": "active"}, "RequesterVpcInfo": side("vpc-a", "10.0.0.0/16"),
        "AccepterVpcInfo": side("vpc-b", "10.1.0.0/16")}]);
    world
}

pub(crate) fn transit() -> Value {
    let mut world = two_vpcs("tgw-1");
    world["SecurityGroups"][1]["IpPermissions"] = json!([tcp(5432, "10.0.0.0/16")]);
    world["TransitGateways"] = json!([{"TransitGatewayId": "tgw-1", "State": "available"}]);
    let end = |id: &str, vpc: &str, subnet: &str| {
        json!({"TransitGatewayAttachmentId": id, "TransitGatewayId": "tgw-1", "VpcId": vpc,
            "State": "available", "SubnetIds": [subnet]})
    };
    world["TransitGatewayVpcAttachments"] =
        json!([end("att-a", "vpc-a", "subnet-l1"), end("att-b", "vpc-b", "subnet-b1")]);
    world["TransitGatewayRouteTables"] = json!([{"TransitGatewayRouteTableId": "tgw-rtb-1",
        "AssociatedAttachments": ["att-a", "att-b"], "Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "Attachment": "att-a", "State": "active"},
            {"DestinationCidrBlock": "10.1.0.0/16", "Attachment": "att-b", "State": "active"}]}]);
    world
}
