//! The common part of the checks that ask whether a vended function can do what
//! its database wants: an old function, and a database that asks. No check lives
//! here.

use super::{
    parameters::{Setting, asked},
    subject::{Subject, subject},
};
use crate::{
    catalogue::{self, Capability, Severity},
    checks::{
        Basis, Case, Finding, Judgement, Missing, Stop,
        command::quoted,
        function_age::{Ability, FunctionAge},
        run::function::{name_of, resource_of, rotation_function, vended},
        template::template,
    },
    evidence::{Fact, Function},
};

/// What is asked, and how a finding puts it.
pub(super) struct Question {
    /// The row of what functions can do, such as `scram`.
    pub(super) capability: &'static str,
    /// The row of what databases ask for, such as `scram`.
    pub(super) demand: &'static str,
    /// What the function cannot do, such as `speak SCRAM`.
    pub(super) lacks: &'static str,
    /// The code, by engine.
    pub(super) code: fn(engine: &str) -> &'static str,
}

/// Judges a question.
pub(super) fn judge(case: &Case<'_>, question: &Question) -> Judgement {
    let function = rotation_function(case)?;
    if vended(function).is_none() {
        return Err(Stop::not_applicable(
            "nothing says that AWS vended the function; its package tells what it can do",
        ));
    }
    let template = template(case);
    let name = template.as_ref().map(|template| template.name.as_str());
    let Some(row) = catalogue::capability(question.capability, name) else {
        return Err(Stop::not_applicable("the function's template has no such need"));
    };
    let age = FunctionAge::of(case, function);
    let ability = age.can(row);
    if ability == Ability::Present {
        return Ok(Vec::new());
    }
    let old = ability != Ability::Unknown;
    let database = match subject(case) {
        Err(Stop::NotApplicable(why)) if old => {
            return Ok(vec![unproven(case, function, question, row, &age, &why)]);
        }
        found => found?,
    };
    let Some(setting) = asked(case, &database, question.demand)? else { return Ok(Vec::new()) };
    if !old {
        return Err(undated(case, function));
    }
    Ok(vec![proven(case, function, question, row, &age, &database, &setting)])
}

/// An old function and a database that asks.
fn proven(
    case: &Case<'_>,
    function: &Function,
    question: &Question,
    row: &Capability,
    age: &FunctionAge,
    database: &Subject<'_>,
    setting: &Setting,
) -> Finding {
    let sure = age.can(row) == Ability::Absent;
    let doubt = if sure { "" } else { " unless it was renewed since" };
    let finding = Finding::new(
        (question.code)(database.engine()),
        resource_of(function),
        format!(
            "{} was set up before {} and cannot {}{doubt}; {} asks for it.",
            name_of(function),
            row.since.date(),
            question.lacks,
            database.label()
        ),
    )
    .severity(if sure && !database.assumed { Severity::Error } else { Severity::Warning })
    .on(Basis::Indication);
    let finding = setting.prove(age.prove(finding, row));
    recreated(finding.fact(database.source(), &database.how), case, function)
}

/// An old function, and no database to hold it against.
fn unproven(
    case: &Case<'_>,
    function: &Function,
    question: &Question,
    row: &Capability,
    age: &FunctionAge,
    why: &str,
) -> Finding {
    let finding = Finding::new(
        (question.code)(""),
        resource_of(function),
        format!(
            "{} was set up before {} and may not {}; whether its database asks for it is not known \
             ({why}).",
            name_of(function),
            row.since.date(),
            question.lacks
        ),
    )
    .severity(Severity::Note)
    .on(Basis::Indication);
    recreated(age.prove(finding, row), case, function)
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

/// The fix of every old function: a new one.
fn recreated(finding: Finding, case: &Case<'_>, function: &Function) -> Finding {
    let secret = quoted(case.secret_id());
    let mut commands = Vec::new();
    match (
        function.tags.get("aws:cloudformation:stack-name"),
        function.tags.get("serverlessrepo:applicationId"),
    ) {
        (_, Some(application)) => commands.extend([
            format!(
                "aws serverlessrepo create-cloud-formation-change-set --application-id \
                 {} --stack-name {}-renewed --capabilities CAPABILITY_IAM \
                 CAPABILITY_RESOURCE_POLICY --parameter-overrides file://parameters.json",
                quoted(application),
                quoted(name_of(function))
            ),
            "aws cloudformation execute-change-set --change-set-name CHANGE_SET_ID".to_owned(),
        ]),
        (Some(stack), None) => commands.push(format!(
            "aws cloudformation update-stack --stack-name {} --use-previous-template \
             --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND",
            quoted(stack)
        )),
        (None, None) => {}
    }
    commands.push(format!(
        "aws secretsmanager rotate-secret --secret-id {secret} --rotation-lambda-arn NEW_FUNCTION_ARN"
    ));
    finding
        .fix(
            "Make the function anew (console: edit rotation, create a new function; CDK: upgrade \
             aws-cdk-lib and deploy) and point the secret at it.",
            commands,
        )
        .confirm(format!("aws secretsmanager rotate-secret --secret-id {secret}"))
}
