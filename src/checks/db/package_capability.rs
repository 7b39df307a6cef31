//! What a function can do, as its deployment package shows it.

use crate::{
    catalogue::{capability, scram_source},
    checks::run::package::machine_of,
    evidence::{Function, Libpq, Package},
    package::template::older_than,
};

/// What a package shows of one capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackageCapability {
    /// Whether the function has it.
    pub(super) can: bool,
    /// What was seen.
    pub(super) proofs: Vec<String>,
    /// The same in words that follow on "The package of F".
    pub(super) words: String,
}

/// What a package shows of a capability; none where it does not show it.
pub(super) fn package_capability(
    name: &str,
    package: &Package,
    function: &Function,
) -> Option<PackageCapability> {
    match name {
        "scram" => scram(package, machine_of(function)),
        _ => construct(name, package),
    }
}

/// By the copies of libpq for the function's machine; others do not count.
fn scram(package: &Package, machine: Option<&str>) -> Option<PackageCapability> {
    let fitting: Vec<&Libpq> = package
        .libpq
        .iter()
        .filter(|one| machine.is_none() || one.machine.as_deref() == machine)
        .collect();
    let says = |word: &str| fitting.iter().filter(|one| one.scram.as_deref() == Some(word)).count();
    let (yes, no) = (says("yes"), says("no"));
    // With no machine known, or two copies that differ, nothing shows which is loaded.
    if yes + no == 0 || (yes > 0 && no > 0) {
        return None;
    }
    let proofs = fitting
        .iter()
        .flat_map(|one| {
            let path = one.path.as_deref().unwrap_or("libpq");
            one.signals.iter().map(move |signal| {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                format!("{path}: {} {}", text(&signal.kind), text(&signal.found))
            })
        })
        .chain(fitting.iter().filter_map(|one| one.disagreement.clone()))
        .chain([scram_source().to_owned()])
        .collect();
    let release = fitting.iter().find_map(|one| one.release.as_deref());
    let release = release.map(|one| format!(" of PostgreSQL {one}")).unwrap_or_default();
    Some(PackageCapability { can: no == 0, proofs, words: format!("has a libpq{release}") })
}

/// By the constructs of the template's code, else by the days of its texts.
fn construct(name: &str, package: &Package) -> Option<PackageCapability> {
    let code = package.code.as_ref()?;
    let path = code.path.as_deref().unwrap_or("the handler's file");
    let template = code.template.as_deref()?;
    let row = capability(name, Some(template))?;
    if name == "tls" && !package.freetds.is_empty() {
        let proof = package.freetds.iter().filter_map(|one| one.path.clone()).collect();
        return Some(PackageCapability {
            can: true,
            proofs: proof,
            words: "configures FreeTDS".to_owned(),
        });
    }
    let listed = |names: &[String]| names.iter().any(|one| one == name);
    if listed(&code.can) || listed(&code.cannot) {
        let can = listed(&code.can);
        let verb = if can { "holds" } else { "does not hold" };
        return Some(PackageCapability {
            can,
            proofs: vec![format!("{path} {verb} what a function that {} has", row.what)],
            words: format!("has the code of an older {template}"),
        });
    }
    let older = older_than(code, row.since)?;
    let days = [
        code.not_before.map(|day| format!("{path} holds a text of {}", day.date())),
        code.before.map(|day| format!("{path} lacks a text that came on {}", day.date())),
    ];
    Some(PackageCapability {
        can: !older,
        proofs: days.into_iter().flatten().collect(),
        words: format!("has the code of an older {template}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::package_capability;
    use crate::evidence::{Function, Package};

    fn can(name: &str, package: Value, architecture: &str) -> Option<bool> {
        let package: Package = serde_json::from_value(package).expect("package");
        let function: Function =
            serde_json::from_value(json!({"Configuration": {"Architectures": [architecture]}}))
                .expect("function");
        package_capability(name, &package, &function).map(|seen| seen.can)
    }

    #[test]
    fn only_a_libpq_for_the_function_s_machine_counts() {
        let both = json!({"Libpq": [
            {"Path": "a", "Machine": "x86_64", "Scram": "yes"},
            {"Path": "b", "Machine": "aarch64", "Scram": "no"}]});
        assert_eq!(can("scram", both.clone(), "x86_64"), Some(true));
        assert_eq!(can("scram", both, "arm64"), Some(false));
        let unknown = json!({"Libpq": [{"Path": "a", "Machine": "x86_64", "Scram": "unknown"}]});
        assert_eq!(can("scram", unknown, "x86_64"), None);
    }

    #[test]
    fn code_of_one_s_own_is_not_judged_by_the_templates() {
        let own = json!({"Code": {"Path": "app.py", "Cannot": ["tls"]}});
        assert_eq!(can("tls", own, "x86_64"), None);
        let old = json!({"Code": {"Path": "lambda_function.py",
            "Template": "RDSMySQLRotationSingleUser", "Cannot": ["tls"]}});
        assert_eq!(can("tls", old, "x86_64"), Some(false));
    }

    #[test]
    fn days_tell_where_no_construct_does() {
        let code = |before: Value, from: Value| {
            json!({"Code": {"Path": "l.py", "Template": "RDSOracleRotationMultiUser",
                "Customised": false, "Before": before, "NotBefore": from}})
        };
        let name = "oracle-several-grants";
        assert_eq!(
            can(name, code(json!("2023-09-25"), json!("2023-01-04")), "x86_64"),
            Some(false)
        );
        assert_eq!(can(name, code(json!(null), json!("2023-09-25")), "x86_64"), Some(true));
    }
}
