//! A declaration laid over what exists: what it leaves open is filled by a bundle or by
//! what was collected live in the region and account that the caller names.
//!
//! Two things are the same where their ids are. A resource that a template creates has no
//! id yet: it stands beside what exists and never replaces it, except for the secret, which
//! is known by its name.

use serde_json::{Map, Value};

use super::Declared;
use crate::{
    evidence::{Evidence, FACTS, Fact, FactOwner, FactParts, FactRow, FactSource, Gap, Reason},
    seal::bundle,
};

/// Whether a fact follows the secret: those about it, and the runs of its function.
fn follows_secret(row: &FactRow) -> bool {
    let run_of_function = row.owner == FactOwner::Function && row.source == FactSource::Run;
    row.owner == FactOwner::Secret && row.fact != Fact::Secret || run_of_function
}

/// Whether a fact follows the function: those about it and its role.
fn follows_function(row: &FactRow) -> bool {
    matches!(row.owner, FactOwner::Function | FactOwner::Role) && !follows_secret(row)
}

/// Lays a declaration over what exists. Lists and maps are united by id and the declared
/// item wins. Single facts are filled where the declaration does not know them, those of a
/// secret or a function only where `base` is about the same one. Gaps that `base` fills
/// are removed, and the gaps of `base` are added.
pub fn lay_over(declared: &mut Declared, base: &Evidence) {
    let (Some(mut own), Some(base_facts)) = (object(&declared.evidence), object(base)) else {
        return;
    };
    // The secret's own ARN takes the place of the one that was put together.
    let same_secret = same_secret(&declared.evidence, base);
    if same_secret
        && let (Some(made), Some(real)) = (declared.evidence.secret_arn(), base.secret_arn())
        && made != real
    {
        let text = Value::Object(own.clone()).to_string().replace(made, real);
        if let Ok(Value::Object(renamed)) = serde_json::from_str(&text) {
            own = renamed;
        }
        let origin = declared.origins.of(made).clone();
        declared.origins.declare(real, origin);
    }
    let same_function = same_function(&declared.evidence, base);
    let gaps = std::mem::take(&mut declared.evidence.gaps);
    own.remove("Gaps");
    for row in FACTS {
        let may_fill = match row.parts {
            FactParts::ById(id) => {
                unite_lists(&mut own, &base_facts, row.name, id);
                false
            }
            FactParts::ByKey | FactParts::ByVpc => {
                unite_maps(&mut own, &base_facts, row.name);
                false
            }
            FactParts::Whole => {
                matches!(row.owner, FactOwner::Database | FactOwner::Vpc)
                    || same_secret && follows_secret(row)
                    || same_function && follows_function(row)
            }
        };
        if may_fill {
            fill(&mut own, &base_facts, row.fact);
        }
        // A switch of the account is not part of a declaration.
        if row.owner == FactOwner::Account
            && !matches!(own.get(row.name), Some(Value::Object(_)))
            && let Some(value) = base_facts.get(row.name)
        {
            own.insert(row.name.to_owned(), value.clone());
        }
    }
    unite_keys(&mut own, &base_facts);
    if same_secret {
        fill_secret(&mut own, &base_facts);
    }
    let covered = covers_function(&own);
    let mut left: Vec<Gap> =
        gaps.into_iter().filter(|gap| !filled(gap, &own, &base_facts, base, covered)).collect();
    let about = |gap: &&Gap| match Fact::named(&gap.fact) {
        Some(fact) if follows_secret(fact.row()) || fact == Fact::Secret => same_secret,
        Some(fact) if follows_function(fact.row()) => same_function,
        _ => true,
    };
    left.extend(base.gaps.iter().filter(about).cloned());
    let Ok(read) = bundle::from_object(own) else {
        return;
    };
    declared.evidence = read.evidence;
    declared.evidence.gaps = left;
    bundle::normalise(&mut declared.evidence);
}

