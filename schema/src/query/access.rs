//! What a caller may see: the policies that restrict them, resolved to conditions with their claims filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use jiff::civil::Date;

use super::{
    Caller,
    telling::{facts_of, leads_to, relationships_that_tell, shows_way},
};
use crate::{
    expr::{
        BinaryOp, Expr,
        types::{self, Meaning},
    },
    model::{
        DimensionId, EntityId, MetricId, Model, Policy, RelationshipId, Rule, Segment, View, ViewDimension, ViewTarget,
        access::{PolicyPeers, PolicyRef},
        path::PathDimension,
    },
    source::{FileId, Span},
    value::{Value, ValueType},
};

/// The policies of one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Access {
    /// Per entity the conditions under which its rows exist, over dimensions reached from it.
    pub rows: BTreeMap<EntityId, Vec<Expr<PathDimension>>>,
    /// Dimensions that do not exist.
    pub hidden: BTreeSet<DimensionId>,
    /// Relationships that do not exist: they would tell what is hidden or masked.
    pub hidden_relationships: BTreeSet<RelationshipId>,
    /// Metrics that do not exist. What is computed from them may.
    pub hidden_metrics: BTreeSet<MetricId>,
    /// Dimensions that are always null.
    pub masked: BTreeSet<DimensionId>,
    /// Names of the policies, sorted.
    pub policies: Vec<String>,
    /// The day on which `rows` are decided.
    pub today: Date,
    /// What holds where an entity is compared with its peers, when more of them count than are there.
    pub peers: Option<Box<Access>>,
}

impl Access {
    /// Selects the policies that restrict a caller and fills in their claims. A claim that is missing or does not fit makes its condition
    /// false.
    pub fn of(model: &Model, caller: &Caller) -> Self {
        let mut access = Self { today: caller.today, ..Self::default() };
        let applying = || model.policies.iter().filter(|policy| applies(&policy.roles, caller));
        let Hidden { dimensions, relationships, metrics, rules: _ } = hidden_from(model, caller);
        access.hidden = dimensions;
        access.hidden_relationships = relationships;
        access.hidden_metrics = metrics;
        for policy in applying() {
            access.add_rows(model, policy, caller);
            let id = |index: &_| DimensionId { entity: policy.entity, index: *index };
            access.masked.extend(policy.mask.iter().map(id));
            access.policies.push(policy.name.clone());
        }
        let about_metrics = model.metric_policies.iter().filter(|policy| applies(&policy.roles, caller));
        access.policies.extend(about_metrics.map(|policy| policy.name.clone()));
        access.policies.sort();
        if applying().any(|policy| policy.peers == PolicyPeers::Everyone) {
            let mut peers = Self { rows: BTreeMap::new(), ..access.clone() };
            for policy in applying().filter(|policy| policy.peers == PolicyPeers::Visible) {
                peers.add_rows(model, policy, caller);
            }
            access.peers = Some(Box::new(peers));
        }
        access
    }

    fn add_rows(&mut self, model: &Model, policy: &Policy, caller: &Caller) {
        if let Some(rows) = &policy.rows {
            self.rows.entry(policy.entity).or_default().push(fill_in(model, rows, caller));
        }
    }

    /// Names of the policies that an answer made of these entities can depend on: those about what is read or what its rows belong to,
    /// and those about metrics.
    pub(crate) fn applied(&self, model: &Model, scanned: &BTreeSet<EntityId>) -> Vec<String> {
        let is_concerned = |policy: &Policy| {
            scanned.iter().any(|entity| *entity == policy.entity || model.path_between(*entity, policy.entity).is_some())
        };
        let spared: BTreeSet<&str> =
            model.policies.iter().filter(|policy| !is_concerned(policy)).map(|policy| policy.name.as_str()).collect();
        self.policies.iter().filter(|name| !spared.contains(name.as_str())).cloned().collect()
    }

    /// Whether some rows of an entity do not exist for the caller, by its own policies or by those of what its rows belong to.
    pub(crate) fn restricts(&self, model: &Model, entity: EntityId) -> bool {
        self.rows.keys().any(|restricted| *restricted == entity || model.path_between(entity, *restricted).is_some())
    }
}

/// What does not exist for a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Hidden {
    /// Dimensions.
    pub dimensions: BTreeSet<DimensionId>,
    /// Relationships by columns that hidden or masked dimensions are read from, and what is grouped or chosen along them.
    pub relationships: BTreeSet<RelationshipId>,
    /// Metrics, and with them the rules about them.
    pub metrics: BTreeSet<MetricId>,
    /// Names of further rules.
    pub rules: BTreeSet<String>,
}

