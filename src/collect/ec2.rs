//! EC2: how a list is read by VPC. The calls themselves are in `ec2_vpc` and `ec2_gateway`.

use aws_sdk_ec2::types::Filter;

use super::{
    call::Caller,
    scene::{PatchResult, Scene, extend, patch},
    scope,
    session::Clients,
    step::{Task, TaskBuilder},
};
use crate::{
    aws::limits,
    evidence::{Evidence, Fact, Observed, Reason},
};

/// A filter on one attribute.
pub(super) fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// What a gap says of a list that was cut off.
pub(super) const FIRST_PAGES: &str = "only the first pages were read";

/// Adds to a list of the evidence, and notes where the budget cut it off.
pub(super) fn put<T: 'static>(
    fact: Fact,
    action: &'static str,
    field: fn(&mut Evidence) -> &mut Observed<Vec<T>>,
    (items, cut): (Vec<T>, bool),
) -> PatchResult {
    patch(move |scene: &mut Scene| {
        extend(field(&mut scene.evidence), items);
        if cut {
            scene.gap(fact, action, "", Reason::Truncated, FIRST_PAGES);
        }
    })
}

/// Tasks about the VPCs that matter, as many at once as a filter takes.
pub(super) fn by_vpc<'a>(
    tasks: &TaskBuilder<'a, '_>,
    call: impl AsyncFn(&Caller, &Clients, &[String]) -> PatchResult + Copy + 'a,
) -> Vec<Task<'a>> {
    tasks.in_groups_of(limits::EC2_FILTER_VALUES, &scope::vpcs(tasks.scene), call)
}

/// Reads every page of a request's list, within [`limits::EC2_PAGES`], and converts each element.
/// Evaluates to the elements and whether the budget cut some off.
macro_rules! all_pages {
    ($caller:expr, $action:expr, $resource:expr, $request:expr, $field:ident, $convert:expr) => {{
        let (resource, most): (&str, _) = (
            $resource,
            $caller.pages($crate::aws::limits::EC2_PAGES, $crate::aws::limits::EC2_PAGES_OF_MANY),
        );
        let mut pages = $crate::collect::pages::pages!(
            $caller,
            $action,
            resource,
            most,
            $request,
            set_next_token,
            next_token
        );
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.extend($crate::collect::convert::list(page.$field, $convert));
        }
        (all, pages.cut())
    }};
}
pub(super) use all_pages;
