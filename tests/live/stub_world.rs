//! The account that the tests look at: one secret, its rotation function in a
//! VPC, and a healthy answer for every call.

use serde_json::{Value, json};

use crate::stub::{Ask, Reply, Stub};

pub(crate) const SECRET: &str =
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
pub(crate) const LAYER: &str = "arn:aws:lambda:eu-west-1:123456789012:layer:drivers:3";
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-1111-4222-8333-123456789012";
const VERSION: &str = "0a1b2c3d-0000-4000-8000-1234567890ab";

/// Starts the world, with other answers where `odd` gives one.
pub(crate) fn start(odd: impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static) -> Stub {
    Stub::start(move |ask| odd(ask).or_else(|| answer(ask)))
}

fn form<'a>(ask: &'a Ask, name: &str) -> &'a str {
    ask.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
}

/// The healthy answer.
pub(crate) fn answer(ask: &Ask) -> Option<Reply> {
    let (service, operation) = ask.operation.split_once(':')?;
    if let Some(body) = json_answer(service, operation, ask) {
        return Some(Reply::ok(body.to_string()));
    }
    let inner = xml_answer(service, operation, ask)?;
    let body = if service == "route53" {
        format!("<{operation}Response>{inner}</{operation}Response>")
    } else if service == "ec2" {
        format!("<{operation}Response><requestId>r</requestId>{inner}</{operation}Response>")
    } else {
        format!(
            "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
        )
    };
    Some(Reply::ok(body))
}

/// The signed URL of a package, in the stub itself.
fn location(ask: &Ask) -> String {
    format!("http://{}/package?X-Amz-Signature=hunter2", ask.host)
}

/// The function, as GetFunction tells it.
pub(crate) fn function(ask: &Ask) -> Option<Value> {
    Some(json!({
        "Configuration": {
            "FunctionName": "rotate", "FunctionArn": FUNCTION, "Runtime": "python3.12",
            "Role": "arn:aws:iam::123456789012:role/service-role/rotate-role",
            "LastModified": "2026-01-31T10:18:42.533+0000", "Timeout": 30,
            "VpcConfig": {"SubnetIds": ["subnet-a"], "SecurityGroupIds": ["sg-a"], "VpcId": "vpc-invented"},
            "Layers": [{"Arn": LAYER, "CodeSize": 100}],
            "Environment": {"Variables": {"SECRETS_MANAGER_ENDPOINT": "https://sm", "DB_PASS": "hunter2"}},
        },
        "Code": {"Location": location(ask)},
        "Tags": {"aws:cloudformation:stack-name": "rotation-stack"},
    }))
}

