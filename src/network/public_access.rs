//! VPC Block Public Access, the account's switch over internet gateways.

use super::{HopKind, Layer, Needed, trace::Trace};
use crate::evidence::{Fact, Observed, Reason};

/// VPC Block Public Access. `inbound` is a connection that begins outside.
pub(super) fn public_access(trace: &mut Trace<'_, '_>, vpc: &str, inbound: bool) {
    let fact = Fact::VpcBlockPublicAccessOptions;
    let options = match &trace.view.evidence.vpc_block_public_access_options {
        Observed::Known(options) => options,
        Observed::Absent => return,
        Observed::NotSeen(gap) if gap.reason == Reason::Unsupported => return,
        _ => {
            let missing = trace.view.missing(fact, vpc);
            return trace.unknown(HopKind::Via, vpc, missing);
        }
    };
    let mode = options.internet_gateway_block_mode.as_deref().unwrap_or("off");
    let blocks = match mode {
        "block-bidirectional" => true,
        "block-ingress" => inbound,
        _ => false,
    };
    if !blocks {
        return;
    }
    if options.exclusions_allowed.as_deref() == Some("allowed") {
        let mut missing = trace.view.missing(fact, vpc);
        missing.action = "ec2:DescribeVpcBlockPublicAccessExclusions".to_owned();
        missing.reason = format!("{mode}, and an exclusion may cover {vpc}");
        return trace.unknown(HopKind::Via, vpc, missing);
    }
    let line = format!("VPC Block Public Access is set to {mode}");
    let needed = Needed::setting(format!("an exclusion from VPC Block Public Access for {vpc}"));
    trace.stop_at(HopKind::Via, Layer::BlockPublicAccess, vpc, line, needed);
}
