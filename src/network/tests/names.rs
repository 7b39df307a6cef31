//! Endpoints, zones, servers: what a name leads to when one thing is changed.

use serde_json::{Value, json};

use super::worlds::*;
use crate::network::{Question, judge};

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
fn an_address_that_was_not_looked_up_is_none_of_the_vpcs_own() {
    let mut world = dual_stack();
    world["NetworkAcls"][0]["Entries"]
        .as_array_mut()
        .expect("entries")
        .retain(|entry| entry["Ipv6CidrBlock"].is_null());
    let evidence = read(&world);
    let question = Question::secrets_manager(&evidence).expect("question");
    let answer = judge(&evidence, &question, &crate::network::PublicDns::default());
    assert_eq!(answer.verdict.word(), "blocked", "{:?}", answer.missing);
    let needed: Vec<String> =
        answer.blockers.iter().filter_map(|b| Some(b.needed.as_ref()?.to_string())).collect();
    assert!(needed.iter().any(|one| one.contains("::/0")), "{needed:?}");
    assert!(!needed.iter().any(|one| one.contains("/128")), "{needed:?}");
    assert!(answer.paths.iter().any(|path| path.to == "the Internet (IPv6)"));
}
