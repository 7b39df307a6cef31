//! What the three path checks say about small worlds.

use serde_json::{Value, json};

use super::{database_path, rds_api_path, secrets_manager_path};
use crate::{
    catalogue::Severity,
    checks::{
        self, Basis, Case, Check, Finding, Selection, Stop,
        testing::{codes, judge, lacks, not_applicable},
    },
    diagnosis::try_fixes,
    evidence::{Evidence, Fact},
    network::tests::worlds::{
        acl, all, entry, group, open, push, route, table, tcp, with_endpoint, with_nat, world,
    },
};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:orders-AbCdEf";
const HOST: &str = "mydb.abc.eu-west-1.rds.amazonaws.com";

fn secret(mut world: Value) -> Value {
    world["Secret"] = json!({"ARN": SECRET, "Name": "orders",
        "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:rotate"});
    world
}

fn shaped(world: Value) -> Value {
    let mut world = secret(world);
    world["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["host", "port"],
        "Values": {"host": HOST, "port": 5432}}});
    world
}

fn reach(world: Value) -> Vec<Finding> {
    judge(&secrets_manager_path::CHECK, secret(world)).expect("findings")
}

fn database(world: Value) -> Vec<Finding> {
    judge(&database_path::CHECK, shaped(world)).expect("findings")
}

/// The codes, in order.
fn all_codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(Finding::code).collect()
}

/// Whether the first fix of a finding makes it go away.
fn mends(world: Value, finding: &Finding) -> bool {
    let mut evidence: Evidence = serde_json::from_value(world).expect("bundle");
    evidence.settle();
    let (case, selection) = (Case::new(&evidence), Selection::default());
    let results = checks::run(&case, &selection);
    try_fixes(&case, &results, &selection, finding)[0].verified
}

/// The only finding of a check, whose first fix is tried.
fn mended(check: &Check, world: Value) -> Finding {
    let mut found = judge(check, world.clone()).expect("findings");
    assert_eq!(found.len(), 1, "{:?}", all_codes(&found));
    let finding = found.remove(0);
    assert!(mends(world, &finding), "{:?}", finding.fixes);
    finding
}

fn with_group(mut world: Value, index: usize, group: Value) -> Value {
    world["SecurityGroups"][index] = group;
    world
}

#[test]
fn open_ways_pass() {
    for world in [with_endpoint(true), with_nat()] {
        assert!(reach(world).is_empty());
    }
    assert!(database(world()).is_empty());
    let mut outside = world();
    outside["Function"]["Configuration"]["VpcConfig"] = json!(null);
    assert!(reach(outside).is_empty());
}

#[test]
fn no_way_out_is_net01_and_an_endpoint_mends_it() {
    let found = mended(&secrets_manager_path::CHECK, secret(world()));
    assert_eq!((found.code(), found.resource.as_str()), ("NET01", "rtb-fn"));
    let commands = &found.fixes[0].commands;
    assert!(commands[0].starts_with("aws ec2 authorize-security-group-ingress --group-id sg-fn"));
    assert!(
        commands.last().is_some_and(|c| c.contains("com.amazonaws.eu-west-1.secretsmanager")
            && c.contains("--subnet-ids subnet-l1 ")),
        "{commands:?}"
    );
    let path = found.path.expect("a path");
    assert_eq!(
        (path.subnet.as_deref(), path.block.as_deref()),
        (Some("subnet-l1"), Some("10.0.1.0/24"))
    );
}

#[test]
fn a_nat_gateway_that_failed_is_named_and_another_one_used() {
    let mut world = with_nat();
    world["NatGateways"][0]["State"] = json!("failed");
    let found = mended(&secrets_manager_path::CHECK, secret(world.clone()));
    assert_eq!((found.code(), found.resource.as_str()), ("NET01", "nat-1"));
    let mut second = world["NatGateways"][0].clone();
    second["NatGatewayId"] = json!("nat-2");
    second["State"] = json!("available");
    push(&mut world["NatGateways"], second);
    let found = mended(&secrets_manager_path::CHECK, secret(world));
    assert_eq!(
        found.fixes[0].commands,
        ["aws ec2 replace-route --route-table-id rtb-fn --destination-cidr-block 0.0.0.0/0 \
          --nat-gateway-id nat-2"]
    );
}

#[test]
fn a_public_subnet_is_net02_and_the_function_moves_to_one_with_nat() {
    let mut public = with_nat();
    public["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-p1"]);
    let found = mended(&secrets_manager_path::CHECK, secret(public));
    assert_eq!((found.code(), found.resource.as_str()), ("NET02", "igw-1"));
    assert_eq!(
        found.fixes[0].commands[0],
        "aws lambda update-function-configuration --function-name rotate --vpc-config \
         SubnetIds=subnet-l1,subnet-l2,SecurityGroupIds=sg-fn"
    );
    assert!(found.fixes[1].commands.iter().any(|c| c.contains("create-vpc-endpoint")));
}

