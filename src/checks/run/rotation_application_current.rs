//! RUN06, RUN07: the function was deployed from an old build of its application
//! in the Serverless Application Repository.

use super::function::{application_version, name_of, numbers, resource_of, rotation_function};
use crate::{
    aws::commands::Command,
    catalogue::{Release, Runtime, Severity, releases, runtime},
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop, commands::upgrade_cdk,
        vended_template::template_of,
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "rotation-application-current",
    question: "Was the function deployed from a current build of its application?",
    codes: &["RUN06", "RUN07"],
    facts: &[Fact::Secret, Fact::Function, Fact::Stack, Fact::Package],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let stack = case.stack().if_known();
    let Some((version, source)) = application_version(function, stack) else {
        return Err(Stop::not_applicable(
            "the function is not tagged with a version of an application",
        ));
    };
    let template = template_of(Some(function), stack, None);
    let application = template.as_ref().map_or("", |template| template.name.as_str());
    let known = releases(case.partition(), application);
    let Some(current) = known.iter().find(|release| release.newest_runtime) else {
        return Err(Stop::not_applicable(format!(
            "no builds of this application are known in {}",
            case.partition()
        )));
    };
    if numbers(&version) >= numbers(&current.version) {
        return Ok(Vec::new());
    }
    let name = name_of(function);
    let refused = refused_runtime(case, &version, &known);
    let code = if case.partition() == "aws" { "RUN06" } else { "RUN07" };
    let finding = Finding::new(
        code,
        resource_of(function),
        format!(
            "{name} was deployed from build {version}{}; the builds that aws-cdk pins in {} are at \
             {} or later.",
            runtime_of(&version, &known),
            case.partition(),
            current.version
        ),
    )
    .severity(if refused.is_some() { Severity::Error } else { Severity::Warning })
    .on(Basis::Indication)
    .fact(source, format!("serverlessrepo:semanticVersion is {version}"))
    .proof(
        ProofKind::Date,
        &current.provenance.source,
        format!("{}: build {}", current.cdk, current.version),
    )
    .confirm(
        Command::aws("lambda", "list-tags")
            .option("--resource", resource_of(function))
            .option("--query", "Tags.\"serverlessrepo:semanticVersion\""),
    );
    let finding = match refused {
        Some(runtime) => finding.proof(
            ProofKind::Date,
            &runtime.provenance.source,
            format!("Lambda refuses to create functions with {} by now", runtime.name),
        ),
        None => finding,
    };
    // What the package holds decides whether the old build matters.
    let package = case.package();
    let old = package.if_known().into_iter().flat_map(|package| &package.libpq);
    let finding = old
        .filter(|libpq| libpq.scram.as_deref() == Some("no"))
        .filter_map(|libpq| libpq.path.as_deref())
        .fold(finding, |finding, path| finding.fact("package", format!("{path} speaks no SCRAM")));
    let summary = if code == "RUN06" {
        "Upgrade aws-cdk-lib and deploy, or deploy the newest build of the application."
    } else {
        "Upgrade aws-cdk-lib and deploy, or set the application's version for this partition by hand."
    };
    let versions = function.tags.get("serverlessrepo:applicationId").map(|id| {
        Command::aws("serverlessrepo", "list-application-versions").option("--application-id", id)
    });
    let commands = upgrade_cdk().into_iter().chain(versions);
    Ok(vec![finding.fix(summary, commands)])
}

/// The runtime of a build that is to be deployed, where Lambda refuses to create functions
/// with it.
fn refused_runtime(case: &Case<'_>, version: &str, known: &[&Release]) -> Option<&'static Runtime> {
    let release = release_of(version, known).filter(|_| case.is_declared())?;
    let found = runtime(&release.runtime)?;
    found.create_blocked.is_some_and(|day| day <= case.now()).then_some(found)
}

/// The newest known build that is not newer than a version.
fn release_of<'r>(version: &str, known: &[&'r Release]) -> Option<&'r Release> {
    let older = known.iter().rev().find(|one| numbers(&one.version) <= numbers(version));
    // Builds before the first that is known asked for no newer runtime.
    older.or(known.first()).copied()
}

/// The runtime that a build asks for, where the table knows it.
fn runtime_of(version: &str, known: &[&Release]) -> String {
    known
        .iter()
        .rev()
        .find(|release| numbers(&release.version) <= numbers(version))
        .filter(|release| release.provenance.verified())
        .map(|release| format!(" ({})", release.runtime))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    fn bundle(partition: &str, application: &str, version: &str) -> serde_json::Value {
        json!({"Partition": partition, "Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate"}, "Tags": {
                "serverlessrepo:semanticVersion": version,
                "serverlessrepo:applicationId":
                    format!("arn:aws:serverlessrepo:us-east-1:297356227824:applications/{application}")}}})
    }

    const POSTGRES: &str = "SecretsManagerRDSPostgreSQLRotationSingleUser";

    #[test]
    fn an_old_build_is_found_with_its_runtime() {
        let found = judge(&CHECK, bundle("aws", POSTGRES, "1.1.367")).expect("findings");
        assert_eq!(found[0].code(), "RUN06");
        assert!(found[0].summary.contains("python3.9"));
        assert!(codes(&judge(&CHECK, bundle("aws", POSTGRES, "1.1.618"))).is_empty());
    }

    #[test]
    fn a_package_shows_whether_the_old_build_matters() {
        let mut old = bundle("aws-cn", POSTGRES, "1.1.237");
        old["Package"] = json!({"Libpq": [{"Path": "libpq.so.5", "Scram": "no"}]});
        let found = judge(&CHECK, old).expect("findings");
        assert!(found[0].proofs.iter().any(|proof| proof.text == "libpq.so.5 speaks no SCRAM"));
    }

    #[test]
    fn other_partitions_and_applications_count_on_their_own() {
        assert_eq!(codes(&judge(&CHECK, bundle("aws-cn", POSTGRES, "1.1.237"))), ["RUN07"]);
        assert!(codes(&judge(&CHECK, bundle("aws-cn", POSTGRES, "1.1.440"))).is_empty());
        let db2 = "SecretsManagerRDSDb2RotationSingleUser";
        assert!(codes(&judge(&CHECK, bundle("aws", db2, "1.1.271"))).is_empty());
        assert!(not_applicable(&judge(&CHECK, bundle("aws-iso", POSTGRES, "1.1.1"))));
    }

    #[test]
    fn the_stack_may_carry_the_version_and_without_one_there_is_nothing_to_say() {
        let mut stack = bundle("aws", POSTGRES, "1.1.618");
        stack["Function"]["Tags"]
            .as_object_mut()
            .expect("object")
            .remove("serverlessrepo:semanticVersion");
        assert!(not_applicable(&judge(&CHECK, stack.clone())));
        stack["Stack"] =
            json!({"Tags": [{"Key": "serverlessrepo:semanticVersion", "Value": "1.1.225"}]});
        assert_eq!(codes(&judge(&CHECK, stack)), ["RUN06"]);
    }

    #[test]
    fn a_denied_function_is_inconclusive() {
        let gap = json!({"Secret": {"RotationLambdaARN": "arn"},
            "Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
