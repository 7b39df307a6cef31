//! The network of a world: a VPC whose private subnets reach the internet through
//! a NAT gateway, subnets for the database, and a security group for each of the
//! two. A world begins with an open way; a test closes it.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, DomainType, IpPermission, IpRange, PortRange, RuleAction,
    UserIdGroupPair, VpcEndpointType,
};

use super::Cloud;
use crate::support::run::REGION;

/// All addresses of the VPC.
const VPC: &str = "10.20.0.0/16";
const ANYWHERE: &str = "0.0.0.0/0";

/// What the function and the database stand on.
pub(crate) struct Network {
    vpc: String,
    /// Where the function's interfaces are.
    pub(crate) subnets: [String; 2],
    pub(crate) database_subnets: [String; 2],
    /// Routes of the function's subnets.
    pub(crate) private_table: String,
    pub(crate) function_group: String,
    pub(crate) database_group: String,
    internet_gateway: String,
    tag: String,
}

impl Network {
    pub(super) fn make(cloud: &Cloud, tag: &str) -> Self {
        let vpc = vpc(cloud);
        let subnet = |block: &str, zone: &str| subnet(cloud, &vpc, block, zone);
        let subnets = [subnet("10.20.1.0/24", "a"), subnet("10.20.2.0/24", "b")];
        let database_subnets = [subnet("10.20.11.0/24", "a"), subnet("10.20.12.0/24", "b")];
        let public_subnet = subnet("10.20.0.0/24", "a");
        let function_group = group(cloud, &vpc, &format!("{tag}-function"));
        let database_group = group(cloud, &vpc, &format!("{tag}-database"));
        let internet_gateway = internet_gateway(cloud, &vpc);
        let public_table = table(cloud, &vpc, &[&public_subnet]);
        let private_table = table(cloud, &vpc, &[&subnets[0], &subnets[1]]);
        cloud.wait(default_route(cloud, &public_table).gateway_id(&internet_gateway).send());
        let nat = nat_gateway(cloud, &public_subnet);
        cloud.wait(default_route(cloud, &private_table).nat_gateway_id(nat).send());
        let tag = tag.to_owned();
        let made = Self {
            vpc,
            subnets,
            database_subnets,
            private_table,
            function_group,
            database_group,
            internet_gateway,
            tag,
        };
        let admit = cloud.network().authorize_security_group_ingress();
        let admit = admit.group_id(&made.database_group).ip_permissions(made.database_rule());
        cloud.wait(admit.send());
        made
    }

    fn database_rule(&self) -> IpPermission {
        let from = UserIdGroupPair::builder().group_id(&self.function_group).build();
        tcp(5432).user_id_group_pairs(from).build()
    }

    /// The database's group admits nobody any more.
    pub(crate) fn close_database_group(&self, cloud: &Cloud) {
        let revoke = cloud.network().revoke_security_group_ingress();
        let revoke = revoke.group_id(&self.database_group).ip_permissions(self.database_rule());
        cloud.wait(revoke.send());
    }

    /// The private subnets lose their way to the internet.
    pub(crate) fn without_way_out(&self, cloud: &Cloud) {
        let delete = cloud.network().delete_route().route_table_id(&self.private_table);
        cloud.wait(delete.destination_cidr_block(ANYWHERE).send());
    }

    /// The private subnets become public ones: their default route leads to the
    /// internet gateway.
    pub(crate) fn made_public(&self, cloud: &Cloud) {
        self.without_way_out(cloud);
        let route = default_route(cloud, &self.private_table).gateway_id(&self.internet_gateway);
        cloud.wait(route.send());
    }

