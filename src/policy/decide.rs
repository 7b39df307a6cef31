//! The decision: which layers have a say, in what order, and which statement
//! decided. Whether one statement matches is `statement.rs`'s, the nearest miss
//! `proof.rs`'s business.
//!
//! Semantics: IAM User Guide, "Policy evaluation logic" and "Cross-account
//! policy evaluation logic"; KMS Developer Guide, "Key policies" and "Key states".

use std::{slice, sync::Arc};

use super::{
    decision::{Decision, Decisive, DenyKind, Doubt, Role, Why},
    document::{Effect, Policy, Statement},
    grant,
    path::{Core, Path},
    principal::Principal,
    proof::Miss,
    request::{Layer, Layers, Part, Policies, Quote, Request, Unseen},
    statement::{Asked, Element, Reading},
    tri::Tri,
};

/// Decides a request.
pub fn decide(request: &Request, layers: &Layers) -> Decision {
    Judge::new(request, layers).decide()
}

/// A statement that was found, with its policy.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) policy: &'a Policy,
    pub(super) statement: &'a Statement,
}

impl Found<'_> {
    pub(super) fn quote(&self) -> Quote {
        Quote {
            policy: self.policy.name().to_owned(),
            index: Some(self.statement.index),
            sid: self.statement.sid.clone(),
            source: Arc::clone(self.statement.source()),
        }
    }
}

/// What a layer's Allow statements come to.
#[derive(Clone, Copy, Default)]
pub(super) struct Allowed<'a> {
    pub(super) yes: Option<Found<'a>>,
    pub(super) maybe: Option<Found<'a>>,
    pub(super) unseen: Option<&'a Unseen>,
}

impl<'a> Allowed<'a> {
    pub(super) fn value(&self) -> Tri {
        match self {
            Self { yes: Some(_), .. } => Tri::Yes,
            Self { maybe: None, unseen: None, .. } => Tri::No,
            _ => Tri::Unknown,
        }
    }

    pub(super) fn found(&self) -> Option<Found<'a>> {
        self.yes.or(self.maybe)
    }

    pub(super) fn note(&mut self, value: Tri, found: Found<'a>) {
        match value {
            Tri::Yes => self.yes = self.yes.or(Some(found)),
            Tri::Unknown => self.maybe = self.maybe.or(Some(found)),
            Tri::No => {}
        }
    }
}

/// One decision in the making.
pub(super) struct Judge<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) layers: &'a Layers,
}

impl<'a> Judge<'a> {
    pub(super) fn new(request: &'a Request, layers: &'a Layers) -> Self {
        let bounded = match &layers.boundary {
            // A service has no boundary, whatever the role's is.
            _ if matches!(request.principal, Principal::Service(_)) => Tri::No,
            Part::Given(_) => Tri::Yes,
            Part::Absent => Tri::No,
            Part::Unseen(_) => Tri::Unknown,
        };
        Self { asked: Asked::new(request, bounded), layers }
    }

    fn decide(&self) -> Decision {
        let mut doubts = Vec::new();
        if let Some(denied) = self.explicit(&mut doubts) {
            return denied;
        }
        let core = Core::of(self);
        // An RCP can only deny: RCPFullAWSAccess stands at every level and cannot
        // be detached.
        let scps = self.levels(self.scps());
        let core_stage = [self.core_stage(&core)];
        let stages: Vec<_> = scps.into_iter().chain(core_stage).chain(self.endpoint()).collect();
        let value = Tri::all(stages.iter().map(|stage| stage.value));
        if value != Tri::Yes {
            let stage = stages.into_iter().find(|stage| stage.value == value);
            let Some(stage) = stage else { unreachable!("a stage gave the least value") };
            return self.implicit(stage);
        }
        if let Some(decision) = self.key_state(&mut doubts) {
            return decision;
        }
        let path = core.granted().expect("the core is one of the stages that said yes");
        self.decision(Effect::Allow, None, path.layer(), Role::Allow, path.decisive(), doubts)
    }

