//! DB03, DB20: the database's certificate has expired, so a function that
//! verifies it gets no TLS connection.

use super::{
    parameters::asked,
    secret_database::{DATABASE_FACTS, SecretDatabase, secret_database},
};
use crate::{
    aws::commands::Argument,
    catalogue::{Severity, certificate},
    checks::{
        Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{DatabaseOperation, on_database},
    },
    evidence::{DbInstance, Fact},
};

pub(super) static CHECK: Check = Check {
    name: "database-certificate-valid",
    question: "Is the database's certificate one that a function can verify?",
    codes: &["DB03", "DB20"],
    facts: &FACTS,
    judge,
};

const FACTS: [Fact; 7] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    [secret, shape, superuser, resources, instances, clusters, Fact::DBParameters]
};

fn judge(case: &Case<'_>) -> Judgement {
    let database = secret_database(case)?;
    let Some(instance) = database.instance else {
        case.db_instances().or_absent()?;
        return Err(Stop::not_applicable("no instance of the cluster was seen"));
    };
    let details = instance.certificate_details.as_ref();
    let ca = instance
        .ca_certificate_identifier
        .as_deref()
        .or_else(|| details.and_then(|details| details.ca_identifier.as_deref()));
    let valid_till = details.and_then(|details| details.valid_till);
    let row = ca.and_then(|ca| certificate(ca, case.region()));
    let name = instance.db_instance_identifier.as_deref().unwrap_or("the database");

    let finding = if let Some((row, day)) =
        row.and_then(|row| row.expires.map(|day| (row, day))).filter(|(_, day)| *day <= case.now())
    {
        Finding::new(
            "DB20",
            resource(instance, name),
            format!(
                "{name} still has a certificate of {}, which expired in {} on {}.",
                row.ca,
                case.region(),
                day.date()
            ),
        )
        .fact("DescribeDBInstances", format!("CACertificateIdentifier is {}", row.ca))
        .proof(
            ProofKind::Date,
            &row.provenance.source,
            format!("{} expired on {} in {}", row.ca, day.date(), case.region()),
        )
    } else if let Some(day) = valid_till.filter(|day| *day <= case.now()) {
        Finding::new(
            "DB03",
            resource(instance, name),
            format!("The certificate of {name} expired on {}.", day.date()),
        )
        .fact("DescribeDBInstances", format!("CertificateDetails.ValidTill is {day}"))
    } else {
        return Ok(Vec::new());
    };
    Ok(vec![with_new_certificate(weighed(finding, case, &database), instance)])
}

fn resource(instance: &DbInstance, name: &str) -> String {
    instance.db_instance_arn.clone().unwrap_or_else(|| name.to_owned())
}

/// Where TLS is not asked for, a function falls back to a plain connection.
fn weighed(finding: Finding, case: &Case<'_>, database: &SecretDatabase<'_>) -> Finding {
    let shapes = case.secret_shape();
    let ssl = shapes
        .if_known()
        .and_then(|by_stage| by_stage.get("AWSCURRENT")?.text("ssl"))
        .filter(|ssl| ssl.eq_ignore_ascii_case("true"));
    // Unseen parameters only leave the weight lower: the certificate is proven.
    let setting = asked(case, database, "tls").ok().flatten();
    let finding = finding.fact(database.source(), &database.how);
    match (setting, ssl) {
        (Some(setting), _) => setting.prove(finding.severity(Severity::Error)),
        (None, Some(_)) => {
            finding.severity(Severity::Error).fact("GetSecretValue", "the secret's ssl is true")
        }
        (None, None) => finding.severity(Severity::Warning),
    }
}

fn with_new_certificate(finding: Finding, instance: &DbInstance) -> Finding {
    let identifier =
        || Argument::or_placeholder(instance.db_instance_identifier.as_deref(), "DATABASE");
    finding
        .fix(
            "Give the instance a certificate of a current authority (it may restart).",
            [on_database(DatabaseOperation::Modify, false, identifier())
                .option("--ca-certificate-identifier", "rds-ca-rsa2048-g1")
                .flag("--apply-immediately")],
        )
        .confirm(
            on_database(DatabaseOperation::Describe, false, identifier())
                .option("--query", "DBInstances[0].CertificateDetails"),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks},
    };

    fn bundle(region: &str, ca: &str, till: &str, force_ssl: &str) -> Value {
        json!({"Region": region, "DBClusters": [], "DBInstances": [
            {"DBInstanceIdentifier": "orders", "Engine": "postgres", "EngineVersion": "13.4",
                "CACertificateIdentifier": ca, "CertificateDetails": {"ValidTill": till}}],
            "DBParameters": [{"ParameterName": "rds.force_ssl", "ParameterValue": force_ssl}]})
    }

    #[test]
    fn an_expired_authority_is_found_by_region() {
        let old = |region| bundle(region, "rds-ca-2019", "2061-01-01", "1");
        assert_eq!(codes(&judge(&CHECK, old("eu-west-1"))), ["DB20"]);
        assert!(codes(&judge(&CHECK, old("us-gov-west-1"))).is_empty());
        let mut before = old("eu-west-1");
        before["CapturedAt"] = json!("2024-08-01T00:00:00Z");
        assert!(codes(&judge(&CHECK, before)).is_empty());
    }

    #[test]
    fn an_expired_certificate_of_a_current_authority_is_found() {
        let expired = bundle("eu-west-1", "rds-ca-rsa2048-g1", "2026-01-01T00:00:00Z", "0");
        assert_eq!(codes(&judge(&CHECK, expired)), ["DB03"]);
        let valid = bundle("eu-west-1", "rds-ca-rsa2048-g1", "2027-01-01T00:00:00Z", "1");
        assert!(codes(&judge(&CHECK, valid)).is_empty());
    }

    #[test]
    fn it_stops_rotation_only_where_tls_is_asked_for() {
        let severity = |force_ssl| {
            let old = bundle("eu-west-1", "rds-ca-2019", "2024-08-22", force_ssl);
            judge(&CHECK, old).expect("findings")[0].severity
        };
        assert_eq!((severity("1"), severity("0")), (Severity::Error, Severity::Warning));
    }

    #[test]
    fn denied_instances_are_inconclusive_and_denied_parameters_are_not() {
        let mut gap = bundle("eu-west-1", "rds-ca-2019", "2024-08-22", "1");
        gap.as_object_mut().expect("object").remove("DBParameters");
        gap["Gaps"] = json!([{"Fact": "DBParameters", "Reason": "AccessDenied"}]);
        assert_eq!(codes(&judge(&CHECK, gap)), ["DB20"]);
        let gap = json!({"DBClusters": [{"DBClusterIdentifier": "shop"}],
            "SecretShape": {"AWSCURRENT": {"Keys": ["dbClusterIdentifier"], "Values": {"dbClusterIdentifier": "shop"}}},
            "Gaps": [{"Fact": "DBInstances", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::DBInstances));
    }
}
