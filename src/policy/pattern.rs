//! Text patterns of policies: `*`, `?` and `${variables}`.
//!
//! Semantics: IAM User Guide, "Resource" and "Variables and tags".

use std::borrow::Cow;

use super::{
    context::{Context, Known},
    tri::Tri,
};

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This character.
    Char(char),
    /// `*`: any run of characters, also none.
    Run,
    /// `?`: exactly one character.
    One,
    /// `${key}` or `${key, 'default'}`.
    Variable { key: String, default: Option<String> },
}

/// A pattern, cut into pieces once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    variables: bool,
    /// The plain text that it begins with: most patterns are decided by it.
    prefix: String,
    /// How many pieces that is.
    plain: usize,
}

/// A pattern whose variables have their values.
pub(super) enum Resolved<'a> {
    /// Ready to match.
    Pieces(Cow<'a, [Piece]>),
    /// A variable has no value in this request: the pattern matches nothing.
    Unresolved,
    /// It cannot be told what a variable stands for.
    Unknown,
}

impl Pattern {
    /// A pattern in which `*` and `?` are wildcards (`wild`) or themselves, and
    /// `${…}` is a variable (`variables`: Version 2012-10-17) or itself.
    pub(super) fn new(text: &str, wild: bool, variables: bool) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut has_variables = false;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if variables && let Some((piece, after)) = variable(rest) {
                has_variables |= matches!(piece, Piece::Variable { .. });
                pieces.push(piece);
                rest = after;
                continue;
            }
            match first {
                // A run of runs is one run: it keeps matching bounded.
                '*' if wild && pieces.last() == Some(&Piece::Run) => {}
                '*' if wild => pieces.push(Piece::Run),
                '?' if wild => pieces.push(Piece::One),
                other => pieces.push(Piece::Char(other)),
            }
            rest = &rest[first.len_utf8()..];
        }
        let prefix: String = pieces
            .iter()
            .map_while(|piece| match piece {
                Piece::Char(plain) => Some(*plain),
                _ => None,
            })
            .collect();
        let plain = prefix.chars().count();
        Self { pieces, variables: has_variables, prefix, plain }
    }

    /// With the values of this request in place of the variables. A value is
    /// taken literally: a `*` in it is no wildcard.
    pub(super) fn resolve(&self, context: &Context) -> Resolved<'_> {
        if !self.variables {
            return Resolved::Pieces(Cow::Borrowed(&self.pieces));
        }
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let Piece::Variable { key, default } = piece else {
                pieces.push(piece.clone());
                continue;
            };
            // Condition keys have a colon. What has none stands for a value that a
            // template leaves open.
            if !key.contains(':') {
                return Resolved::Unknown;
            }
            let value = match (context.get(key), default) {
                (Known::Values([one]), _) => one,
                (Known::Absent, Some(default)) => default,
                // A key with several values cannot be a variable.
                (Known::Absent | Known::Values(_), _) => return Resolved::Unresolved,
                (Known::Present | Known::AbsentOr(_) | Known::Unknown, _) => {
                    return Resolved::Unknown;
                }
            };
            pieces.extend(value.chars().map(Piece::Char));
        }
        Resolved::Pieces(Cow::Owned(pieces))
    }

    /// Whether it is nothing but `*`.
    pub(super) fn is_run(&self) -> bool {
        self.pieces == [Piece::Run]
    }

    /// Whether it matches, for a pattern without variables.
    pub(super) fn matches(&self, text: &str) -> bool {
        text.strip_prefix(&self.prefix)
            .is_some_and(|rest| matches(&self.pieces[self.plain..], rest, false))
    }

    /// Whether it matches, with the values of this request for its variables.
    pub(super) fn matches_in(&self, text: &str, context: &Context) -> Tri {
        if !text.starts_with(&self.prefix) {
            return Tri::No;
        }
        match self.resolve(context) {
            Resolved::Pieces(Cow::Borrowed(_)) => self.matches(text).into(),
            Resolved::Pieces(pieces) => matches(&pieces, text, false).into(),
            Resolved::Unresolved => Tri::No,
            Resolved::Unknown => Tri::Unknown,
        }
    }
}

/// Reads one `${…}` at the start of the text; `None` where there is none.
fn variable(text: &str) -> Option<(Piece, &str)> {
    let inner = text.strip_prefix("${")?;
    let end = inner.find('}')?;
    let (body, after) = (inner[..end].trim(), &inner[end + 1..]);
    let piece = match body {
        "*" | "?" | "$" => Piece::Char(body.chars().next()?),
        "" => return None,
        _ => {
            let (key, default) = match body.split_once(',') {
                Some((key, default)) => {
                    let default = default.trim();
                    let quoted = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
                    (key.trim(), Some(quoted.unwrap_or(default).to_owned()))
                }
                None => (body, None),
            };
            Piece::Variable { key: key.to_lowercase(), default }
        }
    };
    Some((piece, after))
}

