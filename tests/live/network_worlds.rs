//! Reachability, end to end: a way is closed in the emulator's network, the real
//! binary names what closes it, the commands that it prints are run as they stand,
//! and after the next rotation it has nothing more to say. ministack keeps neither
//! the groups nor the private DNS of an endpoint, and no subnets of a network ACL, so
//! what turns on those is proven in moto alone.

use rotdoctor::report::v1::Verdict::Failing;

use crate::support::{
    emulators::{Emulator, another, ministack, moto},
    in_each_emulator,
    log_lines::Failure,
    mending::{diagnose, found_and_mended},
    run::told,
    world::{World, hours_ago},
};

in_each_emulator! {
    no_way_to_secrets_manager,
    a_public_subnet_is_no_way,
    the_functions_group_lets_nothing_out_to_secrets_manager,
    no_vpc_and_a_private_database,
    the_databases_group_admits_nobody,
    the_functions_group_lets_nothing_out_to_the_database,
}

/// The first thing that a rotation does gets no answer.
fn silent_from_the_start(world: &mut World) {
    world.rotation_fails(hours_ago(2), &Failure::killed("createSecret", 30.0));
}

/// The database gets nothing of what is sent to it, or sends nothing back.
fn silent_at_the_database(world: &mut World) {
    world.rotation_fails(hours_ago(2), &Failure::killed("setSecret", 30.0));
}

fn no_way_to_secrets_manager(emulator: &'static Emulator) {
    // ministack shows an endpoint to every VPC: one made for another world, or by the
    // command that mends this one, must not meet it.
    let mut world = World::healthy(another(emulator.kind));
    world.network().without_way_out(&world.cloud);
    silent_from_the_start(&mut world);
    let table = world.network().private_table.clone();
    found_and_mended(&mut world, "NET01", &table);
}

fn a_public_subnet_is_no_way(emulator: &'static Emulator) {
    // As above.
    let mut world = World::healthy(another(emulator.kind));
    world.network().made_public(&world.cloud);
    silent_from_the_start(&mut world);
    let table = world.network().private_table.clone();
    found_and_mended(&mut world, "NET02", &table);
}

fn the_functions_group_lets_nothing_out_to_secrets_manager(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.network().function_egress_only(&world.cloud, 5432);
    silent_from_the_start(&mut world);
    let group = world.network().function_group.clone();
    found_and_mended(&mut world, "NET04", &group);
}

#[test]
fn an_acl_lets_no_answer_back() {
    let mut world = World::healthy(moto());
    let network = world.network();
    network.acl(&world.cloud, &network.subnets, &[(443, 443), (5432, 5432)]);
    silent_from_the_start(&mut world);
    let subnet = world.network().subnets[0].clone();
    let report = found_and_mended(&mut world, "NET05", "");
    let whole = serde_json::to_string(&report.causes[0]).expect("a report is JSON");
    assert!(whole.contains("acl-") && whole.contains(&subnet), "{whole}");
}

/// Only the endpoints of the VPCs that matter are looked at, which ministack does not
/// know how to do: it shows those of all.
#[test]
fn an_endpoint_in_another_vpc_is_no_way() {
    // Every function without a way would seem to have been meant for this endpoint.
    let mut world = World::healthy(another(ministack().kind));
    world.network().without_way_out(&world.cloud);
    let endpoint = world.network().endpoint_elsewhere(&world.cloud);
    silent_from_the_start(&mut world);
    found_and_mended(&mut world, "NET07", &endpoint);
}

fn no_vpc_and_a_private_database(emulator: &'static Emulator) {
    // All databases of one ministack have the same name.
    let mut world = World::healthy(another(emulator.kind));
    world.without_vpc();
    silent_at_the_database(&mut world);
    let function = world.name.clone();
    found_and_mended(&mut world, "NET09", &function);
}

fn the_databases_group_admits_nobody(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.network().close_database_group(&world.cloud);
    silent_at_the_database(&mut world);
    let group = world.network().database_group.clone();
    found_and_mended(&mut world, "NET10", &group);
}

fn the_functions_group_lets_nothing_out_to_the_database(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.network().function_egress_only(&world.cloud, 443);
    silent_at_the_database(&mut world);
    let group = world.network().function_group.clone();
    found_and_mended(&mut world, "NET11", &group);
}

#[test]
fn an_acl_before_the_database() {
    let mut world = World::healthy(moto());
    let network = world.network();
    network.acl(&world.cloud, &network.database_subnets, &[(443, 443)]);
    silent_at_the_database(&mut world);
    let report = found_and_mended(&mut world, "NET12", "");
    let whole = serde_json::to_string(&report.causes[0]).expect("a report is JSON");
    assert!(whole.contains("acl-"), "{whole}");
}

/// moto keeps the label on the value with the old host.
#[test]
fn a_database_in_another_vpc() {
    // All databases of one ministack have the same name.
    let mut world = World::healthy(another(ministack().kind));
    world.database_elsewhere();
    silent_at_the_database(&mut world);
    let function = world.name.clone();
    found_and_mended(&mut world, "NET13", &function);
}

#[test]
fn an_endpoints_group_admits_nobody() {
    let mut world = World::healthy(moto());
    world.network().without_way_out(&world.cloud);
    let endpoint = world.network().endpoint(&world.cloud, true, None, None);
    silent_from_the_start(&mut world);
    found_and_mended(&mut world, "NET03", &endpoint);
}

/// moto does not change an endpoint's private DNS, so the fix is tried on the
/// evidence alone.
#[test]
fn an_endpoint_without_private_dns_is_no_way() {
    let mut world = World::healthy(moto());
    world.network().without_way_out(&world.cloud);
    let endpoint = world.network().endpoint(&world.cloud, false, Some("10.20.0.0/16"), None);
    silent_from_the_start(&mut world);
    let report = diagnose(&world).found("NET06", Failing, 1);
    let cause = &report.causes[0].finding;
    assert!(cause.summary.contains(&endpoint), "{cause:#?}");
    assert!(cause.fixes.iter().any(|fix| fix.verified), "{:#?}", cause.fixes);
}

#[test]
fn an_endpoints_policy_admits_another_secret() {
    let mut world = World::healthy(moto());
    world.network().without_way_out(&world.cloud);
    let policy = r#"{"Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "secretsmanager:*",
        "Resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:another-??????"}]}"#;
    let network = world.network();
    let endpoint =
        network.endpoint(&world.cloud, true, Some("10.20.0.0/16"), Some(policy.to_owned()));
    let why = "because no VPC endpoint policy allows the secretsmanager:DescribeSecret action";
    let refusal = world.refused("DescribeSecret", Some(&world.secret_arn), why);
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &refusal));
    found_and_mended(&mut world, "NET08", &endpoint);
}

/// An endpoint that ministack keeps without its groups and its private DNS is not
/// judged by what is missing there.
#[test]
fn what_an_answer_leaves_out_is_no_fault() {
    let world = World::healthy(another(ministack().kind));
    world.network().without_way_out(&world.cloud);
    world.network().endpoint(&world.cloud, true, Some("10.20.0.0/16"), None);
    let report = diagnose(&world).report();
    let blamed = report.findings.iter().find(|finding| finding.code.starts_with("NET0"));
    assert!(blamed.is_none(), "{}", told(&report));
    assert!(
        report.inconclusive.iter().any(|open| open.codes.iter().any(|code| code == "NET06")),
        "{}",
        told(&report)
    );
}
