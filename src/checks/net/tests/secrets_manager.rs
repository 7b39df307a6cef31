//! The path to Secrets Manager.

use super::*;

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
fn no_route_out_is_net01_and_an_endpoint_fixes_it() {
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world()));
    assert_eq!((found.code(), found.resource.as_str()), ("NET01", "rtb-fn"));
    let commands = &found.fixes[0].lines();
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
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world.clone()));
    assert_eq!((found.code(), found.resource.as_str()), ("NET01", "nat-1"));
    let mut second = world["NatGateways"][0].clone();
    second["NatGatewayId"] = json!("nat-2");
    second["State"] = json!("available");
    push(&mut world["NatGateways"], second);
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world));
    assert_eq!(
        found.fixes[0].lines(),
        ["aws ec2 replace-route --route-table-id rtb-fn --destination-cidr-block 0.0.0.0/0 \
          --nat-gateway-id nat-2"]
    );
}

#[test]
fn a_public_subnet_is_net02_and_the_function_moves_to_one_with_nat() {
    let mut public = with_nat();
    public["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-p1"]);
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(public));
    assert_eq!((found.code(), found.resource.as_str()), ("NET02", "igw-1"));
    assert_eq!(
        found.fixes[0].lines()[0],
        "aws lambda update-function-configuration --function-name rotate --vpc-config \
         SubnetIds=subnet-l1,subnet-l2,SecurityGroupIds=sg-fn"
    );
    assert!(found.fixes[1].lines().iter().any(|c| c.contains("create-vpc-endpoint")));
}

#[test]
fn the_endpoints_group_is_net03() {
    let world =
        with_group(with_endpoint(true), 2, group("sg-ep", json!([tcp(443, "sg-app")]), json!([])));
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET03", "sg-ep"));
    assert_eq!(
        found.fixes[0].lines(),
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
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET04", "sg-fn"));
    assert_eq!(
        found.fixes[0].lines(),
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
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(world));
    assert_eq!((found.code(), found.resource.as_str()), ("NET05", "acl-fn"));
    let commands = &found.fixes[0].lines();
    assert_eq!(commands.len(), 2, "one for each subnet of the endpoint: {commands:?}");
    assert!(commands[0].contains("--ingress --rule-number 89 "), "{commands:?}");
    assert!(commands[1].contains("--ingress --rule-number 88 "), "{commands:?}");
}

#[test]
fn a_name_that_misses_the_endpoint_is_net06() {
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(with_endpoint(false)));
    assert_eq!((found.code(), found.resource.as_str()), ("NET06", "vpce-1"));
    assert_eq!(
        found.fixes[0].lines(),
        ["aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --private-dns-enabled"]
    );
    for (attribute, option) in [
        ("EnableDnsSupport", "--enable-dns-support"),
        ("EnableDnsHostnames", "--enable-dns-hostnames"),
    ] {
        let mut off = with_endpoint(true);
        off["VpcAttributes"]["vpc-a"][attribute] = json!({"Value": false});
        let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(off));
        assert_eq!(found.code(), "NET06");
        assert_eq!(
            found.fixes[0].lines(),
            [format!("aws ec2 modify-vpc-attribute --vpc-id vpc-a {option}")]
        );
    }
}

#[test]
fn an_endpoint_that_cannot_serve_is_net07() {
    let mut elsewhere = with_endpoint(true);
    elsewhere["VpcEndpoints"][0]["VpcId"] = json!("vpc-b");
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, secret(elsewhere));
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
    let found = only_finding_with_fix(&secrets_manager_path::CHECK, world);
    assert_eq!((found.code(), found.resource.as_str()), ("NET08", "vpce-1"));
    assert!(found.summary.contains("GetRandomPassword") && found.path.is_none());
    assert!(found.fixes[0].lines()[0].contains("aws:PrincipalArn"), "{:?}", found.fixes[0]);
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
    assert!(found[1].path.is_some() && is_fixed_by(world.clone(), &found[1]));
    world["Function"]["Tags"] = json!(null);
    assert_eq!(codes(&judge(&secrets_manager_path::CHECK, world)), ["NET01"]);
}

