//! M080, M081, M082: rows of a fixture are of tables that an entity reads, in columns that it knows, with values that their type can
//! hold; anything else would be rows that nobody sees, and a test that passes or fails for the wrong reason.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil, civil::Date};

use super::Draft;
use crate::{
    definition::{Text, test::Literal},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, Expr, Function, UnaryOp},
    model::{
        Cardinality,
        entity::{Aggregate, ColumnName, Entity, RowValue, Source},
    },
    suggest,
    value::{ValueType, canonical_decimal},
};

/// The columns of one table and the types that entities give them; none where no entity says.
type Columns = BTreeMap<String, Vec<ValueType>>;

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    // Where entities are wrong their columns are not known, and complaints about rows would follow from what is reported already.
    if draft.has_wrong_entities || !draft.index.twice.is_empty() {
        return;
    }
    let tables = tables(&draft.entities);
    for (_, fixture) in draft.index.fixtures.iter() {
        for (table, rows) in &fixture.tables {
            // What a query of the author reads is known to the warehouse only.
            let is_in_query = is_in_query(&draft.entities, &table.value);
            let Some(columns) = tables.get(&table.value) else {
                if !is_in_query {
                    let known = tables.keys().map(String::as_str);
                    out.push(unknown("M080", table, format!("no entity reads the table `{}`", table.value), known));
                }
                continue;
            };
            for (column, literal) in rows.iter().flatten() {
                match columns.get(&column.value) {
                    Some(types) => misfit(&column.value, literal, types).into_iter().for_each(|misfit| out.push(misfit)),
                    None if is_in_query => {}
                    None => {
                        let message = format!("no entity that reads `{}` knows its column `{}`", table.value, column.value);
                        out.push(unknown("M081", column, message, columns.keys().map(String::as_str)));
                    }
                }
            }
        }
    }
}

fn unknown<'a>(code: &'static str, name: &Text, message: String, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, name.span, message);
    match suggest::nearest(&name.value, known).first() {
        Some(best) => diagnostic.help(format!("did you mean `{best}`?")),
        None => diagnostic.help("name it in an entity, or leave it out of the rows"),
    }
}

fn misfit(column: &str, literal: &Literal, types: &[ValueType]) -> Option<Diagnostic> {
    let text = literal.text.as_deref()?;
    if types.is_empty() || types.iter().any(|value_type| holds(*value_type, text)) {
        return None;
    }
    let wanted: Vec<&str> = types.iter().map(|value_type| value_type.name()).collect();
    let wanted = wanted.join(" or ");
    Some(Diagnostic::error("M082", literal.span, format!("`{text}` is not a {wanted}, which `{column}` is")))
}

fn holds(value_type: ValueType, text: &str) -> bool {
    match value_type {
        ValueType::Text => true,
        ValueType::Bool => text.parse::<bool>().is_ok(),
        ValueType::Int => text.parse::<i64>().is_ok(),
        ValueType::Decimal => canonical_decimal(text).is_some(),
        ValueType::Date => text.parse::<Date>().is_ok(),
        ValueType::Timestamp => {
            text.parse::<Timestamp>().is_ok() || text.parse::<civil::DateTime>().is_ok() || text.parse::<Date>().is_ok()
        }
    }
}

/// Whether some entity's query speaks of a table.
fn is_in_query(entities: &[Entity], table: &str) -> bool {
    let last = table.rsplit('.').next().unwrap_or(table);
    entities.iter().any(|entity| match &entity.source {
        Source::Sql(text) => {
            let is_part_of_name = |character: char| character.is_alphanumeric() || character == '_';
            text.split(|character| !is_part_of_name(character)).any(|word| word.eq_ignore_ascii_case(last))
        }
        Source::Table { .. } => false,
    })
}

fn table_of(entity: &Entity) -> Option<String> {
    match &entity.source {
        Source::Table { schema: Some(schema), table } => Some(format!("{schema}.{table}")),
        Source::Table { schema: None, table } => Some(table.clone()),
        Source::Sql(_) => None,
    }
}

/// Every table that an entity reads, with every column that the model speaks of.
fn tables(entities: &[Entity]) -> BTreeMap<String, Columns> {
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    let mut note = |entity: &Entity, column: &ColumnName, value_type: Option<ValueType>| {
        let Some(table) = table_of(entity) else { return };
        let types = tables.entry(table).or_default().entry(column.0.to_string()).or_default();
        types.extend(value_type.filter(|value_type| !types.contains(value_type)));
    };
    for entity in entities {
        for dimension in &entity.dimensions {
            let declared = dimension.column().map(|_| dimension.value_type);
            dimension.expr.visit_refs(&mut |column| note(entity, column, declared));
        }
        for measure in &entity.measures {
            let is_number = matches!(measure.aggregate, Aggregate::Sum | Aggregate::Average);
            numbers(&measure.expr, is_number, &mut |column| note(entity, column, Some(ValueType::Decimal)));
            measure.visit_columns(&mut |column| note(entity, column, None));
        }
        let period = entity.validity.iter().flat_map(|validity| [&validity.from, &validity.to]);
        period
            .chain(entity.recorded.as_ref().map(|recorded| &recorded.column))
            .for_each(|column| note(entity, column, Some(ValueType::Timestamp)));
        entity.freshness.refresh.iter().for_each(|column| note(entity, column, None));
        for relationship in &entity.relationships {
            let other = &entities[relationship.to.index()];
            match &relationship.cardinality {
                Cardinality::ManyToOne | Cardinality::OneToOne | Cardinality::OneToMany => {
                    relationship.own.iter().for_each(|column| note(entity, column, None));
                    relationship.other.iter().for_each(|column| note(other, column, None));
                }
                Cardinality::ManyToMany { bridge, near, far, weight } => {
                    let bridge = &entities[bridge.index()];
                    near.iter().chain(far).for_each(|column| note(bridge, column, None));
                    weight.iter().for_each(|column| note(bridge, column, Some(ValueType::Decimal)));
                }
            }
        }
    }
    tables
}