    fn decision(
        &self,
        effect: Effect,
        kind: Option<DenyKind>,
        layer: Layer,
        role: Role,
        decisive: Vec<Decisive>,
        doubts: Vec<Doubt>,
    ) -> Decision {
        let mut not_evaluated = Vec::new();
        if self.layers.scps.is_none() {
            not_evaluated.push(Layer::Scp);
        }
        if self.layers.rcps.is_none() {
            not_evaluated.push(Layer::Rcp);
        }
        Decision { effect, kind, decisive, layer, role, doubts, not_evaluated }
    }

    /// Every layer's policies; none of the principal's own for a service.
    fn documents(&self) -> impl Iterator<Item = (Layer, Reading, &'a Arc<Policy>)> + use<'a> {
        let layers = self.layers;
        let own = !self.is_service();
        let part = |part: &'a Part<Arc<Policy>>| part.given().map_or(&[][..], slice::from_ref);
        let list = |part: &'a Part<Policies>| part.given().map_or(&[][..], Vec::as_slice);
        let flat = |levels: &'a Option<Vec<Policies>>| levels.iter().flatten().flatten();
        let resource = self.resource_reading();
        let identity = Reading::Identity;
        let tag = |layer, reading| move |policy| (layer, reading, policy);
        let mine = (layers.identity.iter().map(tag(Layer::Identity, identity)))
            .chain(part(&layers.boundary).iter().map(tag(Layer::Boundary, identity)))
            .chain(part(&layers.session).iter().map(tag(Layer::Session, identity)))
            .chain(flat(&layers.scps).map(tag(Layer::Scp, identity)));
        mine.filter(move |_| own)
            .chain(list(&layers.resource).iter().map(tag(Layer::Resource, resource)))
            .chain(list(&layers.endpoint).iter().map(tag(Layer::Endpoint, Reading::Filter)))
            .chain(flat(&layers.rcps).map(tag(Layer::Rcp, Reading::Filter)))
    }

    pub(super) fn is_service(&self) -> bool {
        matches!(self.asked.request.principal, Principal::Service(_))
    }

    pub(super) fn resource_reading(&self) -> Reading {
        if self.asked.action.service() == "sts" { Reading::Trust } else { Reading::Resource }
    }

    /// SCPs do not bind services.
    fn scps(&self) -> Option<&'a [Policies]> {
        self.layers.scps.as_deref().filter(|_| !self.is_service())
    }

    /// A Deny that matches, in any layer; what may match goes to the doubts.
    fn explicit(&self, doubts: &mut Vec<Doubt>) -> Option<Decision> {
        for (layer, reading, policy) in self.documents() {
            for statement in &policy.statements {
                if statement.effect != Effect::Deny {
                    continue;
                }
                let found = Found { policy, statement };
                match statement.applies(&self.asked, reading).0 {
                    Tri::No => {}
                    Tri::Unknown => doubts.push(self.doubt(layer, reading, found)),
                    Tri::Yes => {
                        let decisive = Decisive { layer, quote: found.quote(), failure: None };
                        return Some(self.decision(
                            Effect::Deny,
                            Some(DenyKind::Explicit),
                            layer,
                            Role::Deny,
                            vec![decisive],
                            Vec::new(),
                        ));
                    }
                }
            }
        }
        doubts.extend(self.unseen_layers().map(|(layer, unseen)| Doubt {
            layer,
            quote: None,
            why: Why::Unseen(unseen.clone()),
        }));
        None
    }

