//! The existing resources that a declared rotation names: the facts that the declaration
//! leaves open, read as in a run about one secret.

use std::{collections::BTreeSet, time::Duration};

use super::{
    call::Caller,
    error::CollectError,
    failure::Kind,
    plan::{self, WAVES},
    request::{Request, Timing},
    run::{finish, run_wave},
    scene::Scene,
    secretsmanager,
    session::Session,
    sts,
};
use crate::{
    aws::limits,
    evidence::{Evidence, Fact, FactOwner, FactSource, Observed, OptIn},
};

impl Session {
    /// Collects what exists of what `declared` names. `secret` is the name that the
    /// secret has or will have.
    ///
    /// # Errors
    /// [`CollectError`] where the credentials or the endpoint do not hold.
    pub async fn existing_resources(
        &self,
        declared: &Evidence,
        facts: &BTreeSet<Fact>,
        secret: Option<&str>,
        timeout: Option<Duration>,
    ) -> Result<(Evidence, Vec<Timing>), CollectError> {
        let caller = Caller::new(timeout.unwrap_or(limits::RUN_TIMEOUT));
        let identity = sts::identity(&caller.in_wave(1), &self.clients).await;
        let account = match identity {
            Ok(identity) => identity.account,
            Err(failure)
                if matches!(failure.kind(), Some(Kind::Credentials | Kind::Unreachable)) =>
            {
                return Err(self.error("sts:GetCallerIdentity", &failure));
            }
            Err(_) => None,
        };
        let mut wanted = plan::closure(facts, false);
        wanted.retain(|fact| fact.row().source != FactSource::Run);
        let evidence = Evidence {
            partition: declared.partition.clone(),
            account_id: account.or_else(|| declared.account_id.clone()),
            ..self.bare_evidence()
        };
        let request =
            Request { secret: secret.unwrap_or_default().to_owned(), ..Request::default() };
        let existing = match secret {
            Some(name) => {
                secretsmanager::describe(&caller.in_wave(1), &self.clients, name).await.ok()
            }
            None => None,
        };
        let has_function = declared.function.known().is_some();
        wanted.remove(&Fact::SecretShape);
        if has_function {
            wanted.retain(|fact| fact.owner() != FactOwner::Function);
        }
        if existing.is_none() {
            wanted.retain(|fact| fact.row().opt_in != Some(OptIn::EachSecret));
        }
        let mut scene = Scene::new(&request, wanted, evidence);
        // What is declared names what exists.
        scene.evidence.secret = declared.secret.clone();
        scene.evidence.function = declared.function.clone();
        scene.evidence.secret_shape = declared.secret_shape.clone();
        for number in 1..=WAVES {
            run_wave(&caller.in_wave(number), &self.clients, number, &mut scene, &request).await;
        }
        finish(&mut scene);
        let mut evidence = scene.evidence;
        // Only what exists is kept.
        evidence.secret = existing.map_or(Observed::NotAsked, Observed::Known);
        evidence.secret_shape = Observed::NotAsked;
        if has_function {
            evidence.function = Observed::NotAsked;
        }
        Ok((evidence, caller.timings()))
    }
}
