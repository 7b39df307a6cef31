//! Worlds: a secret that rotates, with all that its rotation needs, made in an
//! emulator through the API. A world begins healthy; a test breaks one thing.

mod making;
mod network;
mod policy;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    path::{Path, PathBuf},
};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::{
    primitives::Blob,
    types::{Architecture, Runtime, VpcConfig},
};
use aws_sdk_secretsmanager::types::ReplicaRegionType;
use jiff::{SignedDuration, Timestamp};

use self::{making::Parts, network::Network};
use super::{
    cloud::Cloud,
    emulators::{self, Emulator},
    log_lines::{Attempt, Failure},
    packages,
    run::{self, REGION, Ran},
};

/// The only password there is; it must never come back.
pub(crate) const PASSWORD: &str = "not-a-real-one";

/// A secret and all that its rotation needs.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) emulator: &'static Emulator,
    /// Where the secret is looked for.
    region: &'static str,
    /// Of the secret, the function, the role, the stack and the database.
    pub(crate) name: String,
    pub(crate) secret_arn: String,
    pub(crate) function_arn: String,
    /// Token of the rotation that is stuck.
    pub(crate) pending: Option<String>,
    parts: Parts,
    /// The value that is current.
    value: String,
}

impl World {
    /// A world in which the last rotation went through, five hours ago.
    pub(crate) fn healthy(emulator: &'static Emulator) -> Self {
        let world = Self::of_a_secret(emulator);
        let token = token();
        // Rotation is configured before the function is made: moto keeps the
        // configuration and then wants to run the function in a container,
        // which must not happen, so the function must not be there yet.
        world.rotate_with(&world.function_arn, &token);
        world.parts.function(&world.cloud, &world.name);
        world.write_log(&token, hours_ago(5), None);
        world
    }

    /// A healthy world whose function rotates further secrets of these names, with the
    /// same key and the same rights.
    pub(crate) fn with_secrets(emulator: &'static Emulator, names: &[String]) -> Self {
        let mut world = Self::of_a_secret(emulator);
        let mut arns = vec![world.secret_arn.clone()];
        arns.extend(names.iter().map(|name| world.parts.secret(&world.cloud, name)));
        for arn in &arns {
            making::rotate(&world.cloud, arn, &world.function_arn, &token(), emulator.kind);
        }
        world.rights_on(&arns);
        world.parts.function(&world.cloud, &world.name);
        world
    }

    /// A secret that nobody rotates.
    pub(crate) fn without_rotation(emulator: &'static Emulator) -> Self {
        Self::of_a_secret(emulator)
    }

    /// A secret with this function, which is not in this world.
    pub(crate) fn rotated_by(emulator: &'static Emulator, function_arn: &str) -> Self {
        let world = Self::of_a_secret(emulator);
        world.rotate_with(function_arn, &token());
        world
    }

    fn of_a_secret(emulator: &'static Emulator) -> Self {
        let name = unique("world");
        let cloud = Cloud::at(&emulator.url());
        let parts = Parts::make(&cloud, &name);
        let secret_arn = parts.secret(&cloud, &name);
        let function_arn = making::function_arn(&name);
        let (region, value) = (REGION, parts.value());
        Self {
            cloud,
            emulator,
            region,
            name,
            secret_arn,
            function_arn,
            pending: None,
            parts,
            value,
        }
    }

    fn rotate_with(&self, function_arn: &str, token: &str) {
        making::rotate(&self.cloud, &self.secret_arn, function_arn, token, self.emulator.kind);
    }

    /// A rotation began and failed: its version keeps AWSPENDING, and the
    /// function's log shows the failure. A later one tries the same version again.
    pub(crate) fn rotation_fails(&mut self, at: Timestamp, failure: &Failure) -> &mut Self {
        let token = self.rotation_begins();
        self.write_log(&token, at, Some(failure));
        self
    }

    /// A rotation begins, or the one that is stuck does again; gives its token.
    fn rotation_begins(&mut self) -> String {
        let token = self.pending.get_or_insert_with(token).clone();
        let secrets = self.cloud.secrets();
        self.cloud.wait(
            secrets
                .put_secret_value()
                .secret_id(&self.name)
                .client_request_token(&token)
                .secret_string(&self.value)
                .version_stages("AWSPENDING")
                .send(),
        );
        token
    }

