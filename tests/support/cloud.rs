//! The AWS SDK's clients for one emulator, and the runtime that drives them.

use std::time::{Duration, Instant};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::result::SdkError;
use tokio::runtime::Runtime;

use crate::support::run::REGION;

/// How long an emulator on a busy machine may take for one answer.
const SLOW: Duration = Duration::from_secs(60);

/// Clients for one emulator. Nothing of the machine's own configuration gets in.
pub(crate) struct Cloud {
    runtime: Runtime,
    config: SdkConfig,
}

impl Cloud {
    pub(crate) fn at(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime of the current thread");
        let credentials = Credentials::new("testing", "testing", None, None, "tests");
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let slow = TimeoutConfig::builder().connect_timeout(SLOW).read_timeout(SLOW);
        let loading = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http)
            .timeout_config(slow.build())
            // A busy machine lets an emulator think for longer than that allows.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .endpoint_url(url);
        let config = runtime.block_on(loading.load());
        Self { runtime, config }
    }

    /// Calls each service once. Emulators import a service's code with its first
    /// call, for seconds, and the binary under test waits only so long.
    ///
    /// Refusals are answers; only a service that says nothing until `patience`
    /// ends fails the test run.
    pub(crate) fn wake(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        macro_rules! wake {
            ($($client:expr, $call:ident;)*) => {$(
                loop {
                    match self.attempt($client.$call().send()) {
                        Ok(_) | Err(SdkError::ServiceError(_) | SdkError::ResponseError(_)) => break,
                        Err(error) => assert!(Instant::now() < deadline, "no answer: {error:#?}"),
                    }
                }
            )*};
        }
        wake! {
            self.secrets(), list_secrets;
            self.lambda(), list_functions;
            self.logs(), describe_log_groups;
            self.iam(), list_roles;
            self.kms(), list_keys;
            self.network(), describe_vpcs;
            self.databases(), describe_db_instances;
            self.stacks(), describe_stacks;
            aws_sdk_sts::Client::new(&self.config), get_caller_identity;
            aws_sdk_cloudtrail::Client::new(&self.config), lookup_events;
        }
    }

    /// Waits for a call that has to succeed.
    #[track_caller]
    pub(crate) fn wait<T, E, R>(&self, call: impl Future<Output = Result<T, SdkError<E, R>>>) -> T
    where
        SdkError<E, R>: std::fmt::Debug,
    {
        match self.attempt(call) {
            Ok(answer) => answer,
            Err(error) => panic!("the emulator refuses a call: {error:#?}"),
        }
    }

    /// Waits for a call that may fail.
    pub(crate) fn attempt<T, E>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.runtime.block_on(call)
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    pub(crate) fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.config)
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    pub(crate) fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config)
    }

    pub(crate) fn network(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config)
    }

    pub(crate) fn databases(&self) -> aws_sdk_rds::Client {
        aws_sdk_rds::Client::new(&self.config)
    }

    pub(crate) fn stacks(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }
}
