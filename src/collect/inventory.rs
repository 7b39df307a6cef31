//! What was collected about many secrets, and the evidence about one of them out of it.
//! No call is made here.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use super::{
    cloudformation,
    failure::Failure,
    kms, parallel,
    request::{Request, Suspect, Timing},
    run::finish,
    scene::Scene,
    scope::{self, RelevantDatabases},
};
use crate::{
    evidence::{Evidence, Fact, FactOwner, Observed, Secret, Stack},
    seal,
};

/// What is known of one rotation function.
#[derive(Debug, Default)]
pub(super) struct FunctionPart {
    pub(super) evidence: Evidence,
    /// Why it came without its tags.
    pub(super) tags_failure: Option<String>,
}

/// What was collected about many secrets.
#[derive(Debug)]
pub struct Inventory {
    /// Time, region, account; no fact.
    pub(super) bare: Evidence,
    pub(super) wanted: BTreeSet<Fact>,
    pub(super) left_out: BTreeSet<Fact>,
    pub(super) secrets: Vec<Secret>,
    /// By the secret's ARN, what was asked for secret by secret.
    pub(super) each: BTreeMap<String, Evidence>,
    /// By RotationLambdaARN.
    pub(super) functions: BTreeMap<String, FunctionPart>,
    /// By the role's ARN.
    pub(super) roles: BTreeMap<String, Evidence>,
    /// By the key's ARN, or an alias's.
    pub(super) keys: BTreeMap<String, Evidence>,
    pub(super) databases: Evidence,
    /// By whether it is a cluster's, and the group's name.
    pub(super) parameters: BTreeMap<(bool, String), Evidence>,
    pub(super) stacks: Result<Vec<Stack>, Failure>,
    network: Evidence,
    vpc_by_subnet: BTreeMap<String, String>,
    pub(super) not_found: Vec<(String, String)>,
    pub(super) timings: Vec<Timing>,
    pub(super) caller_arn: Option<String>,
    pub(super) notes: Vec<String>,
}

impl Inventory {
    /// Of these secrets nothing but the list is known yet.
    pub(super) fn new(
        bare: Evidence,
        wanted: BTreeSet<Fact>,
        left_out: BTreeSet<Fact>,
        secrets: Vec<Secret>,
    ) -> Self {
        Self {
            bare,
            wanted,
            left_out,
            secrets,
            each: BTreeMap::new(),
            functions: BTreeMap::new(),
            roles: BTreeMap::new(),
            keys: BTreeMap::new(),
            databases: Evidence::default(),
            parameters: BTreeMap::new(),
            stacks: Ok(Vec::new()),
            network: Evidence::default(),
            vpc_by_subnet: BTreeMap::new(),
            not_found: Vec::new(),
            timings: Vec::new(),
            caller_arn: None,
            notes: Vec::new(),
        }
    }

    /// How many secrets there are.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Facts that the selected checks read and that this run leaves out.
    pub fn left_out(&self) -> &BTreeSet<Fact> {
        &self.left_out
    }

    /// Secrets that were named and could not be described, with the reason.
    pub fn not_found(&self) -> &[(String, String)] {
        &self.not_found
    }

    /// Every call that was made.
    pub fn timings(&self) -> &[Timing] {
        &self.timings
    }

    /// Who asked; `None` where STS could not be reached.
    pub fn caller_arn(&self) -> Option<&str> {
        self.caller_arn.as_deref()
    }

