//! The table of facts: one row per fact, and nothing else keeps a list of facts.
//!
//! A row says how a bundle calls the fact, which field of [`Evidence`](super::Evidence)
//! holds it, which IAM actions reading it takes, what it belongs to, and how a file, an
//! audit of many secrets and the path engine treat it.

/// What a fact is about. An audit of many secrets reads each of these once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactOwner {
    /// One secret.
    Secret,
    /// One rotation function.
    Function,
    /// One execution role.
    Role,
    /// One KMS key.
    Key,
    /// The VPCs of the function and its database.
    Vpc,
    /// The databases of a region.
    Database,
    /// One CloudFormation stack.
    Stack,
    /// An account in a region.
    Account,
}

/// What a fact can be read from at the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactSource {
    /// A template or a plan can declare it.
    File,
    /// Only existing resources show it.
    Deployed,
    /// Only a rotation that is deployed and has run shows it.
    Run,
}

/// What a run has to be asked for before it reads a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptIn {
    /// Reading the secret's value.
    SecretValue,
    /// Simulating the role's policies.
    Simulation,
    /// Reading logs, in an audit of many secrets.
    Logs,
    /// One call about each secret, in an audit of many secrets.
    EachSecret,
}

/// How the parts of a fact are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactParts {
    /// It is one value, or a list that is known as a whole or not at all.
    Whole,
    /// It is a list; the items carry their ids under this key.
    ById(&'static str),
    /// It is a map by the id of a thing.
    ByKey,
    /// It is a map by the id of a VPC.
    ByVpc,
}

/// How a response of the AWS CLI wraps a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliWrapper {
    /// The response is the fact.
    None,
    /// The fact stands under this key.
    Key(&'static str),
    /// The fact is the first item of the list under this key.
    FirstOf(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FactRow {
    /// The fact.
    pub fact: Fact,
    /// Its name in a bundle and in a bundle's `Gaps`.
    pub name: &'static str,
    /// The IAM actions that reading it takes.
    pub actions: &'static [&'static str],
    /// What it belongs to.
    pub owner: FactOwner,
    /// What shows it.
    pub source: FactSource,
    /// What has to be asked for before it is read.
    pub opt_in: Option<OptIn>,
    /// Whether it is read for one secret at a time only, never in an audit of many.
    pub one_secret_only: bool,
    /// Whether a service, region or endpoint without the operation cannot have the thing
    /// either: the fact then counts as absent and not as unknown.
    pub absence_is_safe: bool,
    /// Whether the path engine reads it.
    pub decides_paths: bool,
    /// How its parts are identified.
    pub parts: FactParts,
    /// What the AWS CLI wraps around it.
    pub wrapper: CliWrapper,
}

impl FactRow {
    /// A fact that a file can declare and that is read in every run.
    const fn of(owner: FactOwner, actions: &'static [&'static str]) -> Self {
        Self {
            fact: Fact::Secret,
            name: "",
            actions,
            owner,
            source: FactSource::File,
            opt_in: None,
            one_secret_only: false,
            absence_is_safe: false,
            decides_paths: false,
            parts: FactParts::Whole,
            wrapper: CliWrapper::None,
        }
    }

    const fn named(mut self, fact: Fact, name: &'static str) -> Self {
        self.fact = fact;
        self.name = name;
        self
    }

    const fn only(mut self, source: FactSource) -> Self {
        self.source = source;
        self
    }

    const fn on_request(mut self, opt_in: OptIn) -> Self {
        self.opt_in = Some(opt_in);
        self
    }

    const fn for_one_secret(mut self) -> Self {
        self.one_secret_only = true;
        self
    }

    const fn absent_if_unsupported(mut self) -> Self {
        self.absence_is_safe = true;
        self
    }

    const fn for_paths(mut self) -> Self {
        self.decides_paths = true;
        self
    }

    const fn in_parts(mut self, parts: FactParts) -> Self {
        self.parts = parts;
        self
    }

    const fn wrapped(mut self, wrapper: CliWrapper) -> Self {
        self.wrapper = wrapper;
        self
    }
}

