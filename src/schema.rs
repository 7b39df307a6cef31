//! The JSON Schemas of what rotdoctor reads and writes. They are generated from
//! the structs; copies stand in `schema/` and a test holds them to this.

use schemars::{JsonSchema, schema_for};

use crate::{
    evidence::Evidence,
    report::{
        json,
        v1::{AuditReport, Report},
    },
};

fn render<T: JsonSchema>() -> String {
    json::render(&schema_for!(T))
}

/// Schema of a report.
pub fn report() -> String {
    render::<Report>()
}

/// Schema of an audit's reports.
pub fn audit() -> String {
    render::<AuditReport>()
}

/// Schema of a bundle.
pub fn bundle() -> String {
    render::<Evidence>()
}
