//! The collector against the stub: waves, gaps, retries, pages, and what must
//! never be asked or kept.

use std::{collections::BTreeSet, time::Duration};

use rotdoctor::{
    collect::{
        CollectError, Collected, Connection, Request, SecretFilter, Session, block_on, plan, run,
    },
    evidence::{FACTS, Fact, Observed, Reason},
};

use crate::{
    KEYS, alone,
    stub::{Reply, Stub},
    stub_world::{self as world, FUNCTION, KEY, SECRET},
    support::run::{REGION, rotdoctor},
};

/// All that a diagnosis reads unless a simulation is wanted too.
fn everything() -> BTreeSet<Fact> {
    FACTS.iter().map(|row| row.fact).filter(|fact| *fact != Fact::Simulation).collect()
}

fn connection(stub: &Stub) -> Connection {
    Connection {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(stub.url.clone()),
        ..Connection::default()
    }
}

/// What the tests ask for: everything, with few look-ups in CloudTrail's slow
/// pace.
fn request() -> Request {
    Request {
        secret: "prod/db".to_owned(),
        facts: everything(),
        trail_calls: Some(2),
        ..Request::default()
    }
}

fn collect(stub: &Stub, request: &Request) -> Collected {
    run(&connection(stub), request).expect("a secret that can be examined")
}

