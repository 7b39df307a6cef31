//! Which calls a step makes, from what is known so far. How each is made is
//! the services' business; when, `run`'s.

use futures_util::future::LocalBoxFuture;

use super::{
    call::Caller,
    cloudformation, ec2, ec2_gateway, ec2_vpc, iam, kms, lambda, logs, package,
    plan::{Operation, Step},
    rds, route53,
    scene::{Found, Scene, found},
    secretsmanager,
    session::Clients,
    simulation,
};
use crate::evidence::{Fact, Observed};

/// One call of a step, or a short series of pages.
pub(super) struct Task<'a> {
    pub(super) step: &'static Step,
    /// What it asks about, as a gap names it.
    pub(super) resource: String,
    pub(super) work: LocalBoxFuture<'a, Found>,
}

/// The calls of a step: none where what it needs is not known, or where there
/// is nothing to ask about.
pub(super) fn tasks<'a>(
    step: &'static Step,
    caller: &'a Caller,
    clients: &'a Clients,
    scene: &Scene,
) -> Vec<Task<'a>> {
    use Operation as O;
    // A task about one resource. The work owns what it needs, so that the scene
    // is free to be changed when it is done.
    macro_rules! ask {
        ($resource:expr, |$name:ident| $work:expr) => {{
            let $name: String = $resource;
            let resource = $name.clone();
            let work = Box::pin(async move { $work.await });
            Task { step, resource, work }
        }};
    }
    macro_rules! ask_each {
        ($resources:expr, |$name:ident| $work:expr) => {
            $resources.into_iter().map(|resource| ask!(resource, |$name| $work)).collect()
        };
    }
    // A task about all VPCs that matter.
    macro_rules! ask_by_vpc {
        ($work:path) => {{
            let vpcs = ec2::vpcs(scene);
            let parts = vpcs.chunks(ec2::FILTER_VALUES).map(<[String]>::to_vec);
            parts
                .map(|vpcs| Task {
                    step,
                    resource: list_of(scene, &vpcs),
                    work: Box::pin(async move { $work(caller, clients, &vpcs).await }),
                })
                .collect()
        }};
    }
    let secret = scene.secret_id.clone();
    match step.operation {
        // The first wave makes this one itself, and CloudTrail runs beside.
        O::DescribeSecret | O::LookupEvents => Vec::new(),
        O::ListSecretVersionIds => {
            vec![ask!(secret, |id| secretsmanager::versions(caller, clients, &id))]
        }
        O::GetResourcePolicy => {
            vec![ask!(secret, |id| secretsmanager::policy(caller, clients, &id))]
        }
        O::GetSecretValue => {
            let stages = secretsmanager::stages(scene);
            if !scene.read_secret || stages.is_empty() {
                return Vec::new();
            }
            vec![ask!(secret, |id| secretsmanager::shapes(caller, clients, &id, stages))]
        }
        O::DescribeSuperuserSecret => ask_each!(secretsmanager::superuser_arn(scene), |arn| {
            superuser(caller, clients, arn)
        }),
        O::GetFunction | O::GetFunctionPolicy => {
            let Some((arn, qualifier)) = scene.function() else { return Vec::new() };
            if step.operation == O::GetFunction {
                vec![ask!(arn, |arn| lambda::function(caller, clients, &arn, qualifier))]
            } else {
                vec![ask!(arn, |arn| lambda::policy(caller, clients, &arn, qualifier))]
            }
        }
        O::GetPackage => {
            let Some(url) = scene.code_location.clone() else { return Vec::new() };
            let resource = scene.function().map(|(arn, _)| arn).unwrap_or_default();
            let work = Box::pin(async move { package::read_code(caller, clients, url).await });
            vec![Task { step, resource, work }]
        }
        O::GetLayerVersion => {
            ask_each!(package::layers(scene), |arn| { package::read_layer(caller, clients, &arn) })
        }
        O::GetRole => ask_each!(scene.role_name(), |role| iam::role(caller, clients, &role)),
        O::ListRolePolicies => {
            ask_each!(scene.role_name(), |role| iam::inline_names(caller, clients, &role))
        }
        O::ListAttachedRolePolicies => {
            ask_each!(scene.role_name(), |role| iam::attached(caller, clients, &role))
        }
        O::GetRolePolicy => {
            let Some(role) = scene.role_name() else { return Vec::new() };
            let pairs = iam::inline_policies(scene).into_iter().map(|name| (role.clone(), name));
            pairs
                .map(|(role, name)| ask!(name, |name| iam::inline(caller, clients, &role, &name)))
                .collect()
        }
        O::GetAttachedPolicy => ask_each!(iam::attached_arns(scene), |arn| {
            iam::managed(caller, clients, Fact::AttachedPolicies, &arn)
        }),
        O::GetBoundaryPolicy => ask_each!(iam::boundary_arn(scene), |arn| {
            iam::managed(caller, clients, Fact::PermissionsBoundary, &arn)
        }),
        O::GetAttachedPolicyVersion | O::GetBoundaryPolicyVersion => {
            let fact = step.gives;
            let pairs = iam::versions(scene, fact).into_iter();
            pairs
                .map(|(arn, version)| {
                    ask!(arn, |arn| iam::version(caller, clients, fact, &arn, &version))
                })
                .collect()
        }
        O::SimulatePrincipalPolicy => {
            let Some(role) = scene.role_arn() else { return Vec::new() };
            let questions = simulation::questions(scene).into_iter();
            questions
                .map(|question| {
                    let role = role.clone();
                    ask!(question.resource.clone(), |_resource| {
                        simulation::simulate(caller, clients, &role, question)
                    })
                })
                .collect()
        }
        O::DescribeKey => {
            ask_each!(new_keys(step, scene), |key| kms::metadata(caller, clients, &key))
        }
        O::GetKeyPolicy | O::ListGrants => {
            let keys = new_keys(step, scene).into_iter();
            let with_ids = keys.filter_map(|key| Some((kms::key_id(scene, &key)?, key)));
            let is_policy = step.operation == O::GetKeyPolicy;
            with_ids
                .map(|(id, key)| {
                    if is_policy {
                        ask!(key, |key| kms::policy(caller, clients, &key, &id))
                    } else {
                        ask!(key, |key| kms::grants(caller, clients, &key, &id))
                    }
                })
                .collect()
        }
        O::DescribeFunctionSubnets => {
            let ids = ec2::function_subnets(scene);
            let parts = ids.chunks(ec2::FILTER_VALUES).map(<[String]>::to_vec);
            parts
                .map(|ids| {
                    ask!(list_of(scene, &ids), |_resource| {
                        ec2_vpc::function_subnets(caller, clients, &ids)
                    })
                })
                .collect()
        }
        // Refused once is refused again.
        O::DescribeSubnets if matches!(scene.evidence.subnets, Observed::NotSeen(_)) => Vec::new(),
        O::DescribeSubnets => ask_by_vpc!(ec2_vpc::subnets),
        O::DescribeVpcs => ask_by_vpc!(ec2_vpc::vpcs),
        O::DescribeVpcAttribute => {
            ask_each!(ec2::vpcs(scene), |vpc| ec2_vpc::attributes(caller, clients, &vpc))
        }
        O::DescribeDhcpOptions => {
            let ids = ec2_vpc::dhcp_options_ids(scene);
            if ids.is_empty() {
                return Vec::new();
            }
            vec![ask!(ids.join(" "), |_resource| ec2_vpc::dhcp_options(caller, clients, &ids))]
        }
        O::DescribeRouteTables => ask_by_vpc!(ec2_vpc::route_tables),
        O::DescribeNetworkAcls => ask_by_vpc!(ec2_vpc::network_acls),
        O::DescribeSecurityGroups => ask_by_vpc!(ec2_vpc::security_groups),
        O::DescribeNetworkInterfaces => ask_by_vpc!(ec2_vpc::network_interfaces),
        O::DescribeVpcEndpoints => ask_by_vpc!(ec2_gateway::vpc_endpoints),
        O::DescribeNatGateways => ask_by_vpc!(ec2_gateway::nat_gateways),
        O::DescribeInternetGateways => ask_by_vpc!(ec2_gateway::internet_gateways),
        O::DescribeEgressOnlyInternetGateways => ask_by_vpc!(ec2_gateway::egress_only),
        O::DescribeVpcPeeringConnections => {
            let vpcs = ec2::vpcs(scene);
            if vpcs.is_empty() {
                return Vec::new();
            }
            ["requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"]
                .into_iter()
                .map(|side| (side, vpcs.clone()))
                .map(|(side, vpcs)| {
                    ask!(vpcs.join(" "), |_resource| {
                        ec2_gateway::peerings(caller, clients, side, &vpcs)
                    })
                })
                .collect()
        }
        O::DescribeTransitGatewayVpcAttachments => ask_by_vpc!(ec2_gateway::vpc_attachments),
        O::DescribeTransitGatewayAttachments => ask_by_vpc!(ec2_gateway::associations),
        O::DescribeTransitGateways => {
            let ids = ec2_gateway::transit_gateway_ids(scene);
            if ids.is_empty() {
                return Vec::new();
            }
            vec![ask!(ids.join(" "), |_resource| {
                ec2_gateway::transit_gateways(caller, clients, &ids)
            })]
        }
        O::SearchTransitGatewayRoutes => {
            let tables: Vec<String> = scene.associations.keys().cloned().collect();
            ask_each!(tables, |table| ec2_gateway::transit_routes(caller, clients, &table))
        }
        O::GetManagedPrefixListEntries => ask_each!(ec2_gateway::prefix_lists(scene), |id| {
            ec2_gateway::prefix_list(caller, clients, &id)
        }),
        O::DescribeVpcBlockPublicAccessOptions => {
            if ec2::vpcs(scene).is_empty() {
                return Vec::new();
            }
            vec![ask!(String::new(), |_resource| ec2_vpc::block_public_access(caller, clients))]
        }
        O::DescribeVpcBlockPublicAccessExclusions => {
            if !ec2_vpc::may_exclude(scene) {
                return Vec::new();
            }
            vec![ask!(String::new(), |_resource| ec2_vpc::exclusions(caller, clients))]
        }
        O::ListHostedZonesByVPC => ask_each!(ec2::function_vpcs(scene), |vpc| {
            route53::hosted_zones(caller, clients, &vpc)
        }),
        O::ListResourceRecordSets => ask_each!(route53::zones_to_read(scene), |zone| {
            route53::records(caller, clients, &zone)
        }),
        // Each is one list for the region; a run about one secret asks for its VPC's.
        O::ListResolverRuleAssociations => {
            ask_each!(ec2::function_vpcs(scene).into_iter().take(1), |vpc| {
                route53::rule_associations(caller, clients, &vpc)
            })
        }
        O::ListResolverRules => {
            ask_each!(ec2::function_vpcs(scene).into_iter().take(1), |vpc| {
                route53::rules(caller, clients, &vpc)
            })
        }
        O::DescribeDBInstances => {
            vec![ask!(String::new(), |_resource| rds::instances(caller, clients))]
        }
        O::DescribeDBClusters => {
            vec![ask!(String::new(), |_resource| rds::clusters(caller, clients))]
        }
        O::DescribeDBParameters => {
            ask_each!(rds::relevant(scene).parameter_groups, |group| {
                rds::parameters(caller, clients, &group)
            })
        }
        O::DescribeDBClusterParameters => {
            ask_each!(rds::relevant(scene).cluster_parameter_groups, |group| {
                rds::cluster_parameters(caller, clients, &group)
            })
        }
        O::DescribeStacks => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::stack(caller, clients, &name)
        }),
        O::DescribeStackEvents => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::events(caller, clients, &name)
        }),
        O::DescribeStackResources => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::resources(caller, clients, &name)
        }),
        O::DescribeLogGroups => {
            ask_each!(logs::group_name(scene), |name| logs::group(caller, clients, &name))
        }
        O::DescribeLogStreams => {
            let since = scene.since;
            ask_each!(logs::group_name(scene), |name| logs::streams(caller, clients, &name, since))
        }
        O::GetLogEvents => {
            let Some(group) = logs::group_name(scene) else { return Vec::new() };
            let since = scene.since;
            let streams = scene.streams.iter().map(|stream| (group.clone(), stream.name.clone()));
            streams
                .map(|(group, stream)| {
                    ask!(stream, |stream| logs::events(caller, clients, &group, &stream, since))
                })
                .collect()
        }
    }
}

/// The resource of a task about several: in a run about many it is the list as a whole.
fn list_of(scene: &Scene, ids: &[String]) -> String {
    if scene.many.is_some() { String::new() } else { ids.join(" ") }
}

/// The keys that this kind of call was not yet made about.
fn new_keys(step: &Step, scene: &Scene) -> Vec<String> {
    let mut keys = kms::targets(scene);
    keys.retain(|key| !scene.asked.contains(&(step.gives, key.clone())));
    keys
}

async fn superuser(caller: &Caller, clients: &Clients, arn: String) -> Found {
    let secret = secretsmanager::describe(caller, clients, &arn).await?;
    found(move |scene| scene.evidence.superuser_secret = Observed::Known(secret))
}
