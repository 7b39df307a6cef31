//! The report, version 1: the structs behind the JSON and, through them, every
//! other format. Keys may be added within version 1; none is renamed or removed.

mod audit;
mod command;
mod story;

use serde::{Deserialize, Serialize};

pub use self::{audit::*, command::Command, story::*};
use crate::{
    catalogue::Severity,
    evidence::{Package, Time},
};
pub use crate::{
    diagnosis::{Confidence, Verdict},
    template::Location,
};

/// The version of the report format.
pub const SCHEMA_VERSION: &str = "1";

/// Where the evidence came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// AWS, now.
    Live,
    /// A bundle.
    Bundle,
    /// A CloudFormation template.
    Template,
    /// A Terraform plan.
    Plan,
    /// An exported log alone.
    Logs,
    /// A deployment package alone.
    Package,
}

/// One diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// `"1"`.
    pub schema_version: String,
    /// What wrote it.
    pub tool: Tool,
    /// Where the evidence came from.
    pub mode: Mode,
    /// What was examined.
    pub target: Target,
    /// When the evidence was collected; missing for a log alone.
    pub captured_at: Option<Time>,
    /// The answer in one word.
    pub verdict: Verdict,
    /// What the log and CloudTrail show.
    pub rotation: Rotation,
    /// What explains the failure, most certain first.
    pub causes: Vec<Cause>,
    /// Everything that is wrong now, notes included.
    pub findings: Vec<Finding>,
    /// Where several faults stand in a row: the smallest set of fixes that was tried as
    /// a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix_plan: Option<FixPlan>,
    /// An error that was seen and that no cause explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<Unexplained>,
    /// What changed between the last good rotation and the first that failed; only
    /// where it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// How to get the secret going once the cause is gone; only where it fails and the
    /// secret's labels are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What could not be told.
    pub inconclusive: Vec<Inconclusive>,
    /// Questions that do not arise.
    pub not_applicable: Vec<NotApplicable>,
    /// Checks that found nothing wrong.
    pub passed: Vec<Passed>,
    /// Findings that a waiver covers.
    pub waived: Vec<Finding>,
    /// Findings that stood in the baseline; only where one was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Finding>,
    /// IAM actions that the caller was refused.
    pub permissions_missing: Vec<String>,
    /// What was cut off or ignored, in words.
    pub notes: Vec<String>,
    /// Further secrets that the log of one function names: this report is not about
    /// them.
    #[serde(default)]
    pub other_secrets: Vec<OtherSecret>,
    /// What stands in the deployment package; only in mode `package`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// What AWS's own simulation of the role's rights says; only with `--simulate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<Simulation>,
    /// Counts.
    pub summary: Summary,
}

impl Finding {
    /// Its commands: of the fixes with what goes back on them, and of the confirmation.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let fixes = self.fixes.iter();
        let of_fixes = fixes
            .flat_map(|fix| fix.command_details.iter().chain(fix.rollback.iter().flat_map(both)));
        of_fixes.chain(&self.confirm_details)
    }
}

impl Report {
    /// Every command of the report.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let causes = self.causes.iter().map(|cause| &cause.finding);
        let findings = causes.chain(&self.findings).chain(&self.waived).chain(&self.baseline);
        let plan = self.fix_plan.iter().flat_map(|plan| &plan.steps);
        let recovery = self.recovery.iter();
        findings
            .flat_map(Finding::commands)
            .chain(plan.flat_map(|step| {
                step.command_details.iter().chain(step.rollback.iter().flat_map(both))
            }))
            .chain(recovery.flat_map(|recovery| {
                let steps = recovery.steps.iter().flat_map(|step| &step.command_details);
                steps.chain(&recovery.watch_details)
            }))
    }
}

fn both(rollback: &Rollback) -> impl Iterator<Item = &Command> {
    rollback.before_details.iter().chain(&rollback.undo_details)
}

