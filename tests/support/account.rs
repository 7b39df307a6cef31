//! A large account for the stub: many secrets, fewer functions, still fewer VPCs, in
//! pages of AWS's sizes. All of it is healthy, but for the secrets that a fault is put on.

use serde_json::{Value, json};

use crate::stub::{Ask, Reply};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
/// Elements of a page: Secrets Manager and RDS, and IAM where that many are asked for.
const SMALL_PAGE: usize = 100;
const LARGE_PAGE: usize = 1000;

/// What is wrong with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Secrets Manager may not invoke its function.
    NotInvocable,
    /// The role may not put the new value.
    NoPut,
    /// The key is disabled.
    KeyDisabled,
    /// An earlier rotation never ended.
    Stuck,
    /// The function is gone.
    NoFunction,
    /// Its function's time is too short.
    ShortTimeout,
}

impl Fault {
    /// The code that says so.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotInvocable => "IAM08",
            Self::NoPut => "IAM01",
            Self::KeyDisabled => "KMS01",
            Self::Stuck => "SEC07",
            Self::NoFunction => "RUN15",
            Self::ShortTimeout => "TMO01",
        }
    }
}

/// The account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) secrets: usize,
    /// Each rotates `secrets / functions` of them, but where a fault needs one of its own.
    pub(crate) functions: usize,
    pub(crate) vpcs: usize,
    /// What is wrong with the secret of that number.
    pub(crate) fault: fn(usize) -> Option<Fault>,
}

impl Account {
    /// The ARN of the secret of that number.
    pub(crate) fn arn(number: usize) -> String {
        format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:app/{number:05}-AbCdEf")
    }

    /// Secrets with a fault, with its code.
    pub(crate) fn broken(&self) -> Vec<(String, &'static str)> {
        let faults =
            (0..self.secrets).filter_map(|n| Some((Self::arn(n), (self.fault)(n)?.code())));
        faults.collect()
    }

    /// A function of the secret's own where the fault is the function's, else a shared one.
    fn function_of(&self, number: usize) -> String {
        match (self.fault)(number) {
            None | Some(Fault::Stuck | Fault::KeyDisabled) => {
                format!("shared-{:05}", number % self.functions)
            }
            Some(_) => format!("own-{number:05}"),
        }
    }

    /// Number and fault of the function of that name.
    fn function(&self, name: &str) -> (usize, Option<Fault>) {
        let number = name.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let fault = name.starts_with("own-").then(|| (self.fault)(number)).flatten();
        (number, fault)
    }