    /// What was not seen of the layers: it may hold a Deny.
    fn unseen_layers(&self) -> impl Iterator<Item = (Layer, &'a Unseen)> + use<'a> {
        let layers = self.layers;
        let own = !self.is_service();
        let identity = layers.identity_unseen.iter().map(|unseen| (Layer::Identity, unseen));
        identity
            .chain(layers.boundary.unseen().map(|unseen| (Layer::Boundary, unseen)))
            .chain(layers.session.unseen().map(|unseen| (Layer::Session, unseen)))
            .filter(move |_| own)
            .chain(layers.resource.unseen().map(|unseen| (Layer::Resource, unseen)))
            .chain(layers.endpoint.unseen().map(|unseen| (Layer::Endpoint, unseen)))
    }

    /// Why a statement can be told neither to match nor not to.
    pub(super) fn doubt(&self, layer: Layer, reading: Reading, found: Found<'_>) -> Doubt {
        let why = match found.statement.first_miss(&self.asked, reading) {
            Some((Element::Condition, _, Some(condition))) => Why::Key(condition.key.clone()),
            Some((Element::Resource, ..)) => Why::Resource,
            _ => Why::Principal,
        };
        Doubt { layer, quote: Some(found.quote()), why }
    }

    /// What the Allow statements of one list of policies come to.
    pub(super) fn allowed(&self, policies: &'a [Arc<Policy>], reading: Reading) -> Allowed<'a> {
        let mut allowed = Allowed::default();
        for policy in policies {
            for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
                let value = statement.applies(&self.asked, reading).0;
                allowed.note(value, Found { policy, statement });
                if allowed.yes.is_some() {
                    return allowed;
                }
            }
        }
        allowed
    }

    /// Every level of an organisation has to allow.
    fn levels(&self, levels: Option<&'a [Policies]>) -> Option<Stage<'a>> {
        let (layer, reading) = (Layer::Scp, Reading::Identity);
        let mut worst: Option<Stage<'a>> = None;
        for level in levels.unwrap_or_default() {
            let allowed = self.allowed(level, reading);
            let value = allowed.value();
            if worst.as_ref().is_none_or(|worst| value < worst.value) {
                worst = Some(self.filter(layer, reading, &allowed, level));
            }
        }
        worst
    }

    /// The endpoint's policy has to allow, where the call goes through one.
    fn endpoint(&self) -> Option<Stage<'a>> {
        let reading = Reading::Filter;
        let (allowed, policies) = match &self.layers.endpoint {
            Part::Absent => return None,
            Part::Given(policies) if policies.is_empty() => return None,
            Part::Given(policies) => (self.allowed(policies, reading), policies.as_slice()),
            Part::Unseen(unseen) => {
                (Allowed { unseen: Some(unseen), ..Allowed::default() }, &[][..])
            }
        };
        Some(self.filter(Layer::Endpoint, reading, &allowed, policies))
    }

    /// A layer that only filters.
    fn filter(
        &self,
        layer: Layer,
        reading: Reading,
        allowed: &Allowed<'_>,
        policies: &'a [Arc<Policy>],
    ) -> Stage<'a> {
        let value = allowed.value();
        if value == Tri::Yes {
            return Stage { value, layer, doubts: Vec::new(), miss: None };
        }
        let doubts = self.doubts(layer, reading, allowed);
        Stage { value, layer, doubts, miss: self.miss_in(layer, policies, reading) }
    }

    pub(super) fn doubts(
        &self,
        layer: Layer,
        reading: Reading,
        allowed: &Allowed<'_>,
    ) -> Vec<Doubt> {
        let statement = allowed.maybe.map(|found| self.doubt(layer, reading, found));
        let unseen = allowed.unseen.map(|unseen| Doubt {
            layer,
            quote: None,
            why: Why::Unseen(unseen.clone()),
        });
        statement.into_iter().chain(unseen).collect()
    }

