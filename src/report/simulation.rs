//! What AWS's own simulation of the role's rights says, for the report: the struct is
//! `v1`'s, the comparison `policy`'s.

use super::v1;
use crate::{evidence::Evidence, policy};

/// The part of the report; `None` where nothing was simulated.
pub(super) fn of(evidence: &Evidence) -> Option<v1::Simulation> {
    let opinion = policy::second_opinion(evidence)?;
    let word = |read: Option<bool>| match read {
        Some(true) => "allowed",
        Some(false) => "denied",
        None => "not seen",
    };
    let differences = opinion.differences.into_iter().map(|difference| v1::SimulationDifference {
        policies_read: word(difference.read).to_owned(),
        action: difference.action,
        resource: difference.resource,
        simulated: difference.simulated,
        matched_policies: difference.policies,
        denied_by_organization: difference.denied_by_organization,
        missing_context: difference.missing_context,
    });
    Some(v1::Simulation { agreed: opinion.agreed, differences: differences.collect() })
}

/// One line for each difference, and one that says how much there was to compare.
pub(super) fn lines(simulation: &v1::Simulation) -> Vec<String> {
    let differs = simulation.differences.len();
    let total = simulation.agreed + differs;
    let mut lines = vec![match (total, differs) {
        (0, _) => {
            "SimulatePrincipalPolicy answered nothing about the requests of a rotation.".to_owned()
        }
        (_, 0) => format!(
            "SimulatePrincipalPolicy decides all {total} requests of the role as they were decided \
             here."
        ),
        _ => format!(
            "SimulatePrincipalPolicy decides {differs} of {total} requests of the role otherwise. \
             It knows the organization's policies, and not those of secrets, keys and endpoints."
        ),
    }];
    lines.extend(simulation.differences.iter().map(|difference| {
        let v1::SimulationDifference { action, resource, policies_read, .. } = difference;
        let aws = match difference.simulated.as_str() {
            "allowed" => "allowed",
            "explicitDeny" => "denied by a statement",
            "implicitDeny" => "not allowed by any statement",
            other => other,
        };
        let mut line =
            format!("{action} on {resource}: {aws}; the role's policies: {policies_read}");
        if difference.denied_by_organization {
            line += ". A service control policy of the organization stands in the way";
        }
        if !difference.missing_context.is_empty() {
            line += &format!(". Asked without {}", difference.missing_context.join(", "));
        }
        line
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::report::v1;

    #[test]
    fn a_difference_names_who_stands_in_the_way() {
        let difference = v1::SimulationDifference {
            action: "kms:Decrypt".to_owned(),
            resource: "KEY".to_owned(),
            policies_read: "allowed".to_owned(),
            simulated: "implicitDeny".to_owned(),
            matched_policies: Vec::new(),
            denied_by_organization: true,
            missing_context: vec!["aws:SourceVpce".to_owned()],
        };
        let told = lines(&v1::Simulation { agreed: 3, differences: vec![difference] });
        assert!(told[0].contains("1 of 4 requests"), "{told:?}");
        assert_eq!(
            told[1],
            "kms:Decrypt on KEY: not allowed by any statement; the role's policies: allowed. A \
             service control policy of the organization stands in the way. Asked without \
             aws:SourceVpce"
        );
        let told = lines(&v1::Simulation { agreed: 3, differences: Vec::new() });
        assert!(told[0].contains("all 3 requests"), "{told:?}");
    }
}
