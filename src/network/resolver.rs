//! Who asks for a name, and what may be answered: the state that every step of a name's
//! resolution shares.

use std::cell::RefCell;

use super::{Missing, Needed, PublicDns, Target, place::Place, view::View};
use crate::evidence::Fact;

/// One possible answer to the name.
pub(super) enum Answer<'a> {
    Places(Vec<Place<'a>>),
    /// No address: the VPC or the hosted zone that is to blame.
    NoAddress {
        resource: String,
        text: String,
        needed: Option<Needed>,
    },
    /// The name leads to an endpoint that does not serve.
    Unusable {
        endpoint: String,
        text: String,
    },
    Unseen(Missing),
}

/// The name, as the function's VPC (or Lambda's own network) sees it.
pub(super) struct Resolver<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) vpc: Option<&'a str>,
    pub(super) target: &'v Target,
    pub(super) dns: &'v PublicDns,
    /// The groups of the function.
    pub(super) groups: Vec<&'a str>,
    pub(super) doubts: RefCell<Vec<Missing>>,
    /// What else is worth knowing about the name.
    pub(super) remarks: RefCell<Vec<String>>,
}

pub(super) type Answers<'a> = Vec<(String, Answer<'a>)>;

/// A name as names compare: without the dot at the end, in small letters.
pub(crate) fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

impl Resolver<'_, '_> {
    pub(super) fn remark(&self, text: String) {
        self.remarks.borrow_mut().push(text);
    }

    pub(super) fn doubt(&self, missing: Missing) {
        self.doubts.borrow_mut().push(missing);
    }

    pub(super) fn doubt_about(&self, fact: Fact, resource: &str, reason: String) {
        let resource = resource.to_owned();
        self.doubt(Missing { fact, action: String::new(), resource, reason });
    }
}
