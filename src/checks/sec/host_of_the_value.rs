//! SEC12, SEC13, SEC14: the value's host is not where passwords are set.

use super::{
    rds_endpoints::{RdsEndpoint, endpoints},
    stage_shape::shape,
};
use crate::{
    catalogue::{Severity, demands, engines},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{diagnose_value, edit_value, set_key, set_key_to_placeholder},
        db::{
            parameters::{ParameterSetting, asked},
            secret_database::{DATABASE_FACTS, SecretDatabase, secret_database},
        },
    },
    evidence::{Fact, StageShape},
};

const FACTS: [Fact; 7] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    [secret, shape, superuser, resources, instances, clusters, Fact::DBParameters]
};

pub(super) static CHECK: Check = Check {
    name: "host-of-the-value",
    question: "Is the value's host the writer endpoint of its database?",
    codes: &["SEC12", "SEC13", "SEC14"],
    facts: &FACTS,
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
        return Ok(vec![with_fix(case, proxy(case, &host))]);
    }
    if host.contains(names.reader_mark.as_str()) {
        return Ok(vec![with_fix(
            case,
            reader(case, value, &host, "the name of a reader endpoint"),
        )]);
    }
    let endpoints = endpoints(case)?;
    if let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.is_at(&host)) {
        if endpoint.reader {
            let kind =
                if endpoint.cluster { "reader endpoint of cluster" } else { "read-only instance" };
            let proof = format!("{kind} {}", endpoint.identifier);
            return Ok(vec![with_fix(case, reader(case, value, &host, &proof))]);
        }
        return Ok(vec![]);
    }
    if names.is_of_aws(&host) {
        return Ok(vec![]);
    }
    // A name of one's own is a fault only where it stands for a database of RDS,
    // which nothing but the value's identifier can say.
    let identifiers: Vec<_> = ["dbInstanceIdentifier", "dbClusterIdentifier"]
        .iter()
        .filter_map(|key| value.text(key))
        .collect();
    let is_named = |endpoint: &RdsEndpoint<'_>| {
        identifiers.iter().any(|id| id.eq_ignore_ascii_case(endpoint.identifier))
    };
    if !endpoints.iter().any(is_named) {
        return Err(Stop::not_applicable(
            "nothing says that the value's host is a database of RDS",
        ));
    }
    let database = secret_database(case)?;
    Ok(alias(case, value, &host, &database)
        .map(|finding| with_fix(case, finding))
        .into_iter()
        .collect())
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
fn alias(
    case: &Case<'_>,
    value: &StageShape,
    host: &str,
    database: &SecretDatabase<'_>,
) -> Option<Finding> {
    // Unknown where the parameters were not seen, or are not what decides it.
    let setting = asked(case, database, "tls")
        .ok()
        .filter(|_| demands("tls", database.engine()).next().is_some());
    let insists = setting.as_ref().map(Option::is_some);
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
    .on(if certain { Basis::State } else { Basis::Indication })
    .fact("GetSecretValue AWSCURRENT", format!("host: {host}"))
    .fact(database.source(), format!("{}: {}", database.label(), database.how));
    Some(match setting.flatten() {
        Some(setting) => ParameterSetting::prove(&setting, finding),
        None => finding,
    })
}

fn with_fix(case: &Case<'_>, finding: Finding) -> Finding {
    let database = secret_database(case).ok().filter(|database| !database.assumed);
    let host = database.and_then(|one| writer(case, &one));
    let (host, program) = match host {
        Some(host) => (host, set_key("host", host)),
        None => ("WRITER_ENDPOINT", set_key_to_placeholder("host", "WRITER_ENDPOINT")),
    };
    finding
        .fix(
            format!(
                "Store the writer endpoint {host} as host; applications that want another one can \
                 read it from a key of their own."
            ),
            [edit_value(case, program)],
        )
        .confirm(diagnose_value(case))
}

