//! Which step a text names. Which of an invocation's lines count is decided in
//! `building`, what its place among others tells in `attempts`.

use std::sync::LazyLock;

use regex::Regex;

use crate::evidence::RotationStep;

/// The words before a message.
pub(super) static PREFIX_STEP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:^|[\s'"`>*(\]])(create|set|test|finish)_?(?:secret|keytab):\s"#)
        .expect("a constant pattern")
});
/// The frame of the step, or the handler's line that calls it.
pub(super) static FRAME_STEP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"line \d+, in (create|set|test|finish)_secret\b|(?:^|\s)(create|set|test|finish)_secret\(\w*client")
        .expect("a constant pattern")
});
/// The event that the function was invoked with.
pub(super) static EVENT_STEP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"['"]Step['"]:\s*['"](create|set|test|finish)Secret['"]"#)
        .expect("a constant pattern")
});

/// The call of Secrets Manager that failed, where only one step makes it.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"when calling the (?:(PutSecretValue|GetRandomPassword)|(UpdateSecretVersionStage)) operation|secretsmanager:(?:(PutSecretValue|GetRandomPassword)|(UpdateSecretVersionStage))\b",
    )
    .expect("a constant pattern")
});

/// The step that makes the call that a text says has failed.
pub(super) fn step_of_call(text: &str) -> Option<RotationStep> {
    let found = CALL.captures(text)?;
    let finishes = found.get(2).or(found.get(4)).is_some();
    Some(if finishes { RotationStep::FinishSecret } else { RotationStep::CreateSecret })
}

/// The step that a text cut out of its log names: by a frame, the event that it
/// prints, the words before its message, CloudTrail's, or the call that failed.
pub(super) fn step_of(text: &str) -> Option<RotationStep> {
    static TRAIL_STEP: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"during (create|set|test|finish)Secret step").expect("a constant pattern")
    });
    [&*FRAME_STEP, &*EVENT_STEP, &*PREFIX_STEP, &*TRAIL_STEP]
        .into_iter()
        .find_map(|pattern| named_step(pattern, text))
        .or_else(|| step_of_call(text))
}

/// The step that a pattern finds in a text.
pub(super) fn named_step(pattern: &Regex, text: &str) -> Option<RotationStep> {
    let found = pattern.captures(text)?;
    let name = found.iter().skip(1).flatten().next()?.as_str().to_ascii_lowercase();
    RotationStep::named(&format!("{name}Secret"))
}

#[cfg(test)]
mod tests {
    use super::step_of;
    use crate::evidence::RotationStep;

    #[test]
    fn a_text_alone_tells_its_step() {
        for (text, step) in [
            ("`setSecret: Unable to log into database`", Some(RotationStep::SetSecret)),
            (
                "line 48, in lambda_handler finish_secret(service_client, arn, token)",
                Some(RotationStep::FinishSecret),
            ),
            (
                "{'ClientRequestToken': 'x', 'Step': 'createSecret'}",
                Some(RotationStep::CreateSecret),
            ),
            (
                "Error when executing lambda a during testSecret step",
                Some(RotationStep::TestSecret),
            ),
            (
                "not authorized to perform: secretsmanager:UpdateSecretVersionStage",
                Some(RotationStep::FinishSecret),
            ),
            (
                "An error occurred (X) when calling the PutSecretValue operation: y",
                Some(RotationStep::CreateSecret),
            ),
            ("the secret was set", None),
        ] {
            assert_eq!(step_of(text), step, "{text}");
        }
    }
}
