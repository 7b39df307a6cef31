//! What the checks share that ask whether a vended function can do what its
//! database wants: an old function, and a database that asks.

use super::{
    package_capability::{PackageCapability, package_capability},
    parameters::{ParameterSetting, asked},
    secret_database::{SecretDatabase, secret_database},
};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::{self, Capability, Severity},
    checks::{
        Basis, Case, Finding, Judgement, Missing, Stop,
        commands::{function_name, rotate},
        function_age::{Ability, FunctionAge},
        run::function::{name_of, resource_of, rotation_function, vended},
        vended_template::template,
    },
    evidence::{Fact, Function, Package},
};

/// What is asked, and how a finding puts it.
pub(super) struct CapabilityQuestion {
    /// The row of what functions can do, such as `scram`.
    pub(super) capability: &'static str,
    /// The row of what databases ask for, such as `scram`; none where every database
    /// of its engines asks.
    pub(super) demand: Option<&'static str>,
    /// The engines that it is a question of, by how their names begin; all where empty.
    pub(super) engines: &'static [&'static str],
    /// What the function cannot do, such as `speak SCRAM`.
    pub(super) lacks: &'static str,
    /// The code, by engine.
    pub(super) code: fn(engine: &str) -> &'static str,
}

impl CapabilityQuestion {
    fn concerns(&self, engine: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|one| engine.starts_with(one))
    }
}

