//! Each fault that a plan can hold: the healthy plan with one thing changed, and where
//! the finding points.

use serde_json::{Value, json};

use super::{faults_of, patch::Plan, report};

const ENDPOINT: &str = "aws_vpc_endpoint.secretsmanager";
const DOCUMENT: &str = "data.aws_iam_policy_document.rotate";
const VERSION: &str = "aws_secretsmanager_secret_version.orders";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-xxxxxx";

/// What the plan is found to have, and where; the code must be among it.
fn assert_found(plan: &Plan, code: &str, address: &str) {
    let report = report(plan);
    let found = faults_of(&report);
    let wanted = (code.to_owned(), address.to_owned());
    assert!(
        found.contains(&wanted),
        "{code} at {address} is not among {found:?}; open: {:?}",
        super::inconclusive(&report)
    );
}

/// An ACL that lets nothing in.
fn closed_acl(plan: Plan, name: &str, subnets: [&str; 2]) -> Plan {
    let out = json!([{"rule_no": 100, "action": "allow", "protocol": "-1", "from_port": 0,
        "to_port": 0, "cidr_block": "0.0.0.0/0", "ipv6_cidr_block": "", "icmp_code": 0,
        "icmp_type": 0}]);
    let subnets = subnets.map(|name| format!("aws_subnet.{name}.id"));
    let subnets: Vec<&str> = subnets.iter().map(String::as_str).collect();
    plan.with(
        &format!("aws_network_acl.{name}"),
        json!({"egress": out, "ingress": []}),
        &[("vpc_id", &["aws_vpc.main.id"]), ("subnet_ids", &subnets)],
    )
}

/// Another VPC with a subnet and a group in it.
fn with_other_vpc(plan: Plan) -> Plan {
    let vpc: &[(&str, &[&str])] = &[("vpc_id", &["aws_vpc.other.id"])];
    plan.with(
        "aws_vpc.other",
        json!({"cidr_block": "10.30.0.0/16", "enable_dns_support": true,
            "enable_dns_hostnames": true}),
        &[],
    )
    .with("aws_subnet.other", json!({"cidr_block": "10.30.1.0/24"}), vpc)
    .with("aws_security_group.other", json!({"name": "other"}), vpc)
    .with(
        "aws_security_group_rule.other",
        json!({"type": "ingress", "protocol": "-1", "from_port": 0, "to_port": 0,
            "cidr_blocks": ["10.0.0.0/8"]}),
        &[("security_group_id", &["aws_security_group.other.id"])],
    )
}

/// A superuser's secret with a key of its own, which the value names.
fn with_superuser(plan: Plan) -> Plan {
    plan.with("aws_kms_key.admin", json!({"is_enabled": true}), &[])
        .with(
            "aws_secretsmanager_secret.admin",
            json!({"name": "prod/admin"}),
            &[("kms_key_id", &["aws_kms_key.admin.arn"])],
        )
        .refer(
            VERSION,
            "secret_string",
            &["aws_db_instance.orders.address", "aws_secretsmanager_secret.admin.arn"],
        )
}

/// The statements of the role's policy, with one more.
fn with_statement(plan: Plan, index: usize, actions: Value, resources: &[&str]) -> Plan {
    let at = |part: &str| format!("statement.{index}.{part}");
    plan.set(DOCUMENT, &at("sid"), "More")
        .set(DOCUMENT, &at("effect"), "Allow")
        .set(DOCUMENT, &at("actions"), actions)
        .refer(DOCUMENT, &at("resources"), resources)
}

/// A secret that RDS manages is the superuser's.
fn with_managed_superuser(plan: Plan) -> Plan {
    plan.refer(
        VERSION,
        "secret_string",
        &[
            "aws_db_instance.orders.address",
            "aws_db_instance.orders.master_user_secret[0].secret_arn",
        ],
    )
}

#[test]
fn net01_no_way_out() {
    assert_found(&Plan::healthy().without(ENDPOINT), "NET01", "aws_route_table.private");
}

#[test]
fn net02_a_public_subnet() {
    let vpc: &[(&str, &[&str])] = &[("vpc_id", &["aws_vpc.main.id"])];
    let plan = Plan::healthy()
        .without(ENDPOINT)
        .with("aws_internet_gateway.main", json!({}), vpc)
        .with(
            "aws_route.out",
            json!({"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": null}),
            &[
                ("route_table_id", &["aws_route_table.private.id"]),
                ("gateway_id", &["aws_internet_gateway.main.id"]),
            ],
        )
        .set("aws_vpc_security_group_egress_rule.fn_https", "cidr_ipv4", "0.0.0.0/0");
    assert_found(&plan, "NET02", "aws_internet_gateway.main");
}