impl Hidden {
    /// Whether everything exists.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty() && self.relationships.is_empty() && self.metrics.is_empty() && self.rules.is_empty()
    }

    /// Whether a rule exists: its metric does, and no policy leaves it out.
    pub fn shows_rule(&self, rule: &Rule) -> bool {
        !self.metrics.contains(&rule.metric) && !self.rules.contains(&rule.name)
    }

    /// Whether a view exists: one of its metrics does.
    pub fn shows_view(&self, view: &View) -> bool {
        shows_view(view, &self.metrics)
    }

    /// Whether a dimension of a view exists, and no fact of the view's metrics would lead to it by what is hidden.
    pub fn shows_dimension(&self, model: &Model, view: &View, dimension: &ViewDimension) -> bool {
        if let ViewTarget::Dimension(id) = dimension.target
            && self.dimensions.contains(&id)
        {
            return false;
        }
        let facts = || facts_of(model, view.metrics.iter().filter(|metric| !self.metrics.contains(metric)));
        self.relationships.is_empty() || shows_way(model, &facts(), dimension, &self.relationships)
    }

    /// Whether a segment exists: it does not choose by what is hidden.
    pub fn shows_segment(&self, segment: &Segment) -> bool {
        !segment.reads(&self.dimensions) && !segment.follows(&self.relationships)
    }

    /// Whether each row of a fact belongs to one row of an entity, by nothing that is hidden.
    pub fn leads_to(&self, model: &Model, fact: EntityId, entity: EntityId) -> bool {
        leads_to(model, fact, entity, &self.relationships)
    }
}

/// A view is there for its metrics.
pub(super) fn shows_view(view: &View, hidden_metrics: &BTreeSet<MetricId>) -> bool {
    hidden_metrics.is_empty() || view.metrics.iter().any(|metric| !hidden_metrics.contains(metric))
}

/// What does not exist for a caller: of [`Access`], what names speak of.
pub fn hidden_from(model: &Model, caller: &Caller) -> Hidden {
    let mut hidden = Hidden::default();
    let mut taken = BTreeSet::new();
    for policy in model.policies.iter().filter(|policy| applies(&policy.roles, caller)) {
        let id = |index: &_| DimensionId { entity: policy.entity, index: *index };
        hidden.dimensions.extend(policy.hide.iter().map(id));
        taken.extend(policy.hide.iter().chain(&policy.mask).map(id));
    }
    hidden.relationships = relationships_that_tell(model, &taken);
    for policy in model.metric_policies.iter().filter(|policy| applies(&policy.roles, caller)) {
        // What is not in one of the lists does not exist, so lists intersect.
        if let Some(listed) = &policy.rules {
            hidden.rules.extend(model.rules.iter().map(|rule| &rule.name).filter(|name| !listed.contains(*name)).cloned());
        }
        hidden.metrics.extend(model.metric_ids().map(|(id, _)| id).filter(|id| !policy.metrics.contains(id)));
    }
    if !hidden.relationships.is_empty() {
        // Which row a signal is of would be told.
        let is_of = |rule: &&Rule| model.metric(rule.metric).facts.iter().all(|fact| hidden.leads_to(model, *fact, rule.per));
        let untold: Vec<_> = model.rules.iter().filter(|rule| !is_of(rule)).map(|rule| rule.name.clone()).collect();
        hidden.rules.extend(untold);
    }
    hidden
}

fn applies(roles: &[String], caller: &Caller) -> bool {
    roles.is_empty() || roles.iter().any(|role| caller.roles.contains(role))
}

/// Replaces claims by their values. Membership in a claim takes all its values; any other use takes its only value. A condition that
/// has no such value, or one that is not of the type of what it is compared with, is false: claims come from outside, and must
/// neither open a row by being odd nor fail a statement.
fn fill_in(model: &Model, expr: &Expr<PolicyRef>, caller: &Caller) -> Expr<PathDimension> {
    match expr {
        Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
            Expr::binary(*op, fill_in(model, left, caller), fill_in(model, right, caller))
        }
        leaf => condition(model, leaf, caller).unwrap_or(Expr::Literal(Value::Bool(false))),
    }
}

/// One condition with the claims in it; `None` when they do not fit it.
fn condition(model: &Model, expr: &Expr<PolicyRef>, caller: &Caller) -> Option<Expr<PathDimension>> {
    let filled = match expr {
        Expr::In { value, list, negated } => {
            let mut members = Vec::new();
            for item in list {
                match item {
                    Expr::Ref(PolicyRef::Claim(name)) => {
                        let values = caller.claims.get(name).map_or(&[][..], Vec::as_slice);
                        // Of a list of exceptions nothing may be missing: what is not known to be one would be let through.
                        if *negated && values.is_empty() {
                            return None;
                        }
                        members.extend(values.iter().cloned().map(Expr::Literal));
                    }
                    other => members.push(with_single_claims(model, other, caller)?),
                }
            }
            if members.is_empty() {
                return None;
            }
            Expr::In { value: Box::new(with_single_claims(model, value, caller)?), list: members, negated: *negated }
        }
        other => with_single_claims(model, other, caller)?,
    };
    let (checked, known) = types::check(&filled).ok()?;
    if known.is_some_and(|known| known != ValueType::Bool) {
        return None;
    }
    checked.try_map(&mut |meaning| Ok::<_, Infallible>(Expr::Ref(meaning.to.clone()))).ok()
}

