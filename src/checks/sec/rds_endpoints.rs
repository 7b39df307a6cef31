//! The endpoints of RDS instances and clusters that the evidence holds, which the
//! host of a secret's value is compared with.

use crate::checks::{Case, Stop};

/// An endpoint of RDS.
#[derive(Debug)]
pub(super) struct RdsEndpoint<'a> {
    /// Identifier of the instance or cluster.
    pub(super) identifier: &'a str,
    /// Whether it is a cluster.
    pub(super) cluster: bool,
    /// Whether it takes reads only.
    pub(super) reader: bool,
    /// Host name.
    pub(super) address: &'a str,
    /// Port.
    pub(super) port: Option<i64>,
}

impl RdsEndpoint<'_> {
    /// Whether a host names it.
    pub(super) fn is_at(&self, host: &str) -> bool {
        self.address.eq_ignore_ascii_case(host.trim_end_matches('.'))
    }
}

/// Every endpoint of the instances and clusters seen.
///
/// # Errors
/// Inconclusive where either list was not seen.
pub(super) fn endpoints<'c>(case: &'c Case<'_>) -> Result<Vec<RdsEndpoint<'c>>, Stop> {
    let (instances, clusters) = (case.db_instances(), case.db_clusters());
    let missing: Vec<_> = [
        instances.is_unseen().then(|| instances.missing()),
        clusters.is_unseen().then(|| clusters.missing()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !missing.is_empty() {
        return Err(Stop::Inconclusive(missing));
    }
    let clusters = clusters.or_absent()?.map_or(&[][..], Vec::as_slice);
    let is_reader_of_cluster = |id: Option<&str>| {
        clusters.iter().flat_map(|cluster| &cluster.db_cluster_members).any(|m| {
            m.db_instance_identifier.as_deref() == id && m.is_cluster_writer == Some(false)
        })
    };
    let mut found = Vec::new();
    for instance in instances.or_absent()?.into_iter().flatten() {
        let Some(endpoint) = &instance.endpoint else { continue };
        let identifier = instance.db_instance_identifier.as_deref();
        found.extend(endpoint.address.as_deref().map(|address| RdsEndpoint {
            identifier: identifier.unwrap_or_default(),
            cluster: false,
            reader: instance.read_replica_source_db_instance_identifier.is_some()
                || is_reader_of_cluster(identifier),
            address,
            port: endpoint.port,
        }));
    }
    for cluster in clusters {
        let ends = [(&cluster.endpoint, false), (&cluster.reader_endpoint, true)];
        found.extend(ends.into_iter().filter_map(|(address, reader)| {
            Some(RdsEndpoint {
                identifier: cluster.db_cluster_identifier.as_deref().unwrap_or_default(),
                cluster: true,
                reader,
                address: address.as_deref()?,
                port: cluster.port,
            })
        }));
    }
    Ok(found)
}
