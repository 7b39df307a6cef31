//! One case: the evidence as a check sees it. Every fact that a check reads is recorded,
//! and the value is reached only by saying what happens where there is none.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
};

use super::Reading;
use crate::{
    aws::arn::Arn,
    evidence::*,
    network,
    policy::{self, RotationRequest},
    rotation_log::{AttemptOutcome, RotationLog},
};

/// The evidence about one secret, as checks see it.
pub struct Case<'a> {
    evidence: &'a Evidence,
    declared: bool,
    log: OnceCell<Observed<RotationLog>>,
    network: OnceCell<Box<Evidence>>,
    network_without_zones: OnceCell<Box<Evidence>>,
    requests: OnceCell<Vec<RotationRequest>>,
    reads: RefCell<BTreeSet<Fact>>,
}

/// What is compared as a fact, and so has no placeholder.
impl Case<'_> {
    /// The region of the secret, where it is known.
    pub fn region_if_known(&self) -> Option<&str> {
        self.evidence.region().or_else(|| {
            let log = self.read_log()?;
            self.read_secret().and_then(Arn::region_of).or(log.region.as_deref())
        })
    }

    /// The database, where the caller named it.
    pub fn named_database(&self) -> Option<&NamedDatabase> {
        self.evidence.database.as_ref()
    }

    /// The account of the secret, where it is known.
    pub fn account_if_known(&self) -> Option<&str> {
        self.evidence.account_id().or_else(|| Arn::account_of(self.read_secret()?))
    }

    /// The ARN of the secret, where it is known; else the one that a log alone names.
    pub fn secret_arn_if_known(&self) -> Option<&str> {
        self.evidence.secret_arn().or_else(|| self.read_secret())
    }

    /// The ARN that a log alone names.
    fn read_secret(&self) -> Option<&str> {
        self.read_log()?.secret.as_deref()
    }

    /// The log that came without any other evidence.
    fn read_log(&self) -> Option<&RotationLog> {
        self.log.get().filter(|_| self.evidence.secret.known().is_none())?.known()
    }
}

macro_rules! readings {
    ($( $name:ident: $fact:ident => $type:ty ),* $(,)?) => {$(
        #[doc = concat!("Reads `", stringify!($fact), "`.")]
        pub fn $name(&self) -> Reading<'_, $type> {
            self.reading(Fact::$fact, &self.evidence.$name)
        }
    )*};
}

impl<'a> Case<'a> {
    /// A case on this evidence.
    pub fn new(evidence: &'a Evidence) -> Self {
        Self {
            evidence,
            declared: false,
            log: OnceCell::new(),
            network: OnceCell::new(),
            network_without_zones: OnceCell::new(),
            requests: OnceCell::new(),
            reads: RefCell::default(),
        }
    }

    /// A case of what a file declares and nobody deployed yet.
    pub fn declared(evidence: &'a Evidence) -> Self {
        Self { declared: true, ..Self::new(evidence) }
    }

    /// Whether the case is declared in a file and not deployed yet.
    pub fn is_declared(&self) -> bool {
        self.declared
    }

    /// A case whose log was read from a stream instead of `LogEvents`.
    pub fn with_log(evidence: &'a Evidence, log: RotationLog) -> Self {
        let case = Self::new(evidence);
        let _ = case.log.set(Observed::Known(log));
        case
    }

    readings! {
        secret: Secret => Secret,
        secret_versions: SecretVersions => SecretVersions,
        secret_shape: SecretShape => std::collections::BTreeMap<String, StageShape>,
        secret_policy: SecretPolicy => PolicyDocument,
        superuser_secret: SuperuserSecret => Secret,
        function: Function => Function,
        function_policy: FunctionPolicy => PolicyDocument,
        package: Package => Package,
        role: Role => Role,
        role_policies: RolePolicies => Vec<RolePolicy>,
        attached_policies: AttachedPolicies => Vec<ManagedPolicy>,
        permissions_boundary: PermissionsBoundary => ManagedPolicy,
        db_instances: DBInstances => Vec<DbInstance>,
        db_clusters: DBClusters => Vec<DbCluster>,
        db_parameters: DBParameters => Vec<DbParameter>,
        stack: Stack => Stack,
        stack_events: StackEvents => Vec<StackEvent>,
        stack_resources: StackResources => Vec<StackResource>,
        log_group: LogGroup => LogGroup,
        log_events: LogEvents => Vec<LogEvent>,
        trail_events: TrailEvents => Vec<TrailEvent>,
    }

