//! Lambda: the permissions on the rotation function, as Lambda would write them into its
//! policy.

use super::{resource::Resource, world::World};
use crate::{
    evidence::{Fact, Observed},
    template::{
        Draft,
        aws::{
            Open,
            permissions::{PermissionSettings, admits_secrets_manager, policy},
        },
    },
};

const PERMISSION: &str = "aws_lambda_permission";

/// The policy of a function with this ARN and qualifier; `plain` is the ARN without it.
pub(super) fn declare<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    function: &'p Resource,
    plain: &str,
    arn: &str,
) {
    let qualifier = arn.strip_prefix(plain).and_then(|rest| rest.strip_prefix(':'));
    let mut statements = Vec::new();
    let mut open = None;
    for permission in world.created(&[PERMISSION]) {
        let statement = match is_of(world, permission, function, plain, qualifier) {
            Ok(false) => continue,
            Ok(true) => settings(world, permission).statement(arn, &world.place),
            Err(reason) => Err(reason),
        };
        match statement {
            Ok(statement) => {
                let sid = statement["Sid"].as_str().unwrap_or_default();
                world.declare(draft, sid, permission);
                statements.push(statement);
            }
            Err(reason) => open = Some(reason),
        }
    }
    let admits = statements.iter().any(admits_secrets_manager);
    match open {
        // What is open only adds to what is allowed.
        Some(open) if !admits => draft.gap(Fact::FunctionPolicy, arn, open),
        // One that is there already may have permissions from elsewhere, unless the plan
        // removes one.
        _ if statements.is_empty() && function.exists && !is_removed(world, function) => {
            let reason = format!("no permission for {} is in the plan", function.address);
            draft.gap(Fact::FunctionPolicy, arn, reason);
        }
        _ => {
            let found = (!statements.is_empty()).then(|| policy(statements));
            draft.evidence.function_policy = Observed::from(found);
        }
    }
}

fn settings<'p>(world: &World<'p>, permission: &'p Resource) -> PermissionSettings {
    let sid = permission.known_text("statement_id");
    PermissionSettings {
        sid: sid.unwrap_or_else(|| permission.address.clone()),
        action: permission.text("action"),
        principal: world.arn_in(permission, "principal"),
        source_account: world.id(permission, "source_account"),
        source_arn: world.arn_in(permission, "source_arn"),
        organization: permission.text("principal_org_id"),
    }
}

/// Whether the plan removes a permission from the function.
fn is_removed<'p>(world: &World<'p>, function: &'p Resource) -> bool {
    let gone = world.plan.removed.iter().filter(|one| one.kind == PERMISSION);
    gone.filter_map(|one| one.known_text("function_name"))
        .any(|name| world.is_called(function, &name))
}

/// Whether a permission is for the function and the qualifier.
fn is_of<'p>(
    world: &World<'p>,
    permission: &'p Resource,
    function: &'p Resource,
    plain: &str,
    qualifier: Option<&str>,
) -> Result<bool, Open> {
    let Some(named) = world.id(permission, "function_name").settled()? else { return Ok(false) };
    let whole = world.place.function_arn(&named);
    let (is_same, in_name) = match whole.strip_prefix(plain).map(|rest| rest.strip_prefix(':')) {
        Some(Some(qualifier)) => (true, Some(qualifier.to_owned())),
        Some(None) => (whole == plain, None),
        None => (world.is_called(function, &named), None),
    };
    if !is_same {
        return Ok(false);
    }
    // The name of an alias as a qualifier is known; what is not, is a version.
    let own = permission.text("qualifier").settled()?.or(in_name);
    Ok(own.as_deref() == qualifier)
}
