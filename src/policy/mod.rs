//! AWS policies, evaluated purely: may this request be made, and which
//! statement says so or says no. Three-valued, since what was not seen is
//! neither a yes nor a no. No I/O; which findings follow is the checks' affair.
//!
//! ```text
//! rotation_requests(evidence) → RotationRequest { request, layers }
//!                 decide(request, layers) → Decision { statement, near miss, doubts }
//!                 fix(requests)           → FixPlan { statements, commands, verified }
//! ```

mod action;
mod arn;
mod command;
mod condition;
mod context;
mod decide;
mod decision;
mod document;
mod edit;
mod fix;
mod grant;
mod hint;
mod operators;
mod path;
mod pattern;
mod principal;
mod proof;
mod request;
mod rotation;
mod rotation_key;
mod rotation_own;
mod statement;
mod surroundings;
mod tri;

pub use self::{
    arn::Arn,
    context::{Context, Known},
    decide::decide,
    decision::{Decision, Decisive, DenyKind, Doubt, Role, Why},
    document::{Effect, Policy, Statement},
    edit::Document,
    fix::{FixPlan, FixStep, fix},
    hint::Hint,
    principal::Principal,
    proof::{FailedOn, Failure},
    request::{Layer, Layers, Part, Policies, Quote, Request, Unseen},
    rotation::{Need, Purpose, RotationRequest, rotation_requests},
    statement::Element,
    tri::Tri,
};
