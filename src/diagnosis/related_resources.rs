//! The resources that a secret's rotation depends on, by every name that an event may
//! use: its function, role, database, network, keys and stack.

use serde_json::Value;

use crate::{aws::arn, catalogue::Thing, checks::Case, evidence::Evidence};

/// The resources that this rotation depends on, by every name that is known of them.
pub(super) struct RelatedResources {
    names: Vec<(Thing, String)>,
}

/// Prefixes of the ids of route targets.
const GATEWAYS: &[&str] = &["nat-", "igw-", "eigw-", "pcx-", "tgw-", "vgw-", "vpce-"];

impl RelatedResources {
    /// Those of the case.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let evidence = case.evidence();
        let mut related = Self { names: Vec::new() };
        related.add_function(evidence);
        related.add_keys(evidence);
        related.add_database(case);
        related.add_network(evidence);
        if let Some(stack) = evidence.stack.known() {
            related.add(Thing::Stack, stack.stack_name.as_deref());
            related.add(Thing::Stack, stack.stack_id.as_deref());
        }
        related
    }

    /// The first of these resources that a request names.
    pub(super) fn named_in(&self, request: &Value, of: &[Thing]) -> Option<&str> {
        match request {
            Value::String(text) => self
                .names
                .iter()
                .find(|(thing, name)| of.contains(thing) && name.eq_ignore_ascii_case(text))
                .map(|(_, name)| name.as_str()),
            Value::Array(all) => all.iter().find_map(|one| self.named_in(one, of)),
            Value::Object(all) => all.values().find_map(|one| self.named_in(one, of)),
            _ => None,
        }
    }

    fn add(&mut self, thing: Thing, name: Option<&str>) {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return };
        if !self.has(thing, name) {
            self.names.push((thing, name.to_owned()));
        }
    }

    fn has(&self, thing: Thing, name: &str) -> bool {
        self.names.iter().any(|(of, known)| *of == thing && known == name)
    }

    fn add_function(&mut self, evidence: &Evidence) {
        let arn = evidence.secret.known().and_then(|secret| secret.rotation_lambda_arn.as_deref());
        let configuration = evidence.function.known().map(|function| &function.configuration);
        let arns = [arn, configuration.and_then(|function| function.function_arn.as_deref())];
        for arn in arns.into_iter().flatten() {
            self.add(Thing::Function, Some(arn));
            self.add(Thing::Function, arn::function_name(arn));
            // Calls name the function without its alias or version.
            self.add(Thing::Function, Some(arn::unqualified(arn)));
        }
        let Some(configuration) = configuration else { return };
        self.add(Thing::Function, configuration.function_name.as_deref());
        let role = configuration.role.as_deref();
        self.add(Thing::Role, role);
        self.add(Thing::Role, role.map(arn::role_name));
        for policy in evidence.attached_policies.known().into_iter().flatten() {
            self.add(Thing::Policy, policy.policy_arn.as_deref());
        }
    }

    fn add_keys(&mut self, evidence: &Evidence) {
        let secrets = [evidence.secret.known(), evidence.superuser_secret.known()];
        let keys = secrets.into_iter().flatten().filter_map(|secret| secret.kms_key_id.as_deref());
        let own: Vec<&str> = keys.collect();
        for (arn, key) in &evidence.keys {
            let metadata = key.key_metadata.known();
            let id = metadata.and_then(|metadata| metadata.key_id.as_deref());
            let is_own = own.iter().any(|own| *own == arn || Some(*own) == id);
            if is_own {
                self.add(Thing::Key, id);
                self.add(Thing::Key, metadata.and_then(|metadata| metadata.arn.as_deref()));
            }
        }
        for key in own {
            self.add(Thing::Key, Some(key));
            self.add(Thing::Key, key.split_once(":key/").map(|(_, id)| id));
        }
    }

    fn add_database(&mut self, case: &Case<'_>) {
        let Some((instance, cluster)) = crate::checks::database_of(case) else { return };
        if let Some(cluster) = cluster {
            self.add(Thing::Database, cluster.db_cluster_identifier.as_deref());
            self.add(Thing::Database, cluster.db_cluster_arn.as_deref());
            self.add(Thing::ParameterGroup, cluster.db_cluster_parameter_group.as_deref());
            for group in &cluster.vpc_security_groups {
                self.add(Thing::SecurityGroup, group.vpc_security_group_id.as_deref());
            }
        }
        if let Some(instance) = instance {
            self.add(Thing::Database, instance.db_instance_identifier.as_deref());
            self.add(Thing::Database, instance.db_instance_arn.as_deref());
            for group in &instance.db_parameter_groups {
                self.add(Thing::ParameterGroup, group.db_parameter_group_name.as_deref());
            }
            for group in &instance.vpc_security_groups {
                self.add(Thing::SecurityGroup, group.vpc_security_group_id.as_deref());
            }
            let subnets = instance.db_subnet_group.iter().flat_map(|group| &group.subnets);
            for subnet in subnets {
                self.add(Thing::Network, subnet.subnet_identifier.as_deref());
            }
        }
    }

    fn add_network(&mut self, evidence: &Evidence) {
        let function = evidence.function.known();
        let Some(vpc) = function.and_then(|f| f.configuration.vpc_config.as_ref()) else { return };
        for group in &vpc.security_group_ids {
            self.add(Thing::SecurityGroup, Some(group));
        }
        for subnet in &vpc.subnet_ids {
            self.add(Thing::Network, Some(subnet));
        }
        self.add(Thing::Network, vpc.vpc_id.as_deref());
        let home = vpc.vpc_id.as_deref();
        for endpoint in evidence.vpc_endpoints.known().into_iter().flatten() {
            if endpoint.vpc_id.as_deref() == home {
                self.add(Thing::Network, endpoint.vpc_endpoint_id.as_deref());
                for group in &endpoint.groups {
                    self.add(Thing::SecurityGroup, group.group_id.as_deref());
                }
            }
        }
        for acl in evidence.network_acls.known().into_iter().flatten() {
            let mut subnets = acl.associations.iter().filter_map(|one| one.subnet_id.as_deref());
            if subnets.any(|subnet| self.has(Thing::Network, subnet)) {
                self.add(Thing::Network, acl.network_acl_id.as_deref());
            }
        }
        for table in evidence.route_tables.known().into_iter().flatten() {
            let serves = table.associations.iter().any(|one| {
                let main = one.main == Some(true) && table.vpc_id.as_deref() == home;
                main || one.subnet_id.as_deref().is_some_and(|id| self.has(Thing::Network, id))
            });
            if serves {
                self.add(Thing::Network, table.route_table_id.as_deref());
                let routes = serde_json::to_value(&table.routes).unwrap_or_default();
                self.add_gateways(&routes);
            }
        }
    }

    /// The targets of routes: a route names a deleted one for a while.
    fn add_gateways(&mut self, routes: &Value) {
        match routes {
            Value::String(id) if GATEWAYS.iter().any(|prefix| id.starts_with(prefix)) => {
                self.add(Thing::Network, Some(id));
            }
            Value::Array(all) => all.iter().for_each(|one| self.add_gateways(one)),
            Value::Object(all) => all.values().for_each(|one| self.add_gateways(one)),
            _ => {}
        }
    }
}
