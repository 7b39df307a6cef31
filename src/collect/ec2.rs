//! EC2: which VPCs matter, and how a list is read by VPC. The calls themselves
//! are in `ec2_vpc` and `ec2_gateway`.

use aws_sdk_ec2::types::Filter;

use super::{rds, scene::Scene};

/// Pages of one EC2 list; a page holds up to a thousand elements.
pub(super) const PAGES: usize = 5;
/// The same where the network of many functions is read at once.
pub(super) const PAGES_OF_MANY: usize = 200;
/// Values that a filter takes (EC2 API reference, Filter).
pub(super) const FILTER_VALUES: usize = 200;

/// A filter on one attribute.
pub(super) fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// The function's subnets.
pub(super) fn function_subnets(scene: &Scene) -> Vec<String> {
    if let Some(many) = &scene.many {
        return many.subnets.clone();
    }
    scene
        .evidence
        .function
        .known()
        .and_then(|function| function.configuration.vpc_config.as_ref())
        .map(|vpc| vpc.subnet_ids.clone())
        .unwrap_or_default()
}

/// The function's VPC: of its subnets, since they cannot be in another; only
/// where these are not to be seen, as the function's configuration says.
pub(super) fn function_vpc(scene: &Scene) -> Option<String> {
    let ids = function_subnets(scene);
    if ids.is_empty() {
        return None;
    }
    let subnets = scene.evidence.subnets.known().into_iter().flatten();
    let mut of_subnets = subnets
        .filter(|subnet| subnet.subnet_id.as_ref().is_some_and(|id| ids.contains(id)))
        .filter_map(|subnet| subnet.vpc_id.clone());
    of_subnets.next().or_else(|| {
        let function = scene.evidence.function.known()?;
        let vpc = function.configuration.vpc_config.as_ref()?.vpc_id.clone()?;
        Some(vpc).filter(|id| !id.is_empty())
    })
}

/// The function's VPC, or those of all functions.
pub(super) fn function_vpcs(scene: &Scene) -> Vec<String> {
    let Some(many) = &scene.many else { return function_vpc(scene).into_iter().collect() };
    let subnets = scene.evidence.subnets.known().into_iter().flatten();
    let own = subnets.filter(|subnet| {
        subnet.subnet_id.as_ref().is_some_and(|id| many.subnets.binary_search(id).is_ok())
    });
    let mut vpcs: Vec<String> = own.filter_map(|subnet| subnet.vpc_id.clone()).collect();
    if vpcs.is_empty() {
        vpcs.clone_from(&many.function_vpcs);
    }
    vpcs.sort();
    vpcs.dedup();
    vpcs
}

/// The VPCs whose network matters: the function's, and the database's where it
/// is another.
pub(super) fn vpcs(scene: &Scene) -> Vec<String> {
    let databases = match &scene.many {
        Some(many) => many.database_vpcs.clone(),
        None => rds::relevant(scene).vpcs,
    };
    let mut vpcs = function_vpcs(scene);
    vpcs.extend(databases);
    vpcs.sort();
    vpcs.dedup();
    vpcs
}

/// Reads every page of a request's list, within [`PAGES`], and converts each element.
/// Evaluates to the elements and whether the budget cut some off.
macro_rules! all_pages {
    ($caller:expr, $action:expr, $resource:expr, $request:expr, $field:ident, $convert:expr) => {{
        use $crate::collect::ec2::{PAGES, PAGES_OF_MANY};
        let (resource, most): (&str, _) = ($resource, $caller.pages(PAGES, PAGES_OF_MANY));
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
