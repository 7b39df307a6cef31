//! Quotes at any depth of escaping: where the text inside one ends. What it is
//! a value of is not known here.

/// An opening quote.
pub(super) struct Quote {
    mark: char,
    /// Backslashes before the mark: 0 in plain text, 1 inside a JSON string,
    /// 3 inside a JSON string inside a JSON string.
    depth: usize,
    /// Bytes of the backslashes and the mark.
    pub(super) length: usize,
}

/// The quote that a text begins with.
pub(super) fn opening_quote(text: &str) -> Option<Quote> {
    let depth = text.bytes().take_while(|byte| *byte == b'\\').count();
    let mark = text[depth..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(Quote { mark, depth, length: depth + 1 })
}

impl Quote {
    /// Bytes of content before the closing quote; all of it where none closes.
    ///
    /// At depth d a closing mark follows d backslashes, modulo 2(d+1); an
    /// escaped mark inside the value follows more of them.
    pub(super) fn end_of_content(&self, text: &str) -> usize {
        let period = 2 * (self.depth + 1);
        let mut backslashes = 0;
        let mut doubled = None;
        for (index, c) in text.char_indices() {
            if doubled.is_some_and(|end| index < end) {
                continue;
            }
            if c == '\\' {
                backslashes += 1;
            } else {
                if c == self.mark && backslashes % period == self.depth {
                    // SQL writes a quote inside quotes twice.
                    let next = opening_quote(&text[index + 1..])
                        .filter(|next| next.mark == self.mark && next.depth == self.depth);
                    if let Some(next) = next {
                        doubled = Some(index + 1 + next.length);
                        backslashes = 0;
                        continue;
                    }
                    return index - self.depth;
                }
                // Fewer than an escaped mark needs: an outer string ends here.
                if c == self.mark && backslashes < self.depth {
                    return index - backslashes;
                }
                backslashes = 0;
            }
        }
        text.len()
    }
}
