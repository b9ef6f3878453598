//! Whose members are: where owners stand among the columns of members, and when two of them are the same.

use jiff::{Timestamp, civil::date};

use super::{column, key_alias};
use crate::{
    model::path::PathDimension,
    plan::{MovementLeaf, place::identity},
    sql::{
        ast::{Alias, Expr},
        lower::Lowerer,
    },
    value::{Value, ValueType},
};

impl Lowerer<'_> {
    /// Where the owner's key stands among the members' columns.
    pub(in crate::sql::lower) fn owner_positions(&self, movement: &MovementLeaf, members: &[PathDimension]) -> Vec<usize> {
        let model = self.env.model;
        let of = |place: &PathDimension| identity(model, &place.path, place.dimension);
        let is_same = |member: &PathDimension, owner: &PathDimension| {
            member == owner || of(member).is_some_and(|known| of(owner) == Some(known))
        };
        movement
            .owner
            .iter()
            .map(|owner| {
                members
                    .iter()
                    .position(|member| is_same(member, owner))
                    .expect("every movement grain holds its owner: checked when definitions are resolved")
            })
            .collect()
    }

    /// Whether two columns hold the same part of an owner. What has no value in an attribute belongs together.
    pub(in crate::sql::lower) fn same_owner(&self, movement: &MovementLeaf, part: usize, left: Expr, right: Expr) -> Expr {
        let owner = &movement.owner[part];
        match self.is_always_there(movement, owner) {
            true => Expr::equal(left, right),
            false => equal_or_missing(left, right, self.env.model.dimension(owner.dimension).value_type),
        }
    }

    /// Whether a part of an owner is a part of the key of the entity that owns. What is beyond that entity, such as the parent of an
    /// account, may be missing.
    fn is_always_there(&self, movement: &MovementLeaf, part: &PathDimension) -> bool {
        let model = self.env.model;
        let owner = model.entity(movement.measure.entity).movements.as_ref().map(|movements| movements.owner);
        let is_beyond = part.path.iter().any(|hop| Some(hop.entity) == owner);
        let entity = part.dimension.entity;
        Some(entity) == owner && !is_beyond && model.entity(entity).key.contains(&part.dimension.index)
    }

    /// What tells the owners of members apart; never null where attributes make the owner, so that what has none counts as one.
    pub(in crate::sql::lower) fn owner_of(&self, movement: &MovementLeaf, table: &Alias) -> Expr {
        let positions = self.owner_positions(movement, &movement.members);
        let parts: Vec<Expr> = positions.iter().map(|n| column(table, &key_alias(*n))).collect();
        match parts.as_slice() {
            [only] if self.is_always_there(movement, &movement.owner[0]) => only.clone(),
            several => Expr::Call("concat", several.iter().flat_map(with_length).collect()),
        }
    }
}

/// Whether two values are equal or both missing, said in equalities: engines join by those at once, and by `is not distinct from` they
/// compare every two rows.
fn equal_or_missing(left: Expr, right: Expr, value_type: ValueType) -> Expr {
    let nothing = match value_type {
        ValueType::Text => Expr::Word(""),
        ValueType::Int | ValueType::Decimal => Expr::Number(0),
        ValueType::Bool => Expr::Value(Value::Bool(false)),
        ValueType::Date => Expr::Value(Value::Date(date(1970, 1, 1))),
        ValueType::Timestamp => Expr::Value(Value::Timestamp(Timestamp::UNIX_EPOCH)),
    };
    let value = |value: &Expr| {
        // Columns that are read as text may be of a type that knows no empty text.
        let value = if value_type == ValueType::Text { Expr::ToText(Box::new(value.clone())) } else { value.clone() };
        Expr::Call("coalesce", vec![value, nothing.clone()])
    };
    let same_value = Expr::equal(value(&left), value(&right));
    Expr::and(Expr::equal(Expr::is_null(left), Expr::is_null(right)), same_value)
}

/// A part of an owner as text after its length, so that different owners never read alike. Without a value it is the mark alone.
fn with_length(part: &Expr) -> [Expr; 3] {
    let text = Expr::ToText(Box::new(part.clone()));
    let length = Expr::ToText(Box::new(Expr::Call("character_length", vec![text.clone()])));
    [length, Expr::Word("_"), text]
}
