//! Lambda: what CreateFunction fills in, and the facts about a function.

use crate::{
    evidence::{Environment, Fact, FunctionConfiguration, VpcConfig},
    template::{Draft, aws::Open},
};

/// The variable in which AWS's rotation functions find Secrets Manager.
pub(crate) const ENDPOINT_VARIABLE: &str = "SECRETS_MANAGER_ENDPOINT";

/// Seconds that a function may run where nothing is said (Lambda API Reference,
/// CreateFunction).
pub(crate) const DEFAULT_TIMEOUT: i64 = 3;
/// MB of memory where nothing is said.
pub(crate) const DEFAULT_MEMORY: i64 = 128;
/// The machine where nothing is said.
pub(crate) const DEFAULT_ARCHITECTURE: &str = "x86_64";

/// The facts about a function.
pub(crate) const FACTS: [Fact; 2] = [Fact::Function, Fact::FunctionPolicy];

/// A function that was deployed, which nothing else is said about.
pub(crate) fn deployed(name: &str, arn: &str) -> FunctionConfiguration {
    FunctionConfiguration {
        function_name: Some(name.to_owned()),
        function_arn: Some(arn.to_owned()),
        state: Some("Active".to_owned()),
        last_update_status: Some("Successful".to_owned()),
        package_type: Some("Zip".to_owned()),
        ..FunctionConfiguration::default()
    }
}

/// The environment with these variables; none where there are none.
pub(crate) fn environment<N: Into<String>>(
    variables: impl IntoIterator<Item = (N, String)>,
) -> Option<Environment> {
    let variables: std::collections::BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.into(), value)).collect();
    (!variables.is_empty()).then(|| Environment { variables, ..Environment::default() })
}

/// A network with its VPC.
pub(crate) fn vpc_config(
    subnets: Vec<String>,
    groups: Vec<String>,
    vpc: String,
    dual_stack: Option<bool>,
) -> VpcConfig {
    VpcConfig {
        subnet_ids: subnets,
        security_group_ids: groups,
        vpc_id: Some(vpc),
        ipv6_allowed_for_dual_stack: dual_stack,
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME` without the qualifier after it.
pub(crate) fn unqualified(arn: &str) -> &str {
    if !arn.starts_with("arn:") {
        return arn;
    }
    arn.match_indices(':').nth(6).map_or(arn, |(at, _)| &arn[..at])
}

/// A function of which nothing is declared.
pub(crate) fn outside(draft: &mut Draft, arn: &str, reason: impl Into<Open>) {
    let reason = reason.into();
    for fact in FACTS {
        draft.gap(fact, arn, &reason);
    }
    super::policies::outside(draft, "", reason);
}

#[cfg(test)]
mod tests {
    use super::unqualified;

    #[test]
    fn a_qualifier_is_what_follows_the_name() {
        let arn = "arn:aws:lambda:us-east-1:1:function:f";
        assert_eq!(unqualified(&format!("{arn}:live")), arn);
        assert_eq!(unqualified(arn), arn);
        assert_eq!(unqualified("${Function}"), "${Function}");
    }
}
