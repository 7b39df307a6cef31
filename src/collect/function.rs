//! One function and its package, without a secret. The calls are those of a
//! diagnosis; which of them are made is decided here.

use std::{collections::BTreeSet, time::Duration};

use super::{
    call::Caller,
    error::CollectError,
    failure::Failure,
    lambda, package, plan,
    request::{Collected, Request},
    run::run_wave,
    scene::{Scene, qualified},
    session::Session,
};
use crate::{aws::limits, evidence::Fact};

impl Session {
    /// Collects what Lambda says of one function, and what stands in its package
    /// and its layers. `name` is a name or an ARN, with or without a qualifier.
    ///
    /// # Errors
    /// [`CollectError`] where the function or its package could not be seen. A layer
    /// that could not is a gap.
    pub async fn collect_function(
        &self,
        name: &str,
        timeout: Option<Duration>,
    ) -> Result<Collected, CollectError> {
        let caller = Caller::new(timeout.unwrap_or(limits::RUN_TIMEOUT));
        let request = Request::default();
        let wanted = BTreeSet::from([Fact::Package]);
        let mut scene = Scene::new(&request, wanted, self.bare_evidence());
        let (function, qualifier) = qualified(name);
        let found = lambda::function(&caller.in_wave(1), &self.clients, &function, qualifier).await;
        match found {
            Ok(patch) => patch(&mut scene),
            Err(Failure::Absent) => {
                return Err(CollectError::FunctionNotFound {
                    name: name.to_owned(),
                    region: self.region.clone(),
                });
            }
            Err(failure) => return Err(self.error("lambda:GetFunction", &failure)),
        }
        let waves = plan::steps().filter(|step| step.gives == Fact::Package);
        let waves: BTreeSet<u8> = waves.map(|step| step.wave).collect();
        for number in waves {
            run_wave(&caller.in_wave(number), &self.clients, number, &mut scene, &request).await;
        }
        package::settle(&mut scene);
        scene.evidence.settle();
        if scene.evidence.package.known().is_none() {
            let message = why_unread(&scene);
            return Err(CollectError::PackageUnread { function: name.to_owned(), message });
        }
        let function = scene.evidence.function.known();
        let arn = function.and_then(|function| function.configuration.function_arn.as_deref());
        let part = |index| {
            let part = arn?.split(':').nth(index)?;
            Some(part.to_owned()).filter(|part| !part.is_empty())
        };
        let (partition, account) = (part(1), part(4));
        scene.evidence.partition = partition;
        scene.evidence.account_id = account;
        Ok(Collected {
            evidence: scene.evidence,
            timings: caller.timings(),
            caller_arn: None,
            notes: self.notes.clone(),
        })
    }
}

fn why_unread(scene: &Scene) -> String {
    let function = scene.evidence.function.known();
    let kind = function.and_then(|function| function.configuration.package_type.as_deref());
    if kind == Some("Image") {
        return "the function is a container image, which has no package".to_owned();
    }
    let mut gaps = scene.evidence.gaps.iter();
    let of_code = gaps.find(|gap| gap.action == "lambda:GetFunction");
    of_code
        .map_or_else(|| "Lambda tells no place where it is".to_owned(), |gap| gap.message.clone())
}
