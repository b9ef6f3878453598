//! Peers to a leaf: the metric of everyone who may be a peer, whichever of them the question shows, their groups, and what is said of
//! one among the others as columns.
//!
//! Who is a peer is said by the definition and by what the caller may see; a policy may let all rows count, and then the pool and its
//! groups are read without it, while the rows that are shown are not. Conditions of the question on the compared entities choose
//! which of them are shown, and take nobody's peers away: otherwise leaving one out would tell its value.

use super::{
    AsOfLeaf, Leaf, LeafKey, LeafKind, Output, Place, Plan, Slot,
    build::{Builder, Context, outer_key, position_or_push},
    place::identity,
};
use crate::{
    expr::{BinaryOp, Expr},
    model::{
        DimensionId, EntityId, Metric, Path, Peers, PeersTake,
        path::{Fan, PathDimension},
    },
    query::{
        BoundQuery,
        bind::parts,
        bound::{BoundKey, Field, KeyItem},
        condition::Condition,
        error::{QueryError, QueryErrorCode as Code},
        scope::entity_fields,
    },
    value::{Value, ValueType},
};

/// Entities compared with the others of their group.
#[derive(Debug, Clone, PartialEq)]
pub struct PeersLeaf {
    /// The metric of each entity that may be a peer. Its keys are those of the leaf that do not belong to the entity, and its key.
    pub pool: Box<Plan>,
    /// Positions of the pool's keys among the leaf's.
    pub positions: Vec<usize>,
    /// What entities have in common with their peers, as plan without values: periods, key, and then the group's dimensions. `None` when
    /// all are peers.
    pub groups: Option<Box<Plan>>,
    /// Positions among the pool's keys of what `groups` begins with.
    pub entity: Vec<usize>,
    /// What rows are shown, where that is not all of the pool: a plan with the leaf's keys.
    pub rows: Option<Box<Plan>>,
    /// Rows of the pool that are shown, over positions of its keys; only without `rows`.
    pub shown: Vec<Condition<usize>>,
    /// Peers below which nothing but their number is said.
    pub at_least: u32,
    /// What is said; the first is the number of peers.
    pub columns: Vec<PeersColumn>,
}

impl PeersLeaf {
    /// Position of the number of peers in the leaf's columns.
    pub(crate) const COUNT: usize = 0;
}

/// One column of a [`PeersLeaf`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeersColumn {
    /// Number of peers with a value.
    Count,
    /// Of these, those with a smaller value.
    Below,
    /// Those with the same value.
    Equal,
    /// Own value.
    Value,
    /// The middle value of the peers, or the mean of the two in the middle.
    Median,
}

impl PeersColumn {
    /// Type of its values.
    pub(crate) fn value_type(self) -> ValueType {
        match self {
            PeersColumn::Count => ValueType::Int,
            PeersColumn::Below | PeersColumn::Equal | PeersColumn::Value | PeersColumn::Median => ValueType::Decimal,
        }
    }
}

/// What a group key or a condition is to the compared entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bearing {
    /// A part of its key.
    Key(usize),
    /// Something it has: the entity tells it.
    Own,
    /// Something else: values are compared within it.
    Other,
}

/// The compared entity, seen from the facts of the metric.
struct Compared<'a> {
    entity: EntityId,
    key: Vec<DimensionId>,
    facts: &'a [EntityId],
}

