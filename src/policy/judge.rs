//! One request before the layers that apply to it: what every part of a decision reads.

use super::{
    decision::{Decision, Decisive, DenyKind, Doubt, StatementRole},
    document::Effect,
    principal::Principal,
    request::{Layer, Layers, Part, Request},
    statement::{Asked, Reading},
    tri::Tri,
};

/// A request and its layers.
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

    pub(super) fn decision(
        &self,
        effect: Effect,
        kind: Option<DenyKind>,
        layer: Layer,
        role: StatementRole,
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

    pub(super) fn is_service(&self) -> bool {
        matches!(self.asked.request.principal, Principal::Service(_))
    }

    pub(super) fn resource_reading(&self) -> Reading {
        if self.asked.action.service() == "sts" { Reading::Trust } else { Reading::Resource }
    }

    /// Whether an identity policy alone is not enough even in one account: KMS
    /// keys and roles decide by their own policy.
    pub(super) fn needs_resource_policy(&self) -> bool {
        self.is_key_use() || self.resource_reading() == Reading::Trust
    }

    /// Whether it is about one KMS key.
    pub(super) fn is_key_use(&self) -> bool {
        self.asked.action.service() == "kms" && self.asked.request.resource != "*"
    }
}
