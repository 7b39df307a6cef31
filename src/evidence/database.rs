//! RDS: instances, clusters and their parameters.

use super::value::items_of_no_vpc;
use super::{Tag, Time, shape::shapes};

shapes! {
    /// The database as the caller named it (`--db`).
    NamedDatabase {
        /// Host name or address.
        host: String,
        port: u16,
    }

    /// DescribeDBInstances.
    DbInstance {
        db_instance_identifier as "DBInstanceIdentifier": Option<String>,
        db_instance_arn as "DBInstanceArn": Option<String>,
        /// `available`, `stopped`, `storage-full`, …
        db_instance_status as "DBInstanceStatus": Option<String>,
        /// Such as `postgres` or `aurora-postgresql`.
        engine: Option<String>,
        engine_version: Option<String>,
        /// Where it listens.
        endpoint: Option<Endpoint>,
        /// Name of the master user.
        master_username: Option<String>,
        /// First database.
        db_name as "DBName": Option<String>,
        /// The cluster it belongs to.
        db_cluster_identifier as "DBClusterIdentifier": Option<String>,
        publicly_accessible: Option<bool>,
        vpc_security_groups: Vec<VpcSecurityGroupMembership>,
        db_subnet_group as "DBSubnetGroup": Option<DbSubnetGroup>,
        db_parameter_groups as "DBParameterGroups": Vec<DbParameterGroupStatus>,
        /// Server certificate's CA.
        ca_certificate_identifier as "CACertificateIdentifier": Option<String>,
        certificate_details: Option<CertificateDetails>,
        /// The secret that RDS manages for the master user.
        master_user_secret: Option<MasterUserSecret>,
        /// The instance this one replicates.
        read_replica_source_db_instance_identifier as "ReadReplicaSourceDBInstanceIdentifier": Option<String>,
        instance_create_time: Option<Time>,
        tag_list: Vec<Tag>,
        /// Join of ours: the interface of the instance, where it is visible.
        network_interface_id as "_NetworkInterfaceId": Option<String>,
    }

    /// DescribeDBClusters.
    DbCluster {
        db_cluster_identifier as "DBClusterIdentifier": Option<String>,
        db_cluster_arn as "DBClusterArn": Option<String>,
        /// `available`, `stopped`, …
        status: Option<String>,
        engine: Option<String>,
        engine_version: Option<String>,
        endpoint: Option<String>,
        reader_endpoint: Option<String>,
        port: Option<i64>,
        /// Name of the master user.
        master_username: Option<String>,
        /// First database.
        database_name: Option<String>,
        /// Cluster parameter group.
        db_cluster_parameter_group as "DBClusterParameterGroup": Option<String>,
        /// Subnet group, by name.
        db_subnet_group as "DBSubnetGroup": Option<String>,
        vpc_security_groups: Vec<VpcSecurityGroupMembership>,
        db_cluster_members as "DBClusterMembers": Vec<DbClusterMember>,
        /// The secret that RDS manages for the master user.
        master_user_secret: Option<MasterUserSecret>,
        cluster_create_time: Option<Time>,
        tag_list: Vec<Tag>,
    }

    /// Where an instance listens.
    Endpoint {
        address: Option<String>,
        port: Option<i64>,
    }

    /// A security group of a database.
    VpcSecurityGroupMembership {
        vpc_security_group_id: Option<String>,
        /// `active`, …
        status: Option<String>,
    }

    /// Subnet group of an instance.
    DbSubnetGroup {
        db_subnet_group_name as "DBSubnetGroupName": Option<String>,
        vpc_id: Option<String>,
        subnets: Vec<DbSubnet>,
    }

    /// A subnet of a subnet group.
    DbSubnet {
        subnet_identifier: Option<String>,
        /// `Active`, …
        subnet_status: Option<String>,
    }

    /// A parameter group on an instance.
    DbParameterGroupStatus {
        db_parameter_group_name as "DBParameterGroupName": Option<String>,
        /// `in-sync`, `pending-reboot`, …
        parameter_apply_status: Option<String>,
    }

    CertificateDetails {
        ca_identifier as "CAIdentifier": Option<String>,
        /// End of its validity.
        valid_till: Option<Time>,
    }

    /// A master user's secret that RDS manages.
    MasterUserSecret {
        secret_arn: Option<String>,
        /// `creating`, `active`, `rotating`, `impaired`.
        secret_status: Option<String>,
        kms_key_id: Option<String>,
    }

    /// An instance of a cluster.
    DbClusterMember {
        db_instance_identifier as "DBInstanceIdentifier": Option<String>,
        /// Whether it is the writer.
        is_cluster_writer: Option<bool>,
    }

    /// One parameter (DescribeDBParameters, DescribeDBClusterParameters).
    DbParameter {
        /// Join of ours: the parameter group it was read from.
        db_parameter_group_name as "DBParameterGroupName": Option<String>,
        /// Name, such as `rds.force_ssl`.
        parameter_name: Option<String>,
        /// Value; missing where the engine's default holds.
        parameter_value: Option<String>,
        /// `user`, `system`, `engine-default`.
        source: Option<String>,
    }
}

items_of_no_vpc!(DbCluster, DbInstance, DbParameter);
