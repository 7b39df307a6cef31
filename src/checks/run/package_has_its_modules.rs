//! RUN02: the function imports what is neither in its package nor in a layer.

use super::{
    function::{name_of, resource_of, rotation_function},
    package::{package_of, projects, rebuilt, unread_layers},
};
use crate::{
    checks::{Case, Check, Finding, Judgement, Stop},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "package-has-its-modules",
    question: "Does the package hold every module that the function imports?",
    codes: &["RUN02"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let package = package_of(case, function)?;
    let Some(code) = &package.code else {
        return Err(Stop::not_applicable("the package's handler file was not found"));
    };
    let missing: Vec<&str> = package
        .imports
        .iter()
        .filter(|one| one.provided.as_deref() == Some("missing"))
        .filter_map(|one| one.module.as_deref())
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(stop) = unread_layers(package, function) {
        return Err(stop);
    }
    let path = code.path.as_deref().unwrap_or("the handler's file");
    let finding = Finding::new(
        "RUN02",
        resource_of(function),
        format!(
            "{path} of {} imports {}, which is neither in its package nor in a layer.",
            name_of(function),
            missing.join(" and ")
        ),
    )
    .fact("package", format!("{path} imports {}", missing.join(", ")))
    .fact("package", "no module of that name at the top of the package or its layers");
    Ok(vec![rebuilt(finding, function, package, &projects(missing.iter().copied()))])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(provided: &str) -> Value {
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": "python3.12"}},
            "Package": {"Archives": [{"Name": "code"}], "Code": {"Path": "lambda_function.py"},
                "Imports": [{"Module": "pg", "Provided": provided}]}})
    }

    #[test]
    fn a_missing_module_is_found_with_the_project_that_has_it() {
        let found = judge(&CHECK, bundle("missing")).expect("findings");
        assert_eq!(found[0].code(), "RUN02");
        let command = &found[0].fixes[0].lines()[0];
        assert!(command.contains("SecretsManagerRDSPostgreSQLRotationSingleUser"), "{command}");
        assert!(!command.contains("pip"), "pip has PyGreSQL for Linux as source only");
        let mut other = bundle("missing");
        other["Package"]["Imports"][0]["Module"] = json!("pymysql");
        let found = judge(&CHECK, other).expect("findings");
        assert!(found[0].fixes[0].lines()[0].ends_with("-t build PyMySQL"));
        assert!(codes(&judge(&CHECK, bundle("layer"))).is_empty());
    }

    #[test]
    fn a_layer_that_was_not_read_may_hold_it() {
        let mut layered = bundle("missing");
        layered["Function"]["Configuration"]["Layers"] = json!([{"Arn": "arn:layer"}]);
        assert!(lacks(&judge(&CHECK, layered), Fact::Package));
    }

    #[test]
    fn what_was_denied_is_inconclusive_and_a_package_without_a_handler_is_none() {
        let mut gap = bundle("missing");
        gap.as_object_mut().expect("object").remove("Package");
        gap["Gaps"] = denied(Fact::Package);
        assert!(lacks(&judge(&CHECK, gap), Fact::Package));
        let mut bare = bundle("missing");
        bare["Package"].as_object_mut().expect("object").remove("Code");
        assert!(not_applicable(&judge(&CHECK, bare)));
    }
}
