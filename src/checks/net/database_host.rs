//! Which host and port the function dials to get to its database, and how that
//! is known.

use crate::{
    catalogue::{Effect, Engine, engines},
    checks::{
        Case, Stop,
        db::secret_database::{SecretDatabase, secret_database},
        vended_template::template,
    },
    evidence::{DbCluster, DbInstance, StageShape},
};

/// A host and port that the function dials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DatabaseHost {
    pub(super) host: String,
    pub(super) port: u16,
    /// What names it.
    pub(super) source: &'static str,
    pub(super) how: String,
    /// Whether that is only assumed.
    pub(super) assumed: bool,
}

/// The host of the case's database: as the caller names it, as the secret's
/// value names it, as the database that the secret belongs to has it, as the log
/// shows it, or that of the only database there is, or the only one in the
/// function's VPC with the engine that the function is for.
///
/// # Errors
/// Not applicable where nothing names a database, inconclusive where what
/// would name it was not seen.
pub(super) fn database_host(case: &Case<'_>) -> Result<DatabaseHost, Stop> {
    if let Some(named) = case.named_database() {
        return Ok(DatabaseHost {
            host: named.host.clone(),
            port: named.port,
            source: "--db",
            how: format!("{}:{} was named as the database", named.host, named.port),
            assumed: false,
        });
    }
    let shapes = case.secret_shape();
    let shape = shapes.if_known().and_then(|by_stage| by_stage.get("AWSCURRENT"));
    let named = shape.and_then(|shape| shape.text("host")).filter(|host| !host.is_empty());
    if let Some(host) = named {
        let written = shape.and_then(|shape| shape.text("port")?.trim().parse().ok());
        // A port that is not the database's is a fault of its own; the path is
        // judged for the one that is.
        let port = listening_port(case, &host).or(written).or_else(|| case_port(case));
        let port = port.ok_or_else(|| unknown_port(&host))?;
        let how = format!("the secret's host is {host}, port {port}");
        return Ok(DatabaseHost {
            host,
            port,
            source: "GetSecretValue AWSCURRENT",
            how,
            assumed: false,
        });
    }
    let database = secret_database(case);
    if let Ok(database) = &database
        && !database.assumed
        && let Some(found) = host_of(database)
    {
        return Ok(found);
    }
    if let Some(host) = logged_host(case) {
        let port = listening_port(case, &host).or_else(|| case_port(case));
        let port = port.ok_or_else(|| unknown_port(&host))?;
        let how = format!("the function logged in at {host}");
        return Ok(DatabaseHost { host, port, source: "rotation log", how, assumed: false });
    }
    let engine = wanted_engine(case, shape);
    let database = match database {
        // A value that was read names its host, or there is none to guess.
        Err(stop) if shape.is_none() => return only_database_in_vpc(case, engine).ok_or(stop),
        other => other?,
    };
    if let Some(engine) = engine.filter(|it| database.assumed && !is_of(it, database.engine())) {
        return Err(Stop::not_applicable(format!(
            "the only database that was seen, {}, is of engine {}, and the function is for {}",
            database.label(),
            database.engine(),
            engine.name
        )));
    }
    host_of(&database).ok_or_else(|| {
        Stop::not_applicable(format!("{} has no endpoint to connect to", database.label()))
    })
}

