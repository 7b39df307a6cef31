//! The deployment package of a case's rotation function, and how to build it again.

use serde_json::json;

use crate::{
    aws::{
        arn::Arn,
        commands::{Argument, Command},
    },
    catalogue::{is_source_only, module_need},
    checks::{
        Case, Finding, Missing, Stop,
        commands::{function_name, on_function},
    },
    evidence::{Fact, Function, NativeLibrary, Package},
};

use super::function::{name_of, resource_of};

/// What was read out of the function's package. Reads `Package`.
///
/// # Errors
/// Not applicable for a container image, whose code is no package; inconclusive
/// where it was not seen.
pub(in crate::checks) fn package_of<'c>(
    case: &'c Case<'_>,
    function: &Function,
) -> Result<&'c Package, Stop> {
    let reading = case.package();
    if function.configuration.package_type.as_deref() == Some("Image") {
        return Err(Stop::not_applicable("the function is a container image, not a package"));
    }
    reading.or_not_applicable("the function has no package")
}

/// The machine that the function runs on, as ELF names it; none where its
/// architecture was not seen.
pub(in crate::checks) fn machine_of(function: &Function) -> Option<&'static str> {
    match function.configuration.architectures.first().map(String::as_str)? {
        "x86_64" => Some("x86_64"),
        "arm64" => Some("aarch64"),
        _ => None,
    }
}

/// Whether the function cannot start without a compiled module: its code imports
/// it, or a module that needs it.
pub(in crate::checks) fn is_needed(package: &Package, library: &NativeLibrary) -> bool {
    let Some(module) = library.module.as_deref() else { return false };
    let top = module.split('.').next().unwrap_or(module);
    package.imports.iter().filter_map(|one| one.module.as_deref()).any(|import| {
        import == top
            || module_need(import).and_then(|need| need.compiled.as_deref()) == Some(module)
    })
}

/// The stop for layers that were not read and may hold what is missing; none
/// where all were.
pub(in crate::checks) fn unread_layers(package: &Package, function: &Function) -> Option<Stop> {
    let read = package.archives.len().saturating_sub(1);
    let layers = &function.configuration.layers;
    (read < layers.len()).then(|| {
        let unread = layers
            .iter()
            .filter_map(|layer| layer.arn.as_deref())
            .find(|arn| !package.archives.iter().any(|one| one.name.as_deref() == Some(arn)));
        Stop::Inconclusive(vec![Missing {
            fact: Fact::Package,
            action: Fact::Package.actions()[1].to_owned(),
            resource: unread.map_or_else(|| resource_of(function), str::to_owned),
            reason: "a layer was not looked into".to_owned(),
        }])
    })
}

/// The fix of a package that was built for something else: install the project
/// again for this runtime and this machine. Where that takes a compiler and what the
/// library is linked with, the vended function is the fix.
pub(in crate::checks) fn rebuilt(
    finding: Finding,
    function: &Function,
    package: &Package,
    projects: &[&str],
) -> Finding {
    let configuration = &function.configuration;
    let finding = finding.confirm(
        on_function(function_name(function), "get-function-configuration")
            .option("--query", "[Runtime, Architectures, CodeSha256]"),
    );
    if let Some(project) = projects.iter().copied().find(|project| is_source_only(project)) {
        return with_vended_function(finding, function, package, project);
    }
    let python = configuration.runtime.as_deref().and_then(|name| name.strip_prefix("python"));
    let machine = machine_of(function).unwrap_or("x86_64");
    let mut install = Command::program("pip")
        .word("install")
        .option("--platform", format!("manylinux2014_{machine}"))
        .option("--python-version", Argument::or_placeholder(python, "PYTHON"))
        .flag("--only-binary=:all:")
        .option("-t", "build");
    for project in projects {
        install = install.operand("PROJECT", *project);
    }
    if projects.is_empty() {
        install = install.operand("PROJECT", Argument::placeholder("PROJECT"));
    }
    finding.fix(
        "Deploy the current vended function instead; or, for code of your own, install the \
         libraries again for this runtime and machine, and deploy.",
        [
            install,
            Command::program("cp")
                .operand("FILE", "lambda_function.py")
                .operand("DIRECTORY", "build/"),
            // `.` puts the members at the top of the archive.
            Command::program("python3")
                .option("-m", "zipfile")
                .option("-c", "package.zip")
                .operand("DIRECTORY", "build/."),
            on_function(function_name(function), "update-function-code")
                .option("--zip-file", Argument::binary_file("package.zip")),
        ],
    )
}

/// A new vended function in the same subnets and groups as the old one.
fn with_vended_function(
    finding: Finding,
    function: &Function,
    package: &Package,
    project: &str,
) -> Finding {
    let configuration = &function.configuration;
    let template = package.code.as_ref().and_then(|code| code.template.as_deref());
    let template = template.unwrap_or("RDSPostgreSQLRotationSingleUser");
    let region = configuration.function_arn.as_deref().and_then(Arn::region_of);
    let endpoint = Argument::from("Name=endpoint,Value=https://secretsmanager.")
        .then(Argument::or_placeholder(region, "REGION"))
        .then(".amazonaws.com");
    let name = format!("{}-renewed", name_of(function));
    let parameter =
        |name: &str, value: String| Argument::structure(&json!({"Name": name, "Value": value}));
    let mut parameters = vec![parameter("functionName", name.clone()), endpoint];
    if let Some(vpc) = configuration.vpc_config.as_ref().filter(|vpc| !vpc.subnet_ids.is_empty()) {
        parameters.push(parameter("vpcSubnetIds", vpc.subnet_ids.join(",")));
        parameters.push(parameter("vpcSecurityGroupIds", vpc.security_group_ids.join(",")));
    }
    finding.fix(
        format!(
            "Deploy the current vended function, which brings its {project}, and point the secret \
             at it: pip finds {project} for Linux as source only, so a package of your own would \
             have to be built in an image of the function's runtime, with libpq of release 10 or \
             newer beside it."
        ),
        [
            Command::aws("serverlessrepo", "create-cloud-formation-change-set")
                .option(
                    "--application-id",
                    format!(
                        "arn:aws:serverlessrepo:us-east-1:297356227824:applications/\
                         SecretsManager{template}"
                    ),
                )
                .option("--stack-name", name)
                .options("--capabilities", ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"])
                .options("--parameter-overrides", parameters),
            Command::aws("cloudformation", "execute-change-set")
                .option("--change-set-name", Argument::placeholder("CHANGE_SET_ARN")),
            Command::aws("secretsmanager", "rotate-secret")
                .option("--secret-id", Argument::placeholder("SECRET"))
                .option("--rotation-lambda-arn", Argument::placeholder("NEW_FUNCTION_ARN")),
        ],
    )
}

/// The projects to install for modules.
pub(in crate::checks) fn projects<'m>(modules: impl Iterator<Item = &'m str>) -> Vec<&'m str> {
    let mut projects: Vec<&str> = modules
        .map(|module| {
            let top = module.split('.').next().unwrap_or(module);
            let need = module_need(top).or_else(|| module_need(top.trim_start_matches('_')));
            need.map_or(top, |need| need.project.as_str())
        })
        .collect();
    projects.sort();
    projects.dedup();
    projects
}
