//! SEC15: the value's host is another database than the managed superuser's.

use super::{rds_endpoints::endpoints, stage_shape::shape};
use crate::{
    aws::arn,
    catalogue::managed_services,
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{diagnose_value, edit_value, set_key},
    },
    evidence::{Fact, Secret},
};

pub(super) static CHECK: Check = Check {
    name: "superuser-host",
    question: "Is the value's host the one of the superuser that RDS manages?",
    codes: &["SEC15"],
    facts: &[
        Fact::Secret,
        Fact::SecretShape,
        Fact::SuperuserSecret,
        Fact::DBInstances,
        Fact::DBClusters,
    ],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let host = value.text("host").ok_or_else(|| Stop::not_applicable("the value names no host"))?;
    if value.text("masterarn").is_none() {
        return Err(Stop::not_applicable("the value names no superuser"));
    }
    let superuser =
        case.superuser_secret().or_not_applicable("the rotation uses no superuser's secret")?;
    // A superuser that RDS manages has no host of its own; the function looks
    // up the endpoint. Of any other, the host is inside a value nobody read.
    let Some((arn, cluster)) = owner(superuser) else {
        return Err(Stop::not_applicable("RDS does not manage the superuser"));
    };
    let identifier = arn::identifier(arn);
    let endpoints = endpoints(case)?;
    let Some(endpoint) = endpoints.iter().find(|endpoint| {
        endpoint.cluster == cluster && !endpoint.reader && endpoint.identifier == identifier
    }) else {
        return Err(Stop::not_applicable(format!("no endpoint of {identifier} was seen")));
    };
    let is_replica = endpoints.iter().any(|endpoint| endpoint.reader && endpoint.is_at(&host));
    // The function compares letter by letter.
    if host == endpoint.address || is_replica {
        return Ok(vec![]);
    }
    let address = endpoint.address;
    Ok(vec![
        Finding::new(
            "SEC15",
            case.secret_resource(),
            format!(
                "The value's host is {host}, the superuser's database is {identifier} at {address}: \
                 the function compares the two texts and refuses to set a password where they differ."
            ),
        )
        .fact("GetSecretValue AWSCURRENT", format!("host: {host}"))
        .fact("DescribeSecret of masterarn", format!("managed for {arn}"))
        .fix(
            "Store the superuser's host as host, or name the superuser of the right database in \
             masterarn.",
            [edit_value(case, set_key("host", address))],
        )
        .confirm(diagnose_value(case)),
    ])
}

/// The ARN of the database whose superuser this is, and whether it is a cluster.
fn owner(secret: &Secret) -> Option<(&str, bool)> {
    let names = &managed_services().tags;
    secret.tags.iter().find_map(|tag| {
        let (key, value) = (tag.key.as_deref()?, tag.value.as_deref()?);
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        (is(&names.instance) || is(&names.cluster)).then(|| (value, is(&names.cluster)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(host: &str) -> Value {
        json!({"SecretShape": {"AWSCURRENT": {"Keys": ["host", "masterarn"],
                "Values": {"host": host, "masterarn": "arn:super"}}},
            "SuperuserSecret": {"Tags": [{"Key": "aws:rds:primaryDBClusterArn",
                "Value": "arn:aws:rds:eu-west-1:1:cluster:shop"}]},
            "DBInstances": null,
            "DBClusters": [{"DBClusterIdentifier": "shop", "Endpoint": "shop.cluster-x.rds.amazonaws.com",
                "ReaderEndpoint": "shop.cluster-ro-x.rds.amazonaws.com"}]})
    }

    #[test]
    fn another_text_than_the_endpoint_is_found() {
        assert_eq!(codes(&judge(&CHECK, bundle("shop.example.com"))), ["SEC15"]);
        assert_eq!(codes(&judge(&CHECK, bundle("Shop.cluster-x.rds.amazonaws.com"))), ["SEC15"]);
        assert!(codes(&judge(&CHECK, bundle("shop.cluster-x.rds.amazonaws.com"))).is_empty());
        assert!(codes(&judge(&CHECK, bundle("shop.cluster-ro-x.rds.amazonaws.com"))).is_empty());
    }

    #[test]
    fn an_unmanaged_superuser_and_refused_facts_are_no_finding() {
        let mut other = bundle("a");
        other["SuperuserSecret"] = json!({"Name": "super"});
        assert!(not_applicable(&judge(&CHECK, other)));
        for fact in [Fact::SuperuserSecret, Fact::DBClusters, Fact::SecretShape] {
            let mut refused = bundle("a");
            refused.as_object_mut().expect("object").remove(fact.name());
            refused["Gaps"] = denied(fact);
            assert!(lacks(&judge(&CHECK, refused), fact), "{fact:?}");
        }
    }
}
