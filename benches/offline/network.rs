//! A large VPC: how long both questions take, and how the time grows with the
//! number of rules.

use std::hint::black_box;

use rotdoctor::{
    evidence::Evidence,
    network::{self, PublicDns, Question, Verdict},
};
use serde_json::{Value, json};

const HOST: &str = "orders.abc123.eu-west-1.rds.amazonaws.com";
const SUBNETS: usize = 200;
const GROUPS: usize = 500;
const ENDPOINTS: usize = 50;

/// Measures the VPC with 60 rules in each group, then with fewer and more.
pub(crate) fn run() {
    let large = world(60);
    super::median("both ways through a large VPC (want < 50 ms)", 20, || {
        black_box(answers(&large));
    });
    for rules in [15, 30, 60, 120, 240] {
        let world = world(rules);
        super::median(&format!("… with {rules} rules in each of its groups"), 20, || {
            black_box(answers(&world));
        });
    }
}

fn answers(evidence: &Evidence) -> [Verdict; 2] {
    let secrets_manager = Question::secrets_manager(evidence).expect("a region");
    [secrets_manager, Question::database(HOST, 5432)]
        .map(|question| network::judge(evidence, &question, &PublicDns::default()).verdict)
}

/// Rules that name blocks, groups and a prefix list, none of them the
/// function's: all have to be looked at.
fn rules(count: usize, group: usize) -> Vec<Value> {
    let rule = |number: usize| match number % 3 {
        0 => json!({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535,
            "IpRanges": [{"CidrIp": format!("172.{}.{}.0/24", 16 + group % 16, number % 256)}]}),
        1 => json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 5432,
            "UserIdGroupPairs": [{"GroupId": format!("sg-{}", (group + number) % GROUPS + 1)}]}),
        _ => json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]}),
    };
    (0..count).map(rule).collect()
}

/// The function in eight subnets with the first five groups, the database with
/// the next five, an endpoint of two interfaces with five more.
fn world(count: usize) -> Evidence {
    let all = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    let subnet = |n: usize| {
        json!({"SubnetId": format!("subnet-{n}"), "VpcId": "vpc-1",
            "CidrBlock": format!("10.0.{n}.0/24"), "AvailabilityZone": format!("eu-west-1{}", ["a", "b", "c"][n % 3])})
    };
    let groups = (0..GROUPS).map(|n| {
        let mut ingress = rules(count - 1, n);
        ingress.push(json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535,
            "UserIdGroupPairs": [{"GroupId": "sg-0"}]}));
        json!({"GroupId": format!("sg-{n}"), "VpcId": "vpc-1", "IpPermissions": ingress,
            "IpPermissionsEgress": all})
    });
    let interface = |id: &str, n: usize, host: usize, first: usize, kind: &str| {
        let own: Vec<Value> =
            (first..first + 5).map(|g| json!({"GroupId": format!("sg-{g}")})).collect();
        json!({"NetworkInterfaceId": id, "SubnetId": format!("subnet-{n}"), "VpcId": "vpc-1",
            "InterfaceType": kind, "Groups": own, "SourceDestCheck": true,
            "PrivateIpAddresses": [{"PrivateIpAddress": format!("10.0.{n}.{host}"), "Primary": true}]})
    };
    let mut interfaces = vec![interface("eni-db", 100, 50, 5, "interface")];
    interfaces.extend((0..8).map(|n| interface(&format!("eni-fn{n}"), n, 40, 0, "lambda")));
    let mut endpoints = Vec::new();
    for n in 0..ENDPOINTS {
        let ids = [format!("eni-ep{n}a"), format!("eni-ep{n}b")];
        interfaces.push(interface(&ids[0], 150, n + 10, 10, "vpc_endpoint"));
        interfaces.push(interface(&ids[1], 151, n + 10, 10, "vpc_endpoint"));
        let service = if n == 0 { "secretsmanager".to_owned() } else { format!("service{n}") };
        endpoints.push(
            json!({"VpcEndpointId": format!("vpce-{n}"), "VpcEndpointType": "Interface",
            "VpcId": "vpc-1", "ServiceName": format!("com.amazonaws.eu-west-1.{service}"),
            "State": "available", "PrivateDnsEnabled": true, "NetworkInterfaceIds": ids,
            "SubnetIds": ["subnet-150", "subnet-151"], "Groups": [{"GroupId": "sg-10"}]}),
        );
    }
    let ids = |range: std::ops::Range<usize>, kind: &str| -> Vec<String> {
        range.map(|n| format!("{kind}-{n}")).collect()
    };
    let tables = (0..SUBNETS).map(|n| {
        json!({"RouteTableId": format!("rtb-{n}"), "VpcId": "vpc-1",
            "Associations": [{"SubnetId": format!("subnet-{n}")}],
            "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}]})
    });
    let entries = [true, false].map(|egress| {
        json!({"RuleNumber": 100, "Egress": egress, "Protocol": "-1", "RuleAction": "allow",
            "CidrBlock": "0.0.0.0/0"})
    });
    let mut bundle = json!({
        "CapturedAt": "2026-11-21T00:00:00Z", "Region": "eu-west-1", "AccountId": "111122223333",
        "Function": {"Configuration": {"FunctionName": "rotate", "VpcConfig": {"VpcId": "vpc-1",
            "SubnetIds": ids(0..8, "subnet"), "SecurityGroupIds": ids(0..5, "sg")}}},
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "DhcpOptionsId": "default"}],
        "VpcAttributes": {"vpc-1": {"EnableDnsSupport": {"Value": true}, "EnableDnsHostnames": {"Value": true}}},
        "Subnets": (0..SUBNETS).map(subnet).collect::<Vec<_>>(),
        "RouteTables": tables.collect::<Vec<_>>(),
        "NetworkAcls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "Entries": entries}],
        "SecurityGroups": groups.collect::<Vec<_>>(), "NetworkInterfaces": interfaces,
        "VpcEndpoints": endpoints,
        "ManagedPrefixListEntries": {"pl-1": (0..100).map(|n| format!("192.168.{n}.0/24")).collect::<Vec<_>>()},
        "DBInstances": [{"DBInstanceIdentifier": "orders", "Endpoint": {"Address": HOST, "Port": 5432},
            "PubliclyAccessible": false, "_NetworkInterfaceId": "eni-db"}],
    });
    let empty = [
        "DhcpOptions",
        "NatGateways",
        "InternetGateways",
        "EgressOnlyInternetGateways",
        "VpcPeeringConnections",
        "TransitGateways",
        "TransitGatewayVpcAttachments",
        "TransitGatewayRouteTables",
        "VpcBlockPublicAccessOptions",
        "HostedZonesByVPC",
        "ResolverRules",
        "DBClusters",
    ];
    for key in empty {
        bundle[key] = Value::Null;
    }
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
    evidence.settle();
    assert_eq!(answers(&evidence), [Verdict::Reachable; 2], "the world is what it should be");
    evidence
}
