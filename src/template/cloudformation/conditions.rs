//! Conditions: whether they hold, as far as the template decides them.
//!
//! Semantics: CloudFormation Template Reference, "Condition functions".

use super::{document::Node, scope::Scope};
use crate::template::aws::Setting;

/// How long a chain of conditions may be.
const DEEPEST: u32 = 200;

impl Scope<'_> {
    /// Whether a condition holds; `None` where it cannot be told.
    pub(super) fn condition(&self, name: &str) -> Option<bool> {
        if let Some(assumed) = self.assumed(name) {
            return Some(assumed);
        }
        if let Some(known) = self.conditions.borrow().get(name) {
            return *known;
        }
        let node = self.condition_node(name)?;
        // In a circle it cannot be told.
        self.conditions.borrow_mut().insert(name.to_owned(), None);
        if self.depth.get() > DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let holds = self.holds(node);
        self.depth.set(self.depth.get() - 1);
        self.conditions.borrow_mut().insert(name.to_owned(), holds);
        holds
    }

    fn holds(&self, node: &Node) -> Option<bool> {
        match node.entries() {
            [(name, argument)] => self.condition_call(name, argument),
            _ => self.resolve(node).flag().known(),
        }
    }

    pub(super) fn condition_call(&self, name: &str, argument: &Node) -> Option<bool> {
        let mut parts = argument.items().iter().map(|part| self.holds(part));
        match name {
            "Condition" => self.condition(argument.text()?),
            "Fn::Not" => parts.next()?.map(|holds| !holds),
            "Fn::And" => every(&parts.collect::<Vec<_>>(), true),
            "Fn::Or" => every(&parts.collect::<Vec<_>>(), false),
            "Fn::Equals" => {
                let [a, b] = argument.items() else { return None };
                let (a, b) = (self.resolve(a), self.resolve(b));
                let known = a.first_open().is_none() && b.first_open().is_none();
                known.then(|| match (a.text(), b.text()) {
                    (Setting::Open(_), _) | (_, Setting::Open(_)) => a.json() == b.json(),
                    (a, b) => a.known().unwrap_or_default() == b.known().unwrap_or_default(),
                })
            }
            _ => None,
        }
    }
}

/// Whether all parts are so, or one is otherwise: then that decides, whatever is open.
fn every(parts: &[Option<bool>], so: bool) -> Option<bool> {
    if parts.contains(&Some(!so)) {
        return Some(!so);
    }
    parts.iter().all(|part| part.is_some()).then_some(so)
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::with_scope;

    #[test]
    fn what_is_open_decides_nothing_and_undoes_nothing() {
        let text = r#"
Parameters: {Env: {Type: String, Default: prod}, Open: {Type: String}}
Conditions:
  Yes: !Equals [!Ref Env, prod]
  Open: !Equals [!Ref Open, x]
  NoneOpen: !And [!Condition Yes, !Condition Open]
  Never: !And [!Condition Open, !Not [!Condition Yes]]
  Always: !Or [!Condition Open, !Condition Yes]
  Round: !Not [!Condition Round]
Resources:
  A: {Type: T, Condition: NoneOpen}
"#;
        with_scope(text, |scope| {
            for (name, holds) in [
                ("Yes", Some(true)),
                ("Open", None),
                ("NoneOpen", None),
                ("Never", Some(false)),
                ("Always", Some(true)),
                ("Round", None),
                ("Nowhere", None),
            ] {
                assert_eq!(scope.condition(name), holds, "{name}");
            }
            let made = scope.where_made(&scope.resources()[0]);
            assert_eq!(made.condition("Open"), Some(true), "what it implies holds too");
        });
    }
}