#[test]
fn one_diagnosis_takes_five_waves_and_keeps_no_secret() {
    alone("collect::one_diagnosis_takes_five_waves_and_keeps_no_secret", &KEYS, || {
        // Slow enough that what is asked at once is seen at once.
        let stub = Stub::start(|ask| {
            world::answer(ask).map(|reply| reply.after(Duration::from_millis(40)))
        });
        let collected = collect(&stub, &Request { read_secret: true, ..request() });
        let evidence = &collected.evidence;

        assert_eq!(
            collected.caller_arn.as_deref(),
            Some("arn:aws:sts::123456789012:assumed-role/Reader/me")
        );
        assert_eq!(evidence.secret_arn(), Some(SECRET));
        assert!(collected.timings.iter().all(|timing| timing.wave <= plan::WAVES));
        assert!(collected.timings.iter().any(|timing| timing.wave == plan::WAVES));
        assert_eq!(collected.timings.len(), stub.asked().len(), "no call twice, none unwritten");
        assert!(collected.timings.iter().all(|timing| timing.attempts == 1), "no retries");
        assert_eq!(stub.asked().len(), 67, "calls for one diagnosis: {:#?}", collected.timings);
        let most = stub.most_at_once();
        assert!((2..=8).contains(&most), "{most} at once");

        // Every fact that can be collected was settled one way or the other.
        for fact in everything() {
            assert!(!evidence.state(fact).is_not_asked(), "{}", fact.name());
        }
        let gaps = evidence.gaps.iter().map(|gap| (gap.resource.as_str(), gap.reason));
        assert_eq!(
            gaps.collect::<Vec<_>>(),
            [("Z2", Reason::Unsupported), ("", Reason::Truncated)],
            "another account's zone, and CloudTrail's budget: {:#?}",
            evidence.gaps
        );

        assert_eq!(evidence.secret_versions.known().expect("versions").versions.len(), 2);
        let vpcs = evidence.subnets.known().expect("subnets");
        assert_eq!(vpcs[0].vpc_id.as_deref(), Some("vpc-real"), "not the function's claim");
        let asked = stub.asked();
        let by_vpc = asked.iter().find(|ask| ask.operation == "ec2:DescribeVpcs").expect("asked");
        assert!(
            by_vpc.body.contains("vpc-real") && by_vpc.body.contains("vpc-db"),
            "the function's VPC and the database's: {}",
            by_vpc.body
        );
        let attached = &evidence.attached_policies.known().expect("policies")[0];
        assert_eq!(attached.default_version_id.as_deref(), Some("v3"));
        assert!(attached.policy_document.is_some());
        let boundary = evidence.permissions_boundary.known().expect("boundary");
        assert!(boundary.policy_document.is_some());
        assert!(evidence.role_policies.known().expect("inline")[0].policy_document.is_some());
        assert!(evidence.keys[KEY].policy.known().is_some());
        assert_eq!(
            evidence.managed_prefix_list_entries.known().expect("entries")["pl-a"],
            ["10.9.0.0/16"]
        );
        let table = &evidence.transit_gateway_route_tables.known().expect("tables")[0];
        assert_eq!(table.associated_attachments, ["tgw-attach-a"]);
        assert_eq!(table.routes[0].attachment.as_deref(), Some("tgw-attach-b"));
        let groups = evidence.security_groups.known().expect("groups");
        assert_eq!(groups[0].group_id.as_deref(), Some("sg-shared"), "associated with our VPC");
        let access = evidence.vpc_block_public_access_options.known().expect("options");
        let excluded = access.exclusions.as_ref().expect("exclusions").iter();
        assert_eq!(
            excluded.map(|one| one.exclusion_id.as_deref()).collect::<Vec<_>>(),
            [Some("eepbe-vpc-other"), Some("eepbe-vpc-real")]
        );
        let zones = &evidence.hosted_zones_by_vpc.known().expect("zones")["vpc-real"];
        let read = zones.iter().map(|zone| (zone.name.as_deref(), zone.records.len()));
        assert_eq!(
            read.collect::<Vec<_>>(),
            [(Some("internal."), 2), (Some("shared."), 0)],
            "neither the service's zone nor records that lead nowhere"
        );
        assert_eq!(zones[0].records[1].values, ["10.0.0.9"]);
        let rules = evidence.resolver_rules.known().expect("rules");
        let one =
            rules.iter().find(|rule| rule.vpc_ids == ["vpc-real"]).expect("one is of the VPC");
        assert_eq!(one.domain_name.as_deref(), Some("corp."));
        assert_eq!(one.target_ips, ["10.8.0.2"]);
        let parameters = evidence.db_parameters.known().expect("parameters");
        assert_eq!(parameters.len(), 1, "only those about logging in: {parameters:?}");
        let trail = evidence.trail_events.known().expect("trail");
        assert_eq!(trail.len(), 1, "ours only, and once: {trail:?}");
        assert_eq!(evidence.secret_policy, Observed::Absent);

        let shape = &evidence.secret_shape.known().expect("shape")["AWSCURRENT"];
        assert_eq!(shape.keys, ["engine", "host", "password", "username"]);
        let package = evidence.package.known().expect("the package");
        let read = package.archives.iter().map(|one| (one.name.as_deref(), one.complete));
        assert_eq!(
            read.collect::<Vec<_>>(),
            [(Some("code"), Some(true)), (Some(world::LAYER), Some(true))]
        );
        assert_eq!(package.imports[0].module.as_deref(), Some("boto3"));
        let text = serde_json::to_string(evidence).expect("json");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("10.0.0.7"), "addresses stay");
        let mut sealed = evidence.clone();
        rotdoctor::seal::evidence(&mut sealed);
        assert_eq!(&sealed, evidence, "already sealed on its way in");
    });
}

#[test]
fn the_value_is_never_asked_for_without_leave() {
    alone("collect::the_value_is_never_asked_for_without_leave", &KEYS, || {
        let stub = world::start(|_| None);
        let collected = collect(&stub, &request());
        assert_eq!(stub.count("secretsmanager:GetSecretValue"), 0);
        assert!(collected.evidence.secret_shape.is_not_asked());
        assert!(collected.evidence.superuser_secret.is_not_asked());
    });
}

#[test]
fn only_what_the_checks_read_is_asked() {
    alone("collect::only_what_the_checks_read_is_asked", &KEYS, || {
        let stub = world::start(|_| None);
        let facts = BTreeSet::from([Fact::FunctionPolicy]);
        collect(&stub, &Request { facts, ..request() });
        let mut asked: Vec<String> = stub.asked().into_iter().map(|ask| ask.operation).collect();
        asked.sort();
        assert_eq!(
            asked,
            ["lambda:GetPolicy", "secretsmanager:DescribeSecret", "sts:GetCallerIdentity"]
        );
    });
}

