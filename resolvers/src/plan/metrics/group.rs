//! Group keys: those of the argument `by`, those that fields of a row show, and both as literals for people.

use holdfast_schema::{
    model::ViewDimensionIndex,
    query::{Ages, GroupBy, GroupItem},
    time::Grain,
};

use super::draft::Draft;
use crate::{
    error::{DIMENSION_NOT_GROUPED, Problem},
    filter,
    input::Input,
    select::Selected,
    surface::RowMember,
};

/// Ages as a group key, to be pasted.
const BY_AGE: &str = "{age: {grain: MONTH, step: 6}}";

impl<'a> Draft<'_, 'a> {
    pub(super) fn grouped(&self, item: &GroupItem, field: &str) -> Result<&GroupBy, Problem> {
        self.by.iter().find(|known| known.item == *item).ok_or_else(|| self.not_grouped(field, &self.item_literal(item)))
    }

    pub(super) fn not_grouped(&self, field: &str, literal: &str) -> Problem {
        let known: Vec<_> = self.by.iter().map(|item| self.item_literal(&item.item)).chain([literal.to_owned()]).collect();
        Problem::new(DIMENSION_NOT_GROUPED, format!("`{field}` is not among the group keys of `{}`", self.names.field))
            .help(format!("by: [{}]", known.join(", ")))
    }

    /// A group key of the argument `by`.
    pub(super) fn group(&self, input: &Input) -> Result<GroupBy, Problem> {
        let wrong = || Problem::input("`by` holds something that is no group key");
        let (form, value) = input.one().ok_or_else(wrong)?;
        if form == "dimension" {
            let index = self.dimension_named(value).ok_or_else(wrong)?;
            return Ok(self.dimension_group(index));
        }
        let grain = filter::grain(value).ok_or_else(wrong)?;
        if form == "cohort" {
            return Ok(cohort_group(grain));
        }
        if form == "age" {
            return ages(grain, value).map(|ages| GroupBy { key: "age".to_owned(), item: GroupItem::Age(ages) });
        }
        let dimension = match value.get("dimension") {
            Some(name) => Some(self.dimension_named(name).ok_or_else(wrong)?),
            None => None,
        };
        Ok(self.time_group(dimension, grain))
    }

    /// The group key that a selected field of a row shows, if it shows one.
    pub(super) fn selected_group(&self, field: &Selected<'a>) -> Result<Option<GroupBy>, Problem> {
        Ok(match self.names.members.get(field.name) {
            Some(RowMember::Dimension(index)) => Some(self.dimension_group(*index)),
            Some(RowMember::Period) => Some(self.period_group(field)?.0),
            Some(RowMember::Cohort) => Some(self.cohort_group(field)?.0),
            Some(RowMember::Age) => return Err(field.problem(&self.planner.request, self.not_grouped(field.name, BY_AGE))),
            Some(RowMember::Id | RowMember::Compare | RowMember::Status | RowMember::Contributions | RowMember::Metric(_))
            | None => None,
        })
    }

    pub(super) fn period_group(&self, field: &Selected<'a>) -> Result<(GroupBy, Grain), Problem> {
        let arguments = self.planner.request.arguments(field)?;
        let grain = arguments.get("grain").and_then(Input::text).and_then(filter::grain_named);
        let grain = grain.ok_or_else(|| field.problem(&self.planner.request, Problem::input("`grain` is missing")))?;
        let dimension = arguments.get("dimension").and_then(|name| self.dimension_named(name));
        Ok((self.time_group(dimension, grain), grain))
    }

    pub(super) fn cohort_group(&self, field: &Selected<'a>) -> Result<(GroupBy, Grain), Problem> {
        let (_, grain) = self.period_group(field)?;
        Ok((cohort_group(grain), grain))
    }

    /// Position of the ages among the group keys.
    pub(super) fn age_group(&self, field: &str) -> Result<usize, Problem> {
        let position = self.by.iter().position(|known| matches!(known.item, GroupItem::Age(_)));
        position.ok_or_else(|| self.not_grouped(field, BY_AGE))
    }

    fn dimension_named(&self, input: &Input) -> Option<ViewDimensionIndex> {
        let value = input.text()?;
        self.names.dimensions.iter().find(|dimension| dimension.value == value).map(|dimension| dimension.index)
    }

    fn dimension_group(&self, index: ViewDimensionIndex) -> GroupBy {
        let name = self.view.dimensions[index.index()].name.clone();
        GroupBy { key: name.clone(), item: GroupItem::Dimension(name) }
    }

    fn time_group(&self, dimension: Option<ViewDimensionIndex>, grain: Grain) -> GroupBy {
        let dimension = dimension.map(|index| self.view.dimensions[index.index()].name.clone());
        let key = format!("{}_{}", dimension.as_deref().unwrap_or("period"), grain.name());
        GroupBy { key, item: GroupItem::Time { dimension, grain } }
    }

    /// A group key as a literal that can be pasted into `by`.
    fn item_literal(&self, item: &GroupItem) -> String {
        let value = |name: &str| {
            let index = self.view.dimension_named(name);
            let names = self.names.dimensions.iter().find(|dimension| Some(dimension.index) == index);
            names.map_or_else(|| name.to_ascii_uppercase(), |names| names.value.clone())
        };
        match item {
            GroupItem::Dimension(name) => format!("{{dimension: {}}}", value(name)),
            GroupItem::Cohort { grain } => format!("{{cohort: {{grain: {}}}}}", grain.name().to_ascii_uppercase()),
            GroupItem::Age(ages) => {
                let grain = ages.grain().name().to_ascii_uppercase();
                format!("{{age: {{grain: {grain}, step: {}, from: {}, upTo: {}}}}}", ages.step(), ages.from(), ages.up_to())
            }
            GroupItem::Time { dimension: None, grain } => format!("{{time: {{grain: {}}}}}", grain.name().to_ascii_uppercase()),
            GroupItem::Time { dimension: Some(name), grain } => {
                format!("{{time: {{dimension: {}, grain: {}}}}}", value(name), grain.name().to_ascii_uppercase())
            }
        }
    }

    pub(super) fn by_literal(&self) -> String {
        let items: Vec<_> = self.by.iter().map(|item| self.item_literal(&item.item)).collect();
        format!("[{}]", items.join(", "))
    }

    /// The group keys as JSON variables for `by`.
    pub(super) fn by_json(&self) -> String {
        let text = self.by_literal();
        let mut out = String::with_capacity(text.len() * 2);
        let mut word = false;
        for letter in text.chars() {
            let is_word = letter.is_ascii_alphanumeric() || letter == '_';
            if is_word != word {
                out.push('"');
                word = is_word;
            }
            out.push(letter);
        }
        out
    }
}

fn cohort_group(grain: Grain) -> GroupBy {
    GroupBy { key: format!("cohort_{}", grain.name()), item: GroupItem::Cohort { grain } }
}

fn ages(grain: Grain, input: &Input) -> Result<Ages, Problem> {
    let number = |name: &str| match input.get(name) {
        None => Ok(None),
        Some(value) => {
            let number = value.int().and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or_else(|| Problem::input(format!("`age.{name}` is a whole number that is not negative")))
        }
    };
    let step = number("step")?.unwrap_or(1);
    Ages::new(grain, step, number("from")?, number("upTo")?).map_err(|message| Problem::input(format!("`by.age`: {message}")))
}
