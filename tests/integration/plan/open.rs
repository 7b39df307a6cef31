//! What a plan leaves open is neither a fault nor fine.

use serde_json::json;

use super::{declared, faults_of, inconclusive, patch::Plan, report};

/// The check has no answer, and nothing is found.
fn assert_open(plan: &Plan, check: &str) {
    let report = report(plan);
    assert_eq!(faults_of(&report), [], "an unknown is no fault");
    let open = inconclusive(&report);
    let own = open.iter().any(|line| line.starts_with(&format!("{check}:")));
    assert!(own, "{check} is not among {open:?}");
}

/// Not found to be there: a local value may be anything.
const LOCAL: &[&str] = &["local.something"];

#[test]
fn a_group_that_does_not_show() {
    let plan = Plan::healthy().refer(
        "aws_lambda_function.rotate",
        "vpc_config.0.security_group_ids",
        LOCAL,
    );
    assert_open(&plan, "secrets-manager-path");
    assert_open(&plan, "database-path");
}

#[test]
fn a_subnet_that_does_not_show() {
    let plan =
        Plan::healthy().refer("aws_lambda_function.rotate", "vpc_config.0.subnet_ids", LOCAL);
    assert_open(&plan, "secrets-manager-path");
}

#[test]
fn a_choice_between_two_is_none() {
    let choice = &["var.public", "aws_security_group.db.id", "aws_security_group.endpoint.id"];
    let plan = Plan::healthy().refer(
        "aws_lambda_function.rotate",
        "vpc_config.0.security_group_ids",
        choice,
    );
    assert_open(&plan, "database-path");
}

#[test]
fn the_other_side_of_a_rule_that_does_not_show() {
    let rule = "aws_vpc_security_group_ingress_rule.db_fn";
    let plan = Plan::healthy().refer(rule, "referenced_security_group_id", LOCAL);
    assert_open(&plan, "database-path");
}

/// What a block of a group refers to, Terraform does not write.
#[test]
fn a_block_of_a_group_that_names_another_group() {
    let group = "aws_security_group.endpoint";
    let block = |port: u16| {
        json!([{"cidr_blocks": [], "from_port": port, "to_port": port, "protocol": "tcp",
            "self": false}])
    };
    let healthy = || Plan::healthy().without("aws_security_group_rule.endpoint");
    let plan = healthy()
        .planned_only(group, "ingress", block(443))
        .open_only(group, "ingress.0.security_groups");
    assert_open(&plan, "secrets-manager-path");
    // On another port it leaves nothing open.
    let other = healthy()
        .planned_only(group, "ingress", block(8443))
        .open_only(group, "ingress.0.security_groups");
    let found = faults_of(&report(&other));
    assert_eq!(found, [("NET03".to_owned(), group.to_owned())]);
}

#[test]
fn a_block_of_a_table_leads_to_the_only_gateway_or_nowhere_known() {
    let vpc: &[(&str, &[&str])] = &[("vpc_id", &["aws_vpc.main.id"])];
    let subnet: &[(&str, &[&str])] = &[("subnet_id", &["aws_subnet.public.id"])];
    let rule = "aws_vpc_security_group_egress_rule.fn_https";
    let route = json!([{"cidr_block": "0.0.0.0/0", "gateway_id": ""}]);
    let table = "aws_route_table.private";
    let nat = json!({"connectivity_type": "public"});
    let out = Plan::healthy()
        .without("aws_vpc_endpoint.secretsmanager")
        .set(rule, "cidr_ipv4", "0.0.0.0/0")
        .with("aws_subnet.public", json!({"cidr_block": "10.20.99.0/24"}), vpc)
        .with("aws_internet_gateway.main", json!({}), vpc)
        .with("aws_nat_gateway.one", nat.clone(), subnet)
        .with("aws_route_table.public", json!({}), vpc)
        .planned_only("aws_route_table.public", "route", route.clone())
        .open_only("aws_route_table.public", "route.0.gateway_id")
        .with(
            "aws_route_table_association.public",
            json!({}),
            &[
                ("subnet_id", &["aws_subnet.public.id"]),
                ("route_table_id", &["aws_route_table.public.id"]),
            ],
        )
        .planned_only(table, "route", route)
        .open_only(table, "route.0.nat_gateway_id");
    let passed = report(&out);
    assert_eq!(faults_of(&passed), []);
    assert!(passed.passed.iter().any(|one| one.check == "secrets-manager-path"));
    let two = out.with("aws_nat_gateway.two", nat, subnet);
    assert_open(&two, "secrets-manager-path");
}

#[test]
fn a_rule_of_any_group() {
    let rule = "aws_vpc_security_group_ingress_rule.db_fn";
    assert_open(&Plan::healthy().refer(rule, "security_group_id", LOCAL), "database-path");
}

