//! The small table behind the inference: at which stage a fault stops a
//! rotation, which faults explain which symptoms, and what is only ever a
//! consequence. Sources: the order of calls in the rotation templates and the
//! RotateSecret API reference.

use crate::{catalogue::Severity, checks::Finding, evidence::RotationStep};

/// Where a rotation can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before the function runs.
    Invoke,
    /// In a step.
    In(RotationStep),
}

const CREATE: Stage = Stage::In(RotationStep::CreateSecret);
const SET: Stage = Stage::In(RotationStep::SetSecret);
const TEST: Stage = Stage::In(RotationStep::TestSecret);
const FINISH: Stage = Stage::In(RotationStep::FinishSecret);

/// A stage that a fault can stop; each call of the function may be the first
/// to meet a fault that appeared while the rotation ran.
const ANY_STEP: &[Stage] = &[CREATE, SET, TEST, FINISH];
const ANYWHERE: &[Stage] = &[Stage::Invoke, CREATE, SET, TEST, FINISH];
const DATABASE: &[Stage] = &[SET, TEST];

/// The stages at which the fault of this code can stop a rotation; none where
/// it never does by itself.
pub(super) fn stages(code: &str) -> &'static [Stage] {
    match code {
        "IAM08" | "IAM09" | "IAM13" | "IAM15" | "IAM20" | "IAM21" | "RUN15" | "NET15" | "MGD02"
        | "SEC19" | "SEC25" | "SEC06" | "CFN01" => &[Stage::Invoke, CREATE],
        "RUN16" => ANYWHERE,
        // The same missing way as NET01, told from where it comes.
        "CFN03" => ANY_STEP,
        "SEC01" | "SEC02" | "SEC03" | "SEC04" | "SEC05" | "SEC17" | "SEC22" => &[CREATE, SET],
        "SEC08" | "SEC20" | "SEC26" | "SEC29" | "IAM17" | "SEC21" => ANY_STEP,
        "SEC09" | "SEC10" | "SEC11" | "SEC12" | "SEC13" | "SEC14" | "SEC15" | "SEC16" | "SEC18"
        | "SEC23" | "SEC24" | "SEC27" => DATABASE,
        "NET09" | "NET10" | "NET10T" | "NET11" | "NET12" | "NET13" | "NET14" | "NET17"
        | "IAM03" | "IAM07" | "IAM12" | "IAM16" => DATABASE,
        // The old password still opened the door to setSecret.
        "DB17" => &[TEST],
        "DB16" => &[SET],
        // A function goes on running on a deprecated runtime and from an old build;
        // what in them stops a rotation has a code of its own.
        "DB07" | "DB22" | "APP02" | "IAM14" | "IAM19" | "SEC28" | "RUN05" | "RUN06" | "RUN07" => {
            &[]
        }
        _ => match code.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "DB" => DATABASE,
            "NET" | "IAM" | "KMS" | "RUN" | "TMO" => ANY_STEP,
            _ => &[],
        },
    }
}

/// Whether a fault of this code can have stopped a rotation at this stage;
/// where the stage is not known, any that can stop one at all.
pub(super) fn fits(code: &str, stage: Option<Stage>) -> bool {
    let stages = stages(code);
    match stage {
        Some(stage) => stages.contains(&stage),
        None => !stages.is_empty(),
    }
}

/// Which of two faults has to be mended first: while the secret is deleted, a
/// replica or not meant to rotate, nothing else about it matters; while there is
/// no function that runs, nothing that it would meet.
pub(super) fn gate(code: &str) -> u8 {
    match code {
        "SEC19" => 0,
        "SEC25" | "MGD02" => 1,
        "SEC20" => 2,
        // A role without rights is why the function is not active.
        "RUN15" | "IAM15" => 3,
        "NET15" | "IAM08" | "IAM09" => 4,
        _ => 5,
    }
}

/// What happens to a rotation in its middle, or weighs on one step more than on
/// another: that an earlier step came through says nothing against it.
pub(super) const MIDWAY: &[&str] =
    &["SEC08", "SEC20", "SEC21", "SEC26", "SEC29", "IAM17", "RUN09", "RUN10", "RUN16", "TMO01"];

/// What may begin with the new password: the old one was stored before it held.
pub(super) const WITH_THE_NEW_PASSWORD: &[&str] = &["DB01"];

