//! What AWS is to every other room: its command line, and the names of resources,
//! partitions and principals.

pub(crate) mod arn;
pub mod commands;
pub mod limits;
pub(crate) mod partitions;
pub(crate) mod principals;
