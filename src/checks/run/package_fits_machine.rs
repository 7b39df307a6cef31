//! RUN12: the package's libraries are for another processor than the function's,
//! or one that they ask for is not there.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    function::{name_of, resource_of, rotation_function},
    package::{is_needed, machine_of, package_of, projects, rebuilt, unread_layers},
};
use crate::{
    aws::commands::Argument,
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{function_name, on_function},
    },
    evidence::{Fact, Function, NativeLibrary, Package},
};

pub(super) static CHECK: Check = Check {
    name: "package-fits-machine",
    question: "Are the package's libraries for the function's processor, and all there?",
    codes: &["RUN12"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let package = package_of(case, function)?;
    if package.libraries.is_empty() {
        return Err(Stop::not_applicable("the package holds nothing compiled"));
    }
    let Some(machine) = machine_of(function) else {
        return Err(case.function().inconclusive());
    };
    // A module, or the libraries beside them, by what they are called without machine.
    let mut by_name: BTreeMap<&str, Vec<&NativeLibrary>> = BTreeMap::new();
    for library in &package.libraries {
        by_name.entry(library.module.as_deref().unwrap_or_default()).or_default().push(library);
    }
    let foreign: Vec<&NativeLibrary> = by_name
        .values()
        .filter(|builds| !builds.iter().any(|one| one.machine.as_deref() == Some(machine)))
        .filter_map(|builds| builds.first().copied())
        .collect();
    let needed: Vec<&NativeLibrary> =
        foreign.iter().copied().filter(|one| is_needed(package, one)).collect();
    let nothing_fits = package.libraries.iter().all(|one| one.machine.as_deref() != Some(machine));
    if !foreign.is_empty() {
        let sure = !needed.is_empty() || nothing_fits;
        let named = if needed.is_empty() { &foreign } else { &needed };
        return Ok(vec![other_machine(function, package, machine, named, sure)]);
    }
    missing_library(package, function, machine)
}

fn other_machine(
    function: &Function,
    package: &Package,
    machine: &str,
    named: &[&NativeLibrary],
    sure: bool,
) -> Finding {
    let machines: BTreeSet<&str> = named.iter().filter_map(|one| one.machine.as_deref()).collect();
    let machines = machines.into_iter().collect::<Vec<_>>().join(" and ");
    let architecture = function.configuration.architectures.join(", ");
    let first = named.first().and_then(|one| one.path.as_deref()).unwrap_or("a library");
    let finding = Finding::new(
        "RUN12",
        resource_of(function),
        format!(
            "{} runs on {architecture}; its package has {first} for {machines} only.",
            name_of(function)
        ),
    )
    .severity(if sure { Severity::Error } else { Severity::Warning })
    .on(if sure { Basis::State } else { Basis::Indication })
    .fact("GetFunction", format!("Architectures is {architecture}"));
    let finding = named.iter().take(4).fold(finding, |finding, one| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        finding.fact("package", format!("{} is for {}", text(&one.path), text(&one.machine)))
    });
    let other = if machine == "aarch64" { "x86_64" } else { "arm64" };
    let fits_other =
        machines == "x86_64" && other == "x86_64" || machines == "aarch64" && other == "arm64";
    let finding = if fits_other {
        finding.fix(
            format!("Or run the function on {other}: Lambda changes that with the code only."),
            [on_function(function_name(function), "update-function-code")
                .options("--architectures", [other])
                .option("--zip-file", Argument::binary_file("package.zip"))],
        )
    } else {
        finding
    };
    let modules = named.iter().filter_map(|one| one.module.as_deref());
    rebuilt(finding, function, package, &projects(modules))
}

/// A module of the function's machine asks the loader for a libpq that is nowhere.
fn missing_library(package: &Package, function: &Function, machine: &str) -> Judgement {
    let there = |wanted: &str| {
        package.libraries.iter().any(|one| {
            let name = one.path.as_deref().and_then(|path| path.rsplit('/').next());
            name == Some(wanted) || one.soname.as_deref() == Some(wanted)
        })
    };
    let asking = package
        .libraries
        .iter()
        .filter(|one| one.machine.as_deref() == Some(machine) && is_needed(package, one))
        .find_map(|one| {
            let wanted =
                one.needed.iter().find(|name| name.starts_with("libpq") && !there(name))?;
            Some((one.path.as_deref().unwrap_or("a module"), wanted))
        });
    let Some((path, wanted)) = asking else { return Ok(Vec::new()) };
    if let Some(stop) = unread_layers(package, function) {
        return Err(stop);
    }
    let finding = Finding::new(
        "RUN12",
        resource_of(function),
        format!(
            "{path} in the package of {} asks for {wanted}, which is neither there nor in a layer.",
            name_of(function)
        ),
    )
    .on(Basis::State)
    .fact("package", format!("NEEDED of {path} names {wanted}"));
    Ok(vec![rebuilt(finding, function, package, &["psycopg2-binary"])])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(architecture: &str, machines: &[&str]) -> Value {
        let libraries: Vec<Value> = machines
            .iter()
            .map(|machine| {
                json!({"Path": format!("_pg.{machine}.so"), "Module": "_pg",
                "Machine": machine})
            })
            .collect();
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": "python3.12",
                "Architectures": [architecture]}},
            "Package": {"Archives": [{"Name": "code"}], "Libraries": libraries,
                "Imports": [{"Module": "pg", "Provided": "package"}]}})
    }

    #[test]
    fn libraries_for_another_processor_are_found() {
        let found = judge(&CHECK, bundle("arm64", &["x86_64"])).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("RUN12", Severity::Error));
        assert!(found[0].fixes.iter().any(|fix| fix.lines()[0].contains("--architectures x86_64")));
        assert_eq!(codes(&judge(&CHECK, bundle("x86_64", &["aarch64"]))), ["RUN12"]);
    }

    #[test]
    fn one_that_fits_among_several_is_enough() {
        assert!(codes(&judge(&CHECK, bundle("arm64", &["x86_64", "aarch64"]))).is_empty());
        assert!(not_applicable(&judge(&CHECK, bundle("arm64", &[]))));
    }

    #[test]
    fn a_libpq_that_is_nowhere_is_found_unless_a_layer_may_hold_it() {
        let mut lone = bundle("x86_64", &["x86_64"]);
        lone["Package"]["Libraries"][0]["Needed"] = json!(["libpq.so.5", "libc.so.6"]);
        assert_eq!(codes(&judge(&CHECK, lone.clone())), ["RUN12"]);
        lone["Function"]["Configuration"]["Layers"] = json!([{"Arn": "arn:layer"}]);
        assert!(lacks(&judge(&CHECK, lone.clone()), Fact::Package));
        lone["Package"]["Libraries"] = json!([lone["Package"]["Libraries"][0],
            {"Path": "lib/libpq.so.5", "Machine": "x86_64"}]);
        assert!(codes(&judge(&CHECK, lone)).is_empty());
    }

    #[test]
    fn what_was_denied_is_inconclusive() {
        for fact in [Fact::Package, Fact::Function] {
            let mut gap = bundle("arm64", &["x86_64"]);
            gap.as_object_mut().expect("object").remove(fact.name());
            gap["Gaps"] = denied(fact);
            assert!(lacks(&judge(&CHECK, gap), fact));
        }
    }
}