/// A second opinion on the role's rights (SimulatePrincipalPolicy).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Simulation {
    /// Requests of a rotation that it decides as they were decided here.
    pub agreed: usize,
    /// Those that it decides otherwise.
    pub differences: Vec<SimulationDifference>,
}

/// A request that the simulation decides otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimulationDifference {
    /// Such as `kms:Decrypt`.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// What the role's policies and boundary say: `allowed`, `denied`, `not seen`.
    pub policies_read: String,
    /// AWS's decision: `allowed`, `explicitDeny`, `implicitDeny`.
    pub simulated: String,
    /// Policies whose statements decided, as the simulator names them.
    pub matched_policies: Vec<String>,
    /// Whether the organization's service control policies deny it.
    pub denied_by_organization: bool,
    /// Condition keys that the simulation lacked.
    pub missing_context: Vec<String>,
}

/// A further secret in the log of one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherSecret {
    /// ARN; missing for attempts that name no secret.
    pub secret_arn: Option<String>,
    /// The answer in one word.
    pub verdict: Verdict,
    /// Code of its first cause.
    pub code: Option<String>,
    /// The step that failed last.
    #[cfg_attr(test, schemars(extend("enum" = ["createSecret", "setSecret", "testSecret", "finishSecret", null])))]
    pub failed_step: Option<String>,
    /// Start of its newest attempt.
    pub last_attempt_at: Option<Time>,
}

/// What wrote a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// `rotdoctor`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was examined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// ARN of the secret.
    pub secret_arn: Option<String>,
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// Region of the secret.
    pub region: Option<String>,
    /// Account of the secret.
    pub account_id: Option<String>,
    /// The rotation function.
    pub function_arn: Option<String>,
    /// Its execution role.
    pub role_arn: Option<String>,
    /// The profile that was named for AWS; the commands name it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What the log and CloudTrail show of the rotation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rotation {
    /// Attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// First failure since the last success.
    pub failing_since: Option<Time>,
    /// Failed attempts since the last success.
    pub failed_attempts: u64,
    /// End of the last successful rotation.
    pub last_success_at: Option<Time>,
    /// When the secret is due next.
    pub next_rotation_at: Option<Time>,
    /// Whether rotation is switched on; missing where it was not seen.
    pub enabled: Option<bool>,
}

/// One attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Start.
    pub started_at: Option<Time>,
    /// ClientRequestToken.
    pub token: Option<String>,
    /// `succeeded`, `failed`, `open`.
    #[cfg_attr(test, schemars(extend("enum" = ["succeeded", "failed", "open"])))]
    pub outcome: String,
    /// The step that failed.
    #[cfg_attr(test, schemars(extend("enum" = ["createSecret", "setSecret", "testSecret", "finishSecret", null])))]
    pub failed_step: Option<String>,
    /// The steps seen, in order.
    pub steps: Vec<StepRun>,
    /// The error that ended it, as the log or CloudTrail has it.
    pub error: Option<String>,
}

/// One invocation for a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepRun {
    /// `createSecret`, …; missing where it cannot be told.
    #[cfg_attr(test, schemars(extend("enum" = ["createSecret", "setSecret", "testSecret", "finishSecret", null])))]
    pub name: Option<String>,
    /// `returned`, `failed`, `timed-out`, `died`, `open`.
    #[cfg_attr(test, schemars(extend("enum" = ["returned", "failed", "timed-out", "died", "open"])))]
    pub outcome: String,
    /// Request id.
    pub request_id: Option<String>,
    /// Milliseconds.
    pub duration_ms: Option<f64>,
}