    /// A rotation goes through.
    pub(crate) fn rotates(&mut self, at: Timestamp) -> &mut Self {
        self.rotation_begins();
        self.rotation_succeeds(at)
    }

    /// The rotation that was stuck goes through, as it does once the cause is gone.
    pub(crate) fn rotation_succeeds(&mut self, at: Timestamp) -> &mut Self {
        let token = self.pending.take().expect("a rotation is stuck");
        making::finish(&self.cloud, &self.secret_arn, &token);
        self.write_log(&token, at, None);
        self
    }

    /// The network that function and database stand on.
    pub(crate) fn network(&self) -> &Network {
        &self.parts.network
    }

    /// Takes the function out of its VPC.
    pub(crate) fn without_vpc(&mut self) -> &mut Self {
        let none = VpcConfig::builder()
            .set_subnet_ids(Some(Vec::new()))
            .set_security_group_ids(Some(Vec::new()));
        let change = self.cloud.lambda().update_function_configuration();
        self.cloud.wait(change.function_name(&self.name).vpc_config(none.build()).send());
        self
    }

    /// Moves the database to another VPC: a new one, in the old one's place.
    pub(crate) fn database_elsewhere(&mut self) -> &mut Self {
        let databases = self.cloud.databases();
        let delete = databases.delete_db_instance().db_instance_identifier(&self.name);
        self.cloud.wait(delete.skip_final_snapshot(true).send());
        let (subnets, group) = self.parts.network.elsewhere(&self.cloud);
        let name = format!("{}-elsewhere", self.name);
        let host = making::database_in(&self.cloud, &name, &subnets, &group);
        let value = serde_json::json!({"engine": "postgres", "host": host, "port": 5432,
            "username": "app", "password": PASSWORD, "dbInstanceIdentifier": name});
        self.store(&value.to_string())
    }

    /// Runs commands as a report prints them.
    pub(crate) fn run_as_printed(&self, commands: &[String]) {
        emulators::aws_cli(self.emulator, self.region, commands, &self.folder());
    }

