//! A statement's text and values → the engine's syntax tree, and that → a plan.
//!
//! Values replace their placeholders in the syntax tree, each with its type, before anything is planned: left to itself the engine
//! guesses types of placeholders, and guesses wrong inside functions. Text stays a leaf of the tree, so it is never read as SQL.

use std::ops::ControlFlow;

use datafusion::{
    error::{DataFusionError, Result},
    execution::session_state::SessionState,
    logical_expr::LogicalPlan,
    sql::{
        parser::{self, DFParserBuilder},
        sqlparser::ast::{CastKind, DataType, ExactNumberInfo, Expr, TimezoneInfo, Value, VisitMut as _, VisitorMut},
    },
};
use holdfast_schema::sql::{Param, Statement};

use super::dialect::Selects;

/// Reads a statement and puts its values in.
pub(super) fn parse(state: &SessionState, statement: &Statement) -> Result<parser::Statement> {
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let mut reader = DFParserBuilder::new(statement.sql.as_str()).with_dialect(&Selects).with_recursion_limit(limit).build()?;
    let mut statements = reader.parse_statements()?;
    let (Some(mut parsed), None) = (statements.pop_front(), statements.pop_front()) else {
        return Err(DataFusionError::Plan("one statement can be run at a time".to_owned()));
    };
    let parser::Statement::Statement(tree) = &mut parsed else {
        return Err(DataFusionError::Plan("only a select can be run".to_owned()));
    };
    if let ControlFlow::Break(placeholder) = tree.visit(&mut Binder { params: &statement.params }) {
        return Err(DataFusionError::Plan(format!("no value for {placeholder}")));
    }
    Ok(parsed)
}

/// Plans a statement that has its values.
pub(super) async fn plan(state: &SessionState, parsed: parser::Statement) -> Result<LogicalPlan> {
    match state.statement_to_plan(parsed).await? {
        LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Copy(_) | LogicalPlan::Statement(_) => {
            Err(DataFusionError::Plan("only a select can be run".to_owned()))
        }
        plan => Ok(plan),
    }
}

struct Binder<'a> {
    params: &'a [Param],
}

impl VisitorMut for Binder<'_> {
    type Break = String;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        let Expr::Value(value) = expr else { return ControlFlow::Continue(()) };
        let Value::Placeholder(placeholder) = &value.value else { return ControlFlow::Continue(()) };
        let position = placeholder.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        match position.and_then(|position| self.params.get(position.checked_sub(1)?)) {
            Some(param) => {
                *expr = literal(param);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(placeholder.clone()),
        }
    }
}

fn literal(param: &Param) -> Expr {
    match param {
        Param::Bool(value) => Expr::value(Value::Boolean(*value)),
        Param::Int(value) => cast(value.to_string(), DataType::BigInt(None)),
        Param::Decimal(text) => {
            let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            cast(text.clone(), DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, scale as i64)))
        }
        Param::Text(text) => Expr::value(Value::SingleQuotedString(text.clone())),
        Param::Date(date) => cast(date.to_string(), DataType::Date),
        Param::Timestamp(instant) => cast(instant.to_string(), DataType::Timestamp(Some(6), TimezoneInfo::WithTimeZone)),
    }
}

fn cast(text: String, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::value(Value::SingleQuotedString(text))),
        data_type,
        array: false,
        format: None,
    }
}
