//! STS: who is asking.

use super::{call::Caller, failure::Failure, session::Clients};

#[derive(Debug)]
pub(super) struct Identity {
    pub(super) arn: Option<String>,
    pub(super) account: Option<String>,
}

pub(super) async fn identity(caller: &Caller, clients: &Clients) -> Result<Identity, Failure> {
    let answer =
        caller.call("sts:GetCallerIdentity", "", clients.sts.get_caller_identity().send()).await?;
    Ok(Identity { arn: answer.arn, account: answer.account })
}