    /// The core with its boundary and session policy: who grants, and what
    /// limits the grant.
    fn core_stage(&self, core: &Core<'a>) -> Stage<'a> {
        let value = core.value();
        if value == Tri::Yes {
            return Stage { value, layer: Layer::Identity, doubts: Vec::new(), miss: None };
        }
        let doubts = core.paths.iter().flat_map(|path| path.doubts(self)).collect();
        // Something would grant it, were it not limited.
        if core.unlimited_value() > value
            && let Some((layer, limit)) =
                core.limits.iter().find(|(_, limit)| limit.value() == value)
        {
            let policies = match layer {
                Layer::Boundary => &self.layers.boundary,
                _ => &self.layers.session,
            };
            let policies = policies.given().map_or(&[][..], slice::from_ref);
            let miss = self.miss_in(*layer, policies, Reading::Identity);
            return Stage {
                value,
                layer: *layer,
                doubts: self.doubts(*layer, Reading::Identity, limit),
                miss,
            };
        }
        let (layer, miss) = self.core_miss(core);
        Stage { value, layer, doubts, miss }
    }

    fn implicit(&self, stage: Stage<'a>) -> Decision {
        let kind = Some(DenyKind::Implicit);
        let doubts = if stage.value == Tri::Unknown { stage.doubts } else { Vec::new() };
        match stage.miss {
            Some(miss) => {
                let (layer, decisive) = (miss.layer, vec![miss.into_decisive()]);
                self.decision(Effect::Deny, kind, layer, Role::NearMiss, decisive, doubts)
            }
            None => {
                self.decision(Effect::Deny, kind, stage.layer, Role::Absent, Vec::new(), doubts)
            }
        }
    }

    /// An authorised use of a key still fails in most of its states.
    fn key_state(&self, doubts: &mut Vec<Doubt>) -> Option<Decision> {
        if !grant::is_cryptographic(&self.asked.action) {
            return None;
        }
        let state = match &self.layers.key_state {
            Part::Absent => return None,
            Part::Given(state) => state,
            Part::Unseen(unseen) => {
                let why = Why::Unseen(unseen.clone());
                doubts.push(Doubt { layer: Layer::KeyState, quote: None, why });
                return None;
            }
        };
        if matches!(state.as_str(), "Enabled" | "Updating") {
            return None;
        }
        let quote = Quote {
            policy: "in state".to_owned(),
            index: None,
            sid: Some(state.clone()),
            source: Arc::new(state.as_str().into()),
        };
        let decisive = vec![Decisive { layer: Layer::KeyState, quote, failure: None }];
        let (kind, layer) = (Some(DenyKind::KeyState), Layer::KeyState);
        Some(self.decision(Effect::Deny, kind, layer, Role::Deny, decisive, Vec::new()))
    }
}

/// One thing that has to say yes.
struct Stage<'a> {
    value: Tri,
    layer: Layer,
    doubts: Vec<Doubt>,
    miss: Option<Miss<'a>>,
}

