//! Faults written as CloudFormation: each is the healthy template with one change, and is
//! found with its code and its place in the file.

use super::template::{changed, fixture, found, only, report, without};

/// A fault: its code, where it is declared, and the change.
struct Fault {
    code: &'static str,
    /// The logical id at which the finding points.
    at: &'static str,
    change: fn(String) -> String,
}

const PUBLIC: &str = "
  Gateway:
    Type: AWS::EC2::InternetGateway
  GatewayOfVpc:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: { VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway }
  DefaultRoute:
    Type: AWS::EC2::Route
    DependsOn: GatewayOfVpc
    Properties:
      RouteTableId: !Ref PrivateRoutes
      DestinationCidrBlock: 0.0.0.0/0
      GatewayId: !Ref Gateway
";

const OTHER_VPC: &str = "
  OtherVpc:
    Type: AWS::EC2::VPC
    Properties: { CidrBlock: 10.99.0.0/16, EnableDnsHostnames: true }
  OtherSubnet:
    Type: AWS::EC2::Subnet
    Properties: { VpcId: !Ref OtherVpc, CidrBlock: 10.99.1.0/24, AvailabilityZone: eu-west-1a }
  OtherGroup:
    Type: AWS::EC2::SecurityGroup
    Properties: { VpcId: !Ref OtherVpc, GroupDescription: other }
  OtherEndpointGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref OtherVpc
      GroupDescription: endpoints
      SecurityGroupIngress:
        - { IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.99.0.0/16 }
  OtherEndpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref OtherVpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.secretsmanager
      PrivateDnsEnabled: true
      SubnetIds: [!Ref OtherSubnet]
      SecurityGroupIds: [!Ref OtherEndpointGroup]
";

/// An ACL on two subnets that lets everything through but what the entries say first.
fn acl(subnets: [&str; 2], denied: &str) -> String {
    let mut text = format!(
        "
  Acl:
    Type: AWS::EC2::NetworkAcl
    Properties: {{ VpcId: !Ref Vpc }}
{denied}
  AclOut:
    Type: AWS::EC2::NetworkAclEntry
    Properties: {{ NetworkAclId: !Ref Acl, RuleNumber: 100, Protocol: -1, RuleAction: allow, Egress: true, CidrBlock: 0.0.0.0/0 }}
  AclIn:
    Type: AWS::EC2::NetworkAclEntry
    Properties: {{ NetworkAclId: !Ref Acl, RuleNumber: 100, Protocol: -1, RuleAction: allow, CidrBlock: 0.0.0.0/0 }}
"
    );
    for subnet in subnets {
        text.push_str(&format!(
            "  AclOf{subnet}:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {{ SubnetId: !Ref {subnet}, NetworkAclId: !Ref Acl }}
"
        ));
    }
    text
}

fn egress_only(text: &str, port: u16) -> String {
    changed(
        text,
        "GroupDescription: rotation function\n",
        &format!(
            "GroupDescription: rotation function
      SecurityGroupEgress:
        - {{ IpProtocol: tcp, FromPort: {port}, ToPort: {port}, CidrIp: 0.0.0.0/0 }}
"
        ),
    )
}

/// Alternating users, with the master user's secret that RDS keeps.
fn alternating(text: &str) -> String {
    let text = changed(
        text,
        "        SecretStringTemplate: '{\"username\": \"orders\"}'\n",
        "        SecretStringTemplate: !Sub '{\"username\": \"orders\", \"masterarn\": \"${Database.MasterUserSecret.SecretArn}\"}'\n",
    );
    let text = changed(
        &text,
        "      MasterUsername: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:username}}'
      MasterUserPassword: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'
",
        "      MasterUsername: admin\n      ManageMasterUserPassword: true\n",
    );
    changed(
        &text,
        "              - Sid: Password\n",
        "              - Sid: Superuser
                Effect: Allow
                Action: [secretsmanager:DescribeSecret, secretsmanager:GetSecretValue]
                Resource: !GetAtt Database.MasterUserSecret.SecretArn
              - Sid: Describe
                Effect: Allow
                Action: [rds:DescribeDBInstances, rds:DescribeDBClusters]
                Resource: '*'
              - Sid: Password
",
    )
}

