//! CloudFormation: the stack that made the rotation function.

use super::value::{items_of_no_vpc, single_values};
use super::{Tag, Time, shape::shapes};

shapes! {
    /// DescribeStacks.
    Stack {
        /// ARN of the stack.
        stack_id: Option<String>,
        stack_name: Option<String>,
        /// `CREATE_COMPLETE`, …
        stack_status: Option<String>,
        stack_status_reason: Option<String>,
        creation_time: Option<Time>,
        last_updated_time: Option<Time>,
        /// The stack that nests this one.
        parent_id: Option<String>,
        parameters: Vec<StackParameter>,
        tags: Vec<Tag>,
        /// Join of ours: what the stack's template says of rotation, where it was read.
        template as "_Template": Option<StackTemplate>,
    }

    /// What a template says of rotation (a join of ours: no call returns it).
    StackTemplate {
        /// The names under `Transform`.
        transforms: Vec<String>,
        /// Whether the CDK wrote it: its resources carry the CDK's metadata.
        made_by_cdk: bool,
        /// Every `AWS::SecretsManager::RotationSchedule`.
        rotation_schedules: Vec<TemplateSchedule>,
        /// Every `AWS::SecretsManager::SecretTargetAttachment`.
        attachments: Vec<TemplateAttachment>,
        /// Every `AWS::Lambda::Permission`.
        permissions: Vec<TemplatePermission>,
        /// Resources that depend on each other.
        circles: Vec<TemplateCircle>,
    }

    /// A rotation schedule of a template.
    TemplateSchedule {
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// The secret: its ARN, where the template makes it.
        secret_id: Option<String>,
        /// The function that it names.
        rotation_lambda_arn as "RotationLambdaARN": Option<String>,
        /// Whether it asks AWS to make the function.
        hosted_rotation_lambda: bool,
        /// The runtime that it asks for that function.
        runtime: Option<String>,
        /// Every resource that it depends on, by however many steps.
        depends_on: Vec<String>,
    }

    /// What adds a database's connection to the value of a secret.
    TemplateAttachment {
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// The secret: its ARN, where the template makes it.
        secret_id: Option<String>,
        /// The keys that the value has without it.
        keys_before: Vec<String>,
    }

    /// A permission of a template.
    TemplatePermission {
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// The function: as a schedule names it, where one names the same.
        function_name: Option<String>,
        /// Who is let in.
        principal: Option<String>,
    }

    /// Resources that depend on each other.
    TemplateCircle {
        /// Names in the template.
        logical_resource_ids: Vec<String>,
    }

    /// A parameter of a stack.
    StackParameter {
        parameter_key: Option<String>,
        parameter_value: Option<String>,
    }

    /// DescribeStackEvents.
    StackEvent {
        event_id: Option<String>,
        stack_name: Option<String>,
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// Name in AWS.
        physical_resource_id: Option<String>,
        /// Such as `AWS::SecretsManager::RotationSchedule`.
        resource_type: Option<String>,
        timestamp: Option<Time>,
        /// `CREATE_FAILED`, …
        resource_status: Option<String>,
        resource_status_reason: Option<String>,
    }

    /// DescribeStackResources.
    StackResource {
        stack_name: Option<String>,
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// Name in AWS.
        physical_resource_id: Option<String>,
        /// Such as `AWS::SecretsManager::RotationSchedule`.
        resource_type: Option<String>,
        /// When it last changed.
        timestamp: Option<Time>,
        /// `CREATE_COMPLETE`, …
        resource_status: Option<String>,
        resource_status_reason: Option<String>,
    }
}

items_of_no_vpc!(StackEvent, StackResource);
single_values!(Stack);