/// References with their types, claims as constants; `None` when a claim has not exactly one value.
fn with_single_claims(model: &Model, expr: &Expr<PolicyRef>, caller: &Caller) -> Option<Expr<Meaning<PathDimension>>> {
    let replaced = expr.try_map(&mut |reference| match reference {
        PolicyRef::Dimension(to) => {
            let value_type = Some(model.dimension(to.dimension).value_type);
            Ok(Expr::Ref(Meaning { to: to.clone(), value_type, span: NOWHERE }))
        }
        PolicyRef::Claim(name) => match caller.claims.get(name).map(Vec::as_slice) {
            Some([only]) => Ok(Expr::Literal(only.clone())),
            Some(_) | None => Err(()),
        },
    });
    replaced.ok()
}

/// Mismatches of claims are not shown to anybody.
const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    /// The condition that a policy leaves of `rows` for a caller with a claim `c`.
    fn rows(rows: &str, claim: &[Value]) -> Expr<PathDimension> {
        let text = format!(
            "project: p\nversion: 1\n---\nentity: account\nsource: account\nkey: account_id\ndimensions: {{account_id: string, \
             region: string, seats: int, arr: decimal, since: date}}\n---\npolicies: {{own: {{applies_to: account, rows: \"{rows}\"}}}}\n"
        );
        let (model, diagnostics) = crate::load(SourceMap::new([("test.yaml".to_owned(), text)]));
        let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
        let claims = BTreeMap::from([("c".to_owned(), claim.to_vec())]);
        let access = Access::of(&model, &Caller { claims, ..Caller::default() });
        access.rows.into_values().next().expect("one entity is restricted").remove(0)
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    const NOTHING: Expr<PathDimension> = Expr::Literal(Value::Bool(false));

    #[test]
    fn a_claim_that_is_missing_or_of_another_type_makes_its_condition_false() {
        let (emea, five, yes) = (text("emea"), Value::Int(5), Value::Bool(true));
        for (condition, claim) in [
            ("region in claims.c", vec![]),
            ("region in claims.c", vec![five.clone()]),
            ("region in claims.c", vec![emea.clone(), five.clone()]),
            ("region = claims.c", vec![yes.clone()]),
            ("region = claims.c", vec![emea.clone(), text("apac")]),
            ("region not in claims.c", vec![]),
            ("region not in ('x', claims.c)", vec![]),
            ("region not in claims.c", vec![five.clone()]),
            ("not region = claims.c", vec![five.clone()]),
            ("claims.c in ('emea', 'apac')", vec![]),
            ("claims.c in ('emea', 'apac')", vec![five.clone()]),
            ("seats = claims.c", vec![text("5")]),
            ("since = claims.c", vec![text("yesterday")]),
            ("claims.c", vec![emea.clone()]),
            ("claims.other = 1", vec![five.clone()]),
        ] {
            assert_eq!(rows(condition, &claim), NOTHING, "{condition} with {claim:?}");
        }
    }

    #[test]
    fn a_condition_that_does_not_fit_leaves_its_neighbours_alone() {
        let Expr::Binary(BinaryOp::Or, left, right) = rows("region in claims.c or seats = 1", &[Value::Int(5)]) else {
            panic!("the alternatives are kept");
        };
        assert_eq!(*left, NOTHING);
        assert!(matches!(*right, Expr::Binary(BinaryOp::Equal, ..)), "{right:?}");
    }

    #[test]
    fn claims_that_fit_become_constants_of_the_type_they_meet() {
        let constants = |condition: &str, claim: &[Value]| match rows(condition, claim) {
            Expr::In { list, .. } => list,
            Expr::Binary(_, _, right) => vec![*right],
            other => vec![other],
        };
        let day = "2025-01-31".parse().expect("a day");
        for (condition, claim, expected) in [
            ("region in claims.c", vec![text("emea"), text("apac")], vec![text("emea"), text("apac")]),
            ("region = claims.c", vec![text("emea")], vec![text("emea")]),
            ("seats in claims.c", vec![Value::Int(5)], vec![Value::Int(5)]),
            ("arr >= claims.c", vec![Value::Int(5)], vec![Value::Int(5)]),
            ("arr >= claims.c", vec![Value::Decimal("0.1".into())], vec![Value::Decimal("0.1".into())]),
            ("since >= claims.c", vec![text("2025-01-31")], vec![Value::Date(day)]),
            ("claims.c", vec![Value::Bool(true)], vec![Value::Bool(true)]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(Expr::Literal).collect();
            assert_eq!(constants(condition, &claim), expected, "{condition}");
        }
    }
}
