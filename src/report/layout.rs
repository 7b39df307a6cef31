//! How wide and how detailed a text report is.

/// How the text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Everything, not only what decides.
    pub verbose: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: 80, verbose: false }
    }
}
