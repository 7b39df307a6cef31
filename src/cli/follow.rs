//! `--wait`: follows the next attempt at a rotation, and says on stderr which step it is
//! in. It only looks; the diagnosis comes after.

use std::{collections::BTreeSet, time::Duration};

use super::output::complain;
use crate::{
    aws::commands::{Command, CommandContext},
    checks::Case,
    collect::{CollectError, Request, Session},
    diagnosis::{self, Progress},
    evidence::{Fact, RotationStep, Time},
};

/// How an attempt is followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follow {
    /// How long at most.
    pub(super) patience: Duration,
    /// How often it is looked at.
    pub(super) every: Duration,
    /// Say nothing on the way.
    pub(super) quiet: bool,
}

/// The facts that tell how far an attempt is.
const FACTS: [Fact; 4] = [Fact::Secret, Fact::SecretVersions, Fact::Function, Fact::LogEvents];

/// Waits until an attempt ended, or patience does.
///
/// # Errors
/// As [`Session::collect`], at the first look; later a look that fails is made again.
pub(super) async fn follow(
    session: &Session,
    secret: &str,
    profile: Option<&str>,
    follow: Follow,
) -> Result<(), CollectError> {
    let begun = tokio::time::Instant::now();
    let mut since: Option<Time> = None;
    let mut said: Option<Progress> = None;
    loop {
        let request = Request {
            secret: secret.to_owned(),
            facts: BTreeSet::from(FACTS),
            since,
            trail_calls: Some(0),
            ..Request::default()
        };
        let evidence = match session.collect(&request).await {
            Ok(collected) => Some(collected.evidence),
            Err(error) if since.is_none() => return Err(error),
            Err(_) => None,
        };
        if let Some(evidence) = evidence {
            let case = Case::new(&evidence);
            let from = *since.get_or_insert_with(|| diagnosis::waits_since(&case));
            let progress = diagnosis::progress(&case, from);
            if said.as_ref() != Some(&progress) && !follow.quiet {
                let context = CommandContext { region: case.region_if_known(), profile };
                let words = words(&progress, secret, context);
                complain(&format!("{}  {words}", clock(case.now())));
            }
            if progress.has_ended() {
                return Ok(());
            }
            said = Some(progress);
        }
        if begun.elapsed() + follow.every > follow.patience {
            if !follow.quiet {
                let seconds = follow.patience.as_secs();
                complain(&format!("no end was seen within {seconds} s; this is how it stands"));
            }
            return Ok(());
        }
        tokio::time::sleep(follow.every).await;
    }
}

fn clock(now: Time) -> String {
    now.0.strftime("%H:%M:%S UTC").to_string()
}

fn words(progress: &Progress, secret: &str, context: CommandContext<'_>) -> String {
    let of =
        |step: &Option<RotationStep>| step.map(|step| format!(" in {step}")).unwrap_or_default();
    match progress {
        Progress::Waiting => {
            let rotate = Command::aws("secretsmanager", "rotate-secret");
            let rotate = rotate.option("--secret-id", secret).render(context).text;
            format!("no attempt has begun; `{rotate}` begins one")
        }
        Progress::UnderWay { step: Some(step) } => format!("{step} is running or done"),
        Progress::UnderWay { step: None } => "an attempt has begun".to_owned(),
        Progress::Succeeded => "the rotation is done".to_owned(),
        Progress::Failed { step } => format!("the attempt failed{}", of(step)),
    }
}

#[cfg(test)]
mod tests {
    use super::{CommandContext, Progress, RotationStep, words};

    #[test]
    fn every_state_has_words_of_its_own() {
        let of = |progress: &_, secret| words(progress, secret, CommandContext::default());
        let step = Some(RotationStep::SetSecret);
        assert_eq!(of(&Progress::UnderWay { step }, "s"), "setSecret is running or done");
        assert_eq!(of(&Progress::Failed { step }, "s"), "the attempt failed in setSecret");
        assert_eq!(of(&Progress::Failed { step: None }, "s"), "the attempt failed");
        assert!(of(&Progress::Waiting, "prod/db").contains("--secret-id prod/db"));
    }
}
