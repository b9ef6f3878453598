//! Model and catalogue → what of the definitions is not in the warehouse.

use holdfast_schema::{
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, Expr, Function, UnaryOp},
    model::{
        Cardinality, Measure, Model,
        entity::{Aggregate, ColumnName, Dimension, Entity, RowValue, Source},
    },
    source::Span,
    suggest,
    value::ValueType,
};
use holdfast_warehouse::CatalogueColumn;

use super::{Tables, tables};

/// A table or view of the definitions that the warehouse does not have.
const NO_TABLE: &str = "W001";
/// A column of the definitions that its table does not have.
const NO_COLUMN: &str = "W002";
/// A column whose type is not what the definitions say.
const OTHER_TYPE: &str = "W003";

/// Compares every table source; sources that are SQL describe themselves only when they run.
pub fn check(model: &Model, columns: &[CatalogueColumn], out: &mut Diagnostics) {
    let tables = tables(columns);
    for entity in &model.entities {
        let Source::Table { schema, table } = &entity.source else {
            continue;
        };
        match find(&tables, schema.as_deref(), table) {
            Some(found) => check_columns(model, entity, found, out),
            None => out.push(no_table(entity, schema.as_deref(), table, &tables)),
        }
    }
}

/// A name without a schema means the default one, or the only table of that name.
fn find<'a, 'b>(tables: &'b Tables<'a>, schema: Option<&str>, table: &str) -> Option<&'b [&'a CatalogueColumn]> {
    let of = |schema: &str| tables.iter().find(|((s, t), _)| *s == schema && *t == table).map(|(_, columns)| columns.as_slice());
    match schema {
        Some(schema) => of(schema),
        None => of("public").or_else(|| tables.iter().find(|((_, t), _)| *t == table).map(|(_, columns)| columns.as_slice())),
    }
}

fn no_table(entity: &Entity, schema: Option<&str>, table: &str, tables: &Tables<'_>) -> Diagnostic {
    let wanted = schema.map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"));
    let known: Vec<String> = tables.keys().map(|(schema, table)| format!("{schema}.{table}")).collect();
    let diagnostic = Diagnostic::error(NO_TABLE, entity.span, format!("the warehouse has no table `{wanted}`"))
        .label(format!("source of `{}`", entity.name));
    match suggest::nearest(&wanted, known.iter().map(String::as_str)).first() {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None if known.is_empty() => diagnostic.help("the warehouse shows no tables at all to this user"),
        None => diagnostic,
    }
}

fn check_columns(model: &Model, entity: &Entity, columns: &[&CatalogueColumn], out: &mut Diagnostics) {
    let mut check = Check { entity, columns, out };
    for dimension in &entity.dimensions {
        dimension.expr.visit_refs(&mut |column| check.exists(column, dimension.span));
        check.has_type(dimension);
    }
    for measure in &entity.measures {
        measure.visit_columns(&mut |column| check.exists(column, measure.span));
        check.can_be_added_up(measure);
    }
    for relationship in &entity.relationships {
        relationship.own.iter().for_each(|column| check.exists(column, relationship.span));
    }
    let period = entity.validity.iter().flat_map(|validity| [&validity.from, &validity.to]);
    period.chain(entity.recorded.as_ref().map(|recorded| &recorded.column)).for_each(|column| check.exists(column, entity.span));
    entity.freshness.refresh.iter().for_each(|column| check.exists(column, entity.span));
    // Columns that other entities expect here.
    for other in &model.entities {
        for relationship in &other.relationships {
            if model.entity(relationship.to).name == entity.name {
                relationship.other.iter().for_each(|column| check.exists(column, relationship.span));
            }
            if let Cardinality::ManyToMany { bridge, near, far, weight } = &relationship.cardinality
                && model.entity(*bridge).name == entity.name
            {
                near.iter().chain(far).chain(weight).for_each(|column| check.exists(column, relationship.span));
            }
        }
    }
}

struct Check<'a, 'b> {
    entity: &'a Entity,
    columns: &'a [&'b CatalogueColumn],
    out: &'a mut Diagnostics,
}