    /// Reads the rotation log: `LogEvents`, read into attempts.
    pub fn log(&self) -> Reading<'_, RotationLog> {
        let observed = self.log.get_or_init(|| match &self.evidence.log_events {
            Observed::Known(events) => {
                let log = RotationLog::from_events(events, self.evidence.secret_arn());
                let trail = self.evidence.trail_events.known().map(Vec::as_slice);
                Observed::Known(log.without_other_secrets(self.evidence.secret.known(), trail))
            }
            Observed::Absent => Observed::Absent,
            Observed::NotAsked => Observed::NotAsked,
            Observed::NotSeen(gap) => Observed::NotSeen(gap.clone()),
        });
        self.reading(Fact::LogEvents, observed)
    }

    /// Reads the metadata of the key with this id, ARN or alias.
    pub fn key_metadata(&self, key: &str) -> Reading<'_, KeyMetadata> {
        self.key_part(Fact::KeyMetadata, key, |key| &key.key_metadata)
    }

    /// Reads the policy of the key with this id, ARN or alias.
    pub fn key_policy(&self, key: &str) -> Reading<'_, PolicyDocument> {
        self.key_part(Fact::KeyPolicy, key, |key| &key.policy)
    }

    /// Reads the grants on the key with this id, ARN or alias.
    pub fn key_grants(&self, key: &str) -> Reading<'_, Vec<Grant>> {
        self.key_part(Fact::KeyGrants, key, |key| &key.grants)
    }

    fn key_part<T: 'a>(
        &self,
        fact: Fact,
        wanted: &str,
        part: impl Fn(&'a Key) -> &'a Observed<T>,
    ) -> Reading<'_, T> {
        self.reads.borrow_mut().insert(fact);
        let entry = self.evidence.keys.iter().find(|(arn, key)| {
            let metadata = key.key_metadata.known();
            arn.as_str() == wanted
                || arn.ends_with(&format!("/{wanted}"))
                || wanted.starts_with("alias/") && arn.ends_with(&format!(":{wanted}"))
                || metadata.is_some_and(|m| {
                    m.key_id.as_deref() == Some(wanted) || m.arn.as_deref() == Some(wanted)
                })
        });
        if let Some((_, key)) = entry {
            return Reading::new(fact, wanted.to_owned(), part(key));
        }
        Reading::unseen(fact, wanted.to_owned(), self.evidence.gap(fact, Some(wanted)))
    }

    fn reading<'b, T>(&'b self, fact: Fact, observed: &'b Observed<T>) -> Reading<'b, T> {
        self.reads.borrow_mut().insert(fact);
        Reading::new(fact, self.resource_of(fact), observed)
    }

    /// What a fact is about, for the line that says it is missing.
    fn resource_of(&self, fact: Fact) -> String {
        let secret = self.evidence.secret.known();
        let function = || secret.and_then(|secret| secret.rotation_lambda_arn.clone());
        match fact {
            Fact::Secret | Fact::SecretVersions | Fact::SecretShape | Fact::SecretPolicy => {
                self.evidence.secret_arn().map(str::to_owned)
            }
            Fact::Function | Fact::FunctionPolicy | Fact::Package => function(),
            Fact::Role
            | Fact::RolePolicies
            | Fact::AttachedPolicies
            | Fact::PermissionsBoundary => {
                self.evidence.function.known().and_then(|f| f.configuration.role.clone())
            }
            Fact::LogGroup | Fact::LogEvents => {
                self.evidence.function.known().and_then(|f| f.configuration.log_group())
            }
            _ => None,
        }
        .unwrap_or_default()
    }

    /// The evidence for the path engine, and for nothing else: it says itself
    /// what it did not see. All of [`network::FACTS`] count as looked at.
    ///
    /// Private hosted zones and resolver rules that nobody asked for count as
    /// none ([`Self::zones_assumed_away`]); refused ones stay unknown.
    pub fn network(&self) -> &Evidence {
        self.reads.borrow_mut().extend(network::FACTS);
        if !self.zones_assumed_away() {
            return self.evidence;
        }
        self.network.get_or_init(|| {
            let mut evidence = Box::new(self.evidence.clone());
            if evidence.hosted_zones_by_vpc == Observed::NotAsked {
                evidence.hosted_zones_by_vpc = Observed::Absent;
            }
            if evidence.resolver_rules == Observed::NotAsked {
                evidence.resolver_rules = Observed::Absent;
            }
            evidence
        })
    }

    /// Whether [`Self::network`] takes it that no private hosted zone and no
    /// resolver rule changes a name.
    pub fn zones_assumed_away(&self) -> bool {
        self.evidence.hosted_zones_by_vpc == Observed::NotAsked
            || self.evidence.resolver_rules == Observed::NotAsked
    }

    /// [`Self::network`] as if there were no private hosted zone and no resolver rule
    /// in the VPC, where seeing them was refused: few VPCs have one that matters, and
    /// few people may see them. `None` where they were seen or not asked for.
    pub fn network_without_zones(&self) -> Option<&Evidence> {
        let facts = [Fact::HostedZonesByVPC, Fact::ResolverRules];
        let refused = |gap: &Gap| {
            facts.iter().any(|fact| gap.fact == fact.name()) && gap.reason != Reason::Unsupported
        };
        if !self.evidence.gaps.iter().any(refused) {
            return None;
        }
        Some(self.network_without_zones.get_or_init(|| {
            let mut evidence = Box::new(self.evidence.clone());
            evidence.gaps.retain(|gap| !refused(gap));
            for fact in facts {
                evidence.set_absent(fact);
            }
            evidence
        }))
    }

    /// End of the last good rotation as the secret itself shows it. A version that
    /// is still pending contradicts the date where it is older, and where the
    /// newest attempt in the function's log failed before the date: a rotation that
    /// ends well removes the label, and is the newest in the log.
    pub fn last_rotated(&self) -> Option<Time> {
        let secret = self.secret().if_known()?;
        let rotated = secret.last_rotated_date?;
        let Some(pending) = secret.stuck_pending() else { return Some(rotated) };
        let versions = self.secret_versions();
        let created = versions.if_known().and_then(|versions| versions.created(pending));
        let log = self.log();
        let newest = log.if_known().and_then(|log| log.last_attempt());
        let failed_before = newest.is_some_and(|newest| {
            newest.outcome == AttemptOutcome::Failed
                && newest.started_at.is_some_and(|at| at < rotated)
        });
        let older = created.is_some_and(|created| created <= rotated);
        (!older && !failed_before).then_some(rotated)
    }

    /// When the facts were collected: the clock of every judgement.
    pub fn now(&self) -> Time {
        self.evidence.captured_at
    }

    /// The region of the secret.
    pub fn region(&self) -> &str {
        self.region_if_known().unwrap_or("REGION")
    }

    /// The account of the secret.
    pub fn account_id(&self) -> &str {
        self.account_if_known().unwrap_or("ACCOUNT")
    }

    /// The partition.
    pub fn partition(&self) -> &str {
        match self.read_secret().and_then(Arn::partition_of) {
            Some(partition) => partition,
            None => self.evidence.partition(),
        }
    }

    /// The secret's name, else its ARN, for words that people read.
    pub fn secret_id(&self) -> &str {
        match self.evidence.secret.known() {
            Some(secret) => secret.label(),
            None => self.secret_arn_if_known().unwrap_or("SECRET"),
        }
    }

    /// The secret's name, else its ARN, as `--secret-id` takes it.
    pub fn secret_id_if_known(&self) -> Option<&str> {
        match self.evidence.secret.known() {
            Some(secret) => secret.name.as_deref().or(secret.arn.as_deref()),
            None => self.secret_arn_if_known(),
        }
    }

    /// The ARN of the secret, or its name, as the resource of a finding.
    pub fn secret_resource(&self) -> String {
        self.secret_arn_if_known().unwrap_or_else(|| self.secret_id()).to_owned()
    }

    /// The evidence for the policy evaluator, which reads `facts` of it. For that
    /// engine alone: a check reads facts itself.
    pub(crate) fn policies(&self, facts: &[Fact]) -> &'a Evidence {
        self.reads.borrow_mut().extend(facts);
        self.evidence
    }

    /// The requests of a rotation out of that evidence, worked out once: several checks
    /// judge a part of them each. What they read is declared by [`Self::policies`].
    pub(crate) fn rotation_requests(&self) -> &[RotationRequest] {
        self.requests.get_or_init(|| policy::rotation_requests(self.evidence))
    }

    /// The facts that were read so far.
    pub fn reads(&self) -> BTreeSet<Fact> {
        self.reads.borrow().clone()
    }

    /// Forgets which facts were read.
    pub fn forget_reads(&self) {
        self.reads.borrow_mut().clear();
    }

    /// The evidence itself, for the diagnosis; a check uses the readings.
    pub(crate) fn evidence(&self) -> &'a Evidence {
        self.evidence
    }
}
