//! The facts about many secrets, each shared thing read once: the list of secrets, each
//! function that rotates some of them, each role and key, the databases, stacks and
//! networks of the region. The calls are those of a diagnosis; which are made, and about
//! what, is decided here. `inventory` puts together what belongs to one secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use futures_util::{
    future::{join, join3, join4},
    stream::{self, StreamExt},
};

use super::{
    account,
    call::Caller,
    cloudformation,
    error::CollectError,
    failure::{Failure, Kind},
    inventory::{FunctionPart, Inventory},
    kms, package, plan, rds,
    request::{BulkRequest, Request},
    run::{run_wave, settle_associations},
    scene::{Many, Scene},
    session::Session,
    sts,
};
use crate::{
    aws::limits,
    evidence::{Evidence, FACTS, Fact, FactOwner, FactRow, Observed, OptIn, Secret},
};

impl BulkRequest {
    /// The facts that this run collects where it asks about single secrets.
    fn wanted(&self) -> BTreeSet<Fact> {
        let mut wanted = plan::closure(&self.facts, self.read_secret);
        wanted.retain(|fact| {
            let row = fact.row();
            !row.one_secret_only && (self.logs || row.opt_in != Some(OptIn::Logs))
        });
        wanted
    }

    fn report(&self, kind: &'static str, done: usize, total: usize) {
        if let Some(progress) = &self.progress {
            progress(kind, done, total);
        }
    }
}

/// Whether a fact takes a call about each secret; the list of secrets gives the secret itself.
fn is_of_each(fact: &Fact) -> bool {
    fact.owner() == FactOwner::Secret && *fact != Fact::Secret
}

/// One run: where the calls go, and what all of its evidence shares.
struct Run<'a> {
    session: &'a Session,
    request: &'a BulkRequest,
    caller: Caller,
    wanted: BTreeSet<Fact>,
    /// Time, region, account; no fact.
    bare: Evidence,
}

impl Session {
    /// Collects the facts about many secrets.
    ///
    /// # Errors
    /// [`CollectError`] where nothing could be examined: no valid credentials, no list of
    /// secrets, nothing at the endpoint. Everything less is a gap, or a secret among
    /// [`Inventory::not_found`].
    pub async fn inventory(&self, request: &BulkRequest) -> Result<Inventory, CollectError> {
        let caller = Caller::of_many(request.timeout.unwrap_or(limits::RUN_TIMEOUT_OF_MANY));
        let first = caller.in_wave(1);
        let (identity, secrets) =
            join(sts::identity(&first, &self.clients), self.secrets_of(&first, &request.which))
                .await;
        let (caller_arn, account) = match identity {
            Ok(identity) => (identity.arn, identity.account),
            Err(failure) if failure.kind() == Some(Kind::Credentials) => {
                return Err(self.error("sts:GetCallerIdentity", &failure));
            }
            Err(_) => (None, None),
        };
        let (mut secrets, not_found) = secrets?;
        if let Some(shard) = &request.shard {
            secrets.retain(|secret| secret.arn.as_deref().is_some_and(|arn| shard.has(arn)));
        }
        self.complete(&first, &mut secrets).await;
        let arn = secrets.first().and_then(|secret| secret.arn.clone()).or(caller_arn.clone());
        let bare = Evidence {
            partition: arn.as_deref().and_then(|arn| arn.split(':').nth(1)).map(str::to_owned),
            account_id: account,
            ..self.bare_evidence()
        };
        let wanted = request.wanted();
        let run = Run { session: self, request, caller, wanted, bare };
        let mut inventory = run.collect(secrets).await;
        inventory.seal();
        inventory.caller_arn = caller_arn;
        inventory.not_found = not_found;
        inventory.notes.clone_from(&self.notes);
        inventory.timings = run.caller.timings();
        Ok(inventory)
    }
}