fn json_answer(service: &str, operation: &str, ask: &Ask) -> Option<Value> {
    Some(match (service, operation) {
        ("secretsmanager", "DescribeSecret") => json!({
            "ARN": SECRET, "Name": "prod/db", "KmsKeyId": KEY, "RotationEnabled": true,
            "RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30},
            "LastChangedDate": 1_795_230_724.5, "CreatedDate": 1_700_000_000.0,
            "VersionIdsToStages": {VERSION: ["AWSCURRENT"]},
        }),
        ("route53resolver", "ListResolverRules") => json!({"ResolverRules": [
            {"Id": "rslvr-rr-1", "DomainName": "corp.", "RuleType": "FORWARD",
                "TargetIps": [{"Ip": "10.8.0.2", "Port": 53}]},
            {"Id": "rslvr-rr-2", "DomainName": "lab.", "RuleType": "FORWARD"},
        ]}),
        ("route53resolver", "ListResolverRuleAssociations") => json!({
            "ResolverRuleAssociations": [{"ResolverRuleId": "rslvr-rr-1", "VPCId": "vpc-real"}],
        }),
        ("secretsmanager", "ListSecretVersionIds") => {
            // Two pages.
            if ask.body.contains("NextToken") {
                json!({"Versions": [{"VersionId": VERSION, "VersionStages": ["AWSCURRENT"]}]})
            } else {
                json!({"Versions": [{"VersionId": "old"}], "NextToken": "more"})
            }
        }
        ("secretsmanager", "GetResourcePolicy") => json!({"ARN": SECRET, "Name": "prod/db"}),
        ("secretsmanager", "GetSecretValue") => json!({
            "ARN": SECRET,
            "SecretString": r#"{"engine":"postgres","host":"db.example.internal","username":"app","password":"hunter2"}"#,
        }),
        ("lambda", "GetFunction") => function(ask)?,
        ("lambda", "GetLayerVersion") => json!({"Content": {"Location": location(ask)}}),
        ("lambda", "GetPolicy") => json!({"Policy": r#"{"Statement":[{"Sid":"a"}]}"#}),
        ("kms", "DescribeKey") => json!({"KeyMetadata": {
            "KeyId": "0a1b2c3d-1111-4222-8333-123456789012", "Arn": KEY, "Enabled": true, "KeyState": "Enabled",
        }}),
        ("kms", "GetKeyPolicy") => json!({"Policy": r#"{"Statement":[]}"#}),
        ("kms", "ListGrants") => json!({"Grants": [], "Truncated": false}),
        ("logs", "DescribeLogGroups") => {
            json!({"logGroups": [{"logGroupName": "/aws/lambda/rotate", "retentionInDays": 30}]})
        }
        ("logs", "DescribeLogStreams") => json!({"logStreams": [
            {"logStreamName": "2026/11/21/[$LATEST]b", "lastEventTimestamp": 1_795_230_724_000_i64},
            {"logStreamName": "2026/11/20/[$LATEST]a", "lastEventTimestamp": 1_795_130_724_000_i64},
        ]}),
        ("logs", "GetLogEvents") => json!({
            "events": [{"timestamp": 1_795_230_724_000_i64, "message": "login with password=hunter2 to 10.0.0.7"}],
            "nextBackwardToken": "b/1",
        }),
        ("cloudtrail", "LookupEvents") => json!({"Events": [
            {"EventId": "1", "EventName": "RotationFailed", "EventTime": 1_795_230_724.0,
             "CloudTrailEvent": format!(r#"{{"additionalEventData":{{"SecretId":"{SECRET}"}}}}"#)},
            {"EventId": "2", "EventName": "RotationFailed", "CloudTrailEvent": "{\"other\":\"secret\"}"},
        ]}),
        _ => return None,
    })
}

/// Every action is allowed, but for those with the key, where the organization says no.
fn simulated(ask: &Ask) -> String {
    let decoded = |name: &str| {
        percent_encoding::percent_decode_str(form(ask, name)).decode_utf8_lossy().into_owned()
    };
    let resource = decoded("ResourceArns.member.1");
    let result = |action: &str| {
        let (decision, organization) = match action.starts_with("kms:") {
            true => ("explicitDeny", false),
            false => ("allowed", true),
        };
        format!(
            "<member><EvalActionName>{action}</EvalActionName>\
             <EvalResourceName>{resource}</EvalResourceName>\
             <EvalDecision>{decision}</EvalDecision><MatchedStatements/>\
             <OrganizationsDecisionDetail><AllowedByOrganizations>{organization}\
             </AllowedByOrganizations></OrganizationsDecisionDetail></member>"
        )
    };
    let actions = (1..).map(|number| decoded(&format!("ActionNames.member.{number}")));
    let results: String =
        actions.take_while(|action| !action.is_empty()).map(|action| result(&action)).collect();
    format!("<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>")
}

fn xml_answer(service: &str, operation: &str, ask: &Ask) -> Option<String> {
    let document = "%7B%22Statement%22%3A%5B%5D%7D";
    let date = "2026-01-01T00:00:00Z";
    Some(match (service, operation) {
        ("sts", "GetCallerIdentity") => {
            "<Arn>arn:aws:sts::123456789012:assumed-role/Reader/me</Arn><Account>123456789012</Account><UserId>u</UserId>".to_owned()
        }
        ("sts", "AssumeRole") => {
            "<Credentials><AccessKeyId>AKIDASSUMED</AccessKeyId><SecretAccessKey>none</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>".to_owned()
        }
        ("iam", "GetRole") => format!(
            "<Role><Path>/service-role/</Path><RoleName>{}</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::123456789012:role/service-role/rotate-role</Arn><CreateDate>{date}</CreateDate><AssumeRolePolicyDocument>{document}</AssumeRolePolicyDocument><PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>arn:aws:iam::123456789012:policy/edge</PermissionsBoundaryArn></PermissionsBoundary></Role>",
            form(ask, "RoleName")
        ),
        ("iam", "ListRolePolicies") => {
            "<PolicyNames><member>inline</member></PolicyNames><IsTruncated>false</IsTruncated>".to_owned()
        }
        ("iam", "ListAttachedRolePolicies") => {
            "<AttachedPolicies><member><PolicyName>basic</PolicyName><PolicyArn>arn:aws:iam::aws:policy/basic</PolicyArn></member></AttachedPolicies><IsTruncated>false</IsTruncated>".to_owned()
        }
        ("iam", "GetRolePolicy") => format!(
            "<RoleName>rotate-role</RoleName><PolicyName>inline</PolicyName><PolicyDocument>{document}</PolicyDocument>"
        ),
        ("iam", "GetPolicy") => format!(
            "<Policy><PolicyName>p</PolicyName><Arn>{}</Arn><DefaultVersionId>v3</DefaultVersionId></Policy>",
            form(ask, "PolicyArn")
        ),
        ("iam", "GetPolicyVersion") => format!(
            "<PolicyVersion><Document>{document}</Document><VersionId>{}</VersionId></PolicyVersion>",
            form(ask, "VersionId")
        ),
        ("iam", "SimulatePrincipalPolicy") => simulated(ask),
        ("rds", "DescribeDBInstances") => {
            "<DBInstances><DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><Engine>postgres</Engine><Endpoint><Address>db.example.internal</Address><Port>5432</Port></Endpoint><DBSubnetGroup><VpcId>vpc-db</VpcId></DBSubnetGroup><DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg</DBParameterGroupName></DBParameterGroup></DBParameterGroups></DBInstance></DBInstances>".to_owned()
        }
        ("rds", "DescribeDBClusters") => "<DBClusters/>".to_owned(),
        ("rds", "DescribeDBParameters") => {
            "<Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName><ParameterValue>1</ParameterValue><Source>system</Source></Parameter><Parameter><ParameterName>work_mem</ParameterName><Source>engine-default</Source></Parameter></Parameters>".to_owned()
        }
        ("cloudformation", "DescribeStacks") => format!(
            "<Stacks><member><StackName>{}</StackName><CreationTime>{date}</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member><ParameterKey>MasterPassword</ParameterKey><ParameterValue>hunter2</ParameterValue></member></Parameters></member></Stacks>",
            form(ask, "StackName")
        ),
        ("cloudformation", "DescribeStackEvents") => "<StackEvents/>".to_owned(),
        ("cloudformation", "DescribeStackResources") => "<StackResources/>".to_owned(),
        ("ec2", "DescribeSubnets") => {
            "<subnetSet><item><subnetId>subnet-a</subnetId><vpcId>vpc-real</vpcId><cidrBlock>10.0.0.0/24</cidrBlock></item></subnetSet>".to_owned()
        }
        ("ec2", "DescribeVpcs") => {
            "<vpcSet><item><vpcId>vpc-real</vpcId><dhcpOptionsId>dopt-a</dhcpOptionsId></item></vpcSet>".to_owned()
        }
        ("ec2", "DescribeVpcAttribute") => {
            "<enableDnsSupport><value>true</value></enableDnsSupport><enableDnsHostnames><value>true</value></enableDnsHostnames>".to_owned()
        }
        ("ec2", "DescribeRouteTables") => {
            "<routeTableSet><item><routeTableId>rtb-a</routeTableId><vpcId>vpc-real</vpcId><routeSet><item><destinationPrefixListId>pl-a</destinationPrefixListId><gatewayId>vpce-a</gatewayId><state>active</state></item></routeSet></item></routeTableSet>".to_owned()
        }
        ("ec2", "GetManagedPrefixListEntries") => {
            "<entrySet><item><cidr>10.9.0.0/16</cidr></item></entrySet>".to_owned()
        }
        ("ec2", "DescribeTransitGatewayVpcAttachments") => {
            "<transitGatewayVpcAttachments><item><transitGatewayAttachmentId>tgw-attach-a</transitGatewayAttachmentId><transitGatewayId>tgw-a</transitGatewayId><vpcId>vpc-real</vpcId></item></transitGatewayVpcAttachments>".to_owned()
        }
        ("ec2", "DescribeTransitGatewayAttachments") => {
            "<transitGatewayAttachments><item><transitGatewayAttachmentId>tgw-attach-a</transitGatewayAttachmentId><transitGatewayId>tgw-a</transitGatewayId><association><transitGatewayRouteTableId>tgw-rtb-a</transitGatewayRouteTableId></association></item></transitGatewayAttachments>".to_owned()
        }
        ("ec2", "SearchTransitGatewayRoutes") => {
            "<routeSet><item><destinationCidrBlock>10.1.0.0/16</destinationCidrBlock><transitGatewayAttachments><item><transitGatewayAttachmentId>tgw-attach-b</transitGatewayAttachmentId></item></transitGatewayAttachments><state>active</state></item></routeSet>".to_owned()
        }
        // One zone can be listed, one belongs to another account, one to a service.
        ("route53", "ListHostedZonesByVPC") => {
            let zone = |id: &str, name: &str, owner: &str| {
                format!("<HostedZoneSummary><HostedZoneId>{id}</HostedZoneId><Name>{name}.</Name><Owner>{owner}</Owner></HostedZoneSummary>")
            };
            let own = zone("Z1", "internal", "<OwningAccount>123456789012</OwningAccount>");
            let shared = zone("Z2", "shared", "<OwningAccount>999999999999</OwningAccount>");
            let service = zone("Z3", "secretsmanager.eu-west-1.amazonaws.com", "<OwningService>vpce.amazonaws.com</OwningService>");
            format!("<HostedZoneSummaries>{own}{shared}{service}</HostedZoneSummaries><MaxItems>100</MaxItems>")
        }
        ("route53", "ListResourceRecordSets") => {
            // Two pages.
            let (name, value, more) = if ask.path.contains("name=") {
                ("db.internal.", "10.0.0.9", "<IsTruncated>false</IsTruncated>")
            } else {
                ("a.internal.", "10.0.0.8", "<IsTruncated>true</IsTruncated><NextRecordName>db.internal.</NextRecordName><NextRecordType>A</NextRecordType>")
            };
            format!("<ResourceRecordSets><ResourceRecordSet><Name>{name}</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet><ResourceRecordSet><Name>internal.</Name><Type>SOA</Type><ResourceRecords><ResourceRecord><Value>ns</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></ResourceRecordSets>{more}<MaxItems>300</MaxItems>")
        }
        ("ec2", "DescribeVpcBlockPublicAccessOptions") => {
            "<vpcBlockPublicAccessOptions><internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode><exclusionsAllowed>allowed</exclusionsAllowed></vpcBlockPublicAccessOptions>".to_owned()
        }
        // Two pages.
        ("ec2", "DescribeVpcBlockPublicAccessExclusions") => {
            let (id, rest) = match form(ask, "NextToken") {
                "" => ("vpc-other", "<nextToken>more</nextToken>"),
                _ => ("vpc-real", ""),
            };
            format!("<vpcBlockPublicAccessExclusionSet><item><exclusionId>eepbe-{id}</exclusionId><internetGatewayExclusionMode>allow-egress</internetGatewayExclusionMode><resourceArn>arn:aws:ec2:eu-west-1:123456789012:vpc/{id}</resourceArn><state>create-complete</state></item></vpcBlockPublicAccessExclusionSet>{rest}")
        }
        ("ec2", "DescribeSecurityGroupVpcAssociations") => {
            "<securityGroupVpcAssociationSet><item><groupId>sg-shared</groupId><vpcId>vpc-real</vpcId><state>associated</state></item></securityGroupVpcAssociationSet>".to_owned()
        }
        // A group of another VPC is in no list by VPC.
        ("ec2", "DescribeSecurityGroups") if ask.body.contains("group-id") => {
            "<securityGroupInfo><item><groupId>sg-shared</groupId><vpcId>vpc-shared</vpcId></item></securityGroupInfo>".to_owned()
        }
        // Other lists hold nothing here.
        ("ec2", operation) if operation.starts_with("Describe") => String::new(),
        _ => return None,
    })
}