#[test]
fn net03_the_endpoints_group() {
    let rule = "aws_security_group_rule.endpoint";
    let another = &["aws_security_group.db.id"];
    let plan = Plan::healthy().refer(rule, "source_security_group_id", another);
    assert_found(&plan, "NET03", "aws_security_group.endpoint");
    assert_found(&Plan::healthy().without(rule), "NET03", "aws_security_group.endpoint");
    // Blocks in the group that are known: for another network.
    let block = json!([{"cidr_blocks": ["10.99.0.0/16"], "from_port": 443, "to_port": 443,
        "protocol": "tcp", "security_groups": [], "self": false}]);
    let inline =
        Plan::healthy().without(rule).planned_only("aws_security_group.endpoint", "ingress", block);
    assert_found(&inline, "NET03", "aws_security_group.endpoint");
}

#[test]
fn net04_terraform_takes_the_rule_away_that_lets_everything_out() {
    let plan = Plan::healthy().without("aws_vpc_security_group_egress_rule.fn_https");
    assert_found(&plan, "NET04", "aws_security_group.fn");
}

#[test]
fn net05_an_acl_on_the_way_to_secrets_manager() {
    let plan = closed_acl(Plan::healthy(), "fn", ["fn_a", "fn_b"]);
    assert_found(&plan, "NET05", "aws_network_acl.fn");
}

#[test]
fn net06_private_dns_is_off() {
    assert_found(&Plan::healthy().set(ENDPOINT, "private_dns_enabled", false), "NET06", ENDPOINT);
    assert_found(&Plan::healthy().unset(ENDPOINT, "private_dns_enabled"), "NET06", ENDPOINT);
    let off = Plan::healthy().set("aws_vpc.main", "enable_dns_hostnames", false);
    assert_found(&off, "NET06", ENDPOINT);
}

#[test]
fn net07_an_endpoint_in_another_vpc() {
    let plan = with_other_vpc(Plan::healthy())
        .refer(ENDPOINT, "vpc_id", &["aws_vpc.other.id"])
        .refer(ENDPOINT, "subnet_ids", &["aws_subnet.other.id"])
        .refer(ENDPOINT, "security_group_ids", &["aws_security_group.other.id"]);
    assert_found(&plan, "NET07", ENDPOINT);
}

#[test]
fn net08_the_endpoints_policy() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": "*", "Action": "secretsmanager:DescribeSecret", "Resource": "*"}]});
    let plan = Plan::healthy().set(ENDPOINT, "policy", policy.to_string());
    assert_found(&plan, "NET08", ENDPOINT);
}

#[test]
fn net09_a_function_in_no_vpc() {
    let plan = Plan::healthy().set("aws_lambda_function.rotate", "vpc_config", json!([]));
    assert_found(&plan, "NET09", "aws_lambda_function.rotate");
}

#[test]
fn net10_the_databases_group() {
    let plan = Plan::healthy().without("aws_vpc_security_group_ingress_rule.db_fn");
    assert_found(&plan, "NET10", "aws_security_group.db");
}

#[test]
fn net11_the_functions_group_and_the_databases_port() {
    let plan = Plan::healthy().without("aws_security_group_rule.fn_db");
    assert_found(&plan, "NET11", "aws_security_group.fn");
    let other = Plan::healthy().set("aws_security_group_rule.fn_db", "to_port", 5431).set(
        "aws_security_group_rule.fn_db",
        "from_port",
        5431,
    );
    assert_found(&other, "NET11", "aws_security_group.fn");
}

#[test]
fn net12_an_acl_on_the_way_to_the_database() {
    let plan = closed_acl(Plan::healthy(), "db", ["db_a", "db_b"]);
    assert_found(&plan, "NET12", "aws_network_acl.db");
}

#[test]
fn net13_a_database_in_another_vpc() {
    let plan = with_other_vpc(Plan::healthy())
        .refer("aws_db_subnet_group.orders", "subnet_ids", &["aws_subnet.other.id"])
        .refer("aws_db_instance.orders", "vpc_security_group_ids", &["aws_security_group.other.id"])
        .set("aws_vpc_security_group_egress_rule.fn_https", "ip_protocol", "-1")
        .set("aws_vpc_security_group_egress_rule.fn_https", "cidr_ipv4", "0.0.0.0/0");
    assert_found(&plan, "NET13", "aws_lambda_function.rotate");
}