/// Whether the pieces match the whole text; `fold` ignores case. Greedy with
/// one point to go back to, so the time is bounded by the product of the lengths.
pub(super) fn matches(pieces: &[Piece], text: &str, fold: bool) -> bool {
    walk(pieces, text, fold, || {})
}

/// [`matches`], telling each step that it takes.
fn walk(pieces: &[Piece], text: &str, fold: bool, mut step_taken: impl FnMut()) -> bool {
    let (mut at, mut rest) = (0, text);
    let mut back: Option<(usize, &str)> = None;
    loop {
        step_taken();
        let next = rest.chars().next();
        let step = match (pieces.get(at), next) {
            (None, None) => return true,
            (Some(Piece::Run), _) => {
                at += 1;
                if at == pieces.len() {
                    return true;
                }
                back = Some((at, rest));
                continue;
            }
            (Some(Piece::One), Some(_)) => true,
            (Some(Piece::Char(wanted)), Some(found)) => {
                *wanted == found || (fold && wanted.to_lowercase().eq(found.to_lowercase()))
            }
            // Text is left over, or used up before the pattern.
            (_, None) => return false,
            _ => false,
        };
        if step {
            at += 1;
            rest = after_first(rest);
            continue;
        }
        let Some((piece, from)) = back else { return false };
        if from.is_empty() {
            return false;
        }
        let from = after_first(from);
        (at, rest, back) = (piece, from, Some((piece, from)));
    }
}

fn after_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::{super::context::Context, *};

    fn wild(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, true, false).matches(text)
    }

    fn resolved(pattern: &str, text: &str, context: &Context) -> Option<bool> {
        match Pattern::new(pattern, true, true).resolve(context) {
            Resolved::Pieces(pieces) => Some(matches(&pieces, text, false)),
            _ => None,
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("a*", "a", true),
            ("a?", "a", false),
            ("a??", "abc", true),
            ("*b*d", "abcbd", true),
            ("*b*d", "abcbde", false),
            ("ä?ü", "äöü", true),
            ("", "", true),
            ("", "x", false),
            ("**", "", true),
            ("a*b", "ab", true),
            ("a*?", "a", false),
        ] {
            assert_eq!(wild(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!Pattern::new("a*", false, false).matches("ab"), "exact takes * as itself");
    }

    #[test]
    fn hostile_patterns_stay_bounded() {
        let steps = |pattern: &str, text: &str| {
            let pattern = Pattern::new(pattern, true, false);
            let mut steps = 0_usize;
            let matched = walk(&pattern.pieces, text, false, || steps += 1);
            let most = (pattern.pieces.len() + 1) * (text.chars().count() + 1);
            assert!(steps <= most, "{steps} steps, {most} at most");
            (matched, steps)
        };
        let text = "a".repeat(2_000);
        assert!(!steps(&("*a".repeat(2_000) + "b"), &text).0);
        assert!(!steps(&("*a".repeat(20) + "b"), &text).0);
        assert!(!steps(&format!("*{}b", "a".repeat(1_000)), &text).0);
        assert!(!steps(&"*?a*?b".repeat(200), &text).0);
        assert!(steps(&("*a".repeat(1_000) + "*"), &text).0);
        let (matched, steps) = steps(&"*".repeat(1_000_000), "x");
        assert!(matched && steps == 1, "a run of stars is one");
    }

    #[test]
    fn variables_are_literal_trimmed_and_may_have_defaults() {
        let mut context = Context::default();
        context.set("aws:PrincipalTag/env", "pr*d");
        context.set_list("aws:TagKeys", ["a", "b"]);
        assert_eq!(resolved("x/${aws:principaltag/ENV}/*", "x/pr*d/y", &context), Some(true));
        assert_eq!(resolved("x/${aws:PrincipalTag/env}", "x/prod", &context), Some(false));
        assert_eq!(resolved("${ aws:PrincipalTag/env }", "pr*d", &context), Some(true));
        assert_eq!(resolved("${aws:PrincipalTag/no, 'd v'}", "d v", &context), Some(true));
        assert_eq!(resolved("${aws:PrincipalTag/env, 'dev'}", "pr*d", &context), Some(true));
        assert_eq!(resolved("${aws:PrincipalTag/no}", "", &context), None);
        assert_eq!(resolved("${aws:TagKeys}", "a", &context), None);
        assert_eq!(resolved("a${*}${?}${$}", "a*?$", &context), Some(true));
        assert_eq!(resolved("a${*}", "abc", &context), Some(false));
        assert_eq!(resolved("${open", "${open", &context), Some(true));
    }
}
