//! Where a declaration would be deployed: partition, region and account.

use crate::aws::{arn::Arn, partitions};

/// Partition, region and account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Place {
    /// The account of AWS's own examples, where none is named.
    pub(crate) const EXAMPLE_ACCOUNT: &str = "123456789012";
    /// The region, where none is named.
    pub(crate) const DEFAULT_REGION: &str = "us-east-1";

    pub(crate) fn partition(&self) -> &'static str {
        partitions::of_region(&self.region)
    }

    /// How names of hosts end.
    pub(crate) fn url_suffix(&self) -> &'static str {
        partitions::domain(self.partition())
    }

    /// An ARN of a regional service.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        let Self { region, account } = self;
        Arn { partition: self.partition(), service, region, account, resource }.to_string()
    }

    /// An ARN of IAM.
    pub(crate) fn iam(&self, resource: &str) -> String {
        let (partition, account) = (self.partition(), self.account.as_str());
        Arn { partition, service: "iam", region: "", account, resource }.to_string()
    }

    /// The ARN of a function that is named by name, by partial ARN or by ARN, with its
    /// qualifier where it has one.
    pub(crate) fn function_arn(&self, named: &str) -> String {
        if named.starts_with("arn:") {
            return named.to_owned();
        }
        // `123456789012:function:name` is a partial ARN.
        let parts: Vec<&str> = named.splitn(3, ':').collect();
        let name = match parts.as_slice() {
            [account, "function", name] if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                name
            }
            _ => named,
        };
        self.arn("lambda", &format!("function:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn arns_are_of_the_partition() {
        let place = Place { region: "cn-north-1".into(), account: "1".into() };
        assert_eq!(place.arn("kms", "key/K"), "arn:aws-cn:kms:cn-north-1:1:key/K");
        assert_eq!(place.url_suffix(), "amazonaws.com.cn");
        let arn = "arn:aws-cn:lambda:cn-north-1:1:function:rotate:live";
        for named in ["rotate:live", "1:function:rotate:live", arn] {
            assert_eq!(place.function_arn(named), arn);
        }
    }
}
