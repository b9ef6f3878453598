//! How much one document may ask for: checked before anything is planned.

use std::time::Duration;

use apollo_compiler::{
    ExecutableDocument,
    executable::{Field, Operation, Selection, SelectionSet},
};

use crate::error::{LIMIT_EXCEEDED, Problem};

/// Limits of documents and pages. Each is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of a document.
    pub tokens: usize,
    /// Recursion of the parser.
    pub recursion: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Fields of an operation, fragments expanded.
    pub height: usize,
    /// Aliases of an operation, fragments expanded; every `__typename` but the first of a selection counts.
    pub aliases: usize,
    /// Root fields of an operation.
    pub root_fields: usize,
    /// Directives of a document.
    pub directives: usize,
    /// Fields of introspection in one operation; the limits above do not count them.
    pub introspection_fields: usize,
    /// Units that one operation may cost: see `cost`.
    pub cost: u64,
    /// Entities of a page when the request does not say.
    pub page: u64,
    /// Entities of a page at most.
    pub max_page: u64,
    /// Rows of a metric question when the request does not say.
    pub rows: u64,
    /// Rows of a metric question at most.
    pub max_rows: u64,
    /// Bytes of a response.
    pub response_bytes: usize,
    /// Time that planning a request may take: see `planning`.
    pub planning: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens: 5_000,
            recursion: 64,
            depth: 12,
            height: 300,
            aliases: 30,
            root_fields: 20,
            directives: 50,
            introspection_fields: 1_000,
            cost: 5_000,
            page: 50,
            max_page: 200,
            rows: 1_000,
            max_rows: 50_000,
            response_bytes: 10 * 1024 * 1024,
            planning: Duration::from_millis(250),
        }
    }
}

/// Checks an operation against the limits.
pub(crate) fn check(limits: &Limits, document: &ExecutableDocument, operation: &Operation) -> Result<(), Problem> {
    let mut walk = Walk { limits, document, counts: Counts::default(), directives: operation.directives.len() };
    walk.set(&operation.selection_set, 1, false, &mut Vec::new())
}

/// What was counted so far.
#[derive(Debug, Default)]
struct Counts {
    height: usize,
    aliases: usize,
    root_fields: usize,
    introspection: usize,
}

/// One walk over an operation with its fragments expanded. It ends at the first limit, so that fragments that multiply each other
/// cost no more than the limits allow.
struct Walk<'a> {
    limits: &'a Limits,
    document: &'a ExecutableDocument,
    counts: Counts,
    directives: usize,
}

impl<'a> Walk<'a> {
    fn set(
        &mut self,
        set: &'a SelectionSet,
        depth: usize,
        is_introspection: bool,
        fragments: &mut Vec<&'a str>,
    ) -> Result<(), Problem> {
        let mut typenames = 0;
        for selection in &set.selections {
            self.directives += selection.directives().len();
            within("directives", self.directives, self.limits.directives)?;
            match selection {
                Selection::Field(field) => self.field(field, depth, is_introspection, &mut typenames, fragments)?,
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.selection_set, depth, is_introspection, fragments)?;
                }
                Selection::FragmentSpread(spread) => {
                    // The validator refuses fragments that spread themselves; without it a walk would not end.
                    if fragments.contains(&spread.fragment_name.as_str()) {
                        continue;
                    }
                    self.counts.height += 1;
                    within("height", self.counts.height, self.limits.height + self.limits.introspection_fields)?;
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        fragments.push(&spread.fragment_name);
                        self.set(&fragment.selection_set, depth, is_introspection, fragments)?;
                        fragments.pop();
                    }
                }
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &'a Field,
        depth: usize,
        is_introspection: bool,
        typenames: &mut usize,
        fragments: &mut Vec<&'a str>,
    ) -> Result<(), Problem> {
        if depth == 1 {
            self.counts.root_fields += 1;
            within("root fields", self.counts.root_fields, self.limits.root_fields)?;
        }
        let is_introspection = is_introspection || matches!(field.name.as_str(), "__schema" | "__type");
        if is_introspection {
            self.counts.introspection += 1;
            within("introspection fields", self.counts.introspection, self.limits.introspection_fields)?;
        } else {
            self.counts.height += 1;
            within("height", self.counts.height, self.limits.height)?;
            within("depth", depth, self.limits.depth)?;
            let is_typename = field.name == "__typename";
            *typenames += usize::from(is_typename);
            if field.alias.is_some() || (is_typename && *typenames > 1) {
                self.counts.aliases += 1;
                within("aliases", self.counts.aliases, self.limits.aliases)?;
            }
        }
        self.set(&field.selection_set, depth + 1, is_introspection, fragments)
    }
}

fn within(what: &str, count: usize, limit: usize) -> Result<(), Problem> {
    if count <= limit {
        return Ok(());
    }
    Err(Problem::new(LIMIT_EXCEEDED, format!("the operation is over the limit of {limit} for {what}")))
}
