//! Which of some actions the caller itself may not do: SimulatePrincipalPolicy about the
//! identity behind the credentials.

use std::{collections::BTreeSet, time::Duration};

use super::{
    call::Caller,
    error::CollectError,
    failure::Failure,
    iam,
    request::{Request, Timing},
    scene::Scene,
    session::Session,
    simulation::{self, Question},
    sts,
};
use crate::{aws::limits, evidence::SimulatedRequest};

/// What AWS says that the caller may not do.
#[derive(Debug)]
pub struct CallerRights {
    /// The user or role that the simulation was about.
    pub principal: String,
    /// The answers that are not `allowed`; `None` for an account's root user, whom no
    /// identity policy binds: there is nothing to simulate.
    pub refused: Option<Vec<SimulatedRequest>>,
    /// Every call that was made.
    pub timings: Vec<Timing>,
}

/// Whose policies decide about the caller.
#[derive(Debug, PartialEq, Eq)]
enum Principal<'a> {
    /// An account's root user, whom no identity policy binds.
    Root,
    /// A user, by ARN.
    User(&'a str),
    /// The role of a session. A session's ARN lacks the role's path.
    Role { account: &'a str, partition: &'a str, name: &'a str },
    /// A federated user, whose policies nobody can simulate.
    Other,
}

impl<'a> Principal<'a> {
    /// Of the ARN that GetCallerIdentity answers (STS API reference).
    fn of(arn: &'a str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, service, _, account, resource] = parts.as_slice() else {
            return Self::Other;
        };
        match (*service, resource.split_once('/')) {
            ("iam", None) if *resource == "root" => Self::Root,
            ("iam", Some(("user", _))) => Self::User(arn),
            ("sts", Some(("assumed-role", session))) => {
                let name = session.split('/').next().unwrap_or(session);
                Self::Role { account, partition, name }
            }
            _ => Self::Other,
        }
    }
}

impl Session {
    /// Asks AWS which actions the caller may not do.
    ///
    /// # Errors
    /// [`CollectError`] where AWS could not be asked, or not about this caller.
    pub async fn refused(
        &self,
        questions: Vec<Question>,
        timeout: Option<Duration>,
    ) -> Result<CallerRights, CollectError> {
        let caller = Caller::new(timeout.unwrap_or(limits::RUN_TIMEOUT)).in_wave(1);
        let identity = sts::identity(&caller, &self.clients)
            .await
            .map_err(|failure| self.error("sts:GetCallerIdentity", &failure))?;
        let arn = identity.arn.unwrap_or_default();
        let mut scene = Scene::new(&Request::default(), BTreeSet::new(), self.bare_evidence());
        let principal = match Principal::of(&arn) {
            Principal::Root => {
                let timings = caller.timings();
                return Ok(CallerRights { principal: arn, refused: None, timings });
            }
            Principal::User(arn) => arn.to_owned(),
            Principal::Role { account, partition, name } => {
                if let Ok(patch) = iam::role(&caller, &self.clients, name).await {
                    patch(&mut scene);
                }
                let role = scene.evidence.role.known().and_then(|role| role.arn.clone());
                // Right for roles without a path, which most have.
                role.unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role/{name}"))
            }
            Principal::Other => {
                return Err(CollectError::Configuration(format!(
                    "{arn} is no user and no role: AWS cannot tell what it may do"
                )));
            }
        };
        for question in questions {
            simulation::simulate(&caller, &self.clients, &principal, question)
                .await
                .map_err(|failure| match failure {
                    Failure::Absent => CollectError::Failed {
                        action: simulation::ACTION.to_owned(),
                        message: format!(
                            "there is no {principal}: the role has a path, and without iam:GetRole it \
                             is not known"
                        ),
                    },
                    other => self.error(simulation::ACTION, &other),
                })?(&mut scene);
        }
        let answers = scene.evidence.simulation.known().cloned().unwrap_or_default();
        let is_refused =
            |answer: &SimulatedRequest| answer.eval_decision.as_deref() != Some("allowed");
        let refused = Some(answers.into_iter().filter(is_refused).collect());
        Ok(CallerRights { principal, refused, timings: caller.timings() })
    }
}

#[cfg(test)]
mod tests {
    use super::Principal;

    #[test]
    fn the_principal_is_read_from_the_identity() {
        assert_eq!(Principal::of("arn:aws:iam::111122223333:root"), Principal::Root);
        let user = "arn:aws:iam::111122223333:user/ops/me";
        assert_eq!(Principal::of(user), Principal::User(user));
        assert_eq!(
            Principal::of("arn:aws-cn:sts::111122223333:assumed-role/audit/session"),
            Principal::Role { account: "111122223333", partition: "aws-cn", name: "audit" }
        );
        for other in ["arn:aws:sts::111122223333:federated-user/bob", "nonsense", ""] {
            assert_eq!(Principal::of(other), Principal::Other, "{other}");
        }
    }
}
