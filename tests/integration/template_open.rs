//! What a template leaves open: inconclusive, never a finding and never fine.

use super::template::{changed, fixture, found, only, report, without};

/// Something open: what is changed, and the check that cannot say any more.
struct Open {
    what: &'static str,
    check: &'static str,
    change: fn(String) -> String,
}

fn parameter(text: &str, name: &str) -> String {
    changed(text, "Parameters:\n", &format!("Parameters:\n  {name}:\n    Type: String\n"))
}

const OPEN: &[Open] = &[
    Open {
        what: "the source of the endpoint's rule",
        check: "secrets-manager-path",
        change: |t| {
            let t = parameter(&t, "Source");
            changed(
                &t,
                "ToPort: 443\n          SourceSecurityGroupId: !GetAtt FunctionGroup.GroupId",
                "ToPort: 443\n          CidrIp: !Ref Source",
            )
        },
    },
    Open {
        what: "the port of the database's rule",
        check: "database-path",
        change: |t| {
            let t = parameter(&t, "Port");
            changed(
                &t,
                "      FromPort: !GetAtt Database.Endpoint.Port\n",
                "      FromPort: !Ref Port\n",
            )
        },
    },
    Open {
        what: "whether the database's rule is made",
        check: "database-path",
        change: |t| {
            let t = parameter(&t, "Want");
            let t =
                changed(&t, "Conditions:\n", "Conditions:\n  Wanted: !Equals [!Ref Want, 'yes']\n");
            changed(
                &t,
                "    Type: AWS::EC2::SecurityGroupIngress\n",
                "    Type: AWS::EC2::SecurityGroupIngress\n    Condition: Wanted\n",
            )
        },
    },
    Open {
        what: "which group the database's rule is for",
        check: "database-path",
        change: |t| {
            let t = parameter(&t, "Want");
            let t =
                changed(&t, "Conditions:\n", "Conditions:\n  Wanted: !Equals [!Ref Want, 'yes']\n");
            changed(
                &t,
                "      GroupId: !GetAtt DatabaseGroup.GroupId\n",
                "      GroupId: !If [Wanted, !GetAtt DatabaseGroup.GroupId, sg-0123456789abcdef0]\n",
            )
        },
    },
    Open {
        what: "which VPC the endpoint is in",
        check: "secrets-manager-path",
        change: |t| {
            let t = parameter(&t, "Want");
            let t =
                changed(&t, "Conditions:\n", "Conditions:\n  Wanted: !Equals [!Ref Want, 'yes']\n");
            changed(
                &t,
                "      VpcId: !Ref Vpc\n      VpcEndpointType",
                "      VpcId: !If [Wanted, !Ref Vpc, vpc-0123456789abcdef0]\n      VpcEndpointType",
            )
        },
    },
    Open {
        what: "whether the endpoint is made",
        check: "secrets-manager-path",
        change: |t| {
            let t = parameter(&t, "Want");
            let t =
                changed(&t, "Conditions:\n", "Conditions:\n  Wanted: !Equals [!Ref Want, 'yes']\n");
            changed(
                &t,
                "    Type: AWS::EC2::VPCEndpoint\n",
                "    Type: AWS::EC2::VPCEndpoint\n    Condition: Wanted\n",
            )
        },
    },
    Open {
        what: "the function's subnets",
        check: "secrets-manager-path",
        change: |t| {
            let t = changed(
                &t,
                "Parameters:\n",
                "Parameters:\n  Subnets:\n    Type: List<AWS::EC2::Subnet::Id>\n",
            );
            changed(
                &t,
                "        SubnetIds: [!Ref PrivateA, !Ref PrivateB]\n        SecurityGroupIds",
                "        SubnetIds: !Ref Subnets\n        SecurityGroupIds",
            )
        },
    },
    Open {
        what: "the function's group and the source of the rule, both imported",
        check: "database-path",
        change: |t| {
            let t = changed(
                &t,
                "ToPort: 443\n          SourceSecurityGroupId: !GetAtt FunctionGroup.GroupId",
                "ToPort: 443\n          CidrIp: 10.20.0.0/16",
            );
            let t = changed(
                &t,
                "SecurityGroupIds: [!GetAtt FunctionGroup.GroupId]\n\n  Permission",
                "SecurityGroupIds: [!ImportValue function-group]\n\n  Permission",
            );
            changed(
                &t,
                "      SourceSecurityGroupId: !GetAtt FunctionGroup.GroupId\n\n",
                "      SourceSecurityGroupId: !ImportValue application-group\n\n",
            )
        },
    },
    Open {
        what: "a block of the VPC",
        check: "secrets-manager-path",
        change: |t| {
            let t = parameter(&t, "Block");
            changed(
                &t,
                "      CidrBlock: !FindInMap [Network, !Ref Environment, Vpc]\n",
                "      CidrBlock: !Ref Block\n",
            )
        },
    },
    Open {
        what: "the zone's map",
        check: "secrets-manager-path",
        change: |t| {
            changed(
                &t,
                "!FindInMap [Network, !Ref Environment, Vpc]",
                "!FindInMap [Network, stage, Vpc]",
            )
        },
    },
    Open {
        what: "the resource of a policy",
        check: "secret-rights",
        change: |t| {
            let t = parameter(&t, "SecretArn");
            changed(
                &t,
                "                Resource: !Ref Secret\n",
                "                Resource: !Ref SecretArn\n",
            )
        },
    },
    Open {
        what: "a policy that a macro writes",
        check: "secret-rights",
        change: |t| {
            changed(
                &t,
                "                Resource: !Ref Secret\n",
                "                Fn::Transform: { Name: Resources, Parameters: {} }\n",
            )
        },
    },
    Open {
        what: "the actions of a policy, resolved at deployment",
        check: "secret-rights",
        change: |t| {
            changed(
                &t,
                "                  - secretsmanager:PutSecretValue\n",
                "                  - '{{resolve:ssm:/actions}}'\n",
            )
        },
    },
    Open {
        what: "a managed policy of the account",
        check: "secret-rights",
        change: |t| {
            let t = changed(&t, "                  - secretsmanager:PutSecretValue\n", "");
            changed(
                &t,
                "      ManagedPolicyArns:\n",
                "      ManagedPolicyArns:\n        - arn:aws:iam::123456789012:policy/rotation\n",
            )
        },
    },
    Open {
        what: "the account of the permission",
        check: "invoke-permission",
        change: |t| {
            let t = parameter(&t, "Owner");
            changed(
                &t,
                "      SourceAccount: !Ref AWS::AccountId\n",
                "      SourceAccount: !Ref Owner\n",
            )
        },
    },
    Open {
        what: "the function, which is in another stack",
        check: "invoke-permission",
        change: |t| {
            changed(
                &t,
                "      RotationLambdaARN: !GetAtt Function.Arn\n",
                "      RotationLambdaARN: !ImportValue rotation-function\n",
            )
        },
    },
    Open {
        what: "the key, which is in another stack",
        check: "key-usable",
        change: |t| {
            changed(&t, "      KmsKeyId: !GetAtt Key.Arn\n", "      KmsKeyId: !ImportValue key\n")
        },
    },
    Open {
        what: "whether the key is enabled",
        check: "key-usable",
        change: |t| {
            let t = parameter(&t, "On");
            changed(
                &t,
                "    Type: AWS::KMS::Key\n    Properties:\n",
                "    Type: AWS::KMS::Key\n    Properties:\n      Enabled: !Ref On\n",
            )
        },
    },
    Open {
        what: "the characters that the function leaves out",
        check: "password-rules-possible",
        change: |t| {
            let t = parameter(&t, "Length");
            changed(
                &t,
                "          EXCLUDE_CHARACTERS",
                "          PASSWORD_LENGTH: !Ref Length\n          EXCLUDE_CHARACTERS",
            )
        },
    },
    Open {
        what: "what a nested stack adds to the VPC",
        check: "secrets-manager-path",
        change: |t| {
            without(&t, "SecretsEndpoint")
                + "
  Endpoints:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: endpoints.yaml, Parameters: { Vpc: !Ref Vpc } }
"
        },
    },
    Open {
        what: "what a macro adds",
        check: "secrets-manager-path",
        change: |t| {
            changed(
                &without(&t, "SecretsEndpoint"),
                "Parameters:\n",
                "Transform: Endpoints\n\nParameters:\n",
            )
        },
    },
    Open {
        what: "what a loop makes",
        check: "invoke-permission",
        change: |t| {
            let t =
                changed(&t, "Parameters:\n", "Transform: AWS::LanguageExtensions\n\nParameters:\n");
            without(&t, "Permission")
                + "
  Fn::ForEach::Permissions:
    - Name
    - [A]
    - Permission${Name}:
        Type: AWS::Lambda::Permission
        Properties: { FunctionName: !GetAtt Function.Arn, Action: 'lambda:InvokeFunction', Principal: secretsmanager.amazonaws.com }
"
        },
    },
    Open {
        what: "the secret, which is in another stack",
        check: "secret-rights",
        change: |t| {
            changed(
                &t,
                "    Properties:\n      SecretId: !Ref Secret\n      RotationLambdaARN",
                "    Properties:\n      SecretId: !ImportValue secret\n      RotationLambdaARN",
            )
        },
    },
];

