//! Deployment packages: archives that a test makes, and real ones from the Python
//! package index, fetched once into `target/` by the pip of this machine.

use std::{
    io::{Cursor, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// A zip archive of these members, deflated.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (path, bytes) in members {
        writer.start_file(*path, options).expect("a member's name");
        writer.write_all(bytes).expect("memory takes all");
    }
    writer.finish().expect("a whole archive").into_inner()
}

/// A wheel: project, version, platform, Python.
pub(crate) struct Wheel(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

/// The wheel of 74 MB with a libpq for each of four machines.
pub(crate) const LARGE: Wheel = Wheel("aws-psycopg2", "1.3.8", "any", "3.9");

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The file of a wheel, from the cache or from the index.
pub(crate) fn wheel(Wheel(project, version, platform, python): &Wheel) -> PathBuf {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cache = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/wheels")
        .join(format!("{project}-{version}-{platform}-{python}"));
    if let Some(there) = found(&cache) {
        return there;
    }
    let partial = cache.with_extension("partial");
    std::fs::create_dir_all(&partial).expect("the cache");
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--platform", platform, "--python-version", python])
        .arg("--dest")
        .arg(&partial)
        .arg(format!("{project}=={version}"))
        .status()
        .expect("python3 runs");
    assert!(status.success(), "pip download {project} {version} for {platform}");
    // Whole or not at all, so that a broken download is not taken for a cached one.
    std::fs::rename(&partial, &cache).expect("the cache");
    found(&cache).expect("a wheel")
}

fn found(folder: &Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.extension().is_some_and(|end| end == "whl"))
}