#[test]
fn net14_the_api_that_describes_the_database() {
    let plan = with_managed_superuser(Plan::healthy());
    assert_found(&plan, "NET14", "aws_route_table.private");
}

#[test]
fn iam01_an_action_is_missing() {
    let plan = Plan::healthy().set(
        DOCUMENT,
        "statement.0.actions",
        json!([
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:UpdateSecretVersionStage"
        ]),
    );
    assert_found(&plan, "IAM01", "aws_iam_role.rotate");
    assert_found(
        &Plan::healthy().without("aws_iam_role_policy.rotate"),
        "IAM01",
        "aws_iam_role.rotate",
    );
}

#[test]
fn iam02_the_secret_without_its_suffix() {
    let bare = SECRET.strip_suffix("-xxxxxx").expect("a suffix");
    let plan = Plan::healthy().set(DOCUMENT, "statement.0.resources", json!([bare]));
    assert_found(&plan, "IAM02", "aws_iam_role.rotate");
}

#[test]
fn iam03_and_iam07_the_superusers_secret_and_its_key() {
    let plan = with_superuser(Plan::healthy());
    assert_found(&plan, "IAM03", "aws_iam_role.rotate");
    let may_read = with_statement(
        plan,
        5,
        json!(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
        &["aws_secretsmanager_secret.admin.arn"],
    );
    assert_found(&may_read, "IAM07", "aws_iam_role.rotate");
}

#[test]
fn iam06_a_condition_for_another_secret() {
    let condition = json!([{"test": "StringEquals", "variable": "kms:EncryptionContext:SecretARN",
        "values": ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/other-AbCdEf"]}]);
    let plan = Plan::healthy().set(DOCUMENT, "statement.2.condition", condition);
    assert_found(&plan, "IAM06", "aws_iam_role.rotate");
}

#[test]
fn iam08_no_permission_to_invoke() {
    let plan = Plan::healthy().without("aws_lambda_permission.secretsmanager");
    assert_found(&plan, "IAM08", "aws_lambda_function.rotate");
    let qualified =
        Plan::healthy().set("aws_lambda_permission.secretsmanager", "qualifier", "live");
    assert_found(&qualified, "IAM08", "aws_lambda_function.rotate");
}

#[test]
fn iam09_a_permission_for_another_secret() {
    let plan = Plan::healthy()
        .with("aws_secretsmanager_secret.other", json!({"name": "prod/other"}), &[])
        .refer(
            "aws_lambda_permission.secretsmanager",
            "source_arn",
            &["aws_secretsmanager_secret.other.arn"],
        );
    assert_found(&plan, "IAM09", "aws_lambda_function.rotate");
}

#[test]
fn iam10_the_secrets_own_policy() {
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
        "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]});
    let plan = Plan::healthy().with(
        "aws_secretsmanager_secret_policy.orders",
        json!({"policy": deny.to_string()}),
        &[("secret_arn", &["aws_secretsmanager_secret.orders.arn"])],
    );
    assert_found(&plan, "IAM10", "aws_secretsmanager_secret.orders");
}

#[test]
fn iam11_a_boundary() {
    let boundary = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["kms:*", "logs:*", "ec2:*", "secretsmanager:Get*", "secretsmanager:Describe*"],
        "Resource": "*"}]});
    let plan = Plan::healthy()
        .with(
            "aws_iam_policy.boundary",
            json!({"name": "edge", "policy": boundary.to_string()}),
            &[],
        )
        .refer("aws_iam_role.rotate", "permissions_boundary", &["aws_iam_policy.boundary.arn"]);
    assert_found(&plan, "IAM11", "aws_iam_policy.boundary");
}

#[test]
fn iam12_the_role_may_not_ask_rds() {
    let plan = with_statement(
        with_managed_superuser(Plan::healthy()),
        5,
        json!(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
        &["aws_secretsmanager_secret.orders.arn"],
    );
    assert_found(&plan, "IAM12", "aws_iam_role.rotate");
}

#[test]
fn kms01_and_kms02_a_key_that_cannot_be_used() {
    let off = Plan::healthy().set("aws_kms_key.orders", "is_enabled", false);
    assert_found(&off, "KMS01", "aws_kms_key.orders");
    let empty = Plan::healthy()
        .with(
            "aws_kms_external_key.own",
            json!({"enabled": null, "key_material_base64": null}),
            &[],
        )
        .refer("aws_secretsmanager_secret.orders", "kms_key_id", &["aws_kms_external_key.own.arn"]);
    assert_found(&empty, "KMS02", "aws_kms_external_key.own");
}
