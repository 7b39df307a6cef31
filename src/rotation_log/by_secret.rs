//! One log of a function that rotates several secrets → one log for each of them.

use super::{Attempt, RotationLog};
use crate::evidence::Time;

impl RotationLog {
    /// The log of each secret that the lines name as the rotated one: the newest that
    /// fails first, then the others, newest first. Attempts that name none are apart
    /// where there are several secrets, since they may be any's, and come after those
    /// that name theirs.
    pub fn by_secret(mut self) -> Vec<Self> {
        let mut secrets: Vec<Option<String>> = Vec::new();
        for attempt in &self.attempts {
            if !secrets.contains(&attempt.secret) {
                secrets.push(attempt.secret.clone());
            }
        }
        let named = secrets.iter().flatten().count();
        if self.secret.is_some() || named < 2 {
            let by_line = || secrets.into_iter().flatten().next();
            self.secret = self.secret.take().or_else(by_line).or_else(|| of_events(&self));
            return vec![self];
        }
        let mut logs: Vec<Self> =
            secrets.into_iter().map(|secret| self.only(secret.as_deref())).collect();
        logs.sort_by_key(|log| {
            (
                !log.failing(),
                log.secret.is_none(),
                std::cmp::Reverse(log.last_attempt().and_then(when)),
            )
        });
        logs
    }

    /// What is about this secret.
    fn only(&self, secret: Option<&str>) -> Self {
        let mut one = Self {
            secret: secret.map(str::to_owned),
            invocations: Vec::new(),
            attempts: Vec::new(),
            stray_lines: Vec::new(),
            ..self.clone()
        };
        for attempt in self.attempts.iter().filter(|one| one.secret.as_deref() == secret) {
            let first = one.invocations.len();
            one.invocations.extend(self.runs(attempt).cloned());
            let runs = (first..one.invocations.len()).collect();
            one.attempts.push(Attempt { runs, ..attempt.clone() });
        }
        one.other_secrets += (self.invocations.len() - one.invocations.len()) as u64;
        one
    }
}

/// The secret that the CloudTrail events among the lines name by its ARN.
fn of_events(log: &RotationLog) -> Option<String> {
    let named = log.trail_events.iter().flat_map(|event| event.secrets());
    named.into_iter().find(|id| id.starts_with("arn:"))
}

fn when(attempt: &Attempt) -> Option<Time> {
    attempt.started_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation_log::{AttemptOutcome, Options, read};

    fn arn(name: &str) -> String {
        format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf")
    }

    /// A createSecret that works, and a setSecret of the same attempt that fails.
    fn lines(name: &str, hour: u32, fails: bool) -> [String; 2] {
        let (id, arn) = (format!("0c1e5a1e-0000-4000-8000-0000000{hour:02}000"), arn(name));
        let token = format!("5a9b1c84-22f6-4e0b-8a55-0000000000{hour:02}");
        let run = |n: u32, text: String| {
            let id = format!("{}{n}", &id[..id.len() - 1]);
            let at = format!("2026-11-20T{hour:02}:00:0{n}.250Z");
            format!(
                "START RequestId: {id} Version: 1\n[INFO]\t{at}\t{id}\t{text}\nEND RequestId: {id}\n"
            )
        };
        let failed = format!(
            "setSecret: Unable to log into database with previous, current, or pending secret of secret arn {arn}"
        );
        let done = format!(
            "setSecret: Successfully set password for app in PostgreSQL DB for secret arn {arn}."
        );
        [
            run(
                1,
                format!("createSecret: Successfully put secret for ARN {arn} and version {token}."),
            ),
            run(2, if fails { format!("{failed}\n[ERROR] ValueError: {failed}") } else { done }),
        ]
    }

    fn parse(text: String) -> Vec<RotationLog> {
        read(text.as_bytes(), Options::default()).expect("memory can be read").by_secret()
    }

    #[test]
    fn the_newest_failing_secret_comes_first_and_nothing_is_mixed() {
        let mut all = Vec::new();
        for (name, hour, fails) in [("a", 1, true), ("b", 2, true), ("c", 3, false)] {
            all.extend(lines(name, hour, fails));
        }
        let logs = parse(all.concat());
        let said: Vec<_> = logs
            .iter()
            .map(|log| (log.secret.clone(), log.failing(), log.attempts.len()))
            .collect();
        assert_eq!(
            said,
            [(Some(arn("b")), true, 1), (Some(arn("a")), true, 1), (Some(arn("c")), false, 1)]
        );
        assert!(logs.iter().all(|log| log.invocations.len() == 2 && log.other_secrets == 4));
    }

    #[test]
    fn attempts_that_interleave_stay_apart() {
        let [a1, a2] = lines("a", 1, true);
        let [b1, b2] = lines("b", 1, false);
        let b = [b1, b2]
            .map(|text| text.replace("0c1e5a1e", "1d1e5a1e").replace("5a9b1c84", "6a9b1c84"));
        let logs = parse([a1, b[0].clone(), a2, b[1].clone()].concat());
        assert_eq!(logs.len(), 2);
        for log in &logs {
            assert_eq!((log.attempts.len(), log.invocations.len()), (1, 2), "{log:#?}");
        }
        assert_eq!(logs[0].secret, Some(arn("a")));
    }

    #[test]
    fn a_log_of_one_secret_is_left_whole() {
        let logs = parse(lines("a", 1, true).concat());
        assert_eq!((logs.len(), logs[0].secret.clone()), (1, Some(arn("a"))));
        assert_eq!(parse("hello".to_owned()).len(), 1);
    }

    #[test]
    fn what_names_no_secret_is_apart_from_what_does() {
        let mut text = lines("a", 1, false).concat();
        text.push_str(&lines("b", 2, false).concat());
        text.push_str(
            "START RequestId: 9c1e5a1e-0000-4000-8000-000000000009 Version: 1\n\
             2026-11-20T09:00:00.000Z 9c1e5a1e-0000-4000-8000-000000000009 Task timed out after 30.03 seconds\n",
        );
        let logs = parse(text);
        let said: Vec<_> = logs.iter().map(|log| (log.secret.is_some(), log.failing())).collect();
        assert_eq!(said, [(false, true), (true, false), (true, false)]);
        assert_eq!(logs[0].attempts[0].outcome, AttemptOutcome::Failed);
    }
}