impl Builder<'_> {
    pub(super) fn peers(&mut self, metric: &Metric, peers: &Peers, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let itself = entity_fields(self.model, peers.entity).swap_remove(0);
        let key = parts(self.model, &itself);
        let compared = Compared { entity: peers.entity, key, facts: &self.model.metric(peers.of).facts };
        if context.timing.total {
            return Err(self.ungrouped(metric, peers.entity));
        }
        if !self.has_key_of(&compared, &self.keys) {
            // Totals of a question by entity: everybody together is nobody's peer.
            return match self.has_key_of(&compared, &self.query.keys) {
                true => Ok(Expr::Literal(Value::Null)),
                false => Err(self.ungrouped(metric, peers.entity)),
            };
        }
        let bearings: Vec<Bearing> = self.keys.iter().map(|key| self.bearing_of_key(&compared, key)).collect();
        let positions: Vec<usize> = (0..bearings.len()).filter(|n| bearings[*n] != Bearing::Own).collect();
        let pool_keys: Vec<BoundKey> = positions.iter().map(|n| self.keys[*n].clone()).collect();
        let all = self.query.filter.iter().chain(context.filter);
        let is_own_shown = bearings.contains(&Bearing::Own) || all.clone().any(|one| self.bearing(&compared, one) == Bearing::Own);

        let others = |conditions: &[Condition<Field>]| -> Vec<Condition<Field>> {
            conditions.iter().filter(|one| self.bearing(&compared, one) == Bearing::Other).cloned().collect()
        };
        let pool_query = BoundQuery { filter: others(&self.query.filter), is_page_of_entities: false, ..self.query.clone() };
        let pool_filter = others(context.filter);
        let pool = self.values(&pool_query, pool_keys.clone(), peers, Context { filter: &pool_filter, ..context })?;
        let has_rows = is_own_shown || self.query.access.peers.is_some();
        let rows = match has_rows {
            true => Some(Box::new(self.values(self.query, self.keys.clone(), peers, context)?)),
            false => None,
        };
        let shown = match has_rows {
            true => Vec::new(),
            false => all
                .filter(|one| matches!(self.bearing(&compared, one), Bearing::Key(_)))
                .map(|one| self.over_keys(&compared, &pool_keys, one))
                .collect(),
        };
        let (groups, entity) = self.groups(metric, peers, &compared, &pool_keys, context)?;
        let leaf = PeersLeaf {
            pool: Box::new(pool),
            positions,
            groups,
            entity,
            rows,
            shown,
            at_least: peers.at_least,
            columns: vec![PeersColumn::Count],
        };
        let leaf = self.peers_leaf(leaf, context);
        Ok(self.said_of_peers(leaf, peers.take))
    }

    fn ungrouped(&self, metric: &Metric, entity: EntityId) -> QueryError {
        let name = &self.model.entity(entity).name;
        QueryError::new(
            Code::UnsafeReaggregation,
            format!("`{}` compares each `{name}` with its peers, and the question does not group by `{name}`", metric.name),
        )
        .help(format!("group by `{name}`"))
    }

    /// The metric by some keys.
    fn values(&self, query: &BoundQuery, keys: Vec<BoundKey>, peers: &Peers, context: Context<'_>) -> Result<Plan, QueryError> {
        let mut inner = Builder::new(self.model, query, keys);
        let value = inner.value(peers.of, context)?;
        let value_type = self.model.metric(peers.of).value_type;
        let outputs = vec![Output { key: String::new(), value, previous: None, status: None, value_type }];
        Ok(inner.finish(outputs).unlimited())
    }

    /// What entities have in common with their peers, on the last day of each period.
    fn groups(
        &self,
        metric: &Metric,
        peers: &Peers,
        compared: &Compared<'_>,
        pool_keys: &[BoundKey],
        context: Context<'_>,
    ) -> Result<(Option<Box<Plan>>, Vec<usize>), QueryError> {
        let is_of_entity = |key: &BoundKey| key.period().is_some() || matches!(self.bearing_of_key(compared, key), Bearing::Key(_));
        let entity: Vec<usize> = (0..pool_keys.len()).filter(|n| is_of_entity(&pool_keys[*n])).collect();
        if peers.group.is_empty() {
            return Ok((None, entity));
        }
        self.check_days_seen(metric)?;
        self.check_days(metric, context.timing)?;
        let in_common: Vec<Place> = peers.group.iter().map(Place::safe).collect();
        let readable = in_common.iter().map(|place| Condition::IsNull { field: place.clone(), is_null: false });
        self.check_masks(&readable.collect::<Vec<_>>())?;
        let itself = entity_fields(self.model, peers.entity).swap_remove(0);
        let of_key = entity.iter().map(|n| {
            let key = &pool_keys[*n];
            let place = match self.bearing_of_key(compared, key) {
                Bearing::Key(part) => Some(Place::safe(&PathDimension { path: Path::new(), dimension: compared.key[part] })),
                Bearing::Own | Bearing::Other => None,
            };
            (key.clone(), place.map_or_else(|| outer_key(&key.item), LeafKey::Place))
        });
        let of_group = in_common.into_iter().enumerate().map(|(part, place)| {
            let key = BoundKey {
                key: format!("peers_{part}"),
                by: usize::MAX,
                part,
                value_type: self.model.dimension(place.dimension).value_type,
                item: KeyItem::Field(Field { of: itself.clone(), dimension: place.dimension }),
            };
            (key, LeafKey::Place(place))
        });
        let (keys, leaf_keys) = of_key.chain(of_group).unzip();
        let kind =
            LeafKind::AsOf(AsOfLeaf { fact: peers.entity, rows: None, latest: None, filter: Vec::new(), columns: Vec::new() });
        let mut inner = Builder::new(self.model, self.query, keys);
        inner.push(Leaf { timing: context.timing, keys: leaf_keys, kind });
        Ok((Some(Box::new(inner.finish(Vec::new()).unlimited())), entity))
    }

    /// What is said of the same entities shares a leaf.
    fn peers_leaf(&mut self, leaf: PeersLeaf, context: Context<'_>) -> usize {
        let same = |known: &Leaf| {
            known.timing == context.timing
                && matches!(&known.kind, LeafKind::Peers(known) if *known == PeersLeaf { columns: known.columns.clone(), ..leaf.clone() })
        };
        match self.leaves.iter().position(same) {
            Some(position) => position,
            None => {
                let keys = self.keys.iter().map(|key| outer_key(&key.item)).collect();
                self.push(Leaf { timing: context.timing, keys, kind: LeafKind::Peers(leaf) })
            }
        }
    }

    fn said_of_peers(&mut self, leaf: usize, take: PeersTake) -> Expr<Slot> {
        let mut column = |column| {
            let LeafKind::Peers(peers) = &mut self.leaves[leaf].kind else {
                unreachable!("what is said of peers belongs to peers")
            };
            Expr::Ref(Slot { leaf, column: position_or_push(&mut peers.columns, column) })
        };
        let number = |value| Expr::Literal(Value::Int(value));
        match take {
            PeersTake::Count => column(PeersColumn::Count),
            PeersTake::Median => column(PeersColumn::Median),
            PeersTake::Gap => Expr::binary(BinaryOp::Subtract, column(PeersColumn::Value), column(PeersColumn::Median)),
            PeersTake::Percentile => {
                // Over one divisor, so that nothing is rounded before the end.
                let below = Expr::binary(BinaryOp::Multiply, number(100), column(PeersColumn::Below));
                let equal = Expr::binary(BinaryOp::Multiply, number(50), column(PeersColumn::Equal));
                let above = Expr::binary(BinaryOp::Add, below, equal);
                Expr::binary(BinaryOp::Divide, above, column(PeersColumn::Count))
            }
        }
    }

    /// Whether there is a group for each entity.
    fn has_key_of(&self, compared: &Compared<'_>, keys: &[BoundKey]) -> bool {
        let found: Vec<Bearing> = keys.iter().map(|key| self.bearing_of_key(compared, key)).collect();
        (0..compared.key.len()).all(|part| found.contains(&Bearing::Key(part)))
    }

    fn bearing_of_key(&self, compared: &Compared<'_>, key: &BoundKey) -> Bearing {
        match &key.item {
            KeyItem::Period(_) | KeyItem::Age(_) => Bearing::Other,
            KeyItem::Field(field) => self.bearing_of_field(compared, field),
            KeyItem::FieldPeriod(field, _) => match self.bearing_of_field(compared, field) {
                Bearing::Key(_) | Bearing::Own => Bearing::Own,
                Bearing::Other => Bearing::Other,
            },
            KeyItem::Cohort(_) => {
                let is_own = |fact: &EntityId| {
                    self.cohort_place(*fact).is_ok_and(|place| self.bearing_of_place(compared, *fact, &place) != Bearing::Other)
                };
                if compared.facts.iter().all(is_own) { Bearing::Own } else { Bearing::Other }
            }
        }
    }

    /// What a condition is about: the farthest of what it speaks of.
    fn bearing(&self, compared: &Compared<'_>, condition: &Condition<Field>) -> Bearing {
        let mut found = Bearing::Key(0);
        condition.visit(&mut |field| found = found.max(self.bearing_of_chosen(compared, field)));
        found
    }

    /// A condition chooses entities also by what they have several of; groups of that kind divide what is measured.
    fn bearing_of_chosen(&self, compared: &Compared<'_>, field: &Field) -> Bearing {
        let is_beyond = |fact: &EntityId| {
            let way = self.model.path_between(*fact, compared.entity);
            let place = Place::of(self.model, *fact, field);
            let found = place.zip(way);
            found.is_some_and(|(place, way)| place.reach.fan == Fan::Overlapping && place.reach.path.starts_with(&way.path))
        };
        match self.bearing_of_field(compared, field) {
            Bearing::Other if compared.facts.iter().all(is_beyond) => Bearing::Own,
            known => known,
        }
    }

    fn bearing_of_field(&self, compared: &Compared<'_>, field: &Field) -> Bearing {
        let seen = compared.facts.iter().map(|fact| match Place::of(self.model, *fact, field) {
            Some(place) => self.bearing_of_place(compared, *fact, &place),
            None => Bearing::Other,
        });
        seen.max().unwrap_or(Bearing::Other)
    }

    fn bearing_of_place(&self, compared: &Compared<'_>, fact: EntityId, place: &Place) -> Bearing {
        let Some(way) = self.model.path_between(fact, compared.entity) else { return Bearing::Other };
        let found = identity(self.model, &place.reach.path, place.dimension);
        let is_part = |part: &DimensionId| found.is_some() && identity(self.model, &way.path, *part) == found;
        match compared.key.iter().position(is_part) {
            Some(part) => Bearing::Key(part),
            None if place.reach.fan == Fan::None && place.reach.path.starts_with(&way.path) => Bearing::Own,
            None => Bearing::Other,
        }
    }

    /// A condition on the key of the entity, over the keys of the pool.
    fn over_keys(&self, compared: &Compared<'_>, keys: &[BoundKey], condition: &Condition<Field>) -> Condition<usize> {
        let position = |field: &Field| {
            let wanted = self.bearing_of_field(compared, field);
            keys.iter().position(|key| self.bearing_of_key(compared, key) == wanted).expect("the pool has every part of the key")
        };
        match condition.try_map(&mut |field| Ok::<_, std::convert::Infallible>(position(field))) {
            Ok(condition) => condition,
            Err(never) => match never {},
        }
    }
}