    /// The function's group lets out nothing but TCP to this port.
    pub(crate) fn function_egress_only(&self, cloud: &Cloud, port: i32) {
        let all = IpPermission::builder().ip_protocol("-1");
        let all = all.ip_ranges(IpRange::builder().cidr_ip(ANYWHERE).build()).build();
        let revoke = cloud.network().revoke_security_group_egress();
        cloud.wait(revoke.group_id(&self.function_group).ip_permissions(all).send());
        let to = IpRange::builder().cidr_ip(ANYWHERE).build();
        let allow = cloud.network().authorize_security_group_egress();
        let allow = allow.group_id(&self.function_group);
        cloud.wait(allow.ip_permissions(tcp(port).ip_ranges(to).build()).send());
    }

    /// An ACL for these subnets that admits TCP to those ports only, and lets all out.
    pub(crate) fn acl(&self, cloud: &Cloud, subnets: &[String], inbound: &[(i32, i32)]) {
        let ec2 = cloud.network();
        let made = cloud.wait(ec2.create_network_acl().vpc_id(&self.vpc).send()).network_acl;
        let acl = made.and_then(|acl| acl.network_acl_id).expect("an ACL has an id");
        for (egress, ranges) in [(false, inbound), (true, &[(0, 65535)][..])] {
            for (index, (from, to)) in ranges.iter().enumerate() {
                let number = 100 + 10 * i32::try_from(index).expect("few rules");
                let entry = ec2
                    .create_network_acl_entry()
                    .network_acl_id(&acl)
                    .egress(egress)
                    .rule_number(number)
                    .protocol("6")
                    .rule_action(RuleAction::Allow)
                    .cidr_block(ANYWHERE)
                    .port_range(PortRange::builder().from(*from).to(*to).build());
                cloud.wait(entry.send());
            }
        }
        let all = cloud.wait(ec2.describe_network_acls().send()).network_acls.unwrap_or_default();
        let associations = all.into_iter().flat_map(|acl| acl.associations.unwrap_or_default());
        for association in associations {
            if association
                .subnet_id
                .as_deref()
                .is_some_and(|id| subnets.iter().any(|subnet| subnet == id))
            {
                let id = association.network_acl_association_id.expect("an association has an id");
                let replace = ec2.replace_network_acl_association().association_id(id);
                cloud.wait(replace.network_acl_id(&acl).send());
            }
        }
    }

    /// An interface endpoint for Secrets Manager in this VPC, behind a group that
    /// admits those addresses; none where nothing is told.
    pub(crate) fn endpoint(
        &self,
        cloud: &Cloud,
        private_dns: bool,
        admits: Option<&str>,
        policy: Option<String>,
    ) -> String {
        self.endpoint_in(cloud, &self.vpc, &self.subnets, private_dns, admits, policy)
    }

    /// An endpoint that stands in another VPC than the function.
    pub(crate) fn endpoint_elsewhere(&self, cloud: &Cloud) -> String {
        let vpc = vpc(cloud);
        let subnets = [subnet(cloud, &vpc, "10.20.1.0/24", "a")];
        self.endpoint_in(cloud, &vpc, &subnets, true, Some(VPC), None)
    }

    fn endpoint_in(
        &self,
        cloud: &Cloud,
        vpc: &str,
        subnets: &[String],
        private_dns: bool,
        admits: Option<&str>,
        policy: Option<String>,
    ) -> String {
        let ec2 = cloud.network();
        let group = group(cloud, vpc, &format!("{}-endpoint", self.tag));
        if let Some(block) = admits {
            let from = IpRange::builder().cidr_ip(block).build();
            let admit = ec2.authorize_security_group_ingress().group_id(&group);
            cloud.wait(admit.ip_permissions(tcp(443).ip_ranges(from).build()).send());
        }
        let endpoint = ec2
            .create_vpc_endpoint()
            .vpc_id(vpc)
            .vpc_endpoint_type(VpcEndpointType::Interface)
            .service_name(format!("com.amazonaws.{REGION}.secretsmanager"))
            .set_subnet_ids(Some(subnets.to_vec()))
            .security_group_ids(group)
            .set_policy_document(policy)
            .private_dns_enabled(private_dns);
        let made = cloud.wait(endpoint.send()).vpc_endpoint;
        made.and_then(|endpoint| endpoint.vpc_endpoint_id).expect("an endpoint has an id")
    }

