//! Reachability: does the function's request get to Secrets Manager, to the
//! database, to the RDS API, and does the reply come back? A pure engine over
//! the evidence: names first, then every path from every subnet of the
//! function to every address of the target, past the first element that
//! blocks, so that one answer names all there is to fix.
//!
//! What was not seen makes an answer unknown, never blocked. No check and no
//! catalogue code stands here, and nothing is asked of AWS.

mod acl;
mod address;
mod aggregate;
mod answer;
mod database;
mod endpoint;
mod endpoint_policy;
mod ends;
mod explain;
mod filter;
mod gateway;
mod hop;
mod inbound;
mod internet_gateway;
mod outcome;
mod peering;
mod place;
mod ports;
mod public_access;
mod resolve;
mod resolver;
mod route;
mod source;
mod trace;
mod transit;
mod view;
mod walk;
mod zone;

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

pub use self::{
    address::Family,
    answer::*,
    endpoint_policy::{BuiltInPolicy, EndpointPolicy, PolicyAnswer, PolicyRequest},
    hop::*,
    ports::PortSet,
};
/// How names are compared, for what is collected of them.
#[cfg(feature = "live")]
pub(crate) use self::{resolver::plain, zone::is_under};
pub use crate::evidence::PATH_FACTS as FACTS;
use crate::{
    aws::{arn::Arn, partitions},
    evidence::Evidence,
};

/// What the function wants to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The target.
    pub target: Target,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A database.
    Database {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// The API of an AWS service.
    AwsApi {
        /// The service as in endpoint names: `secretsmanager`, `rds`.
        service: String,
        /// Host name.
        host: String,
        /// TCP port.
        port: u16,
        /// The secret, for the endpoint policy.
        secret_arn: Option<String>,
        /// The superuser's secret, for the endpoint policy.
        superuser_arn: Option<String>,
    },
}

impl Target {
    /// The host name.
    pub fn host(&self) -> &str {
        match self {
            Self::Database { host, .. } | Self::AwsApi { host, .. } => host,
        }
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Database { port, .. } | Self::AwsApi { port, .. } => *port,
        }
    }
}

/// The variable in which the vended templates find Secrets Manager.
const ENDPOINT_VARIABLE: &str = "SECRETS_MANAGER_ENDPOINT";

impl Question {
    /// Can the function reach that database?
    pub fn database(host: impl Into<String>, port: u16) -> Self {
        Self { target: Target::Database { host: host.into(), port } }
    }

    /// Can the function reach Secrets Manager? The host is the one that the
    /// function's environment names, else the regional one. `None` where
    /// neither is known.
    pub fn secrets_manager(evidence: &Evidence) -> Option<Self> {
        let configuration = evidence.function.known().map(|function| &function.configuration);
        let variable = configuration.and_then(|c| c.variable(ENDPOINT_VARIABLE));
        let (host, port) = match variable.and_then(host_of_url) {
            Some(found) => found,
            None => (regional_host(evidence, "secretsmanager")?, 443),
        };
        let superuser = evidence.superuser_secret.known().and_then(|secret| secret.arn.clone());
        Some(Self {
            target: Target::AwsApi {
                service: "secretsmanager".to_owned(),
                host,
                port,
                secret_arn: evidence.secret_arn().map(str::to_owned),
                superuser_arn: superuser,
            },
        })
    }

    /// Can the function reach the API of another service, such as `rds`?
    /// `None` where the region is not known.
    pub fn regional_api(evidence: &Evidence, service: &str) -> Option<Self> {
        Some(Self {
            target: Target::AwsApi {
                service: service.to_owned(),
                host: regional_host(evidence, service)?,
                port: 443,
                secret_arn: None,
                superuser_arn: None,
            },
        })
    }
}

fn regional_host(evidence: &Evidence, service: &str) -> Option<String> {
    let configuration = evidence.function.known().map(|function| &function.configuration);
    let arn = configuration.and_then(|c| c.function_arn.as_deref());
    let region = arn.and_then(Arn::region_of).or_else(|| evidence.region())?;
    Some(partitions::endpoint_host(evidence.partition(), service, region))
}

