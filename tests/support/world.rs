//! Worlds: a secret that rotates, with all that its rotation needs, made in an
//! emulator through the API. A world begins healthy; a test breaks one thing.

mod cloud;
mod making;

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::{primitives::Blob, types::Runtime};
use jiff::{SignedDuration, Timestamp};
use rotdoctor::report::v1::Report;

pub use self::cloud::Cloud;
use super::{
    emulators::{Emulator, Kind},
    log_lines::{Attempt, Failure},
    run::{self, REGION, Ran},
};

/// The secret's value in a healthy world.
pub const VALUE: &str =
    r#"{"engine":"postgres","host":"HOST","port":5432,"username":"app","password":"not-a-real-one","dbname":"app"}"#;

/// A secret and all that its rotation needs.
pub struct World {
    pub cloud: Cloud,
    pub emulator: &'static Emulator,
    /// Of the secret, the function, the role, the stack and the database.
    pub name: String,
    pub secret_arn: String,
    pub function_arn: String,
    pub key_id: String,
    /// Token of the rotation that is stuck.
    pending: Option<String>,
}

impl World {
    /// A world in which the last rotation went through, `hours_ago(5)`.
    pub fn healthy(emulator: &'static Emulator) -> Self {
        let name = unique("world");
        let cloud = Cloud::at(&emulator.url());
        let parts = making::Parts::make(&cloud, &name);
        let token = token();
        // Rotation is configured before the function is made: moto keeps the
        // configuration and then wants to run the function in a container,
        // which must not happen, so the function must not be there yet.
        let secret_arn = parts.rotating_secret(&cloud, &name, &token, emulator.kind);
        parts.function(&cloud, &name);
        let function_arn = making::function_arn(&name);
        let world = Self {
            cloud,
            emulator,
            name,
            secret_arn,
            function_arn,
            key_id: parts.key_id,
            pending: None,
        };
        world.write_log(&token, hours_ago(5), None);
        world
    }

    /// A rotation began and failed: its version keeps AWSPENDING, and the
    /// function's log shows the failure. A later one tries the same version again.
    pub fn rotation_fails(&mut self, at: Timestamp, failure: &Failure) -> &mut Self {
        let token = self.pending.get_or_insert_with(token).clone();
        let secrets = self.cloud.secrets();
        self.cloud.wait(
            secrets
                .put_secret_value()
                .secret_id(&self.name)
                .client_request_token(&token)
                .secret_string(VALUE)
                .version_stages("AWSPENDING")
                .send(),
        );
        self.write_log(&token, at, Some(failure));
        self
    }

    /// Writes a new value, as an operator would by hand.
    pub fn store(&mut self, value: &str) -> &mut Self {
        let secrets = self.cloud.secrets();
        let put = secrets.put_secret_value().secret_id(&self.name).secret_string(value);
        self.cloud.wait(put.client_request_token(token()).send());
        self
    }

    /// Sets the function's timeout.
    pub fn timeout(&mut self, seconds: i32) -> &mut Self {
        let change = self.cloud.lambda().update_function_configuration();
        self.cloud.wait(change.function_name(&self.name).timeout(seconds).send());
        self
    }

    /// Sets the function's runtime and nothing else, as people do.
    pub fn runtime(&mut self, runtime: &str) -> &mut Self {
        let change = self.cloud.lambda().update_function_configuration();
        let change = change.function_name(&self.name).runtime(Runtime::from(runtime));
        self.cloud.wait(change.send());
        self
    }

    /// Gives the function another package.
    pub fn package(&mut self, members: &[(&str, &[u8])]) -> &mut Self {
        let change = self.cloud.lambda().update_function_code().function_name(&self.name);
        self.cloud.wait(change.zip_file(Blob::new(making::zip(members))).send());
        self
    }

    /// Deletes the function.
    pub fn without_function(&mut self) -> &mut Self {
        self.cloud.wait(self.cloud.lambda().delete_function().function_name(&self.name).send());
        self
    }

    /// Takes away the permission by which Secrets Manager invokes the function.
    pub fn without_permission(&mut self) -> &mut Self {
        let change = self.cloud.lambda().remove_permission().function_name(&self.name);
        self.cloud.wait(change.statement_id(making::STATEMENT).send());
        self
    }

    /// Disables the secret's key.
    pub fn disabled_key(&mut self) -> &mut Self {
        self.cloud.wait(self.cloud.kms().disable_key().key_id(&self.key_id).send());
        self
    }

    /// Changes the database's master password behind the secret's back.
    pub fn database_password_changed(&mut self) -> &mut Self {
        let change = self.cloud.databases().modify_db_instance().apply_immediately(true);
        let change = change.db_instance_identifier(&self.name);
        self.cloud.wait(change.master_user_password("changed-by-hand").send());
        self
    }

    /// Schedules the secret for deletion.
    pub fn deleted(&mut self) -> &mut Self {
        let delete = self.cloud.secrets().delete_secret().secret_id(&self.name);
        self.cloud.wait(delete.recovery_window_in_days(7).send());
        self
    }

    fn write_log(&self, token: &str, at: Timestamp, failure: Option<&Failure>) {
        let events = Attempt { at, secret_arn: &self.secret_arn, token }.events(failure);
        let stream = format!("{}/[$LATEST]{}", at.strftime("%Y/%m/%d"), unique("").replace('-', ""));
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
    pub fn command(&self, command: &str, more: &[&str]) -> Ran {
        let url = self.emulator.url();
        let mut arguments = vec![command, &self.name, "--endpoint-url", &url, "--region", REGION];
        arguments.extend(more);
        run::ran(&mut run::with_credentials(arguments))
    }

    /// `rotdoctor diagnose --output json`.
    pub fn diagnose(&self) -> Ran {
        self.command("diagnose", &["--output", "json"])
    }

    /// Diagnoses and gives the report.
    pub fn report(&self) -> Report {
        self.diagnose().report()
    }

    /// Whether the emulator is this one, for what only one of them can hold.
    pub fn is_in(&self, kind: Kind) -> bool {
        self.emulator.kind == kind
    }
}

/// A time in the past, to the second. CloudWatch Logs takes events of the last 14 days.
pub fn hours_ago(hours: i64) -> Timestamp {
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a whole second");
    now.checked_sub(SignedDuration::from_hours(hours)).expect("a date of this week")
}

/// A name that no other world has, in this process or another.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::now().as_nanosecond() as u64;
    format!("{prefix}-{:08x}{count:04x}", now ^ (u64::from(std::process::id()) << 40))
}

/// A ClientRequestToken: the form of a UUID.
pub fn token() -> String {
    let digits = format!("{:0>32}", unique("").replace('-', ""));
    let part = |from: usize, to: usize| &digits[from..to];
    let (a, b, c, d, e) = (part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(20, 32));
    format!("{a}-{b}-4{c}-8{d}-{e}")
}
