//! Policies and keys, end to end: something that a rotation asks for is refused in
//! the emulator's state and in what the function logged of it, the real binary names
//! the statement or the action, the commands that it prints are run as they stand, and
//! after the next rotation it has nothing more to say. Neither emulator enforces these
//! policies, so that what the function logs of a refusal is written as AWS words it.
//!
//! By bundles alone: IAM18, since an emulator answers for the account of the caller
//! and none other; and IAM15 where the function is Failed for it, a state that no
//! emulator's functions get into. The policy half of NET08 is in `network_worlds`.

use rotdoctor::report::v1::{Report, Verdict::Healthy};
use serde_json::{Value, json};

use crate::support::{
    emulators::{ACCOUNT, Emulator, another, ministack, moto},
    in_each_emulator,
    log_lines::Failure,
    mending::{diagnose, foreseen_and_mended, found_and_mended, found_and_mended_unread},
    run::{REGION, told},
    world::{World, hours_ago},
};

in_each_emulator! {
    the_role_may_not_describe_the_secret,
    the_role_may_not_read_the_secret,
    the_role_may_not_store_a_value,
    the_role_may_not_move_the_label,
    the_role_may_not_ask_for_a_password,
    the_roles_own_policy_denies_it,
    the_role_names_the_secret_without_its_suffix,
    the_role_names_the_secret_that_was_there_before,
    the_role_may_not_read_the_superusers_secret,
    the_role_may_not_decrypt,
    the_key_does_not_leave_it_to_iam,
    the_role_may_not_encrypt,
    the_key_is_for_another_secret,
    the_key_is_granted_for_another_secret,
    the_key_is_granted,
    the_role_may_not_decrypt_the_superusers_secret,
    the_function_may_not_be_invoked,
    the_permission_is_for_another_secret,
    the_secrets_own_policy_denies_it,
    the_boundary_is_silent,
    the_role_may_not_look_up_the_replica,
    the_role_may_not_write_logs,
    the_role_may_not_make_interfaces,
    the_key_is_disabled,
    the_superusers_key_is_disabled,
    the_key_is_to_be_deleted,
}

/// A statement that decides, by policy and Sid.
#[track_caller]
fn decides(report: &Report, policy: &str, sid: &str) {
    let statement = report.causes[0].finding.statement.as_ref();
    let statement = statement.unwrap_or_else(|| panic!("no statement: {}", told(report)));
    let found = (statement.policy.as_str(), statement.sid.as_deref());
    assert_eq!(found, (policy, Some(sid)), "{}", told(report));
}

/// What every rotation asks Secrets Manager for.
const FIVE: [&str; 5] = [
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "GetRandomPassword",
];

/// One of the five actions is missing: the state names it, the log says it.
fn lacking(emulator: &'static Emulator, sid: &str, operation: &str, step: &'static str) {
    let mut world = World::healthy(emulator);
    let action = format!("secretsmanager:{operation}");
    world.without_right(sid, &action);
    let resource = (operation != "GetRandomPassword").then_some(world.secret_arn.as_str());
    let error = world.not_allowed(operation, resource);
    let named = format!("{action} on {}", resource.unwrap_or("*"));
    world.rotation_fails(hours_ago(2), &Failure::raised(step, 0.4, &error));
    let report = found_and_mended(&mut world, "IAM01", &named);
    let summary = &report.causes[0].finding.summary;
    let named: Vec<&str> = FIVE.into_iter().filter(|action| summary.contains(action)).collect();
    assert_eq!(named, [operation], "{summary}");
    decides(&report, "rotation", sid);
}

fn the_role_may_not_describe_the_secret(emulator: &'static Emulator) {
    lacking(emulator, "Secret", "DescribeSecret", "createSecret");
}

fn the_role_may_not_read_the_secret(emulator: &'static Emulator) {
    lacking(emulator, "Secret", "GetSecretValue", "createSecret");
}

fn the_role_may_not_store_a_value(emulator: &'static Emulator) {
    lacking(emulator, "Secret", "PutSecretValue", "createSecret");
}

