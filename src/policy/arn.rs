//! ARNs and ARN patterns, segment by segment. What a secret's or a key's ARN
//! means is the hint's and the request's business.
//!
//! Semantics: IAM User Guide, "IAM JSON policy elements: Resource" and "Amazon
//! Resource Name condition operators".

use super::{
    context::Context,
    pattern::{self, Pattern, Piece},
    tri::Tri,
};

/// The six parts of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Service.
    pub service: &'a str,
    /// Region; empty for global resources.
    pub region: &'a str,
    /// Account; empty for some resources.
    pub account: &'a str,
    /// The rest, with its slashes and colons.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN; `None` for any other text.
    pub fn read(text: &'a str) -> Option<Self> {
        let [partition, service, region, account, resource] = parts(text)?[1..].try_into().ok()?;
        Some(Self { partition, service, region, account, resource })
    }
}

/// An ARN's six parts, `arn` included.
pub(super) type Parts<'a> = [&'a str; 6];

/// Cuts an ARN; `None` for any other text, such as `*`.
pub(super) fn parts(text: &str) -> Option<Parts<'_>> {
    let mut parts = text.splitn(6, ':');
    let six =
        [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    (six[0] == "arn").then_some(six)
}

/// An entry of `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(super) struct ResourcePattern {
    /// As it is written.
    pub(super) text: String,
    kind: Kind,
    /// How far its text is plain, without wildcard or variable.
    plain: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `*`.
    Everything,
    /// Six parts.
    Parts(Box<[Pattern; 6]>),
    /// Not an ARN, or one that matches nothing.
    Nothing,
}

impl ResourcePattern {
    /// Reads an entry; variables count only in the sixth part, and only where
    /// the document's version has them.
    pub(super) fn read(text: &str, variables: bool) -> Self {
        let plain = text.find(['*', '?', '$']).unwrap_or(text.len());
        Self { text: text.to_owned(), kind: Self::kind(text, variables), plain }
    }

    fn kind(text: &str, variables: bool) -> Kind {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Kind::Everything;
        }
        let mut given = text.splitn(6, ':');
        let Some("arn") = given.next() else { return Kind::Nothing };
        let rest: Vec<&str> = given.collect();
        // AWS takes no wildcard in the service part.
        if rest.get(1).is_some_and(|service| service.contains(['*', '?'])) {
            return Kind::Nothing;
        }
        // AWS completes an ARN with too few parts by wildcards.
        let part = |index: usize| {
            let text = rest.get(index).copied().unwrap_or("*");
            Pattern::new(text, true, variables && index == 4)
        };
        Kind::Parts(Box::new([
            Pattern::new("arn", false, false),
            part(0),
            part(1),
            part(2),
            part(3),
            part(4),
        ]))
    }

    /// Whether it covers a resource. A request without a resource (`*`) is
    /// covered by `*` alone.
    pub(super) fn covers(
        &self,
        resource: &str,
        parts: Option<&Parts<'_>>,
        context: &Context,
    ) -> Tri {
        let patterns = match &self.kind {
            Kind::Everything => return Tri::Yes,
            Kind::Nothing => return Tri::No,
            Kind::Parts(patterns) => patterns,
        };
        // Most patterns are decided by their beginning.
        let Some(found) = parts.filter(|_| resource.starts_with(&self.text[..self.plain])) else {
            return Tri::No;
        };
        let (first, last) = patterns.split_at(5);
        if !first.iter().zip(found).rev().all(|(pattern, part)| pattern.matches(part)) {
            return Tri::No;
        }
        last[0].matches_in(found[5], context)
    }
}

/// `ArnLike`: six parts against six parts; a wildcard stays within its part. A
/// lone `*` is taken as any ARN.
pub(super) fn like(pieces: &[Piece], value: &str) -> bool {
    let Some(found) = parts(value) else { return false };
    if pieces == [Piece::Run] {
        return true;
    }
    let mut rest = pieces;
    for part in &found[..5] {
        let Some(colon) = rest.iter().position(|piece| *piece == Piece::Char(':')) else {
            return false;
        };
        if !pattern::matches(&rest[..colon], part, false) {
            return false;
        }
        rest = &rest[colon + 1..];
    }
    pattern::matches(rest, found[5], false)
}

/// Whether the ARN ends like a secret's: a hyphen and six letters or digits.
pub(super) fn has_secret_suffix(resource: &str) -> bool {
    resource.rsplit_once('-').is_some_and(|(_, suffix)| {
        suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// A secret's ARN without the six random characters.
pub(super) fn without_secret_suffix(arn: &str) -> &str {
    match arn.rsplit_once('-') {
        Some((name, _)) if has_secret_suffix(arn) => name,
        _ => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";

    fn covers(pattern: &str, resource: &str) -> bool {
        ResourcePattern::read(pattern, true).covers(
            resource,
            parts(resource).as_ref(),
            &Context::default(),
        ) == Tri::Yes
    }

    #[test]
    fn resources_segment_by_segment() {
        for (pattern, expected) in [
            (SECRET, true),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db", false),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????", true),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-?????", false),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/*", true),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/d*", true),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:Prod/*", false),
            ("arn:aws:secretsmanager:*:*:secret:prod/db-*", true),
            ("arn:aws:secretsmanager:eu-*:1111*:*", true),
            ("arn:*:secretsmanager:*:*:*", true),
            ("arn:aws:secretsmanager:::secret:prod/db-AbCdEf", false),
            ("arn:aws:secretsmanager:*:secret:prod/db-*", false),
            ("arn:aws:*:eu-west-1:111122223333:secret:prod/*", false),
            ("arn:aws:secretsmanager:*", true),
            ("arn:aws:secretsmanager", true),
            ("arn:aws:kms", false),
            ("*", true),
            ("", false),
            ("secret:*", false),
            ("arn:aws-cn:secretsmanager:*:*:*", false),
        ] {
            assert_eq!(covers(pattern, SECRET), expected, "{pattern}");
        }
    }

    #[test]
    fn an_action_without_resource_needs_the_star() {
        assert!(covers("*", "*"));
        assert!(!covers(SECRET, "*"));
        assert!(!covers("arn:aws:secretsmanager:*:*:*", "*"));
    }

    #[test]
    fn arn_like_keeps_wildcards_in_their_part() {
        let like = |pattern: &str, value: &str| {
            let pattern = Pattern::new(pattern, true, true);
            match pattern.resolve(&Context::default()) {
                pattern::Resolved::Pieces(pieces) => super::like(&pieces, value),
                _ => false,
            }
        };
        let role = "arn:aws:iam::111122223333:role/rotation/RotRole";
        assert!(like("arn:aws:iam::*:role/*/RotRole", role));
        assert!(like("arn:*:*:*:*:*", role));
        assert!(!like("arn:aws:*:role/rotation/RotRole", role));
        assert!(!like("arn:aws:iam::*:role/RotRole", role));
        assert!(!like("arn:aws:iam::111122223333:role/*", "RotRole"));
        assert!(like("*", role));
    }

    #[test]
    fn secret_suffix() {
        assert!(has_secret_suffix(SECRET));
        assert!(!has_secret_suffix("secret:prod/db"));
        assert!(without_secret_suffix(SECRET).ends_with("prod/db"));
    }
}