    fn function_names(&self) -> Vec<String> {
        let mut names: Vec<String> = (0..self.secrets).map(|n| self.function_of(n)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// How many distinct functions rotate the secrets.
    pub(crate) fn distinct_functions(&self) -> usize {
        self.function_names().len()
    }

    /// The answer to one request.
    pub(crate) fn answer(&self, ask: &Ask) -> Option<Reply> {
        let (service, operation) = ask.operation.split_once(':')?;
        if operation == "GetFunction" || operation == "GetPolicy" && service == "lambda" {
            return Some(self.of_function(operation, ask));
        }
        if let Some(body) = self.json(service, operation, ask) {
            return Some(Reply::ok(body.to_string()));
        }
        let inner = self.xml(service, operation, ask)?;
        let body = match service {
            "route53" => format!("<{operation}Response>{inner}</{operation}Response>"),
            "ec2" => {
                format!(
                    "<{operation}Response><requestId>r</requestId>{inner}</{operation}Response>"
                )
            }
            _ => format!(
                "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
            ),
        };
        Some(Reply::ok(body))
    }

    /// Lambda's answer about one function.
    fn of_function(&self, operation: &str, ask: &Ask) -> Reply {
        let name = ask.path.split("/functions/").nth(1).unwrap_or_default();
        let name = name.split(['/', '?']).next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default();
        let (number, fault) = self.function(name);
        let missing = || {
            Reply::json_error(404, "ResourceNotFoundException", "Function not found")
                .with_header("x-amzn-errortype", "ResourceNotFoundException")
        };
        if fault == Some(Fault::NoFunction) {
            return missing();
        }
        let arn = function_arn(name);
        if operation == "GetPolicy" {
            if fault == Some(Fault::NotInvocable) {
                return missing();
            }
            let policy = json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "rotation", "Effect": "Allow",
                "Principal": {"Service": "secretsmanager.amazonaws.com"},
                "Action": "lambda:InvokeFunction", "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}},
            }]});
            return Reply::ok(json!({"Policy": policy.to_string()}).to_string());
        }
        let vpc = number % self.vpcs;
        let timeout = if fault == Some(Fault::ShortTimeout) { 3 } else { 60 };
        Reply::ok(
            json!({
                "Configuration": {
                    "FunctionName": name, "FunctionArn": arn, "Runtime": "python3.12",
                    "Role": role_arn(name), "Handler": "lambda_function.lambda_handler",
                    "Description": "Rotates a Secrets Manager secret for Amazon RDS PostgreSQL",
                    "LastModified": "2026-10-01T10:18:42.533+0000", "Timeout": timeout,
                    "MemorySize": 256, "State": "Active", "LastUpdateStatus": "Successful",
                    "PackageType": "Zip", "Architectures": ["x86_64"],
                    "VpcConfig": {
                        "SubnetIds": [format!("subnet-{vpc:04}a"), format!("subnet-{vpc:04}b")],
                        "SecurityGroupIds": [format!("sg-{vpc:04}f")], "VpcId": vpc_id(vpc),
                    },
                    "Environment": {"Variables": {
                        "SECRETS_MANAGER_ENDPOINT":
                            format!("https://secretsmanager.{REGION}.amazonaws.com"),
                    }},
                },
                "Tags": {},
            })
            .to_string(),
        )
    }

    fn secret(&self, number: usize) -> Value {
        let fault = (self.fault)(number);
        let mut stages = json!({"0a1b2c3d-0000-4000-8000-000000000001": ["AWSCURRENT"]});
        if fault == Some(Fault::Stuck) {
            stages["0a1b2c3d-0000-4000-8000-000000000002"] = json!(["AWSPENDING"]);
        }
        let key = if fault == Some(Fault::KeyDisabled) { "disabled" } else { "good" };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.expect("a clock after 1970").as_secs_f64();
        json!({
            "ARN": Self::arn(number), "Name": format!("app/{number:05}"),
            "KmsKeyId": key_arn(key), "RotationEnabled": true,
            "RotationLambdaARN": function_arn(&self.function_of(number)),
            "RotationRules": {"AutomaticallyAfterDays": 30},
            "CreatedDate": now - 400.0 * 86_400.0, "LastChangedDate": now - 10.0 * 86_400.0,
            "LastRotatedDate": now - 10.0 * 86_400.0, "NextRotationDate": now + 20.0 * 86_400.0,
            "SecretVersionsToStages": stages,
        })
    }

    /// The secret of that number, as DescribeSecret has it.
    pub(crate) fn described(&self, number: usize) -> Value {
        let mut secret = self.secret(number);
        secret["VersionIdsToStages"] = secret["SecretVersionsToStages"].take();
        secret
    }

    fn json(&self, service: &str, operation: &str, ask: &Ask) -> Option<Value> {
        Some(match (service, operation) {
            ("secretsmanager", "ListSecrets") => {
                let body: Value = serde_json::from_str(&ask.body).expect("a request in JSON");
                let token = body["NextToken"].as_str().unwrap_or("0");
                let (page, next) = page(self.secrets, token, SMALL_PAGE);
                let mut answer =
                    json!({"SecretList": page.map(|n| self.secret(n)).collect::<Vec<_>>()});
                if let Some(next) = next {
                    answer["NextToken"] = json!(next);
                }
                answer
            }
            ("secretsmanager", "GetResourcePolicy") => json!({"Name": "s"}),
            ("secretsmanager", "ListSecretVersionIds") => {
                let body: Value = serde_json::from_str(&ask.body).expect("a request in JSON");
                let id = body["SecretId"].as_str().unwrap_or_default();
                let number = id.split("app/").nth(1).and_then(|rest| rest.get(..5)?.parse().ok());
                let secret = self.secret(number.unwrap_or(0));
                let stages = secret["SecretVersionsToStages"].as_object().expect("stages").iter();
                let versions = stages.map(|(id, stages)| {
                    json!({"VersionId": id, "VersionStages": stages,
                           "CreatedDate": secret["LastRotatedDate"]})
                });
                json!({"Versions": versions.collect::<Vec<_>>()})
            }
            ("kms", "DescribeKey") => {
                let state = if ask.body.contains("disabled") { "Disabled" } else { "Enabled" };
                let body: Value = serde_json::from_str(&ask.body).expect("a request in JSON");
                json!({"KeyMetadata": {
                    "KeyId": "k", "Arn": body["KeyId"], "Enabled": state == "Enabled",
                    "KeyState": state, "KeySpec": "SYMMETRIC_DEFAULT",
                    "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER",
                }})
            }
            ("kms", "GetKeyPolicy") => {
                let policy = json!({"Statement": [{
                    "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                    "Action": "kms:*", "Resource": "*",
                }]});
                json!({"Policy": policy.to_string()})
            }
            ("kms", "ListGrants") => json!({"Grants": [], "Truncated": false}),
            ("route53resolver", "ListResolverRules") => json!({"ResolverRules": []}),
            ("route53resolver", "ListResolverRuleAssociations") => {
                json!({"ResolverRuleAssociations": []})
            }
            _ => return None,
        })
    }

    fn xml(&self, service: &str, operation: &str, ask: &Ask) -> Option<String> {
        let of_vpcs = |item: &dyn Fn(usize) -> String| (0..self.vpcs).map(item).collect::<String>();
        Some(match (service, operation) {
            ("sts", "GetCallerIdentity") => format!(
                "<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/Reader/me</Arn><Account>{ACCOUNT}</Account><UserId>u</UserId>"
            ),
            ("iam", "GetAccountAuthorizationDetails") => {
                let names = self.function_names();
                let marker = form(ask, "Marker");
                let marker = if marker.is_empty() { "0" } else { marker };
                let (page, next) = page(names.len(), marker, LARGE_PAGE);
                let roles: String = page.map(|index| self.role(&names[index])).collect();
                let more = match next {
                    Some(next) => {
                        format!("<IsTruncated>true</IsTruncated><Marker>{next}</Marker>")
                    }
                    None => "<IsTruncated>false</IsTruncated>".to_owned(),
                };
                format!("<RoleDetailList>{roles}</RoleDetailList><Policies/>{more}")
            }
            // The same roles, for a caller that may not read the account.
            ("iam", "GetRole") => {
                format!("<Role>{}</Role>", role_head(form(ask, "RoleName")))
            }
            ("iam", "ListRolePolicies") => {
                "<PolicyNames><member>rotation</member></PolicyNames><IsTruncated>false</IsTruncated>".to_owned()
            }
            ("iam", "ListAttachedRolePolicies") => {
                "<AttachedPolicies/><IsTruncated>false</IsTruncated>".to_owned()
            }
            ("iam", "GetRolePolicy") => {
                let role = form(ask, "RoleName");
                let document = self.role_policy(role.strip_prefix("role-").unwrap_or(role));
                format!("<RoleName>{role}</RoleName><PolicyName>rotation</PolicyName><PolicyDocument>{document}</PolicyDocument>")
            }
            ("rds", "DescribeDBInstances") => {
                let marker = form(ask, "Marker");
                let marker = if marker.is_empty() { "0" } else { marker };
                let (page, next) = page(self.vpcs, marker, SMALL_PAGE);
                let next = next.map(|next| format!("<Marker>{next}</Marker>")).unwrap_or_default();
                let list: String = page.map(database).collect();
                format!("{next}<DBInstances>{list}</DBInstances>")
            }
            ("rds", "DescribeDBClusters") => "<DBClusters/>".to_owned(),
            ("rds", "DescribeDBParameters") => {
                "<Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName><ParameterValue>0</ParameterValue><Source>user</Source></Parameter></Parameters>".to_owned()
            }
            ("ec2", "DescribeRegions") => {
                format!("<regionInfo><item><regionName>{REGION}</regionName></item></regionInfo>")
            }
            ("ec2", "DescribeSubnets") => {
                let subnet = |vpc: usize| {
                    ["a", "b"].map(|zone| format!("<item><subnetId>subnet-{vpc:04}{zone}</subnetId><vpcId>{}</vpcId><cidrBlock>10.0.{}.0/24</cidrBlock><availabilityZone>{REGION}{zone}</availabilityZone><availableIpAddressCount>200</availableIpAddressCount></item>", vpc_id(vpc), u8::from(zone == "b"))).concat()
                };
                format!("<subnetSet>{}</subnetSet>", of_vpcs(&subnet))
            }
            ("ec2", "DescribeVpcs") => {
                let vpc = |vpc: usize| format!("<item><vpcId>{}</vpcId><ownerId>{ACCOUNT}</ownerId><cidrBlock>10.0.0.0/16</cidrBlock><dhcpOptionsId>dopt-1</dhcpOptionsId><cidrBlockAssociationSet><item><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet></item>", vpc_id(vpc));
                format!("<vpcSet>{}</vpcSet>", of_vpcs(&vpc))
            }
            ("ec2", "DescribeVpcAttribute") => {
                "<enableDnsSupport><value>true</value></enableDnsSupport><enableDnsHostnames><value>true</value></enableDnsHostnames>".to_owned()
            }
            ("ec2", "DescribeDhcpOptions") => {
                format!("<dhcpOptionsSet><item><dhcpOptionsId>dopt-1</dhcpOptionsId><dhcpConfigurationSet><item><key>domain-name</key><valueSet><item><value>{REGION}.compute.internal</value></item></valueSet></item><item><key>domain-name-servers</key><valueSet><item><value>AmazonProvidedDNS</value></item></valueSet></item></dhcpConfigurationSet></item></dhcpOptionsSet>")
            }
            ("ec2", "DescribeRouteTables") => {
                let table = |vpc: usize| format!("<item><routeTableId>rtb-{vpc:04}</routeTableId><vpcId>{}</vpcId><associationSet><item><main>true</main></item></associationSet><routeSet><item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state><origin>CreateRouteTable</origin></item></routeSet></item>", vpc_id(vpc));
                format!("<routeTableSet>{}</routeTableSet>", of_vpcs(&table))
            }
            ("ec2", "DescribeNetworkAcls") => {
                let entry = |egress: bool| format!("<item><ruleNumber>100</ruleNumber><protocol>-1</protocol><ruleAction>allow</ruleAction><egress>{egress}</egress><cidrBlock>0.0.0.0/0</cidrBlock></item>");
                let acl = |vpc: usize| {
                    let subnets = ["a", "b"].map(|zone| format!("<item><networkAclId>acl-{vpc:04}</networkAclId><subnetId>subnet-{vpc:04}{zone}</subnetId></item>")).concat();
                    format!("<item><networkAclId>acl-{vpc:04}</networkAclId><vpcId>{}</vpcId><default>true</default><associationSet>{subnets}</associationSet><entrySet>{}{}</entrySet></item>", vpc_id(vpc), entry(true), entry(false))
                };
                format!("<networkAclSet>{}</networkAclSet>", of_vpcs(&acl))
            }
            ("ec2", "DescribeSecurityGroups") => {
                let group = |vpc: usize, name: &str, port: u16, from: &str| format!("<item><groupId>sg-{vpc:04}{name}</groupId><groupName>{name}</groupName><ownerId>{ACCOUNT}</ownerId><vpcId>{}</vpcId><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort><groups><item><groupId>sg-{vpc:04}{from}</groupId></item></groups></item></ipPermissions><ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress></item>", vpc_id(vpc));
                let groups = |vpc: usize| {
                    group(vpc, "f", 1, "f") + &group(vpc, "e", 443, "f") + &group(vpc, "d", 5432, "f")
                };
                format!("<securityGroupInfo>{}</securityGroupInfo>", of_vpcs(&groups))
            }
            ("ec2", "DescribeVpcEndpoints") => {
                let endpoint = |vpc: usize| format!("<item><vpcEndpointId>vpce-{vpc:04}</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>{}</vpcId><serviceName>com.amazonaws.{REGION}.secretsmanager</serviceName><state>available</state><privateDnsEnabled>true</privateDnsEnabled><subnetIdSet><item>subnet-{vpc:04}a</item><item>subnet-{vpc:04}b</item></subnetIdSet><groupSet><item><groupId>sg-{vpc:04}e</groupId></item></groupSet><networkInterfaceIdSet><item>eni-{vpc:04}a</item><item>eni-{vpc:04}b</item></networkInterfaceIdSet></item>", vpc_id(vpc));
                format!("<vpcEndpointSet>{}</vpcEndpointSet>", of_vpcs(&endpoint))
            }
            ("ec2", "DescribeNetworkInterfaces") => {
                let interface = |vpc: usize| {
                    ["a", "b"].map(|zone| format!("<item><networkInterfaceId>eni-{vpc:04}{zone}</networkInterfaceId><subnetId>subnet-{vpc:04}{zone}</subnetId><vpcId>{}</vpcId><interfaceType>vpc_endpoint</interfaceType><status>in-use</status><privateIpAddress>10.0.{}.10</privateIpAddress><privateIpAddressesSet><item><privateIpAddress>10.0.{}.10</privateIpAddress><primary>true</primary></item></privateIpAddressesSet><groupSet><item><groupId>sg-{vpc:04}e</groupId></item></groupSet></item>", vpc_id(vpc), u8::from(zone == "b"), u8::from(zone == "b"))).concat()
                };
                format!("<networkInterfaceSet>{}</networkInterfaceSet>", of_vpcs(&interface))
            }
            ("ec2", "DescribeVpcBlockPublicAccessOptions") => {
                "<vpcBlockPublicAccessOptions><internetGatewayBlockMode>off</internetGatewayBlockMode></vpcBlockPublicAccessOptions>".to_owned()
            }
            // Other lists hold nothing here.
            ("ec2", operation) if operation.starts_with("Describe") => String::new(),
            ("route53", "ListHostedZonesByVPC") => {
                "<HostedZoneSummaries/><MaxItems>100</MaxItems>".to_owned()
            }
            _ => return None,
        })
    }

    fn role(&self, function: &str) -> String {
        let head = role_head(&format!("role-{function}"));
        let document = self.role_policy(function);
        format!(
            "<member>{head}<RolePolicyList><member><PolicyName>rotation</PolicyName><PolicyDocument>{document}</PolicyDocument></member></RolePolicyList><AttachedManagedPolicies/><InstanceProfileList/></member>"
        )
    }

    /// What the role of that function may do.
    fn role_policy(&self, function: &str) -> String {
        let (_, fault) = self.function(function);
        let mut actions = vec![
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ];
        if fault != Some(Fault::NoPut) {
            actions.push("secretsmanager:PutSecretValue");
        }
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"},
            {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
            {"Effect": "Allow", "Resource": "*", "Action": [
                "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
                "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces", "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses"]},
        ]});
        encoded(&document)
    }
}