/// Judges a question.
pub(super) fn judge(case: &Case<'_>, question: &CapabilityQuestion) -> Judgement {
    let function = rotation_function(case)?;
    let package = case.package().if_known();
    let template = template_name(case, package);
    let read =
        package.and_then(|package| package_capability(question.capability, package, function));
    if vended(function).is_none() && read.is_none() {
        return Err(match package {
            Some(_) => Stop::not_applicable("its package shows nothing that would need it"),
            None if case.package().is_unseen() && database_does_not_ask(case, question) => {
                return Ok(Vec::new());
            }
            None if case.package().is_unseen() => case.package().inconclusive(),
            None => Stop::not_applicable(
                "nothing says that AWS vended the function; its package shows what it can do",
            ),
        });
    }
    let Some(row) = catalogue::capability(question.capability, template.as_deref())
        .or_else(|| read.is_some().then(|| catalogue::capability(question.capability, None))?)
    else {
        return Err(Stop::not_applicable("the function's template has no such need"));
    };
    let age = FunctionAge::of(case, function);
    let doubt = AbilityProof::of(&age, row, read);
    if doubt.ability == Ability::Present {
        return Ok(Vec::new());
    }
    let old = doubt.ability != Ability::Unknown;
    let database = match secret_database(case) {
        Err(Stop::NotApplicable(why)) if old => {
            return Ok(vec![unproven(case, function, question, row, &doubt, &why)]);
        }
        // A package alone was looked at.
        Err(Stop::Inconclusive(_)) if old && nobody_asked(case) => {
            let why = "no database was looked at";
            return Ok(vec![unproven(case, function, question, row, &doubt, why)]);
        }
        found => found?,
    };
    let engine = database.engine();
    if !question.concerns(engine) {
        return Ok(Vec::new());
    }
    let setting = match question.demand {
        Some(demand) => match asked(case, &database, demand)? {
            Some(setting) => Some(setting),
            None if doubt.by_package() => {
                let why = format!("{} does not", database.label());
                return Ok(vec![unproven(case, function, question, row, &doubt, &why)]);
            }
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    if !old {
        return Err(undated(case, function));
    }
    Ok(vec![proven(case, function, question, row, &doubt, &database, setting.as_ref())])
}

/// Whether the database is known, and known not to ask: no package needs to show it.
fn database_does_not_ask(case: &Case<'_>, question: &CapabilityQuestion) -> bool {
    let Ok(database) = secret_database(case) else { return false };
    !question.concerns(database.engine())
        || question.demand.is_some_and(|demand| matches!(asked(case, &database, demand), Ok(None)))
}

fn nobody_asked(case: &Case<'_>) -> bool {
    case.secret().is_not_asked() && case.db_instances().is_not_asked()
}

/// The template by what names it, else by the code itself.
fn template_name(case: &Case<'_>, package: Option<&Package>) -> Option<String> {
    template(case)
        .map(|template| template.name)
        .or_else(|| package?.code.as_ref()?.template.clone())
}

/// What speaks for or against the function.
struct AbilityProof<'a> {
    ability: Ability,
    age: &'a FunctionAge,
    /// What its package shows; it comes before any date.
    read: Option<PackageCapability>,
}

impl<'a> AbilityProof<'a> {
    fn of(age: &'a FunctionAge, row: &Capability, read: Option<PackageCapability>) -> Self {
        let ability = match read.as_ref().map(|seen| seen.can) {
            Some(true) => Ability::Present,
            Some(false) => Ability::Absent,
            None => age.can(row),
        };
        Self { ability, age, read }
    }

    fn by_package(&self) -> bool {
        self.read.is_some()
    }

    fn prove(&self, mut finding: Finding, row: &Capability) -> Finding {
        for text in self.read.iter().flat_map(|seen| &seen.proofs) {
            finding = finding.fact("package", text);
        }
        self.age.prove(finding, row)
    }

    /// How the function is described, up to what it lacks.
    fn words(&self, function: &Function, row: &Capability) -> String {
        match &self.read {
            Some(seen) => format!("The package of {} {}", name_of(function), seen.words),
            None => format!("{} was set up before {}", name_of(function), row.since.date()),
        }
    }
}

/// A function that cannot and a database that asks.
fn proven(
    case: &Case<'_>,
    function: &Function,
    question: &CapabilityQuestion,
    row: &Capability,
    doubt: &AbilityProof<'_>,
    database: &SecretDatabase<'_>,
    setting: Option<&ParameterSetting>,
) -> Finding {
    let sure = doubt.ability == Ability::Absent;
    let hedge = if sure { "" } else { " unless it was renewed since" };
    // What governs new passwords only says nothing of the one that is stored now.
    let new_only = setting.is_some_and(|setting| setting.name == NEW_PASSWORDS);
    let assumed = setting.is_some_and(ParameterSetting::is_assumed);
    let asks = match setting {
        _ if assumed => format!("{} usually asks for it", database.label()),
        _ if new_only => format!(
            "{} hashes new passwords so: where the stored one is older, setSecret still logs in \
             and testSecret fails with the new one",
            database.label()
        ),
        Some(_) => format!("{} asks for it", database.label()),
        None => format!("{} needs it", database.label()),
    };
    let finding = Finding::new(
        (question.code)(database.engine()),
        resource_of(function),
        format!("{} and cannot {}{hedge}; {asks}.", doubt.words(function, row), question.lacks),
    )
    .severity(if sure && !database.assumed && !assumed {
        Severity::Error
    } else {
        Severity::Warning
    })
    .on(if doubt.by_package() && !new_only && !database.assumed && !assumed {
        Basis::State
    } else {
        Basis::Indication
    });
    let finding = doubt.prove(finding, row);
    let finding = setting.into_iter().fold(finding, |finding, setting| setting.prove(finding));
    let finding =
        with_recreated_function(finding.fact(database.source(), &database.how), case, function);
    if new_only { finding.confirm(stored_as()) } else { finding }
}

/// The parameter that decides how new passwords are stored.
const NEW_PASSWORDS: &str = "password_encryption";

/// Shows for each role how its password is stored (RDS User Guide, Using SCRAM for
/// PostgreSQL password encryption).
fn stored_as() -> Command {
    Command::program("psql")
        .option("-h", Argument::placeholder("HOST"))
        .option("-U", Argument::placeholder("MASTER"))
        .option("-c", "CREATE EXTENSION IF NOT EXISTS rds_tools")
        .option("-c", "SELECT * FROM rds_tools.role_password_encryption_type()")
}

/// A function that cannot, and no database that asks.
fn unproven(
    case: &Case<'_>,
    function: &Function,
    question: &CapabilityQuestion,
    row: &Capability,
    doubt: &AbilityProof<'_>,
    why: &str,
) -> Finding {
    let may = if doubt.by_package() { "cannot" } else { "may not" };
    let finding = Finding::new(
        (question.code)(""),
        resource_of(function),
        format!(
            "{} and {may} {}; it matters only where its database asks for it ({why}).",
            doubt.words(function, row),
            question.lacks
        ),
    )
    .severity(Severity::Note)
    .on(Basis::Indication);
    with_recreated_function(doubt.prove(finding, row), case, function)
}

/// Nothing dates the function: its stack or its package would.
fn undated(case: &Case<'_>, function: &Function) -> Stop {
    let mut missing = vec![Missing {
        fact: Fact::Package,
        action: Fact::Package.actions()[0].to_owned(),
        resource: resource_of(function),
        reason: "not looked into".to_owned(),
    }];
    let stack = case.stack();
    if stack.is_unseen() {
        missing.push(stack.missing());
    }
    Stop::Inconclusive(missing)
}

/// The fix for every old function: a new one.
fn with_recreated_function(finding: Finding, case: &Case<'_>, function: &Function) -> Finding {
    let name = function_name(function);
    let change_set = || Argument::placeholder("CHANGE_SET_ID");
    let mut commands = match (
        function.tags.get("aws:cloudformation:stack-name"),
        function.tags.get("serverlessrepo:applicationId"),
    ) {
        (_, Some(application)) => vec![
            Command::aws("serverlessrepo", "create-cloud-formation-change-set")
                .option("--application-id", application)
                .option("--stack-name", name.clone().then("-renewed"))
                .options("--capabilities", ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"])
                .option("--parameter-overrides", Argument::file("parameters.json")),
            Command::aws("cloudformation", "wait")
                .word("change-set-create-complete")
                .option("--change-set-name", change_set()),
            Command::aws("cloudformation", "execute-change-set")
                .option("--change-set-name", change_set()),
            // The repository puts its own name before the stack's.
            Command::aws("cloudformation", "wait").word("stack-create-complete").option(
                "--stack-name",
                Argument::from("serverlessrepo-").then(name).then("-renewed"),
            ),
        ],
        (Some(stack), None) => vec![
            Command::aws("cloudformation", "update-stack")
                .option("--stack-name", stack)
                .flag("--use-previous-template")
                .options("--capabilities", ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]),
            Command::aws("cloudformation", "wait")
                .word("stack-update-complete")
                .option("--stack-name", stack),
        ],
        (None, None) => Vec::new(),
    };
    commands.push(
        rotate(case).option("--rotation-lambda-arn", Argument::placeholder("NEW_FUNCTION_ARN")),
    );
    finding
        .fix(
            "Recreate the function (console: edit rotation, create a new function; CDK: upgrade \
             aws-cdk-lib and deploy) and point the secret at it.",
            commands,
        )
        .confirm(rotate(case))
}
