//! RUN03: the package holds a `pg` that is not PyGreSQL.

use super::{
    function::{name_of, resource_of, rotation_function},
    package::{package_of, rebuilt},
};
use crate::{
    catalogue::Severity,
    checks::{Case, Check, Finding, Judgement},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "package-has-the-right-pg",
    question: "Is the package's pg the one of PyGreSQL?",
    codes: &["RUN03"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let package = package_of(case, function)?;
    let Some(proof) = &package.wrong_pg else { return Ok(Vec::new()) };
    let imported = package.imports.iter().any(|one| one.module.as_deref() == Some("pg"));
    let finding = Finding::new(
        "RUN03",
        resource_of(function),
        format!(
            "The pg in the package of {} is not PyGreSQL; no Python of today can load it.",
            name_of(function)
        ),
    )
    .severity(if imported { Severity::Error } else { Severity::Warning })
    .fact("package", proof);
    Ok(vec![rebuilt(finding, function, package, &["PyGreSQL"])])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks},
        evidence::Fact,
    };

    fn bundle(wrong: Value, import: &str) -> Value {
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": "python3.12"}},
            "Package": {"WrongPg": wrong, "Imports": [{"Module": import, "Provided": "package"}]}})
    }

    #[test]
    fn the_other_pg_is_found_and_the_right_one_passes() {
        let text = json!("pg/__init__.py uses async as a name: from .app import async");
        let found = judge(&CHECK, bundle(text.clone(), "pg")).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("RUN03", Severity::Error));
        let unused = judge(&CHECK, bundle(text, "pymysql")).expect("findings");
        assert_eq!(unused[0].severity, Severity::Warning);
        assert!(codes(&judge(&CHECK, bundle(json!(null), "pg"))).is_empty());
    }

    #[test]
    fn a_package_that_was_denied_is_inconclusive() {
        let mut gap = bundle(json!(null), "pg");
        gap.as_object_mut().expect("object").remove("Package");
        gap["Gaps"] = denied(Fact::Package);
        assert!(lacks(&judge(&CHECK, gap), Fact::Package));
    }
}
