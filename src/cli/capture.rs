//! `rotdoctor capture`.