#[test]
fn a_refusal_is_a_gap_and_so_is_what_hangs_on_it() {
    alone("collect::a_refusal_is_a_gap_and_so_is_what_hangs_on_it", &KEYS, || {
        let stub = world::start(|ask| match ask.operation.as_str() {
            "lambda:GetFunction" => {
                Some(Reply::json_error(403, "AccessDeniedException", "not allowed"))
            }
            "kms:GetKeyPolicy" => Some(Reply::json_error(400, "AccessDeniedException", "no")),
            "cloudtrail:LookupEvents" => {
                Some(Reply::json_error(400, "AccessDeniedException", "no"))
            }
            _ => None,
        });
        let evidence = collect(&stub, &request()).evidence;
        let Observed::NotSeen(gap) = &evidence.function else { panic!("{:?}", evidence.function) };
        assert_eq!((gap.action.as_str(), gap.reason), ("lambda:GetFunction", Reason::AccessDenied));
        assert_eq!(gap.resource, FUNCTION);
        let asked = stub.asked();
        let ask = asked.iter().find(|ask| ask.operation == "lambda:GetFunction").expect("asked");
        assert!(ask.path.contains(FUNCTION), "by ARN, which names the account: {}", ask.path);
        let Observed::NotSeen(gap) = &evidence.role else { panic!("{:?}", evidence.role) };
        assert_eq!(gap.action, "lambda:GetFunction", "the action that would settle it");
        let Observed::NotSeen(gap) = &evidence.keys[KEY].policy else { panic!("key policy") };
        assert_eq!(gap.resource, KEY);
        assert!(evidence.keys[KEY].key_metadata.known().is_some());
        assert!(evidence.log_events.known().is_some(), "the function's name is in its ARN");
        assert_eq!(stub.count("cloudtrail:LookupEvents"), 1, "one refusal is enough");
        assert!(matches!(evidence.trail_events, Observed::NotSeen(_)));
    });
}