    /// Notes for the user on how the run was set up.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn set_network(&mut self, network: Evidence) {
        self.vpc_by_subnet = vpc_by_subnet(&network);
        self.network = network;
    }

    /// Passes all that was collected through the door once: what one secret gets out of it
    /// is clean already.
    pub(super) fn seal(&mut self) {
        let functions = self.functions.values_mut().map(|part| &mut part.evidence);
        let by_name = self.each.values_mut().chain(self.roles.values_mut());
        let parts = functions.chain(by_name).chain(self.keys.values_mut());
        let shared = self.parameters.values_mut().chain([&mut self.databases, &mut self.network]);
        parts.chain(shared).for_each(seal::evidence);
        self.secrets.iter_mut().for_each(seal::seal_secret);
        if let Ok(stacks) = &mut self.stacks {
            stacks.iter_mut().for_each(seal::seal_stack);
        }
    }

    /// Works on the evidence about each secret, on all processors, and hands the results
    /// on in the order of the list. No more evidence is held than is worked on.
    ///
    /// # Errors
    /// What `take` gives ends it.
    pub fn each_evidence<R: Send, E>(
        &self,
        work: impl Fn(&Evidence) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        let work = |secret: &Secret| work(&self.evidence_about(secret));
        parallel::in_order(&self.secrets, work, |_, result| take(result))
    }

    /// The ARNs of those secrets whose evidence, without a policy of its own, is suspect.
    pub(super) fn suspects(&self, suspect: &Suspect) -> Vec<String> {
        let work = |secret: &Secret| {
            let mut evidence = self.evidence_about(secret);
            evidence.set_absent(Fact::SecretPolicy);
            suspect(&evidence)
        };
        let mut suspects = Vec::new();
        let Ok(()) = parallel::in_order(&self.secrets, work, |secret, is_suspect| {
            suspects.extend(secret.arn.clone().filter(|_| is_suspect));
            Ok::<(), Infallible>(())
        });
        suspects
    }

    fn lay_keys(&self, scene: &mut Scene) {
        for key in kms::targets(scene) {
            if let Some(part) = self.keys.get(&key) {
                for fact in Fact::of(FactOwner::Key) {
                    scene.evidence.take_over(fact, part);
                }
            }
        }
    }

    fn evidence_about(&self, secret: &Secret) -> Evidence {
        let mut scene = self.scene(secret, &self.wanted);
        self.place_function(&mut scene);
        self.lay_databases(&mut scene);
        self.lay_network(&mut scene);
        self.lay_keys(&mut scene);
        self.lay_stack(&mut scene);
        let relevant = scope::relevant(&scene);
        let groups = relevant.parameter_groups.into_iter().map(|group| (false, group));
        let clusters = relevant.cluster_parameter_groups.into_iter().map(|group| (true, group));
        for part in groups.chain(clusters).filter_map(|group| self.parameters.get(&group)) {
            let mut known = std::mem::take(&mut scene.evidence.db_parameters);
            scene.evidence.take_over(Fact::DBParameters, part);
            match (known.known_mut(), scene.evidence.db_parameters.known_mut()) {
                (Some(before), Some(new)) => new.append(before),
                (Some(_), None) => scene.evidence.db_parameters = known,
                _ => {}
            }
        }
        scene.evidence.settle();
        finish(&mut scene);
        scene.evidence.gaps.sort();
        scene.evidence
    }

    /// The databases that may be a secret's.
    pub(super) fn relevant_databases(&self, secret: &Secret) -> RelevantDatabases {
        scope::relevant_among(&self.scene_of(secret, &scope::NAMED_BY), &self.databases)
    }

    /// Some facts about one secret, without its keys, its databases and its network: enough
    /// to know which these are.
    pub(super) fn scene_of(&self, secret: &Secret, facts: &[Fact]) -> Scene {
        let facts = facts.iter().copied().filter(|fact| self.wanted.contains(fact)).collect();
        self.scene(secret, &facts)
    }

    fn scene(&self, secret: &Secret, facts: &BTreeSet<Fact>) -> Scene {
        let mut evidence = self.bare.clone();
        let arn = secret.arn.as_deref();
        let part = |index| Some(arn?.split(':').nth(index)?.to_owned());
        evidence.account_id = part(4).or(evidence.account_id);
        evidence.partition = part(1).or(evidence.partition);
        evidence.secret = Observed::Known(secret.clone());
        let each = arn.and_then(|arn| self.each.get(arn));
        let function = secret.rotation_lambda_arn.as_ref();
        let function = function.and_then(|arn| self.functions.get(arn));
        let role = function
            .and_then(|part| part.evidence.function.known()?.configuration.role.as_ref())
            .and_then(|role| self.roles.get(role));
        let parts = [each, function.map(|part| &part.evidence), role];
        for fact in facts.iter().filter(|fact| !fact.is_of_a_key()) {
            for part in parts.into_iter().flatten() {
                evidence.take_over(*fact, part);
            }
        }
        // Of some secrets it is known though it is not wanted of all.
        if let Some(each) = each {
            evidence.take_over(Fact::SecretPolicy, each);
        }
        let mut scene = Scene::new(&Request::default(), self.wanted.clone(), evidence);
        scene.secret_id = arn.unwrap_or_default().to_owned();
        scene.tags_failure = function.and_then(|part| part.tags_failure.clone());
        scene
    }

    fn lay_stack(&self, scene: &mut Scene) {
        let Some(name) = cloudformation::stack_name(scene) else { return };
        match &self.stacks {
            Ok(stacks) => {
                let named = |stack: &&Stack| {
                    [&stack.stack_id, &stack.stack_name].contains(&&Some(name.clone()))
                };
                scene.evidence.stack = stacks.iter().find(named).cloned().into();
            }
            Err(failure) => {
                scene.failed(Fact::Stack, "cloudformation:DescribeStacks", &name, failure);
            }
        }
    }

    /// The function's VPC, by its subnets: it decides which databases are near.
    fn place_function(&self, scene: &mut Scene) {
        let subnets = scope::function_subnets(scene);
        let Some(vpc) = subnets.iter().find_map(|id| self.vpc_by_subnet.get(id)) else { return };
        if let Some(function) = scene.evidence.function.known_mut()
            && let Some(config) = &mut function.configuration.vpc_config
        {
            config.vpc_id = Some(vpc.clone());
        }
    }

    /// Of the region's databases those that may be the secret's, and those beside the
    /// function: the others have no part in its rotation. None near is not none at all.
    fn lay_databases(&self, scene: &mut Scene) {
        let relevant = scope::relevant_among(scene, &self.databases);
        let vpcs = scope::function_vpcs(scene);
        let named = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| relevant.identifiers.contains(name))
        };
        let (all, own) = (&self.databases, &mut scene.evidence);
        own.db_instances = near(&all.db_instances, |one| {
            let vpc = one.db_subnet_group.as_ref().and_then(|group| group.vpc_id.as_ref());
            named(&one.db_instance_identifier)
                || named(&one.db_cluster_identifier)
                || vpc.is_none_or(|vpc| vpcs.is_empty() || vpcs.contains(vpc))
        });
        let instances = own.db_instances.known().into_iter().flatten();
        let clusters: BTreeSet<&Option<String>> =
            instances.map(|one| &one.db_cluster_identifier).collect();
        own.db_clusters = near(&all.db_clusters, |one| {
            named(&one.db_cluster_identifier)
                || clusters.contains(&one.db_cluster_identifier)
                || one.db_cluster_members.is_empty()
        });
        // With the gaps.
        own.take_over(Fact::DBInstances, all);
        own.take_over(Fact::DBClusters, all);
    }

    /// The VPCs of the function and its database, and what is the region's.
    fn lay_network(&self, scene: &mut Scene) {
        let vpcs: BTreeSet<String> = scope::vpcs(scene).into_iter().collect();
        if vpcs.is_empty() {
            return;
        }
        for fact in &self.wanted {
            scene.evidence.take_over_within(*fact, &self.network, &vpcs);
        }
    }
}

/// The VPC of a function whose subnets were seen, by subnet.
fn vpc_by_subnet(network: &Evidence) -> BTreeMap<String, String> {
    let subnets = network.subnets.known().into_iter().flatten();
    subnets.filter_map(|one| Some((one.subnet_id.clone()?, one.vpc_id.clone()?))).collect()
}

/// Those elements of a list that are near, or all where none is.
fn near<T: Clone>(all: &Observed<Vec<T>>, is_near: impl Fn(&T) -> bool) -> Observed<Vec<T>> {
    match those(all, is_near) {
        Observed::Known(near) if near.is_empty() => all.clone(),
        kept => kept,
    }
}

/// Those elements of a list that matter.
fn those<T: Clone>(all: &Observed<Vec<T>>, matters: impl Fn(&T) -> bool) -> Observed<Vec<T>> {
    match all {
        Observed::Known(list) => {
            Observed::Known(list.iter().filter(|one| matters(one)).cloned().collect())
        }
        other => other.clone(),
    }
}