/// Hands the rows to a macro: `NAME (as "NAME")? in FIELD: TYPE, ROW;`. Those under
/// `evidence` are fields of [`Evidence`](super::Evidence), those under `keys` fields of
/// each [`Key`](super::Key) in it.
macro_rules! with_facts {
    ($then:ident) => {
        $then! {
            evidence {
                /// DescribeSecret.
                Secret in secret: Secret,
                    FactRow::of(FactOwner::Secret, &["secretsmanager:DescribeSecret"]);
                /// ListSecretVersionIds, deprecated versions included.
                SecretVersions in secret_versions: SecretVersions,
                    FactRow::of(FactOwner::Secret, &["secretsmanager:ListSecretVersionIds"])
                        .only(FactSource::Deployed).on_request(OptIn::EachSecret);
                /// By staging label, the shape of the value; only with `--read-secret`.
                SecretShape in secret_shape: BTreeMap<String, StageShape>,
                    FactRow::of(FactOwner::Secret, &["secretsmanager:GetSecretValue"])
                        .on_request(OptIn::SecretValue);
                /// GetResourcePolicy.
                SecretPolicy in secret_policy: PolicyDocument,
                    FactRow::of(FactOwner::Secret, &["secretsmanager:GetResourcePolicy"])
                        .on_request(OptIn::EachSecret).wrapped(CliWrapper::Key("ResourcePolicy"));
                /// DescribeSecret of the secret that `masterarn` names.
                SuperuserSecret in superuser_secret: Secret,
                    FactRow::of(FactOwner::Secret, &["secretsmanager:DescribeSecret"])
                        .on_request(OptIn::SecretValue);
                /// GetFunction.
                // Lambda leaves the tags out where the caller lacks lambda:ListTags (GetFunction
                // API reference).
                Function in function: Function,
                    FactRow::of(FactOwner::Function, &["lambda:GetFunction", "lambda:ListTags"])
                        .for_paths();
                /// Lambda GetPolicy of the qualifier in RotationLambdaARN.
                FunctionPolicy in function_policy: PolicyDocument,
                    FactRow::of(FactOwner::Function, &["lambda:GetPolicy"])
                        .wrapped(CliWrapper::Key("Policy"));
                /// What was read out of the deployment package.
                Package in package: Package,
                    FactRow::of(FactOwner::Function, &["lambda:GetFunction", "lambda:GetLayerVersion"])
                        .only(FactSource::Deployed);
                /// GetRole.
                Role in role: Role,
                    FactRow::of(FactOwner::Role, &["iam:GetRole"]).wrapped(CliWrapper::Key("Role"));
                /// Inline policies.
                RolePolicies in role_policies: Vec<RolePolicy>,
                    FactRow::of(FactOwner::Role, &["iam:ListRolePolicies", "iam:GetRolePolicy"]);
                /// Attached managed policies.
                AttachedPolicies in attached_policies: Vec<ManagedPolicy>,
                    FactRow::of(FactOwner::Role, &[
                        "iam:ListAttachedRolePolicies", "iam:GetPolicy", "iam:GetPolicyVersion",
                    ]);
                /// The permissions boundary's document.
                PermissionsBoundary in permissions_boundary: ManagedPolicy,
                    FactRow::of(FactOwner::Role, &[
                        "iam:GetRole", "iam:GetPolicy", "iam:GetPolicyVersion",
                    ]);
                /// SimulatePrincipalPolicy of the requests of a rotation; only with `--simulate`.
                Simulation in simulation: Vec<SimulatedRequest>,
                    FactRow::of(FactOwner::Role, &["iam:SimulatePrincipalPolicy"])
                        .only(FactSource::Run).on_request(OptIn::Simulation).for_one_secret();
                /// DescribeVpcs.
                Vpcs in vpcs: Vec<Vpc>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeVpcs"])
                        .for_paths().in_parts(FactParts::ById("VpcId")).wrapped(CliWrapper::Key("Vpcs"));
                /// DescribeVpcAttribute, by VPC id.
                VpcAttributes in vpc_attributes: BTreeMap<String, VpcAttributes>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeVpcAttribute"])
                        .for_paths().in_parts(FactParts::ByVpc);
                /// DescribeDhcpOptions.
                DhcpOptions in dhcp_options: Vec<DhcpOptions>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeDhcpOptions"])
                        .for_paths().in_parts(FactParts::ById("DhcpOptionsId"))
                        .wrapped(CliWrapper::Key("DhcpOptions"));
                /// DescribeSubnets.
                Subnets in subnets: Vec<Subnet>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeSubnets"])
                        .for_paths().in_parts(FactParts::ById("SubnetId"))
                        .wrapped(CliWrapper::Key("Subnets"));
                /// DescribeRouteTables.
                RouteTables in route_tables: Vec<RouteTable>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeRouteTables"])
                        .for_paths().in_parts(FactParts::ById("RouteTableId"))
                        .wrapped(CliWrapper::Key("RouteTables"));
                /// DescribeNetworkAcls.
                NetworkAcls in network_acls: Vec<NetworkAcl>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeNetworkAcls"])
                        .for_paths().in_parts(FactParts::ById("NetworkAclId"))
                        .wrapped(CliWrapper::Key("NetworkAcls"));
                /// DescribeSecurityGroups.
                SecurityGroups in security_groups: Vec<SecurityGroup>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeSecurityGroups"])
                        .for_paths().in_parts(FactParts::ById("GroupId"))
                        .wrapped(CliWrapper::Key("SecurityGroups"));
                /// DescribeSecurityGroupVpcAssociations.
                SecurityGroupVpcAssociations in security_group_vpc_associations:
                    Vec<SecurityGroupVpcAssociation>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeSecurityGroupVpcAssociations"])
                        .absent_if_unsupported()
                        .for_paths().wrapped(CliWrapper::Key("SecurityGroupVpcAssociations"));
                /// DescribeNetworkInterfaces.
                NetworkInterfaces in network_interfaces: Vec<NetworkInterface>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeNetworkInterfaces"])
                        .only(FactSource::Deployed)
                        .for_paths().in_parts(FactParts::ById("NetworkInterfaceId"))
                        .wrapped(CliWrapper::Key("NetworkInterfaces"));
                /// DescribeVpcEndpoints.
                VpcEndpoints in vpc_endpoints: Vec<VpcEndpoint>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeVpcEndpoints"])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("VpcEndpointId"))
                        .wrapped(CliWrapper::Key("VpcEndpoints"));
                /// DescribeNatGateways.
                NatGateways in nat_gateways: Vec<NatGateway>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeNatGateways"])
                        .for_paths().in_parts(FactParts::ById("NatGatewayId"))
                        .wrapped(CliWrapper::Key("NatGateways"));
                /// DescribeInternetGateways.
                InternetGateways in internet_gateways: Vec<InternetGateway>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeInternetGateways"])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("InternetGatewayId"))
                        .wrapped(CliWrapper::Key("InternetGateways"));
                /// DescribeEgressOnlyInternetGateways.
                EgressOnlyInternetGateways in egress_only_internet_gateways:
                    Vec<EgressOnlyInternetGateway>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeEgressOnlyInternetGateways"])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("EgressOnlyInternetGatewayId"))
                        .wrapped(CliWrapper::Key("EgressOnlyInternetGateways"));
                /// DescribeVpcPeeringConnections.
                VpcPeeringConnections in vpc_peering_connections: Vec<VpcPeeringConnection>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeVpcPeeringConnections"])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("VpcPeeringConnectionId"))
                        .wrapped(CliWrapper::Key("VpcPeeringConnections"));
                /// DescribeTransitGateways.
                TransitGateways in transit_gateways: Vec<TransitGateway>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeTransitGateways"])
                        .for_paths().in_parts(FactParts::ById("TransitGatewayId"))
                        .wrapped(CliWrapper::Key("TransitGateways"));
                /// DescribeTransitGatewayVpcAttachments.
                TransitGatewayVpcAttachments in transit_gateway_vpc_attachments:
                    Vec<TransitGatewayVpcAttachment>,
                    FactRow::of(FactOwner::Vpc, &["ec2:DescribeTransitGatewayVpcAttachments"])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("TransitGatewayAttachmentId"))
                        .wrapped(CliWrapper::Key("TransitGatewayVpcAttachments"));
                /// Transit gateway route tables with their associations and routes.
                TransitGatewayRouteTables in transit_gateway_route_tables:
                    Vec<TransitGatewayRouteTable>,
                    FactRow::of(FactOwner::Vpc, &[
                        "ec2:SearchTransitGatewayRoutes", "ec2:DescribeTransitGatewayAttachments",
                    ])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("TransitGatewayRouteTableId"));
                /// By prefix list id, its entries.
                ManagedPrefixListEntries in managed_prefix_list_entries:
                    BTreeMap<String, Vec<String>>,
                    FactRow::of(FactOwner::Vpc, &["ec2:GetManagedPrefixListEntries"])
                        .for_paths().in_parts(FactParts::ByKey);
                /// DescribeVpcBlockPublicAccessOptions.
                VpcBlockPublicAccessOptions in vpc_block_public_access_options:
                    VpcBlockPublicAccessOptions,
                    FactRow::of(FactOwner::Account, &[
                        "ec2:DescribeVpcBlockPublicAccessOptions",
                        "ec2:DescribeVpcBlockPublicAccessExclusions",
                    ])
                        .absent_if_unsupported()
                        .for_paths().wrapped(CliWrapper::Key("VpcBlockPublicAccessOptions"));
                /// By VPC id, the private hosted zones with their records.
                HostedZonesByVPC as "HostedZonesByVPC" in hosted_zones_by_vpc:
                    BTreeMap<String, Vec<HostedZone>>,
                    FactRow::of(FactOwner::Vpc, &[
                        "route53:ListHostedZonesByVPC", "route53:ListResourceRecordSets",
                    ])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ByVpc);
                /// Resolver rules with the VPCs they are associated with.
                ResolverRules in resolver_rules: Vec<ResolverRule>,
                    FactRow::of(FactOwner::Vpc, &[
                        "route53resolver:ListResolverRuleAssociations",
                        "route53resolver:ListResolverRules",
                    ])
                        .absent_if_unsupported()
                        .for_paths().in_parts(FactParts::ById("ResolverRuleId"));
                /// DescribeDBInstances.
                DBInstances as "DBInstances" in db_instances: Vec<DbInstance>,
                    FactRow::of(FactOwner::Database, &["rds:DescribeDBInstances"])
                        .for_paths().in_parts(FactParts::ById("DBInstanceIdentifier"))
                        .wrapped(CliWrapper::Key("DBInstances"));
                /// DescribeDBClusters.
                DBClusters as "DBClusters" in db_clusters: Vec<DbCluster>,
                    FactRow::of(FactOwner::Database, &["rds:DescribeDBClusters"])
                        .for_paths().in_parts(FactParts::ById("DBClusterIdentifier"))
                        .wrapped(CliWrapper::Key("DBClusters"));
                /// Parameters of the database's parameter groups.
                DBParameters as "DBParameters" in db_parameters: Vec<DbParameter>,
                    FactRow::of(FactOwner::Database, &[
                        "rds:DescribeDBParameters", "rds:DescribeDBClusterParameters",
                    ])
                        .wrapped(CliWrapper::Key("Parameters"));
                /// DescribeStacks of the function's stack.
                Stack in stack: Stack,
                    FactRow::of(FactOwner::Stack, &["cloudformation:DescribeStacks"])
                        .wrapped(CliWrapper::FirstOf("Stacks"));
                /// DescribeStackEvents.
                StackEvents in stack_events: Vec<StackEvent>,
                    FactRow::of(FactOwner::Stack, &["cloudformation:DescribeStackEvents"])
                        .only(FactSource::Run).for_one_secret()
                        .wrapped(CliWrapper::Key("StackEvents"));
                /// DescribeStackResources.
                StackResources in stack_resources: Vec<StackResource>,
                    FactRow::of(FactOwner::Stack, &["cloudformation:DescribeStackResources"])
                        .only(FactSource::Run).for_one_secret()
                        .wrapped(CliWrapper::Key("StackResources"));
                /// DescribeLogGroups of the function's log group.
                LogGroup in log_group: LogGroup,
                    FactRow::of(FactOwner::Function, &["logs:DescribeLogGroups"])
                        .only(FactSource::Run).on_request(OptIn::Logs)
                        .wrapped(CliWrapper::FirstOf("logGroups"));
                /// The rotation function's log.
                LogEvents in log_events: Vec<LogEvent>,
                    FactRow::of(FactOwner::Function, &["logs:DescribeLogStreams", "logs:GetLogEvents"])
                        .only(FactSource::Run).on_request(OptIn::Logs)
                        .wrapped(CliWrapper::Key("events"));
                /// CloudTrail events of the rotation.
                TrailEvents in trail_events: Vec<TrailEvent>,
                    FactRow::of(FactOwner::Secret, &["cloudtrail:LookupEvents"])
                        .only(FactSource::Run).for_one_secret()
                        .wrapped(CliWrapper::Key("Events"));
            }
            keys {
                /// DescribeKey.
                KeyMetadata in key_metadata: KeyMetadata,
                    FactRow::of(FactOwner::Key, &["kms:DescribeKey"]);
                /// GetKeyPolicy.
                KeyPolicy in policy: PolicyDocument,
                    FactRow::of(FactOwner::Key, &["kms:GetKeyPolicy"]);
                /// ListGrants.
                KeyGrants in grants: Vec<Grant>,
                    FactRow::of(FactOwner::Key, &["kms:ListGrants"]);
            }
        }
    };
}
pub(super) use with_facts;

