//! Whether a statement matches a request, element by element.

use super::{
    action::{Action, ActionPattern},
    arn_pattern::ResourcePattern,
    condition::Condition,
    document::{Listed, Statement},
    principal::PrincipalMatch,
    request::Request,
    tri::Tri,
};
use crate::aws::arn::Arn;

/// An element of a statement, in the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// `Principal` or `NotPrincipal`.
    Principal,
    /// `Action` or `NotAction`.
    Action,
    /// `Resource` or `NotResource`.
    Resource,
    /// One key of `Condition`.
    Condition,
}

/// How the documents of a layer are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Identity, boundary, session, SCP: no `Principal`.
    Identity,
    /// A policy on a resource.
    Resource,
    /// A role's trust policy: no `Resource` needed.
    Trust,
    /// An endpoint policy or RCP: `Principal` counts where it is given.
    Filter,
}

/// A request with what every statement asks of it worked out once.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) action: Action,
    /// The resource's ARN, cut; none for `*`.
    resource: Option<Arn<'a>>,
    /// Whether the one who asks has a permissions boundary: `NotPrincipal` with
    /// Deny always hits such a principal.
    pub(super) bounded: Tri,
}

impl<'a> Asked<'a> {
    pub(super) fn new(request: &'a Request, bounded: Tri) -> Self {
        Self {
            request,
            action: Action::read(&request.action),
            resource: Arn::parse(&request.resource),
            bounded,
        }
    }
}

impl Statement {
    /// Whether it matches, and how it names the one who asks.
    pub(super) fn applies(&self, asked: &Asked<'_>, reading: Reading) -> (Tri, PrincipalMatch) {
        if !self.covers_action(&asked.action) {
            return (Tri::No, PrincipalMatch::None);
        }
        let (named, hit) = self.names_principal(asked, reading);
        if named == Tri::No {
            return (Tri::No, PrincipalMatch::None);
        }
        let covered = named.and(self.covers_resource(asked, reading));
        if covered == Tri::No {
            return (Tri::No, hit);
        }
        let met = Tri::all(self.conditions.iter().map(|c| c.holds(&asked.request.context)));
        (covered.and(met), hit)
    }

    /// What each element says: principal, action, resource, all conditions.
    pub(super) fn elements(&self, asked: &Asked<'_>, reading: Reading) -> [Tri; 4] {
        [
            self.names_principal(asked, reading).0,
            self.covers_action(&asked.action).into(),
            self.covers_resource(asked, reading),
            Tri::all(self.conditions.iter().map(|c| c.holds(&asked.request.context))),
        ]
    }

    /// The first element that does not match for sure, with what it says; the
    /// condition that it is, where it is one.
    pub(super) fn first_miss(
        &self,
        asked: &Asked<'_>,
        reading: Reading,
    ) -> Option<(Element, Tri, Option<&Condition>)> {
        let plain = [
            (Element::Principal, self.names_principal(asked, reading).0),
            (Element::Action, self.covers_action(&asked.action).into()),
            (Element::Resource, self.covers_resource(asked, reading)),
        ];
        let plain = plain.into_iter().map(|(element, value)| (element, value, None));
        let conditions = self.conditions.iter().map(|condition| {
            (Element::Condition, condition.holds(&asked.request.context), Some(condition))
        });
        // A definite miss says more than one that cannot be told.
        let mut unknown = None;
        for miss in plain.chain(conditions) {
            match miss.1 {
                Tri::No => return Some(miss),
                Tri::Unknown => unknown = unknown.or(Some(miss)),
                Tri::Yes => {}
            }
        }
        unknown
    }

    pub(super) fn covers_action(&self, action: &Action) -> bool {
        let any = |list: &[ActionPattern]| list.iter().any(|pattern| pattern.covers(action));
        match &self.action {
            None => false,
            Some(Listed::These(list)) => any(list),
            Some(Listed::AllBut(list)) => !any(list),
        }
    }

    pub(super) fn covers_resource(&self, asked: &Asked<'_>, reading: Reading) -> Tri {
        let request = asked.request;
        let any =
            |list: &[ResourcePattern]| {
                Tri::any(list.iter().map(|p| {
                    p.covers(&request.resource, asked.resource.as_ref(), &request.context)
                }))
            };
        match &self.resource {
            // A statement of a key policy without Resource has no effect.
            None => (reading == Reading::Trust).into(),
            Some(Listed::These(list)) => any(list),
            Some(Listed::AllBut(list)) => any(list).negate(),
        }
    }

    fn names_principal(&self, asked: &Asked<'_>, reading: Reading) -> (Tri, PrincipalMatch) {
        if reading == Reading::Identity {
            return (Tri::Yes, PrincipalMatch::Everyone);
        }
        let principal = &asked.request.principal;
        match &self.principal {
            None if reading == Reading::Filter => (Tri::Yes, PrincipalMatch::Everyone),
            None => (Tri::No, PrincipalMatch::None),
            Some(Listed::These(names)) => match names.name(principal) {
                PrincipalMatch::None => (Tri::No, PrincipalMatch::None),
                PrincipalMatch::Perhaps => (Tri::Unknown, PrincipalMatch::Role),
                hit => (Tri::Yes, hit),
            },
            Some(Listed::AllBut(names)) => {
                let mut applies = names.leave_out(principal).negate();
                if self.effect == super::document::Effect::Deny {
                    applies = applies.or(asked.bounded);
                }
                (applies, PrincipalMatch::Everyone)
            }
        }
    }

    /// Whether its actions are about the service that is asked for.
    pub(super) fn names_service(&self, action: &Action) -> bool {
        let list = self.action.as_ref().map(Listed::list);
        list.is_some_and(|list| list.iter().any(|pattern| pattern.names_service_of(action)))
    }

    /// Whether it hands out a whole service.
    pub(super) fn hands_out_a_service(&self) -> bool {
        matches!(&self.action, Some(Listed::These(list))
            if list.iter().any(ActionPattern::is_whole_service))
    }
}
