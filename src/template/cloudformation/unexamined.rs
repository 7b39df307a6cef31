//! Rotations that a template may hold and that cannot be examined: those of nested stacks,
//! macros and loops, and those of a secret that is open. Each is evidence of which
//! everything is open: silence would read as health.

use super::{
    KNOWN_TRANSFORMS, applications,
    document::Node,
    is_rotation,
    scope::{Resource, Scope},
    stack,
};
use crate::{
    evidence::Fact,
    template::{Declared, Draft, Location},
};

/// What a schedule names, and what names it.
const FACTS: [Fact; 6] = [
    Fact::Secret,
    Fact::SecretShape,
    Fact::Function,
    Fact::DBInstances,
    Fact::DBClusters,
    Fact::Stack,
];

/// A rotation that cannot be examined.
pub(super) struct Unexamined<'s, 't> {
    /// What declares it, if a resource does.
    resource: Option<&'s Resource<'t>>,
    reason: String,
}

impl<'s, 't> Unexamined<'s, 't> {
    pub(super) fn of(resource: &'s Resource<'t>, reason: String) -> Self {
        Self { resource: Some(resource), reason }
    }

    /// As evidence.
    pub(super) fn declared(self, scope: &Scope<'_>) -> Declared {
        let mut draft = Draft::default();
        draft.evidence.partition = Some(scope.place.partition().to_owned());
        draft.evidence.region = Some(scope.place.region.clone());
        draft.evidence.account_id = Some(scope.place.account.clone());
        let name = self.resource.map(|one| one.name).unwrap_or_default();
        let at = self.resource.map(|one| one.node.key).unwrap_or_default();
        draft.origins.set_schedule(Location {
            address: name.to_owned(),
            file: scope.settings.file.clone(),
            line: (at.line > 0).then_some(at.line),
            column: (at.line > 0).then_some(at.column),
        });
        for fact in FACTS {
            draft.gap(fact, name, self.reason.as_str());
        }
        draft.finish(scope.settings.captured_at)
    }
}

/// What a template may hold beyond its schedules.
pub(super) fn of_template<'s, 't>(scope: &'s Scope<'t>) -> Vec<Unexamined<'s, 't>> {
    let macros = macros(scope).into_iter().map(|reason| Unexamined {
        resource: None,
        reason: format!("{reason}; it may hold a rotation"),
    });
    let nested = nested(scope).into_iter().map(|one| {
        Unexamined::of(
            one,
            format!("{} ({}) may hold a rotation and was not read", one.name, one.kind),
        )
    });
    macros.chain(nested).collect()
}

/// Macros and loops that may add to the template.
pub(super) fn macros(scope: &Scope<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for name in stack::transforms(scope.root) {
        if !KNOWN_TRANSFORMS.contains(&name.as_str()) {
            found.push(format!("transform {name} may add to the template"));
        }
    }
    let resources = scope.root.get("Resources").map(Node::entries).unwrap_or_default();
    for (name, _) in resources.iter().filter(|(name, _)| name.starts_with("Fn::")) {
        found.push(format!("{name} among the resources was not expanded"));
    }
    if scope.root.get("Fn::Transform").is_some() {
        found.push("Fn::Transform may add to the template".to_owned());
    }
    found
}

/// Resources that create others out of another template.
pub(super) fn nested<'s, 't>(scope: &'s Scope<'t>) -> Vec<&'s Resource<'t>> {
    let creates_more = |one: &&Resource<'_>| {
        one.kind == "AWS::CloudFormation::Stack"
            || one.kind.ends_with("::MODULE")
            || one.kind == applications::APPLICATION && !is_rotation(scope, one)
    };
    let own = scope.resources().iter().filter(|one| scope.file_of(one.name).is_none());
    own.filter(creates_more).collect()
}
