//! EC2: the regions that are switched on in the account.

use std::time::Duration;

use super::{call::Caller, error::CollectError, session::Session};

const ACTION: &str = "ec2:DescribeRegions";

impl Session {
    /// The regions that are switched on, sorted.
    ///
    /// # Errors
    /// [`CollectError`] where the list could not be read.
    pub async fn regions(&self, timeout: Duration) -> Result<Vec<String>, CollectError> {
        let caller = Caller::new(timeout);
        let answer = caller.call(ACTION, "", self.clients.ec2.describe_regions().send()).await;
        let answer = answer.map_err(|failure| self.error(ACTION, &failure))?;
        let regions = answer.regions.unwrap_or_default().into_iter();
        let mut names: Vec<String> = regions.filter_map(|region| region.region_name).collect();
        names.sort();
        Ok(names)
    }
}