#[test]
fn the_endpoints_group_is_net03() {
    let world =
        with_group(with_endpoint(true), 2, group("sg-ep", json!([tcp(443, "sg-app")]), json!([])));
    let found = mended(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET03", "sg-ep"));
    assert_eq!(
        found.fixes[0].commands,
        ["aws ec2 authorize-security-group-ingress --group-id sg-ep --protocol tcp --port 443 \
          --source-group sg-fn"]
    );
    assert!(
        found.summary.contains("vpce-1") && found.summary.contains("sg-fn"),
        "{}",
        found.summary
    );
}

#[test]
fn the_functions_group_is_net04() {
    let world = with_group(
        with_endpoint(true),
        0,
        group("sg-fn", json!([]), json!([tcp(5432, "0.0.0.0/0")])),
    );
    let found = mended(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET04", "sg-fn"));
    assert_eq!(
        found.fixes[0].commands,
        ["aws ec2 authorize-security-group-egress --group-id sg-fn --ip-permissions \
          'IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-ep}]'"]
    );
}

#[test]
fn both_groups_are_named_in_one_run() {
    let closed = |id| group(id, json!([]), json!([]));
    let world = with_group(with_group(with_endpoint(true), 0, closed("sg-fn")), 2, closed("sg-ep"));
    assert_eq!(all_codes(&reach(world)), ["NET03", "NET04"]);
}

#[test]
fn an_acl_without_the_way_back_is_net05_and_gets_entries_that_stand_before() {
    let mut world = with_endpoint(true);
    let mut entries = open(100);
    entries.push(entry(90, false, "deny", Some((1024, 65535)), "10.0.0.0/16"));
    push(&mut world["NetworkAcls"], acl("acl-fn", false, &["subnet-l1"], entries));
    let found = mended(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET05", "acl-fn"));
    let commands = &found.fixes[0].commands;
    assert_eq!(commands.len(), 2, "one for each subnet of the endpoint: {commands:?}");
    assert!(commands[0].contains("--ingress --rule-number 89 "), "{commands:?}");
    assert!(commands[1].contains("--ingress --rule-number 88 "), "{commands:?}");
}

#[test]
fn a_name_that_misses_the_endpoint_is_net06() {
    let found = mended(&secrets_manager_path::CHECK, secret(with_endpoint(false)));
    assert_eq!((found.code(), found.resource.as_str()), ("NET06", "vpce-1"));
    assert_eq!(
        found.fixes[0].commands,
        ["aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --private-dns-enabled"]
    );
    for (attribute, option) in [
        ("EnableDnsSupport", "--enable-dns-support"),
        ("EnableDnsHostnames", "--enable-dns-hostnames"),
    ] {
        let mut off = with_endpoint(true);
        off["VpcAttributes"]["vpc-a"][attribute] = json!({"Value": false});
        let found = mended(&secrets_manager_path::CHECK, secret(off));
        assert_eq!(found.code(), "NET06");
        assert_eq!(
            found.fixes[0].commands,
            [format!("aws ec2 modify-vpc-attribute --vpc-id vpc-a {option}")]
        );
    }
}

#[test]
fn an_endpoint_that_cannot_serve_is_net07() {
    let mut elsewhere = with_endpoint(true);
    elsewhere["VpcEndpoints"][0]["VpcId"] = json!("vpc-b");
    let found = mended(&secrets_manager_path::CHECK, secret(elsewhere));
    assert_eq!((found.code(), found.resource.as_str()), ("NET07", "vpce-1"));
    assert!(found.summary.contains("vpc-b"), "{}", found.summary);
    let mut pending = with_endpoint(true);
    pending["VpcEndpoints"][0]["State"] = json!("pendingAcceptance");
    let found = reach(pending);
    assert_eq!(all_codes(&found), ["NET07"]);
    assert!(
        found[0].fixes.iter().all(|fix| fix.change.is_none()),
        "a second one cannot have the name"
    );
}

#[test]
fn an_endpoints_policy_is_net08() {
    let mut world = secret(with_endpoint(true));
    world["VpcEndpoints"][0]["PolicyDocument"] = json!({"Statement": [{"Effect": "Allow",
        "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET}]});
    let found = mended(&secrets_manager_path::CHECK, world);
    assert_eq!((found.code(), found.resource.as_str()), ("NET08", "vpce-1"));
    assert!(found.summary.contains("GetRandomPassword") && found.path.is_none());
    assert!(found.fixes[0].commands[0].contains("aws:PrincipalArn"), "{:?}", found.fixes[0]);
}

#[test]
fn one_bad_subnet_is_a_warning_that_names_it() {
    let mut world = with_nat();
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] =
        json!(["subnet-l1", "subnet-p1"]);
    let found = reach(world);
    assert_eq!(all_codes(&found), ["NET02"]);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].summary.contains("subnet-p1"), "{}", found[0].summary);
    assert!(!found[0].summary.contains("subnet-l1"), "{}", found[0].summary);
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

#[test]
fn a_log_that_shows_the_way_open_lowers_what_is_closed_now() {
    let mut world = secret(world());
    let arn = SECRET;
    let lines = [
        "START RequestId: 11111111-aaaa-4bbb-8ccc-000000000001 Version: $LATEST".to_owned(),
        format!(
            "[INFO]\t2026-11-20T03:10:45.000Z\t11111111-aaaa-4bbb-8ccc-000000000001\tcreateSecret: Successfully put secret for ARN {arn} and version 0d3f7c52-7b1e-4c57-9d0a-3b5e0c1f2a11."
        ),
        "[ERROR] ValueError: setSecret: Unable to log into database".to_owned(),
        "END RequestId: 11111111-aaaa-4bbb-8ccc-000000000001".to_owned(),
    ];
    let events: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(at, text)| json!({"timestamp": 1_795_057_921_000_u64 + at as u64, "logStreamName": "s", "message": text}))
        .collect();
    assert_eq!(reach(world.clone())[0].basis, Basis::State);
    world["LogEvents"] = json!(events);
    assert_eq!(reach(world)[0].basis, Basis::Indication);
}

#[test]
fn isolated_subnets_that_a_stack_chose_are_cfn03_as_well() {
    let mut world = shaped(world());
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-d1"]);
    world["Function"]["Tags"] = json!({"aws:cloudformation:stack-name": "orders"});
    world["StackResources"] = json!([{"ResourceType": "AWS::CDK::Metadata"}]);
    let found = judge(&secrets_manager_path::CHECK, world.clone()).expect("findings");
    assert_eq!(all_codes(&found), ["NET01", "CFN03"]);
    assert_eq!(found[1].basis, Basis::State);
    assert!(found[1].path.is_some() && mends(world.clone(), &found[1]));
    world["Function"]["Tags"] = json!(null);
    assert_eq!(codes(&judge(&secrets_manager_path::CHECK, world)), ["NET01"]);
}

#[test]
fn a_private_database_needs_a_function_in_a_vpc() {
    let mut outside = shaped(world());
    outside["Function"]["Configuration"]["VpcConfig"] = json!(null);
    let found = mended(&database_path::CHECK, outside);
    assert_eq!(found.code(), "NET09");
    assert!(
        found.fixes[0].commands[0]
            .ends_with("SubnetIds=subnet-d1,subnet-d2,SecurityGroupIds=sg-fn"),
        "the group that the database admits: {:?}",
        found.fixes[0].commands
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
    assert!(found[0].fixes[0].commands[0].contains("SecurityGroupIds=sg-db"), "the only one known");
    assert!(!mends(blind.clone(), &found[0]), "what was not seen verifies nothing");
    blind["DBInstances"][0]["PubliclyAccessible"] = json!(true);
    assert!(judge(&database_path::CHECK, blind).is_err());
}

#[test]
fn the_databases_group_is_net10_and_the_functions_net11() {
    let shut =
        shaped(with_group(world(), 1, group("sg-db", json!([tcp(5432, "sg-app")]), json!([]))));
    let found = mended(&database_path::CHECK, shut);
    assert_eq!((found.code(), found.resource.as_str()), ("NET10", "sg-db"));
    assert_eq!(
        found.fixes[0].commands,
        ["aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 \
          --source-group sg-fn"]
    );
    let narrow = group("sg-fn", json!([]), json!([tcp(443, "0.0.0.0/0")]));
    let found = mended(&database_path::CHECK, shaped(with_group(world(), 0, narrow)));
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
    let found = mended(&database_path::CHECK, shaped(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET12", "acl-db"));
    assert_eq!(
        found.fixes[0].commands,
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
            .any(|fix| fix.commands.iter().any(|c| c.contains("subnet-d1,subnet-d2")))
    );
    world["VpcPeeringConnections"] = json!([{"VpcPeeringConnectionId": "pcx-1",
        "Status": {"Code": "active"},
        "RequesterVpcInfo": {"VpcId": "vpc-a", "CidrBlock": "10.0.0.0/16"},
        "AccepterVpcInfo": {"VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16"}}]);
    let found = mended(&database_path::CHECK, world);
    let commands = &found.fixes[0].commands;
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
fn the_rds_api_is_asked_only_for_a_managed_superuser() {
    let mut managed = secret(with_endpoint(true));
    managed["SuperuserSecret"] = json!({"Name": "rds!db-1", "OwningService": "rds"});
    let found = mended(&rds_api_path::CHECK, managed.clone());
    assert_eq!((found.code(), found.resource.as_str()), ("NET14", "rtb-fn"));
    assert!(found.fixes[0].commands.iter().any(|c| c.contains("com.amazonaws.eu-west-1.rds ")));
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
