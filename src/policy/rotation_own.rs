//! The requests of a rotation that are not about a secret: the database's
//! resource, the function's environment, its log, its network interfaces.
//!
//! Sources: Lambda Developer Guide, "Execution role" and "Giving Lambda
//! functions access to resources in an Amazon VPC".

use super::{
    arn::Arn,
    principal::Principal,
    request::Request,
    rotation::{Builder, Need, Purpose},
    rotation_key::KeyOf,
    surroundings::without_qualifier,
};

impl Builder<'_> {
    pub(super) fn database(&mut self, principal: &Principal) {
        let evidence = self.around.evidence;
        let managed = evidence
            .superuser_secret
            .known()
            .is_some_and(|secret| secret.owning_service.as_deref() == Some("rds"));
        let instances = evidence.db_instances.known().map(Vec::as_slice).unwrap_or_default();
        let clusters = evidence.db_clusters.known().map(Vec::as_slice).unwrap_or_default();
        // Only functions for alternating users look at the database's resource.
        if evidence.superuser_secret.known().is_none() {
            return;
        }
        let need = if managed { Need::Always } else { Need::Sometimes };
        let instances = instances.iter().map(|i| ("rds:DescribeDBInstances", &i.db_instance_arn));
        let clusters = clusters.iter().map(|c| ("rds:DescribeDBClusters", &c.db_cluster_arn));
        for (action, arn) in instances.chain(clusters) {
            let Some(arn) = arn else { continue };
            let account = Arn::read(arn).map(|arn| arn.account.to_owned());
            let mut context = self.around.context(account.as_deref());
            self.around.add_network(&mut context);
            for network in ["aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp", "aws:SourceIp"] {
                // The way to RDS is another one than the way to Secrets Manager.
                context.set_unknown(network);
            }
            let request = Request {
                principal: principal.clone(),
                action: action.to_owned(),
                resource: arn.clone(),
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
            context.set("lambda:SourceFunctionArn", without_qualifier(arn));
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
        let place = function.function_arn.as_deref().and_then(Arn::read);
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
        let place = function.function_arn.as_deref().and_then(Arn::read);
        let Some(place) = place.filter(|_| config.vpc_id.as_deref().is_some_and(|v| !v.is_empty()))
        else {
            return;
        };
        let arn = |kind: &str, id: &str| {
            format!("arn:{}:ec2:{}:{}:{kind}/{id}", place.partition, place.region, place.account)
        };
        let interface = arn("network-interface", "*");
        let subnet = config.subnet_ids.first().map(|id| arn("subnet", id));
        let group = config.security_group_ids.first().map(|id| arn("security-group", id));
        let made = [Some(interface.clone()), subnet, group].into_iter().flatten();
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
