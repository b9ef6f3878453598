//! What a caller may see: the policies that restrict them, resolved to conditions with their claims filled in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Caller;
use crate::{
    expr::{BinaryOp, Expr},
    model::{
        DimensionId, EntityId, Model, Policy,
        access::{PolicyPeers, PolicyRef},
        path::PathDimension,
    },
    value::Value,
};

/// The policies of one caller.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Access {
    /// Per entity the conditions under which its rows exist, over dimensions reached from it.
    pub rows: BTreeMap<EntityId, Vec<Expr<PathDimension>>>,
    /// Dimensions that do not exist.
    pub hidden: BTreeSet<DimensionId>,
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
    /// Selects the policies that restrict a caller and fills in their claims. A claim that is missing makes its condition false.
    pub fn of(model: &Model, caller: &Caller) -> Self {
        let mut access = Self { today: caller.today, ..Self::default() };
        let applying = || model.policies.iter().filter(|policy| applies(policy, caller));
        for policy in applying() {
            access.add_rows(policy, caller);
            let id = |index: &_| DimensionId { entity: policy.entity, index: *index };
            access.hidden.extend(policy.hide.iter().map(id));
            access.masked.extend(policy.mask.iter().map(id));
            access.policies.push(policy.name.clone());
        }
        access.policies.sort();
        if applying().any(|policy| policy.peers == PolicyPeers::Everyone) {
            let mut peers = Self { rows: BTreeMap::new(), ..access.clone() };
            for policy in applying().filter(|policy| policy.peers == PolicyPeers::Visible) {
                peers.add_rows(policy, caller);
            }
            access.peers = Some(Box::new(peers));
        }
        access
    }

    fn add_rows(&mut self, policy: &Policy, caller: &Caller) {
        if let Some(rows) = &policy.rows {
            self.rows.entry(policy.entity).or_default().push(fill_in(rows, caller));
        }
    }

    /// Whether some rows of an entity do not exist for the caller, by its own policies or by those of what its rows belong to.
    pub(crate) fn restricts(&self, model: &Model, entity: EntityId) -> bool {
        self.rows.keys().any(|restricted| *restricted == entity || model.path_between(entity, *restricted).is_some())
    }
}

/// The dimensions that do not exist for a caller: [`Access::hidden`], by itself.
pub fn hidden_from(model: &Model, caller: &Caller) -> BTreeSet<DimensionId> {
    let hides = model.policies.iter().filter(|policy| !policy.hide.is_empty() && applies(policy, caller));
    hides.flat_map(|policy| policy.hide.iter().map(|index| DimensionId { entity: policy.entity, index: *index })).collect()
}

fn applies(policy: &Policy, caller: &Caller) -> bool {
    policy.roles.is_empty() || policy.roles.iter().any(|role| caller.roles.contains(role))
}

/// Replaces claims by their values. Membership in a claim takes all its values; any other use takes its only value, and fails closed
/// when there is not exactly one.
fn fill_in(expr: &Expr<PolicyRef>, caller: &Caller) -> Expr<PathDimension> {
    match expr {
        Expr::In { value, list, negated } => {
            let mut members = Vec::new();
            for item in list {
                match item {
                    Expr::Ref(PolicyRef::Claim(name)) => {
                        members.extend(caller.claims.get(name).into_iter().flatten().cloned().map(Expr::Literal));
                    }
                    other => members.push(fill_in(other, caller)),
                }
            }
            if members.is_empty() {
                return Expr::Literal(Value::Bool(false));
            }
            Expr::In { value: Box::new(fill_in(value, caller)), list: members, negated: *negated }
        }
        Expr::Binary(BinaryOp::Or, left, right) => Expr::binary(BinaryOp::Or, fill_in(left, caller), fill_in(right, caller)),
        Expr::Binary(BinaryOp::And, left, right) => Expr::binary(BinaryOp::And, fill_in(left, caller), fill_in(right, caller)),
        other => other
            .try_map(&mut |reference| match reference {
                PolicyRef::Dimension(dimension) => Ok(Expr::Ref(dimension.clone())),
                PolicyRef::Claim(name) => match caller.claims.get(name).map(Vec::as_slice) {
                    Some([only]) => Ok(Expr::Literal(only.clone())),
                    Some(_) | None => Err(()),
                },
            })
            .unwrap_or(Expr::Literal(Value::Bool(false))),
    }
}
