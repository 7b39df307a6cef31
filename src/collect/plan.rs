//! The plan of waves: which call gives which facts, what it needs to know
//! first, and the IAM action it takes. Data only; `run` carries it out.

use std::collections::BTreeSet;

use crate::evidence::Fact;

/// The longest chain of calls from the secret's name to the last fact.
pub const WAVES: u8 = 5;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's names of the operations
pub enum Operation {
    DescribeSecret,
    ListSecretVersionIds,
    GetResourcePolicy,
    GetSecretValue,
    DescribeSuperuserSecret,
    GetFunction,
    GetFunctionPolicy,
    GetPackage,
    GetLayerVersion,
    GetRole,
    ListRolePolicies,
    GetRolePolicy,
    ListAttachedRolePolicies,
    GetAttachedPolicy,
    GetAttachedPolicyVersion,
    GetBoundaryPolicy,
    GetBoundaryPolicyVersion,
    SimulatePrincipalPolicy,
    DescribeKey,
    GetKeyPolicy,
    ListGrants,
    DescribeFunctionSubnets,
    DescribeSubnets,
    DescribeVpcs,
    DescribeVpcAttribute,
    DescribeDhcpOptions,
    DescribeRouteTables,
    DescribeNetworkAcls,
    DescribeSecurityGroups,
    DescribeNetworkInterfaces,
    DescribeVpcEndpoints,
    DescribeNatGateways,
    DescribeInternetGateways,
    DescribeEgressOnlyInternetGateways,
    DescribeVpcPeeringConnections,
    DescribeTransitGatewayVpcAttachments,
    DescribeTransitGatewayAttachments,
    DescribeTransitGateways,
    SearchTransitGatewayRoutes,
    GetManagedPrefixListEntries,
    DescribeVpcBlockPublicAccessOptions,
    DescribeVpcBlockPublicAccessExclusions,
    ListHostedZonesByVPC,
    ListResourceRecordSets,
    ListResolverRuleAssociations,
    ListResolverRules,
    DescribeDBInstances,
    DescribeDBClusters,
    DescribeDBParameters,
    DescribeDBClusterParameters,
    DescribeStacks,
    DescribeStackEvents,
    DescribeStackResources,
    DescribeLogGroups,
    DescribeLogStreams,
    GetLogEvents,
    LookupEvents,
}

/// A row of the plan.
#[derive(Debug)]
pub struct Step {
    /// The call.
    pub operation: Operation,
    /// The IAM action it takes.
    pub action: &'static str,
    /// 1 to [`WAVES`]; 0 for what runs beside the waves.
    pub wave: u8,
    /// The fact it gives, or helps to give.
    pub gives: Fact,
    /// Facts of earlier waves without which it cannot be made.
    pub needs: &'static [Fact],
}

macro_rules! steps {
    ($( $wave:literal $operation:ident $action:literal => $gives:ident <- [$($needs:ident),*]; )*) => {
        /// Every step, in the order of the waves.
        pub const STEPS: &[Step] = &[$( Step {
            operation: Operation::$operation,
            action: $action,
            wave: $wave,
            gives: Fact::$gives,
            needs: &[$(Fact::$needs),*],
        } ),*];
    };
}

