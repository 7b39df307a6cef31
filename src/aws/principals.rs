//! Service principals: how a policy names the services that take part in a rotation. They
//! are the same in every partition.
//!
//! Semantics: IAM User Guide, "AWS JSON policy elements: Principal".

/// Secrets Manager, which invokes the rotation function.
pub(crate) const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";
/// Lambda, which assumes the function's role.
pub(crate) const LAMBDA: &str = "lambda.amazonaws.com";
