//! Reads policy vectors, one a line, from standard input and prints for each the
//! decision, how it denies, the layer, and whether it is certain. The Rust side
//! of the differential test (`tests/README.md`); no part of the tool.
#![allow(clippy::print_stdout)] // printing is all that it is for

use std::io::{self, BufRead as _};

use rotdoctor::policy::{DenyKind, Effect};
use serde_json::{Value, json};

#[path = "../tests/differential/inputs.rs"]
mod inputs;

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let vector: Value = serde_json::from_str(&line?)?;
        let decision = inputs::judge(&vector["inputs"]);
        let effect = match decision.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        let answer = json!({"id": vector["id"], "decision": effect,
            "kind": decision.kind.map(DenyKind::name), "layer": decision.layer.name(),
            "certain": decision.is_certain()});
        println!("{answer}");
    }
    Ok(())
}
