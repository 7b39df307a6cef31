//! RUN01, RUN04: the package's compiled modules are for another Python than the
//! function runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    function::{name_of, resource_of, rotation_function, vended},
    package::{is_needed, machine_of, package_of, projects, rebuilt},
};
use crate::{
    catalogue::{Severity, runtime, transforms},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{function_name, on_function, show_template, update_stack},
    },
    evidence::{Fact, Function, NativeLibrary},
};

pub(super) static CHECK: Check = Check {
    name: "package-fits-python",
    question: "Was the package built for the Python that the function runs?",
    codes: &["RUN01", "RUN04"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let package = package_of(case, function)?;
    let Some(python) =
        function.configuration.runtime.as_deref().and_then(|name| name.strip_prefix("python"))
    else {
        return Err(Stop::not_applicable("the function does not run Python"));
    };
    // Only builds for the function's machine count: a wheel may carry several.
    let machine = machine_of(function);
    let mut by_module: BTreeMap<&str, Vec<&NativeLibrary>> = BTreeMap::new();
    for library in &package.libraries {
        let fits = machine.is_none() || library.machine.as_deref() == machine;
        if let (true, Some(module), Some(_)) = (fits, &library.module, &library.python) {
            by_module.entry(module).or_default().push(library);
        }
    }
    let strange: Vec<&NativeLibrary> = by_module
        .values()
        .filter(|builds| {
            !builds.iter().any(
                |one| matches!(one.python.as_deref(), Some(tag) if tag == python || tag == "abi3"),
            )
        })
        .filter_map(|builds| builds.first().copied())
        .collect();
    if strange.is_empty() {
        return Ok(Vec::new());
    }
    let needed: Vec<&NativeLibrary> =
        strange.iter().copied().filter(|one| is_needed(package, one)).collect();
    let sure = !needed.is_empty();
    let named = if sure { &needed } else { &strange };
    let modules: Vec<&str> = named.iter().filter_map(|one| one.module.as_deref()).collect();
    let pythons: BTreeSet<&str> = named.iter().filter_map(|one| one.python.as_deref()).collect();
    let built_for = pythons.iter().copied().collect::<Vec<_>>().join(" and ");
    let finding = Finding::new(
        "RUN01",
        resource_of(function),
        format!(
            "{} runs python{python}; its package has {} for Python {built_for} only.",
            name_of(function),
            listed(&modules)
        ),
    )
    .severity(if sure { Severity::Error } else { Severity::Warning })
    .on(if sure { Basis::State } else { Basis::Indication })
    .fact("GetFunction", format!("Runtime is python{python}"));
    let finding = named
        .iter()
        .take(4)
        .filter_map(|one| one.path.as_deref())
        .fold(finding, |finding, path| finding.fact("package", path));
    let finding = back_to_old_runtime(finding, function, case, &pythons);
    let mut found = vec![rebuilt(finding, function, package, &projects(modules.iter().copied()))];
    found.extend(hosted_mismatch(function, python, &built_for, sure));
    Ok(found)
}

/// Back to the runtime that the package was built for, as long as Lambda lets.
fn back_to_old_runtime(
    finding: Finding,
    function: &Function,
    case: &Case<'_>,
    pythons: &BTreeSet<&str>,
) -> Finding {
    let [python] = pythons.iter().copied().collect::<Vec<_>>()[..] else { return finding };
    let previous = format!("python{python}");
    let row = runtime(&previous);
    let blocked = row.and_then(|row| row.update_blocked);
    if blocked.is_some_and(|day| day <= case.now()) {
        return finding;
    }
    let until =
        blocked.map(|day| format!(" Lambda allows that until {}.", day.date())).unwrap_or_default();
    finding.fix(
        format!("First aid: go back to the runtime that the package was built for.{until}"),
        [on_function(function_name(function), "update-function-configuration")
            .option("--runtime", previous)],
    )
}

/// A stack's hosted rotation gives the function its runtime and its package, and
/// the older transform lets the two diverge.
fn hosted_mismatch(
    function: &Function,
    python: &str,
    built_for: &str,
    sure: bool,
) -> Option<Finding> {
    let stack = function.tags.get("aws:cloudformation:stack-name")?;
    let hosted = vended(function).is_some() && !stack.starts_with("serverlessrepo-");
    let newest = transforms().last()?;
    (hosted && sure).then(|| {
        Finding::new(
            "RUN04",
            resource_of(function),
            format!(
                "Stack {stack} owns {}: an older transform, or a Runtime in the template, may have \
                 given it python{python} and a package for Python {built_for}.",
                name_of(function)
            ),
        )
        .severity(Severity::Warning)
        .on(Basis::Indication)
        .fact("GetFunction, Tags", format!("aws:cloudformation:stack-name is {stack}"))
        .fix(
            format!("Use the transform {} and leave Runtime unset.", newest.name),
            [show_template(stack), update_stack(stack)],
        )
        .confirm(
            on_function(function_name(function), "get-function-configuration")
                .option("--query", "Runtime"),
        )
    })
}

fn listed(modules: &[&str]) -> String {
    match modules {
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} and {other}"),
        [one, rest @ ..] => format!("{one} and {} more modules", rest.len()),
        [] => "modules".to_owned(),
    }
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

    fn bundle(runtime: &str, builds: &[(&str, &str)]) -> Value {
        let libraries: Vec<Value> = builds
            .iter()
            .map(|(python, machine)| {
                json!({"Path": format!("_pg.cpython-{python}.so"),
                "Module": "_pg", "Python": python, "Machine": machine})
            })
            .collect();
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": runtime,
                "Architectures": ["x86_64"]}},
            "Package": {"Libraries": libraries, "Imports": [{"Module": "pg", "Provided": "package"}]}})
    }

    #[test]
    fn a_package_for_another_python_is_found() {
        let found = judge(&CHECK, bundle("python3.10", &[("3.7", "x86_64")])).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("RUN01", Severity::Error));
        assert!(found[0].summary.contains("_pg for Python 3.7"), "{}", found[0].summary);
        assert!(found[0].fixes[0].summary.contains("2027-03-03"));
    }

    #[test]
    fn one_build_that_fits_is_enough_and_others_machines_do_not_count() {
        let several = [("3.7", "x86_64"), ("3.10", "x86_64")];
        assert!(codes(&judge(&CHECK, bundle("python3.10", &several))).is_empty());
        let foreign = [("3.7", "x86_64"), ("3.10", "aarch64")];
        assert_eq!(codes(&judge(&CHECK, bundle("python3.10", &foreign))), ["RUN01"]);
        assert!(codes(&judge(&CHECK, bundle("python3.10", &[("abi3", "x86_64")]))).is_empty());
    }

    #[test]
    fn a_module_that_nothing_imports_is_a_warning() {
        let mut spare = bundle("python3.10", &[("3.7", "x86_64")]);
        spare["Package"]["Imports"] = json!([{"Module": "pymysql", "Provided": "package"}]);
        assert_eq!(judge(&CHECK, spare).expect("findings")[0].severity, Severity::Warning);
    }

    #[test]
    fn a_stack_may_have_let_the_two_diverge() {
        let mut stack = bundle("python3.9", &[("3.10", "x86_64")]);
        stack["Function"]["Tags"] = json!({"aws:cloudformation:stack-name": "orders",
            "SecretsManagerLambda": "Rotation"});
        assert_eq!(codes(&judge(&CHECK, stack)), ["RUN01", "RUN04"]);
    }

    #[test]
    fn what_is_no_package_or_was_denied_is_not_judged() {
        let mut image = bundle("python3.10", &[]);
        image["Function"]["Configuration"]["PackageType"] = json!("Image");
        assert!(not_applicable(&judge(&CHECK, image)));
        assert!(not_applicable(&judge(&CHECK, bundle("nodejs20.x", &[]))));
        for fact in [Fact::Package, Fact::Function] {
            let mut gap = bundle("python3.10", &[("3.7", "x86_64")]);
            gap.as_object_mut().expect("object").remove(fact.name());
            gap["Gaps"] = denied(fact);
            assert!(lacks(&judge(&CHECK, gap), fact));
        }
    }
}