    /// Another VPC with two subnets, to which no route leads: its subnets and a
    /// group that admits all.
    pub(crate) fn elsewhere(&self, cloud: &Cloud) -> (Vec<String>, String) {
        let vpc = vpc_of(cloud, "10.99.0.0/16");
        let subnets = [("10.99.1.0/24", "a"), ("10.99.2.0/24", "b")];
        let subnets = subnets.map(|(block, zone)| subnet(cloud, &vpc, block, zone)).to_vec();
        let group = group(cloud, &vpc, &format!("{}-elsewhere", self.tag));
        let from = IpRange::builder().cidr_ip(ANYWHERE).build();
        let admit = cloud.network().authorize_security_group_ingress().group_id(&group);
        cloud.wait(admit.ip_permissions(tcp(5432).ip_ranges(from).build()).send());
        (subnets, group)
    }
}

fn default_route(
    cloud: &Cloud,
    table: &str,
) -> aws_sdk_ec2::operation::create_route::builders::CreateRouteFluentBuilder {
    cloud.network().create_route().route_table_id(table).destination_cidr_block(ANYWHERE)
}

fn tcp(port: i32) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port)
}

fn vpc(cloud: &Cloud) -> String {
    vpc_of(cloud, VPC)
}

fn vpc_of(cloud: &Cloud, block: &str) -> String {
    let ec2 = cloud.network();
    let vpc = cloud.wait(ec2.create_vpc().cidr_block(block).send()).vpc;
    let vpc = vpc.and_then(|vpc| vpc.vpc_id).expect("a VPC has an id");
    let yes = || AttributeBooleanValue::builder().value(true).build();
    let attribute = || ec2.modify_vpc_attribute().vpc_id(&vpc);
    cloud.wait(attribute().enable_dns_support(yes()).send());
    cloud.wait(attribute().enable_dns_hostnames(yes()).send());
    vpc
}

fn subnet(cloud: &Cloud, vpc: &str, block: &str, zone: &str) -> String {
    let create = cloud.network().create_subnet().vpc_id(vpc).cidr_block(block);
    let made = cloud.wait(create.availability_zone(format!("{REGION}{zone}")).send()).subnet;
    made.and_then(|subnet| subnet.subnet_id).expect("a subnet has an id")
}

fn group(cloud: &Cloud, vpc: &str, name: &str) -> String {
    let create = cloud.network().create_security_group().vpc_id(vpc).description(name);
    let made = cloud.wait(create.group_name(name).send());
    made.group_id.expect("a security group has an id")
}

fn internet_gateway(cloud: &Cloud, vpc: &str) -> String {
    let ec2 = cloud.network();
    let made = cloud.wait(ec2.create_internet_gateway().send()).internet_gateway;
    let id = made.and_then(|made| made.internet_gateway_id).expect("a gateway has an id");
    cloud.wait(ec2.attach_internet_gateway().internet_gateway_id(&id).vpc_id(vpc).send());
    id
}

fn table(cloud: &Cloud, vpc: &str, subnets: &[&String]) -> String {
    let ec2 = cloud.network();
    let made = cloud.wait(ec2.create_route_table().vpc_id(vpc).send()).route_table;
    let id = made.and_then(|table| table.route_table_id).expect("a route table has an id");
    for subnet in subnets {
        cloud.wait(ec2.associate_route_table().route_table_id(&id).subnet_id(*subnet).send());
    }
    id
}

fn nat_gateway(cloud: &Cloud, subnet: &str) -> String {
    let ec2 = cloud.network();
    let address = cloud.wait(ec2.allocate_address().domain(DomainType::Vpc).send());
    let address = address.allocation_id.expect("an elastic address has an id");
    let create = ec2.create_nat_gateway().subnet_id(subnet).allocation_id(address);
    let made = cloud.wait(create.send()).nat_gateway;
    made.and_then(|made| made.nat_gateway_id).expect("a NAT gateway has an id")
}
