//! What was mended after the last attempt is not told as if it still stood.

use rotdoctor::{checks::Selection, evidence::Evidence, examine, report::v1::Mode};
use serde_json::{Value, json};

use crate::worlds;

fn diagnosed(bundle: Value) -> rotdoctor::report::v1::Report {
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("evidence");
    evidence.settle();
    examine(&evidence, Mode::Bundle, &Selection::default())
}

#[test]
fn a_path_that_is_open_again_is_said_to_be() {
    let mut mended = worlds::bundle("NET10/fires");
    let before = diagnosed(mended.clone());
    assert_eq!(before.causes[0].finding.code, "NET10");
    assert!(!before.causes[0].finding.summary.contains("nothing wrong"));

    let groups = mended["SecurityGroups"].as_array_mut().expect("groups");
    let blocked = groups
        .iter_mut()
        .find(|group| group["GroupId"] == before.causes[0].finding.resource.as_str())
        .expect("the database's group");
    blocked["IpPermissions"] = json!([{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    let after = diagnosed(mended);
    let cause = &after.causes[0].finding;
    assert_eq!(cause.code, "NET10T", "the log still tells of it");
    assert!(cause.summary.contains("database-path finds nothing wrong"), "{}", cause.summary);
    let first = &cause.fixes[0];
    assert_eq!(
        first.commands,
        [
            "aws secretsmanager rotate-secret --secret-id prod/orders --region eu-west-1",
            "rotdoctor diagnose prod/orders --wait --region eu-west-1"
        ]
    );
}