impl Run<'_> {
    async fn collect(&self, secrets: Vec<Secret>) -> Inventory {
        let functions: BTreeSet<String> =
            secrets.iter().filter_map(|secret| secret.rotation_lambda_arn.clone()).collect();
        let each = self.request.each || secrets.len() <= functions.len() + limits::SPARE_CALLS;
        let mut wanted = self.wanted.clone();
        if !each {
            wanted.retain(|fact| !is_of_each(fact));
        }
        let mut left_out: BTreeSet<Fact> =
            self.request.facts.difference(&wanted).copied().collect();
        if !self.request.read_secret {
            let of_the_value = |row: &&FactRow| row.opt_in == Some(OptIn::SecretValue);
            left_out.extend(FACTS.iter().filter(of_the_value).map(|row| row.fact));
        }
        let (functions, databases, each) =
            join3(self.functions(functions), self.databases(), self.each(&secrets, each)).await;
        let mut inventory = Inventory::new(self.bare.clone(), wanted, left_out, secrets);
        inventory.each = each;
        inventory.functions = functions;
        inventory.databases = databases;
        let (roles, keys, network, stacks) = join4(
            self.roles(&inventory),
            self.keys(&inventory),
            self.network(&inventory),
            self.stacks(&inventory),
        )
        .await;
        inventory.roles = roles;
        inventory.keys = keys;
        inventory.set_network(network);
        inventory.stacks = stacks;
        inventory.parameters = self.parameters(&inventory).await;
        if inventory.left_out.contains(&Fact::SecretPolicy) {
            self.suspects(&mut inventory).await;
        }
        inventory
    }

    /// The policies of those secrets where they decide something: a right that the role
    /// lacks may be given there.
    async fn suspects(&self, inventory: &mut Inventory) {
        let Some(suspect) = &self.request.suspect else { return };
        let limit = inventory.functions.len() + limits::SPARE_CALLS;
        let mut suspects = inventory.suspects(suspect);
        suspects.truncate(limit);
        inventory.each = self
            .for_each("policies", suspects, async |arn: &String| {
                let mut scene = self.scene([Fact::SecretPolicy], self.bare.clone());
                scene.secret_id.clone_from(arn);
                self.waves(&mut scene, 1..=1).await;
                scene.evidence
            })
            .await;
    }

    /// A scene with those of the wanted facts, upon what is known already.
    fn scene(&self, facts: impl IntoIterator<Item = Fact>, evidence: Evidence) -> Scene {
        let wanted = facts.into_iter().filter(|fact| self.wanted.contains(fact)).collect();
        let request = Request {
            read_secret: self.request.read_secret,
            since: self.request.since,
            ..Request::default()
        };
        Scene::new(&request, wanted, evidence)
    }

    /// Whether a fact of this owner is wanted.
    fn wants(&self, owner: FactOwner) -> bool {
        self.wanted.iter().any(|fact| fact.owner() == owner)
    }

    async fn waves(&self, scene: &mut Scene, waves: RangeInclusive<u8>) {
        for number in waves {
            let caller = self.caller.in_wave(number);
            run_wave(&caller, &self.session.clients, number, scene, &Request::default()).await;
        }
    }

    /// Does the same for each of many things, some at once.
    async fn for_each<K: Ord, V>(
        &self,
        kind: &'static str,
        things: Vec<K>,
        work: impl AsyncFn(&K) -> V,
    ) -> BTreeMap<K, V> {
        let total = things.len();
        let work = &work;
        let under_way = things.into_iter().map(|thing| async move {
            let done = work(&thing).await;
            (thing, done)
        });
        let mut under_way = stream::iter(under_way).buffer_unordered(limits::RESOURCES_AT_ONCE);
        let mut all = BTreeMap::new();
        while let Some((thing, done)) = under_way.next().await {
            all.insert(thing, done);
            self.request.report(kind, all.len(), total);
        }
        all
    }

    async fn functions(&self, arns: BTreeSet<String>) -> BTreeMap<String, FunctionPart> {
        self.for_each("functions", arns.into_iter().collect(), async |arn: &String| {
            let mut evidence = self.bare.clone();
            let rotation_lambda_arn = Some(arn.clone());
            evidence.secret = Observed::Known(Secret { rotation_lambda_arn, ..Secret::default() });
            let mut scene = self.scene(Fact::of(FactOwner::Function), evidence);
            self.waves(&mut scene, 2..=4).await;
            package::settle(&mut scene);
            FunctionPart { evidence: scene.evidence, tags_failure: scene.tags_failure }
        })
        .await
    }

    async fn databases(&self) -> Evidence {
        let mut scene = self.scene(Fact::of(FactOwner::Database), self.bare.clone());
        self.waves(&mut scene, 2..=2).await;
        scene.evidence
    }

    /// What is asked for secret by secret.
    async fn each(&self, secrets: &[Secret], wanted: bool) -> BTreeMap<String, Evidence> {
        if !wanted || !self.wanted.iter().any(is_of_each) {
            return BTreeMap::new();
        }
        let by_arn: BTreeMap<&String, &Secret> =
            secrets.iter().filter_map(|secret| Some((secret.arn.as_ref()?, secret))).collect();
        let arns = by_arn.keys().map(|arn| (*arn).clone()).collect();
        self.for_each("secrets", arns, async |arn: &String| {
            let mut evidence = self.bare.clone();
            evidence.secret = Observed::Known(by_arn[arn].clone());
            let mut scene = self.scene(self.wanted.iter().copied().filter(is_of_each), evidence);
            scene.secret_id.clone_from(arn);
            self.waves(&mut scene, 1..=3).await;
            scene.evidence
        })
        .await
    }

    /// Of the account as a whole where that is allowed, else one by one.
    async fn roles(&self, inventory: &Inventory) -> BTreeMap<String, Evidence> {
        if !self.wants(FactOwner::Role) {
            return BTreeMap::new();
        }
        let functions: BTreeMap<&String, &FunctionPart> = inventory
            .functions
            .values()
            .filter_map(|part| {
                Some((part.evidence.function.known()?.configuration.role.as_ref()?, part))
            })
            .collect();
        let whole = if functions.len() > limits::ROLES_ONE_BY_ONE {
            account::roles(&self.caller.in_wave(3), &self.session.clients).await.ok()
        } else {
            None
        };
        let arns = functions.keys().map(|arn| (*arn).clone()).collect();
        self.for_each("roles", arns, async |arn: &String| {
            let mut evidence = self.bare.clone();
            evidence.function = functions[arn].evidence.function.clone();
            let mut scene = self.scene(Fact::of(FactOwner::Role), evidence);
            match whole.as_ref().and_then(|account| account.role(arn)) {
                Some(known) => known.put(&mut scene),
                None => self.waves(&mut scene, 3..=5).await,
            }
            scene.evidence
        })
        .await
    }

    async fn keys(&self, inventory: &Inventory) -> BTreeMap<String, Evidence> {
        if !self.wants(FactOwner::Key) {
            return BTreeMap::new();
        }
        let targets: BTreeSet<String> = inventory
            .secrets
            .iter()
            .flat_map(|secret| kms::targets(&inventory.scene_of(secret, &kms::NAMED_BY)))
            .collect();
        self.for_each("keys", targets.into_iter().collect(), async |key: &String| {
            let mut evidence = self.bare.clone();
            let kms_key_id = Some(key.clone());
            evidence.secret = Observed::Known(Secret { kms_key_id, ..Secret::default() });
            let mut scene = self.scene(Fact::of(FactOwner::Key), evidence);
            self.waves(&mut scene, 2..=3).await;
            scene.evidence
        })
        .await
    }

    /// The VPCs of all functions, and of all databases that matter.
    async fn network(&self, inventory: &Inventory) -> Evidence {
        let configurations = inventory
            .functions
            .values()
            .filter_map(|part| part.evidence.function.known()?.configuration.vpc_config.as_ref());
        let mut subnets = BTreeSet::new();
        let mut function_vpcs = BTreeSet::new();
        for vpc in configurations {
            subnets.extend(vpc.subnet_ids.iter().cloned());
            function_vpcs.extend(vpc.vpc_id.clone().filter(|id| !id.is_empty()));
        }
        let secrets = inventory.secrets.iter();
        let database_vpcs: BTreeSet<String> =
            secrets.flat_map(|secret| inventory.relevant_databases(secret).vpcs).collect();
        let facts = Fact::of(FactOwner::Vpc).chain(Fact::of(FactOwner::Account));
        let mut scene = self.scene(facts, self.bare.clone());
        scene.many = Some(Many {
            subnets: subnets.into_iter().collect(),
            function_vpcs: function_vpcs.into_iter().collect(),
            database_vpcs: database_vpcs.into_iter().collect(),
        });
        self.waves(&mut scene, 3..=5).await;
        settle_associations(&mut scene);
        scene.evidence
    }

    /// Every stack of the region, where a function or a secret was made by one.
    async fn stacks(&self, inventory: &Inventory) -> Result<Vec<crate::evidence::Stack>, Failure> {
        let named = |secret: &Secret| {
            cloudformation::stack_name(&inventory.scene_of(secret, &[Fact::Function])).is_some()
        };
        if !self.wanted.contains(&Fact::Stack) || !inventory.secrets.iter().any(named) {
            return Ok(Vec::new());
        }
        cloudformation::stacks(&self.caller.in_wave(3), &self.session.clients).await
    }

    /// The parameter groups of the databases that matter.
    async fn parameters(&self, inventory: &Inventory) -> BTreeMap<(bool, String), Evidence> {
        if !self.wanted.contains(&Fact::DBParameters) {
            return BTreeMap::new();
        }
        let mut groups = BTreeSet::new();
        for secret in &inventory.secrets {
            let relevant = inventory.relevant_databases(secret);
            groups.extend(relevant.parameter_groups.into_iter().map(|group| (false, group)));
            groups.extend(relevant.cluster_parameter_groups.into_iter().map(|group| (true, group)));
        }
        let caller = self.caller.in_wave(4);
        let clients = &self.session.clients;
        self.for_each("parameter groups", groups.into_iter().collect(), async |key| {
            let (of_cluster, group): &(bool, String) = key;
            let (action, found) = if *of_cluster {
                let found = rds::cluster_parameters(&caller, clients, group).await;
                ("rds:DescribeDBClusterParameters", found)
            } else {
                ("rds:DescribeDBParameters", rds::parameters(&caller, clients, group).await)
            };
            let mut scene = self.scene([Fact::DBParameters], self.bare.clone());
            match found {
                Ok(patch) => patch(&mut scene),
                Err(failure) => scene.failed(Fact::DBParameters, action, group, &failure),
            }
            scene.evidence
        })
        .await
    }
}