/// The writer endpoint of the secret's own database; none where that was not
/// seen, since another's would point the secret at another database.
fn writer<'c>(case: &'c Case<'_>, database: &SecretDatabase<'c>) -> Option<&'c str> {
    let (instances, clusters) = (case.db_instances(), case.db_clusters());
    let instances = instances.if_known().map_or(&[][..], Vec::as_slice);
    let clusters = clusters.if_known().map_or(&[][..], Vec::as_slice);
    let mut instance = database.instance;
    if database.cluster.is_none()
        && let Some(source) =
            instance.and_then(|one| one.read_replica_source_db_instance_identifier.as_deref())
    {
        instance = instances.iter().find(|one| {
            [&one.db_instance_identifier, &one.db_instance_arn]
                .iter()
                .any(|id| id.as_deref() == Some(source))
        });
        // A replica of a replica takes reads only, too.
        instance = instance.filter(|one| one.read_replica_source_db_instance_identifier.is_none());
    }
    let cluster = database.cluster.or_else(|| {
        let id = instance?.db_instance_identifier.as_deref();
        clusters.iter().find(|cluster| {
            let mut members = cluster.db_cluster_members.iter();
            id.is_some() && members.any(|member| member.db_instance_identifier.as_deref() == id)
        })
    });
    match cluster {
        Some(cluster) => cluster.endpoint.as_deref(),
        None => instance?.endpoint.as_ref()?.address.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    const WRITER: &str = "db.abc.eu-west-1.rds.amazonaws.com";

    fn bundle(host: &str) -> Value {
        json!({"Secret": {"Name": "app"},
            "SecretShape": {"AWSCURRENT": {"Keys": ["host"], "Values": {"host": host, "dbInstanceIdentifier": "db"}}},
            "DBInstances": [
                {"DBInstanceIdentifier": "db", "Engine": "postgres", "EngineVersion": "13.4",
                 "DBParameterGroups": [{"DBParameterGroupName": "own"}],
                 "Endpoint": {"Address": WRITER, "Port": 5432}},
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
        assert!(found[0].fixes[0].lines()[0].contains(WRITER));
        own["DBParameters"] = json!([{"DBParameterGroupName": "another",
            "ParameterName": "rds.force_ssl", "ParameterValue": "1"}]);
        assert_eq!(judge(&CHECK, own.clone()).expect("findings")[0].severity, Severity::Warning);
        own["DBParameters"][0]["DBParameterGroupName"] = json!("own");
        assert_eq!(judge(&CHECK, own.clone()).expect("findings")[0].severity, Severity::Error);
        own["DBParameters"][0]["ParameterValue"] = json!("0");
        own["SecretShape"]["AWSCURRENT"]["Values"]["ssl"] = json!(false);
        assert!(codes(&judge(&CHECK, own.clone())).is_empty());
        own["SecretShape"]["AWSCURRENT"]["Values"]["ssl"] = json!(true);
        let mut unnamed = own.clone();
        unnamed["SecretShape"]["AWSCURRENT"]["Values"]["dbInstanceIdentifier"] = json!(null);
        assert!(not_applicable(&judge(&CHECK, unnamed)), "it may be a database outside RDS");
        own["DBInstances"] = json!([]);
        assert!(not_applicable(&judge(&CHECK, own)), "a database outside RDS has any name");
    }

    #[test]
    fn the_writer_put_in_is_never_another_databases() {
        let cluster = |name: &str| {
            json!({"DBClusterIdentifier": name,
                "Endpoint": format!("{name}.cluster-abc.eu-west-1.rds.amazonaws.com"),
                "ReaderEndpoint": format!("{name}.cluster-ro-abc.eu-west-1.rds.amazonaws.com"),
                "DBClusterMembers": [{"DBInstanceIdentifier": format!("{name}-2"), "IsClusterWriter": false}]})
        };
        let member = "shop-2.abc.eu-west-1.rds.amazonaws.com";
        let command = |host: &str| {
            let mut several = bundle(host);
            several["DBClusters"] = json!([cluster("blog"), cluster("shop")]);
            several["DBInstances"] =
                json!([{"DBInstanceIdentifier": "shop-2", "Endpoint": {"Address": member}}]);
            several["SecretShape"]["AWSCURRENT"]["Values"] = json!({"host": host});
            let found = judge(&CHECK, several).expect("findings");
            found[0].fixes[0].lines()[0].clone()
        };
        let writer = "\"shop.cluster-abc.eu-west-1.rds.amazonaws.com\"";
        for host in ["shop.cluster-ro-abc.eu-west-1.rds.amazonaws.com", member] {
            assert!(command(host).contains(writer), "{}", command(host));
        }
        let unseen = command("other.cluster-ro-abc.eu-west-1.rds.amazonaws.com");
        assert!(unseen.contains("\"WRITER_ENDPOINT\""), "{unseen}");
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
