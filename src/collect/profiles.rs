//! The names of the profiles in the AWS configuration files (AWS SDKs and Tools Reference
//! Guide, "Shared config and credentials files").

use std::{collections::BTreeSet, env, fs, io, path::PathBuf};

/// The names of all profiles.
///
/// # Errors
/// Where a file exists and cannot be read. A missing file has no profile.
pub(super) fn names() -> io::Result<BTreeSet<String>> {
    let config = read("AWS_CONFIG_FILE", "config")?;
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
    let of_config = sections(&config).filter_map(of_config_section);
    Ok(of_config.chain(sections(&credentials)).map(str::to_owned).collect())
}

fn read(variable: &str, name: &str) -> io::Result<String> {
    let named = env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.or_else(|| Some(env::home_dir()?.join(".aws").join(name)));
    match path.map(fs::read_to_string) {
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Some(Ok(text)) => Ok(text),
        _ => Ok(String::new()),
    }
}

/// The headers of the sections of a file, without brackets.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        // An indented line belongs to the property above it.
        let (header, _) = line.strip_prefix('[')?.split_once(']')?;
        Some(header.trim())
    })
}

/// The profile of a section of the file `config`, where other kinds of sections stand too.
fn of_config_section(header: &str) -> Option<&str> {
    if header == "default" {
        return Some(header);
    }
    let name = header.strip_prefix("profile")?;
    name.starts_with([' ', '\t']).then(|| name.trim())
}

#[cfg(test)]
mod tests {
    use super::{of_config_section, sections};

    #[test]
    fn other_sections_are_no_profiles() {
        let text = "[default]\nregion = eu-west-1\n[profile a b] # note\n  [nested]\n\
            [ profile  c ]\n[sso-session d]\n[services e]\n[profiles]\n[unclosed\n";
        let names: Vec<&str> = sections(text).filter_map(of_config_section).collect();
        assert_eq!(names, ["default", "a b", "c"]);
    }
}