const RDS_ENDPOINT: &str = "
  RdsEndpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.rds
      PrivateDnsEnabled: true
      SubnetIds: [!Ref PrivateA, !Ref PrivateB]
      SecurityGroupIds: [!GetAtt EndpointGroup.GroupId]
";

/// A superuser's secret of its own, with its own key.
fn own_superuser(text: &str) -> String {
    let text = changed(
        text,
        "        SecretStringTemplate: '{\"username\": \"orders\"}'\n",
        "        SecretStringTemplate: !Sub '{\"username\": \"orders\", \"masterarn\": \"${Admin}\"}'\n",
    );
    text + "
  AdminKey:
    Type: AWS::KMS::Key
    Properties: {}
  Admin:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: prod/admin
      KmsKeyId: !Ref AdminKey
      GenerateSecretString: { SecretStringTemplate: '{\"username\": \"admin\"}', GenerateStringKey: password }
"
}

const FAULTS: &[Fault] = &[
    Fault { code: "NET01", at: "PrivateRoutes", change: |t| without(&t, "SecretsEndpoint") },
    Fault { code: "NET02", at: "Gateway", change: |t| without(&t, "SecretsEndpoint") + PUBLIC },
    Fault {
        code: "NET03",
        at: "EndpointGroup",
        change: |t| {
            changed(
                &t,
                "ToPort: 443\n          SourceSecurityGroupId: !GetAtt FunctionGroup.GroupId",
                "ToPort: 443\n          CidrIp: 10.99.0.0/16",
            )
        },
    },
    Fault { code: "NET04", at: "FunctionGroup", change: |t| egress_only(&t, 5432) },
    Fault {
        code: "NET05",
        at: "Acl",
        change: |t| {
            let denied = "  AclNoHttps:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref Acl
      RuleNumber: 10
      Protocol: 6
      RuleAction: deny
      PortRange: { From: 443, To: 443 }
      CidrBlock: 10.20.0.0/16
";
            t + &acl(["PrivateA", "PrivateB"], denied)
        },
    },
    Fault {
        code: "NET06",
        at: "SecretsEndpoint",
        change: |t| changed(&t, "PrivateDnsEnabled: true", "PrivateDnsEnabled: false"),
    },
    Fault {
        code: "NET06",
        at: "SecretsEndpoint",
        change: |t| changed(&t, "EnableDnsHostnames: true", "EnableDnsHostnames: false"),
    },
    Fault {
        code: "NET07",
        at: "OtherEndpoint",
        change: |t| without(&t, "SecretsEndpoint") + OTHER_VPC,
    },
    Fault {
        code: "NET08",
        at: "SecretsEndpoint",
        change: |t| {
            changed(
                &t,
                "      PrivateDnsEnabled: true\n",
                "      PrivateDnsEnabled: true
      PolicyDocument:
        Statement:
          - { Effect: Allow, Principal: '*', Action: 'secretsmanager:Get*', Resource: '*' }
",
            )
        },
    },
    Fault {
        code: "NET09",
        at: "Function",
        change: |t| {
            changed(
                &t,
                "      VpcConfig:
        SubnetIds: [!Ref PrivateA, !Ref PrivateB]
        SecurityGroupIds: [!GetAtt FunctionGroup.GroupId]
",
                "",
            )
        },
    },
    Fault { code: "NET10", at: "DatabaseGroup", change: |t| without(&t, "DatabaseFromFunction") },
    Fault { code: "NET11", at: "FunctionGroup", change: |t| egress_only(&t, 443) },
    Fault {
        code: "NET12",
        at: "Acl",
        change: |t| {
            let denied = "  AclNoReplies:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref Acl
      RuleNumber: 10
      Protocol: 6
      RuleAction: deny
      Egress: true
      PortRange: { From: 1024, To: 65535 }
      CidrBlock: 10.20.0.0/16
";
            t + &acl(["DatabaseA", "DatabaseB"], denied)
        },
    },
    Fault {
        code: "NET13",
        at: "Function",
        change: |t| {
            let moved = changed(
                &t,
                "        SubnetIds: [!Ref PrivateA, !Ref PrivateB]
        SecurityGroupIds: [!GetAtt FunctionGroup.GroupId]
",
                "        SubnetIds: [!Ref OtherSubnet]
        SecurityGroupIds: [!Ref OtherGroup]
",
            );
            moved + OTHER_VPC
        },
    },
    Fault { code: "NET14", at: "PrivateRoutes", change: |t| alternating(&t) },
    Fault {
        code: "IAM01",
        at: "FunctionRole",
        change: |t| changed(&t, "                  - secretsmanager:PutSecretValue\n", ""),
    },
    Fault {
        code: "IAM02",
        at: "FunctionRole",
        change: |t| {
            changed(
                &t,
                "                Resource: !Ref Secret\n",
                "                Resource: !Sub 'arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:prod/orders'\n",
            )
        },
    },
    Fault { code: "IAM03", at: "FunctionRole", change: |t| own_superuser(&t) },
    Fault {
        code: "IAM06",
        at: "FunctionRole",
        change: |t| {
            changed(
                &t,
                "                Resource: !GetAtt Key.Arn\n",
                "                Resource: !GetAtt Key.Arn
                Condition:
                  StringEquals:
                    'kms:EncryptionContext:SecretARN': 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf'
",
            )
        },
    },
    Fault {
        code: "IAM07",
        at: "FunctionRole",
        change: |t| {
            let with = own_superuser(&t);
            changed(
                &with,
                "              - Sid: Password\n",
                "              - Sid: Superuser
                Effect: Allow
                Action: [secretsmanager:DescribeSecret, secretsmanager:GetSecretValue]
                Resource: !Ref Admin
              - Sid: Password
",
            )
        },
    },
    Fault { code: "IAM08", at: "Function", change: |t| without(&t, "Permission") },
    Fault {
        code: "IAM09",
        at: "Function",
        change: |t| {
            changed(
                &t,
                "      SourceAccount: !Ref AWS::AccountId\n",
                "      SourceAccount: '999999999999'\n",
            )
        },
    },
    Fault {
        code: "IAM10",
        at: "Policy",
        change: |t| {
            t + "
  Policy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Secret
      ResourcePolicy:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: secretsmanager:PutSecretValue
            Resource: '*'
            Condition: { StringNotEquals: { 'aws:SourceVpce': vpce-0123 } }
"
        },
    },
    Fault {
        code: "IAM11",
        at: "Boundary",
        change: |t| {
            let bounded = changed(
                &t,
                "  FunctionRole:
    Type: AWS::IAM::Role
    Properties:
",
                "  FunctionRole:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !Ref Boundary
",
            );
            bounded
                + "
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - { Effect: Allow, Action: ['logs:*', 'ec2:*', 'kms:*', 'secretsmanager:Get*'], Resource: '*' }
"
        },
    },
    Fault {
        code: "IAM12",
        at: "FunctionRole",
        change: |t| {
            let both = alternating(&t) + RDS_ENDPOINT;
            changed(
                &both,
                "              - Sid: Describe
                Effect: Allow
                Action: [rds:DescribeDBInstances, rds:DescribeDBClusters]
                Resource: '*'
",
                "",
            )
        },
    },
    Fault {
        code: "KMS01",
        at: "Key",
        change: |t| {
            changed(
                &t,
                "    Type: AWS::KMS::Key\n    Properties:\n",
                "    Type: AWS::KMS::Key\n    Properties:\n      Enabled: false\n",
            )
        },
    },
    Fault {
        code: "KMS03",
        at: "Key",
        change: |t| {
            changed(
                &t,
                "    Type: AWS::KMS::Key\n    Properties:\n",
                "    Type: AWS::KMS::Key\n    Properties:\n      KeySpec: RSA_2048\n      KeyUsage: SIGN_VERIFY\n",
            )
        },
    },
    Fault {
        code: "CFN01",
        at: "Rotation",
        change: |t| changed(&t, "DependsOn: [Permission, Attachment,", "DependsOn: [Attachment,"),
    },
    Fault {
        code: "CFN04",
        at: "Function",
        change: |t| {
            changed(
                &t,
                "                Resource: !Ref Secret\n",
                "                Resource: [!Ref Secret, !GetAtt Function.Arn]\n",
            )
        },
    },
    Fault {
        code: "CFN08",
        at: "Again",
        change: |t| {
            t + "
  Again:
    Type: AWS::SecretsManager::RotationSchedule
    DependsOn: Permission
    Properties: { SecretId: !Ref Secret, RotationLambdaARN: !GetAtt Function.Arn }
"
        },
    },
    Fault {
        code: "CFN09",
        at: "Rotation",
        change: |t| {
            changed(
                &t,
                "      RotationLambdaARN: !GetAtt Function.Arn\n",
                "      RotationLambdaARN: !GetAtt Function.Arn\n      HostedRotationLambda: { RotationType: PostgreSQLSingleUser }\n",
            )
        },
    },
    Fault {
        code: "RUN04",
        at: "Rotation",
        change: |t| {
            let hosted = changed(
                &t,
                "      RotationLambdaARN: !GetAtt Function.Arn\n",
                "      HostedRotationLambda:
        RotationType: PostgreSQLSingleUser
        Runtime: python3.9
        KmsKeyArn: !GetAtt Key.Arn
        VpcSubnetIds: !Join [',', [!Ref PrivateA, !Ref PrivateB]]
        VpcSecurityGroupIds: !Ref FunctionGroup
",
            );
            changed(
                &hosted,
                "Parameters:\n",
                "Transform: AWS::SecretsManager-2024-09-16\n\nParameters:\n",
            )
        },
    },
    Fault {
        code: "CFN03",
        at: "Function",
        change: |t| {
            let t = without(&t, "SecretsEndpoint");
            let moved = changed(
                &t,
                "        SubnetIds: [!Ref PrivateA, !Ref PrivateB]
        SecurityGroupIds: [!GetAtt FunctionGroup",
                "        SubnetIds: [!Ref DatabaseA, !Ref DatabaseB]
        SecurityGroupIds: [!GetAtt FunctionGroup",
            );
            moved
                + "
  CDKMetadata:
    Type: AWS::CDK::Metadata
    Properties: { Analytics: 'v2:deflate64:' }
"
        },
    },
    Fault { code: "TMO01", at: "Function", change: |t| changed(&t, "      Timeout: 30\n", "") },
];

/// The lines of the file at which the findings on policies and rules point.
const LINES: &[(&str, &str)] = &[
    ("IAM01", "- Sid: Secret"),
    ("IAM02", "- Sid: Secret"),
    ("IAM06", "- Sid: Key"),
    ("IAM10", "- Effect: Deny"),
    ("NET03", "  EndpointGroup:"),
];

#[test]
fn each_fault_is_found_where_it_is_declared() {
    let healthy = fixture("healthy.yaml");
    let mut wrong = Vec::new();
    for fault in FAULTS {
        let text = (fault.change)(healthy.clone());
        let declared = only(&text);
        let mut report = report(&declared);
        rotdoctor::locate(&mut report, &declared.origins);
        let Some(finding) = report.findings.iter().find(|one| one.code == fault.code) else {
            wrong.push(format!("{} is not found: {}", fault.code, found(&report)));
            continue;
        };
        let place = finding.location.as_ref().expect("a place");
        let line = place.line.unwrap_or_default() as usize;
        let there = text.lines().nth(line.wrapping_sub(1)).unwrap_or_default();
        let wanted = LINES.iter().find(|(code, _)| *code == fault.code).map_or("", |(_, t)| t);
        if place.address != fault.at || line == 0 || !there.contains(wanted) {
            wrong.push(format!(
                "{} ({}) points at {} line {line}: {there}; {}",
                fault.code, finding.resource, place.address, finding.summary
            ));
        }
        assert!(!finding.summary.contains("${"), "{}: {}", fault.code, finding.summary);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