fn the_role_may_not_move_the_label(emulator: &'static Emulator) {
    lacking(emulator, "Secret", "UpdateSecretVersionStage", "finishSecret");
}

fn the_role_may_not_ask_for_a_password(emulator: &'static Emulator) {
    lacking(emulator, "Password", "GetRandomPassword", "createSecret");
}

/// A statement of the role's denies what another allows.
fn the_roles_own_policy_denies_it(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.another_right(json!({"Sid": "Frozen", "Effect": "Deny", "Resource": "*",
        "Action": "secretsmanager:Put*"}));
    let denied = "with an explicit deny in an identity-based policy";
    let error = world.refused("PutSecretValue", Some(&world.secret_arn), denied);
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.6, &error));
    let named = format!("secretsmanager:PutSecretValue on {}", world.secret_arn);
    let report = found_and_mended(&mut world, "IAM01", &named);
    decides(&report, "rotation", "Frozen");
}

fn the_role_names_the_secret_without_its_suffix(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let partial = world.secret_arn.rsplit_once('-').expect("an ARN with a suffix").0.to_owned();
    world.right("Secret", |statement| statement["Resource"] = json!(partial));
    let error = world.not_allowed("DescribeSecret", Some(&world.secret_arn));
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended(&mut world, "IAM02", &format!("its Resource has {partial}"));
    decides(&report, "rotation", "Secret");
}

/// The secret was deleted and made again under its name.
fn the_role_names_the_secret_that_was_there_before(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let before = world.secret_arn.rsplit_once('-').expect("an ARN with a suffix").0;
    let before = format!("{before}-0Ld0Ne");
    world.right("Secret", |statement| statement["Resource"] = json!([before]));
    let error = world.not_allowed("DescribeSecret", Some(&world.secret_arn));
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended(&mut world, "IAM02", &format!("its Resource has {before}"));
    decides(&report, "rotation", "Secret");
}

fn the_role_may_not_read_the_superusers_secret(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let superuser = world.with_superuser();
    world.without_right("Superuser", "secretsmanager:GetSecretValue");
    let error = world.not_allowed("GetSecretValue", Some(&superuser.secret_arn));
    world.rotation_fails(hours_ago(2), &Failure::raised("setSecret", 0.6, &error));
    let named = format!("GetSecretValue on the superuser's secret {}", superuser.secret_arn);
    let report = found_and_mended(&mut world, "IAM03", &named);
    // The one that allows the action, on another secret.
    decides(&report, "rotation", "Secret");
}

/// What Secrets Manager says where KMS refuses it the key, whichever key that is.
fn no_key(operation: &str) -> String {
    format!(
        "ClientError: An error occurred (AccessDeniedException) when calling the {operation} \
         operation: Access to KMS is not allowed"
    )
}

fn the_role_may_not_decrypt(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.without_right("Key", "kms:Decrypt");
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let named = format!("kms:Decrypt on {}", world.key_arn());
    let report = found_and_mended(&mut world, "IAM04", &named);
    decides(&report, "rotation", "Key");
}

/// The statements of a key that the account's administrator alone may use.
fn for_the_administrator() -> Value {
    let admin = format!("arn:aws:iam::{ACCOUNT}:role/Admin");
    json!([{"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": admin}, "Action": "kms:*",
        "Resource": "*"}])
}

/// The account's administrator alone may use the key: what the role's own policies
/// allow counts for nothing.
fn the_key_does_not_leave_it_to_iam(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.key_policy(for_the_administrator());
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let named = format!("kms:Decrypt and kms:GenerateDataKey on {}", world.key_arn());
    let report = found_and_mended(&mut world, "IAM04", &named);
    decides(&report, "the key policy", "Admin");
}

