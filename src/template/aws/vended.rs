//! Rotation functions that AWS's own templates make: those of `HostedRotationLambda` and
//! those of the applications in the Serverless Application Repository, with role and
//! permission.
//!
//! Sources: CloudFormation reference of `HostedRotationLambda`; the public templates of
//! `SecretsManagerRotationTemplates`; the policy templates of SAM
//! (`catalogue/known_policies.toml`). The package is AWS's and stands in no file; the time
//! limit is the 30 seconds of the applications.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Open, Place, Setting, functions, permissions, policies};
use crate::{
    catalogue::{vended_handler, vended_statements},
    evidence::{Fact, Function, Observed, Role, VpcConfig},
    seal::HIDDEN,
    template::{Draft, draft::begin},
};

/// A function that one of AWS's templates makes.
pub(crate) struct Vended {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The template, such as `SecretsManagerRDSMySQLRotationSingleUser`.
    pub(crate) template: Option<String>,
    /// The build, where it is pinned.
    pub(crate) version: Option<String>,
    pub(crate) runtime: Setting<String>,
    pub(crate) network: Option<VpcConfig>,
    /// The environment variables that its parameters become.
    variables: BTreeMap<&'static str, Setting<String>>,
    /// What its role may use: the secret's key, the superuser's secret and its key.
    key: Setting<String>,
    pub(crate) superuser: Setting<String>,
    superuser_key: Setting<String>,
}

/// Seconds that a vended function may run.
const TIMEOUT: i64 = 30;
/// Who vends the applications.
const APPLICATIONS: &str = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/";

/// Parameters that become variables of the function.
const VARIABLES: [(&str, &str); 8] = [
    ("endpoint", functions::ENDPOINT_VARIABLE),
    ("excludeCharacters", "EXCLUDE_CHARACTERS"),
    ("excludeNumbers", "EXCLUDE_NUMBERS"),
    ("excludePunctuation", "EXCLUDE_PUNCTUATION"),
    ("excludeUppercase", "EXCLUDE_UPPERCASE"),
    ("excludeLowercase", "EXCLUDE_LOWERCASE"),
    ("requireEachIncludedType", "REQUIRE_EACH_INCLUDED_TYPE"),
    ("passwordLength", "PASSWORD_LENGTH"),
];

impl Vended {
    /// A function with the parameters of its template, under the names that they have in
    /// the applications.
    pub(crate) fn of_parameters(
        arn: &str,
        template: Option<String>,
        parameter: impl Fn(&str) -> Setting<String>,
    ) -> Self {
        let either = |new: &str, old: &str| match parameter(new) {
            Setting::Absent => parameter(old),
            setting => setting,
        };
        let variables = VARIABLES
            .iter()
            .map(|(own, variable)| (*variable, parameter(own)))
            .filter(|(_, setting)| !setting.is_absent());
        Self {
            arn: arn.to_owned(),
            name: arn.rsplit(':').next().unwrap_or(arn).to_owned(),
            template,
            version: None,
            runtime: Setting::Absent,
            network: None,
            variables: variables.collect(),
            key: parameter("kmsKeyArn"),
            superuser: either("superuserSecretArn", "masterSecretArn"),
            superuser_key: either("superuserSecretKmsKeyArn", "masterSecretKmsKeyArn"),
        }
    }
}

/// The template of a `RotationType`, such as `PostgreSQLSingleUser`.
pub(crate) fn template_of_type(kind: &str) -> Option<String> {
    let (engine, strategy) = ["SingleUser", "MultiUser"]
        .into_iter()
        .find_map(|strategy| Some((kind.strip_suffix(strategy)?, strategy)))?;
    let family = match engine {
        "MySQL" | "PostgreSQL" | "Oracle" | "MariaDB" | "SQLServer" | "Db2" => "RDS",
        "Redshift" | "MongoDB" => "",
        _ => return None,
    };
    Some(format!("SecretsManager{family}{engine}Rotation{strategy}"))
}

/// The template in an application's id, where it is one that rotates secrets.
pub(crate) fn template_of_application(id: &str) -> Option<&str> {
    id.rsplit('/')
        .next()
        .filter(|name| name.starts_with("SecretsManager") && name.contains("Rotation"))
}

/// The ids in a parameter that takes a list with commas.
pub(crate) fn comma_list(text: &str) -> Vec<String> {
    text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
}

/// Declares function, permission and role.
pub(crate) fn declare(draft: &mut Draft, place: &Place, vended: Vended) {
    let role_name = format!("{}Role", vended.name);
    let role = place.iam(&format!("role/{role_name}"));
    declare_function(draft, place, &vended, &role);
    draft.evidence.function_policy = Observed::Known(permissions::vended(&vended.arn, place));
    declare_role(draft, place, vended, role, role_name);
}

