//! Peers: which entities, what they have in common, and how many there have to be.

use super::{
    super::{Draft, movements::split, words::one_of},
    shape::find,
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        EntityId,
        path::PathDimension,
        peers::{Peers, PeersTake},
    },
};

/// Fewer peers than this say nothing, unless the definition says otherwise: with few, one could be told from the answer.
const AT_LEAST: u32 = 5;

/// Resolves peers; `None` when something is wrong.
pub(super) fn of(draft: &Draft<'_>, peers: &written::Peers, out: &mut Diagnostics) -> Option<Peers> {
    let of = find(draft, &peers.of, out);
    let entity = draft.find_entity(&peers.entity.value, peers.entity.span, out);
    let take = one_of("value of `take`", &peers.take, &PeersTake::ALL.map(|take| (take.name(), take)), out);
    let at_least = peers.at_least.as_ref().map_or(Some(AT_LEAST), |text| at_least(draft, text, out));
    let entity = entity?;
    let group: Vec<_> = peers.group.iter().map(|text| in_common(draft, entity, text, out)).collect();
    let group = group.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Peers { of: of?, entity, group, take: take?, at_least: at_least? })
}

fn at_least(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<u32> {
    let number = draft.parameters.number(text, out)?;
    let found = number.parse().ok().filter(|number| *number >= 1);
    if found.is_none() {
        out.push(
            Diagnostic::error("M065", text.span, format!("there cannot be {number} peers"))
                .label("expected a whole number, 1 or more"),
        );
    }
    found
}

/// A dimension of which each entity has one value, as `segment` or, with the entity's name, as `account.segment`.
fn in_common(draft: &Draft<'_>, entity: EntityId, text: &Text, out: &mut Diagnostics) -> Option<PathDimension> {
    draft.dimension(entity, &split(text), out)
}
