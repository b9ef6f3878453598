//! Rows → the bytes of the response, in the order of the selection. Null where something failed, with a path and a code; nothing is
//! asked here.

mod catalogue;
mod entities;
mod extensions;
mod metrics;
mod score;
mod signals;

use apollo_compiler::response::JsonMap;
use holdfast_schema::{
    model::{DimensionId, Model},
    value::CellRef,
};

use crate::{
    error::{ERRORS_LEFT_OUT, Problem, RESULT_TOO_LARGE, Step, UNDECLARED_VALUE},
    fetch::{Asker, Fetched},
    json,
    plan::{RootKind, RootPlan},
    surface::Surface,
};

pub(crate) use extensions::extensions;

/// Errors of one response at most.
const MAX_PROBLEMS: usize = 100;

/// A value that must not be null could not be written: the nearest value around it that may be null becomes null.
pub(crate) struct Nulled;

type Written = Result<(), Nulled>;

/// One response being written.
pub(crate) struct Writer<'a> {
    /// The bytes so far.
    pub(crate) out: Vec<u8>,
    /// Errors so far, [`MAX_PROBLEMS`] at most.
    problems: Vec<Problem>,
    /// How many more there are.
    left_out: usize,
    model: &'a Model,
    surface: &'a Surface,
    asker: &'a Asker,
    max_bytes: usize,
    /// The response has grown too large once: nothing more is written, whatever was taken back since.
    is_full: bool,
    path: Vec<Step>,
    place: Vec<(usize, usize)>,
}

impl<'a> Writer<'a> {
    /// A writer of one response.
    pub(crate) fn new(model: &'a Model, surface: &'a Surface, asker: &'a Asker, max_bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(4096),
            problems: Vec::new(),
            left_out: 0,
            model,
            surface,
            asker,
            max_bytes,
            is_full: false,
            path: Vec::new(),
            place: Vec::new(),
        }
    }

    /// Writes `data`: an object of the root fields, each of which may be null.
    pub(crate) fn data(
        &mut self,
        plans: &[RootPlan<'_>],
        fetched: &[Result<Fetched, Problem>],
        introspection: &JsonMap,
        places: &[Vec<(usize, usize)>],
    ) {
        self.out.push(b'{');
        let mut first = true;
        for ((plan, fetched), place) in plans.iter().zip(fetched).zip(places) {
            json::key(&mut self.out, &mut first, plan.selected.key);
            self.place.clone_from(place);
            // Each root field is asked by itself, so it fails by itself: the others keep their answers.
            self.step(Step::Key(plan.selected.key.to_owned()), |writer| {
                writer.nullable(|writer| writer.root(plan, fetched, introspection));
            });
        }
        self.out.push(b'}');
    }

    /// Notes problems of what somebody else has written.
    pub(crate) fn note(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    /// The bytes and the errors. Where there are too many errors the last one says how many are left out.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Problem>) {
        let mut problems = self.problems;
        if self.left_out > 0 {
            let message = format!("{} more errors are left out; their fields are null too", self.left_out);
            problems.push(Problem::new(ERRORS_LEFT_OUT, message));
        }
        (self.out, problems)
    }

    fn root(&mut self, plan: &RootPlan<'_>, fetched: &Result<Fetched, Problem>, introspection: &JsonMap) -> Written {
        let fetched = self.reached(fetched)?;
        self.room()?;
        match (&plan.kind, fetched) {
            (RootKind::Metrics(plan), Fetched::Metrics(result)) => self.metrics(plan, result),
            (RootKind::One(plan), Fetched::Keyed(level)) => match plan.keys.first().and_then(|key| level.by_key.get(key)) {
                Some(row) => self.entity(&plan.rows, level, *row, 0),
                None => self.null(),
            },
            (RootKind::Connection(plan), Fetched::Connection(child)) => self.connection(plan, child, &Vec::new()),
            (RootKind::Nodes { plans, ids, is_list }, Fetched::Nodes(levels)) => self.nodes(plans, ids, *is_list, levels),
            (RootKind::Signals(plan), Fetched::Signals(signals)) => self.signals(plan, signals),
            (RootKind::Catalogue(plan), Fetched::Nothing) => self.catalogue(&plan.value),
            (RootKind::Introspection, Fetched::Nothing) => {
                let value = introspection.get(plan.selected.key).map(serde_json::to_vec);
                match value {
                    Some(Ok(bytes)) => self.out.extend_from_slice(&bytes),
                    Some(Err(_)) | None => json::null(&mut self.out),
                }
                self.room()
            }
            (
                RootKind::Metrics(_)
                | RootKind::One(_)
                | RootKind::Connection(_)
                | RootKind::Nodes { .. }
                | RootKind::Signals(_)
                | RootKind::Catalogue(_)
                | RootKind::Introspection
                | RootKind::Failed(_),
                _,
            ) => Err(Nulled),
        }
    }

    /// What was fetched, or the problem noted here.
    pub(super) fn reached<'t, T>(&mut self, fetched: &'t Result<T, Problem>) -> Result<&'t T, Nulled> {
        fetched.as_ref().map_err(|problem| {
            self.fail(problem.clone());
            Nulled
        })
    }

    /// Notes a problem at the current path.
    fn fail(&mut self, problem: Problem) {
        if self.problems.len() >= MAX_PROBLEMS {
            self.left_out += 1;
        } else {
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
            self.room()?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Whether there is room for more. When there is not, that is noted once, and everything around fails too, up to `data`: a value
    /// further out that may be null would make room for others, which would be written only to be taken back as well.
    fn room(&mut self) -> Written {
        if !self.is_full && self.out.len() > self.max_bytes {
            self.is_full = true;
            self.fail(Problem::new(RESULT_TOO_LARGE, format!("the response is larger than {} bytes", self.max_bytes)));
        }
        if self.is_full { Err(Nulled) } else { Ok(()) }
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
            self.room()?;
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
