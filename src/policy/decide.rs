//! The decision: which layers apply, in what order, and which statement decided.
//!
//! Semantics: IAM User Guide, "Policy evaluation logic" and "Cross-account
//! policy evaluation logic"; KMS Developer Guide, "Key policies" and "Key states".

use std::{slice, sync::Arc};

use super::{
    allowed::MatchedStatement,
    decision::{Decision, Decisive, DenyKind, Doubt, DoubtReason, StatementRole},
    document::{Effect, Policy},
    filter::LayerAnswer,
    judge::Judge,
    path::GrantPaths,
    request::{Layer, Layers, Part, Policies, Request, Unseen},
    statement::Reading,
    tri::Tri,
};

/// Decides a request.
pub fn decide(request: &Request, layers: &Layers) -> Decision {
    Judge::new(request, layers).decide()
}

impl<'a> Judge<'a> {
    fn decide(&self) -> Decision {
        let mut doubts = Vec::new();
        if let Some(denied) = self.explicit(&mut doubts) {
            return denied;
        }
        let core = GrantPaths::of(self);
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
        self.decision(
            Effect::Allow,
            None,
            path.layer(),
            StatementRole::Allow,
            path.decisive(),
            doubts,
        )
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
                let found = MatchedStatement { policy, statement };
                match statement.applies(&self.asked, reading).0 {
                    Tri::No => {}
                    Tri::Unknown => doubts.push(self.doubt(layer, reading, found)),
                    Tri::Yes => {
                        let decisive = Decisive { layer, quote: found.quote(), failure: None };
                        return Some(self.decision(
                            Effect::Deny,
                            Some(DenyKind::Explicit),
                            layer,
                            StatementRole::Deny,
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
            why: DoubtReason::Unseen(unseen.clone()),
        }));
        None
    }

    /// What was not seen of the layers: it may hold a Deny.
    fn unseen_layers(&self) -> impl Iterator<Item = (Layer, &'a Unseen)> + use<'a> {
        let layers = self.layers;
        let own = !self.is_service();
        let identity = layers.identity_unseen.iter().filter(|unseen| !unseen.only_allows());
        let identity = identity.map(|unseen| (Layer::Identity, unseen));
        identity
            .chain(layers.boundary.unseen().map(|unseen| (Layer::Boundary, unseen)))
            .chain(layers.session.unseen().map(|unseen| (Layer::Session, unseen)))
            .filter(move |_| own)
            .chain(layers.resource.unseen().map(|unseen| (Layer::Resource, unseen)))
            .chain(layers.endpoint.unseen().map(|unseen| (Layer::Endpoint, unseen)))
    }

    /// The core with its boundary and session policy: who grants, and what
    /// limits the grant.
    fn core_stage(&self, core: &GrantPaths<'a>) -> LayerAnswer<'a> {
        let value = core.value();
        if value == Tri::Yes {
            return LayerAnswer { value, layer: Layer::Identity, doubts: Vec::new(), miss: None };
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
            return LayerAnswer {
                value,
                layer: *layer,
                doubts: self.doubts(*layer, Reading::Identity, limit),
                miss,
            };
        }
        let (layer, miss) = self.core_miss(core);
        LayerAnswer { value, layer, doubts, miss }
    }

    fn implicit(&self, stage: LayerAnswer<'a>) -> Decision {
        let kind = Some(DenyKind::Implicit);
        let doubts = if stage.value == Tri::Unknown { stage.doubts } else { Vec::new() };
        match stage.miss {
            Some(miss) => {
                let (layer, decisive) = (miss.layer, vec![miss.into_decisive()]);
                self.decision(Effect::Deny, kind, layer, StatementRole::NearMiss, decisive, doubts)
            }
            None => self.decision(
                Effect::Deny,
                kind,
                stage.layer,
                StatementRole::Absent,
                Vec::new(),
                doubts,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::{sample::*, *};

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
}
