//! One call: bounded in number, bounded by the run's deadline, and written
//! down.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept, context::BeforeTransmitInterceptorContextRef, dyn_dispatch_hint,
        },
        orchestrator::HttpResponse,
        result::SdkError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{config_bag::ConfigBag, error::metadata::ProvideErrorMetadata};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    failure::{self, Failure},
    request::Timing,
};
use crate::aws::limits;

tokio::task_local! {
    static ATTEMPTS: Rc<Cell<u32>>;
}

/// Counts the attempts of the call that runs in this task.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountAttempts;

#[dyn_dispatch_hint]
impl Intercept for CountAttempts {
    fn name(&self) -> &'static str {
        "CountAttempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Calls that credential providers make run outside any counted call.
        let _ = ATTEMPTS.try_with(|attempts| attempts.set(attempts.get() + 1));
        Ok(())
    }
}

/// A call that keeps its answer to itself, but for what went wrong.
type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

struct Shared {
    slots: Semaphore,
    deadline: Instant,
    timings: RefCell<Vec<Timing>>,
    for_many: bool,
}

/// Makes calls, in the name of one wave.
#[derive(Clone)]
pub(super) struct Caller {
    shared: Rc<Shared>,
    wave: u8,
}

impl Caller {
    pub(super) fn new(timeout: Duration) -> Self {
        Self::with(timeout, false)
    }

    /// A caller for an audit of many, whose lists may be long.
    pub(super) fn of_many(timeout: Duration) -> Self {
        Self::with(timeout, true)
    }

    fn with(timeout: Duration, for_many: bool) -> Self {
        let shared = Shared {
            slots: Semaphore::new(limits::CALLS_AT_ONCE),
            deadline: Instant::now() + timeout,
            timings: RefCell::default(),
            for_many,
        };
        Self { shared: Rc::new(shared), wave: 0 }
    }

    /// Whether it is about many secrets at once.
    pub(super) fn for_many(&self) -> bool {
        self.shared.for_many
    }

    /// How many pages of a list are read: for one secret, or for many at once.
    pub(super) fn pages(&self, for_one: usize, for_many: usize) -> usize {
        if self.for_many() { for_many } else { for_one }
    }

    pub(super) fn in_wave(&self, wave: u8) -> Self {
        Self { shared: Rc::clone(&self.shared), wave }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.shared.deadline
    }

    pub(super) fn timings(&self) -> Vec<Timing> {
        self.shared.timings.borrow().clone()
    }

    /// Makes one call. `operation` is the IAM action it takes.
    pub(super) async fn call<T, E>(
        &self,
        operation: &'static str,
        resource: &str,
        work: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut answer = None;
        let work = async {
            answer = Some(work.await.map_err(|error| failure::of(&error))?);
            Ok(())
        };
        self.bounded(operation, resource, Box::pin(work)).await?;
        // It is there wherever the work was well.
        answer.ok_or(Failure::Absent)
    }

    /// Carries out a call, whatever it answers. Boxed, so that what follows is compiled
    /// once and not for each of the SDK's operations.
    async fn bounded(
        &self,
        operation: &'static str,
        resource: &str,
        work: Work<'_>,
    ) -> Result<(), Failure> {
        let late = || Failure::timeout("the run's time was over");
        if Instant::now() >= self.shared.deadline {
            return Err(late());
        }
        let slot = timeout_at(self.shared.deadline, self.shared.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else { return Err(late()) };
        let attempts = Rc::new(Cell::new(0));
        let begun = Instant::now();
        let answer =
            timeout_at(self.shared.deadline, ATTEMPTS.scope(Rc::clone(&attempts), work)).await;
        let result = answer.unwrap_or_else(|_| Err(late()));
        self.shared.timings.borrow_mut().push(Timing {
            operation,
            resource: resource.to_owned(),
            wave: self.wave,
            milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            attempts: attempts.get(),
            outcome: result.as_ref().err().map_or("ok", |failure| failure.message()).to_owned(),
        });
        result
    }
}
