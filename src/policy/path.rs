//! The ways in which a request can be granted: by an identity policy, by the
//! resource's policy directly or by delegation, by a grant; and what limits
//! each. The order of layers is `decide.rs`'s business.

use super::{
    decide::{Allowed, Found, Judge},
    decision::{Decisive, Doubt, Why},
    document::Effect,
    grant,
    principal::Hit,
    request::{Layer, Part, Quote},
    statement::Reading,
    tri::Tri,
};

/// The ways, and the limits on them.
pub(super) struct Core<'a> {
    pub(super) paths: Vec<Path<'a>>,
    /// What the boundary and the session policy allow, where there are any.
    pub(super) limits: Vec<(Layer, Allowed<'a>)>,
    pub(super) identity: Allowed<'a>,
    pub(super) resource: ByResource<'a>,
    pub(super) grant: Granted,
}

/// One way: every step has to be there.
pub(super) struct Path<'a> {
    pub(super) steps: Vec<Step<'a>>,
    /// Whether a boundary or session policy that says nothing stops it.
    limited: Tri,
    limit: Tri,
}

/// One step of a way.
pub(super) struct Step<'a> {
    pub(super) layer: Layer,
    allowed: Allowed<'a>,
    grant: Option<Granted>,
}

/// What the resource's policy allows, by how it names the one who asks.
#[derive(Clone, Copy, Default)]
pub(super) struct ByResource<'a> {
    /// As everyone, by session or service.
    pub(super) free: Allowed<'a>,
    /// By role.
    pub(super) role: Allowed<'a>,
    /// By account: delegation.
    pub(super) account: Allowed<'a>,
    /// In any of these ways, first in the document.
    pub(super) any: Allowed<'a>,
}

/// What the grants of a key allow.
#[derive(Clone)]
pub(super) struct Granted {
    pub(super) value: Tri,
    pub(super) quote: Option<Quote>,
    doubt: Option<Why>,
}

impl<'a> Core<'a> {
    pub(super) fn of(judge: &Judge<'a>) -> Self {
        let layers = judge.layers;
        let mut identity = judge.allowed(&layers.identity, Reading::Identity);
        identity.unseen = layers.identity_unseen.first();
        let resource = ByResource::of(judge);
        let grant = Granted::of(judge);
        let limits = judge.limits();
        let step = |layer, allowed| Step { layer, allowed, grant: None };
        let of_identity = || step(Layer::Identity, identity);
        let of_resource = |allowed| step(Layer::Resource, allowed);
        let of_grant = || Step {
            layer: Layer::Grant,
            allowed: Allowed::default(),
            grant: Some(grant.clone()),
        };
        let ways: Vec<(Vec<Step<'a>>, Tri)> = if judge.is_service() {
            vec![(vec![of_resource(resource.free)], Tri::No)]
        } else if judge.asked.request.is_cross_account() {
            let mut ways = vec![(vec![of_resource(resource.any), of_identity()], Tri::Yes)];
            if judge.is_key_use() {
                ways.push((vec![of_grant(), of_identity()], Tri::Yes));
            }
            ways
        } else if judge.needs_resource_policy() {
            let mut ways = vec![
                (vec![of_resource(resource.free)], Tri::No),
                (vec![of_resource(resource.role)], Tri::Yes),
                (vec![of_resource(resource.account), of_identity()], Tri::Yes),
            ];
            if judge.is_key_use() {
                // How a boundary limits a grant is not documented.
                ways.push((vec![of_grant()], Tri::Unknown));
            }
            ways
        } else {
            vec![
                (vec![of_identity()], Tri::Yes),
                (vec![of_resource(resource.free)], Tri::No),
                (vec![of_resource(resource.role)], Tri::Yes),
            ]
        };
        let limit = Tri::all(limits.iter().map(|(_, allowed)| allowed.value()));
        let paths =
            ways.into_iter().map(|(steps, limited)| Path { steps, limited, limit }).collect();
        Self { paths, limits, identity, resource, grant }
    }

    pub(super) fn value(&self) -> Tri {
        Tri::any(self.paths.iter().map(Path::value))
    }

    /// As if there were no boundary and no session policy.
    pub(super) fn unlimited_value(&self) -> Tri {
        Tri::any(self.paths.iter().map(Path::unlimited_value))
    }

    /// The first way that grants for sure.
    pub(super) fn granted(&self) -> Option<&Path<'a>> {
        self.paths.iter().find(|path| path.value() == Tri::Yes)
    }
}

