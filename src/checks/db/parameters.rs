//! What the parameters of a database ask of its clients.

use super::secret_database::SecretDatabase;
use crate::{
    catalogue::{Trust, demands, parameter_default},
    checks::{Case, Finding, ProofKind, Stop},
};

/// A parameter's value, and what says so.
pub(in crate::checks) struct ParameterSetting {
    /// Parameter.
    pub(in crate::checks) name: String,
    /// Value.
    pub(in crate::checks) value: String,
    /// The parameter group, or the engine's default with its source.
    origin: SettingSource,
}

enum SettingSource {
    Group(String),
    Default { engine: String, major: u32, source: String, trust: Trust },
}

impl ParameterSetting {
    /// Whether it is only taken to be so: a default of the engine that AWS's
    /// documentation does not confirm, and not a value that was read.
    pub(in crate::checks) fn is_assumed(&self) -> bool {
        matches!(&self.origin, SettingSource::Default { trust: Trust::Recall, .. })
    }

    /// Adds itself to a finding's proofs.
    pub(in crate::checks) fn prove(&self, finding: Finding) -> Finding {
        let Self { name, value, origin } = self;
        match origin {
            SettingSource::Group(group) => {
                finding.fact("DescribeDBParameters", format!("{name} is {value} in {group}"))
            }
            SettingSource::Default { engine, major, source, trust } => {
                let usually = if *trust == Trust::Recall { "usually " } else { "" };
                let text = format!("{name} is {usually}{value} by default in {engine} {major}");
                finding.proof(ProofKind::Date, source, text)
            }
        }
    }
}

/// The setting with which a database asks for `demand` (a row of the catalogue,
/// such as `tls`); none where it does not. Reads `DBParameters`.
///
/// # Errors
/// Inconclusive where the engine has such parameters and they were not seen.
pub(in crate::checks) fn asked(
    case: &Case<'_>,
    database: &SecretDatabase<'_>,
    demand: &str,
) -> Result<Option<ParameterSetting>, Stop> {
    let engine = database.engine();
    let mut rows = demands(demand, engine).peekable();
    if rows.peek().is_none() {
        return Ok(None);
    }
    let known = case.db_parameters().or_absent()?.map_or(&[][..], Vec::as_slice);
    let groups = groups_of(database);
    for row in rows {
        let set = known
            .iter()
            .filter(|one| one.parameter_name.as_deref() == Some(row.parameter.as_str()))
            .filter(|one| {
                let group = one.db_parameter_group_name.as_deref();
                groups.is_empty() || group.is_none_or(|group| groups.contains(&group))
            })
            .find(|one| one.parameter_value.is_some());
        let setting = match set {
            Some(one) => Some(ParameterSetting {
                name: row.parameter.clone(),
                value: one.parameter_value.clone().unwrap_or_default(),
                origin: SettingSource::Group(
                    one.db_parameter_group_name
                        .clone()
                        .unwrap_or_else(|| "the parameter group".to_owned()),
                ),
            }),
            None => database.major().and_then(|major| {
                let default = parameter_default(&row.parameter, engine, major)?;
                Some(ParameterSetting {
                    name: row.parameter.clone(),
                    value: default.value.clone(),
                    origin: SettingSource::Default {
                        engine: engine.to_owned(),
                        major,
                        source: default.provenance.source.clone(),
                        trust: default.provenance.trust,
                    },
                })
            }),
        };
        if let Some(setting) =
            setting.filter(|setting| row.values.contains(&setting.value.to_lowercase()))
        {
            return Ok(Some(setting));
        }
    }
    Ok(None)
}

/// The parameter groups of the instance and of its cluster.
fn groups_of<'c>(database: &SecretDatabase<'c>) -> Vec<&'c str> {
    let instance = database.instance.map_or(&[][..], |one| one.db_parameter_groups.as_slice());
    instance
        .iter()
        .filter_map(|group| group.db_parameter_group_name.as_deref())
        .chain(database.cluster.and_then(|one| one.db_cluster_parameter_group.as_deref()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::asked;
    use crate::checks::{Case, Stop, db::secret_database::secret_database, testing::evidence};

    fn bundle(version: &str, parameters: Value) -> Value {
        json!({"DBClusters": [], "DBParameters": parameters, "DBInstances": [
            {"DBInstanceIdentifier": "orders", "Engine": "postgres", "EngineVersion": version,
                "DBParameterGroups": [{"DBParameterGroupName": "own"}]}]})
    }

    fn value(bundle: Value, demand: &str) -> Result<Option<String>, Stop> {
        let evidence = evidence(bundle);
        let case = Case::new(&evidence);
        let database = secret_database(&case).expect("database");
        Ok(asked(&case, &database, demand)?.map(|setting| setting.value))
    }

    fn set(group: &str, name: &str, value: &str) -> Value {
        json!([{"DBParameterGroupName": group, "ParameterName": name, "ParameterValue": value}])
    }

    #[test]
    fn the_group_of_the_database_decides() {
        let on = set("own", "rds.force_ssl", "1");
        assert_eq!(value(bundle("13.4", on), "tls"), Ok(Some("1".to_owned())));
        let other = set("another", "rds.force_ssl", "1");
        assert_eq!(value(bundle("13.4", other), "tls"), Ok(None));
        let off = set("own", "rds.force_ssl", "0");
        assert_eq!(value(bundle("16.1", off), "tls"), Ok(None));
    }

    #[test]
    fn where_it_is_not_set_the_default_holds() {
        let unset = || set("own", "shared_buffers", "1");
        assert_eq!(value(bundle("16.1", unset()), "tls"), Ok(Some("1".to_owned())));
        assert_eq!(value(bundle("13.4", unset()), "tls"), Ok(None));
        let scram = value(bundle("14.2", unset()), "scram");
        assert_eq!(scram, Ok(Some("scram-sha-256".to_owned())));
    }

    #[test]
    fn parameters_that_were_not_seen_are_inconclusive() {
        let mut gap = bundle("16.1", json!(null));
        gap.as_object_mut().expect("object").remove("DBParameters");
        gap["Gaps"] = json!([{"Fact": "DBParameters", "Reason": "AccessDenied"}]);
        assert!(matches!(value(gap, "tls"), Err(Stop::Inconclusive(_))));
    }
}
