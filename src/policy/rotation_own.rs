//! The requests of a rotation that are not about a secret: the database's
//! resource, the function's environment, its log, its network interfaces.
//!
//! Sources: Lambda Developer Guide, "Execution role" and "Giving Lambda
//! functions access to resources in an Amazon VPC".

use super::{
    principal::Principal,
    request::Request,
    rotation::{Builder, Need, Purpose},
    rotation_key::KeyOf,
};
use crate::aws::arn::{self, Arn};

/// How the templates look up the database of a secret that a service manages, by
/// the tag that the service puts on it: the call, and its resource where that is
/// not the tag's value.
fn lookups(tag: &str) -> &'static [(&'static str, Option<&'static str>)] {
    match tag.to_ascii_lowercase().as_str() {
        "aws:rds:primarydbinstancearn" => &[("rds:DescribeDBInstances", None)],
        "aws:rds:primarydbclusterarn" => &[("rds:DescribeDBClusters", None)],
        "aws:redshift:primaryclusterarn" => &[("redshift:DescribeClusters", None)],
        "aws:redshift-serverless:namespacearn" => &[
            ("redshift-serverless:ListNamespaces", Some("*")),
            ("redshift-serverless:ListWorkgroups", Some("*")),
        ],
        _ => &[],
    }
}

impl Builder<'_> {
    /// What a function for alternating users asks about the database: by the
    /// superuser's secret if a service manages it, else by RDS's list where the
    /// hosts of the two secrets differ.
    pub(super) fn database(&mut self, principal: &Principal) {
        let evidence = self.around.evidence;
        let Some(superuser) = evidence.superuser_secret.known() else { return };
        let managed = superuser.owning_service.is_some();
        let need = if managed { Need::Always } else { Need::Sometimes };
        let mut calls = Vec::new();
        for tag in superuser.tags.iter().filter(|_| managed) {
            let (Some(key), Some(value)) = (&tag.key, &tag.value) else { continue };
            calls.extend(lookups(key).iter().map(|(action, on)| (*action, on.unwrap_or(value))));
        }
        if calls.is_empty() {
            let instances = evidence.db_instances.known().into_iter().flatten();
            let clusters = evidence.db_clusters.known().into_iter().flatten();
            let instances = instances.map(|i| ("rds:DescribeDBInstances", &i.db_instance_arn));
            let clusters = clusters.map(|c| ("rds:DescribeDBClusters", &c.db_cluster_arn));
            let known = instances.chain(clusters);
            calls.extend(known.filter_map(|(action, arn)| Some((action, arn.as_deref()?))));
        }
        for (action, resource) in calls {
            let account = Arn::parse(resource).map(|arn| arn.account.to_owned());
            let mut context = self.around.context(account.as_deref());
            self.around.add_network(&mut context);
            for network in ["aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp", "aws:SourceIp"] {
                // Its path is another one than the path of Secrets Manager.
                context.set_unknown(network);
            }
            let request = Request {
                principal: principal.clone(),
                action: action.to_owned(),
                resource: resource.to_owned(),
                resource_account: account,
                context,
            };
            let layers = self.around.own_layers();
            self.push(Purpose::DescribeDatabase, need, request, layers);
        }
    }

    pub(super) fn environment(&mut self, principal: &Principal) {
        let Some(key) = self.around.function().and_then(|f| f.kms_key_arn.clone()) else { return };
        let (request, layers) =
            KeyOf::environment(&self.around, &key).ask(&self.around, principal, "kms:Decrypt");
        self.push(Purpose::DecryptEnvironment, Need::Always, request, layers);
    }

    /// A call that Lambda makes with the role, or the function's own log calls.
    fn ask_own(
        &mut self,
        principal: &Principal,
        purpose: Purpose,
        need: Need,
        call: (&str, String),
    ) {
        let mut context = self.around.context(principal.account());
        if need == Need::Logs
            && let Some(arn) = self.around.function().and_then(|f| f.function_arn.as_deref())
        {
            context.set("lambda:SourceFunctionArn", arn::unqualified(arn));
        }
        for unknown in ["aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:CalledVia"] {
            context.set_unknown(unknown);
        }
        let request = Request {
            principal: principal.clone(),
            action: call.0.to_owned(),
            resource: call.1,
            resource_account: None,
            context,
        };
        let layers = self.around.own_layers();
        self.push(purpose, need, request, layers);
    }

    pub(super) fn logs(&mut self, principal: &Principal) {
        let evidence = self.around.evidence;
        let Some(function) = self.around.function() else { return };
        let Some(group) = function.log_group() else { return };
        let place = function.function_arn.as_deref().and_then(Arn::parse);
        let Some(place) = place else { return };
        let group = format!(
            "arn:{}:logs:{}:{}:log-group:{group}",
            place.partition, place.region, place.account
        );
        // The group is made once, by whoever logs first.
        if evidence.log_group.known().is_none() {
            let call = ("logs:CreateLogGroup", format!("{group}:log-stream:"));
            self.ask_own(principal, Purpose::WriteLogs, Need::Logs, call);
        }
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            let call = (action, format!("{group}:log-stream:new"));
            self.ask_own(principal, Purpose::WriteLogs, Need::Logs, call);
        }
    }

    pub(super) fn interfaces(&mut self, principal: &Principal) {
        let Some(function) = self.around.function() else { return };
        let Some(config) = &function.vpc_config else { return };
        let place = function.function_arn.as_deref().and_then(Arn::parse);
        let Some(place) = place.filter(|_| config.vpc_id.as_deref().is_some_and(|v| !v.is_empty()))
        else {
            return;
        };
        let arn = |kind: &str, id: &str| {
            format!("arn:{}:ec2:{}:{}:{kind}/{id}", place.partition, place.region, place.account)
        };
        let interface = arn("network-interface", "*");
        let subnets = config.subnet_ids.iter().map(|id| arn("subnet", id));
        let groups = config.security_group_ids.iter().map(|id| arn("security-group", id));
        // In every subnet there is one, with all of the groups.
        let made = [interface.clone()].into_iter().chain(subnets).chain(groups);
        let mut calls: Vec<(&str, String)> =
            made.map(|resource| ("ec2:CreateNetworkInterface", resource)).collect();
        for action in ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"] {
            calls.push((action, "*".to_owned()));
        }
        for action in [
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ] {
            calls.push((action, interface.clone()));
        }
        for call in calls {
            self.ask_own(principal, Purpose::ManageNetworkInterfaces, Need::Interfaces, call);
        }
    }
}
