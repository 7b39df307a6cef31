//! Log events as Lambda and the single-user PostgreSQL template write them.

use jiff::{SignedDuration, Timestamp};

/// One log event: milliseconds since 1970, and the text.
pub(crate) type Event = (i64, String);

/// The four steps in their order.
pub(crate) const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// How the function fails in a step.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) step: &'static str,
    seconds: f64,
    lines: Vec<String>,
    ending: Ending,
}

#[derive(Clone, Debug)]
enum Ending {
    Raises(String),
    TimesOut,
}

impl Failure {
    /// The function raises `error` (`Type: message`) in a step.
    pub(crate) fn raised(step: &'static str, seconds: f64, error: &str) -> Self {
        Self { step, seconds, lines: Vec::new(), ending: Ending::Raises(error.to_owned()) }
    }

    /// Lambda kills the function in a step.
    pub(crate) fn killed(step: &'static str, seconds: f64) -> Self {
        Self { step, seconds, lines: Vec::new(), ending: Ending::TimesOut }
    }

    /// The function logs this as an error first.
    pub(crate) fn after_logging(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }
}

/// What one attempt is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) at: Timestamp,
    pub(crate) secret_arn: &'a str,
    pub(crate) token: &'a str,
}

impl Attempt<'_> {
    /// An attempt that goes through, or fails as told.
    pub(crate) fn events(self, failure: Option<&Failure>) -> Vec<Event> {
        let mut clock = self.at;
        let mut events = Vec::new();
        for (index, step) in STEPS.into_iter().enumerate() {
            let mut run = Invocation::begin(clock, self.token, index);
            match failure {
                Some(failure) if failure.step == step => {
                    run.fail(failure);
                    events.extend(run.events);
                    break;
                }
                _ => {
                    run.log("[INFO]", 0.6, &self.success(step));
                    run.end(0.8, "");
                }
            }
            clock = run.clock.checked_add(SignedDuration::from_secs(1)).expect("a date of today");
            events.extend(run.events);
        }
        events
    }

    fn success(self, step: &str) -> String {
        let Self { secret_arn, token, .. } = self;
        match step {
            "createSecret" => format!(
                "createSecret: Successfully put secret for ARN {secret_arn} and version {token}."
            ),
            "setSecret" => format!(
                "setSecret: Successfully set password for user app in PostgreSQL DB for secret arn {secret_arn}."
            ),
            "testSecret" => format!(
                "testSecret: Successfully signed into PostgreSQL DB with AWSPENDING secret in {secret_arn}."
            ),
            _ => format!(
                "finishSecret: Successfully set AWSCURRENT stage to version {token} for secret {secret_arn}."
            ),
        }
    }
}

/// One invocation, being written.
struct Invocation {
    begun: Timestamp,
    clock: Timestamp,
    request_id: String,
    events: Vec<Event>,
}

impl Invocation {
    fn begin(at: Timestamp, token: &str, index: usize) -> Self {
        // As unique as the token and the time together.
        let request_id = format!("{}{index:03x}{:09x}", &token[..24], at.as_second());
        let mut run = Self { begun: at, clock: at, request_id, events: Vec::new() };
        if index == 0 {
            run.write(
                "INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: \
                 arn:aws:lambda:eu-west-1::runtime:0d9b4e2a"
                    .to_owned(),
            );
        }
        run.write(format!("START RequestId: {} Version: $LATEST", run.request_id));
        if index == 0 {
            run.log("[INFO]", 0.1, "Found credentials in environment variables.");
        }
        run
    }

    fn fail(&mut self, failure: &Failure) {
        for line in &failure.lines {
            self.log("[ERROR]", failure.seconds, line);
        }
        self.move_to(failure.seconds);
        let status = match &failure.ending {
            Ending::Raises(error) => {
                self.write(format!(
                    "[ERROR] {error}\rTraceback (most recent call last):\r\
                     \u{a0}\u{a0}File \"/var/task/lambda_function.py\", line 64, in lambda_handler"
                ));
                ""
            }
            Ending::TimesOut => {
                let (at, id) = (self.stamp(), &self.request_id);
                self.write(format!(
                    "{at} {id} Task timed out after {:.2} seconds",
                    failure.seconds
                ));
                "\tStatus: timeout"
            }
        };
        self.end(failure.seconds, status);
    }

    fn log(&mut self, level: &str, seconds: f64, text: &str) {
        self.move_to(seconds);
        let line = format!("{level}\t{}\t{}\t{text}", self.stamp(), self.request_id);
        self.write(line);
    }

    fn end(&mut self, seconds: f64, status: &str) {
        self.move_to(seconds);
        let id = &self.request_id;
        let milliseconds = seconds * 1000.0;
        let report = format!(
            "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {:.0} ms\t\
             Memory Size: 128 MB\tMax Memory Used: 78 MB{status}",
            milliseconds.ceil()
        );
        self.write(format!("END RequestId: {id}"));
        self.write(report);
    }

    /// Sets the clock to that many seconds after the invocation began.
    fn move_to(&mut self, seconds: f64) {
        let passed = SignedDuration::from_secs_f64(seconds);
        self.clock = self.begun.checked_add(passed).expect("a date of today");
    }

    fn stamp(&self) -> String {
        self.clock.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    fn write(&mut self, text: String) {
        self.events.push((self.clock.as_millisecond(), text));
    }
}