impl Path<'_> {
    fn value(&self) -> Tri {
        // Not limited, or limited and the limit allows.
        self.unlimited_value().and(self.limited.negate().or(self.limit))
    }

    fn unlimited_value(&self) -> Tri {
        Tri::all(self.steps.iter().map(Step::value))
    }

    /// The statements of its steps.
    pub(super) fn decisive(&self) -> Vec<Decisive> {
        self.steps
            .iter()
            .filter_map(|step| {
                let quote = match &step.grant {
                    Some(grant) => grant.quote.clone()?,
                    None => step.allowed.found()?.quote(),
                };
                Some(Decisive { layer: step.layer, quote, failure: None })
            })
            .collect()
    }

    /// Why it may grant, where it can only be guessed.
    pub(super) fn doubts(&self, judge: &Judge<'_>) -> Vec<Doubt> {
        if self.value() != Tri::Unknown {
            return Vec::new();
        }
        let mut doubts: Vec<Doubt> = Vec::new();
        for step in self.steps.iter().filter(|step| step.value() == Tri::Unknown) {
            let reading = match step.layer {
                Layer::Resource => judge.resource_reading(),
                _ => Reading::Identity,
            };
            doubts.extend(judge.doubts(step.layer, reading, &step.allowed));
            if let Some(why) = step.grant.as_ref().and_then(|grant| grant.doubt.clone()) {
                doubts.push(Doubt { layer: step.layer, quote: None, why });
            }
        }
        if doubts.is_empty() {
            let why = Why::GrantUnderBoundary;
            doubts.push(Doubt { layer: Layer::Grant, quote: None, why });
        }
        doubts
    }
}

impl Step<'_> {
    fn value(&self) -> Tri {
        self.grant.as_ref().map_or_else(|| self.allowed.value(), |grant| grant.value)
    }
}

impl<'a> ByResource<'a> {
    fn of(judge: &Judge<'a>) -> Self {
        let mut by = Self::default();
        let policies = match &judge.layers.resource {
            Part::Absent => return by,
            Part::Unseen(unseen) => {
                for allowed in [&mut by.free, &mut by.role, &mut by.account, &mut by.any] {
                    allowed.unseen = Some(unseen);
                }
                return by;
            }
            Part::Given(policies) => policies,
        };
        for policy in policies {
            for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
                let (value, hit) = statement.applies(&judge.asked, judge.resource_reading());
                let found = Found { policy, statement };
                by.any.note(value, found);
                match hit {
                    Hit::Account => by.account.note(value, found),
                    hit if hit.is_unlimited() => by.free.note(value, found),
                    _ => by.role.note(value, found),
                }
            }
        }
        by
    }
}

impl Granted {
    fn of(judge: &Judge<'_>) -> Self {
        let no = Self { value: Tri::No, quote: None, doubt: None };
        if !judge.is_key_use() {
            return no;
        }
        match &judge.layers.grants {
            Part::Absent => no,
            Part::Unseen(unseen) => {
                Self { value: Tri::Unknown, doubt: Some(Why::Unseen(unseen.clone())), ..no }
            }
            Part::Given(grants) => {
                let best = grants
                    .iter()
                    .map(|grant| (grant::allows(grant, &judge.asked), grant))
                    .reduce(|best, next| if next.0 > best.0 { next } else { best });
                match best {
                    None | Some((Tri::No, _)) => no,
                    Some((value, grant)) => {
                        let doubt = (value == Tri::Unknown)
                            .then(|| Why::Key("kms:EncryptionContext".to_owned()));
                        Self { value, quote: Some(grant::quote(grant)), doubt }
                    }
                }
            }
        }
    }
}

impl<'a> Judge<'a> {
    /// Whether an identity policy alone is not enough even in one account: KMS
    /// keys and roles decide by their own policy.
    pub(super) fn needs_resource_policy(&self) -> bool {
        self.is_key_use() || self.resource_reading() == Reading::Trust
    }

    /// Whether it is about one KMS key.
    pub(super) fn is_key_use(&self) -> bool {
        self.asked.action.service() == "kms" && self.asked.request.resource != "*"
    }

    fn limits(&self) -> Vec<(Layer, Allowed<'a>)> {
        let layers = self.layers;
        let mut limits = Vec::new();
        if self.is_service() {
            return limits;
        }
        for (layer, part) in
            [(Layer::Boundary, &layers.boundary), (Layer::Session, &layers.session)]
        {
            let allowed = match part {
                Part::Absent => continue,
                Part::Given(policy) => {
                    self.allowed(std::slice::from_ref(policy), Reading::Identity)
                }
                Part::Unseen(unseen) => Allowed { unseen: Some(unseen), ..Allowed::default() },
            };
            limits.push((layer, allowed));
        }
        limits
    }
}
