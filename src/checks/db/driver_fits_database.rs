//! DB04, DB10, DB18: the driver in the package lacks what its database may ask for.

use crate::{
    aws::commands::Command,
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{on_secret, rotate},
        run::{
            function::{name_of, resource_of, rotation_function},
            package::{package_of, rebuilt, unread_layers},
        },
    },
    evidence::{Fact, Function, Package},
};

pub(super) static CHECK: Check = Check {
    name: "driver-fits-database",
    question: "Does the package's driver support what the template calls and the database asks?",
    codes: &["DB04", "DB10", "DB18"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package, Fact::SecretShape],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let package = package_of(case, function)?;
    let mut found = Vec::new();
    if imports(package, "pymysql") {
        if !has(package, "cryptography")
            && let Some(stop) = unread_layers(package, function)
        {
            return Err(stop);
        }
        found.extend(no_cryptography(case, function, package));
    }
    found.extend(thin_oracle(case, function, package));
    found.extend(new_pymongo(function, package));
    let none = ["pymysql", "oracledb", "cx_Oracle", "pymongo"];
    if found.is_empty() && !none.iter().any(|name| imports(package, name)) {
        return Err(Stop::not_applicable("the code imports none of the drivers in question"));
    }
    Ok(found)
}

fn imports(package: &Package, name: &str) -> bool {
    package.imports.iter().any(|one| one.module.as_deref() == Some(name))
}

fn has(package: &Package, name: &str) -> bool {
    package.modules.iter().any(|one| one.name.as_deref() == Some(name))
}

/// PyMySQL needs it for caching_sha2_password over a plain connection.
fn no_cryptography(case: &Case<'_>, function: &Function, package: &Package) -> Option<Finding> {
    if has(package, "cryptography") {
        return None;
    }
    let shapes = case.secret_shape();
    let ssl = shapes.if_known().and_then(|by_stage| by_stage.get("AWSCURRENT")?.text("ssl"));
    if ssl.is_some_and(|ssl| ssl.eq_ignore_ascii_case("true")) {
        return None;
    }
    let finding = Finding::new(
        "DB04",
        resource_of(function),
        format!(
            "The package of {} has no cryptography: a MySQL user with caching_sha2_password fails \
             where the function falls back to a plain connection.",
            name_of(function)
        ),
    )
    .severity(Severity::Note)
    .on(Basis::Indication)
    .fact("package", "imports pymysql, and has no module cryptography")
    .fix(
        "Add \"ssl\": true to the secret, so that the function never falls back.",
        [on_secret(case, "get-secret-value").option("--query", "SecretString")],
    );
    Some(rebuilt(finding, function, package, &["PyMySQL", "cryptography"]))
}

/// python-oracledb without Oracle's client has no native network encryption.
fn thin_oracle(case: &Case<'_>, function: &Function, package: &Package) -> Option<Finding> {
    let code = package.code.as_ref()?;
    code.can.iter().find(|one| *one == "oracle-oracledb-thin")?;
    Some(
        Finding::new(
            "DB10",
            resource_of(function),
            format!(
                "{} connects with python-oracledb in thin mode: a database whose option group \
                 requires native network encryption refuses it.",
                name_of(function)
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication)
        .fact(
            "package",
            format!(
                "{} imports oracledb and does not call init_oracle_client",
                code.path.as_deref().unwrap_or("the handler's file")
            ),
        )
        .fix(
            "Where the option group requires it: use the option SSL and \"ssl\": true in the \
             secret, or let clients choose.",
            [Command::aws("rds", "describe-option-groups").option(
                "--query",
                "OptionGroupsList[].Options[?OptionName==`NATIVE_NETWORK_ENCRYPTION`]",
            )],
        )
        .confirm(rotate(case)),
    )
}

/// The template's call of `authenticate` is gone since pymongo 4.
fn new_pymongo(function: &Function, package: &Package) -> Option<Finding> {
    let version = package
        .distributions
        .iter()
        .find(|one| one.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("pymongo")))?
        .version
        .as_deref()?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    let template = package.code.as_ref()?.template.as_deref()?;
    if major < 4 || !template.contains("MongoDB") {
        return None;
    }
    let finding = Finding::new(
        "DB18",
        resource_of(function),
        format!(
            "The package of {} has pymongo {version}, and its template calls what pymongo 4 no \
             longer has.",
            name_of(function)
        ),
    )
    .on(Basis::State)
    .fact("package", format!("pymongo {version}"))
    .fact("package", format!("the code is SecretsManager{template}"));
    Some(rebuilt(finding, function, package, &["pymongo<4"]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(driver: &str, package: Value) -> Value {
        let mut bundle = json!({"Secret": {"Name": "db", "RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": "python3.12"}},
            "Package": package});
        bundle["Package"]["Archives"] = json!([{"Name": "code"}]);
        bundle["Package"]["Imports"] = json!([{"Module": driver, "Provided": "package"}]);
        bundle
    }

    #[test]
    fn mysql_without_cryptography_is_noted() {
        let bare = bundle("pymysql", json!({"Modules": [{"Name": "pymysql"}]}));
        assert_eq!(codes(&judge(&CHECK, bare.clone())), ["DB04"]);
        let mut layered = bare.clone();
        layered["Function"]["Configuration"]["Layers"] = json!([{"Arn": "arn:layer"}]);
        assert!(lacks(&judge(&CHECK, layered), Fact::Package));
        let mut tls = bare;
        tls["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["ssl"], "Values": {"ssl": true}}});
        assert!(codes(&judge(&CHECK, tls)).is_empty());
        let full = bundle("pymysql", json!({"Modules": [{"Name": "cryptography"}]}));
        assert!(codes(&judge(&CHECK, full)).is_empty());
    }

    #[test]
    fn thin_oracle_and_new_pymongo_are_found() {
        let thin =
            bundle("oracledb", json!({"Code": {"Path": "l.py", "Can": ["oracle-oracledb-thin"]}}));
        assert_eq!(codes(&judge(&CHECK, thin)), ["DB10"]);
        let mongo = |version: &str| {
            bundle(
                "pymongo",
                json!({"Code": {"Template": "MongoDBRotationSingleUser"},
                "Distributions": [{"Name": "pymongo", "Version": version}]}),
            )
        };
        assert_eq!(codes(&judge(&CHECK, mongo("4.6.1"))), ["DB18"]);
        assert!(codes(&judge(&CHECK, mongo("3.13.0"))).is_empty());
    }

    #[test]
    fn other_drivers_are_no_question_and_a_denied_package_is_inconclusive() {
        assert!(not_applicable(&judge(&CHECK, bundle("pg", json!({})))));
        let mut gap = bundle("pymysql", json!({}));
        gap.as_object_mut().expect("object").remove("Package");
        gap["Gaps"] = denied(Fact::Package);
        assert!(lacks(&judge(&CHECK, gap), Fact::Package));
    }
}