    /// A folder of this world's own, in which its commands run.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&self.name);
        std::fs::create_dir_all(&folder).expect("a folder under target/");
        folder
    }

    /// Writes a new value, as an operator would by hand.
    pub(crate) fn store(&mut self, value: &str) -> &mut Self {
        let secrets = self.cloud.secrets();
        value.clone_into(&mut self.value);
        let put = secrets.put_secret_value().secret_id(&self.name).secret_string(value);
        self.cloud.wait(put.client_request_token(token()).send());
        self
    }

    /// Sets the function's timeout.
    pub(crate) fn timeout(&mut self, seconds: i32) -> &mut Self {
        let change = self.cloud.lambda().update_function_configuration();
        self.cloud.wait(change.function_name(&self.name).timeout(seconds).send());
        self
    }

    /// Sets the function's runtime and nothing else, as people do.
    pub(crate) fn runtime(&mut self, runtime: &str) -> &mut Self {
        let change = self.cloud.lambda().update_function_configuration();
        let change = change.function_name(&self.name).runtime(Runtime::from(runtime));
        self.cloud.wait(change.send());
        self
    }

    /// Gives the function another package.
    pub(crate) fn package(&mut self, members: &[(&str, &[u8])]) -> &mut Self {
        let change = self.cloud.lambda().update_function_code().function_name(&self.name);
        self.cloud.wait(change.zip_file(Blob::new(packages::zip(members))).send());
        self
    }

    /// Gives the function another package and another processor, which Lambda changes
    /// together.
    pub(crate) fn package_for(
        &mut self,
        architecture: Architecture,
        members: &[(&str, &[u8])],
    ) -> &mut Self {
        let change = self.cloud.lambda().update_function_code().function_name(&self.name);
        let change = change.zip_file(Blob::new(packages::zip(members)));
        self.cloud.wait(change.architectures(architecture).send());
        self
    }

    /// Gives the database a parameter group in which these are set.
    pub(crate) fn database_parameters(&mut self, set: &[(&str, &str)]) -> &mut Self {
        making::parameters(&self.cloud, &self.name, set);
        self
    }

    /// Deletes the function.
    pub(crate) fn without_function(&mut self) -> &mut Self {
        self.cloud.wait(self.cloud.lambda().delete_function().function_name(&self.name).send());
        self
    }

    /// Takes away the permission by which Secrets Manager invokes the function.
    pub(crate) fn without_permission(&mut self) -> &mut Self {
        let change = self.cloud.lambda().remove_permission().function_name(&self.name);
        self.cloud.wait(change.statement_id(making::STATEMENT).send());
        self
    }

    /// Id of the secret's key.
    pub(crate) fn key_id(&self) -> &str {
        &self.parts.key_id
    }

    /// Changes the database's master password behind the secret's back.
    pub(crate) fn database_password_changed(&mut self) -> &mut Self {
        let change = self.cloud.databases().modify_db_instance().apply_immediately(true);
        let change = change.db_instance_identifier(&self.name);
        self.cloud.wait(change.master_user_password("changed-by-hand").send());
        self
    }

    /// Goes over to a secret that RDS made for a new database, and sets the
    /// function for it.
    pub(crate) fn manage_master_password(&mut self) -> &mut Self {
        self.without_function();
        self.secret_arn = making::managed_secret(&self.cloud, &format!("{}-managed", self.name));
        self.rotate_with(&self.function_arn, &token());
        self.parts.function(&self.cloud, &self.name);
        self
    }

    /// Copies the secret to another region and goes over to the copy.
    pub(crate) fn go_to_replica(&mut self, region: &'static str) -> &mut Self {
        let there = ReplicaRegionType::builder().region(region).build();
        let copy = self.cloud.secrets().replicate_secret_to_regions().secret_id(&self.name);
        self.cloud.wait(copy.add_replica_regions(there).send());
        self.secret_arn = self.secret_arn.replace(REGION, region);
        self.region = region;
        self
    }

    /// Schedules the secret for deletion.
    pub(crate) fn deleted(&mut self) -> &mut Self {
        let delete = self.cloud.secrets().delete_secret().secret_id(&self.name);
        self.cloud.wait(delete.recovery_window_in_days(7).send());
        self
    }

    fn write_log(&self, token: &str, at: Timestamp, failure: Option<&Failure>) {
        let events = Attempt { at, secret_arn: &self.secret_arn, token }.events(failure);
        let stream = format!("{}/[$LATEST]{:016x}", at.strftime("%Y/%m/%d"), random());
        let group = making::log_group(&self.name);
        let logs = self.cloud.logs();
        let create = logs.create_log_stream().log_group_name(&group).log_stream_name(&stream);
        self.cloud.wait(create.send());
        let events = events.into_iter().map(|(timestamp, message)| {
            let event = InputLogEvent::builder().timestamp(timestamp).message(message);
            event.build().expect("an event with time and text")
        });
        let put = logs.put_log_events().log_group_name(&group).log_stream_name(&stream);
        self.cloud.wait(put.set_log_events(Some(events.collect())).send());
    }

    /// Runs a sub-command on this world's secret.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Ran {
        let url = self.emulator.url();
        let mut arguments =
            vec![command, &self.secret_arn, "--endpoint-url", &url, "--region", self.region];
        // An emulator's trail holds little, and a look-up takes half a second.
        arguments.extend(["--trail-calls", "4"]);
        arguments.extend(more);
        run::rotdoctor().with_credentials().args(arguments).run()
    }

    /// `rotdoctor diagnose --output json`.
    pub(crate) fn diagnose(&self) -> Ran {
        self.command("diagnose", &["--output", "json"])
    }

    /// `rotdoctor capture`, to a file of this world's own.
    pub(crate) fn capture(&self) -> PathBuf {
        let bundle = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.json", self.name));
        let ran = self.command("capture", &["-o", bundle.to_str().expect("a path in UTF-8")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        bundle
    }
}

/// A time in the past, to the second. CloudWatch Logs takes events of the last 14 days.
pub(crate) fn hours_ago(hours: i64) -> Timestamp {
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a whole second");
    now.checked_sub(SignedDuration::from_hours(hours)).expect("a date of this week")
}

/// A name that no other world has, in this process or another.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}-{:016x}", random())
}

/// A ClientRequestToken, in the form of a UUID.
pub(crate) fn token() -> String {
    let digits = format!("{:016x}{:016x}", random(), random());
    let part = |from: usize, to: usize| &digits[from..to];
    let (a, b, c, d, e) = (part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

/// A number that nobody else draws: the seed of a hasher is random.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