#[test]
fn what_is_open_is_inconclusive_and_no_finding() {
    let healthy = fixture("healthy.yaml");
    let mut wrong = Vec::new();
    for open in OPEN {
        let declared = only(&(open.change)(healthy.clone()));
        let report = report(&declared);
        let undecided = report.inconclusive.iter().any(|one| one.check == open.check);
        if !report.findings.is_empty() || !undecided {
            wrong.push(format!("{} ({}): {}", open.what, open.check, found(&report)));
            wrong.extend(report.findings.iter().map(|one| format!("    {}", one.summary)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_schedule_whose_condition_is_open_is_examined_as_if_it_were_made() {
    let text = parameter(&fixture("healthy.yaml"), "Want");
    let text =
        changed(&text, "Conditions:\n", "Conditions:\n  Wanted: !Equals [!Ref Want, 'yes']\n");
    let text = ["SecretsManager::RotationSchedule", "Lambda::Permission", "Lambda::Function"]
        .iter()
        .fold(text, |text, kind| {
            let kind = format!("    Type: AWS::{kind}\n");
            changed(&text, &kind, &format!("{kind}    Condition: Wanted\n"))
        });
    let read = rotdoctor::template::cloudformation::read(&text, &super::template::settings())
        .expect("a template");
    assert!(read.notes.iter().any(|note| note.contains("Rotation")), "{:?}", read.notes);
    let report = report(&read.rotations[0]);
    assert!(report.findings.is_empty() && report.inconclusive.is_empty(), "{}", found(&report));
}
