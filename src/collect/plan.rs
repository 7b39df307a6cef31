//! The plan: the steps of all services, which of them a set of facts takes, and in which
//! wave. `run` carries it out.

use std::collections::BTreeSet;

pub use super::step::Step;
use super::{
    cloudformation, cloudtrail, ec2_gateway, ec2_vpc, iam, kms, lambda, logs, package, rds,
    route53, secretsmanager, simulation,
};
use crate::evidence::Fact;

/// The longest chain of calls from the secret's name to the last fact.
pub const WAVES: u8 = 5;

/// The steps of each service.
const SERVICES: [&[Step]; 13] = [
    cloudtrail::STEPS,
    secretsmanager::STEPS,
    lambda::STEPS,
    kms::STEPS,
    rds::STEPS,
    iam::STEPS,
    ec2_vpc::STEPS,
    ec2_gateway::STEPS,
    route53::STEPS,
    package::STEPS,
    cloudformation::STEPS,
    logs::STEPS,
    simulation::STEPS,
];

/// Every step, service by service.
pub fn steps() -> impl Iterator<Item = &'static Step> {
    SERVICES.into_iter().flatten()
}

/// The facts to collect so that `facts` can be known: with their inputs, and
/// with the secret itself. The shape of the secret only where its value may be
/// read.
pub fn closure(facts: &BTreeSet<Fact>, read_secret: bool) -> BTreeSet<Fact> {
    let mut wanted = facts.clone();
    wanted.insert(Fact::Secret);
    loop {
        let needed: Vec<Fact> = steps()
            .filter(|step| wanted.contains(&step.gives))
            .flat_map(|step| step.needs)
            .copied()
            .filter(|fact| !wanted.contains(fact))
            .collect();
        if needed.is_empty() {
            break;
        }
        wanted.extend(needed);
    }
    if !read_secret {
        wanted.remove(&Fact::SecretShape);
    }
    wanted
}

/// The steps of one wave that give a wanted fact.
pub fn wave(number: u8, wanted: &BTreeSet<Fact>) -> impl Iterator<Item = &'static Step> {
    steps().filter(move |step| step.wave == number && wanted.contains(&step.gives))
}

/// The IAM actions that collecting `facts` takes, inputs included.
pub fn actions(facts: &BTreeSet<Fact>, read_secret: bool) -> BTreeSet<&'static str> {
    closure(facts, read_secret)
        .into_iter()
        .flat_map(|fact| fact.actions().iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SERVICES, WAVES, actions, closure, steps, wave};
    use crate::evidence::{FACTS, Fact};

    #[test]
    fn no_chain_is_longer_than_the_waves() {
        for step in steps() {
            assert!(step.wave <= WAVES, "{}", step.action);
            for need in step.needs {
                assert!(
                    steps().any(|earlier| earlier.gives == *need && earlier.wave < step.wave),
                    "{} in wave {} needs {need:?}, which no earlier wave gives",
                    step.action,
                    step.wave
                );
            }
        }
        for service in SERVICES {
            assert!(service.is_sorted_by_key(|step| step.wave));
        }
    }

    #[test]
    fn every_fact_has_a_step_and_agrees_on_its_actions() {
        // What else the caller needs for an answer to be whole.
        const WITHOUT_A_CALL: &[&str] = &["lambda:ListTags"];
        for row in FACTS {
            let made: BTreeSet<&str> =
                steps().filter(|step| step.gives == row.fact).map(|step| step.action).collect();
            let declared: BTreeSet<&str> = row
                .actions
                .iter()
                .copied()
                .filter(|action| !WITHOUT_A_CALL.contains(action))
                // The role names the boundary: its own fact's action.
                .filter(|action| {
                    !(row.fact == Fact::PermissionsBoundary && *action == "iam:GetRole")
                })
                .collect();
            assert_eq!(made, declared, "{}", row.name);
        }
    }

    #[test]
    fn inputs_come_along_and_values_only_when_asked() {
        let facts = BTreeSet::from([Fact::RouteTables, Fact::SuperuserSecret]);
        let wanted = closure(&facts, false);
        assert!(wanted.is_superset(&BTreeSet::from([
            Fact::RouteTables,
            Fact::Subnets,
            Fact::Function,
            Fact::Secret
        ])));
        assert!(!wanted.contains(&Fact::SecretShape));
        assert!(closure(&facts, true).contains(&Fact::SecretShape));
        assert!(!actions(&facts, false).contains("secretsmanager:GetSecretValue"));
        assert!(actions(&facts, true).contains("secretsmanager:GetSecretValue"));
        assert_eq!(wave(1, &wanted).count(), 1, "the secret alone");
    }
}
