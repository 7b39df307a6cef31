//! A step of the plan: one kind of call, what it needs and what it gives. Each service's
//! file lists its own steps; `plan` puts them together and `run` makes the calls.

use futures_util::future::LocalBoxFuture;

use super::{
    call::Caller,
    scene::{PatchResult, Scene},
    session::Clients,
};
use crate::evidence::Fact;

/// A kind of call.
#[derive(Debug)]
pub struct Step {
    /// The IAM action it takes.
    pub action: &'static str,
    /// From 1 on; 0 for what runs beside the waves.
    pub wave: u8,
    /// The fact it gives, or helps to give.
    pub gives: Fact,
    /// Facts of earlier waves without which it cannot be made.
    pub needs: &'static [Fact],
    /// The calls it makes, from what is known so far: none where there is nothing to ask
    /// about.
    pub(super) tasks: for<'a> fn(&TaskBuilder<'a, '_>) -> Vec<Task<'a>>,
}

/// Declares the steps of a service, in the order of their waves: `WAVE ACTION => FACT <-
/// [FACTS NEEDED]: TASKS;`.
macro_rules! steps {
    ($( $wave:literal $action:literal => $gives:ident <- [$($needs:ident),*]: $tasks:expr; )*) => {
        /// The calls that this file makes for a plan.
        pub(super) const STEPS: &[$crate::collect::step::Step] = &[$(
            $crate::collect::step::Step {
                action: $action,
                wave: $wave,
                gives: $crate::evidence::Fact::$gives,
                needs: &[$($crate::evidence::Fact::$needs),*],
                tasks: $tasks,
            }
        ),*];
    };
}
pub(super) use steps;

/// One call of a step, or a short series of pages.
pub(super) struct Task<'a> {
    pub(super) step: &'static Step,
    /// What it asks about, as a gap names it.
    pub(super) resource: String,
    pub(super) work: LocalBoxFuture<'a, PatchResult>,
}

/// Builds the tasks of one step. The work of a task owns what it needs, so that the scene
/// can be changed when it is done.
pub(super) struct TaskBuilder<'a, 's> {
    step: &'static Step,
    caller: &'a Caller,
    clients: &'a Clients,
    /// What is known so far.
    pub(super) scene: &'s Scene,
}

impl Step {
    /// The tasks of this step.
    pub(super) fn build<'a>(
        &'static self,
        caller: &'a Caller,
        clients: &'a Clients,
        scene: &Scene,
    ) -> Vec<Task<'a>> {
        (self.tasks)(&TaskBuilder { step: self, caller, clients, scene })
    }
}

impl<'a> TaskBuilder<'a, '_> {
    /// A task about one resource.
    pub(super) fn one(
        &self,
        resource: String,
        call: impl AsyncFnOnce(&'a Caller, &'a Clients, &str) -> PatchResult + 'a,
    ) -> Task<'a> {
        let (caller, clients, about) = (self.caller, self.clients, resource.clone());
        let work = Box::pin(async move { call(caller, clients, &about).await });
        Task { step: self.step, resource, work }
    }

    /// A task about the region as a whole, which names no resource.
    pub(super) fn of_region(
        &self,
        call: impl AsyncFnOnce(&Caller, &Clients) -> PatchResult + 'a,
    ) -> Vec<Task<'a>> {
        let call = async move |caller: &'a Caller, clients: &'a Clients, _: &str| {
            call(caller, clients).await
        };
        vec![self.one(String::new(), call)]
    }

    /// A task about each of these resources.
    pub(super) fn each(
        &self,
        resources: impl IntoIterator<Item = String>,
        call: impl AsyncFn(&Caller, &Clients, &str) -> PatchResult + Copy + 'a,
    ) -> Vec<Task<'a>> {
        let task = |resource| {
            self.one(resource, async move |caller, clients, about: &str| {
                call(caller, clients, about).await
            })
        };
        resources.into_iter().map(task).collect()
    }

    /// Tasks about these resources together, as many at once as the call takes.
    pub(super) fn in_groups_of(
        &self,
        size: usize,
        resources: &[String],
        call: impl AsyncFn(&Caller, &Clients, &[String]) -> PatchResult + Copy + 'a,
    ) -> Vec<Task<'a>> {
        let task = |group: &[String]| {
            // In a run about many it is the list as a whole.
            let resource = if self.scene.many.is_some() { String::new() } else { group.join(" ") };
            let (caller, clients, group) = (self.caller, self.clients, group.to_vec());
            let work = Box::pin(async move { call(caller, clients, &group).await });
            Task { step: self.step, resource, work }
        };
        resources.chunks(size).map(task).collect()
    }

    /// Those of the resources that no earlier wave asked about for this fact.
    pub(super) fn not_asked(&self, mut resources: Vec<String>) -> Vec<String> {
        let asked = &self.scene.asked;
        resources.retain(|resource| !asked.contains(&(self.step.gives, resource.clone())));
        resources
    }
}