/// Host and port of an endpoint's URL, or of a bare host name.
fn host_of_url(url: &str) -> Option<(String, u16)> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let standard = if scheme.eq_ignore_ascii_case("http") { 80 } else { 443 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()?),
        _ => (authority, standard),
    };
    // What is not allow-listed reads `(hidden)`.
    let plausible = !host.is_empty() && !host.contains(['(', ' ']);
    plausible.then(|| (host.to_owned(), port))
}

/// What public DNS answers, as far as it was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PublicDns {
    /// By host name.
    pub names: BTreeMap<String, PublicRecords>,
}

/// The address records of a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PublicRecords {
    /// IPv4.
    #[serde(rename = "A")]
    pub a: Vec<String>,
    /// IPv6.
    #[serde(rename = "AAAA")]
    pub aaaa: Vec<String>,
}

impl PublicDns {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let own = self.names.iter().filter(|(name, _)| resolver::plain(name) == host);
        let texts = own.flat_map(|(_, records)| records.a.iter().chain(&records.aaaa));
        texts.filter_map(|text| text.parse().ok()).collect()
    }
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// The host that was asked about.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The verdict over all paths.
    pub verdict: Verdict,
    /// Every element that blocks; none where the target is reachable.
    pub blockers: Vec<Blocker>,
    /// The paths, one for each way that differs.
    pub paths: Vec<Path>,
    /// What was not seen and would decide.
    pub missing: Vec<Missing>,
    /// How the request leaves; none where ways differ.
    pub via: Via,
    /// The interface endpoints on the way.
    pub endpoints: Vec<String>,
    /// Endpoints for the service that the name does not lead to, and why.
    pub unused_endpoints: Vec<UnusedEndpoint>,
    /// Actions that an endpoint's policy denies on a way that is open.
    pub api_denied_actions: Vec<String>,
    /// Actions that hang on a condition of an endpoint's policy, or on a
    /// resource that is not known.
    pub api_undecided_actions: Vec<String>,
    /// Subnets and addresses that fail, where others do not.
    pub failing: Vec<String>,
    /// What the name means, and why endpoints that exist are not used.
    pub notes: Vec<String>,
    /// All of it as a person reads it, line by line.
    pub explanation: Vec<String>,
}

/// Judges a question with the built-in reading of endpoint policies.
pub fn judge(evidence: &Evidence, question: &Question, dns: &PublicDns) -> Answer {
    judge_with(evidence, question, dns, &BuiltInPolicy)
}

/// Judges a question; endpoint policies are read by `policy`.
pub fn judge_with(
    evidence: &Evidence,
    question: &Question,
    dns: &PublicDns,
    policy: &dyn EndpointPolicy,
) -> Answer {
    let view = view::View::new(evidence);
    let target = &question.target;
    let judged = aggregate::judge(&view, target, dns);
    let mut answer = Answer {
        host: target.host().to_owned(),
        port: target.port(),
        verdict: judged.outcome.verdict,
        blockers: judged.outcome.blockers,
        paths: judged.outcome.paths,
        missing: judged.outcome.missing,
        via: judged.via,
        endpoints: judged.endpoints,
        unused_endpoints: judged.unused,
        api_denied_actions: Vec::new(),
        api_undecided_actions: Vec::new(),
        failing: judged.outcome.failing,
        notes: judged.notes,
        explanation: Vec::new(),
    };
    if matches!(answer.verdict, Verdict::Reachable | Verdict::Intermittent) {
        (answer.api_denied_actions, answer.api_undecided_actions) =
            endpoint_policy::refused_actions(evidence, target, &answer.endpoints, policy);
        if !judged.certain {
            // The endpoint may not be on the way at all.
            answer.api_undecided_actions.append(&mut answer.api_denied_actions);
            answer.api_undecided_actions.sort();
        }
    }
    answer.explanation = explain::lines(&answer);
    answer
}

#[cfg(test)]
pub(crate) mod tests;