impl Check<'_, '_> {
    fn exists(&mut self, column: &ColumnName, span: Span) {
        let names = || self.columns.iter().map(|known| known.column.as_str());
        if names().any(|name| name == column.as_str()) {
            return;
        }
        let already = self.out.sorted().iter().any(|known| {
            known.code == NO_COLUMN
                && known.message.contains(&format!("`{}`", column.as_str()))
                && known.primary.as_ref().is_some_and(|p| p.span == span)
        });
        if already {
            return;
        }
        let nearest = suggest::nearest(column.as_str(), names());
        let diagnostic =
            Diagnostic::error(NO_COLUMN, span, format!("the table of `{}` has no column `{}`", self.entity.name, column.as_str()));
        self.out.push(match nearest.first() {
            Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
            None => diagnostic.help(format!("it has: {}", names().collect::<Vec<_>>().join(", "))),
        });
    }

    /// What is added up or averaged has to be a number. A column that only measures use has no declared type of its own.
    fn can_be_added_up(&mut self, measure: &Measure) {
        match measure.aggregate {
            Aggregate::Sum | Aggregate::Average | Aggregate::Median => {}
            Aggregate::Min | Aggregate::Max | Aggregate::Count | Aggregate::CountRows | Aggregate::CountDistinct => return,
        }
        let mut added = Vec::new();
        terms(&measure.expr, &mut added);
        for column in added {
            let Some(found) = self.columns.iter().find(|known| known.column == column.as_str()) else { continue };
            if matches!(found.value_type, Some(ValueType::Int | ValueType::Decimal)) {
                continue;
            }
            let message = format!(
                "`{}` adds up `{}` of `{}`, which is no number: its type is `{}`",
                measure.name,
                column.as_str(),
                self.entity.name,
                found.type_name
            );
            self.out.push(
                Diagnostic::error(OTHER_TYPE, measure.span, message)
                    .help("use a column of numbers, or convert it in the source: `source: {sql: select …}`"),
            );
        }
    }

    fn has_type(&mut self, dimension: &Dimension) {
        let Some(column) = dimension.column() else {
            return;
        };
        let Some(found) = self.columns.iter().find(|known| known.column == column.as_str()) else {
            return;
        };
        if fits(dimension.value_type, found.value_type) {
            return;
        }
        self.out.push(
            Diagnostic::error(
                OTHER_TYPE,
                dimension.span,
                format!("`{}` is declared as {}, its column is `{}`", dimension.name, dimension.value_type.name(), found.type_name),
            )
            .help(match found.value_type {
                Some(value_type) if !dimension.values.is_empty() => format!(
                    "its `values` are text: convert the column in the source (`source: {{sql: select …}}`), or leave out `values` and declare `type: {}`",
                    value_type.name()
                ),
                Some(value_type) => format!("declare `type: {}`", value_type.name()),
                None => "columns of this type cannot be read; use an expression or a view that converts them".to_owned(),
            }),
        );
    }
}

/// The columns whose values are added up, alone or as parts of a calculation.
fn terms<'e>(expr: &'e Expr<RowValue>, found: &mut Vec<&'e ColumnName>) {
    match expr {
        Expr::Ref(RowValue::Column(column)) => found.push(column),
        Expr::Unary(UnaryOp::Negate, value) => terms(value, found),
        Expr::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide, left, right) => {
            terms(left, found);
            terms(right, found);
        }
        Expr::Case { arms, otherwise } => {
            arms.iter().for_each(|arm| terms(&arm.then, found));
            otherwise.iter().for_each(|otherwise| terms(otherwise, found));
        }
        Expr::Call(Function::Coalesce | Function::Greatest | Function::Least | Function::Abs | Function::Round, arguments) => {
            arguments.iter().for_each(|argument| terms(argument, found));
        }
        Expr::Ref(RowValue::AsOf | RowValue::Today)
        | Expr::Literal(_)
        | Expr::Unary(UnaryOp::Not, _)
        | Expr::Binary(..)
        | Expr::IsNull { .. }
        | Expr::In { .. }
        | Expr::Call(..) => {}
    }
}

/// Whether a column of type `found` can be read as `declared`.
fn fits(declared: ValueType, found: Option<ValueType>) -> bool {
    found.is_some_and(|found| found == declared || (declared == ValueType::Decimal && found == ValueType::Int))
}
