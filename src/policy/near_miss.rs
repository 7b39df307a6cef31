//! The near miss of an implicit deny: the Allow statement or grant that matches the most of
//! the request, and the element on which it fails.

use std::sync::Arc;

use super::{
    allowed::MatchedStatement,
    condition::Condition,
    context::Known,
    decision::Decisive,
    document::{Effect, Listed, Policy, Statement},
    failure::{FailedOn, Failure},
    grant, hint,
    judge::Judge,
    path::GrantPaths,
    request::{Layer, Part, Quote},
    statement::{Asked, Element, Reading},
    tri::Tri,
};

/// A statement that came near.
pub(super) struct NearMiss<'a> {
    pub(super) layer: Layer,
    quote: MatchedSource<'a>,
    failure: Failure,
    /// How many elements matched before the first that did not.
    reached: u8,
}

/// Which elements match: principal, action, its service, resource, conditions.
type Rank = [bool; 5];

enum MatchedSource<'a> {
    Statement(MatchedStatement<'a>),
    Grant(Quote),
}

impl NearMiss<'_> {
    pub(super) fn into_decisive(self) -> Decisive {
        let quote = match self.quote {
            MatchedSource::Statement(found) => found.quote(),
            MatchedSource::Grant(quote) => quote,
        };
        Decisive { layer: self.layer, quote, failure: Some(self.failure) }
    }
}

impl<'a> Judge<'a> {
    /// The nearest miss among the Allow statements of a layer: the one that
    /// matches the most elements in their order, the first of them on a tie.
    pub(super) fn miss_in(
        &self,
        layer: Layer,
        policies: &'a [Arc<Policy>],
        reading: Reading,
    ) -> Option<NearMiss<'a>> {
        let mut best: Option<(Rank, MatchedStatement<'a>)> = None;
        for policy in policies {
            for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
                if let Some(rank) = self.rank(layer, statement, reading)
                    && best.as_ref().is_none_or(|(best, _)| rank > *best)
                {
                    best = Some((rank, MatchedStatement { policy, statement }));
                }
            }
        }
        let (_, found) = best?;
        let (element, value, condition) = found.statement.first_miss(&self.asked, reading)?;
        Some(NearMiss {
            layer,
            quote: MatchedSource::Statement(found),
            failure: failure(found.statement, &self.asked, element, value, condition),
            reached: element as u8,
        })
    }

    /// How near a statement comes; none where it matches, or is about something
    /// else altogether.
    fn rank(&self, layer: Layer, statement: &Statement, reading: Reading) -> Option<Rank> {
        let [principal, action, resource, conditions] = statement.elements(&self.asked, reading);
        if principal.and(action).and(resource).and(conditions) == Tri::Yes {
            return None;
        }
        let about = action == Tri::Yes || statement.names_service(&self.asked.action);
        let covers = resource == Tri::Yes;
        // Rights of another service on another thing are no near miss; a policy
        // that is a filter, or on the resource itself, was meant for this request.
        if layer == Layer::Identity && !about && !(covers && statement.hands_out_a_service()) {
            return None;
        }
        let named = principal != Tri::No;
        Some([named, action == Tri::Yes, about, covers, conditions == Tri::Yes])
    }

    /// The grant that came nearest.
    fn grant_miss(&self) -> Option<NearMiss<'a>> {
        let grants = self.layers.grants.given().filter(|_| self.is_key_use())?;
        let misses = grants.iter().filter_map(|grant| {
            let (reached, failure) = grant::failure(grant, &self.asked)?;
            let quote = MatchedSource::Grant(grant::quote(grant));
            Some(NearMiss { layer: Layer::Grant, quote, failure, reached })
        });
        misses.reduce(|best, next| if next.reached > best.reached { next } else { best })
    }

    /// The nearest miss where nothing grants the request: in the layer that is
    /// missing, or where several could grant it, in the one that came nearest.
    /// With it, the layer to name where nothing comes near.
    pub(super) fn core_miss(&self, core: &GrantPaths<'a>) -> (Layer, Option<NearMiss<'a>>) {
        let identity = || self.miss_in(Layer::Identity, &self.layers.identity, Reading::Identity);
        let resource = || match &self.layers.resource {
            Part::Given(policies) => {
                self.miss_in(Layer::Resource, policies, self.resource_reading())
            }
            _ => None,
        };
        let nearest = |misses: [Option<NearMiss<'a>>; 3]| {
            let misses = misses.into_iter().flatten();
            misses.reduce(|best, next| if next.reached > best.reached { next } else { best })
        };
        if self.is_service() {
            return (Layer::Resource, resource());
        }
        if self.asked.request.is_cross_account() {
            let granted = core.resource.any.value().or(core.grant.value);
            return match (granted, core.identity.value()) {
                (Tri::No, Tri::No) => {
                    (Layer::Identity, nearest([identity(), resource(), self.grant_miss()]))
                }
                (Tri::No, _) => (Layer::Resource, nearest([resource(), self.grant_miss(), None])),
                (_, Tri::No) => (Layer::Identity, identity()),
                (Tri::Unknown, _) => (Layer::Resource, resource()),
                _ => (Layer::Identity, identity()),
            };
        }
        if !self.needs_resource_policy() {
            return (Layer::Identity, nearest([identity(), resource(), None]));
        }
        if core.resource.account.value() == Tri::No {
            return (Layer::Resource, nearest([resource(), self.grant_miss(), None]));
        }
        // It is left to IAM. A statement for somebody else is then not the point.
        let direct = resource().filter(|miss| miss.reached > 0);
        (Layer::Identity, nearest([identity(), direct, self.grant_miss()]))
    }
}

fn failure(
    statement: &Statement,
    asked: &Asked<'_>,
    element: Element,
    value: Tri,
    condition: Option<&Condition>,
) -> Failure {
    let request = asked.request;
    let but = |list: Vec<String>, not: bool| match not {
        true => list.into_iter().map(|text| format!("all but {text}")).collect(),
        false => list,
    };
    let (failed_on, asks, seen) = match (element, condition) {
        (Element::Condition, Some(condition)) => {
            let seen = match request.context.look(&condition.key) {
                Known::Values(values) => Some(values.join(", ")),
                _ => None,
            };
            let (operator, key) = (condition.operator.clone(), condition.key.clone());
            (FailedOn::Condition { operator, key }, condition.values.clone(), seen)
        }
        (Element::Principal, _) => {
            let list = statement.principal.as_ref();
            let not = matches!(list, Some(Listed::AllBut(_)));
            let texts = list.map(|list| list.list().texts.clone()).unwrap_or_default();
            (FailedOn::Principal, but(texts, not), Some(request.principal.name().to_owned()))
        }
        (Element::Action, _) => {
            let list = statement.action.as_ref();
            let not = matches!(list, Some(Listed::AllBut(_)));
            let texts = list.into_iter().flat_map(|list| list.list()).map(|p| p.text.clone());
            (FailedOn::Action, but(texts.collect(), not), Some(request.action.clone()))
        }
        _ => {
            let list = statement.resource.as_ref();
            let not = matches!(list, Some(Listed::AllBut(_)));
            let texts = list.into_iter().flat_map(|list| list.list()).map(|p| p.text.clone());
            (FailedOn::Resource, but(texts.collect(), not), Some(request.resource.clone()))
        }
    };
    let mut failure =
        Failure { failed_on, asked: asks, seen, hint: None, uncertain: value == Tri::Unknown };
    failure.hint = hint::of(&failure, statement, asked, condition);
    failure
}

#[cfg(test)]
mod tests {
    use super::super::{sample::*, *};

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
