//! Entities and pages of them as bytes.

use holdfast_schema::{
    model::DimensionId,
    value::{CellRef, Value},
};

use super::{Writer, Written};
use crate::{
    error::{Problem, Step},
    fetch::{Child, Key, Level, Window},
    ids, json,
    plan::{ChildKind, ConnectionField, ConnectionPlan, EdgeField, EntityField, KeyedPlan, PageField, RowsPlan},
};

impl Writer<'_> {
    /// Writes one row of a level in one of its shapes.
    pub(super) fn entity(&mut self, plan: &RowsPlan, level: &Level, row: usize, shape: usize) -> Written {
        self.object(&plan.shapes[shape], |writer, key, field| {
            match field {
                EntityField::Typename => json::plain(&mut writer.out, &writer.surface.entity(plan.entity).type_name),
                EntityField::Id => {
                    let name = &writer.model.entity(plan.entity).name;
                    json::plain(&mut writer.out, ids::global(name, level.keys[row].iter().map(cell_of), plan.moment));
                }
                EntityField::Dimension(position) => {
                    let cell = level.rows.as_ref().map_or(CellRef::Null, |rows| rows.cell(row, level.dimensions[*position]));
                    let dimension = DimensionId { entity: plan.entity, index: plan.dimensions[*position] };
                    writer.dimension(key, dimension, cell);
                }
                EntityField::Child(position) => {
                    let step = Step::Key(key.to_owned());
                    writer.step(step, |writer| {
                        writer.nullable(|writer| {
                            writer.child(&plan.children[*position].kind, &level.children[*position], &level.keys[row])
                        });
                    });
                }
                EntityField::Signals(position) => {
                    let (plan_of_signals, signals) = (&plan.signals[*position], &level.signals[*position]);
                    writer.step(Step::Key(key.to_owned()), |writer| {
                        writer.nullable(|writer| {
                            let signals = writer.reached(signals)?;
                            writer.entity_signals(plan_of_signals, signals, plan.entity, &level.keys[row])
                        });
                    });
                }
                EntityField::Metrics(group, fields) => {
                    let step = Step::Key(key.to_owned());
                    writer.step(step, |writer| {
                        writer.nullable(|writer| writer.entity_metrics(plan, level, row, *group, fields));
                    });
                }
            }
            Ok(())
        })
    }

    fn child(&mut self, kind: &ChildKind, child: &Result<Child, Problem>, parent: &Key) -> Written {
        match kind {
            ChildKind::One(plan) => {
                let level = &self.reached(child)?.level;
                match level.windows.get(parent).and_then(|window| window.rows.first()) {
                    Some(row) => self.entity(plan, level, *row, 0),
                    None => self.null(),
                }
            }
            ChildKind::Many(plan) => {
                let child = self.reached(child)?;
                self.connection(plan, child, parent)
            }
        }
    }

    fn entity_metrics(
        &mut self,
        plan: &RowsPlan,
        level: &Level,
        row: usize,
        group: usize,
        fields: &[(String, Option<usize>)],
    ) -> Written {
        let metrics = self.reached(&level.metrics[group])?;
        let found = metrics.by_key.get(&level.keys[row]);
        self.object(fields, |writer, _, field| {
            match (field, found) {
                (None, _) => json::plain(&mut writer.out, format!("{}Metrics", writer.surface.entity(plan.entity).type_name)),
                (Some(position), Some(found)) => json::cell(&mut writer.out, metrics.rows.cell(*found, metrics.columns[*position])),
                (Some(_), None) => json::null(&mut writer.out),
            }
            Ok(())
        })
    }

    /// Writes the page that belongs to a row above (or to nothing).
    pub(super) fn connection(&mut self, plan: &ConnectionPlan, child: &Child, parent: &Key) -> Written {
        let empty = Window::default();
        let level = &child.level;
        let window = level.windows.get(parent).unwrap_or(&empty);
        let type_name = &self.surface.entity(plan.rows.entity).type_name;
        self.object(&plan.fields, |writer, key, field| {
            let step = Step::Key(key.to_owned());
            match field {
                ConnectionField::Typename => json::plain(&mut writer.out, format!("{type_name}Connection")),
                ConnectionField::TotalCount => {
                    let count = child.counts.as_ref().and_then(|counts| counts.get(parent)).copied().unwrap_or(0);
                    json::number(&mut writer.out, count);
                }
                ConnectionField::Nodes(shape) => {
                    return writer.step(step, |writer| {
                        writer.list(&window.rows, |writer, row| writer.entity(&plan.rows, level, *row, *shape))
                    });
                }
                ConnectionField::Edges(fields) => {
                    return writer.step(step, |writer| {
                        writer.list(&window.rows, |writer, row| writer.edge(plan, level, *row, fields, type_name))
                    });
                }
                ConnectionField::PageInfo(fields) => writer.page_info(plan, level, window, fields),
                ConnectionField::AsKnownNow => {
                    let names = child.as_known_now.iter().map(|id| writer.model.entity(*id).name.as_str());
                    json::strings(&mut writer.out, names);
                }
            }
            Ok(())
        })
    }

    fn edge(
        &mut self,
        plan: &ConnectionPlan,
        level: &Level,
        row: usize,
        fields: &[(String, EdgeField)],
        type_name: &str,
    ) -> Written {
        self.object(fields, |writer, key, field| {
            match field {
                EdgeField::Typename => json::plain(&mut writer.out, format!("{type_name}Edge")),
                EdgeField::Cursor => json::plain(&mut writer.out, cursor(plan, level, row)),
                EdgeField::Node(shape) => {
                    let step = Step::Key(key.to_owned());
                    return writer.step(step, |writer| writer.entity(&plan.rows, level, row, *shape));
                }
            }
            Ok(())
        })
    }

    fn page_info(&mut self, plan: &ConnectionPlan, level: &Level, window: &Window, fields: &[(String, PageField)]) {
        let page = &plan.page;
        let (has_next, has_previous) =
            if page.backwards { (page.before.is_some(), window.has_more) } else { (window.has_more, page.after.is_some()) };
        self.out.push(b'{');
        let mut first = true;
        for (key, field) in fields {
            json::key(&mut self.out, &mut first, key);
            let end = match field {
                PageField::Typename => {
                    json::plain(&mut self.out, "PageInfo");
                    continue;
                }
                PageField::HasNext => {
                    json::boolean(&mut self.out, has_next);
                    continue;
                }
                PageField::HasPrevious => {
                    json::boolean(&mut self.out, has_previous);
                    continue;
                }
                PageField::Start => window.rows.first(),
                PageField::End => window.rows.last(),
            };
            json::optional(&mut self.out, end.map(|row| cursor(plan, level, *row)).as_deref());
        }
        self.out.push(b'}');
    }

    /// Writes rows by global ids, in the order of the ids.
    pub(super) fn nodes(
        &mut self,
        plans: &[KeyedPlan],
        ids: &[Option<(usize, Vec<Value>)>],
        is_list: bool,
        levels: &[Result<Level, Problem>],
    ) -> Written {
        let write = |writer: &mut Self, id: &Option<(usize, Vec<Value>)>| {
            writer.nullable(|writer| {
                let Some((position, key)) = id else { return writer.null() };
                let level = writer.reached(&levels[*position])?;
                match level.by_key.get(key) {
                    Some(row) => writer.entity(&plans[*position].rows, level, *row, 0),
                    None => writer.null(),
                }
            });
            Ok(())
        };
        match ids.first() {
            Some(id) if !is_list => write(self, id),
            Some(_) | None => self.list(ids, write),
        }
    }
}

/// The cursor of a row under the page's order.
fn cursor(plan: &ConnectionPlan, level: &Level, row: usize) -> String {
    let values = level.cursor.iter().map(|column| level.rows.as_ref().map_or(CellRef::Null, |rows| rows.cell(row, *column)));
    ids::cursor(&plan.order_name, values)
}

/// A value as a borrowed cell.
pub(super) fn cell_of(value: &Value) -> CellRef<'_> {
    match value {
        Value::Null => CellRef::Null,
        Value::Bool(value) => CellRef::Bool(*value),
        Value::Int(value) => CellRef::Int(*value),
        Value::Decimal(text) => CellRef::Decimal(text),
        Value::Text(text) => CellRef::Text(text),
        Value::Date(value) => CellRef::Date(*value),
        Value::Timestamp(value) => CellRef::Timestamp(*value),
    }
}
