//! Untrusted text (log lines, tags, names) made safe for a terminal.

use std::borrow::Cow;

/// Removes what could steer a terminal or reorder text: control characters
/// (C0, C1, ESC with its sequence's introducer) and bidirectional overrides.
/// Line breaks stay; tabs and no-break spaces become spaces.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unsafe(c) || c == '\t' || c == '\u{a0}') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .filter_map(|c| match c {
                '\t' | '\u{a0}' => Some(' '),
                c if is_unsafe(c) => None,
                c => Some(c),
            })
            .collect(),
    )
}

fn is_unsafe(c: char) -> bool {
    let steers = c.is_control() && c != '\n' && c != '\t';
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    steers || reorders || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::for_terminal;

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(for_terminal("\u{1b}[31mred\u{1b}[0m\u{7}\r"), "[31mred[0m");
        assert_eq!(for_terminal("a\u{202e}b\u{9b}31mc"), "ab31mc");
        assert_eq!(for_terminal("a\tb\u{a0}c\nd"), "a b c\nd");
        assert!(matches!(for_terminal("plain — ünï"), std::borrow::Cow::Borrowed(_)));
    }
}
