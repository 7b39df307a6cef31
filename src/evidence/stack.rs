//! CloudFormation: the stack that made the rotation function.

use super::{Tag, Time, shape::shapes};

shapes! {
    /// DescribeStacks.
    Stack {
        /// ARN of the stack.
        stack_id: Option<String>,
        /// Name.
        stack_name: Option<String>,
        /// `CREATE_COMPLETE`, …
        stack_status: Option<String>,
        /// Why.
        stack_status_reason: Option<String>,
        /// Creation.
        creation_time: Option<Time>,
        /// Last update.
        last_updated_time: Option<Time>,
        /// The stack that nests this one.
        parent_id: Option<String>,
        /// Parameters.
        parameters: Vec<StackParameter>,
        /// Tags.
        tags: Vec<Tag>,
    }

    /// A parameter of a stack.
    StackParameter {
        /// Key.
        parameter_key: Option<String>,
        /// Value.
        parameter_value: Option<String>,
    }

    /// DescribeStackEvents.
    StackEvent {
        /// Id.
        event_id: Option<String>,
        /// Stack.
        stack_name: Option<String>,
        /// Name in the template.
        logical_resource_id: Option<String>,
        /// Name in AWS.
        physical_resource_id: Option<String>,
        /// Such as `AWS::SecretsManager::RotationSchedule`.
        resource_type: Option<String>,
        /// When.
        timestamp: Option<Time>,
        /// `CREATE_FAILED`, …
        resource_status: Option<String>,
        /// Why.
        resource_status_reason: Option<String>,
    }

    /// DescribeStackResources.
    StackResource {
        /// Stack.
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
        /// Why.
        resource_status_reason: Option<String>,
    }
}
