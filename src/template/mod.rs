//! A change that is not deployed yet, as evidence: what a CloudFormation template or a
//! Terraform plan declares, in AWS's shapes, one piece of evidence for each rotation in
//! it. Each format has its own folder, which reads files and resolves references; what
//! both need stands here. Nothing is judged here, and nothing is read from disk.
//!
//! What a declaration leaves open is a gap, never a fault: the reason is
//! [`Reason::NotDeclared`](crate::evidence::Reason::NotDeclared).

mod aws;
pub mod cloudformation;
mod draft;
mod location;
mod overlay;
pub mod terraform;

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Time};

pub(crate) use self::draft::Draft;
pub use self::{
    location::{Location, Origins},
    overlay::lay_over,
};

/// What is known beside the file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file, as it was named.
    pub file: String,
    /// Where it would be deployed: region, account.
    pub region: Option<String>,
    /// Account.
    pub account_id: Option<String>,
    /// Values of parameters, by name; pseudo parameters such as `AWS::Region` too.
    pub parameters: BTreeMap<String, String>,
    /// When it is judged: dates are held against it.
    pub captured_at: Time,
}

/// One rotation, as it is declared.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The evidence that deploying it would make.
    pub evidence: Evidence,
    /// Where each thing in the evidence is declared.
    pub origins: Origins,
}

/// What a template or a plan declares.
#[derive(Debug, Default)]
pub struct Declarations {
    /// One for each secret that is to rotate, in the order of the file.
    pub rotations: Vec<Declared>,
    /// Rotations that were seen, or may be there, and could not be examined: everything of
    /// them is open.
    pub unexamined: Vec<Declared>,
    /// What was assumed or not understood, in words.
    pub notes: Vec<String>,
}

/// Why a template or a plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Neither YAML nor JSON, or cut off.
    #[error("{0}")]
    Syntax(String),
    /// Readable, but of another kind.
    #[error("{0}")]
    WrongKind(String),
}