fn encoded(document: &Value) -> String {
    let text = document.to_string();
    percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn role_head(name: &str) -> String {
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }]});
    format!(
        "<Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::{ACCOUNT}:role/{name}</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>",
        encoded(&trust)
    )
}

fn database(vpc: usize) -> String {
    let subnets = ["a", "b"].map(|zone| format!("<Subnet><SubnetIdentifier>subnet-{vpc:04}{zone}</SubnetIdentifier><SubnetStatus>Active</SubnetStatus></Subnet>")).concat();
    format!(
        "<DBInstance><DBInstanceIdentifier>db-{vpc:04}</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:{REGION}:{ACCOUNT}:db:db-{vpc:04}</DBInstanceArn><DBInstanceStatus>available</DBInstanceStatus><Engine>postgres</Engine><EngineVersion>16.4</EngineVersion><Endpoint><Address>db-{vpc:04}.abc.{REGION}.rds.amazonaws.com</Address><Port>5432</Port></Endpoint><PubliclyAccessible>false</PubliclyAccessible><VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-{vpc:04}d</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership></VpcSecurityGroups><DBSubnetGroup><DBSubnetGroupName>g</DBSubnetGroupName><VpcId>{}</VpcId><Subnets>{subnets}</Subnets></DBSubnetGroup><DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg</DBParameterGroupName></DBParameterGroup></DBParameterGroups><CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier></DBInstance>",
        vpc_id(vpc)
    )
}

fn vpc_id(vpc: usize) -> String {
    format!("vpc-{vpc:04}")
}

fn key_arn(name: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}")
}

fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

fn role_arn(function: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/role-{function}")
}

fn form<'a>(ask: &'a Ask, name: &str) -> &'a str {
    ask.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
}

/// The numbers of one page, and the token of the next.
fn page(total: usize, token: &str, size: usize) -> (std::ops::Range<usize>, Option<String>) {
    let from: usize = token.parse().expect("a token of ours");
    let to = (from + size).min(total);
    (from..to, (to < total).then(|| to.to_string()))
}