/// Visits the columns of an expression that can only be numbers: what is added up, and what is calculated with.
fn numbers(expr: &Expr<RowValue>, is_number: bool, seen: &mut impl FnMut(&ColumnName)) {
    match expr {
        Expr::Ref(RowValue::Column(column)) if is_number => seen(column),
        Expr::Ref(_) | Expr::Literal(_) => {}
        Expr::Unary(UnaryOp::Negate, value) => numbers(value, true, seen),
        Expr::Unary(UnaryOp::Not, value) | Expr::IsNull { value, .. } => numbers(value, false, seen),
        Expr::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide, left, right) => {
            numbers(left, true, seen);
            numbers(right, true, seen);
        }
        Expr::Binary(_, left, right) => {
            numbers(left, false, seen);
            numbers(right, false, seen);
        }
        Expr::In { value, list, .. } => {
            numbers(value, false, seen);
            list.iter().for_each(|item| numbers(item, false, seen));
        }
        Expr::Case { arms, otherwise } => {
            for arm in arms {
                numbers(&arm.when, false, seen);
                numbers(&arm.then, is_number, seen);
            }
            otherwise.iter().for_each(|otherwise| numbers(otherwise, is_number, seen));
        }
        Expr::Call(function, arguments) => {
            let are_numbers = match function {
                Function::Abs | Function::Round | Function::Floor | Function::Sqrt => true,
                Function::Coalesce | Function::NullIf | Function::Greatest | Function::Least => is_number,
                Function::Lower
                | Function::Upper
                | Function::DaysBetween
                | Function::AddDays
                | Function::AddMonths
                | Function::MonthStart
                | Function::MonthsBetween => false,
            };
            arguments.iter().for_each(|argument| numbers(argument, are_numbers, seen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    fn rows(tables: &str) -> Vec<String> {
        codes_of(&format!("{SNAPSHOT}---\nfixtures:\n  some:\n    tables:\n{tables}"))
    }

    #[test]
    fn rows_of_known_tables_and_columns_are_right() {
        let right = "      account:\n        - {account_id: a1, name: 12, segment: smb}\n      component_value:\n        - {component_id: 1, month: 2025-01-31, account_id: a1, mrr: 12.50}\n        - {component_id: 1, month: null, mrr: '3'}\n";
        assert_eq!(rows(right), Vec::<String>::new());
    }

    #[test]
    fn mistyped_tables_and_columns_are_found() {
        assert_eq!(rows("      acount:\n        - {account_id: a1}\n"), ["M080: no entity reads the table `acount`"]);
        assert_eq!(
            rows("      account:\n        - {account_id: a1, nam: Acme}\n"),
            ["M081: no entity that reads `account` knows its column `nam`"]
        );
    }

    #[test]
    fn values_that_a_column_cannot_hold_are_found() {
        assert_eq!(
            rows("      component_value:\n        - {month: 2025-02-30, mrr: 1O0}\n"),
            ["M082: `2025-02-30` is not a date, which `month` is", "M082: `1O0` is not a decimal, which `mrr` is"]
        );
    }

    #[test]
    fn what_only_a_measure_adds_up_is_a_number() {
        let model = |value: &str| {
            codes_of(&format!(
                "project: p\n---\nentity: sale\nsource: sale\nkey: sale_id\nmeasures:\n  sold: {{sum: 'coalesce(amount, 0) - discount'}}\n  of: {{count_distinct: buyer}}\n---\nfixtures:\n  some: {{tables: {{sale: [{{sale_id: 1, {value}}}]}}}}\n"
            ))
        };
        assert_eq!(model("amount: 1, discount: 0.5, buyer: ann"), Vec::<String>::new());
        assert_eq!(model("amount: lots"), ["M082: `lots` is not a decimal, which `amount` is"]);
        assert_eq!(model("discount: none"), ["M082: `none` is not a decimal, which `discount` is"]);
    }

    #[test]
    fn what_a_query_reads_is_not_ours_to_know() {
        let model = |query: &str| {
            codes_of(&format!(
                "project: p\n---\nentity: sale\nsource: {{sql: \"{query}\"}}\nkey: sale_id\n---\nfixtures:\n  some: {{tables: {{raw_sale: [{{anything: x}}]}}}}\n"
            ))
        };
        assert_eq!(model("select * from raw_sale where sold"), Vec::<String>::new());
        assert_eq!(model("select * from other"), ["M080: no entity reads the table `raw_sale`"]);
    }
}
