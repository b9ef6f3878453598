//! What a movement reads beside the balance that moves: further balances of the same snapshot, and numbers, each at both ends.

use super::{
    super::{Draft, movements::split},
    shape::measure,
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::types::described,
    model::{
        EntityId, MeasureId,
        entity::{Aggregate, OverTime},
        metric::MemberValue,
        path::PathDimension,
    },
};

/// The words of a member's values: those that are always there, and two for each further measure or dimension.
pub(super) fn words(
    draft: &Draft<'_>,
    of: MeasureId,
    with: &[(Text, Text)],
    out: &mut Diagnostics,
) -> Option<Vec<(String, MemberValue)>> {
    let mut words = vec![
        ("opening".to_owned(), MemberValue::Opening),
        ("closing".to_owned(), MemberValue::Closing),
        ("owner_opening".to_owned(), MemberValue::OwnerOpening),
        ("owner_closing".to_owned(), MemberValue::OwnerClosing),
    ];
    let mut is_complete = true;
    for (name, text) in with {
        let parts = split(text);
        if !is_measure(draft, of.entity, &parts) {
            match level(draft, of.entity, text, &parts, out) {
                None => is_complete = false,
                Some(level) => words.extend([
                    (format!("opening_{}", name.value), MemberValue::OpeningLevel(level.clone())),
                    (format!("closing_{}", name.value), MemberValue::ClosingLevel(level)),
                ]),
            }
            continue;
        }
        let Some(id) = measure(draft, text, out) else {
            is_complete = false;
            continue;
        };
        let found = &draft.entity(id.entity).measures[id.index.index()];
        let first = &draft.entity(of.entity).measures[of.index.index()];
        let is_balance = found.aggregate == Aggregate::Sum && matches!(found.over_time, OverTime::Last | OverTime::First);
        if !draft.tells_when_it_counts(id) || !draft.tells_when_it_counts(of) {
            is_complete = false;
            continue;
        }
        if id.entity != of.entity || found.time != first.time || !is_balance {
            out.push(
                Diagnostic::error("M046", text.span, format!("`{}` is not a balance beside `{}`", text.value, first.name))
                    .also(found.span, "the measure")
                    .help(format!(
                        "`with:` takes measures of `{}` such as `{{sum: quantity, over_time: last}}`, and dimensions that are numbers",
                        draft.entity(of.entity).name
                    )),
            );
            is_complete = false;
            continue;
        }
        let added = [
            (format!("opening_{}", name.value), MemberValue::OpeningOf(id)),
            (format!("closing_{}", name.value), MemberValue::ClosingOf(id)),
        ];
        words.extend(added);
    }
    is_complete.then_some(words)
}

/// Whether what stands beside a balance is meant as a measure: it names one, or an entity that has no such dimension either.
fn is_measure(draft: &Draft<'_>, fact: EntityId, parts: &[Text]) -> bool {
    let [entity, name] = parts else { return false };
    let Some(id) = draft.index.entities.get(&entity.value) else { return false };
    let found = &draft.entities[id];
    let is_dimension =
        || found.dimension_named(&name.value).is_some() || draft.dimension(fact, parts, &mut Diagnostics::default()).is_some();
    found.measure_named(&name.value).is_some() || !is_dimension()
}

/// A number that is read at both ends of a member.
fn level(draft: &Draft<'_>, fact: EntityId, text: &Text, parts: &[Text], out: &mut Diagnostics) -> Option<PathDimension> {
    let meaning = draft.dimension_meaning(fact, parts, text.span, out)?;
    match meaning.value_type.filter(|known| !known.is_numeric()) {
        None => Some(meaning.to),
        Some(found) => {
            let message = format!("what is compared at both ends is a number, found {}", described(found));
            out.push(Diagnostic::error("M026", text.span, message).label(format!("`{}` is {}", text.value, described(found))));
            None
        }
    }
}

/// What can be told of what stands beside a measure that is not known.
pub(super) fn nothing(draft: &Draft<'_>, movement: &written::Movement, out: &mut Diagnostics) {
    let fact = split(&movement.of).first().and_then(|entity| draft.index.entities.get(&entity.value));
    let Some(fact) = fact.map(|fact| EntityId(fact as u16)) else { return };
    for (_, text) in &movement.with {
        let parts = split(text);
        if is_measure(draft, fact, &parts) {
            measure(draft, text, out);
        } else {
            level(draft, fact, text, &parts, out);
        }
    }
}