impl Path<'_> {
    fn layer(&self) -> Layer {
        self.steps.first().map_or(Layer::Identity, |step| step.layer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::*, *};

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";
    const ROLE: &str = "arn:aws:iam::111122223333:role/rotation/RotRole";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/RotRole/rotfn";
    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const GET: &str = "secretsmanager:GetSecretValue";

    fn request(action: &str, resource: &str) -> Request {
        let mut context = Context::default();
        context.set("aws:PrincipalArn", ROLE);
        context.set("kms:EncryptionContext:SecretARN", SECRET);
        context.set("kms:EncryptionContext:SecretVersionId", "v1");
        Request {
            principal: Principal::read(SESSION, &context),
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: None,
            context,
        }
    }

    /// `Sid Effect Action Resource`, with a principal where there is one.
    fn statement(line: &str, principal: Option<Value>) -> Value {
        let [sid, effect, action, resource] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("four words: {line}")
        };
        let mut statement =
            json!({"Sid": sid, "Effect": effect, "Action": action, "Resource": resource});
        if let Some(principal) = principal {
            statement["Principal"] = principal;
        }
        statement
    }

    fn policy(statements: &[Value]) -> Arc<Policy> {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        Arc::new(Policy::new("p", document))
    }

    fn own(line: &str) -> Arc<Policy> {
        policy(&[statement(line, None)])
    }

    fn on_resource(line: &str, principal: Value) -> Part<Policies> {
        Part::Given(vec![policy(&[statement(line, Some(principal))])])
    }

    /// Effect, kind, layer, statements, role and failing element in one line.
    fn line(decision: &Decision) -> String {
        let sids: Vec<String> =
            decision.decisive.iter().map(|d| d.quote.sid.clone().unwrap_or_default()).collect();
        let mut line = format!(
            "{} {} {} {}",
            if decision.is_certain() { "" } else { "?" },
            decision.layer.name(),
            decision.role.name(),
            sids.join("+")
        );
        if let Some(failure) = decision.failure() {
            line.push_str(&format!(" {}", failure.failed_on));
        }
        line.trim().to_owned()
    }

    #[test]
    fn one_account_takes_either_side_and_an_account_principal_only_delegates() {
        let ask = request(GET, SECRET);
        let direct = |principal| Layers {
            resource: on_resource("R Allow secretsmanager:* *", principal),
            ..Layers::default()
        };
        let decided = |layers: &Layers| line(&decide(&ask, layers));
        for principal in [json!({"AWS": ROLE}), json!({"AWS": SESSION}), json!("*")] {
            assert_eq!(decided(&direct(principal)), "resource allow R");
        }
        assert_eq!(decided(&direct(json!({"AWS": ROOT}))), "identity absent");
        assert_eq!(
            decided(&direct(json!({"AWS": "AROAEXAMPLEROTROLE1"}))),
            "resource near_miss R Principal"
        );
        let both = Layers { identity: vec![own("I Allow * *")], ..direct(json!({"AWS": ROOT})) };
        assert_eq!(decided(&both), "identity allow I");
        let deny = Layers {
            identity: vec![own("I Allow * *")],
            resource: on_resource("D Deny * *", json!({"AWS": "111122223333"})),
            ..Layers::default()
        };
        assert_eq!(decided(&deny), "resource deny D");
    }

    #[test]
    fn across_accounts_both_sides_are_needed() {
        let other = SECRET.replace("111122223333", "444455556666");
        let ask = request(GET, &other);
        let identity = || vec![own("I Allow secretsmanager:* *")];
        let resource = |principal| on_resource("R Allow secretsmanager:* *", principal);
        let decided = |identity, resource| {
            line(&decide(&ask, &Layers { identity, resource, ..Layers::default() }))
        };
        assert_eq!(decided(identity(), Part::Absent), "resource absent");
        assert_eq!(decided(vec![], resource(json!({"AWS": ROLE}))), "identity absent");
        assert_eq!(decided(identity(), resource(json!({"AWS": ROLE}))), "resource allow R+I");
        assert_eq!(decided(identity(), resource(json!({"AWS": ROOT}))), "resource allow R+I");
        assert_eq!(
            decided(identity(), resource(json!({"AWS": "444455556666"}))),
            "resource near_miss R Principal"
        );
    }

    #[test]
    fn a_boundary_limits_the_role_but_not_the_session_or_everyone() {
        let ask = request(GET, SECRET);
        let decided = |identity, resource, boundary: &str| {
            let boundary = Part::Given(own(boundary));
            line(&decide(&ask, &Layers { identity, resource, boundary, ..Layers::default() }))
        };
        let resource = |principal| on_resource("R Allow secretsmanager:* *", principal);
        let silent = "B Allow logs:* *";
        let limited = "boundary near_miss B Action";
        assert_eq!(decided(vec![own("I Allow * *")], Part::Absent, silent), limited);
        assert_eq!(decided(vec![], resource(json!({"AWS": ROLE})), silent), limited);
        assert_eq!(decided(vec![], resource(json!({"AWS": SESSION})), silent), "resource allow R");
        assert_eq!(decided(vec![], resource(json!("*")), silent), "resource allow R");
        assert_eq!(decided(vec![], Part::Absent, "B Allow * *"), "identity absent");
        assert_eq!(
            decided(vec![own("I Allow * *")], Part::Absent, "B Deny * *"),
            "boundary deny B"
        );
    }

    #[test]
    fn a_session_policy_limits_in_the_same_way() {
        let ask = request(GET, SECRET);
        let layers = |resource| Layers {
            identity: vec![own("I Allow * *")],
            session: Part::Given(own("S Allow kms:* *")),
            resource,
            ..Layers::default()
        };
        assert_eq!(line(&decide(&ask, &layers(Part::Absent))), "session near_miss S Action");
        let session = on_resource("R Allow * *", json!({"AWS": SESSION}));
        assert_eq!(line(&decide(&ask, &layers(session))), "resource allow R");
    }

    #[test]
    fn a_key_policy_decides_what_iam_may_say() {
        let ask = request("kms:Decrypt", KEY);
        let decided = |identity, resource| {
            line(&decide(&ask, &Layers { identity, resource, ..Layers::default() }))
        };
        let key = |line: &str, principal| on_resource(line, principal);
        let iam = || vec![own(&format!("I Allow kms:Decrypt {KEY}"))];
        let root = || key("Root Allow kms:* *", json!({"AWS": ROOT}));
        assert_eq!(decided(iam(), root()), "resource allow Root+I");
        assert_eq!(decided(vec![], root()), "identity absent");
        assert_eq!(decided(iam(), Part::Absent), "resource absent");
        assert_eq!(
            decided(
                iam(),
                key("Admin Allow kms:* *", json!({"AWS": "arn:aws:iam::111122223333:role/Admin"}))
            ),
            "resource near_miss Admin Principal"
        );
        assert_eq!(
            decided(iam(), key("Root Allow kms:Describe* *", json!({"AWS": ROOT}))),
            "resource near_miss Root Action"
        );
        assert_eq!(
            decided(vec![], key("User Allow kms:* *", json!({"AWS": ROLE}))),
            "resource allow User"
        );
        assert_eq!(
            decided(vec![own("D Deny kms:* *")], key("U Allow kms:* *", json!({"AWS": ROLE}))),
            "identity deny D"
        );
        let alias = vec![own("I Allow kms:* arn:aws:kms:eu-west-1:111122223333:alias/my")];
        let layers = Layers { identity: alias, resource: root(), ..Layers::default() };
        let decision = decide(&ask, &layers);
        assert_eq!(line(&decision), "identity near_miss I Resource");
        assert_eq!(decision.failure().and_then(|failure| failure.hint), Some(Hint::KeyAlias));
        // A statement of a key policy without Resource has no effect.
        let mut bare = statement("U Allow kms:* *", Some(json!({"AWS": ROLE})));
        bare.as_object_mut().expect("object").remove("Resource");
        assert_eq!(
            decided(vec![], Part::Given(vec![policy(&[bare])])),
            "resource near_miss U Resource"
        );
        // The whole key policy delegates; a statement for somebody else is not the point.
        let usual = Part::Given(vec![policy(&[
            statement("Root Allow kms:* *", Some(json!({"AWS": ROOT}))),
            statement(
                "Admin Allow kms:* *",
                Some(json!({"AWS": "arn:aws:iam::111122223333:role/Admin"})),
            ),
        ])]);
        assert_eq!(
            decided(vec![own("S Allow secretsmanager:GetSecretValue *")], usual),
            "identity absent"
        );
    }

    #[test]
    fn grants_only_allow_and_have_constraints() {
        let ask = request("kms:Decrypt", KEY);
        let decided = |grant: Value, boundary| {
            let grants = serde_json::from_value(json!([grant])).expect("grant");
            let layers = Layers {
                resource: on_resource("Root Allow kms:* *", json!({"AWS": ROOT})),
                grants: Part::Given(grants),
                boundary,
                ..Layers::default()
            };
            line(&decide(&ask, &layers))
        };
        let grant = |grantee: &str, operation: &str, constraints: Value| {
            json!({"GrantId": "g", "GranteePrincipal": grantee, "Operations": [operation],
                "Constraints": constraints})
        };
        let no = || json!(null);
        let silent = || Part::Given(own("B Allow logs:* *"));
        assert_eq!(decided(grant(ROLE, "Decrypt", no()), Part::Absent), "grant allow g");
        assert_eq!(decided(grant(SESSION, "Decrypt", no()), Part::Absent), "grant allow g");
        assert_eq!(
            decided(grant(ROLE, "Encrypt", no()), Part::Absent),
            "grant near_miss g Operations"
        );
        assert_eq!(
            decided(grant("arn:aws:iam::1:role/x", "Decrypt", no()), Part::Absent),
            "grant near_miss g GranteePrincipal"
        );
        let subset = json!({"EncryptionContextSubset": {"secretarn": SECRET}});
        assert_eq!(decided(grant(ROLE, "Decrypt", subset), Part::Absent), "grant allow g");
        let equals = json!({"EncryptionContextEquals": {"SecretARN": SECRET}});
        assert_eq!(
            decided(grant(ROLE, "Decrypt", equals), Part::Absent),
            "grant near_miss g Constraints.EncryptionContextEquals"
        );
        let equals =
            json!({"EncryptionContextEquals": {"SecretARN": SECRET, "SecretVersionId": "v1"}});
        assert_eq!(decided(grant(ROLE, "Decrypt", equals), Part::Absent), "grant allow g");
        assert!(decided(grant(ROLE, "Decrypt", no()), silent()).starts_with('?'), "not documented");
        assert!(
            decided(grant(ROOT, "Decrypt", no()), Part::Absent).starts_with('?'),
            "not documented"
        );
    }

    #[test]
    fn key_states() {
        for (state, expected) in [
            ("Enabled", "resource allow U"),
            ("Updating", "resource allow U"),
            ("Disabled", "key_state deny Disabled"),
            ("PendingDeletion", "key_state deny PendingDeletion"),
            ("PendingReplicaDeletion", "key_state deny PendingReplicaDeletion"),
            ("Unavailable", "key_state deny Unavailable"),
            ("Creating", "key_state deny Creating"),
        ] {
            let layers = Layers {
                resource: on_resource("U Allow kms:* *", json!({"AWS": ROLE})),
                key_state: Part::Given(state.to_owned()),
                ..Layers::default()
            };
            assert_eq!(line(&decide(&request("kms:Decrypt", KEY), &layers)), expected);
            assert_eq!(
                line(&decide(&request("kms:DescribeKey", KEY), &layers)),
                "resource allow U"
            );
        }
    }

    #[test]
    fn every_level_of_an_organisation_has_to_allow() {
        let decided = |scps: Vec<Policies>, rcps: Vec<Policies>, principal: &str| {
            let mut ask = request(
                "lambda:InvokeFunction",
                "arn:aws:lambda:eu-west-1:111122223333:function:f",
            );
            ask.principal = Principal::read(principal, &ask.context);
            let layers = Layers {
                identity: vec![own("I Allow * *")],
                resource: on_resource(
                    "R Allow lambda:InvokeFunction *",
                    json!({"Service": "secretsmanager.amazonaws.com"}),
                ),
                scps: Some(scps),
                rcps: Some(rcps),
                ..Layers::default()
            };
            line(&decide(&ask, &layers))
        };
        let full = || vec![own("Full Allow * *")];
        let some = || vec![own("Some Allow kms:* *")];
        let service = "secretsmanager.amazonaws.com";
        assert_eq!(decided(vec![full(), full()], vec![full()], SESSION), "identity allow I");
        assert_eq!(decided(vec![full(), some()], vec![], SESSION), "scp near_miss Some Action");
        assert_eq!(decided(vec![full(), vec![]], vec![], SESSION), "scp absent");
        assert_eq!(decided(vec![some()], vec![], service), "resource allow R");
        assert_eq!(
            decided(vec![vec![own("D Deny * *")]], vec![full()], service),
            "resource allow R"
        );
        assert_eq!(decided(vec![full()], vec![vec![own("D Deny * *")]], service), "rcp deny D");
    }

    #[test]
    fn an_endpoint_policy_filters() {
        let ask = request("secretsmanager:GetRandomPassword", "*");
        let decided = |endpoint: Part<Policies>| {
            let identity = vec![own("I Allow secretsmanager:* *")];
            line(&decide(&ask, &Layers { identity, endpoint, ..Layers::default() }))
        };
        let given = |line: &str, principal| on_resource(line, principal);
        assert_eq!(decided(given("V Allow * *", json!("*"))), "identity allow I");
        assert_eq!(decided(given("V Allow * *", json!({"AWS": ROOT}))), "identity allow I");
        let only = format!("V Allow secretsmanager:* {SECRET}");
        assert_eq!(decided(given(&only, json!("*"))), "vpce near_miss V Resource");
        assert_eq!(
            decided(given("V Allow * *", json!({"AWS": "444455556666"}))),
            "vpce near_miss V Principal"
        );
        assert_eq!(decided(given("V Deny * *", json!("*"))), "vpce deny V");
        assert_eq!(decided(Part::Given(vec![policy(&[])])), "vpce absent");
        assert_eq!(decided(Part::Given(vec![])), "identity allow I");
    }

    #[test]
    fn a_trust_policy_needs_no_resource() {
        let role = "arn:aws:iam::111122223333:role/rotation/RotRole";
        let mut ask = request("sts:AssumeRole", role);
        let trust = |principal: Value| {
            let statement = json!({"Sid": "T", "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
            Layers { resource: Part::Given(vec![policy(&[statement])]), ..Layers::default() }
        };
        let lambda = || trust(json!({"Service": "lambda.amazonaws.com"}));
        assert_eq!(line(&decide(&ask, &lambda())), "resource near_miss T Principal");
        ask.principal = Principal::Service("lambda.amazonaws.com".to_owned());
        assert_eq!(line(&decide(&ask, &lambda())), "resource allow T");
        let layers = trust(json!({"Service": "ec2.amazonaws.com"}));
        assert_eq!(line(&decide(&ask, &layers)), "resource near_miss T Principal");
    }

    #[test]
    fn not_principal_always_hits_a_bounded_principal() {
        let ask = request(GET, SECRET);
        let decided = |names: Value, boundary: Part<Arc<Policy>>| {
            let deny = json!({"Sid": "N", "Effect": "Deny", "NotPrincipal": {"AWS": names}, "Action": "*", "Resource": "*"});
            let layers = Layers {
                identity: vec![own("I Allow * *")],
                resource: Part::Given(vec![policy(&[deny])]),
                boundary,
                ..Layers::default()
            };
            line(&decide(&ask, &layers))
        };
        let all = || json!([ROLE, SESSION, ROOT]);
        assert_eq!(decided(all(), Part::Absent), "identity allow I");
        assert_eq!(decided(all(), Part::Given(own("B Allow * *"))), "resource deny N");
        assert_eq!(
            decided(json!(["arn:aws:iam::111122223333:role/Admin"]), Part::Absent),
            "resource deny N"
        );
        assert_eq!(decided(json!([ROLE]), Part::Absent), "? identity allow I");
    }

    #[test]
    fn what_was_not_seen_makes_doubts_and_never_certainty() {
        let ask = request(GET, SECRET);
        let gap = |fact| Unseen { fact, resource: "r".to_owned() };
        use crate::evidence::Fact;
        let policies = vec![gap(Fact::AttachedPolicies)];
        let layers = Layers { identity_unseen: policies.clone(), ..Layers::default() };
        let decision = decide(&ask, &layers);
        assert_eq!((decision.effect, decision.is_denied()), (Effect::Deny, false));
        assert_eq!(decision.unseen().next(), Some(&policies[0]));
        let layers = Layers {
            identity: vec![own("I Allow * *")],
            resource: Part::Unseen(gap(Fact::SecretPolicy)),
            ..Layers::default()
        };
        let decision = decide(&ask, &layers);
        assert_eq!((decision.effect, decision.is_allowed()), (Effect::Allow, false));
        // A Deny that is certain needs nothing else.
        let layers = Layers {
            identity: vec![own("D Deny * *")],
            identity_unseen: policies,
            ..Layers::default()
        };
        assert!(decide(&ask, &layers).is_denied());
        assert_eq!(decide(&ask, &layers).not_evaluated, [Layer::Scp, Layer::Rcp]);
        let layers = Layers {
            identity: vec![own("I Allow * *")],
            boundary: Part::Unseen(gap(Fact::PermissionsBoundary)),
            ..Layers::default()
        };
        assert!(!decide(&ask, &layers).is_certain());
    }

    #[test]
    fn the_nearest_miss_matches_most_and_is_the_first_of_equals() {
        let ask = request(GET, SECRET);
        let statements = [
            statement("Logs Allow logs:PutLogEvents *", None),
            statement("Put Allow secretsmanager:PutSecretValue *", None),
            statement(
                &format!("Other Allow secretsmanager:* {}", SECRET.replace("db-", "x-")),
                None,
            ),
            statement(
                &format!("Old Allow secretsmanager:* {}", SECRET.replace("AbCdEf", "XyZ123")),
                None,
            ),
        ];
        let decided = |count: usize| {
            let identity = vec![policy(&statements[..count])];
            decide(&ask, &Layers { identity, ..Layers::default() })
        };
        assert_eq!(line(&decided(1)), "identity absent");
        assert_eq!(line(&decided(2)), "identity near_miss Put Action");
        assert_eq!(line(&decided(4)), "identity near_miss Other Resource");
        let failure = decided(3).failure().cloned().expect("a near miss");
        assert_eq!(failure.hint, Some(Hint::OtherSecret));
        assert_eq!(failure.seen.as_deref(), Some(SECRET));
        let identity = vec![policy(&statements[3..])];
        let decision = decide(&ask, &Layers { identity, ..Layers::default() });
        assert_eq!(
            decision.failure().and_then(|failure| failure.hint),
            Some(Hint::SecretSuffixStale)
        );
        let words = decision.words(GET, SECRET);
        assert!(
            words.contains("statement \"Old\" of p") && words.contains("six random"),
            "{words}"
        );
    }
}
