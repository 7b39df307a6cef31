//! What AWS is to all rooms: its command line.

pub mod commands;
