//! What the inputs of a score add to it, as bytes.

use holdfast_schema::{model::score::ScoreInput, value::CellRef};

use super::{Writer, Written, metrics::number};
use crate::{
    exact, json,
    plan::{ContributionField, ScoreShape},
};

/// Reads a cell of one row: the metric by position in the question, and whether its value (0) or its previous value (1).
type Cells<'r> = dyn Fn(usize, usize) -> CellRef<'r> + 'r;

/// One input with its numbers.
struct Input<'i> {
    input: &'i ScoreInput,
    /// Value, value from 0 to 1, contribution.
    now: [Option<String>; 3],
    /// The same at the other time; `None` without one.
    before: Option<[Option<String>; 3]>,
}

impl Writer<'_> {
    /// Writes one entry per input of a score.
    pub(super) fn contributions(&mut self, shape: &ScoreShape, cells: &Cells<'_>) -> Written {
        let model = self.model;
        let inputs = model.metric(shape.score).score().map_or(&[][..], |score| &score.inputs);
        let inputs = inputs.iter().zip(&shape.inputs).map(|(input, columns)| Input {
            input,
            now: columns.map(|column| number(cells(column, 0))),
            before: shape.compares.then(|| columns.map(|column| number(cells(column, 1)))),
        });
        self.list(inputs, |writer, input| {
            writer.object(&shape.fields, |writer, _, field| writer.contribution(&input, field, input.now.clone(), "Contribution"))
        })
    }

    fn contribution(
        &mut self,
        input: &Input<'_>,
        field: &ContributionField,
        [value, scaled, contribution]: [Option<String>; 3],
        type_name: &str,
    ) -> Written {
        let metric = self.model.metric(input.input.metric);
        match field {
            ContributionField::Typename => json::plain(&mut self.out, type_name),
            ContributionField::Input => json::string(&mut self.out, &input.input.name),
            ContributionField::Label => json::string(&mut self.out, &metric.label),
            ContributionField::Metric => json::string(&mut self.out, &metric.name),
            ContributionField::Weight => json::string(&mut self.out, &input.input.weight),
            ContributionField::Known => json::boolean(&mut self.out, value.is_some()),
            ContributionField::Value => json::optional(&mut self.out, value.as_deref()),
            ContributionField::Scaled => json::optional(&mut self.out, scaled.as_deref()),
            ContributionField::Contribution => json::optional(&mut self.out, contribution.as_deref()),
            ContributionField::Delta => {
                let before = input.before.as_ref().and_then(|[_, _, before]| before.as_ref());
                let delta = contribution.as_ref().zip(before).and_then(|(now, before)| exact::subtract(now, before));
                json::optional(&mut self.out, delta.as_deref());
            }
            ContributionField::Previous(fields) => match &input.before {
                None => json::null(&mut self.out),
                Some(before) => {
                    return self.object(fields, |writer, _, field| {
                        writer.contribution(input, field, before.clone(), "PreviousContribution")
                    });
                }
            },
        }
        Ok(())
    }
}
