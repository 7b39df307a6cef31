//! What was observed, in AWS's own names and shapes: the serde model of a
//! bundle. One file per AWS area. Nothing here judges and nothing here talks to
//! the outside.

mod database;
mod document;
mod fact;
mod function;
mod gap;
mod gateway;
mod iam;
mod kms;
mod log;
mod observed;
mod package;
mod rotation_step;
mod secret;
mod shape;
mod stack;
mod time;
mod trail;
mod vpc;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::shape::shapes;
pub use self::{
    database::*, document::*, fact::*, function::*, gap::*, gateway::*, iam::*, kms::*, log::*,
    observed::*, package::*, rotation_step::*, secret::*, stack::*, time::*, trail::*, vpc::*,
};
use crate::aws::{arn::Arn, partitions::COMMERCIAL};

/// The version of the bundle format that this build reads and writes.
pub const SCHEMA_VERSION: u64 = 1;

shapes! {
    /// A tag.
    Tag {
        /// Key.
        key: Option<String>,
        /// Value.
        value: Option<String>,
    }
}

macro_rules! evidence {
    ($( $(#[$meta:meta])* $field:ident $(as $spelled:literal)?: $fact:ident => $type:ty, )*) => {
        /// Everything that was observed about one secret's rotation.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "PascalCase")]
        pub struct Evidence {
            /// Version of the format: 1.
            #[serde(default = "schema_version")]
            pub schema_version: u64,
            /// When the facts were collected; every date is judged against it.
            pub captured_at: Time,
            /// `aws`, `aws-cn`, `aws-us-gov`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub partition: Option<String>,
            /// The region of the secret.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub region: Option<String>,
            /// The account that was looked at.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub account_id: Option<String>,
            /// The database, where the caller named it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub database: Option<NamedDatabase>,
            $(
                $(#[$meta])*
                #[serde(default, skip_serializing_if = "Observed::is_unseen" $(, rename = $spelled)?)]
                pub $field: Observed<$type>,
            )*
            /// By key ARN, what was seen of the KMS keys.
            #[serde(
                default,
                deserialize_with = "shape::null_is_unset",
                skip_serializing_if = "BTreeMap::is_empty"
            )]
            pub keys: BTreeMap<String, Key>,
            /// What could not be seen.
            #[serde(default)]
            pub gaps: Vec<Gap>,
        }

        impl Evidence {
            /// Puts each gap where a reader of the fact meets it: a fact that
            /// was asked for and refused is `NotSeen`, not `NotAsked`.
            pub fn settle(&mut self) {
                $( settle_one(Fact::$fact, &mut self.$field, &self.gaps); )*
                settle_keys(&mut self.keys, &self.gaps);
                self.settle_vpc();
            }

            /// Notes that a fact was looked for and is definitely not there.
            /// The parts of a key stand in `keys` and are not marked here.
            pub fn set_absent(&mut self, fact: Fact) {
                match fact {
                    $( Fact::$fact => self.$field = Observed::Absent, )*
                    Fact::KeyMetadata | Fact::KeyPolicy | Fact::KeyGrants => {}
                }
            }

            /// Back to not asked for; [`Self::settle`] then puts a gap there,
            /// where one stands.
            pub fn forget(&mut self, fact: Fact) {
                match fact {
                    $( Fact::$fact => self.$field = Observed::NotAsked, )*
                    Fact::KeyMetadata | Fact::KeyPolicy | Fact::KeyGrants => {}
                }
            }

            /// Takes over what another knows of a fact, with its gaps, where it is not
            /// known here. Keys are taken over one by one, with their gaps.
            pub fn take_over(&mut self, fact: Fact, other: &Self) {
                match fact {
                    $( Fact::$fact => if self.$field.is_not_asked() {
                        self.$field = other.$field.clone();
                    } )*
                    Fact::KeyMetadata | Fact::KeyPolicy | Fact::KeyGrants => {
                        for (arn, key) in &other.keys {
                            self.keys.entry(arn.clone()).or_insert_with(|| key.clone());
                        }
                    }
                }
                for gap in &other.gaps {
                    if gap.fact == fact.name() && !self.gaps.contains(gap) {
                        self.gaps.push(gap.clone());
                    }
                }
            }

            /// What is known of a fact, without its value.
            pub fn state(&self, fact: Fact) -> Observed<()> {
                match fact {
                    $( Fact::$fact => self.$field.state(), )*
                    Fact::KeyMetadata | Fact::KeyPolicy | Fact::KeyGrants => {
                        match self.gap(fact, None) {
                            Some(gap) => Observed::NotSeen(gap.clone()),
                            None if self.keys.is_empty() => Observed::NotAsked,
                            None => Observed::Known(()),
                        }
                    }
                }
            }
        }

        /// The bundle keys that hold one fact each, in the order of a bundle.
        pub const BUNDLE_FACTS: &[Fact] = &[$(Fact::$fact),*];
    };
}

evidence! {
    /// DescribeSecret.
    secret: Secret => Secret,
    /// ListSecretVersionIds, deprecated versions included.
    secret_versions: SecretVersions => SecretVersions,
    /// By staging label, the shape of the value; only with `--read-secret`.
    secret_shape: SecretShape => BTreeMap<String, StageShape>,
    /// GetResourcePolicy.
    secret_policy: SecretPolicy => PolicyDocument,
    /// DescribeSecret of the secret that `masterarn` names.
    superuser_secret: SuperuserSecret => Secret,
    /// GetFunction.
    function: Function => Function,
    /// Lambda GetPolicy of the qualifier in RotationLambdaARN.
    function_policy: FunctionPolicy => PolicyDocument,
    /// What was read out of the deployment package.
    package: Package => Package,
    /// GetRole.
    role: Role => Role,
    /// Inline policies.
    role_policies: RolePolicies => Vec<RolePolicy>,
    /// Attached managed policies.
    attached_policies: AttachedPolicies => Vec<ManagedPolicy>,
    /// The permissions boundary's document.
    permissions_boundary: PermissionsBoundary => ManagedPolicy,
    /// SimulatePrincipalPolicy of the requests of a rotation; only with `--simulate`.
    simulation: Simulation => Vec<SimulatedRequest>,
    /// DescribeVpcs.
    vpcs: Vpcs => Vec<Vpc>,
    /// DescribeVpcAttribute, by VPC id.
    vpc_attributes: VpcAttributes => BTreeMap<String, VpcAttributes>,
    /// DescribeDhcpOptions.
    dhcp_options: DhcpOptions => Vec<DhcpOptions>,
    /// DescribeSubnets.
    subnets: Subnets => Vec<Subnet>,
    /// DescribeRouteTables.
    route_tables: RouteTables => Vec<RouteTable>,
    /// DescribeNetworkAcls.
    network_acls: NetworkAcls => Vec<NetworkAcl>,
    /// DescribeSecurityGroups.
    security_groups: SecurityGroups => Vec<SecurityGroup>,
    /// DescribeNetworkInterfaces.
    network_interfaces: NetworkInterfaces => Vec<NetworkInterface>,
    /// DescribeVpcEndpoints.
    vpc_endpoints: VpcEndpoints => Vec<VpcEndpoint>,
    /// DescribeNatGateways.
    nat_gateways: NatGateways => Vec<NatGateway>,
    /// DescribeInternetGateways.
    internet_gateways: InternetGateways => Vec<InternetGateway>,
    /// DescribeEgressOnlyInternetGateways.
    egress_only_internet_gateways: EgressOnlyInternetGateways => Vec<EgressOnlyInternetGateway>,
    /// DescribeVpcPeeringConnections.
    vpc_peering_connections: VpcPeeringConnections => Vec<VpcPeeringConnection>,
    /// DescribeTransitGateways.
    transit_gateways: TransitGateways => Vec<TransitGateway>,
    /// DescribeTransitGatewayVpcAttachments.
    transit_gateway_vpc_attachments: TransitGatewayVpcAttachments => Vec<TransitGatewayVpcAttachment>,
    /// Transit gateway route tables with their associations and routes.
    transit_gateway_route_tables: TransitGatewayRouteTables => Vec<TransitGatewayRouteTable>,
    /// By prefix list id, its entries.
    managed_prefix_list_entries: ManagedPrefixListEntries => BTreeMap<String, Vec<String>>,
    /// DescribeVpcBlockPublicAccessOptions.
    vpc_block_public_access_options: VpcBlockPublicAccessOptions => VpcBlockPublicAccessOptions,
    /// By VPC id, the private hosted zones with their records.
    hosted_zones_by_vpc as "HostedZonesByVPC": HostedZonesByVPC => BTreeMap<String, Vec<HostedZone>>,
    /// Resolver rules with the VPCs they are associated with.
    resolver_rules: ResolverRules => Vec<ResolverRule>,
    /// DescribeDBInstances.
    db_instances as "DBInstances": DBInstances => Vec<DbInstance>,
    /// DescribeDBClusters.
    db_clusters as "DBClusters": DBClusters => Vec<DbCluster>,
    /// Parameters of the database's parameter groups.
    db_parameters as "DBParameters": DBParameters => Vec<DbParameter>,
    /// DescribeStacks of the function's stack.
    stack: Stack => Stack,
    /// DescribeStackEvents.
    stack_events: StackEvents => Vec<StackEvent>,
    /// DescribeStackResources.
    stack_resources: StackResources => Vec<StackResource>,
    /// DescribeLogGroups of the function's log group.
    log_group: LogGroup => LogGroup,
    /// The rotation function's log.
    log_events: LogEvents => Vec<LogEvent>,
    /// CloudTrail events of the rotation.
    trail_events: TrailEvents => Vec<TrailEvent>,
}

fn schema_version() -> u64 {
    SCHEMA_VERSION
}

/// A container that can be empty: `[]` and `{}` in a bundle mean absent.
trait MaybeEmpty {
    fn holds_nothing(&self) -> bool {
        false
    }
}
impl<T> MaybeEmpty for Vec<T> {
    fn holds_nothing(&self) -> bool {
        self.is_empty()
    }
}
impl<K, V> MaybeEmpty for BTreeMap<K, V> {
    fn holds_nothing(&self) -> bool {
        self.is_empty()
    }
}
macro_rules! never_empty {
    ($($type:ty),*) => { $( impl MaybeEmpty for $type {} )* };
}
never_empty!(
    Secret,
    SecretVersions,
    PolicyDocument,
    Function,
    Package,
    Role,
    ManagedPolicy,
    VpcBlockPublicAccessOptions,
    Stack,
    LogGroup,
    KeyMetadata
);

fn settle_one<T: MaybeEmpty>(fact: Fact, observed: &mut Observed<T>, gaps: &[Gap]) {
    if observed.known().is_some_and(MaybeEmpty::holds_nothing) {
        *observed = Observed::Absent;
    }
    if observed.is_not_asked()
        && let Some(gap) = gaps.iter().find(|gap| gap.fact == fact.name())
    {
        *observed = Observed::NotSeen(gap.clone());
    }
}

fn settle_keys(keys: &mut BTreeMap<String, Key>, gaps: &[Gap]) {
    for (arn, key) in keys {
        let own: Vec<Gap> = gaps
            .iter()
            .filter(|gap| gap.resource.is_empty() || gap.resource == *arn)
            .cloned()
            .collect();
        settle_one(Fact::KeyMetadata, &mut key.key_metadata, &own);
        settle_one(Fact::KeyPolicy, &mut key.policy, &own);
        settle_one(Fact::KeyGrants, &mut key.grants, &own);
    }
}

impl Evidence {
    /// The function is in the VPC of its subnets, whatever else its configuration
    /// names.
    fn settle_vpc(&mut self) {
        let (Some(function), Some(subnets)) = (self.function.known_mut(), self.subnets.known())
        else {
            return;
        };
        let Some(config) = &mut function.configuration.vpc_config else { return };
        let own = subnets.iter().find(|subnet| {
            subnet.subnet_id.as_ref().is_some_and(|id| config.subnet_ids.contains(id))
        });
        if let Some(vpc) = own.and_then(|subnet| subnet.vpc_id.clone()) {
            config.vpc_id = Some(vpc);
        }
    }

    /// Adds a gap and puts it where a reader of the fact meets it.
    pub fn add_gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
            self.gaps.sort();
        }
        self.settle();
    }

    /// The first gap of a fact, for a resource where one is named.
    pub fn gap(&self, fact: Fact, resource: Option<&str>) -> Option<&Gap> {
        self.gaps.iter().find(|gap| {
            gap.fact == fact.name()
                && resource.is_none_or(|wanted| gap.resource.is_empty() || gap.resource == wanted)
        })
    }

    /// The secret's ARN, where DescribeSecret was seen.
    pub fn secret_arn(&self) -> Option<&str> {
        self.secret.known()?.arn.as_deref()
    }

    /// The region of the secret: as given, else out of its ARN.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or_else(|| Arn::region_of(self.secret_arn()?))
    }

    /// The account of the secret: out of its ARN, else as given.
    pub fn account_id(&self) -> Option<&str> {
        self.secret_arn().and_then(Arn::account_of).or(self.account_id.as_deref())
    }

    /// The partition: as given, else out of the secret's ARN, else `aws`.
    pub fn partition(&self) -> &str {
        self.partition
            .as_deref()
            .or_else(|| Arn::partition_of(self.secret_arn()?))
            .unwrap_or(COMMERCIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Observed, Reason};

    fn read(text: &str) -> Evidence {
        let mut evidence: Evidence = serde_json::from_str(text).expect("bundle");
        evidence.settle();
        evidence
    }

    #[test]
    fn missing_null_and_refused_are_three_things() {
        let evidence = read(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z","FunctionPolicy":null,"LogEvents":[],
                "Gaps":[{"Fact":"Role","Action":"iam:GetRole","Reason":"AccessDenied"}]}"#,
        );
        assert_eq!(evidence.secret, Observed::NotAsked);
        assert_eq!(evidence.function_policy, Observed::Absent);
        assert_eq!(evidence.log_events, Observed::Absent);
        assert!(
            matches!(&evidence.role, Observed::NotSeen(gap) if gap.reason == Reason::AccessDenied)
        );
    }

    #[test]
    fn writing_and_reading_keeps_every_arm() {
        let evidence = read(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z","Secret":{"Name":"a","RotationEnabled":false},
                "Stack":null,"Keys":{"k":{"Policy":{"Statement":[]}}},
                "Gaps":[{"Fact":"KeyGrants","Action":"kms:ListGrants","Resource":"k","Reason":"Throttled"}]}"#,
        );
        let text = serde_json::to_string(&evidence).expect("write");
        assert_eq!(read(&text), evidence);
        assert!(text.contains("\"RotationEnabled\":false"), "false is a fact: {text}");
        assert!(matches!(evidence.keys["k"].grants, Observed::NotSeen(_)));
        assert_eq!(evidence.keys["k"].key_metadata, Observed::NotAsked);
    }
}