macro_rules! declare {
    (
        evidence { $( $(#[doc = $doc:literal])* $fact:ident $(as $spelled:literal)?
            in $field:ident: $type:ty, $row:expr; )* }
        keys { $( $(#[doc = $key_doc:literal])* $key_fact:ident
            in $key_field:ident: $key_type:ty, $key_row:expr; )* }
    ) => {
        /// One kind of fact, named as in a bundle and its `Gaps`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fact {
            $( $(#[doc = $doc])* $fact, )*
            $( $(#[doc = $key_doc])* $key_fact, )*
        }

        /// Every fact, in the order of a bundle.
        pub const FACTS: &[FactRow] = &[
            $( $row.named(Fact::$fact, stringify!($fact)), )*
            $( $key_row.named(Fact::$key_fact, stringify!($key_fact)), )*
        ];
    };
}
with_facts!(declare);

impl Fact {
    /// The row of this fact.
    pub fn row(self) -> &'static FactRow {
        // The enum and the table come from the same rows, in the same order.
        &FACTS[self as usize]
    }

    /// The name in a bundle and in its `Gaps`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The IAM actions that reading it takes.
    pub fn actions(self) -> &'static [&'static str] {
        self.row().actions
    }

    /// What it belongs to.
    pub fn owner(self) -> FactOwner {
        self.row().owner
    }

    /// Whether it is a part of a key, which evidence holds by key and not in a field of
    /// its own.
    pub fn is_of_a_key(self) -> bool {
        self.owner() == FactOwner::Key
    }

    /// Whether no template and no plan can declare it.
    pub fn shows_only_once_deployed(self) -> bool {
        self.row().source != FactSource::File
    }

    /// The fact of that name.
    pub fn named(name: &str) -> Option<Self> {
        FACTS.iter().find(|row| row.name == name).map(|row| row.fact)
    }

    /// The facts of an owner.
    pub fn of(owner: FactOwner) -> impl Iterator<Item = Self> {
        FACTS.iter().filter(move |row| row.owner == owner).map(|row| row.fact)
    }
}

const fn number_of_path_facts() -> usize {
    let (mut index, mut number) = (0, 0);
    while index < FACTS.len() {
        number += FACTS[index].decides_paths as usize;
        index += 1;
    }
    number
}

/// The facts that an answer of the path engine may rest on.
pub const PATH_FACTS: [Fact; number_of_path_facts()] = {
    let mut facts = [Fact::Secret; number_of_path_facts()];
    let (mut index, mut number) = (0, 0);
    while index < FACTS.len() {
        if FACTS[index].decides_paths {
            facts[number] = FACTS[index].fact;
            number += 1;
        }
        index += 1;
    }
    facts
};

#[cfg(test)]
mod tests {
    use super::{FACTS, Fact, FactOwner, FactSource, PATH_FACTS};
    use crate::evidence::{Evidence, Observed};

    #[test]
    fn each_row_is_found_by_its_fact_and_its_name() {
        for row in FACTS {
            assert_eq!(row.fact.name(), row.name);
            assert_eq!(Fact::named(row.name), Some(row.fact));
            assert!(!row.actions.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn the_field_of_each_fact_has_its_name_in_a_bundle() {
        for row in FACTS.iter().filter(|row| row.owner != FactOwner::Key) {
            let mut evidence = Evidence::default();
            evidence.set_absent(row.fact);
            assert_eq!(evidence.state(row.fact), Observed::Absent, "{}", row.name);
            let bundle = serde_json::to_value(&evidence).expect("a bundle");
            assert!(bundle.get(row.name).is_some_and(serde_json::Value::is_null), "{bundle}");
        }
    }

    #[test]
    fn paths_rest_on_the_vpc_and_on_what_names_its_ends() {
        for fact in Fact::of(FactOwner::Vpc) {
            assert!(PATH_FACTS.contains(&fact), "{fact:?}");
        }
        for fact in [Fact::Function, Fact::DBInstances, Fact::DBClusters] {
            assert!(PATH_FACTS.contains(&fact), "{fact:?}");
        }
        assert!(!PATH_FACTS.contains(&Fact::Secret));
    }

    #[test]
    fn no_file_declares_what_only_a_run_shows() {
        for row in FACTS.iter().filter(|row| row.source == FactSource::Run) {
            assert!(row.fact.shows_only_once_deployed(), "{}", row.name);
        }
        assert!(!Fact::Secret.shows_only_once_deployed());
    }
}
