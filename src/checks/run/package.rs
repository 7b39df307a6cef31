//! The deployment package of a case's rotation function, and how to build it again.

use crate::{
    aws::arn::Arn,
    catalogue::{is_source_only, module_need},
    checks::{Case, Finding, Missing, Stop, command::quoted},
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
    let name = quoted(name_of(function));
    let finding = finding.confirm(format!(
        "aws lambda get-function-configuration --function-name {name} --query \
         '[Runtime, Architectures, CodeSha256]'"
    ));
    if let Some(project) = projects.iter().copied().find(|project| is_source_only(project)) {
        return with_vended_function(finding, function, package, project);
    }
    let python = configuration.runtime.as_deref().and_then(|name| name.strip_prefix("python"));
    let machine = machine_of(function).unwrap_or("x86_64");
    let projects: Vec<_> = projects.iter().map(|project| quoted(project)).collect();
    let projects = if projects.is_empty() { "PROJECT".to_owned() } else { projects.join(" ") };
    finding.fix(
        "Deploy the current vended function instead; or, for code of your own, install the \
         libraries again for this runtime and machine, and deploy.",
        [
            format!(
                "pip install --platform manylinux2014_{machine} --python-version {} \
                 --only-binary=:all: -t build {projects}",
                python.unwrap_or("PYTHON")
            ),
            "cp lambda_function.py build/ && (cd build && zip -qr ../package.zip .)".to_owned(),
            format!(
                "aws lambda update-function-code --function-name {name} --zip-file \
                 fileb://package.zip"
            ),
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
    let region = region.unwrap_or("REGION");
    let name = format!("{}-renewed", name_of(function));
    let name = quoted(&name);
    let mut parameters = vec![
        format!("Name=functionName,Value={name}"),
        format!("Name=endpoint,Value=https://secretsmanager.{region}.amazonaws.com"),
    ];
    if let Some(vpc) = configuration.vpc_config.as_ref().filter(|vpc| !vpc.subnet_ids.is_empty()) {
        for (parameter, ids) in
            [("vpcSubnetIds", &vpc.subnet_ids), ("vpcSecurityGroupIds", &vpc.security_group_ids)]
        {
            let value = format!("Name={parameter},Value=\"{}\"", ids.join(","));
            parameters.push(quoted(&value).into_owned());
        }
    }
    finding.fix(
        format!(
            "Deploy the current vended function, which brings its {project}, and point the secret \
             at it: pip finds {project} for Linux as source only, so a package of your own would \
             have to be built in an image of the function's runtime, with libpq of release 10 or \
             newer beside it."
        ),
        [
            format!(
                "aws serverlessrepo create-cloud-formation-change-set --application-id \
                 arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManager{template} \
                 --stack-name {name} --capabilities CAPABILITY_IAM CAPABILITY_RESOURCE_POLICY \
                 --parameter-overrides {}",
                parameters.join(" ")
            ),
            "aws cloudformation execute-change-set --change-set-name CHANGE_SET_ARN".to_owned(),
            "aws secretsmanager rotate-secret --secret-id SECRET --rotation-lambda-arn \
             NEW_FUNCTION_ARN"
                .to_owned(),
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
