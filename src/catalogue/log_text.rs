//! The table of known log texts: `log_texts.toml`.

/// One known text of a rotation template, the platform, the SDK or a driver.
#[derive(Debug, PartialEq, Eq)]
pub struct LogText {
    /// The text as the table has it.
    pub text: String,
}
