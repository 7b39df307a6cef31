//! RDS: instances, clusters and their parameters.

use super::{Tag, Time, shape::shapes};

shapes! {
    /// The database as the caller named it (`--db`).
    NamedDatabase {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    }

    /// DescribeDBInstances.
    DbInstance {
        /// Identifier.
        #[serde(rename = "DBInstanceIdentifier")]
        db_instance_identifier: Option<String>,
        /// ARN.
        #[serde(rename = "DBInstanceArn")]
        db_instance_arn: Option<String>,
        /// `available`, `stopped`, `storage-full`, …
        #[serde(rename = "DBInstanceStatus")]
        db_instance_status: Option<String>,
        /// Such as `postgres` or `aurora-postgresql`.
        engine: Option<String>,
        /// Version.
        engine_version: Option<String>,
        /// Where it listens.
        endpoint: Option<Endpoint>,
        /// Name of the master user.
        master_username: Option<String>,
        /// First database.
        #[serde(rename = "DBName")]
        db_name: Option<String>,
        /// The cluster it belongs to.
        #[serde(rename = "DBClusterIdentifier")]
        db_cluster_identifier: Option<String>,
        /// Public address.
        publicly_accessible: Option<bool>,
        /// Groups.
        vpc_security_groups: Vec<VpcSecurityGroupMembership>,
        /// Subnets.
        #[serde(rename = "DBSubnetGroup")]
        db_subnet_group: Option<DbSubnetGroup>,
        /// Parameter groups.
        #[serde(rename = "DBParameterGroups")]
        db_parameter_groups: Vec<DbParameterGroupStatus>,
        /// Server certificate's CA.
        #[serde(rename = "CACertificateIdentifier")]
        ca_certificate_identifier: Option<String>,
        /// Server certificate.
        certificate_details: Option<CertificateDetails>,
        /// The secret that RDS manages for the master user.
        master_user_secret: Option<MasterUserSecret>,
        /// The instance this one replicates.
        #[serde(rename = "ReadReplicaSourceDBInstanceIdentifier")]
        read_replica_source_db_instance_identifier: Option<String>,
        /// Creation.
        instance_create_time: Option<Time>,
        /// Tags.
        tag_list: Vec<Tag>,
        /// Join of ours: the interface of the instance, where it is visible.
        #[serde(rename = "_NetworkInterfaceId")]
        network_interface_id: Option<String>,
    }

    /// DescribeDBClusters.
    DbCluster {
        /// Identifier.
        #[serde(rename = "DBClusterIdentifier")]
        db_cluster_identifier: Option<String>,
        /// ARN.
        #[serde(rename = "DBClusterArn")]
        db_cluster_arn: Option<String>,
        /// `available`, `stopped`, …
        status: Option<String>,
        /// Engine.
        engine: Option<String>,
        /// Version.
        engine_version: Option<String>,
        /// Writer.
        endpoint: Option<String>,
        /// Reader.
        reader_endpoint: Option<String>,
        /// Port.
        port: Option<i64>,
        /// Name of the master user.
        master_username: Option<String>,
        /// First database.
        database_name: Option<String>,
        /// Cluster parameter group.
        #[serde(rename = "DBClusterParameterGroup")]
        db_cluster_parameter_group: Option<String>,
        /// Subnet group, by name.
        #[serde(rename = "DBSubnetGroup")]
        db_subnet_group: Option<String>,
        /// Groups.
        vpc_security_groups: Vec<VpcSecurityGroupMembership>,
        /// Instances.
        #[serde(rename = "DBClusterMembers")]
        db_cluster_members: Vec<DbClusterMember>,
        /// The secret that RDS manages for the master user.
        master_user_secret: Option<MasterUserSecret>,
        /// Creation.
        cluster_create_time: Option<Time>,
        /// Tags.
        tag_list: Vec<Tag>,
    }

    /// Where an instance listens.
    Endpoint {
        /// Host name.
        address: Option<String>,
        /// Port.
        port: Option<i64>,
    }

    /// A security group of a database.
    VpcSecurityGroupMembership {
        /// Group.
        vpc_security_group_id: Option<String>,
        /// `active`, …
        status: Option<String>,
    }

    /// Subnet group of an instance.
    DbSubnetGroup {
        /// Name.
        #[serde(rename = "DBSubnetGroupName")]
        db_subnet_group_name: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Subnets.
        subnets: Vec<DbSubnet>,
    }

    /// A subnet of a subnet group.
    DbSubnet {
        /// Subnet.
        subnet_identifier: Option<String>,
        /// `Active`, …
        subnet_status: Option<String>,
    }

    /// A parameter group on an instance.
    DbParameterGroupStatus {
        /// Name.
        #[serde(rename = "DBParameterGroupName")]
        db_parameter_group_name: Option<String>,
        /// `in-sync`, `pending-reboot`, …
        parameter_apply_status: Option<String>,
    }

    /// Server certificate.
    CertificateDetails {
        /// CA.
        #[serde(rename = "CAIdentifier")]
        ca_identifier: Option<String>,
        /// End of its validity.
        valid_till: Option<Time>,
    }

    /// A master user's secret that RDS manages.
    MasterUserSecret {
        /// ARN.
        secret_arn: Option<String>,
        /// `creating`, `active`, `rotating`, `impaired`.
        secret_status: Option<String>,
        /// Key.
        kms_key_id: Option<String>,
    }

    /// An instance of a cluster.
    DbClusterMember {
        /// Identifier.
        #[serde(rename = "DBInstanceIdentifier")]
        db_instance_identifier: Option<String>,
        /// Whether it is the writer.
        is_cluster_writer: Option<bool>,
    }

    /// One parameter (DescribeDBParameters, DescribeDBClusterParameters).
    DbParameter {
        /// Join of ours: the parameter group it was read from.
        #[serde(rename = "DBParameterGroupName")]
        db_parameter_group_name: Option<String>,
        /// Name, such as `rds.force_ssl`.
        parameter_name: Option<String>,
        /// Value; missing where the engine's default holds.
        parameter_value: Option<String>,
        /// `user`, `system`, `engine-default`.
        source: Option<String>,
    }
}
