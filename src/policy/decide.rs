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
        let filters = [
            self.levels(Layer::Rcp, self.layers.rcps.as_deref()),
            self.levels(Layer::Scp, self.scps()),
        ];
        let endpoint = self.endpoint();
        let before = filters.into_iter().flatten();
        let stages = before.chain([self.core_stage(&core)]).chain(endpoint).collect::<Vec<_>>();
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
        matches!(self.asked.request.principal, super::principal::Principal::Service(_))
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
    fn levels(&self, layer: Layer, levels: Option<&'a [Policies]>) -> Option<Stage<'a>> {
        let reading = if layer == Layer::Rcp { Reading::Filter } else { Reading::Identity };
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
