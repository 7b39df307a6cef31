//! Writes every world of `fixtures/worlds` as a whole bundle into a folder, as
//! `CODE/fires.json` and `CODE/quiet.json`:
//! `cargo run --no-default-features --example worlds -- DIR`. No part of the tool.
#![allow(clippy::print_stderr)] // a word to who runs it

use std::{env, fs, path::Path, process::ExitCode};

#[path = "../tests/support/worlds.rs"]
mod worlds;

fn main() -> std::io::Result<ExitCode> {
    let Some(target) = env::args_os().nth(1) else {
        eprintln!("usage: worlds DIR");
        return Ok(ExitCode::from(2));
    };
    for folder in worlds::folders() {
        let target = Path::new(&target).join(&folder);
        fs::create_dir_all(&target)?;
        for kind in ["fires", "quiet"] {
            let text = worlds::text(&format!("{folder}/{kind}"));
            fs::write(target.join(format!("{kind}.json")), text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
