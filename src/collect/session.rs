//! Region, credentials and clients: everything that is settled once, before the first call.

use std::{env, path::PathBuf};

use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    default_provider::credentials::DefaultCredentialsChain,
    environment::EnvironmentVariableRegionProvider,
    identity::IdentityCache,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
    sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;

use super::{
    call::CountAttempts,
    error::CollectError,
    failure::{Failure, Kind},
    http::Http,
    profiles,
};
use crate::{
    aws::limits,
    evidence::nearest,
    evidence::{Evidence, SCHEMA_VERSION, Time},
};

/// Where to connect to, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Named profile; wins over credentials in the environment.
    pub profile: Option<String>,
    /// Region. Without one: AWS_REGION, AWS_DEFAULT_REGION, the profile's.
    pub region: Option<String>,
    /// Endpoint for every service.
    pub endpoint_url: Option<String>,
    /// Certificates (PEM) to trust besides the platform's own; without it,
    /// `AWS_CA_BUNDLE`.
    pub ca_bundle: Option<PathBuf>,
    /// Role to assume first.
    pub role_arn: Option<String>,
    /// What that role's trust policy may ask for.
    pub external_id: Option<String>,
    /// Retry longer, and slower where the services ask for it: for runs about many
    /// secrets.
    pub patient: bool,
}

/// A configured connection, good for any number of secrets.
pub struct Session {
    pub(super) connection: Connection,
    pub(super) region: String,
    pub(super) notes: Vec<String>,
    pub(super) clients: Clients,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("connection", &self.connection)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// One client per service; they share connections and credentials.
pub(super) struct Clients {
    pub(super) http: Http,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) cloudtrail: aws_sdk_cloudtrail::Client,
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) route53: aws_sdk_route53::Client,
    pub(super) route53resolver: aws_sdk_route53resolver::Client,
    pub(super) secretsmanager: aws_sdk_secretsmanager::Client,
    pub(super) sts: aws_sdk_sts::Client,
}

macro_rules! client {
    ($service:ident, $config:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($config).interceptor(CountAttempts).build(),
        )
    };
}

impl Clients {
    fn new(config: &SdkConfig, http: Http) -> Self {
        Self {
            http,
            cloudformation: client!(aws_sdk_cloudformation, config),
            cloudtrail: client!(aws_sdk_cloudtrail, config),
            ec2: client!(aws_sdk_ec2, config),
            iam: client!(aws_sdk_iam, config),
            kms: client!(aws_sdk_kms, config),
            lambda: client!(aws_sdk_lambda, config),
            logs: client!(aws_sdk_cloudwatchlogs, config),
            rds: client!(aws_sdk_rds, config),
            route53: client!(aws_sdk_route53, config),
            route53resolver: client!(aws_sdk_route53resolver, config),
            secretsmanager: client!(aws_sdk_secretsmanager, config),
            sts: client!(aws_sdk_sts, config),
        }
    }
}

impl Session {
    /// Settles region, credentials and clients. `names` are the names or ARNs of what
    /// will be asked about: the region in a full ARN is the one to ask.
    /// Makes no call to AWS.
    ///
    /// # Errors
    /// [`CollectError::NoRegion`] and [`CollectError::Configuration`].
    pub async fn open(connection: &Connection, names: &[&str]) -> Result<Self, CollectError> {
        known_profile(connection)?;
        let http = Http::new(connection.ca_bundle.clone())?;
        let client = http.client();
        let configured = configured_region(connection, &client).await;
        let mut notes = Vec::new();
        let region = settle_region(configured, region_of_arns(names)?, &mut notes)
            .ok_or(CollectError::NoRegion)?;
        let config = load(connection, &region, client).await;
        Ok(Self {
            connection: connection.clone(),
            clients: Clients::new(&config, http),
            region,
            notes,
        })
    }

    /// The region that this session asks.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Evidence in which nothing was asked yet, taken now.
    pub(super) fn bare_evidence(&self) -> Evidence {
        Evidence {
            schema_version: SCHEMA_VERSION,
            captured_at: Time(Timestamp::now()),
            region: Some(self.region.clone()),
            ..Evidence::default()
        }
    }

