//! Tree to text: the only module that writes SQL. Identifiers are quoted, values become parameters.

mod functions;

use std::collections::HashMap;

use super::{
    ast::{AggregateFunction, Alias, Expr, From, Infix, Item, Join, JoinKind, OrderItem, Query, Relation, Select},
    dialect::Dialect,
    statement::{OutputColumn, Param, SqlText, Statement},
};
use crate::value::{Value, ValueType};

/// Renders a query. `columns` name and type its result in order.
#[must_use]
pub fn render(query: &Query, columns: Vec<OutputColumn>, dialect: Dialect, is_lookup: bool) -> Statement {
    let mut writer = Writer { text: String::with_capacity(1024), params: Vec::new(), numbers: HashMap::new(), dialect, indent: 0 };
    writer.query(query);
    Statement { sql: SqlText::new(writer.text), params: writer.params, columns, is_lookup }
}

/// Conditions written one after another. A parser makes a tree as deep as the chain is long and walks it by recursion, so longer
/// lists are written as halves in brackets: a question with many conditions must not exhaust an engine's stack.
const CHAIN: usize = 16;

struct Writer {
    text: String,
    params: Vec<Param>,
    /// Positions in `params`; only looked up, so its order never matters.
    numbers: HashMap<Param, usize>,
    dialect: Dialect,
    indent: usize,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.indent {
            self.text.push_str("  ");
        }
    }

    fn ident(&mut self, name: &str) {
        self.text.push('"');
        for (position, part) in name.split('"').enumerate() {
            if position > 0 {
                self.text.push_str("\"\"");
            }
            self.text.push_str(part);
        }
        self.text.push('"');
    }

    fn alias(&mut self, alias: &Alias) {
        self.ident(&alias.0);
    }

    /// Writes a parameter; equal values of one type share a number, so that text depends on the question alone.
    fn param(&mut self, param: Param) {
        let cast = match (&param, self.dialect) {
            (_, Dialect::Embedded) => "",
            (Param::Bool(_), Dialect::Postgres) => "::boolean",
            (Param::Int(_), Dialect::Postgres) => "::bigint",
            (Param::Decimal(_), Dialect::Postgres) => "::numeric",
            // Text has no type of its own, so that it is read as what it meets: a uuid or an enum of the warehouse as well as text.
            (Param::Text(_), Dialect::Postgres) => "",
            (Param::Date(_), Dialect::Postgres) => "::date",
            (Param::Timestamp(_), Dialect::Postgres) => "::timestamptz",
        };
        // One number has one type, and text may meet several.
        let is_shared = !matches!(param, Param::Text(_));
        let known = self.numbers.get(&param).copied().filter(|_| is_shared);
        let position = known.unwrap_or_else(|| {
            self.params.push(param.clone());
            self.numbers.insert(param, self.params.len() - 1);
            self.params.len() - 1
        });
        self.push(&format!("${}{cast}", position + 1));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.push("null"),
            Value::Bool(value) => self.param(Param::Bool(*value)),
            Value::Int(value) => self.param(Param::Int(*value)),
            Value::Decimal(value) => self.param(Param::Decimal(value.clone())),
            Value::Text(value) => self.param(Param::Text(value.clone())),
            Value::Date(value) => self.param(Param::Date(*value)),
            Value::Timestamp(value) => self.param(Param::Timestamp(*value)),
        }
    }

    fn query(&mut self, query: &Query) {
        for (position, cte) in query.with.iter().enumerate() {
            self.push(if position == 0 { "with " } else { ", " });
            self.alias(&cte.name);
            self.push(" as (");
            self.indented(|writer| {
                writer.line();
                writer.query(&cte.query);
            });
            self.line();
            self.push(")");
            if position + 1 == query.with.len() {
                self.line();
            }
        }
        for (position, select) in query.selects.iter().enumerate() {
            if position > 0 {
                self.line();
                self.push("union all");
                self.line();
            }
            self.select(select);
        }
        if !query.order_by.is_empty() {
            self.line();
            self.push("order by ");
            self.order(&query.order_by);
        }
        if let Some(limit) = query.limit {
            self.line();
            self.push(&format!("limit {limit}"));
        }
        if query.offset > 0 {
            self.push(&format!(" offset {}", query.offset));
        }
    }

    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }

    fn select(&mut self, select: &Select) {
        self.push(if select.distinct { "select distinct " } else { "select " });
        self.comma(&select.items, Self::item);
        if let Some(from) = &select.from {
            self.line();
            self.push("from ");
            self.from(from);
        }
        for join in &select.joins {
            self.join(join);
        }
        if !select.filters.is_empty() {
            self.line();
            self.push("where ");
            self.conditions(&select.filters);
        }
        if let Some(keys) = select.group_by.filter(|keys| *keys > 0) {
            self.line();
            self.push("group by ");
            self.comma(&(1..=keys).collect::<Vec<_>>(), |writer, key| writer.push(&key.to_string()));
        }
    }

    fn comma<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            write(self, item);
        }
    }

    fn conditions(&mut self, conditions: &[Expr]) {
        if conditions.len() > CHAIN {
            return self.logic(conditions, " and ", "true");
        }
        for (position, condition) in conditions.iter().enumerate() {
            if position > 0 {
                self.push(" and ");
            }
            self.expr(condition);
        }
    }

    fn item(&mut self, item: &Item) {
        self.expr(&item.expr);
        self.push(" as ");
        self.alias(&item.alias);
    }

    fn from(&mut self, from: &From) {
        match &from.relation {
            Relation::Table { schema, table } => {
                if let Some(schema) = schema {
                    self.ident(schema);
                    self.push(".");
                }
                self.ident(table);
            }
            Relation::Sql(text) => {
                self.push("(");
                self.push(text);
                self.line();
                self.push(")");
            }
            Relation::Cte(name) => self.alias(name),
            Relation::Query(query) => {
                self.push("(");
                self.indented(|writer| {
                    writer.line();
                    writer.query(query);
                });
                self.line();
                self.push(")");
            }
            Relation::Numbers { numbers, .. } => {
                self.push("(values ");
                self.comma(numbers, |writer, number| writer.push(&format!("({number})")));
                self.push(")");
            }
            Relation::Days { days, .. } => {
                self.push("(values ");
                self.comma(days, |writer, day| {
                    writer.push("(");
                    writer.param(Param::Date(*day));
                    writer.push(")");
                });
                self.push(")");
            }
            Relation::Values { rows, .. } => {
                self.push("(values ");
                self.comma(rows, |writer, row| {
                    writer.push("(");
                    writer.comma(row, Self::expr);
                    writer.push(")");
                });
                self.push(")");
            }
        }
        self.push(" as ");
        self.alias(&from.alias);
        let columns = match &from.relation {
            Relation::Days { column, .. } | Relation::Numbers { column, .. } => std::slice::from_ref(column),
            Relation::Values { columns, .. } => columns,
            Relation::Table { .. } | Relation::Sql(_) | Relation::Cte(_) | Relation::Query(_) => return,
        };
        self.push(" (");
        self.comma(columns, Self::alias);
        self.push(")");
    }

    fn join(&mut self, join: &Join) {
        self.line();
        self.push(match join.kind {
            JoinKind::Inner => "join ",
            JoinKind::Left => "left join ",
            JoinKind::Cross => "cross join ",
        });
        self.from(&join.from);
        if join.kind != JoinKind::Cross {
            self.push(" on ");
            self.conditions(&join.on);
        }
    }

    fn order(&mut self, items: &[OrderItem]) {
        self.comma(items, |writer, item| {
            writer.expr(&item.expr);
            writer.push(if item.descending { " desc" } else { " asc" });
            writer.push(if item.nulls_first { " nulls first" } else { " nulls last" });
        });
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Physical(table, column) => {
                self.alias(table);
                self.push(".");
                self.ident(&column.0);
            }
            Expr::Column(table, column) => {
                self.alias(table);
                self.push(".");
                self.alias(column);
            }
            Expr::Value(value) => self.value(value),
            Expr::Null(value_type) => {
                self.push("cast(null as ");
                self.push(type_name(*value_type, self.dialect));
                self.push(")");
            }
            Expr::Number(number) => self.push(&number.to_string()),
            Expr::Word(word) => {
                debug_assert!(word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_'), "a word of ours");
                self.push("'");
                self.push(word);
                self.push("'");
            }
            Expr::Not(value) => self.wrapped("(not ", value, ")"),
            Expr::Negate(value) => self.wrapped("(- ", value, ")"),
            Expr::Infix(op, left, right) => {
                self.push("(");
                self.expr(left);
                self.push(infix(*op));
                self.expr(right);
                self.push(")");
            }
            Expr::And(list) => self.logic(list, " and ", "true"),
            Expr::Or(list) => self.logic(list, " or ", "false"),
            Expr::IsNull { value, negated } => {
                self.wrapped("(", value, if *negated { " is not null)" } else { " is null)" });
            }
            Expr::Same(left, right) => {
                self.push("(");
                self.expr(left);
                self.push(" is not distinct from ");
                self.expr(right);
                self.push(")");
            }
            Expr::In { value, list, negated } => self.in_list(value, list, *negated),
            Expr::Like { value, pattern, ignore_case } => {
                self.push("(");
                self.expr(value);
                self.push(if *ignore_case { " ilike " } else { " like " });
                self.expr(pattern);
                self.push(")");
            }
            Expr::Case { arms, otherwise } => {
                self.push("case");
                for (when, then) in arms {
                    self.push(" when ");
                    self.expr(when);
                    self.push(" then ");
                    self.expr(then);
                }
                if let Some(otherwise) = otherwise {
                    self.push(" else ");
                    self.expr(otherwise);
                }
                self.push(" end");
            }
            Expr::Divide(left, right) => self.divide(left, right),
            Expr::SquareRoot(value) => self.square_root(value),
            Expr::Floor(value) => match self.dialect {
                Dialect::Postgres => self.wrapped("cast(floor(cast(", value, " as numeric)) as bigint)"),
                Dialect::Embedded => self.call("holdfast_floor", &[value]),
            },
            Expr::AddMonths(value, months) => match self.dialect {
                Dialect::Postgres => {
                    self.wrapped("cast((", value, " + make_interval(months => cast(");
                    self.wrapped("", months, " as integer))) as date)");
                }
                Dialect::Embedded => self.call("holdfast_add_months", &[value, months]),
            },
            Expr::MonthsBetween(from, to) => self.months_between(from, to),
            Expr::Product(left, right) => match self.dialect {
                Dialect::Postgres => {
                    self.wrapped("round(", left, " * ");
                    self.wrapped("", right, ", 20)");
                }
                Dialect::Embedded => self.call("holdfast_multiply", &[left, right]),
            },
            Expr::Deviation { of, along } => self.deviation(of, along.as_deref()),
            Expr::Round(value, digits) => match self.dialect {
                Dialect::Postgres => self.wrapped("round(", value, &format!(", {digits})")),
                Dialect::Embedded => self.wrapped("holdfast_round(", value, &format!(", {digits})")),
            },
            Expr::Exact(value) => match self.dialect {
                Dialect::Postgres => self.expr(value),
                Dialect::Embedded => self.wrapped("cast(", value, " as decimal(38, 0))"),
            },
            Expr::Call(name, arguments) => {
                self.push(name);
                self.push("(");
                self.comma(arguments, Self::expr);
                self.push(")");
            }
            Expr::Truncate(truncation, value) => self.truncate(*truncation, value),
            Expr::Shift(value, step) => self.shift(value, *step),
            Expr::AddDays(value, days) => match self.dialect {
                Dialect::Postgres => {
                    self.push("(");
                    self.expr(value);
                    self.wrapped(" + cast(", days, " as integer))");
                }
                Dialect::Embedded => self.call("holdfast_add_days", &[value, days]),
            },
            Expr::DaysBetween(from, to) => match self.dialect {
                Dialect::Postgres => {
                    self.push("(");
                    self.expr(to);
                    self.push(" - ");
                    self.expr(from);
                    self.push(")");
                }
                Dialect::Embedded => self.call("holdfast_days_between", &[from, to]),
            },
            Expr::LocalDate(value, zone) => match self.dialect {
                Dialect::Postgres => {
                    self.wrapped("cast((", value, " at time zone ");
                    self.param(Param::Text(zone.clone()));
                    self.push(") as date)");
                }
                Dialect::Embedded => {
                    self.wrapped("holdfast_local_date(", value, ", ");
                    self.param(Param::Text(zone.clone()));
                    self.push(")");
                }
            },
            Expr::Aggregate(function, value) => self.aggregate(*function, value.as_deref()),
            Expr::Over(function, value, partition) => {
                self.aggregate(*function, value.as_deref());
                self.push(" over (");
                if !partition.is_empty() {
                    self.push("partition by ");
                    self.comma(partition, Self::expr);
                }
                self.push(")");
            }
            Expr::RowNumber { partition, order } => {
                self.push("row_number() over (");
                if !partition.is_empty() {
                    self.push("partition by ");
                    self.comma(partition, Self::expr);
                    self.push(" ");
                }
                self.push("order by ");
                self.order(order);
                self.push(")");
            }
            Expr::ToText(value) => {
                self.wrapped("cast(", value, if self.dialect == Dialect::Postgres { " as text)" } else { " as varchar)" })
            }
        }
    }

    fn wrapped(&mut self, before: &str, value: &Expr, after: &str) {
        self.push(before);
        self.expr(value);
        self.push(after);
    }

    fn call(&mut self, name: &str, arguments: &[&Expr]) {
        self.push(name);
        self.push("(");
        self.comma(arguments, |writer, argument| writer.expr(argument));
        self.push(")");
    }

    fn logic(&mut self, list: &[Expr], operator: &str, empty: &str) {
        match list {
            [] => self.push(empty),
            [only] => self.expr(only),
            list if list.len() > CHAIN => {
                let (left, right) = list.split_at(list.len() / 2);
                self.push("(");
                self.logic(left, operator, empty);
                self.push(operator);
                self.logic(right, operator, empty);
                self.push(")");
            }
            _ => {
                self.push("(");
                for (position, part) in list.iter().enumerate() {
                    if position > 0 {
                        self.push(operator);
                    }
                    self.expr(part);
                }
                self.push(")");
            }
        }
    }

    fn in_list(&mut self, value: &Expr, list: &[Expr], negated: bool) {
        if list.is_empty() {
            return self.push(if negated { "true" } else { "false" });
        }
        self.push("(");
        self.expr(value);
        self.push(if negated { " not in (" } else { " in (" });
        self.comma(list, Self::expr);
        self.push("))");
    }

    fn aggregate(&mut self, function: AggregateFunction, value: Option<&Expr>) {
        let name = match function {
            AggregateFunction::Sum => "sum(",
            AggregateFunction::Min => "min(",
            AggregateFunction::Max => "max(",
            AggregateFunction::Count => "count(",
            AggregateFunction::CountDistinct => "count(distinct ",
            AggregateFunction::Median => return self.median(value),
        };
        self.push(name);
        match value {
            Some(value) => self.expr(value),
            None => self.push("*"),
        }
        self.push(")");
    }
}

fn infix(op: Infix) -> &'static str {
    match op {
        Infix::Add => " + ",
        Infix::Subtract => " - ",
        Infix::Multiply => " * ",
        Infix::Equal => " = ",
        Infix::NotEqual => " <> ",
        Infix::Less => " < ",
        Infix::LessOrEqual => " <= ",
        Infix::Greater => " > ",
        Infix::GreaterOrEqual => " >= ",
    }
}

fn type_name(value_type: ValueType, dialect: Dialect) -> &'static str {
    match (value_type, dialect) {
        (ValueType::Bool, _) => "boolean",
        (ValueType::Int, _) => "bigint",
        (ValueType::Decimal, Dialect::Postgres) => "numeric",
        (ValueType::Decimal, Dialect::Embedded) => "decimal(38, 0)",
        (ValueType::Text, Dialect::Postgres) => "text",
        (ValueType::Text, Dialect::Embedded) => "varchar",
        (ValueType::Date, _) => "date",
        (ValueType::Timestamp, Dialect::Postgres) => "timestamptz",
        (ValueType::Timestamp, Dialect::Embedded) => "timestamptz",
    }
}