fn object(evidence: &Evidence) -> Option<Map<String, Value>> {
    match serde_json::to_value(evidence) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

fn same_secret(declared: &Evidence, base: &Evidence) -> bool {
    let (Some(own), Some(there)) = (declared.secret.known(), base.secret.known()) else {
        return false;
    };
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    let open = |name: &Option<String>| name.as_deref().is_some_and(|name| name.contains("${"));
    same(&own.arn, &there.arn) || same(&own.name, &there.name) && !open(&own.name)
}

fn same_function(declared: &Evidence, base: &Evidence) -> bool {
    let wanted = declared.secret.known().and_then(|secret| secret.rotation_lambda_arn.as_deref());
    let Some(wanted) = wanted.filter(|arn| !arn.contains("${")) else { return false };
    let there = base.function.known().and_then(|f| f.configuration.function_arn.as_deref());
    let named = base.secret.known().and_then(|secret| secret.rotation_lambda_arn.as_deref());
    there == Some(wanted) || there.is_none() && named == Some(wanted)
}

/// Adds what exists to a list, save what the declaration has under the same id.
fn unite_lists(own: &mut Map<String, Value>, base: &Map<String, Value>, fact: &str, id: &str) {
    let Some(there) = base.get(fact) else { return };
    let Value::Array(there) = there else {
        own.entry(fact).or_insert(Value::Null);
        return;
    };
    let entry = own.entry(fact).or_insert_with(|| Value::Array(Vec::new()));
    if entry.is_null() {
        *entry = Value::Array(Vec::new());
    }
    let Value::Array(list) = entry else { return };
    for item in there {
        if !list.iter().any(|one| one[id] == item[id]) {
            list.push(item.clone());
        }
    }
}

fn unite_maps(own: &mut Map<String, Value>, base: &Map<String, Value>, fact: &str) {
    let Some(there) = base.get(fact) else { return };
    let Value::Object(there) = there else {
        own.entry(fact).or_insert(Value::Null);
        return;
    };
    let entry = own.entry(fact).or_insert_with(|| Value::Object(Map::new()));
    if entry.is_null() {
        *entry = Value::Object(Map::new());
    }
    let Value::Object(map) = entry else { return };
    for (id, item) in there {
        map.entry(id.clone()).or_insert_with(|| item.clone());
    }
}

/// Keys, part by part: metadata, policy and grants are facts of their own.
fn unite_keys(own: &mut Map<String, Value>, base: &Map<String, Value>) {
    let Some(Value::Object(there)) = base.get("Keys") else { return };
    let entry = own.entry("Keys").or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(keys) = entry else { return };
    for (arn, parts) in there {
        let key = keys.entry(arn.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(key), Value::Object(parts)) = (key, parts) {
            for (part, value) in parts {
                key.entry(part.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

fn fill(own: &mut Map<String, Value>, base: &Map<String, Value>, fact: Fact) {
    if !own.contains_key(fact.name())
        && let Some(value) = base.get(fact.name())
    {
        own.insert(fact.name().to_owned(), value.clone());
    }
}

/// What the secret is today, where the declaration does not change it: its versions, its
/// dates, its key where that was not declared.
fn fill_secret(own: &mut Map<String, Value>, base: &Map<String, Value>) {
    let Some(Value::Object(there)) = base.get("Secret") else { return };
    let Some(Value::Object(secret)) = own.get_mut("Secret") else { return };
    for (name, value) in there {
        let open = secret.get(name).is_none_or(|own| own.to_string().contains("${"));
        if name == "VersionIdsToStages" || open && name != "RotationLambdaARN" {
            secret.insert(name.clone(), value.clone());
        }
    }
}

/// Whether every subnet of the function was seen.
fn covers_function(own: &Map<String, Value>) -> bool {
    let config = own.get("Function").map(|function| &function["Configuration"]["VpcConfig"]);
    let wanted = config.and_then(|config| config["SubnetIds"].as_array());
    let subnets = own.get("Subnets").and_then(Value::as_array);
    wanted.is_none_or(|wanted| {
        wanted.iter().all(|id| {
            subnets.is_some_and(|list| list.iter().any(|subnet| subnet["SubnetId"] == *id))
        })
    })
}

/// Whether what exists fills a gap of the declaration.
fn filled(
    gap: &Gap,
    own: &Map<String, Value>,
    there: &Map<String, Value>,
    base: &Evidence,
    covered: bool,
) -> bool {
    if gap.reason != Reason::NotDeclared {
        return false;
    }
    let Some(fact) = Fact::named(&gap.fact) else { return false };
    if base.gap(fact, None).is_some() {
        return false;
    }
    if fact.is_of_a_key() {
        return there.get("Keys").is_some_and(|keys| {
            keys.as_object().into_iter().flatten().any(|(arn, _)| {
                *arn == gap.resource || arn.ends_with(&format!("/{}", gap.resource))
            })
        });
    }
    let Some(found) = there.get(fact.name()) else { return false };
    match fact.row().parts {
        FactParts::ById(id) if !gap.resource.is_empty() => {
            found.as_array().into_iter().flatten().any(|item| item[id] == *gap.resource)
        }
        // Of a VPC that is not in what exists, it fills nothing.
        FactParts::ById(_) => covered,
        FactParts::ByKey | FactParts::ByVpc => {
            gap.resource.is_empty() && covered || found.get(&gap.resource).is_some()
        }
        FactParts::Whole => own.get(fact.name()) == Some(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::lay_over;
    use crate::{
        evidence::{Evidence, Fact, Observed, Reason},
        seal::bundle,
        template::{Declared, Draft},
    };

    const REAL: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf";
    const MADE: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:db-xxxxxx";

    fn declared(facts: Value, gaps: &[(Fact, &str)]) -> Declared {
        let mut draft = Draft { evidence: base(facts), ..Draft::default() };
        for (fact, resource) in gaps {
            draft.gap(*fact, resource, "not in the template");
        }
        draft.finish(Default::default())
    }

    fn base(mut facts: Value) -> Evidence {
        facts["CapturedAt"] = json!("2026-11-22T00:00:00Z");
        bundle::read(&facts.to_string()).expect("a bundle").evidence
    }

    #[test]
    fn lists_are_united_and_the_declared_thing_wins() {
        let facts = json!({"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "declared"}],
            "Function": {"Configuration": {"VpcConfig": {"SubnetIds": ["subnet-1"]}}}});
        let gaps = [(Fact::Subnets, "subnet-1"), (Fact::VpcEndpoints, ""), (Fact::RouteTables, "")];
        let mut declared = declared(facts, &gaps);
        let base = base(json!({"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}],
            "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "there"}, {"GroupId": "sg-2"}],
            "VpcEndpoints": null,
            "Gaps": [{"Fact": "NetworkAcls", "Reason": "AccessDenied"}]}));
        lay_over(&mut declared, &base);
        let evidence = declared.evidence;
        let groups = evidence.security_groups.known().expect("groups");
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].group_name.as_deref(), Some("declared"));
        assert_eq!(evidence.vpc_endpoints, Observed::Absent);
        assert!(evidence.gap(Fact::VpcEndpoints, None).is_none(), "{:?}", evidence.gaps);
        assert!(evidence.gap(Fact::Subnets, None).is_none(), "{:?}", evidence.gaps);
        assert!(evidence.gap(Fact::RouteTables, None).is_some(), "what was not seen stays open");
        let refused = evidence.gap(Fact::NetworkAcls, None).expect("a gap of what exists");
        assert_eq!(refused.reason, Reason::AccessDenied);
        let config = evidence.function.known().and_then(|f| f.configuration.vpc_config.as_ref());
        assert_eq!(config.and_then(|config| config.vpc_id.as_deref()), Some("vpc-1"));
    }

    #[test]
    fn a_secret_is_filled_by_its_own_name_alone() {
        let facts = json!({"Secret": {"ARN": MADE, "Name": "db", "KmsKeyId": "${Key}",
                "RotationLambdaARN": "arn:new", "VersionIdsToStages": {"declared": ["AWSCURRENT"]}},
            "RolePolicies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [
                {"Resource": MADE}]}}]});
        let there = |name: &str| {
            base(json!({"Secret": {"ARN": REAL, "Name": name, "KmsKeyId": "k",
                    "RotationLambdaARN": "arn:old",
                    "VersionIdsToStages": {"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"]}},
                "SecretPolicy": null, "Function": {"Configuration": {"FunctionArn": "arn:old"}}}))
        };
        let gaps = [(Fact::SecretPolicy, MADE), (Fact::Function, "arn:new")];
        let mut same = declared(facts.clone(), &gaps);
        lay_over(&mut same, &there("db"));
        let secret = same.evidence.secret.known().expect("a secret").clone();
        assert_eq!(secret.arn.as_deref(), Some(REAL));
        assert_eq!(secret.stuck_pending(), Some("v2"));
        assert_eq!(secret.kms_key_id.as_deref(), Some("k"));
        assert_eq!(secret.rotation_lambda_arn.as_deref(), Some("arn:new"), "the declared one");
        assert_eq!(same.evidence.secret_policy, Observed::Absent);
        let policies = serde_json::to_string(&same.evidence.role_policies).expect("policies");
        assert!(policies.contains(REAL) && !policies.contains(MADE), "{policies}");
        assert!(same.evidence.function.known().is_none(), "another function");

        let mut other = declared(facts, &gaps);
        lay_over(&mut other, &there("other"));
        assert_eq!(other.evidence.secret_arn(), Some(MADE));
        assert!(other.evidence.gap(Fact::SecretPolicy, None).is_some());
    }

    #[test]
    fn the_function_that_the_declaration_names_is_taken_over() {
        let facts = json!({"Secret": {"ARN": MADE, "RotationLambdaARN": "arn:fn"}});
        let mut declared = declared(facts, &[(Fact::Function, "arn:fn"), (Fact::KeyPolicy, "k")]);
        let base = base(json!({"Function": {"Configuration": {"FunctionArn": "arn:fn"}},
            "FunctionPolicy": null, "Keys": {"arn:aws:kms:r:1:key/k": {"Policy": {"Statement": []}}}}));
        lay_over(&mut declared, &base);
        assert!(declared.evidence.function.known().is_some());
        assert_eq!(declared.evidence.function_policy, Observed::Absent);
        assert!(declared.evidence.gaps.is_empty(), "{:?}", declared.evidence.gaps);
    }
}
