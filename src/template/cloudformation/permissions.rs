//! Lambda: the permissions on the rotation function, as Lambda would write them into its
//! policy.

use super::world::{Created, World};
use crate::{
    evidence::{Fact, Observed},
    template::aws::{
        Open, Setting,
        permissions::{PermissionSettings, admits_secrets_manager, policy},
    },
};

/// The kind of a permission.
pub(super) const PERMISSION: &str = "AWS::Lambda::Permission";

/// The policy of the function with this ARN and qualifier.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) {
    if world.draft.evidence.function.known().is_none() {
        return;
    }
    let mut statements = Vec::new();
    let mut open: Option<Open> = world.hidden.clone().map(Open::from);
    for (permission, created) in world.perhaps(PERMISSION) {
        match permission.properties.get("FunctionName").text() {
            Setting::Known(name) if same_function(world, &name, arn) => {}
            // The name of this very function may be open.
            Setting::Open(other) if same_function(world, &other.token, arn) => {}
            Setting::Open(other) => {
                if is_any_function(&other) {
                    open.get_or_insert(other);
                }
                continue;
            }
            _ => continue,
        }
        match created.and_then(|()| settings(&permission).statement(arn, &world.scope.place)) {
            Ok(statement) => statements.push(statement),
            Err(reason) => drop(open.get_or_insert(reason)),
        }
    }
    let admits = statements.iter().any(admits_secrets_manager);
    match open {
        // What is open only adds to what is allowed.
        Some(open) if !admits => world.draft.gap(Fact::FunctionPolicy, arn, open),
        _ => {
            let found = (!statements.is_empty()).then(|| policy(statements));
            world.draft.evidence.function_policy = Observed::from(found);
        }
    }
}

fn settings(permission: &Created<'_, '_>) -> PermissionSettings {
    let text = |name: &str| permission.properties.get(name).text();
    PermissionSettings {
        sid: permission.resource.name.to_owned(),
        action: text("Action"),
        principal: text("Principal"),
        source_account: text("SourceAccount"),
        source_arn: text("SourceArn"),
        organization: text("PrincipalOrgID"),
    }
}

/// Whether a permission's function is open as a whole, and so may be any.
fn is_any_function(open: &Open) -> bool {
    open.token.starts_with("${")
        && open.token.ends_with('}')
        && open.token.matches("${").count() == 1
}

/// Whether a name, a partial ARN or an ARN is that of the function with its qualifier.
pub(super) fn same_function(world: &World<'_, '_>, name: &str, arn: &str) -> bool {
    let plain = |arn: &str| arn.trim_end_matches(":$LATEST").to_owned();
    plain(&world.scope.place.function_arn(name)) == plain(arn)
}