#[test]
fn what_a_policy_denies_by_name_no_statement_can_allow() {
    let mut world = with_endpoint(true);
    world["VpcEndpoints"][0]["PolicyDocument"] = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}]});
    let found = reach(world);
    let fix = &found[0].fixes[0];
    assert_eq!((found[0].code(), &fix.change), ("NET08", &None));
    assert!(fix.summary.contains("Remove PutSecretValue from"), "{}", fix.summary);
    assert!(fix.lines()[0].starts_with("aws ec2 describe-vpc-endpoints"), "{:?}", fix.lines());
}

#[test]
fn conditions_of_a_policy_are_read_with_all_that_is_known() {
    let mut world = with_endpoint(true);
    world["VpcEndpoints"][0]["PolicyDocument"] = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-other"}}}]});
    assert_eq!(all_codes(&reach(world.clone())), ["NET08"]);
    world["VpcEndpoints"][0]["PolicyDocument"]["Statement"][0]["Condition"] =
        json!({"StringEquals": {"aws:SourceVpc": "vpc-a"}});
    assert!(reach(world).is_empty());
}

#[test]
fn a_blackhole_route_before_a_good_one_is_deleted() {
    let mut world = with_nat();
    push(&mut world["RouteTables"][1]["Routes"], route("0.0.0.0/1", "!pcx-0"));
    push(&mut world["RouteTables"][1]["Routes"], route("128.0.0.0/1", "!pcx-0"));
    let found = reach(world.clone());
    assert_eq!(all_codes(&found), ["NET01"]);
    world["RouteTables"][1]["Routes"].as_array_mut().expect("routes").pop();
    let found = judge(&database_path::CHECK, dead_inside(world)).expect("findings");
    assert_eq!(
        found[0].fixes[0].lines(),
        ["aws ec2 delete-route --route-table-id rtb-fn --destination-cidr-block 10.0.11.0/24"]
    );
}

/// The world with a dead route to the database's subnet.
fn dead_inside(mut world: Value) -> Value {
    push(&mut world["RouteTables"][1]["Routes"], route("10.0.11.0/24", "!eni-0"));
    shaped(world)
}

#[test]
fn a_function_behind_an_alias_is_published_after_it_moves() {
    let mut public = secret(with_nat());
    public["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] = json!(["subnet-p1"]);
    public["Secret"]["RotationLambdaARN"] =
        json!("arn:aws:lambda:eu-west-1:111111111111:function:rotate:live");
    let found = judge(&secrets_manager_path::CHECK, public).expect("findings");
    let commands = &found[0].fixes[0].lines();
    assert!(commands[2].starts_with("VERSION=$(aws lambda publish-version"), "{commands:?}");
    assert!(commands[3].contains("update-alias --function-name rotate --name live"));
    assert_eq!(found[0].fixes[0].change, None);
}

#[test]
fn texts_speak_of_the_internet_and_of_no_made_up_address() {
    let found = reach(world());
    let texts = || found[0].proofs.iter().map(|proof| &proof.text).chain([&found[0].summary]);
    assert!(found[0].summary.contains("no route to the Internet"), "{}", found[0].summary);
    assert!(!texts().any(|text| text.contains("1.0.0.0")), "{:?}", found[0].proofs);
}

#[test]
fn what_fails_for_certain_is_a_finding_whatever_was_not_seen_of_the_rest() {
    let mut world = with_nat();
    world["Function"]["Configuration"]["VpcConfig"]["SubnetIds"] =
        json!(["subnet-p1", "subnet-gone"]);
    let found = reach(world);
    assert_eq!((found[0].code(), found[0].severity), ("NET02", Severity::Warning));
    assert!(found[0].summary.contains("That is subnet-p1"), "{}", found[0].summary);
}