/// What keeps Secrets Manager from invoking the function at all.
pub(super) const BEFORE_THE_FUNCTION: &[&str] = &["IAM08", "IAM09", "RUN15"];

/// What is never a root cause while another fault is known: it follows from a
/// failed attempt.
pub(super) const CONSEQUENCES: &[&str] = &["SEC07", "SEC08", "SCH04", "CFN05"];

/// Takes out what is no fault of its own beside another: a function that does not
/// exist has no policy either.
pub(super) fn drop_moot(findings: &mut Vec<Finding>) {
    let gone: Vec<String> = findings
        .iter()
        .filter(|finding| finding.code() == "RUN15" && finding.severity == Severity::Error)
        .map(|finding| finding.resource.clone())
        .collect();
    findings.retain(|finding| finding.code() != "IAM08" || !gone.contains(&finding.resource));
}

/// What is true of a function or its log whether rotation works or not, and never
/// the reason why an attempt failed.
pub(super) const STANDING: &[&str] = &["RUN05", "RUN06", "RUN07", "SEC28"];

/// What makes a database refuse a login at once: the templates print the same text
/// for all of them, so where the state proves one, the text says nothing of the rest.
pub(super) const REFUSED_LOGIN: &[&str] =
    &["SEC09", "SEC13", "SEC14", "DB01", "DB02", "DB03", "DB13", "DB16", "DB19", "DB20"];

/// Whether a fault, proven by state, accounts for what a log line of that other
/// code complains about: the line is then its symptom.
pub(super) fn explains(cause: &str, symptom: &str) -> bool {
    let symptoms: &[&str] = match cause {
        "KMS01" | "KMS02" | "KMS03" => &["IAM04", "IAM05", "IAM06", "IAM07", "IAM18"],
        "IAM04" | "IAM05" | "IAM06" | "IAM07" | "IAM18" => {
            &["IAM04", "IAM05", "IAM06", "IAM07", "IAM18"]
        }
        "IAM01" | "IAM02" | "IAM03" | "IAM10" | "IAM11" => &["IAM01", "IAM02", "IAM03"],
        "IAM12" | "IAM16" => &["IAM12", "IAM16"],
        "IAM09" => &["IAM08"],
        "TMO01" => &["NET01", "NET10", "NET10T"],
        "RUN11" => &["NET01", "NET06"],
        "DB01" | "DB02" | "DB03" | "DB16" | "DB20" | "SEC12" | "SEC13" | "SEC14" | "SEC16"
        | "SEC17" => &["SEC09"],
        "DB19" => &["SEC09", "NET10", "NET10T"],
        "NET02" | "NET03" | "NET04" | "NET05" | "NET06" | "NET07" | "NET08" | "CFN03" => &["NET01"],
        "NET09" | "NET11" | "NET12" | "NET13" | "NET17" => &["NET10", "NET10T", "SEC09"],
        "NET10" | "NET14" => &["NET10T"],
        "SEC03" => &["SEC02"],
        "SEC06" => &["SEC08"],
        "SEC19" | "SEC25" => &["SEC20"],
        "SEC26" | "SEC29" => &["SEC08"],
        "RUN04" => &["RUN01", "RUN02"],
        "CFN01" => &["IAM08"],
        _ => &[],
    };
    cause != symptom && symptoms.contains(&symptom)
}

#[cfg(test)]
mod tests {
    use super::{explains, fits};
    use crate::catalogue;

    #[test]
    fn nothing_is_its_own_symptom() {
        for entry in catalogue::entries() {
            assert!(!explains(entry.code, entry.code), "{}", entry.code);
        }
    }

    #[test]
    fn refusals_with_one_text_stand_in_for_each_other() {
        for proven in ["IAM04", "IAM05", "IAM06", "IAM07", "IAM18", "KMS01"] {
            for told in ["IAM04", "IAM06", "IAM18"] {
                assert!(proven == told || explains(proven, told), "{proven} {told}");
            }
        }
        assert!(explains("IAM10", "IAM01") && !explains("IAM01", "IAM10"));
        assert!(!explains("IAM04", "KMS01"));
    }

    #[test]
    fn a_warning_about_the_log_stops_no_rotation() {
        assert!(!fits("IAM14", None) && fits("IAM01", None));
    }
}
