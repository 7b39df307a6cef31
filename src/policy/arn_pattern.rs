//! Patterns on ARNs: entries of `Resource` and `NotResource`, and the values of `ArnLike`,
//! matched part by part.
//!
//! Semantics: IAM User Guide, "IAM JSON policy elements: Resource" and "Amazon
//! Resource Name condition operators".

use super::{
    context::Context,
    pattern::{self, Pattern, Piece},
    tri::Tri,
};
use crate::aws::arn::Arn;

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
    /// The parts of an ARN: partition, service, region, account, resource.
    Parts(Box<[Pattern; 5]>),
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
        Kind::Parts(Box::new([part(0), part(1), part(2), part(3), part(4)]))
    }

    /// Whether it covers a resource. A request without a resource (`*`) is
    /// covered by `*` alone.
    pub(super) fn covers(&self, resource: &str, arn: Option<&Arn<'_>>, context: &Context) -> Tri {
        let patterns = match &self.kind {
            Kind::Everything => return Tri::Yes,
            Kind::Nothing => return Tri::No,
            Kind::Parts(patterns) => patterns,
        };
        // Most patterns are decided by their beginning.
        let Some(arn) = arn.filter(|_| resource.starts_with(&self.text[..self.plain])) else {
            return Tri::No;
        };
        let [partition, service, region, account, resource] = patterns.as_ref();
        if !(account.matches(arn.account)
            && region.matches(arn.region)
            && service.matches(arn.service)
            && partition.matches(arn.partition))
        {
            return Tri::No;
        }
        resource.matches_in(arn.resource, context)
    }
}

/// `ArnLike`: six parts against six parts; a wildcard stays within its part. A
/// lone `*` is taken as any ARN.
pub(super) fn like(pieces: &[Piece], value: &str) -> bool {
    let Some(arn) = Arn::parse(value) else { return false };
    if pieces == [Piece::Run] {
        return true;
    }
    let mut rest = pieces;
    for part in ["arn", arn.partition, arn.service, arn.region, arn.account] {
        let Some(colon) = rest.iter().position(|piece| *piece == Piece::Char(':')) else {
            return false;
        };
        if !pattern::matches(&rest[..colon], part, false) {
            return false;
        }
        rest = &rest[colon + 1..];
    }
    pattern::matches(rest, arn.resource, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";

    fn covers(pattern: &str, resource: &str) -> bool {
        ResourcePattern::read(pattern, true).covers(
            resource,
            Arn::parse(resource).as_ref(),
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
}