fn declare_function(draft: &mut Draft, place: &Place, vended: &Vended, role: &str) {
    let mut configuration = functions::deployed(&vended.name, &vended.arn);
    configuration.role = Some(role.to_owned());
    configuration.handler = Some(vended_handler().to_owned());
    configuration.timeout = Some(TIMEOUT);
    configuration.vpc_config = vended.network.clone();
    configuration.runtime = vended.runtime.clone().or_token();
    let mut variables = BTreeMap::from([(
        functions::ENDPOINT_VARIABLE,
        format!("https://secretsmanager.{}.{}", place.region, place.url_suffix()),
    )]);
    let mut open = None;
    for (name, setting) in &vended.variables {
        match setting {
            Setting::Known(value) => drop(variables.insert(name, value.clone())),
            Setting::Absent => {}
            Setting::Open(reason) => {
                // Without its value nothing is known of the path to Secrets Manager.
                open = open.or(Some(reason).filter(|_| *name == functions::ENDPOINT_VARIABLE));
                variables.insert(name, HIDDEN.to_owned());
            }
        }
    }
    if let Some(reason) = open {
        return draft.gap(Fact::Function, &vended.arn, reason);
    }
    configuration.environment = functions::environment(variables);
    let tags = [
        ("applicationId", vended.template.as_ref().map(|name| format!("{APPLICATIONS}{name}"))),
        ("semanticVersion", vended.version.clone()),
    ];
    let tags = tags
        .into_iter()
        .filter_map(|(name, value)| Some((format!("serverlessrepo:{name}"), value?)));
    draft.evidence.function =
        Observed::Known(Function { configuration, tags: tags.collect(), concurrency: None });
}

fn declare_role(draft: &mut Draft, place: &Place, vended: Vended, arn: String, name: String) {
    draft.evidence.role = Observed::Known(Role {
        role_name: Some(name.clone()),
        arn: Some(arn),
        assume_role_policy_document: Some(policies::trust()),
        ..Role::default()
    });
    let mut statements = Vec::new();
    for row in vended_statements() {
        let needed = match row.needs.as_str() {
            "key" => &vended.key,
            "superuser" => &vended.superuser,
            "superuser_key" => &vended.superuser_key,
            _ => &Setting::Known(String::new()),
        };
        let named = match needed {
            Setting::Known(named) => named.clone(),
            Setting::Absent => continue,
            // Which one it is does not matter for what it allows.
            Setting::Open(open) => open.token.clone(),
        };
        let filled = filled(&row.statement, place, &vended.arn)
            .replace(&format!("{{{}}}", row.needs), &named);
        statements.extend(serde_json::from_str::<Value>(&filled).ok());
    }
    policies::add_inline(draft, &name, Setting::Known(document(statements)));
    begin(&mut draft.evidence.attached_policies);
    draft.evidence.permissions_boundary = Observed::Absent;
    // A key that a parameter names may be any: what it allows is not known.
    if let Setting::Open(open) = vended.key {
        policies::add_inline(draft, "KmsKeyArn", Setting::Open(open));
    }
}

/// A statement of the catalogue with the places filled in that it leaves.
pub(crate) fn filled(statement: &str, place: &Place, function: &str) -> String {
    statement
        .replace("{partition}", place.partition())
        .replace("{region}", &place.region)
        .replace("{account}", &place.account)
        .replace("{function}", function)
}

/// A policy document of these statements.
pub(crate) fn document(statements: Vec<Value>) -> Value {
    serde_json::json!({"Version": "2012-10-17", "Statement": statements})
}

/// An application whose parameters do not say what its function is called.
pub(crate) fn unknown_application(name: &str, id: &str) -> Open {
    Open::named(name, format!("what the application {id} makes is not known"))
}

#[cfg(test)]
mod tests {
    use super::{Vended, declare, template_of_application, template_of_type};
    use crate::{
        evidence::Time,
        template::{
            Draft,
            aws::{Open, Place, Setting},
        },
    };

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

    fn evidence(parameter: impl Fn(&str) -> Setting<String>) -> crate::evidence::Evidence {
        let place = Place { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() };
        let mut draft = Draft::default();
        declare(&mut draft, &place, Vended::of_parameters(ARN, None, parameter));
        draft.finish(Time::default()).evidence
    }

    #[test]
    fn templates_are_named_by_type_and_by_application() {
        let named = |kind: &str| template_of_type(kind).unwrap_or_default();
        assert_eq!(named("Db2MultiUser"), "SecretsManagerRDSDb2RotationMultiUser");
        assert_eq!(named("MongoDBSingleUser"), "SecretsManagerMongoDBRotationSingleUser");
        assert_eq!(template_of_type("PostgresSingleUser"), None);
        let id = "arn:aws:serverlessrepo:us-east-1:1:applications/SecretsManagerRotationTemplate";
        assert_eq!(template_of_application(id), Some("SecretsManagerRotationTemplate"));
        assert_eq!(template_of_application("SecretsManagerOther"), None);
    }

    #[test]
    fn every_password_parameter_becomes_a_variable() {
        let found = evidence(|name| match name {
            "passwordLength" => Setting::Known("3".to_owned()),
            "excludeNumbers" => Setting::Open(Open::named("Numbers", "it is open")),
            _ => Setting::Absent,
        });
        let function = found.function.known().expect("a function");
        assert_eq!(function.configuration.variable("PASSWORD_LENGTH"), Some("3"));
        assert_eq!(function.configuration.variable("EXCLUDE_NUMBERS"), Some("(hidden)"));
        let endpoint = function.configuration.variable("SECRETS_MANAGER_ENDPOINT");
        assert_eq!(endpoint, Some("https://secretsmanager.eu-west-1.amazonaws.com"));
        assert!(found.function_policy.known().is_some() && found.role.known().is_some());
    }

    #[test]
    fn an_open_endpoint_leaves_the_function_open_and_an_open_key_its_policy() {
        let open = |wanted: &'static str| {
            evidence(move |name| match name == wanted {
                true => Setting::Open(Open::named(name, "it is open")),
                false => Setting::Absent,
            })
        };
        assert!(open("endpoint").function.is_unseen());
        let policies = open("kmsKeyArn").role_policies;
        let policies = policies.known().expect("policies");
        assert_eq!(policies.len(), 2);
        assert!(policies[1].policy_document.is_none());
    }
}
