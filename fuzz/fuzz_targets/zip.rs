//! Any bytes as a deployment package: read, and turned into facts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rotdoctor::package::{Archive, Limits, package, read};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(contents) = read(&bytes, Limits::default()) {
        let archive = Archive { name: "code".to_owned(), contents };
        let _ = package(&[archive], Some("lambda_function.lambda_handler"));
    }
});
