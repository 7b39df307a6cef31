//! The layers that only filter: SCPs, level by level, and the policy of the VPC endpoint.

use std::sync::Arc;

use super::{
    allowed::Allowed,
    decision::Doubt,
    document::Policy,
    judge::Judge,
    near_miss::NearMiss,
    request::{Layer, Part, Policies},
    statement::Reading,
    tri::Tri,
};

/// One thing that has to say yes.
pub(super) struct LayerAnswer<'a> {
    pub(super) value: Tri,
    pub(super) layer: Layer,
    pub(super) doubts: Vec<Doubt>,
    pub(super) miss: Option<NearMiss<'a>>,
}

impl<'a> Judge<'a> {
    /// Every level of an organisation has to allow.
    pub(super) fn levels(&self, levels: Option<&'a [Policies]>) -> Option<LayerAnswer<'a>> {
        let (layer, reading) = (Layer::Scp, Reading::Identity);
        let mut worst: Option<LayerAnswer<'a>> = None;
        for level in levels.unwrap_or_default() {
            let allowed = self.allowed(level, reading);
            let value = allowed.value();
            if worst.as_ref().is_none_or(|worst| value < worst.value) {
                worst = Some(self.filter(layer, reading, &allowed, level));
            }
        }
        worst
    }

    /// The endpoint's policy has to allow, where the call goes through one.
    pub(super) fn endpoint(&self) -> Option<LayerAnswer<'a>> {
        let reading = Reading::Filter;
        let (allowed, policies) = match &self.layers.endpoint {
            Part::Absent => return None,
            Part::Given(policies) if policies.is_empty() => return None,
            Part::Given(policies) => (self.allowed(policies, reading), policies.as_slice()),
            Part::Unseen(unseen) => {
                (Allowed { unseen: Some(unseen), ..Allowed::default() }, &[][..])
            }
        };
        Some(self.filter(Layer::Endpoint, reading, &allowed, policies))
    }

    /// A layer that only filters.
    fn filter(
        &self,
        layer: Layer,
        reading: Reading,
        allowed: &Allowed<'_>,
        policies: &'a [Arc<Policy>],
    ) -> LayerAnswer<'a> {
        let value = allowed.value();
        if value == Tri::Yes {
            return LayerAnswer { value, layer, doubts: Vec::new(), miss: None };
        }
        let doubts = self.doubts(layer, reading, allowed);
        LayerAnswer { value, layer, doubts, miss: self.miss_in(layer, policies, reading) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{sample::*, *};

    #[test]
    fn every_level_of_an_organisation_has_to_allow() {
        let decided = |scps: Vec<Policies>, rcps: Vec<Policies>, principal: &str| {
            let mut ask = request(
                "lambda:InvokeFunction",
                "arn:aws:lambda:eu-west-1:111122223333:function:f",
            );
            ask.principal = Principal::read(principal, &ask.context);
            let layers = Layers {
                identity: vec![own("I Allow * *")],
                resource: on_resource(
                    "R Allow lambda:InvokeFunction *",
                    json!({"Service": "secretsmanager.amazonaws.com"}),
                ),
                scps: Some(scps),
                rcps: Some(rcps),
                ..Layers::default()
            };
            line(&decide(&ask, &layers))
        };
        let full = || vec![own("Full Allow * *")];
        let some = || vec![own("Some Allow kms:* *")];
        let service = "secretsmanager.amazonaws.com";
        assert_eq!(decided(vec![full(), full()], vec![full()], SESSION), "identity allow I");
        assert_eq!(decided(vec![full(), some()], vec![], SESSION), "scp near_miss Some Action");
        assert_eq!(decided(vec![full(), vec![]], vec![], SESSION), "scp absent");
        assert_eq!(decided(vec![some()], vec![], service), "resource allow R");
        assert_eq!(
            decided(vec![vec![own("D Deny * *")]], vec![full()], service),
            "resource allow R"
        );
        assert_eq!(decided(vec![full()], vec![vec![own("D Deny * *")]], service), "rcp deny D");
    }

    #[test]
    fn an_endpoint_policy_filters() {
        let ask = request("secretsmanager:GetRandomPassword", "*");
        let decided = |endpoint: Part<Policies>| {
            let identity = vec![own("I Allow secretsmanager:* *")];
            line(&decide(&ask, &Layers { identity, endpoint, ..Layers::default() }))
        };
        let given = |line: &str, principal| on_resource(line, principal);
        assert_eq!(decided(given("V Allow * *", json!("*"))), "identity allow I");
        assert_eq!(decided(given("V Allow * *", json!({"AWS": ROOT}))), "identity allow I");
        let only = format!("V Allow secretsmanager:* {SECRET}");
        assert_eq!(decided(given(&only, json!("*"))), "vpce near_miss V Resource");
        assert_eq!(
            decided(given("V Allow * *", json!({"AWS": "444455556666"}))),
            "vpce near_miss V Principal"
        );
        assert_eq!(decided(given("V Deny * *", json!("*"))), "vpce deny V");
        assert_eq!(decided(Part::Given(vec![policy(&[])])), "vpce absent");
        assert_eq!(decided(Part::Given(vec![])), "identity allow I");
    }
}