/// What explains the failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cause {
    /// How sure it is.
    pub confidence: Confidence,
    /// Codes of what follows from it.
    pub consequences: Vec<String>,
    /// What would decide whether this is the cause, where that is not confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_decide: Vec<String>,
    /// What is wrong.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A fact that is wrong now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// ARN, id or name of what is wrong.
    pub resource: String,
    /// Where it is declared; only in modes `template` and `plan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What is wrong, with the real names.
    pub summary: String,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// Where the blocked path starts, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_from: Option<PathStart>,
    /// The blocked path, hop by hop; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Hop>,
    /// What fixes it.
    pub fixes: Vec<Fix>,
    /// Commands that show that it is fixed.
    pub confirm: Vec<String>,
    /// The same commands as data, one for each line of `confirm`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirm_details: Vec<Command>,
    /// The policy statement that decides, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// Why it was accepted, and until when; only under `waived`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived_by: Option<WaivedBy>,
}

/// A waiver, as it covers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaivedBy {
    /// Why it was accepted.
    pub reason: String,
    /// The last day on which that holds, such as `2027-03-31`.
    pub until: String,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Statement {
    /// The policy: an inline policy's name, a managed one's ARN, or words.
    pub policy: String,
    /// Sid, where it has one.
    pub sid: Option<String>,
    /// Its place in the document, from 0; none for a grant.
    pub index: Option<usize>,
    /// As it stands.
    pub source: serde_json::Value,
}

/// One piece of proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// `fact`, `log`, `trail`, `date`, `stack`, `policy`.
    #[cfg_attr(test, schemars(extend("enum" = ["fact", "log", "trail", "date", "stack", "policy"])))]
    pub kind: String,
    /// Where it comes from.
    pub source: String,
    /// The quote or the fact.
    pub text: String,
}

/// Where a path starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PathStart {
    /// The function's subnet; missing for a function without a VPC.
    pub subnet: Option<String>,
    /// The subnet's block.
    pub cidr: Option<String>,
}

/// One hop of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hop {
    /// `ok`, `partly`, `stop`, `unknown`.
    #[cfg_attr(test, schemars(extend("enum" = ["ok", "partly", "stop", "unknown"])))]
    pub outcome: String,
    /// `resolve`, `egress`, `out`, `route`, `via`, `in`, `ingress`, and the
    /// reply's `route back`, `out back`, `in back`, `via back`.
    #[cfg_attr(test, schemars(extend("enum" = ["resolve", "egress", "out", "route", "via", "in", "ingress", "route back", "out back", "in back", "via back"])))]
    pub kind: String,
    /// Id of what was examined.
    pub resource: String,
    /// The rule that decided.
    pub text: String,
    /// What would let it pass, where it stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<String>,
}

/// What fixes a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fix {
    /// One sentence.
    pub summary: String,
    /// Commands to paste.
    pub commands: Vec<String>,
    /// The same commands as data, one for each line of `commands`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command_details: Vec<Command>,
    /// The same for a CloudFormation template, where that was worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// True where the change was tried on this evidence and the finding was gone.
    pub verified: bool,
    /// Codes that would still block after it; empty where it was not tried.
    pub remaining: Vec<String>,
    /// The ways back from what can hurt others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback: Vec<Rollback>,
}

/// A check that could not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Inconclusive {
    /// Check.
    pub check: String,
    /// The codes that it would report.
    pub codes: Vec<String>,
    /// What it needed.
    pub missing: Vec<Missing>,
}

/// A fact that a check needed and did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Missing {
    /// Fact.
    pub fact: String,
    /// IAM action that would settle it.
    pub action: String,
    /// Resource.
    pub resource: String,
    /// Why it is missing.
    pub reason: String,
}

/// A question that does not arise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotApplicable {
    /// Check.
    pub check: String,
    /// The codes that it would report.
    pub codes: Vec<String>,
    /// Why.
    pub reason: String,
}

/// A check that found nothing wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Passed {
    /// Check.
    pub check: String,
    /// The codes that it rules out.
    pub codes: Vec<String>,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Checks that were selected.
    pub checks: usize,
    /// Causes.
    pub causes: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
    /// Checks that could not tell.
    pub inconclusive: usize,
    /// Checks whose question does not arise.
    pub not_applicable: usize,
    /// Checks that found nothing wrong.
    pub passed: usize,
}