/// The engine that the secret or the function's template is for.
fn wanted_engine(case: &Case<'_>, shape: Option<&StageShape>) -> Option<&'static Engine> {
    let by_value = shape.and_then(|shape| shape.text("engine"));
    by_value
        .and_then(|name| engines().named(&name))
        .or_else(|| template(case).and_then(|template| template.engine()))
}

/// Whether an engine as RDS names it (`oracle-ee`) is that one; one that the
/// table does not know, such as `docdb`, may be.
fn is_of(engine: &Engine, name: &str) -> bool {
    let fits = |row: &&Engine| {
        let mut editions = row.accepts.iter().filter_map(|known| name.strip_prefix(known.as_str()));
        editions.any(|edition| edition.is_empty() || edition.starts_with('-'))
    };
    engines().all().iter().find(fits).is_none_or(|row| row.name == engine.name)
}

/// The only database in the function's VPC with the wanted engine.
fn only_database_in_vpc(case: &Case<'_>, engine: Option<&Engine>) -> Option<DatabaseHost> {
    let (instances, clusters) = (case.db_instances(), case.db_clusters());
    if instances.is_unseen() || clusters.is_unseen() {
        return None;
    }
    let vpc = case.function().if_known()?.configuration.vpc_config.as_ref()?.vpc_id.as_deref()?;
    let here = |one: &&DbInstance| {
        let own = one.db_subnet_group.as_ref().and_then(|group| group.vpc_id.as_deref());
        let fits = engine.is_none_or(|it| is_of(it, one.engine.as_deref().unwrap_or_default()));
        own.is_none_or(|own| own == vpc) && fits
    };
    let all: Vec<&DbInstance> = instances.if_known().into_iter().flatten().filter(here).collect();
    let whose = |one: &DbInstance| {
        one.db_cluster_identifier.clone().or_else(|| one.db_instance_identifier.clone())
    };
    let first = all.first()?;
    if all.iter().any(|one| whose(one) != whose(first)) {
        return None;
    }
    let cluster = clusters.if_known().into_iter().flatten().find(|one| {
        first.db_cluster_identifier.is_some()
            && one.db_cluster_identifier == first.db_cluster_identifier
    });
    let of_engine = engine.map(|it| format!(" of engine {}", it.name)).unwrap_or_default();
    let how = format!("it is the only database{of_engine} in {vpc}, the function's VPC");
    host_of(&SecretDatabase { instance: Some(*first), cluster, how, assumed: true })
}

fn unknown_port(host: &str) -> Stop {
    Stop::not_applicable(format!("no port is known for the database at {host}"))
}

fn host_of(database: &SecretDatabase<'_>) -> Option<DatabaseHost> {
    let (host, port) = match database.cluster {
        Some(cluster) => (cluster.endpoint.clone()?, cluster.port),
        None => {
            let endpoint = database.instance?.endpoint.as_ref()?;
            (endpoint.address.clone()?, endpoint.port)
        }
    };
    let own = || database.instance?.endpoint.as_ref()?.port;
    let port = u16::try_from(port.or_else(own)?).ok()?;
    let how = format!("{}: {}", database.label(), database.how);
    Some(DatabaseHost { host, port, source: database.source(), how, assumed: database.assumed })
}

/// The port of the database that the secret belongs to.
fn case_port(case: &Case<'_>) -> Option<u16> {
    host_of(&secret_database(case).ok()?).map(|found| found.port)
}

/// The port on which the database at a host listens, where it is one of RDS.
fn listening_port(case: &Case<'_>, host: &str) -> Option<u16> {
    let (instances, clusters) = (case.db_instances(), case.db_clusters());
    let of_cluster = clusters.if_known().into_iter().flatten().find_map(|cluster: &DbCluster| {
        let names = [&cluster.endpoint, &cluster.reader_endpoint];
        names
            .iter()
            .any(|name| name.as_deref().is_some_and(|n| same(n, host)))
            .then_some(cluster.port)?
    });
    let of_instance = instances.if_known().into_iter().flatten().find_map(|one: &DbInstance| {
        let endpoint = one.endpoint.as_ref()?;
        same(endpoint.address.as_deref()?, host).then_some(endpoint.port)?
    });
    u16::try_from(of_cluster.or(of_instance)?).ok()
}

/// Whether two host names are one.
pub(super) fn same(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.trim().trim_end_matches('.').to_ascii_lowercase();
    plain(a) == plain(b)
}

/// The host of the newest login that the log shows.
fn logged_host(case: &Case<'_>) -> Option<String> {
    let log = case.log();
    let runs = log.if_known()?.invocations.iter().rev();
    let mut lines = runs.flat_map(|run| {
        let logins = run.hits.iter().rev().filter(|hit| hit.text.effect == Effect::Login);
        logins.filter_map(|hit| run.lines.get(hit.line))
    });
    lines.find_map(|line| host_in(&line.text))
}

/// The host in `… with host: 'db.example.com'`.
fn host_in(line: &str) -> Option<String> {
    let (_, rest) = line.rsplit_once("host")?;
    let rest = rest.trim_start_matches([':', ' ', '\'', '"']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c)));
    let host = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
    (host.contains('.')).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DatabaseHost, database_host, host_in};
    use crate::checks::{Case, Stop, testing::evidence};

    fn found(bundle: serde_json::Value) -> Result<DatabaseHost, Stop> {
        let evidence = evidence(bundle);
        database_host(&Case::new(&evidence))
    }

    fn fleet() -> serde_json::Value {
        json!({"DBClusters": null, "DBInstances": [{"DBInstanceIdentifier": "orders",
            "Endpoint": {"Address": "orders.abc.eu-west-1.rds.amazonaws.com", "Port": 5433}}]})
    }

    #[test]
    fn the_value_names_the_host_and_the_database_its_port() {
        let mut bundle = fleet();
        bundle["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["host", "port"],
            "Values": {"host": "orders.abc.eu-west-1.rds.amazonaws.com", "port": 5432}}});
        let host = found(bundle).expect("host");
        assert_eq!((host.port, host.assumed), (5433, false));
        let elsewhere = json!({"SecretShape": {"AWSCURRENT": {"Keys": ["host", "port"],
            "Values": {"host": "db.example.com", "port": "3306"}}}});
        assert_eq!(found(elsewhere).expect("host").port, 3306);
    }

    #[test]
    fn the_only_database_is_an_assumption_and_none_is_no_question() {
        assert!(found(fleet()).expect("host").assumed);
        let none = json!({"DBInstances": [], "DBClusters": []});
        assert!(matches!(found(none), Err(Stop::NotApplicable(_))));
        assert!(matches!(found(json!({})), Err(Stop::Inconclusive(_))));
    }

    #[test]
    fn the_only_one_beside_the_function_with_its_engine_is_an_assumption() {
        let one = |id: &str, vpc: &str, engine: &str| {
            json!({"DBInstanceIdentifier": id, "Engine": engine, "DBSubnetGroup": {"VpcId": vpc},
                "Endpoint": {"Address": format!("{id}.abc.eu-west-1.rds.amazonaws.com"), "Port": 1}})
        };
        let template = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                        SecretsManagerRDSOracleRotationSingleUser";
        let mut bundle = json!({"DBClusters": [],
            "DBInstances": [one("far", "vpc-2", "oracle-ee"), one("other", "vpc-1", "mysql"),
                one("near", "vpc-1", "oracle-ee")],
            "Function": {"Configuration": {"VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}},
                "Tags": {"serverlessrepo:applicationId": template}}});
        let host = found(bundle.clone()).expect("host");
        assert_eq!((host.host.split('.').next(), host.assumed), (Some("near"), true));
        assert!(host.how.contains("only database of engine oracle in vpc-1"), "{}", host.how);
        let more = one("more", "vpc-1", "oracle-se2");
        bundle["DBInstances"].as_array_mut().expect("list").push(more);
        assert!(found(bundle.clone()).is_err(), "two are no guess");
        bundle["DBInstances"] = json!([one("other", "vpc-1", "mysql")]);
        assert!(matches!(found(bundle), Err(Stop::NotApplicable(_))), "of another engine");
    }

    #[test]
    fn what_the_caller_names_goes_first() {
        let mut bundle = fleet();
        bundle["Database"] = json!({"Host": "db.example.com", "Port": 6543});
        let host = found(bundle).expect("host");
        assert_eq!((host.host.as_str(), host.port, host.assumed), ("db.example.com", 6543, false));
    }

    #[test]
    fn the_log_names_the_host_of_a_login() {
        let line = "setSecret: Successfully established TLS/SSL connection as user 'app' with host: 'orders.abc.eu-west-1.rds.amazonaws.com'";
        assert_eq!(host_in(line).as_deref(), Some("orders.abc.eu-west-1.rds.amazonaws.com"));
        assert_eq!(host_in("with host: ''"), None);
        let mut two = fleet();
        let second = json!({"DBInstanceIdentifier": "other",
            "Endpoint": {"Address": "other.abc.eu-west-1.rds.amazonaws.com", "Port": 1}});
        two["DBInstances"].as_array_mut().expect("list").push(second);
        let log: Vec<_> = ["START RequestId: r1 Version: 1", line, "END RequestId: r1"]
            .iter()
            .enumerate()
            .map(|(at, message)| json!({"timestamp": 1_795_000_000_000_u64 + at as u64, "message": message}))
            .collect();
        two["LogEvents"] = json!(log);
        let host = found(two).expect("host");
        assert_eq!((host.port, host.source), (5433, "rotation log"));
    }
}