    /// The error that stands for a failed first call.
    pub(super) fn error(&self, action: &str, failure: &Failure) -> CollectError {
        match failure.kind() {
            Some(Kind::Credentials) => CollectError::Credentials {
                message: failure.message().to_owned(),
                hint: self.hint(failure.message()),
            },
            Some(Kind::Unreachable) => CollectError::Unreachable {
                url: self
                    .connection
                    .endpoint_url
                    .clone()
                    .or_else(|| env::var("AWS_ENDPOINT_URL").ok())
                    .unwrap_or_else(|| format!("AWS in {}", self.region)),
                message: failure.message().to_owned(),
            },
            _ => CollectError::Failed {
                action: action.to_owned(),
                message: failure.message().to_owned(),
            },
        }
    }

    /// The command that repairs broken credentials.
    fn hint(&self, message: &str) -> String {
        let profile = self.connection.profile.clone().or_else(|| env::var("AWS_PROFILE").ok());
        let with_profile =
            profile.as_ref().map(|name| format!(" --profile {name}")).unwrap_or_default();
        let lower = message.to_ascii_lowercase();
        if let Some(role) = &self.connection.role_arn
            && (lower.contains("assumerole") || lower.contains("accessdenied"))
        {
            return format!("check that these credentials may call sts:AssumeRole on {role}");
        }
        if lower.contains("was not defined") || lower.contains("could not find profile") {
            return "`aws configure list-profiles` shows the profiles that exist".to_owned();
        }
        if lower.contains("sso") {
            return format!("run `aws sso login{with_profile}` and try again");
        }
        if lower.contains("no credentials were found") {
            return format!(
                "run `aws sso login{with_profile}` or `aws login{with_profile}`, or set up a profile with `aws configure{with_profile}`, and try again"
            );
        }
        if lower.contains("expired") {
            return format!(
                "the login has expired: run `aws sso login{with_profile}` or `aws login{with_profile}`, or fetch new temporary credentials, and try again"
            );
        }
        format!(
            "`aws sts get-caller-identity{with_profile}` shows whether these credentials work; `aws configure{with_profile}` sets others"
        )
    }
}

/// The one region that full ARNs name.
fn region_of_arns(names: &[&str]) -> Result<Option<String>, CollectError> {
    let mut regions = names.iter().filter_map(|name| region_of_arn(name));
    let Some(first) = regions.next() else { return Ok(None) };
    match regions.find(|other| *other != first) {
        Some(other) => Err(CollectError::Configuration(format!(
            "the secrets are in different regions ({first}, {other}); examine one region at a time"
        ))),
        None => Ok(Some(first.to_owned())),
    }
}

fn region_of_arn(name: &str) -> Option<&str> {
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "secretsmanager" | "lambda", region, _, _] if !region.is_empty() => Some(region),
        _ => None,
    }
}

fn settle_region(
    configured: Option<String>,
    of_arn: Option<String>,
    notes: &mut Vec<String>,
) -> Option<String> {
    if let (Some(configured), Some(of_arn)) = (&configured, &of_arn)
        && configured != of_arn
    {
        notes.push(format!(
            "asking {of_arn}, the region in the ARN, and not the configured {configured}"
        ));
    }
    of_arn.or(configured)
}

/// A named profile that no file has is a mistyped name, and not a lack of credentials.
fn known_profile(connection: &Connection) -> Result<(), CollectError> {
    let Some(name) = connection.profile.as_deref().filter(|name| *name != "default") else {
        return Ok(());
    };
    // What is wrong with a file is said with the credentials that it should have given.
    let Ok(profiles) = profiles::names() else { return Ok(()) };
    if profiles.contains(name) {
        return Ok(());
    }
    let meant = match nearest(name, profiles.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => "; `aws configure list-profiles` shows those that exist".to_owned(),
    };
    Err(CollectError::Configuration(format!(
        "there is no profile '{name}' in the AWS configuration files{meant}"
    )))
}