#[test]
fn what_is_not_there_is_absent_and_no_gap() {
    alone("collect::what_is_not_there_is_absent_and_no_gap", &KEYS, || {
        let stub = world::start(|ask| match ask.operation.as_str() {
            "lambda:GetFunction" | "lambda:GetPolicy" | "logs:DescribeLogStreams" => {
                Some(Reply::json_error(404, "ResourceNotFoundException", "no such thing"))
            }
            "logs:DescribeLogGroups" => Some(Reply::ok(r#"{"logGroups":[]}"#)),
            _ => None,
        });
        let evidence = collect(&stub, &Request { trail_calls: Some(0), ..request() }).evidence;
        assert_eq!(evidence.function, Observed::Absent);
        assert_eq!(evidence.function_policy, Observed::Absent);
        assert_eq!(evidence.log_group, Observed::Absent);
        assert_eq!(evidence.log_events, Observed::Absent);
        assert_eq!(evidence.role, Observed::Absent);
        assert!(evidence.gaps.is_empty(), "{:#?}", evidence.gaps);
    });
}

#[test]
fn load_is_retried_and_then_said() {
    alone("collect::load_is_retried_and_then_said", &KEYS, || {
        let stub = world::start(|ask| match ask.operation.as_str() {
            "lambda:GetFunction" if ask.earlier < 2 => {
                Some(Reply::json_error(503, "ServiceException", "later"))
            }
            "secretsmanager:GetResourcePolicy" => {
                Some(Reply::json_error(400, "ThrottlingException", "Rate exceeded"))
            }
            _ => None,
        });
        let facts = BTreeSet::from([Fact::Function, Fact::SecretPolicy]);
        let collected = collect(&stub, &Request { facts, ..request() });
        assert!(collected.evidence.function.known().is_some());
        let attempts = |operation: &str| {
            let mut calls = collected.timings.iter().filter(|call| call.operation == operation);
            calls.next().expect("made").attempts
        };
        assert_eq!(attempts("lambda:GetFunction"), 3);
        assert_eq!(attempts("secretsmanager:GetResourcePolicy"), 3);
        let Observed::NotSeen(gap) = &collected.evidence.secret_policy else { panic!("policy") };
        assert_eq!(gap.reason, Reason::Throttled);
    });
}

#[test]
fn when_the_time_is_over_the_rest_is_a_gap() {
    alone("collect::when_the_time_is_over_the_rest_is_a_gap", &KEYS, || {
        let stub = world::start(|ask| {
            (ask.operation == "lambda:GetFunction")
                .then(|| Reply::ok("{}").after(Duration::from_secs(20)))
        });
        let facts = BTreeSet::from([Fact::Function, Fact::FunctionPolicy, Fact::Role]);
        let timeout = Some(Duration::from_secs(4));
        let collected = collect(&stub, &Request { facts, timeout, ..request() });
        assert!(collected.evidence.function_policy.known().is_some());
        for observed in [collected.evidence.function.state(), collected.evidence.role.state()] {
            let Observed::NotSeen(gap) = observed else { panic!("{observed:?}") };
            assert_eq!(gap.reason, Reason::Timeout);
        }
    });
}

#[test]
fn a_secret_that_may_not_be_described_leaves_gaps_only() {
    alone("collect::a_secret_that_may_not_be_described_leaves_gaps_only", &KEYS, || {
        let stub = world::start(|ask| {
            (ask.operation == "secretsmanager:DescribeSecret")
                .then(|| Reply::json_error(400, "AccessDeniedException", "no"))
        });
        let evidence = collect(&stub, &Request { trail_calls: Some(0), ..request() }).evidence;
        assert!(matches!(evidence.secret, Observed::NotSeen(_)));
        let Observed::NotSeen(gap) = &evidence.function else { panic!("{:?}", evidence.function) };
        assert_eq!(gap.action, "secretsmanager:DescribeSecret");
        assert!(evidence.secret_versions.known().is_some());
    });
}

#[test]
fn a_missing_secret_names_region_and_account() {
    alone("collect::a_missing_secret_names_region_and_account", &KEYS, || {
        let stub = world::start(|ask| {
            ask.operation.starts_with("secretsmanager:").then(|| {
                Reply::json_error(400, "ResourceNotFoundException", "can't find the secret")
            })
        });
        let error = run(&connection(&stub), &request()).expect_err("no secret");
        assert!(matches!(error, CollectError::SecretNotFound { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("eu-west-1") && text.contains("123456789012"), "{text}");
    });
}

#[test]
fn an_expired_login_is_one_error_with_its_cure() {
    alone("collect::an_expired_login_is_one_error_with_its_cure", &KEYS, || {
        let stub = world::start(|ask| {
            Some(if ask.operation.starts_with("sts:") {
                Reply::xml_error(403, "ExpiredToken", "The security token is expired")
            } else {
                Reply::json_error(400, "ExpiredTokenException", "The security token is expired")
            })
        });
        let error = run(&connection(&stub), &request()).expect_err("expired");
        let CollectError::Credentials { message, hint } = &error else { panic!("{error:?}") };
        assert!(message.contains("expired"), "{message}");
        assert!(hint.contains("aws sso login"), "{hint}");
        let later = stub.asked().into_iter().any(|ask| ask.operation.starts_with("lambda:"));
        assert!(!later, "nothing is asked after the first wave");
    });
}

#[test]
fn without_credentials_the_error_says_how_to_get_some() {
    alone("collect::without_credentials_the_error_says_how_to_get_some", &[], || {
        let stub = world::start(|_| None);
        let error = run(&connection(&stub), &request()).expect_err("no credentials");
        let CollectError::Credentials { hint, .. } = &error else { panic!("{error:?}") };
        assert!(hint.contains("aws configure"), "{hint}");
        assert!(stub.asked().is_empty());
    });
}

#[test]
fn nothing_at_the_endpoint_is_one_error() {
    alone("collect::nothing_at_the_endpoint_is_one_error", &KEYS, || {
        let connection = Connection {
            region: Some("eu-west-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            ..Connection::default()
        };
        let error = run(&connection, &request()).expect_err("nobody there");
        let CollectError::Unreachable { url, .. } = &error else { panic!("{error:?}") };
        assert_eq!(url, "http://127.0.0.1:9");
    });
}

#[test]
fn without_a_region_the_error_names_the_ways_to_set_it() {
    alone("collect::without_a_region_the_error_names_the_ways_to_set_it", &KEYS, || {
        let error = run(&Connection::default(), &request()).expect_err("no region");
        let text = error.to_string();
        assert!(text.contains("--region") && text.contains("AWS_REGION"), "{text}");
    });
}

#[test]
fn the_region_of_an_arn_is_the_one_to_ask() {
    alone("collect::the_region_of_an_arn_is_the_one_to_ask", &KEYS, || {
        let stub = world::start(|_| None);
        let connection = Connection { region: Some("us-east-1".to_owned()), ..connection(&stub) };
        let facts = BTreeSet::from([Fact::Secret]);
        let request = Request { secret: SECRET.to_owned(), facts, ..request() };
        let collected = run(&connection, &request).expect("collected");
        assert_eq!(collected.evidence.region.as_deref(), Some("eu-west-1"));
        assert_eq!(collected.notes.len(), 1);
    });
}

#[test]
fn a_named_profile_wins_over_the_environment() {
    let config = std::env::temp_dir().join(format!("rotdoctor-profile-{}", std::process::id()));
    let text = "[profile other]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = none\nregion = eu-west-1\n";
    std::fs::write(&config, text).expect("a configuration file");
    let path = config.to_str().expect("a plain path").to_owned();
    let variables = [KEYS[0], KEYS[1], ("AWS_CONFIG_FILE", path.as_str())];
    alone("collect::a_named_profile_wins_over_the_environment", &variables, || {
        let stub = world::start(|_| None);
        let facts = BTreeSet::from([Fact::Secret]);
        let connection = Connection {
            profile: Some("other".to_owned()),
            endpoint_url: Some(stub.url.clone()),
            ..Connection::default()
        };
        let collected = run(&connection, &Request { facts, ..request() }).expect("collected");
        assert_eq!(collected.evidence.region.as_deref(), Some("eu-west-1"), "the profile's");
        assert!(stub.asked().iter().all(|ask| ask.key_id == "AKIDPROFILE"));
    });
    std::fs::remove_file(config).ok();
}

#[test]
fn a_role_is_assumed_first() {
    alone("collect::a_role_is_assumed_first", &KEYS, || {
        let stub = world::start(|_| None);
        let connection = Connection {
            role_arn: Some("arn:aws:iam::123456789012:role/doctor".to_owned()),
            ..connection(&stub)
        };
        let facts = BTreeSet::from([Fact::Secret]);
        run(&connection, &Request { facts, ..request() }).expect("collected");
        for ask in stub.asked() {
            let assumed = ask.operation != "sts:AssumeRole";
            let expected = if assumed { "AKIDASSUMED" } else { "AKIDENVIRONMENT" };
            assert_eq!(ask.key_id, expected, "{}", ask.operation);
        }
    });
}

#[test]
fn the_list_of_secrets_is_read_to_its_end() {
    alone("collect::the_list_of_secrets_is_read_to_its_end", &KEYS, || {
        let stub = world::start(|ask| {
            let page = if ask.body.contains("NextToken") {
                r#"{"SecretList":[{"Name":"prod/a","ARN":"arn:a","RotationEnabled":true}]}"#
            } else {
                r#"{"SecretList":[{"Name":"prod/b","ARN":"arn:b"},{"Name":"Prod/x","ARN":"arn:x"}],"NextToken":"n"}"#
            };
            (ask.operation == "secretsmanager:ListSecrets").then(|| Reply::ok(page))
        });
        let filter =
            SecretFilter { name_prefix: Some("prod/".to_owned()), ..SecretFilter::default() };
        let connection = connection(&stub);
        let listed =
            block_on(async { Session::open(&connection, &[]).await?.list_secrets(&filter).await })
                .expect("a list");
        let names: Vec<&str> = listed.iter().filter_map(|secret| secret.name.as_deref()).collect();
        assert_eq!(names, ["prod/a", "prod/b"]);
        assert_eq!([listed[0].rotation_enabled, listed[1].rotation_enabled], [Some(true), None]);
    });
}

#[test]
fn the_databases_network_is_read_for_a_function_without_a_vpc() {
    alone("collect::the_databases_network_is_read_for_a_function_without_a_vpc", &KEYS, || {
        let stub = world::start(|ask| match ask.operation.as_str() {
            "lambda:GetFunction" => Some(Reply::ok(format!(
                r#"{{"Configuration":{{"FunctionName":"rotate","FunctionArn":"{FUNCTION}"}}}}"#
            ))),
            "ec2:DescribeSubnets" => Some(Reply::ok(
                "<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-db</subnetId>\
                 <vpcId>vpc-db</vpcId></item></subnetSet></DescribeSubnetsResponse>",
            )),
            _ => None,
        });
        let evidence = collect(&stub, &Request { trail_calls: Some(0), ..request() }).evidence;
        let subnets = evidence.subnets.known().expect("the database's subnets");
        assert_eq!(subnets[0].subnet_id.as_deref(), Some("subnet-db"));
        for operation in [
            "ec2:DescribeSubnets",
            "ec2:DescribeRouteTables",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeSecurityGroups",
        ] {
            let asked = stub.asked();
            let ask = asked.iter().find(|ask| ask.operation == operation).expect(operation);
            assert!(ask.body.contains("vpc-db"), "{operation}: {}", ask.body);
        }
    });
}

#[test]
fn an_empty_trail_says_there_is_none_only_if_all_of_it_was_read() {
    alone("collect::an_empty_trail_says_there_is_none_only_if_all_of_it_was_read", &KEYS, || {
        let read = r#"{"EventId":"r","EventName":"GetSecretValue","Resources":[{"ResourceName":"prod/db"}]}"#;
        let start = |events: String| {
            world::start(move |ask| {
                (ask.operation == "cloudtrail:LookupEvents").then(|| Reply::ok(events.clone()))
            })
        };
        let trail = |stub: &Stub, calls: usize| {
            let facts = BTreeSet::from([Fact::TrailEvents]);
            collect(stub, &Request { facts, trail_calls: Some(calls), ..request() }).evidence
        };
        // Everything looked at, and nothing there.
        let stub = start(r#"{"Events":[]}"#.to_owned());
        let evidence = trail(&stub, 99);
        assert_eq!(evidence.trail_events, Observed::Absent);
        assert!(evidence.gaps.is_empty(), "{:#?}", evidence.gaps);
        let asked = stub.asked();
        let look_ups: Vec<&str> = asked
            .iter()
            .filter(|ask| ask.operation == "cloudtrail:LookupEvents")
            .map(|ask| ask.body.as_str())
            .collect();
        assert!(look_ups[0].contains("ResourceName") && look_ups[0].contains(SECRET));
        assert!(look_ups[1].contains("ResourceName") && look_ups[1].contains("\"prod/db\""));
        assert!(look_ups[2].contains("EventName") && look_ups[2].contains("RotationFailed"));
        // Names that the budget left out.
        let evidence = trail(&start(r#"{"Events":[]}"#.to_owned()), 2);
        let Observed::NotSeen(gap) = &evidence.trail_events else { panic!("{evidence:?}") };
        assert_eq!(gap.reason, Reason::Truncated);
        assert!(gap.message.contains("RotationFailed"), "{}", gap.message);
        // A page full of readers, with more behind it.
        let evidence = trail(&start(format!(r#"{{"Events":[{read}],"NextToken":"more"}}"#)), 3);
        let Observed::NotSeen(gap) = &evidence.trail_events else { panic!("{evidence:?}") };
        assert!(gap.message.contains(&format!("of: {SECRET}, prod/db")), "{}", gap.message);
        assert!(gap.message.contains("PutSecretValue"), "asked for next: {}", gap.message);
    });
}

#[test]
fn a_list_that_goes_on_behind_the_last_page_read_says_so() {
    alone("collect::a_list_that_goes_on_behind_the_last_page_read_says_so", &KEYS, || {
        let stub = world::start(|ask| {
            let next = ask.earlier + 1;
            let (action, content) = match ask.operation.as_str() {
                "secretsmanager:ListSecretVersionIds" => {
                    return Some(Reply::ok(format!(
                        r#"{{"Versions":[{{"VersionId":"v{next}"}}],"NextToken":"{next}"}}"#
                    )));
                }
                "kms:ListGrants" => {
                    return Some(Reply::ok(format!(
                        r#"{{"Grants":[{{"GrantId":"g{next}"}}],"NextMarker":"{next}","Truncated":true}}"#
                    )));
                }
                "rds:DescribeDBClusters" => (
                    "DescribeDBClusters",
                    format!(
                        "<DBClusters><DBCluster><DBClusterIdentifier>c{next}</DBClusterIdentifier></DBCluster></DBClusters><Marker>{next}</Marker>"
                    ),
                ),
                "rds:DescribeDBParameters" => (
                    "DescribeDBParameters",
                    format!(
                        "<Parameters><Parameter><ParameterName>ssl{next}</ParameterName></Parameter></Parameters><Marker>{next}</Marker>"
                    ),
                ),
                "cloudformation:DescribeStackEvents" => (
                    "DescribeStackEvents",
                    format!(
                        "<StackEvents><member><StackId>s</StackId><EventId>e{next}</EventId><StackName>s</StackName></member></StackEvents><NextToken>{next}</NextToken>"
                    ),
                ),
                _ => return None,
            };
            Some(Reply::ok(format!(
                "<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"
            )))
        });
        let evidence = collect(&stub, &Request { trail_calls: Some(0), ..request() }).evidence;
        let cut: BTreeSet<&str> = evidence
            .gaps
            .iter()
            .filter(|gap| gap.reason == Reason::Truncated)
            .map(|gap| gap.fact.as_str())
            .collect();
        let expected = ["DBClusters", "DBParameters", "KeyGrants", "SecretVersions", "StackEvents"];
        assert_eq!(cut, BTreeSet::from(expected), "{:#?}", evidence.gaps);
        assert_eq!(evidence.secret_versions.known().expect("versions").versions.len(), 10);
        let ids = |grants: &[rotdoctor::evidence::Grant]| -> BTreeSet<String> {
            grants.iter().filter_map(|grant| grant.grant_id.clone()).collect()
        };
        for key in evidence.keys.values() {
            let grants = key.grants.known().expect("grants");
            assert_eq!((grants.len(), ids(grants).len()), (10, 10), "each page once: {grants:?}");
        }
    });
}

#[test]
fn an_audit_keeps_what_it_examined_before_the_credentials_expired() {
    let audit = |valid: &'static str| {
        let stub = world::start(move |ask| {
            (ask.operation == "secretsmanager:DescribeSecret" && !ask.body.contains(valid))
                .then(|| Reply::json_error(400, "ExpiredTokenException", "The token is expired"))
        });
        let secrets = ["audit", "prod/db", "prod/other", "prod/third", "--check", "KMS"];
        let options = ["--region", REGION, "--endpoint-url", &stub.url, "--output", "json"];
        rotdoctor().with_credentials().args(secrets.iter().chain(&options)).run()
    };
    let ran = audit("prod/db");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}: {ran:#?}"));
    assert_eq!(report["summary"]["secrets"], 3, "{report:#}");
    let left = report["not_examined"].as_array().expect("those not examined");
    let targets: Vec<&str> = left.iter().filter_map(|one| one["target"].as_str()).collect();
    assert_eq!(targets, ["prod/other", "prod/third"], "{report:#}");
    assert!(left.iter().all(|one| one["reason"].as_str().expect("why").contains("expired")));
    // Where none could be described there is nothing to keep.
    let ran = audit("no such name");
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{ran:#?}");
    assert!(ran.stderr.contains("expired"), "{}", ran.stderr);
}
