//! VPC Block Public Access, the account's switch over internet gateways.
//!
//! Source: Amazon VPC User Guide, "Block public access to VPCs and subnets".

use super::{HopKind, Layer, Needed, answer::Missing, place::Origin, trace::Trace};
use crate::evidence::{Fact, Observed, VpcBlockPublicAccessExclusion, VpcBlockPublicAccessOptions};

/// What passes an internet gateway.
pub(super) struct Passing<'a> {
    /// The gateway's VPC.
    pub(super) vpc: &'a str,
    /// The subnet whose route leads to the gateway: the one of a NAT gateway, not the
    /// function's behind it. `None` for a NAT gateway of the whole VPC.
    pub(super) subnet: Option<&'a str>,
    /// A connection that begins outside.
    pub(super) inbound: bool,
}

impl<'a> Passing<'a> {
    /// What leaves through the function's own subnet.
    pub(super) fn out_of(origin: &Origin<'a>) -> Self {
        Self { vpc: origin.vpc, subnet: Some(origin.subnet_id()), inbound: false }
    }
}

/// VPC Block Public Access.
pub(super) fn public_access(trace: &mut Trace<'_, '_>, passing: &Passing<'_>) {
    let fact = Fact::VpcBlockPublicAccessOptions;
    let vpc = passing.vpc;
    let options = match &trace.view.evidence.vpc_block_public_access_options {
        Observed::Known(options) => options,
        Observed::Absent => return,
        Observed::NotSeen(gap) if gap.means_absent() => return,
        _ => {
            let missing = trace.view.missing(fact, vpc);
            return trace.unknown(HopKind::Via, vpc, missing);
        }
    };
    let mode = options.internet_gateway_block_mode.as_deref().unwrap_or("off");
    let blocks = match mode {
        "block-bidirectional" => true,
        "block-ingress" => passing.inbound,
        _ => false,
    };
    if !blocks {
        return;
    }
    match excluded(options, passing) {
        Ok(Some(line)) => trace.ok(HopKind::Via, vpc, line),
        Ok(None) => {
            let line = format!("VPC Block Public Access is set to {mode}");
            let what = format!("an exclusion from VPC Block Public Access for {vpc}");
            let needed = Needed::setting(what);
            trace.stop_at(HopKind::Via, Layer::BlockPublicAccess, vpc, line, needed);
        }
        Err(why) => {
            let missing = Missing {
                action: "ec2:DescribeVpcBlockPublicAccessExclusions".to_owned(),
                reason: format!("{mode}, and {why}"),
                ..trace.view.missing(fact, vpc)
            };
            trace.unknown(HopKind::Via, vpc, missing);
        }
    }
}

/// Whether an exclusion lets this pass, and which; or why that cannot be told.
fn excluded(
    options: &VpcBlockPublicAccessOptions,
    passing: &Passing<'_>,
) -> Result<Option<String>, String> {
    let Some(exclusions) = &options.exclusions else {
        return match options.exclusions_allowed.as_deref() {
            Some("allowed") => Err(format!("an exclusion may cover {}", passing.vpc)),
            _ => Ok(None),
        };
    };
    let mut doubt = None;
    for exclusion in exclusions.iter().filter(|exclusion| covers(exclusion, passing)) {
        let id = exclusion.exclusion_id.as_deref().unwrap_or_default();
        let mode = exclusion.internet_gateway_exclusion_mode.as_deref();
        let lets_in = mode == Some("allow-bidirectional");
        if !lets_in && (passing.inbound || mode != Some("allow-egress")) {
            continue;
        }
        match exclusion.state.as_deref().unwrap_or_default() {
            "create-complete" | "update-complete" => {
                let line = format!("excluded from VPC Block Public Access by {id}");
                return Ok(Some(line));
            }
            "create-failed" | "update-failed" | "delete-complete" | "disable-complete" => {}
            state => doubt = Some(format!("exclusion {id} is in state {state}")),
        }
    }
    doubt.map_or(Ok(None), Err)
}

fn covers(exclusion: &VpcBlockPublicAccessExclusion, passing: &Passing<'_>) -> bool {
    let arn = exclusion.resource_arn.as_deref().unwrap_or_default();
    let id = arn.rsplit('/').next().unwrap_or_default();
    id == passing.vpc || Some(id) == passing.subnet
}
