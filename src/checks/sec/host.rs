//! SEC12, SEC13, SEC14: the value's host is not where passwords are set.

use super::place::{places, shape};
use crate::{
    catalogue::{Severity, engines},
    checks::{Basis, Case, Check, Finding, Judgement, Stop, command::quoted},
    evidence::{Fact, StageShape},
};

pub(super) static CHECK: Check = Check {
    name: "host-of-the-value",
    question: "Is the value's host the writer endpoint of its database?",
    codes: &["SEC12", "SEC13", "SEC14"],
    facts: &[
        Fact::Secret,
        Fact::SecretShape,
        Fact::DBInstances,
        Fact::DBClusters,
        Fact::DBParameters,
    ],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let host = value
        .text("host")
        .filter(|host| !host.is_empty())
        .ok_or_else(|| Stop::not_applicable("the value names no host"))?;
    let names = &engines().endpoints;
    if names.is_of_aws(&host) && host.contains(names.proxy_mark.as_str()) {
        return Ok(vec![mend(case, proxy(case, &host))]);
    }
    if host.contains(names.reader_mark.as_str()) {
        return Ok(vec![mend(case, reader(case, value, &host, "the name of a reader endpoint"))]);
    }
    let places = places(case)?;
    if let Some(place) = places.iter().find(|place| place.is_at(&host)) {
        if place.reader {
            let kind =
                if place.cluster { "reader endpoint of cluster" } else { "read-only instance" };
            let proof = format!("{kind} {}", place.identifier);
            return Ok(vec![mend(case, reader(case, value, &host, &proof))]);
        }
        return Ok(vec![]);
    }
    if places.is_empty() || names.is_of_aws(&host) {
        return Ok(vec![]);
    }
    let identifiers: Vec<_> = ["dbInstanceIdentifier", "dbClusterIdentifier"]
        .iter()
        .filter_map(|key| value.text(key))
        .collect();
    let is_known = places.iter().any(|place| identifiers.iter().any(|id| id == place.identifier));
    Ok(alias(case, value, &host, is_known).map(|finding| mend(case, finding)).into_iter().collect())
}

fn proxy(case: &Case<'_>, host: &str) -> Finding {
    Finding::new(
        "SEC13",
        case.secret_resource(),
        format!(
            "The value's host {host} is an RDS Proxy. The proxy itself logs in with this secret and \
             insists on TLS, so a rotation through it cannot test a new password."
        ),
    )
    .fact("GetSecretValue AWSCURRENT", format!("host: {host}"))
}

fn reader(case: &Case<'_>, value: &StageShape, host: &str, proof: &str) -> Finding {
    let alternates = value.keys.iter().any(|key| key == "masterarn");
    let finding = Finding::new(
        "SEC12",
        case.secret_resource(),
        if alternates {
            format!(
                "The value's host {host} takes reads only. Functions that alternate users set the \
                 password on the superuser's host, and only newer ones take a reader for its replica."
            )
        } else {
            format!("The value's host {host} takes reads only, and a password cannot be set there.")
        },
    )
    .fact("GetSecretValue AWSCURRENT", format!("host: {host}; {proof}"));
    if alternates { finding.on(Basis::Indication).severity(Severity::Warning) } else { finding }
}

/// A name of one's own for an RDS database: its certificate does not have it.
fn alias(case: &Case<'_>, value: &StageShape, host: &str, is_known: bool) -> Option<Finding> {
    let parameters = case.db_parameters();
    let insists = parameters.if_known().map(|parameters| {
        parameters.iter().any(|parameter| {
            let pair =
                parameter.parameter_name.as_deref().zip(parameter.parameter_value.as_deref());
            pair.is_some_and(|(name, value)| engines().insists_on_tls(name, value))
        })
    });
    let without_tls = value.text("ssl").is_some_and(|ssl| ssl == "false");
    if without_tls && insists == Some(false) {
        return None;
    }
    let rest = match insists {
        Some(true) => "The database insists on TLS, so the attempt without it is refused too.",
        Some(false) => "The database also takes connections without TLS, so it may still work.",
        None => "Whether the database insists on TLS was not seen; if so, no login succeeds.",
    };
    let certain = insists == Some(true);
    let finding = Finding::new(
        "SEC14",
        case.secret_resource(),
        format!(
            "The value's host {host} is not an endpoint of RDS but a name or address of your own: the \
             certificate of the database does not carry it, and the check of the name fails. {rest}"
        ),
    )
    .severity(if certain { Severity::Error } else { Severity::Warning })
    .on(if certain && is_known { Basis::State } else { Basis::Indication })
    .fact("GetSecretValue AWSCURRENT", format!("host: {host}"));
    Some(finding)
}