/// Flag, environment, profile: never the instance metadata service.
async fn configured_region(
    connection: &Connection,
    http_client: &SharedHttpClient,
) -> Option<String> {
    if let Some(region) = &connection.region {
        return Some(region.clone());
    }
    let mut profile =
        ProfileFileRegionProvider::builder().configure(&provider_config(None, http_client));
    if let Some(name) = &connection.profile {
        profile = profile.profile_name(name);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build());
    let region = chain.region().await?;
    Some(region.as_ref().to_owned()).filter(|region| !region.is_empty())
}

fn provider_config(region: Option<&str>, http_client: &SharedHttpClient) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(region.map(|region| Region::new(region.to_owned())))
        .with_http_client(http_client.clone())
}

async fn load(connection: &Connection, region: &str, http_client: SharedHttpClient) -> SdkConfig {
    let (retries, operation_timeout) = if connection.patient {
        (
            RetryConfig::adaptive().with_max_attempts(limits::PATIENT_ATTEMPTS),
            limits::PATIENT_OPERATION_TIMEOUT,
        )
    } else {
        (RetryConfig::standard().with_max_attempts(limits::ATTEMPTS), limits::OPERATION_TIMEOUT)
    };
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(limits::ATTEMPT_TIMEOUT)
        .operation_timeout(operation_timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(retries)
        .timeout_config(timeouts)
        .identity_cache(IdentityCache::lazy().load_timeout(limits::CREDENTIALS_TIMEOUT).build())
        .credentials_provider(credentials(connection, region, &http_client).await)
        .http_client(http_client);
    if let Some(profile) = &connection.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let Some(role) = &connection.role_arn else { return config };
    let mut assumed = AssumeRoleProvider::builder(role)
        .session_name("rotdoctor")
        .region(Region::new(region.to_owned()))
        .configure(&config);
    if let Some(id) = &connection.external_id {
        assumed = assumed.external_id(id);
    }
    let assumed = assumed.build().await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build()
}

/// A profile that was named is the only source; the SDK's own chain would let
/// credentials in the environment win over it, unlike the AWS CLI.
async fn credentials(
    connection: &Connection,
    region: &str,
    http_client: &SharedHttpClient,
) -> SharedCredentialsProvider {
    let config = provider_config(Some(region), http_client);
    if let Some(profile) = &connection.profile {
        return SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder()
                .profile_name(profile)
                .configure(&config)
                .build(),
        );
    }
    // Off EC2 nothing answers there, and nobody wants to wait four times for it.
    let metadata = aws_config::imds::Client::builder().configure(&config).max_attempts(1).build();
    SharedCredentialsProvider::new(
        DefaultCredentialsChain::builder()
            .region(Region::new(region.to_owned()))
            .imds_client(metadata)
            .configure(config)
            .build()
            .await,
    )
}

#[cfg(test)]
mod tests {
    use super::{region_of_arns, settle_region};

    #[test]
    fn the_region_in_an_arn_wins_and_says_so() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf";
        let of_arn = region_of_arns(&["name", arn]).expect("one region");
        let mut notes = Vec::new();
        let region = settle_region(Some("us-east-1".to_owned()), of_arn.clone(), &mut notes);
        assert_eq!(region.as_deref(), Some("eu-west-1"));
        let function = "arn:aws:lambda:eu-west-2:123456789012:function:rotate:live";
        assert_eq!(region_of_arns(&[function]).expect("one region").as_deref(), Some("eu-west-2"));
        assert!(notes[0].contains("eu-west-1") && notes[0].contains("us-east-1"), "{notes:?}");

        notes.clear();
        assert_eq!(settle_region(None, of_arn, &mut notes).as_deref(), Some("eu-west-1"));
        assert_eq!(settle_region(None, None, &mut notes), None);
        assert!(notes.is_empty());
        assert!(region_of_arns(&[arn, &arn.replace("eu-west-1", "eu-west-2")]).is_err());
    }
}
