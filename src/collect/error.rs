//! Why nothing could be examined.

/// Why nothing could be examined at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// No region is configured.
    #[error(
        "no region: pass --region, set AWS_REGION, give the profile a region (aws configure set region REGION), or name the secret by its full ARN"
    )]
    NoRegion,
    /// The credentials are missing, expired or invalid.
    #[error("{message}\n{hint}")]
    Credentials {
        /// What is wrong.
        message: String,
        /// The command that repairs it.
        hint: String,
    },
    /// The secret is not there.
    #[error(
        "no secret {name:?} in {region}{}: check the region and the account, and give the name in full (an ARN works with or without its last six characters)",
        account.as_ref().map(|id| format!(" of account {id}")).unwrap_or_default()
    )]
    SecretNotFound {
        /// As it was asked for.
        name: String,
        /// Where.
        region: String,
        /// In which account, where STS said so.
        account: Option<String>,
    },
    /// The function is not there.
    #[error(
        "no function {name:?} in {region}: check the region and the account, and give the name in full, or the ARN"
    )]
    FunctionNotFound {
        /// As it was asked for.
        name: String,
        /// Where.
        region: String,
    },
    /// The function is there, and its package could not be read.
    #[error("package of {function}: {message}")]
    PackageUnread {
        /// As it was asked for.
        function: String,
        /// Why, without the URL, which is signed.
        message: String,
    },
    /// Nothing answers at the endpoint.
    #[error("cannot reach {url}: {message}")]
    Unreachable {
        /// The endpoint, or the service's name.
        url: String,
        /// Why.
        message: String,
    },
    /// An option does not make sense.
    #[error("{0}")]
    Configuration(String),
    /// The first call failed in another way.
    #[error("{action} failed: {message}")]
    Failed {
        /// Such as `secretsmanager:ListSecrets`.
        action: String,
        /// What the service said.
        message: String,
    },
}
