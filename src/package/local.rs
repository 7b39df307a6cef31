//! Reads a package on this machine: an archive, a folder or one
//! compiled file. The only file here that opens anything; it writes nothing.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use super::{
    directory::Entry,
    interest::{self, Extent},
    limits::{Limits, Unreadable},
    reading::{self, Contents, Member},
};

/// Bytes of a file's head.
const HEAD: u64 = 4 << 10;
/// Folders inside folders.
const DEPTH: usize = 24;

/// Reads an archive (a zip or a wheel), a folder, or a single compiled file.
///
/// # Errors
/// Where it cannot be opened, or is none of the three.
pub fn read(path: &Path, limits: Limits) -> Result<Contents, Unreadable> {
    let fail = |error: std::io::Error| Unreadable::Source(error.to_string());
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return folder(path, limits);
    }
    if !metadata.is_file() {
        return Err(Unreadable::Source("neither a file nor a folder".to_owned()));
    }
    let mut file = File::open(path).map_err(fail)?;
    let mut magic = Vec::new();
    file.by_ref().take(4).read_to_end(&mut magic).map_err(fail)?;
    if magic == b"\x7fELF" {
        if metadata.len() > limits.member {
            return Err(Unreadable::TooMuch(format!("{} bytes", metadata.len())));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Named by hand or not: what is looked at is looked at as what it is.
        let bytes = fs::read(path).map_err(fail)?;
        let read = bytes.len() as u64;
        return Ok(Contents {
            paths: vec![name.clone()],
            members: vec![Member { path: name, bytes, whole: true }],
            size: read,
            read,
            ..Contents::default()
        });
    }
    reading::read(&file, limits)
}

/// Walks a folder as if it were an archive. Links are not followed.
fn folder(root: &Path, limits: Limits) -> Result<Contents, Unreadable> {
    let mut contents = Contents::default();
    let mut open = vec![(root.to_path_buf(), String::new(), 0_usize)];
    let mut unpacked = 0;
    while let Some((folder, prefix, depth)) = open.pop() {
        let listing = fs::read_dir(&folder)
            .map_err(|error| Unreadable::Source(format!("{}: {error}", folder.display())))?;
        let mut found: Vec<_> = listing.flatten().collect();
        found.sort_by_key(std::fs::DirEntry::file_name);
        for entry in found {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEPTH {
                open.push((entry.path(), format!("{path}/"), depth + 1));
            } else if kind.is_file() {
                if contents.paths.len() == limits.entries {
                    return Err(Unreadable::TooMuch(format!("more than {} files", limits.entries)));
                }
                take(&mut contents, &entry.path(), path, &limits, &mut unpacked);
            }
        }
    }
    contents.paths.sort();
    contents.members.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(contents)
}

fn take(contents: &mut Contents, file: &Path, path: String, limits: &Limits, unpacked: &mut u64) {
    let size = fs::metadata(file).map_or(0, |metadata| metadata.len());
    contents.size += size;
    let entry = Entry {
        path: path.clone(),
        method: 0,
        encrypted: false,
        crc: 0,
        packed: size,
        size,
        offset: 0,
    };
    let extent = interest::extent(&entry).map(|extent| {
        // On a disk a module costs nothing more to read whole.
        if interest::may_link_libpq(&path) { Extent::Whole } else { extent }
    });
    contents.paths.push(path.clone());
    let Some(extent) = extent else { return };
    let whole = extent == Extent::Whole;
    let most = if whole { limits.member } else { HEAD };
    if whole && (size > limits.member || *unpacked + size > limits.unpacked) {
        contents.problems.push(format!("{path} has {size} bytes and was not read"));
        return;
    }
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => {
            *unpacked += bytes.len() as u64;
            contents.read += bytes.len() as u64;
            contents.members.push(Member { path, bytes, whole });
        }
        Err(error) => contents.problems.push(format!("{path}: {error}")),
    }
}
