//! Partitions: which one a region belongs to, the domain of its endpoints, and the names
//! that follow from both. The names of Secrets Manager's endpoints by partition are rows of
//! the catalogue.
//!
//! Semantics: AWS General Reference, "AWS service endpoints".

/// The partition of the commercial regions.
pub(crate) const COMMERCIAL: &str = "aws";
/// The partition of the regions in China.
pub(crate) const CHINA: &str = "aws-cn";
/// The partition of the regions for the government of the United States.
pub(crate) const GOVERNMENT: &str = "aws-us-gov";

/// The partition that a region belongs to, by its name.
pub(crate) fn of_region(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        CHINA
    } else if region.starts_with("us-gov-") {
        GOVERNMENT
    } else {
        COMMERCIAL
    }
}

/// The domain under which the endpoints of a partition stand.
pub(crate) fn domain(partition: &str) -> &'static str {
    if partition == CHINA { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The host name of a service's regional endpoint, such as
/// `secretsmanager.eu-west-1.amazonaws.com`.
pub(crate) fn endpoint_host(partition: &str, service: &str, region: &str) -> String {
    format!("{service}.{region}.{}", domain(partition))
}

/// The name by which a VPC endpoint asks for a service, such as
/// `com.amazonaws.eu-west-1.secretsmanager`.
pub(crate) fn endpoint_service(region: &str, service: &str) -> String {
    format!("com.amazonaws.{region}.{service}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_tells_its_partition_and_its_endpoints() {
        for (region, partition, host) in [
            ("eu-west-1", "aws", "kms.eu-west-1.amazonaws.com"),
            ("cn-north-1", "aws-cn", "kms.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "kms.us-gov-west-1.amazonaws.com"),
        ] {
            assert_eq!(of_region(region), partition);
            assert_eq!(endpoint_host(partition, "kms", region), host);
        }
        assert_eq!(endpoint_service("eu-west-1", "rds"), "com.amazonaws.eu-west-1.rds");
    }
}
