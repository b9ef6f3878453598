//! Any order, any cursor: the condition against sorting in memory.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

type Row = Vec<Value>;

/// Truth in SQL's three values.
fn holds(condition: &Condition<usize>, row: &Row) -> Option<bool> {
    match condition {
        Condition::And(list) => decided(list, row, false),
        Condition::Or(list) => decided(list, row, true),
        Condition::IsNull { field, is_null } => Some((row[*field] == Value::Null) == *is_null),
        Condition::Compare { field, operator, value } => (row[*field] != Value::Null).then(|| match operator {
            Comparator::Equal => row[*field] == *value,
            Comparator::Less => row[*field] < *value,
            Comparator::Greater => row[*field] > *value,
            other => unreachable!("keysets do not use {other:?}"),
        }),
        other => unreachable!("keysets do not use {other:?}"),
    }
}

/// One part with the deciding value decides; one unknown part leaves the rest unknown.
fn decided(list: &[Condition<usize>], row: &Row, deciding: bool) -> Option<bool> {
    let parts: Vec<_> = list.iter().map(|item| holds(item, row)).collect();
    if parts.contains(&Some(deciding)) {
        return Some(deciding);
    }
    (!parts.contains(&None)).then_some(!deciding)
}

fn by(order: &[SortKey<usize>], left: &Row, right: &Row) -> Ordering {
    for key in order {
        let (left, right) = (&left[key.field], &right[key.field]);
        let ordering = match (*left == Value::Null, *right == Value::Null) {
            (true, true) => Ordering::Equal,
            (true, false) if key.nulls == Some(Nulls::First) => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if key.nulls == Some(Nulls::First) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if key.direction == Direction::Descending => right.cmp(left),
            (false, false) => left.cmp(right),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

fn cell() -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 3 => (0i64..3).prop_map(Value::Int)]
}

fn order() -> impl Strategy<Value = Vec<SortKey<usize>>> {
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    let nulls = prop_oneof![Just(Nulls::First), Just(Nulls::Last)];
    prop::collection::vec((direction, nulls), 0..4).prop_map(|parts| {
        let mut order: Vec<_> = parts
            .into_iter()
            .enumerate()
            .map(|(field, (direction, nulls))| SortKey { field, direction, nulls: Some(nulls) })
            .collect();
        order.push(SortKey { field: 3, direction: Direction::Ascending, nulls: None });
        order
    })
}

proptest! {
    #[test]
    fn a_cursor_cuts_the_sorted_list_exactly_behind_and_before_its_row(
        cells in prop::collection::vec([cell(), cell(), cell()], 1..12),
        order in order(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut rows: Vec<Row> =
            cells.into_iter().enumerate().map(|(id, cells)| cells.into_iter().chain([Value::Int(id as i64)]).collect()).collect();
        rows.sort_by(|left, right| by(&order, left, right));
        let at = at.index(rows.len());
        let cursor: Vec<Value> = order.iter().map(|key| rows[at][key.field].clone()).collect();

        let select = |condition: Condition<usize>| -> Vec<Row> {
            rows.iter().filter(|row| holds(&condition, row) == Some(true)).cloned().collect()
        };
        prop_assert_eq!(select(after(&order, &cursor)), rows[at + 1..].to_vec());
        prop_assert_eq!(select(before(&order, &cursor)), rows[..at].to_vec());

        let reversed: Vec<_> = order.iter().map(SortKey::reversed).collect();
        let mut backwards = rows.clone();
        backwards.sort_by(|left, right| by(&reversed, left, right));
        backwards.reverse();
        prop_assert_eq!(backwards, rows);
    }
}
