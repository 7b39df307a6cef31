//! The names of the facts, and what it takes to see each.

/// One kind of fact, named as in a bundle's `Gaps`.
#[allow(missing_docs)] // the names are AWS's own and stand in `FACTS` with their actions
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    Secret,
    SecretVersions,
    SecretShape,
    SecretPolicy,
    SuperuserSecret,
    Function,
    FunctionPolicy,
    Package,
    Role,
    RolePolicies,
    AttachedPolicies,
    PermissionsBoundary,
    Simulation,
    KeyMetadata,
    KeyPolicy,
    KeyGrants,
    Vpcs,
    VpcAttributes,
    DhcpOptions,
    Subnets,
    RouteTables,
    NetworkAcls,
    SecurityGroups,
    NetworkInterfaces,
    VpcEndpoints,
    NatGateways,
    InternetGateways,
    EgressOnlyInternetGateways,
    VpcPeeringConnections,
    TransitGateways,
    TransitGatewayVpcAttachments,
    TransitGatewayRouteTables,
    ManagedPrefixListEntries,
    VpcBlockPublicAccessOptions,
    HostedZonesByVPC,
    ResolverRules,
    DBInstances,
    DBClusters,
    DBParameters,
    Stack,
    StackEvents,
    StackResources,
    LogGroup,
    LogEvents,
    TrailEvents,
}

/// A row of the table of facts.
#[derive(Debug)]
pub struct FactRow {
    /// The fact.
    pub fact: Fact,
    /// Its name in `Gaps`.
    pub name: &'static str,
    /// The IAM actions that seeing it takes.
    pub actions: &'static [&'static str],
}

macro_rules! facts {
    ($( $fact:ident: $($action:literal),* ; )*) => {
        /// Every fact with the IAM actions that seeing it takes, in the order of a bundle.
        pub const FACTS: &[FactRow] = &[
            $( FactRow { fact: Fact::$fact, name: stringify!($fact), actions: &[$($action),*] } ),*
        ];
    };
}

facts! {
    Secret: "secretsmanager:DescribeSecret";
    SecretVersions: "secretsmanager:ListSecretVersionIds";
    SecretShape: "secretsmanager:GetSecretValue";
    SecretPolicy: "secretsmanager:GetResourcePolicy";
    SuperuserSecret: "secretsmanager:DescribeSecret";
    // Lambda leaves the tags out where the caller lacks lambda:ListTags (GetFunction API reference).
    Function: "lambda:GetFunction", "lambda:ListTags";
    FunctionPolicy: "lambda:GetPolicy";
    Package: "lambda:GetFunction", "lambda:GetLayerVersion";
    Role: "iam:GetRole";
    RolePolicies: "iam:ListRolePolicies", "iam:GetRolePolicy";
    AttachedPolicies: "iam:ListAttachedRolePolicies", "iam:GetPolicy", "iam:GetPolicyVersion";
    PermissionsBoundary: "iam:GetRole", "iam:GetPolicy", "iam:GetPolicyVersion";
    // Only with `--simulate`.
    Simulation: "iam:SimulatePrincipalPolicy";
    KeyMetadata: "kms:DescribeKey";
    KeyPolicy: "kms:GetKeyPolicy";
    KeyGrants: "kms:ListGrants";
    Vpcs: "ec2:DescribeVpcs";
    VpcAttributes: "ec2:DescribeVpcAttribute";
    DhcpOptions: "ec2:DescribeDhcpOptions";
    Subnets: "ec2:DescribeSubnets";
    RouteTables: "ec2:DescribeRouteTables";
    NetworkAcls: "ec2:DescribeNetworkAcls";
    SecurityGroups: "ec2:DescribeSecurityGroups";
    NetworkInterfaces: "ec2:DescribeNetworkInterfaces";
    VpcEndpoints: "ec2:DescribeVpcEndpoints";
    NatGateways: "ec2:DescribeNatGateways";
    InternetGateways: "ec2:DescribeInternetGateways";
    EgressOnlyInternetGateways: "ec2:DescribeEgressOnlyInternetGateways";
    VpcPeeringConnections: "ec2:DescribeVpcPeeringConnections";
    TransitGateways: "ec2:DescribeTransitGateways";
    TransitGatewayVpcAttachments: "ec2:DescribeTransitGatewayVpcAttachments";
    TransitGatewayRouteTables: "ec2:SearchTransitGatewayRoutes", "ec2:DescribeTransitGatewayAttachments";
    ManagedPrefixListEntries: "ec2:GetManagedPrefixListEntries";
    VpcBlockPublicAccessOptions: "ec2:DescribeVpcBlockPublicAccessOptions", "ec2:DescribeVpcBlockPublicAccessExclusions";
    HostedZonesByVPC: "route53:ListHostedZonesByVPC", "route53:ListResourceRecordSets";
    ResolverRules: "route53resolver:ListResolverRuleAssociations", "route53resolver:ListResolverRules";
    DBInstances: "rds:DescribeDBInstances";
    DBClusters: "rds:DescribeDBClusters";
    DBParameters: "rds:DescribeDBParameters", "rds:DescribeDBClusterParameters";
    Stack: "cloudformation:DescribeStacks";
    StackEvents: "cloudformation:DescribeStackEvents";
    StackResources: "cloudformation:DescribeStackResources";
    LogGroup: "logs:DescribeLogGroups";
    LogEvents: "logs:DescribeLogStreams", "logs:GetLogEvents";
    TrailEvents: "cloudtrail:LookupEvents";
}

impl Fact {
    fn row(self) -> &'static FactRow {
        // The table lists the facts in the order of the enum; a test holds it to that.
        &FACTS[self as usize]
    }

    /// The name used in a bundle's `Gaps`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The IAM actions that seeing it takes.
    pub fn actions(self) -> &'static [&'static str] {
        self.row().actions
    }

    /// The parts of a key, which evidence holds by key and not as fields of their own.
    pub const OF_A_KEY: [Self; 3] = [Self::KeyMetadata, Self::KeyPolicy, Self::KeyGrants];

    /// Whether it is a part of a key.
    pub fn is_of_a_key(self) -> bool {
        Self::OF_A_KEY.contains(&self)
    }

    /// Whether it is what a running rotation shows, which no template can declare.
    pub fn shows_only_once_deployed(self) -> bool {
        matches!(
            self,
            Self::SecretVersions
                | Self::Package
                | Self::Simulation
                | Self::NetworkInterfaces
                | Self::StackEvents
                | Self::StackResources
                | Self::LogGroup
                | Self::LogEvents
                | Self::TrailEvents
        )
    }

    /// The fact of that name.
    pub fn named(name: &str) -> Option<Self> {
        FACTS.iter().find(|row| row.name == name).map(|row| row.fact)
    }
}

#[cfg(test)]
mod tests {
    use super::{FACTS, Fact};

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, row) in FACTS.iter().enumerate() {
            assert_eq!(row.fact as usize, index, "{}", row.name);
            assert_eq!(Fact::named(row.name), Some(row.fact));
            assert!(!row.fact.actions().is_empty(), "{}", row.name);
        }
        assert_eq!(Fact::TrailEvents as usize + 1, FACTS.len());
    }
}
