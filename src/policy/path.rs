//! The paths in which a request can be granted: by an identity policy, by the resource's
//! policy directly or by delegation, by a grant; and what limits each.

use super::{
    allowed::{Allowed, MatchedStatement},
    decision::{Decisive, Doubt, DoubtReason},
    document::Effect,
    grant,
    judge::Judge,
    principal::PrincipalMatch,
    request::{Layer, Part, Quote},
    statement::Reading,
    tri::Tri,
};

/// The paths, and the limits on them.
pub(super) struct GrantPaths<'a> {
    pub(super) paths: Vec<GrantPath<'a>>,
    /// What the boundary and the session policy allow, where there are any.
    pub(super) limits: Vec<(Layer, Allowed<'a>)>,
    pub(super) identity: Allowed<'a>,
    pub(super) resource: ByResource<'a>,
    pub(super) grant: Granted,
}

/// One path: every step has to be there.
pub(super) struct GrantPath<'a> {
    pub(super) steps: Vec<PathStep<'a>>,
    /// Whether a boundary or session policy that says nothing stops it.
    limited: Tri,
    limit: Tri,
}

/// One step of a path.
pub(super) struct PathStep<'a> {
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
    /// In any of these paths, first in the document.
    pub(super) any: Allowed<'a>,
}

/// What the grants of a key allow.
#[derive(Clone)]
pub(super) struct Granted {
    pub(super) value: Tri,
    pub(super) quote: Option<Quote>,
    doubt: Option<DoubtReason>,
}

impl<'a> GrantPaths<'a> {
    pub(super) fn of(judge: &Judge<'a>) -> Self {
        let layers = judge.layers;
        let mut identity = judge.allowed(&layers.identity, Reading::Identity);
        identity.unseen = layers.identity_unseen.first();
        let resource = ByResource::of(judge);
        let grant = Granted::of(judge);
        let limits = judge.limits();
        let step = |layer, allowed| PathStep { layer, allowed, grant: None };
        let of_identity = || step(Layer::Identity, identity);
        let of_resource = |allowed| step(Layer::Resource, allowed);
        let of_grant = || PathStep {
            layer: Layer::Grant,
            allowed: Allowed::default(),
            grant: Some(grant.clone()),
        };
        let paths: Vec<(Vec<PathStep<'a>>, Tri)> = if judge.is_service() {
            vec![(vec![of_resource(resource.free)], Tri::No)]
        } else if judge.asked.request.is_cross_account() {
            let mut paths = vec![(vec![of_resource(resource.any), of_identity()], Tri::Yes)];
            if judge.is_key_use() {
                paths.push((vec![of_grant(), of_identity()], Tri::Yes));
            }
            paths
        } else if judge.needs_resource_policy() {
            let mut paths = vec![
                (vec![of_resource(resource.free)], Tri::No),
                (vec![of_resource(resource.role)], Tri::Yes),
                (vec![of_resource(resource.account), of_identity()], Tri::Yes),
            ];
            if judge.is_key_use() {
                // How a boundary limits a grant is not documented.
                paths.push((vec![of_grant()], Tri::Unknown));
            }
            paths
        } else {
            vec![
                (vec![of_identity()], Tri::Yes),
                (vec![of_resource(resource.free)], Tri::No),
                (vec![of_resource(resource.role)], Tri::Yes),
            ]
        };
        let limit = Tri::all(limits.iter().map(|(_, allowed)| allowed.value()));
        let paths =
            paths.into_iter().map(|(steps, limited)| GrantPath { steps, limited, limit }).collect();
        Self { paths, limits, identity, resource, grant }
    }

    pub(super) fn value(&self) -> Tri {
        Tri::any(self.paths.iter().map(GrantPath::value))
    }

    /// As if there were no boundary and no session policy.
    pub(super) fn unlimited_value(&self) -> Tri {
        Tri::any(self.paths.iter().map(GrantPath::unlimited_value))
    }

    /// The first path that grants for sure.
    pub(super) fn granted(&self) -> Option<&GrantPath<'a>> {
        self.paths.iter().find(|path| path.value() == Tri::Yes)
    }
}

impl GrantPath<'_> {
    /// The layer of its first step.
    pub(super) fn layer(&self) -> Layer {
        self.steps.first().map_or(Layer::Identity, |step| step.layer)
    }

    fn value(&self) -> Tri {
        // Not limited, or limited and the limit allows.
        self.unlimited_value().and(self.limited.negate().or(self.limit))
    }

    fn unlimited_value(&self) -> Tri {
        Tri::all(self.steps.iter().map(PathStep::value))
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
            let why = DoubtReason::GrantUnderBoundary;
            doubts.push(Doubt { layer: Layer::Grant, quote: None, why });
        }
        doubts
    }
}

impl PathStep<'_> {
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
                let found = MatchedStatement { policy, statement };
                by.any.note(value, found);
                match hit {
                    PrincipalMatch::Account => by.account.note(value, found),
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
                Self { value: Tri::Unknown, doubt: Some(DoubtReason::Unseen(unseen.clone())), ..no }
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
                            .then(|| DoubtReason::Key("kms:EncryptionContext".to_owned()));
                        Self { value, quote: Some(grant::quote(grant)), doubt }
                    }
                }
            }
        }
    }
}

impl<'a> Judge<'a> {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{sample::*, *};

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
}