steps! {
    0 LookupEvents "cloudtrail:LookupEvents" => TrailEvents <- [];
    1 DescribeSecret "secretsmanager:DescribeSecret" => Secret <- [];
    1 ListSecretVersionIds "secretsmanager:ListSecretVersionIds" => SecretVersions <- [];
    1 GetResourcePolicy "secretsmanager:GetResourcePolicy" => SecretPolicy <- [];
    2 GetSecretValue "secretsmanager:GetSecretValue" => SecretShape <- [Secret];
    2 GetFunction "lambda:GetFunction" => Function <- [Secret];
    2 GetFunctionPolicy "lambda:GetPolicy" => FunctionPolicy <- [Secret];
    2 DescribeKey "kms:DescribeKey" => KeyMetadata <- [Secret];
    2 GetKeyPolicy "kms:GetKeyPolicy" => KeyPolicy <- [Secret];
    2 ListGrants "kms:ListGrants" => KeyGrants <- [Secret];
    2 DescribeDBInstances "rds:DescribeDBInstances" => DBInstances <- [Secret];
    2 DescribeDBClusters "rds:DescribeDBClusters" => DBClusters <- [Secret];
    3 DescribeSuperuserSecret "secretsmanager:DescribeSecret" => SuperuserSecret <- [SecretShape];
    3 GetRole "iam:GetRole" => Role <- [Function];
    3 ListRolePolicies "iam:ListRolePolicies" => RolePolicies <- [Function];
    3 ListAttachedRolePolicies "iam:ListAttachedRolePolicies" => AttachedPolicies <- [Function];
    // The environment's key, and what could not be asked with an alias.
    3 DescribeKey "kms:DescribeKey" => KeyMetadata <- [Secret, Function];
    3 GetKeyPolicy "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function];
    3 ListGrants "kms:ListGrants" => KeyGrants <- [Secret, Function];
    3 DescribeFunctionSubnets "ec2:DescribeSubnets" => Subnets <- [Function];
    3 GetPackage "lambda:GetFunction" => Package <- [Function];
    3 GetLayerVersion "lambda:GetLayerVersion" => Package <- [Function];
    3 DescribeStacks "cloudformation:DescribeStacks" => Stack <- [Function];
    3 DescribeStackEvents "cloudformation:DescribeStackEvents" => StackEvents <- [Function];
    3 DescribeStackResources "cloudformation:DescribeStackResources" => StackResources <- [Function];
    3 DescribeLogGroups "logs:DescribeLogGroups" => LogGroup <- [Function];
    3 DescribeLogStreams "logs:DescribeLogStreams" => LogEvents <- [Function];
    4 GetRolePolicy "iam:GetRolePolicy" => RolePolicies <- [RolePolicies];
    4 GetAttachedPolicy "iam:GetPolicy" => AttachedPolicies <- [AttachedPolicies];
    4 GetBoundaryPolicy "iam:GetPolicy" => PermissionsBoundary <- [Role];
    // The superuser secret's key, where there is such a secret.
    4 DescribeKey "kms:DescribeKey" => KeyMetadata <- [Secret, Function];
    4 GetKeyPolicy "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function];
    4 ListGrants "kms:ListGrants" => KeyGrants <- [Secret, Function];
    4 DescribeSubnets "ec2:DescribeSubnets" => Subnets <- [Subnets];
    4 DescribeVpcs "ec2:DescribeVpcs" => Vpcs <- [Subnets];
    4 DescribeVpcAttribute "ec2:DescribeVpcAttribute" => VpcAttributes <- [Subnets];
    4 DescribeRouteTables "ec2:DescribeRouteTables" => RouteTables <- [Subnets];
    4 DescribeNetworkAcls "ec2:DescribeNetworkAcls" => NetworkAcls <- [Subnets];
    4 DescribeSecurityGroups "ec2:DescribeSecurityGroups" => SecurityGroups <- [Subnets];
    4 DescribeNetworkInterfaces "ec2:DescribeNetworkInterfaces" => NetworkInterfaces <- [Subnets];
    4 DescribeVpcEndpoints "ec2:DescribeVpcEndpoints" => VpcEndpoints <- [Subnets];
    4 DescribeNatGateways "ec2:DescribeNatGateways" => NatGateways <- [Subnets];
    4 DescribeInternetGateways "ec2:DescribeInternetGateways" => InternetGateways <- [Subnets];
    4 DescribeEgressOnlyInternetGateways "ec2:DescribeEgressOnlyInternetGateways" => EgressOnlyInternetGateways <- [Subnets];
    4 DescribeVpcPeeringConnections "ec2:DescribeVpcPeeringConnections" => VpcPeeringConnections <- [Subnets];
    4 DescribeTransitGatewayVpcAttachments "ec2:DescribeTransitGatewayVpcAttachments" => TransitGatewayVpcAttachments <- [Subnets];
    4 DescribeTransitGatewayAttachments "ec2:DescribeTransitGatewayAttachments" => TransitGatewayRouteTables <- [Subnets];
    4 DescribeVpcBlockPublicAccessOptions "ec2:DescribeVpcBlockPublicAccessOptions" => VpcBlockPublicAccessOptions <- [Subnets];
    4 ListHostedZonesByVPC "route53:ListHostedZonesByVPC" => HostedZonesByVPC <- [Subnets];
    4 ListResolverRuleAssociations "route53resolver:ListResolverRuleAssociations" => ResolverRules <- [Subnets];
    4 ListResolverRules "route53resolver:ListResolverRules" => ResolverRules <- [Subnets];
    4 DescribeDBParameters "rds:DescribeDBParameters" => DBParameters <- [DBInstances];
    4 DescribeDBClusterParameters "rds:DescribeDBClusterParameters" => DBParameters <- [DBClusters];
    4 GetLogEvents "logs:GetLogEvents" => LogEvents <- [LogEvents];
    5 GetAttachedPolicyVersion "iam:GetPolicyVersion" => AttachedPolicies <- [AttachedPolicies];
    5 GetBoundaryPolicyVersion "iam:GetPolicyVersion" => PermissionsBoundary <- [PermissionsBoundary];
    5 SimulatePrincipalPolicy "iam:SimulatePrincipalPolicy" => Simulation <- [Secret, Function];
    5 GetKeyPolicy "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function];
    5 ListGrants "kms:ListGrants" => KeyGrants <- [Secret, Function];
    5 DescribeDhcpOptions "ec2:DescribeDhcpOptions" => DhcpOptions <- [Vpcs];
    5 ListResourceRecordSets "route53:ListResourceRecordSets" => HostedZonesByVPC <- [HostedZonesByVPC];
    5 DescribeTransitGateways "ec2:DescribeTransitGateways" => TransitGateways <- [TransitGatewayVpcAttachments];
    5 SearchTransitGatewayRoutes "ec2:SearchTransitGatewayRoutes" => TransitGatewayRouteTables <- [TransitGatewayVpcAttachments];
    // Where it blocks, and exclusions are allowed.
    5 DescribeVpcBlockPublicAccessExclusions "ec2:DescribeVpcBlockPublicAccessExclusions" => VpcBlockPublicAccessOptions <- [VpcBlockPublicAccessOptions];
    5 GetManagedPrefixListEntries "ec2:GetManagedPrefixListEntries" => ManagedPrefixListEntries <- [RouteTables, SecurityGroups];
}