fn mend(case: &Case<'_>, finding: Finding) -> Finding {
    let id = quoted(case.secret_id());
    // The writer is the only endpoint to put in, where just one was seen.
    let writers: Vec<_> =
        places(case).into_iter().flatten().filter(|place| !place.reader).collect();
    let host = match writers.as_slice() {
        [only] => only.address,
        several => {
            several.iter().find(|place| place.cluster).map_or("WRITER_ENDPOINT", |p| p.address)
        }
    };
    finding
        .fix(
            format!(
                "Store the writer endpoint {host} as host; applications that want another one can \
                 read it from a key of their own."
            ),
            [format!(
                "aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text \
                 | jq -c '.host = \"{host}\"' \
                 | aws secretsmanager put-secret-value --secret-id {id} --secret-string file:///dev/stdin"
            )],
        )
        .confirm(format!("rotdoctor diagnose {id} --read-secret"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks},
        evidence::Fact,
    };

    const WRITER: &str = "db.abc.eu-west-1.rds.amazonaws.com";

    fn bundle(host: &str) -> Value {
        json!({"Secret": {"Name": "app"},
            "SecretShape": {"AWSCURRENT": {"Keys": ["host"], "Values": {"host": host, "dbInstanceIdentifier": "db"}}},
            "DBInstances": [
                {"DBInstanceIdentifier": "db", "Endpoint": {"Address": WRITER, "Port": 5432}},
                {"DBInstanceIdentifier": "copy", "ReadReplicaSourceDBInstanceIdentifier": "db",
                 "Endpoint": {"Address": "copy.abc.eu-west-1.rds.amazonaws.com", "Port": 5432}}],
            "DBClusters": []})
    }

    #[test]
    fn readers_and_proxies_are_found_and_the_writer_is_fine() {
        assert_eq!(
            codes(&judge(&CHECK, bundle("copy.abc.eu-west-1.rds.amazonaws.com"))),
            ["SEC12"]
        );
        assert_eq!(
            codes(&judge(&CHECK, bundle("c.cluster-ro-abc.eu-west-1.rds.amazonaws.com"))),
            ["SEC12"]
        );
        assert_eq!(
            codes(&judge(&CHECK, bundle("p.proxy-abc.eu-west-1.rds.amazonaws.com"))),
            ["SEC13"]
        );
        assert!(codes(&judge(&CHECK, bundle(WRITER))).is_empty());
    }

    #[test]
    fn a_name_of_ones_own_is_as_bad_as_the_parameters_say() {
        let mut own = bundle("db.example.com");
        let found = judge(&CHECK, own.clone()).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("SEC14", Severity::Warning));
        assert!(found[0].fixes[0].commands[0].contains(WRITER));
        own["DBParameters"] = json!([{"ParameterName": "rds.force_ssl", "ParameterValue": "1"}]);
        assert_eq!(judge(&CHECK, own.clone()).expect("findings")[0].severity, Severity::Error);
        own["DBParameters"][0]["ParameterValue"] = json!("0");
        own["SecretShape"]["AWSCURRENT"]["Values"]["ssl"] = json!(false);
        assert!(codes(&judge(&CHECK, own.clone())).is_empty());
        own["DBInstances"] = json!([]);
        own["SecretShape"]["AWSCURRENT"]["Values"]["ssl"] = json!(true);
        assert!(codes(&judge(&CHECK, own)).is_empty(), "a database outside RDS has any name");
    }

    #[test]
    fn refused_facts_are_named() {
        let refused = json!({"Gaps": denied(Fact::SecretShape)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
        let mut refused = bundle("db.example.com");
        refused.as_object_mut().expect("object").remove("DBInstances");
        refused["Gaps"] = denied(Fact::DBInstances);
        assert!(lacks(&judge(&CHECK, refused), Fact::DBInstances));
    }
}