fn the_role_may_not_encrypt(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.without_right("Key", "kms:GenerateDataKey");
    let error = no_key("PutSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.7, &error));
    let named = format!("kms:GenerateDataKey on {}", world.key_arn());
    let report = found_and_mended(&mut world, "IAM05", &named);
    decides(&report, "rotation", "Key");
}

fn the_key_is_for_another_secret(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let other = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders-AbCdEf");
    world.right("Key", |statement| {
        statement["Condition"] =
            json!({"StringEquals": {"kms:EncryptionContext:SecretARN": other}});
    });
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended(&mut world, "IAM06", &other);
    decides(&report, "rotation", "Key");
}

/// The key's policy names nobody who rotates, and the role's grant is for one secret.
fn the_key_is_granted_for_another_secret(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let other = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders-AbCdEf");
    world.key_policy(for_the_administrator());
    let grant = world.key_granted_for(&other);
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended(&mut world, "IAM06", &other);
    let statement = report.causes[0].finding.statement.as_ref().expect("the grant is quoted");
    assert_eq!(statement.sid, Some(grant), "{}", told(&report));
}

/// A grant for this secret does without the role's own policies and the key's.
fn the_key_is_granted(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.key_policy(for_the_administrator());
    world.right("Key", |statement| statement["Action"] = json!("kms:ListAliases"));
    let secret = world.secret_arn.clone();
    world.key_granted_for(&secret);
    let report = diagnose(&world).report();
    assert_eq!(report.verdict, Healthy, "{}", told(&report));
    assert!(report.passed.iter().any(|passed| passed.check == "key-rights"), "{}", told(&report));
}

fn the_role_may_not_decrypt_the_superusers_secret(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let superuser = world.with_superuser();
    let own = world.key_arn().to_owned();
    world.right("SuperuserKey", |statement| statement["Resource"] = json!(own));
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("setSecret", 0.6, &error));
    let named = format!("kms:Decrypt on {}", superuser.key_arn);
    found_and_mended(&mut world, "IAM07", &named);
}

/// Secrets Manager tells its caller, not the function's log; here that caller is a
/// function that starts the rotation itself and logs the refusal.
fn not_invoked(world: &mut World) {
    let refusal = "ClientError: An error occurred (AccessDeniedException) when calling the \
         RotateSecret operation: Secrets Manager cannot invoke the specified Lambda function. \
         Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.";
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.3, refusal));
}

fn the_function_may_not_be_invoked(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.without_permission();
    not_invoked(&mut world);
    let function = world.function_arn.clone();
    let report = found_and_mended(&mut world, "IAM08", &function);
    assert_eq!(report.causes[0].consequences, ["SEC07"], "{}", told(&report));
}

fn the_permission_is_for_another_secret(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let other = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders-AbCdEf");
    world.permission_for_another(&other);
    not_invoked(&mut world);
    let report = found_and_mended(&mut world, "IAM09", &other);
    decides(&report, "the function's policy", "SecretsManagerAccess");
}

/// moto gives a version what the function's policy was, so that the alias has it too.
#[test]
fn the_permission_is_not_on_the_alias() {
    let mut world = World::healthy(ministack());
    world.rotated_by_alias("live");
    not_invoked(&mut world);
    found_and_mended(&mut world, "IAM08", " --qualifier live ");
}