/// The facts to collect so that `facts` can be known: with their inputs, and
/// with the secret itself. The shape of the secret only where its value may be
/// read.
pub fn closure(facts: &BTreeSet<Fact>, read_secret: bool) -> BTreeSet<Fact> {
    let mut wanted = facts.clone();
    wanted.insert(Fact::Secret);
    loop {
        let needed: Vec<Fact> = steps_for(&wanted)
            .flat_map(|step| step.needs)
            .copied()
            .filter(|fact| !wanted.contains(fact))
            .collect();
        if needed.is_empty() {
            break;
        }
        wanted.extend(needed);
    }
    if !read_secret {
        wanted.remove(&Fact::SecretShape);
    }
    wanted
}

fn steps_for(wanted: &BTreeSet<Fact>) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(|step| wanted.contains(&step.gives))
}

/// The steps of one wave that give a wanted fact.
pub fn wave(number: u8, wanted: &BTreeSet<Fact>) -> impl Iterator<Item = &'static Step> {
    steps_for(wanted).filter(move |step| step.wave == number)
}

/// The IAM actions that collecting `facts` takes, inputs included.
pub fn actions(facts: &BTreeSet<Fact>, read_secret: bool) -> BTreeSet<&'static str> {
    closure(facts, read_secret)
        .into_iter()
        .flat_map(|fact| fact.actions().iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{STEPS, WAVES, actions, closure, wave};
    use crate::evidence::{FACTS, Fact};

    #[test]
    fn no_chain_is_longer_than_the_waves() {
        for step in STEPS {
            assert!(step.wave <= WAVES, "{:?}", step.operation);
            for need in step.needs {
                assert!(
                    STEPS.iter().any(|earlier| earlier.gives == *need && earlier.wave < step.wave),
                    "{:?} in wave {} needs {need:?}, which no earlier wave gives",
                    step.operation,
                    step.wave
                );
            }
        }
        assert!(STEPS.is_sorted_by_key(|step| step.wave));
    }

    #[test]
    fn every_fact_has_a_step_and_agrees_on_its_actions() {
        // What else the caller needs for an answer to be whole.
        const WITHOUT_A_CALL: &[&str] = &["lambda:ListTags"];
        for row in FACTS {
            let made: BTreeSet<&str> = STEPS
                .iter()
                .filter(|step| step.gives == row.fact)
                .map(|step| step.action)
                .collect();
            let declared: BTreeSet<&str> = row
                .actions
                .iter()
                .copied()
                .filter(|action| !WITHOUT_A_CALL.contains(action))
                // The role names the boundary: its own fact's action.
                .filter(|action| {
                    !(row.fact == Fact::PermissionsBoundary && *action == "iam:GetRole")
                })
                .collect();
            assert_eq!(made, declared, "{}", row.name);
        }
    }

    #[test]
    fn inputs_come_along_and_values_only_when_asked() {
        let facts = BTreeSet::from([Fact::RouteTables, Fact::SuperuserSecret]);
        let wanted = closure(&facts, false);
        assert!(wanted.is_superset(&BTreeSet::from([
            Fact::RouteTables,
            Fact::Subnets,
            Fact::Function,
            Fact::Secret
        ])));
        assert!(!wanted.contains(&Fact::SecretShape));
        assert!(closure(&facts, true).contains(&Fact::SecretShape));
        assert!(!actions(&facts, false).contains("secretsmanager:GetSecretValue"));
        assert!(actions(&facts, true).contains("secretsmanager:GetSecretValue"));
        assert_eq!(wave(1, &wanted).count(), 1, "the secret alone");
    }
}
