//! Rows → the bytes of the response, in the order of the selection. Null where something failed, with a path and a code; nothing is
//! asked here.

mod catalogue;
mod entities;
mod metrics;

use apollo_compiler::response::JsonMap;
use holdfast_schema::{
    model::{DimensionId, Model},
    value::CellRef,
};

use crate::{
    error::{Problem, RESULT_TOO_LARGE, Step, UNDECLARED_VALUE},
    fetch::{Asker, Fetched},
    json,
    plan::{RootKind, RootPlan},
    surface::Surface,
};

/// Errors of one response at most.
const MAX_PROBLEMS: usize = 100;

/// A value that must not be null could not be written: the nearest value around it that may be null becomes null.
pub(crate) struct Nulled;

type Written = Result<(), Nulled>;

/// One response being written.
pub(crate) struct Writer<'a> {
    /// The bytes so far.
    pub(crate) out: Vec<u8>,
    /// Errors so far.
    pub(crate) problems: Vec<Problem>,
    model: &'a Model,
    surface: &'a Surface,
    asker: &'a Asker,
    max_bytes: usize,
    path: Vec<Step>,
    place: Vec<(usize, usize)>,
}

impl<'a> Writer<'a> {
    /// A writer of one response.
    pub(crate) fn new(model: &'a Model, surface: &'a Surface, asker: &'a Asker, max_bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(4096),
            problems: Vec::new(),
            model,
            surface,
            asker,
            max_bytes,
            path: Vec::new(),
            place: Vec::new(),
        }
    }

    /// Writes `data`: an object of the root fields, or null.
    pub(crate) fn data(
        &mut self,
        plans: &[RootPlan<'_>],
        fetched: &[Result<Fetched, Problem>],
        introspection: &JsonMap,
        places: &[Vec<(usize, usize)>],
    ) {
        self.nullable(|writer| {
            writer.out.push(b'{');
            let mut first = true;
            let mut all = Ok(());
            for ((plan, fetched), place) in plans.iter().zip(fetched).zip(places) {
                json::key(&mut writer.out, &mut first, plan.selected.key);
                writer.place.clone_from(place);
                // One field that nulls everything does not hide the errors of the others.
                if writer.step(Step::Key(plan.selected.key.to_owned()), |writer| writer.root(plan, fetched, introspection)).is_err()
                {
                    all = Err(Nulled);
                }
            }
            writer.out.push(b'}');
            all
        });
    }

    fn root(&mut self, plan: &RootPlan<'_>, fetched: &Result<Fetched, Problem>, introspection: &JsonMap) -> Written {
        let is_nullable = match &plan.kind {
            RootKind::One(_) => true,
            RootKind::Nodes { is_list, .. } => !is_list,
            RootKind::Catalogue(_) => plan.selected.name == "metric",
            RootKind::Failed(_) => self.root_is_nullable(plan.selected.name),
            RootKind::Metrics(_) | RootKind::Connection(_) | RootKind::Introspection => false,
        };
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(problem) => {
                self.fail(problem.clone());
                if !is_nullable {
                    return Err(Nulled);
                }
                json::null(&mut self.out);
                return Ok(());
            }
        };
        match (&plan.kind, fetched) {
            (RootKind::Metrics(plan), Fetched::Metrics(result)) => self.metrics(plan, result),
            (RootKind::One(plan), Fetched::Keyed(level)) => {
                self.nullable(|writer| match plan.keys.first().and_then(|key| level.by_key.get(key)) {
                    Some(row) => writer.entity(&plan.rows, level, *row, 0),
                    None => writer.null(),
                });
                Ok(())
            }
            (RootKind::Connection(plan), Fetched::Connection(child)) => self.connection(plan, child, &Vec::new()),
            (RootKind::Nodes { plans, ids, is_list }, Fetched::Nodes(levels)) => self.nodes(plans, ids, *is_list, levels),
            (RootKind::Catalogue(plan), Fetched::Nothing) => self.catalogue(&plan.value),
            (RootKind::Introspection, Fetched::Nothing) => {
                let value = introspection.get(plan.selected.key).map(serde_json::to_vec);
                match value {
                    Some(Ok(bytes)) => self.out.extend_from_slice(&bytes),
                    Some(Err(_)) | None => json::null(&mut self.out),
                }
                Ok(())
            }
            (
                RootKind::Metrics(_)
                | RootKind::One(_)
                | RootKind::Connection(_)
                | RootKind::Nodes { .. }
                | RootKind::Catalogue(_)
                | RootKind::Introspection
                | RootKind::Failed(_),
                _,
            ) => Err(Nulled),
        }
    }

    fn root_is_nullable(&self, name: &str) -> bool {
        use crate::surface::{CatalogueRoot, Root};
        match self.surface.roots.get(name) {
            Some(Root::Entity(_) | Root::Node | Root::Catalogue(CatalogueRoot::Metric)) => true,
            Some(Root::View(_) | Root::Entities(_) | Root::Nodes | Root::Catalogue(_)) | None => false,
        }
    }

    /// Notes a problem at the current path.
    fn fail(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            let locations = if problem.locations.is_empty() { self.place.clone() } else { problem.locations.clone() };
            self.problems.push(Problem { path: self.path.clone(), locations, ..problem });
        }
    }

    /// Writes something one step further down.
    fn step<T>(&mut self, step: Step, write: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let written = write(self);
        self.path.pop();
        written
    }

    /// Writes a value that may be null; what failed inside it leaves null and no other trace in the bytes.
    fn nullable(&mut self, write: impl FnOnce(&mut Self) -> Written) {
        let start = self.out.len();
        if write(self).is_err() {
            self.out.truncate(start);
            json::null(&mut self.out);
        }
    }

    fn null(&mut self) -> Written {
        json::null(&mut self.out);
        Ok(())
    }

    /// Writes a list that must not be null, of items that must not be null.
    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T) -> Written) -> Written {
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.step(Step::Index(index), |writer| write(writer, item))?;
            if self.out.len() > self.max_bytes {
                self.fail(Problem::new(RESULT_TOO_LARGE, format!("the response is larger than {} bytes", self.max_bytes)));
                return Err(Nulled);
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes an object field by field.
    fn object<'f, T: 'f>(
        &mut self,
        fields: impl IntoIterator<Item = &'f (String, T)>,
        mut write: impl FnMut(&mut Self, &'f str, &'f T) -> Written,
    ) -> Written {
        self.out.push(b'{');
        let mut first = true;
        for (key, field) in fields {
            json::key(&mut self.out, &mut first, key);
            write(self, key, field)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes a dimension's value: as an enum where its values are declared.
    fn dimension(&mut self, key: &str, dimension: DimensionId, cell: CellRef<'_>) {
        match (self.surface.enums.get(&dimension), cell) {
            (Some(item), CellRef::Text(text)) => match item.name_of(text) {
                Some(name) => json::plain(&mut self.out, name),
                None => {
                    json::null(&mut self.out);
                    let name = &self.model.dimension(dimension).name;
                    let problem =
                        Problem::new(UNDECLARED_VALUE, format!("a value of `{name}` is not among those its definition declares"));
                    self.step(Step::Key(key.to_owned()), |writer| writer.fail(problem));
                }
            },
            (Some(_) | None, cell) => json::cell(&mut self.out, cell),
        }
    }
}
