//! Lambda: the rotation function and who may invoke it.

use aws_sdk_lambda::types::FunctionConfiguration as Answer;

use super::{
    call::Caller,
    convert::{document, list, word, words},
    scene::{PatchResult, patch},
    session::Clients,
    step::steps,
};
use crate::{
    evidence::{
        Concurrency, Environment, EnvironmentError, Function, FunctionConfiguration, Layer,
        LoggingConfig, Observed, Time, VpcConfig,
    },
    seal,
};

steps! {
    2 "lambda:GetFunction" => Function <- [Secret]: |tasks| {
        let Some((arn, qualifier)) = tasks.scene.function() else { return Vec::new() };
        vec![tasks.one(arn, async move |caller, clients, arn: &str| {
            function(caller, clients, arn, qualifier).await
        })]
    };
    2 "lambda:GetPolicy" => FunctionPolicy <- [Secret]: |tasks| {
        let Some((arn, qualifier)) = tasks.scene.function() else { return Vec::new() };
        vec![tasks.one(arn, async move |caller, clients, arn: &str| {
            policy(caller, clients, arn, qualifier).await
        })]
    };
}

pub(super) async fn function(
    caller: &Caller,
    clients: &Clients,
    arn: &str,
    qualifier: Option<String>,
) -> PatchResult {
    let request = clients.lambda.get_function().function_name(arn).set_qualifier(qualifier);
    let answer = caller.call("lambda:GetFunction", arn, request.send()).await?;
    // A presigned URL: it is a secret, and goes to the reader of the package alone.
    let code = answer.code.and_then(|code| code.location);
    let mut function = Function {
        configuration: answer.configuration.map(configuration).unwrap_or_default(),
        tags: answer.tags.unwrap_or_default().into_iter().collect(),
        concurrency: answer.concurrency.map(|concurrency| Concurrency {
            reserved_concurrent_executions: concurrency
                .reserved_concurrent_executions
                .map(i64::from),
        }),
    };
    seal::seal_function(&mut function);
    let tags_failure = answer.tags_error.map(|error| error.message);
    patch(move |scene| {
        scene.evidence.function = Observed::Known(function);
        scene.tags_failure = tags_failure;
        scene.code_location = code.filter(|url| url.starts_with("http"));
    })
}

fn configuration(answer: Answer) -> FunctionConfiguration {
    FunctionConfiguration {
        function_name: answer.function_name,
        function_arn: answer.function_arn,
        runtime: word(answer.runtime),
        role: answer.role,
        handler: answer.handler,
        code_size: Some(answer.code_size),
        code_sha256: answer.code_sha256,
        description: answer.description,
        timeout: answer.timeout.map(i64::from),
        memory_size: answer.memory_size.map(i64::from),
        last_modified: answer.last_modified.as_deref().and_then(Time::parse),
        version: answer.version,
        vpc_config: answer.vpc_config.map(|vpc| VpcConfig {
            subnet_ids: vpc.subnet_ids.unwrap_or_default(),
            security_group_ids: vpc.security_group_ids.unwrap_or_default(),
            vpc_id: vpc.vpc_id,
            ipv6_allowed_for_dual_stack: vpc.ipv6_allowed_for_dual_stack,
        }),
        environment: answer.environment.map(|environment| Environment {
            // Nothing unsealed leaves this expression.
            variables: seal::environment(
                environment.variables.unwrap_or_default().into_iter().collect(),
            ),
            error: environment.error.map(|error| EnvironmentError {
                error_code: error.error_code,
                message: error.message,
            }),
        }),
        kms_key_arn: answer.kms_key_arn,
        state: word(answer.state),
        state_reason: answer.state_reason,
        state_reason_code: word(answer.state_reason_code),
        last_update_status: word(answer.last_update_status),
        last_update_status_reason: answer.last_update_status_reason,
        last_update_status_reason_code: word(answer.last_update_status_reason_code),
        package_type: word(answer.package_type),
        architectures: words(answer.architectures),
        layers: list(answer.layers, |layer| Layer {
            arn: layer.arn,
            code_size: Some(layer.code_size),
        }),
        logging_config: answer.logging_config.map(|logging| LoggingConfig {
            log_format: word(logging.log_format),
            application_log_level: word(logging.application_log_level),
            system_log_level: word(logging.system_log_level),
            log_group: logging.log_group,
        }),
    }
}

async fn policy(
    caller: &Caller,
    clients: &Clients,
    arn: &str,
    qualifier: Option<String>,
) -> PatchResult {
    let request = clients.lambda.get_policy().function_name(arn).set_qualifier(qualifier);
    let answer = caller.call("lambda:GetPolicy", arn, request.send()).await?;
    let policy = answer.policy.filter(|text| !text.trim().is_empty());
    patch(move |scene| {
        scene.evidence.function_policy = policy.as_deref().map(document).into();
    })
}