#[test]
fn a_route_of_any_table_and_one_to_anywhere() {
    let known = json!({"destination_cidr_block": "0.0.0.0/0"});
    let healthy = || {
        let rule = "aws_vpc_security_group_egress_rule.fn_https";
        Plan::healthy().set(rule, "cidr_ipv4", "0.0.0.0/0")
    };
    let any = healthy().without("aws_vpc_endpoint.secretsmanager").with(
        "aws_route.out",
        known.clone(),
        &[("route_table_id", LOCAL), ("nat_gateway_id", LOCAL)],
    );
    assert_open(&any, "secrets-manager-path");
    let own: &[&str] = &["aws_route_table.private.id"];
    let anywhere = healthy().without("aws_vpc_endpoint.secretsmanager").with(
        "aws_route.out",
        known,
        &[("route_table_id", own), ("nat_gateway_id", LOCAL)],
    );
    assert_open(&anywhere, "secrets-manager-path");
}

#[test]
fn an_acl_of_any_subnet() {
    let plan = Plan::healthy().with(
        "aws_network_acl.some",
        json!({"egress": [], "ingress": []}),
        &[("vpc_id", &["aws_vpc.main.id"]), ("subnet_ids", LOCAL)],
    );
    assert_open(&plan, "database-path");
}

#[test]
fn an_endpoint_with_groups_that_do_not_show() {
    let endpoint = "aws_vpc_endpoint.secretsmanager";
    assert_open(
        &Plan::healthy().refer(endpoint, "security_group_ids", LOCAL),
        "secrets-manager-path",
    );
    // Of two new VPCs it may be either; a single one it must be.
    let two = Plan::healthy().with("aws_vpc.other", json!({"cidr_block": "10.30.0.0/16"}), &[]);
    assert_open(&two.refer(endpoint, "vpc_id", LOCAL), "secrets-manager-path");
    let one = report(&Plan::healthy().refer(endpoint, "vpc_id", LOCAL));
    assert!(one.passed.iter().any(|one| one.check == "secrets-manager-path"));
    assert_open(&Plan::healthy().refer(endpoint, "policy", LOCAL), "secrets-manager-path");
}

#[test]
fn policies_that_do_not_show() {
    let role = Plan::healthy().refer("aws_iam_role_policy.rotate", "policy", LOCAL);
    assert_open(&role, "secret-rights");
    let of_any_role = Plan::healthy().refer("aws_iam_role_policy.rotate", "role", LOCAL);
    assert_open(&of_any_role, "secret-rights");
    let function =
        Plan::healthy().refer("aws_lambda_permission.secretsmanager", "function_name", LOCAL);
    assert_open(&function, "invoke-permission");
    let source = Plan::healthy().refer("aws_lambda_permission.secretsmanager", "source_arn", LOCAL);
    assert_open(&source, "invoke-permission");
    let managed = Plan::healthy().without("aws_iam_role_policy.rotate").with(
        "aws_iam_role_policy_attachment.aws",
        json!({"policy_arn": "arn:aws:iam::123456789012:policy/elsewhere"}),
        &[("role", &["aws_iam_role.rotate.name"])],
    );
    assert_open(&managed, "secret-rights");
}

#[test]
fn a_denial_is_read_to_the_letter() {
    let document = "data.aws_iam_policy_document.rotate";
    let plan = Plan::healthy()
        .set(document, "statement.5.effect", "Deny")
        .set(document, "statement.5.actions", json!(["secretsmanager:*"]))
        .refer(document, "statement.5.resources", &["aws_secretsmanager_secret.orders.arn"]);
    assert_open(&plan, "secret-rights");
}

#[test]
fn a_key_that_lies_outside_the_plan() {
    let plan = Plan::healthy().set(
        "aws_secretsmanager_secret.orders",
        "kms_key_id",
        "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    );
    assert_open(&plan, "key-usable");
    assert_open(
        &Plan::healthy().refer("aws_secretsmanager_secret.orders", "kms_key_id", LOCAL),
        "key-usable",
    );
}

#[test]
fn a_function_that_is_not_in_the_plan() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:elsewhere";
    let rotation = "aws_secretsmanager_secret_rotation.orders";
    let plan = Plan::healthy().set(rotation, "rotation_lambda_arn", arn);
    assert_open(&plan, "secrets-manager-path");
    assert_open(&plan, "invoke-permission");
    let hidden = Plan::healthy().refer(rotation, "rotation_lambda_arn", LOCAL);
    assert_open(&hidden, "secrets-manager-path");
    let gaps = &declared(&plan).evidence.gaps;
    assert!(
        gaps.iter().any(|gap| gap.resource == arn && gap.message.contains("not in the plan")),
        "{gaps:?}"
    );
}

#[test]
fn a_database_whose_groups_do_not_show() {
    let plan = Plan::healthy().refer("aws_db_instance.orders", "vpc_security_group_ids", LOCAL);
    assert_open(&plan, "database-path");
}

#[test]
fn a_network_outside_the_plan() {
    let mut plan = Plan::healthy();
    for name in ["fn_a", "fn_b"] {
        plan = plan.without(&format!("aws_route_table_association.{name}"));
        plan = plan.without(&format!("aws_subnet.{name}"));
    }
    let plan = plan
        .set("aws_lambda_function.rotate", "vpc_config.0.subnet_ids", json!(["subnet-0a1b2c3d"]))
        .without("aws_vpc_endpoint.secretsmanager");
    assert_open(&plan, "secrets-manager-path");
}
