//! Lambda: GetFunction.

use std::collections::BTreeMap;

use super::value::single_values;
use super::{Time, shape::shapes};

shapes! {
    /// GetFunction, without the code's location.
    Function {
        configuration: FunctionConfiguration,
        /// Tags by key.
        tags: BTreeMap<String, String>,
        /// Reserved concurrency, where one is set.
        concurrency: Option<Concurrency>,
    }

    /// Reserved concurrency.
    Concurrency {
        /// Invocations that may run at once.
        reserved_concurrent_executions: Option<i64>,
    }

    /// FunctionConfiguration.
    FunctionConfiguration {
        function_name: Option<String>,
        /// ARN, with the qualifier that was asked for.
        function_arn: Option<String>,
        /// Such as `python3.10`; missing for container images.
        runtime: Option<String>,
        role: Option<String>,
        /// Such as `lambda_function.lambda_handler`.
        handler: Option<String>,
        /// Bytes.
        code_size: Option<i64>,
        /// SHA-256 of the package.
        code_sha256: Option<String>,
        description: Option<String>,
        /// Seconds.
        timeout: Option<i64>,
        /// MB.
        memory_size: Option<i64>,
        /// Last change of code or configuration.
        last_modified: Option<Time>,
        /// Version or `$LATEST`.
        version: Option<String>,
        /// Subnets and groups.
        vpc_config: Option<VpcConfig>,
        /// Environment; values only of the allow-listed rotation variables.
        environment: Option<Environment>,
        /// Key of the environment.
        kms_key_arn as "KMSKeyArn": Option<String>,
        /// `Pending`, `Active`, `Inactive`, `Failed`.
        state: Option<String>,
        state_reason: Option<String>,
        /// Why, as a code.
        state_reason_code: Option<String>,
        /// `Successful`, `Failed`, `InProgress`.
        last_update_status: Option<String>,
        last_update_status_reason: Option<String>,
        /// Why, as a code.
        last_update_status_reason_code: Option<String>,
        /// `Zip` or `Image`.
        package_type: Option<String>,
        /// `x86_64` or `arm64`.
        architectures: Vec<String>,
        layers: Vec<Layer>,
        /// Log format and group.
        logging_config: Option<LoggingConfig>,
    }

    /// VpcConfig.
    VpcConfig {
        subnet_ids: Vec<String>,
        security_group_ids: Vec<String>,
        /// VPC; empty where the function has none.
        vpc_id: Option<String>,
        /// IPv6 through dual-stack subnets.
        ipv6_allowed_for_dual_stack: Option<bool>,
    }

    Environment {
        /// Variables. A value that is not allow-listed reads `(hidden)`.
        variables: BTreeMap<String, String>,
        /// Set where Lambda could not decrypt the environment.
        error: Option<EnvironmentError>,
    }

    /// Why Lambda could not read the environment.
    EnvironmentError {
        error_code: Option<String>,
        message: Option<String>,
    }

    Layer {
        /// ARN with version.
        arn: Option<String>,
        /// Bytes.
        code_size: Option<i64>,
    }

    /// LoggingConfig.
    LoggingConfig {
        /// `Text` or `JSON`.
        log_format: Option<String>,
        /// Lowest level of the function's own lines, with JSON.
        application_log_level: Option<String>,
        /// Lowest level of the platform's lines, with JSON.
        system_log_level: Option<String>,
        /// Where it logs, if not to `/aws/lambda/NAME`.
        log_group: Option<String>,
    }
}

impl FunctionConfiguration {
    /// The log group that the function writes to.
    pub fn log_group(&self) -> Option<String> {
        self.logging_config
            .as_ref()
            .and_then(|logging| logging.log_group.clone())
            .or_else(|| self.function_name.as_ref().map(|name| format!("/aws/lambda/{name}")))
    }

    /// An environment variable's value.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.as_ref()?.variables.get(name).map(String::as_str)
    }
}

single_values!(Function);
