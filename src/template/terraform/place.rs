//! Where a plan would be applied, as the settings, its providers or its ARNs say.

use std::collections::BTreeMap;

use super::{
    plan::{Plan, looks_like_a_region},
    resource::Resource,
};
use crate::template::{Settings, aws::Place};

/// The place of a resource, and what of it is assumed, in words.
pub(super) fn place(
    plan: &Plan,
    settings: &Settings,
    resource: &Resource,
) -> (Place, Option<String>) {
    let known = counted(plan);
    let region = settings
        .region
        .clone()
        .or_else(|| resource.region.clone())
        .or_else(|| most(&known.regions));
    let account =
        settings.account_id.clone().or_else(|| identity(plan)).or_else(|| most(&known.accounts));
    let assumed = region.is_none().then(|| {
        format!(
            "the plan does not name its region, so {} is assumed for {}; --region names it",
            Place::DEFAULT_REGION,
            resource.address
        )
    });
    let region = region.unwrap_or_else(|| Place::DEFAULT_REGION.to_owned());
    let account = account.unwrap_or_else(|| Place::EXAMPLE_ACCOUNT.to_owned());
    (Place { region, account }, assumed)
}

/// Whether a resource is in the region, as far as its provider tells.
pub(super) fn holds(place: &Place, resource: &Resource) -> bool {
    resource.kind.starts_with("aws_iam_")
        || resource.region.as_ref().is_none_or(|region| *region == place.region)
}

/// The account that `data.aws_caller_identity` read.
fn identity(plan: &Plan) -> Option<String> {
    let mut all = plan.resources.iter().filter(|one| one.kind == "aws_caller_identity");
    all.find_map(|one| one.known_text("account_id"))
}

/// How often ARNs in the plan name each region and account: those of its own resources
/// before those that they name.
#[derive(Default)]
struct Counted {
    regions: BTreeMap<String, usize>,
    accounts: BTreeMap<String, usize>,
}

/// An ARN of its own counts for so many that it names.
const OWN: usize = 1000;
/// Arguments that name what is usually of the same account; layers and applications of
/// repositories are not.
const NAMED: [&str; 8] = [
    "role",
    "rotation_lambda_arn",
    "kms_key_id",
    "kms_key_arn",
    "source_arn",
    "policy_arn",
    "secret_arn",
    "secret_id",
];

fn counted(plan: &Plan) -> Counted {
    let mut counted = Counted::default();
    for resource in &plan.resources {
        for (weight, names) in [(OWN, &["arn"][..]), (1, &NAMED[..])] {
            let arns = names.iter().filter_map(|name| resource.known_text(name));
            arns.for_each(|arn| counted.add(&arn, weight));
        }
    }
    counted
}

impl Counted {
    fn add(&mut self, text: &str, weight: usize) {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, _, region, account, _] = parts[..] else { return };
        if looks_like_a_region(region) && weight == OWN {
            *self.regions.entry(region.to_owned()).or_default() += weight;
        }
        if account.len() == Place::EXAMPLE_ACCOUNT.len()
            && account.chars().all(|c| c.is_ascii_digit())
        {
            *self.accounts.entry(account.to_owned()).or_default() += weight;
        }
    }
}

fn most(counted: &BTreeMap<String, usize>) -> Option<String> {
    counted.iter().max_by_key(|(_, count)| **count).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::place as place_of;
    use crate::template::{Settings, aws::Place, terraform::plan::Plan};

    fn place(configuration: Value, values: Value, settings: &Settings) -> (Place, Option<String>) {
        let plan = json!({"format_version": "1.2", "variables": {"region": {"value": "eu-north-1"}},
            "configuration": configuration, "planned_values": {"root_module": {"resources": [
                {"address": "aws_vpc.a", "mode": "managed", "type": "aws_vpc", "name": "a",
                 "values": values}]}}});
        let plan = Plan::read(&plan.to_string()).expect("a plan");
        place_of(&plan, settings, &plan.resources[0])
    }

    #[test]
    fn the_region_comes_from_who_knows_it_best() {
        let provider = |region: Value| {
            json!({"provider_config": {"aws": {"name": "aws", "expressions": {"region": region}}},
                "root_module": {"resources": [{"address": "aws_vpc.a", "mode": "managed",
                    "type": "aws_vpc", "name": "a", "provider_config_key": "aws"}]}})
        };
        let none = Settings::default();
        let constant = provider(json!({"constant_value": "eu-west-1"}));
        let arn = json!({"arn": "arn:aws:ec2:eu-central-1:210987654321:vpc/vpc-1"});
        let region = |configuration: Value, values: &Value, settings: &Settings| {
            place(configuration, values.clone(), settings).0.region
        };
        assert_eq!(region(constant.clone(), &arn, &none), "eu-west-1");
        assert_eq!(
            region(provider(json!({"references": ["var.region"]})), &arn, &none),
            "eu-north-1"
        );
        assert_eq!(region(json!({}), &arn, &none), "eu-central-1");
        let told = Settings { region: Some("cn-north-1".to_owned()), ..Settings::default() };
        assert_eq!(place(constant, json!({}), &told).0.partition(), "aws-cn");
        let (nothing, assumed) = place(json!({}), json!({}), &none);
        assert!(assumed.is_some() && nothing.account == "123456789012");
        assert_eq!(place(json!({}), arn, &none).0.account, "210987654321");
        let named = json!({"role": "arn:aws:iam::345678901234:role/x"});
        assert_eq!(place(json!({}), named, &none).0.account, "345678901234");
    }
}
