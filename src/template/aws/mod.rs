//! What AWS does with a declaration, whatever format it is written in: the defaults that
//! it fills in, the resources that come with others, and the functions that it vends.

pub(crate) mod acls;
pub(crate) mod databases;
pub(crate) mod functions;
pub(crate) mod keys;
pub(crate) mod permissions;
mod place;
pub(crate) mod policies;
pub(crate) mod routes;
pub(crate) mod rules;
pub(crate) mod secrets;
mod setting;
pub(crate) mod vended;
pub(crate) mod vpcs;

pub(crate) use self::{
    place::Place,
    setting::{Open, Setting},
};
