//! Conditions of a question, as expressions → `Filter`, with constants in the type of what they are compared with.

use holdfast_schema::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{self, BinaryOp, Expr, Name, UnaryOp},
    model::{Model, View, ViewTarget},
    query::{Comparator, Filter},
    source::Span,
    suggest,
    value::{Value, ValueType},
};
use jiff::{Timestamp, civil::Date};

use super::ask::{BAD_QUESTION, no_dimension};

/// A condition over dimensions of a view; a bare name may be a segment.
pub(super) fn over_dimensions(model: &Model, view: &View, text: &Text, out: &mut Diagnostics) -> Option<Filter> {
    let expr = expr::parse(text, out)?;
    let reader = Reader { scope: Scope::Dimensions { model, view }, span: text.span };
    reader.filter(&expr).map_err(|diagnostic| out.push(*diagnostic)).ok()
}

/// A condition over the question's metrics.
pub(super) fn over_metrics(text: &Text, out: &mut Diagnostics) -> Option<Filter> {
    let expr = expr::parse(text, out)?;
    let reader = Reader { scope: Scope::Metrics, span: text.span };
    reader.filter(&expr).map_err(|diagnostic| out.push(*diagnostic)).ok()
}

enum Scope<'a> {
    Dimensions { model: &'a Model, view: &'a View },
    Metrics,
}

struct Reader<'a> {
    scope: Scope<'a>,
    span: Span,
}

impl Reader<'_> {
    fn filter(&self, expr: &Expr<Name>) -> Result<Filter, Box<Diagnostic>> {
        match expr {
            Expr::Binary(BinaryOp::And, left, right) => Ok(Filter::And(vec![self.filter(left)?, self.filter(right)?])),
            Expr::Binary(BinaryOp::Or, left, right) => Ok(Filter::Or(vec![self.filter(left)?, self.filter(right)?])),
            Expr::Unary(UnaryOp::Not, value) => Ok(Filter::Not(Box::new(self.filter(value)?))),
            Expr::Binary(operator, left, right) => self.comparison(*operator, left, right),
            Expr::IsNull { value, negated } => Ok(Filter::IsNull { field: self.name(value)?.0, is_null: !negated }),
            Expr::In { value, list, negated } => {
                let (field, value_type) = self.name(value)?;
                let values = list.iter().map(|item| self.constant(item, value_type)).collect::<Result<Vec<_>, _>>()?;
                values.iter().try_for_each(|value| self.is_value_of(&field, value))?;
                Ok(Filter::In { field, values, negated: *negated })
            }
            Expr::Ref(name) => self.bare(name),
            Expr::Literal(_) | Expr::Unary(UnaryOp::Negate, _) | Expr::Case { .. } | Expr::Call(..) => Err(self.too_much()),
        }
    }

    fn comparison(&self, operator: BinaryOp, left: &Expr<Name>, right: &Expr<Name>) -> Result<Filter, Box<Diagnostic>> {
        let comparator = match operator {
            BinaryOp::Equal => Comparator::Equal,
            BinaryOp::NotEqual => Comparator::NotEqual,
            BinaryOp::Less => Comparator::Less,
            BinaryOp::LessOrEqual => Comparator::LessOrEqual,
            BinaryOp::Greater => Comparator::Greater,
            BinaryOp::GreaterOrEqual => Comparator::GreaterOrEqual,
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::And | BinaryOp::Or => {
                return Err(self.too_much());
            }
        };
        let (field, value_type) = self.name(left)?;
        let value = self.constant(right, value_type)?;
        self.is_value_of(&field, &value)?;
        Ok(Filter::Compare { field, operator: comparator, value })
    }

    /// A name alone: a yes-or-no dimension, or a segment.
    fn bare(&self, name: &Name) -> Result<Filter, Box<Diagnostic>> {
        if let (Scope::Dimensions { model, .. }, Some(single)) = (&self.scope, name.single())
            && model.segments.iter().any(|segment| segment.name == single)
        {
            return Ok(Filter::InSegment(single.to_owned()));
        }
        let (field, _) = self.name(&Expr::Ref(name.clone()))?;
        Ok(Filter::Compare { field, operator: Comparator::Equal, value: Value::Bool(true) })
    }

    fn name(&self, expr: &Expr<Name>) -> Result<(String, ValueType), Box<Diagnostic>> {
        let Expr::Ref(name) = expr else {
            return Err(self.too_much());
        };
        match &self.scope {
            Scope::Metrics => Ok((name.to_string(), ValueType::Decimal)),
            Scope::Dimensions { model, view } => {
                let written = name.to_string();
                let is_meant = |target: ViewTarget| match target {
                    ViewTarget::Dimension(id) => {
                        written == format!("{}.{}", model.entity(id.entity).name, model.dimension(id).name)
                    }
                    ViewTarget::Entity(id) => written == model.entity(id).name,
                };
                let found = view
                    .dimension_named(&written)
                    .map(|index| &view.dimensions[index.index()])
                    .or_else(|| view.dimensions.iter().find(|dimension| is_meant(dimension.target)));
                found
                    .map(|dimension| (dimension.name.clone(), dimension.value_type))
                    .ok_or_else(|| Box::new(no_dimension(view, &written, name.span)))
            }
        }
    }

    /// Refuses a word that a dimension of declared values never is: the answer would be empty without a reason.
    fn is_value_of(&self, field: &str, value: &Value) -> Result<(), Box<Diagnostic>> {
        let Scope::Dimensions { model, view } = &self.scope else { return Ok(()) };
        let Some(ViewTarget::Dimension(id)) = view.dimension_named(field).map(|index| view.dimensions[index.index()].target) else {
            return Ok(());
        };
        let known = &model.dimension(id).values;
        let Value::Text(text) = value else { return Ok(()) };
        if known.is_empty() || known.contains(text) {
            return Ok(());
        }
        let message = format!("`{text}` is not a value of `{field}`");
        let diagnostic = Diagnostic::error(BAD_QUESTION, self.span, message);
        Err(Box::new(match suggest::nearest(text, known.iter().map(String::as_str)).first() {
            Some(nearest) => diagnostic.help(format!("did you mean '{nearest}'?")),
            None => diagnostic.help(format!("it can be: {}", known.join(", "))),
        }))
    }

    fn constant(&self, expr: &Expr<Name>, value_type: ValueType) -> Result<Value, Box<Diagnostic>> {
        let value = match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Unary(UnaryOp::Negate, inner) => match inner.as_ref() {
                Expr::Literal(Value::Int(number)) => Value::Int(-number),
                Expr::Literal(Value::Decimal(text)) => Value::Decimal(format!("-{text}")),
                _ => return Err(self.too_much()),
            },
            _ => return Err(self.too_much()),
        };
        let converted = match (value_type, value) {
            (ValueType::Decimal, Value::Int(number)) => Some(Value::Decimal(number.to_string())),
            (ValueType::Date, Value::Text(text)) => text.parse::<Date>().ok().map(Value::Date),
            (ValueType::Timestamp, Value::Text(text)) => text.parse::<Timestamp>().ok().map(Value::Timestamp),
            (_, value) => Some(value),
        };
        converted.ok_or_else(|| {
            Box::new(Diagnostic::error(BAD_QUESTION, self.span, format!("expected a {} constant", value_type.name())))
        })
    }

    fn too_much(&self) -> Box<Diagnostic> {
        let diagnostic = Diagnostic::error(BAD_QUESTION, self.span, "a condition of a question compares a name with constants")
            .help("join comparisons with `and`, `or` and `not`; anything else belongs into a dimension or a metric");
        Box::new(diagnostic)
    }
}