fn the_secrets_own_policy_denies_it(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.secret_policy(json!([{"Sid": "OnlyFromTheOffice", "Effect": "Deny", "Principal": "*",
        "Action": "secretsmanager:GetSecretValue", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"}}}]));
    let denied = "with an explicit deny in a resource-based policy";
    let error = world.refused("GetSecretValue", Some(&world.secret_arn), denied);
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended(&mut world, "IAM10", "secretsmanager:GetSecretValue");
    decides(&report, "the secret's resource policy", "OnlyFromTheOffice");
}

fn the_boundary_is_silent(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let boundary = world.bounded(json!([{"Sid": "Bound", "Effect": "Allow", "Resource": "*",
        "Action": ["secretsmanager:Get*", "secretsmanager:Describe*",
                   "secretsmanager:UpdateSecretVersionStage", "kms:*", "logs:*", "ec2:*"]}]));
    let silent = "because no permissions boundary allows the secretsmanager:PutSecretValue action";
    let error = world.refused("PutSecretValue", Some(&world.secret_arn), silent);
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.6, &error));
    let named = format!("secretsmanager:PutSecretValue on {}", world.secret_arn);
    let report = found_and_mended(&mut world, "IAM11", &named);
    assert_eq!(report.causes[0].finding.resource, boundary, "{}", told(&report));
    decides(&report, &boundary, "Bound");
}

/// The superuser's host is another one, so the function asks RDS whether the secret's
/// is a replica of it.
fn the_role_may_not_look_up_the_replica(emulator: &'static Emulator) {
    // All databases of one ministack have the same name.
    let mut world = World::healthy(another(emulator.kind));
    world.with_superuser();
    world.right("Database", |statement| statement["Action"] = json!(["rds:ListTagsForResource"]));
    let asks = format!(
        "setSecret: Encountered error while verifying rds replica status: An error occurred \
         (AccessDenied) when calling the DescribeDBInstances operation: User: \
         arn:aws:sts::{ACCOUNT}:assumed-role/{0}/{0} is not authorized to perform: \
         rds:DescribeDBInstances on resource: arn:aws:rds:{REGION}:{ACCOUNT}:db:{0} because no \
         identity-based policy allows the rds:DescribeDBInstances action",
        world.name
    );
    let ends = "ValueError: setSecret: Current database host replica.example is not the same host \
         as/rds replica of master primary.example";
    world.rotation_fails(
        hours_ago(2),
        &Failure::raised("setSecret", 0.9, ends).after_logging(&asks),
    );
    let report = found_and_mended(&mut world, "IAM12", "rds:DescribeDBInstances");
    decides(&report, "rotation", "Database");
}

/// Only moto keeps who owns a secret.
#[test]
fn the_role_may_not_look_up_the_superusers_database() {
    let mut world = World::healthy(moto());
    world.with_managed_superuser();
    world.right("Database", |statement| statement["Action"] = json!(["rds:ListTagsForResource"]));
    let error = format!(
        "Exception: setSecret: Encountered API error while fetching connection parameters from \
         DescribeDBInstances RDS API: An error occurred (AccessDenied) when calling the \
         DescribeDBInstances operation: User: arn:aws:sts::{ACCOUNT}:assumed-role/{0}/{0} is not \
         authorized to perform: rds:DescribeDBInstances on resource: \
         arn:aws:rds:{REGION}:{ACCOUNT}:db:{0} because no identity-based policy allows the \
         rds:DescribeDBInstances action",
        world.name
    );
    world.rotation_fails(hours_ago(2), &Failure::raised("setSecret", 0.9, &error));
    let report = found_and_mended(&mut world, "IAM12", "rds:DescribeDBInstances");
    decides(&report, "rotation", "Database");
}

fn the_role_may_not_write_logs(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.platform_without("Logs");
    foreseen_and_mended(&mut world, "IAM14", "logs:CreateLogStream and logs:PutLogEvents");
}

fn the_role_may_not_make_interfaces(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.platform_without("Interfaces");
    foreseen_and_mended(&mut world, "IAM15", "ec2:CreateNetworkInterface");
}

fn the_key_is_disabled(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let key = world.key_arn().to_owned();
    world.key_disabled(&key);
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended_unread(&mut world, "KMS01", "KeyState: Disabled");
    assert_eq!(report.causes[0].finding.resource, key, "{}", told(&report));
}

fn the_superusers_key_is_disabled(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let superuser = world.with_superuser();
    world.key_disabled(&superuser.key_arn);
    let error = no_key("GetSecretValue");
    world.rotation_fails(hours_ago(2), &Failure::raised("setSecret", 0.6, &error));
    let report = found_and_mended(&mut world, "KMS01", "the superuser's secret is disabled");
    assert_eq!(report.causes[0].finding.resource, superuser.key_arn, "{}", told(&report));
}

fn the_key_is_to_be_deleted(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.key_to_be_deleted();
    let key = world.key_arn().to_owned();
    let error = format!(
        "ClientError: An error occurred (InvalidRequestException) when calling the GetSecretValue \
         operation: You can't access a secret encrypted with a KMS key that is pending deletion: \
         {key} is pending deletion."
    );
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.4, &error));
    let report = found_and_mended_unread(&mut world, "KMS02", "KeyState: PendingDeletion");
    assert_eq!(report.causes[0].finding.resource, key, "{}", told(&report));
}
