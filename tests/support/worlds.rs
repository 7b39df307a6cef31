//! Reads the worlds of `fixtures/worlds`: base worlds in which a secret rotates, and the
//! patches that break them. `fixtures/worlds/README.md` says how they are written.
#![allow(dead_code)] // each program of tests uses some of it

use std::{collections::BTreeSet, fs, path::Path, sync::Mutex};

use serde_json::{Map, Value};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/worlds");

/// Lists of a bundle that a world may write as an object: each entry under its own id.
const LISTS: [&str; 16] = [
    "DBClusters",
    "DBInstances",
    "DBParameters",
    "DhcpOptions",
    "InternetGateways",
    "NatGateways",
    "NetworkAcls",
    "NetworkInterfaces",
    "RolePolicies",
    "RouteTables",
    "SecurityGroups",
    "StackResources",
    "Subnets",
    "VpcEndpoints",
    "VpcPeeringConnections",
    "Vpcs",
];

/// The folders of the worlds, sorted: a code, or one with a variant behind it.
pub(crate) fn folders() -> Vec<String> {
    let entries = fs::read_dir(FOLDER).expect("fixtures/worlds").map(|one| one.expect("an entry"));
    let mut names: Vec<String> =
        entries.map(|one| one.file_name().into_string().expect("a name in UTF-8")).collect();
    names.retain(|name| !matches!(name.as_str(), "base" | "scene" | "README.md"));
    names.sort();
    names
}

/// The names of all base worlds, such as `base/postgres`, sorted.
pub(crate) fn bases() -> Vec<String> {
    let entries = fs::read_dir(Path::new(FOLDER).join("base")).expect("base worlds");
    let mut names: Vec<String> = entries
        .map(|one| one.expect("an entry").path().file_stem().expect("a name").to_owned())
        .map(|name| format!("base/{}", name.into_string().expect("a name in UTF-8")))
        .collect();
    names.sort();
    names
}

/// A world as a whole bundle: `KMS01/fires`, `base/postgres`. `_comment` says what is
/// wrong in it, `_expected` what a test expects.
pub(crate) fn bundle(world: &str) -> Value {
    let file = file(world);
    let mut bundle = Map::new();
    for (key, name) in [
        ("fault", "_comment"),
        ("quiet", "_comment"),
        ("about", "_comment"),
        ("expected", "_expected"),
    ] {
        if let Some(value) = file.get(key) {
            bundle.insert(name.to_owned(), value.clone());
        }
    }
    for (name, value) in whole(world, &file) {
        let value = match name.as_str() {
            "LogEvents" => log_events(value),
            "TrailEvents" => trail_events(value),
            "SecretVersions" => with_list(value, "Versions"),
            list if LISTS.contains(&list) => entries(value),
            _ => value,
        };
        bundle.insert(name, value);
    }
    Value::Object(bundle)
}

/// The same as the text of a file.
pub(crate) fn text(world: &str) -> String {
    format!("{:#}\n", bundle(world))
}

/// The path of a file that holds the whole bundle, `…/CODE/fires.json` under `target/`. It
/// is written at the first call of a process; other processes never see a part of it.
pub(crate) fn path(world: &str) -> String {
    static WRITTEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // Cargo sets it for integration tests alone.
    let Some(folder) = option_env!("CARGO_TARGET_TMPDIR") else {
        panic!("only an integration test writes worlds to files")
    };
    let path = Path::new(folder).join("worlds").join(format!("{world}.json"));
    let mut written = WRITTEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if written.insert(world.to_owned()) {
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder under target/");
        let file = tempfile::NamedTempFile::new_in(folder).expect("a file under target/");
        fs::write(&file, text(world)).expect("a file under target/");
        file.persist(&path).expect("a file under target/");
    }
    path.into_os_string().into_string().expect("a path in UTF-8")
}

fn file(name: &str) -> Value {
    let path = Path::new(FOLDER).join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The base of a world with its scene and its patch, still as a world writes it.
fn whole(name: &str, world: &Value) -> Map<String, Value> {
    let mut whole = match (&world["bundle"], &world["base"]) {
        (bundle @ Value::Object(_), Value::Null) => bundle.clone(),
        (Value::Null, Value::String(base)) => Value::Object(self::whole(base, &file(base))),
        _ => panic!("{name}: either a bundle or a base"),
    };
    if let Some(scene) = world["scene"].as_str() {
        json_patch::merge(&mut whole, &file(scene)["patch"]);
    }
    if !world["patch"].is_null() {
        json_patch::merge(&mut whole, &world["patch"]);
    }
    for pointer in world["absent"].as_array().into_iter().flatten() {
        let pointer = pointer.as_str().expect("a JSON pointer");
        let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = whole.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.unwrap_or_else(|| panic!("{name}: {pointer} is nowhere"));
        parent.insert(key, Value::Null);
    }
    match whole {
        Value::Object(whole) => whole,
        _ => panic!("{name} is no object"),
    }
}

/// The list that an object of named entries stands for.
fn entries(value: Value) -> Value {
    match value {
        Value::Object(named) => named.into_iter().map(|(_, entry)| entry).collect(),
        other => other,
    }
}

fn with_list(mut value: Value, list: &str) -> Value {
    if let Some(list) = value.get_mut(list) {
        *list = entries(list.take());
    }
    value
}

/// CloudTrail hands out its own record as text; a world may write it as an object.
fn trail_events(value: Value) -> Value {
    let mut events = entries(value);
    if let Some(events) = events.as_array_mut() {
        events.sort_by(|one, other| one["EventTime"].as_str().cmp(&other["EventTime"].as_str()));
    }
    for event in events.as_array_mut().into_iter().flatten() {
        if let Some(record @ Value::Object(_)) = event.get_mut("CloudTrailEvent") {
            *record = Value::String(record.to_string());
        }
    }
    events
}

/// The events of a log that is written as `{stream: {invocation: ["HH:MM:SS.mmm text"]}}`;
/// a stream begins with its day.
fn log_events(value: Value) -> Value {
    let Value::Object(streams) = value else { return value };
    let mut events = Vec::new();
    for (stream, invocations) in streams {
        let day = stream.get(..10).expect("a stream begins with its day").replace('/', "-");
        let lines = entries(invocations);
        for line in lines.as_array().into_iter().flatten().flat_map(lines_of) {
            let (at, message) = line.split_once(' ').expect("a time and a text");
            let at: jiff::Timestamp = format!("{day}T{at}Z").parse().expect("a time of day");
            events.push(serde_json::json!({
                "timestamp": at.as_millisecond(), "message": message, "logStreamName": stream,
            }));
        }
    }
    events.sort_by_key(|event| event["timestamp"].as_i64());
    Value::Array(events)
}

fn lines_of(invocation: &Value) -> impl Iterator<Item = &str> {
    let lines = invocation.as_array().expect("the lines of an invocation");
    lines.iter().map(|line| line.as_str().expect("a line"))
}
