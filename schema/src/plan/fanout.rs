//! What a dimension with several values per row may be asked of: sums by parts, and conditions that a row meets by any of its values.

use super::{
    Place, Timing,
    build::{Builder, key_places, places},
};
use crate::{
    model::{Cardinality, MeasureId, Metric, entity::Aggregate, path::Fan},
    query::{
        condition::Condition,
        error::{QueryError, QueryErrorCode as Code},
    },
    value::ValueType,
};

impl Builder<'_> {
    /// Refuses what a multiplying dimension would make wrong: conditions on one column, conditions that mix two ways of multiplying,
    /// and parts of a weighted bridge in anything but a sum.
    pub(super) fn check_fans(
        &self,
        metric: &Metric,
        measure: MeasureId,
        column_filter: &[Condition<Place>],
    ) -> Result<(), QueryError> {
        let name = |place: &Place| self.model.dimension(place.dimension).name.clone();
        let refuse = |place: &Place, why: &str| {
            Err(QueryError::new(Code::FanOut, format!("`{}` {why} `{}`", metric.name, name(place)))
                .help("use a dimension of which each row has one value"))
        };
        if let Some(place) = places(column_filter).find(|place| place.reach.fan != Fan::None) {
            return refuse(place, "cannot have a condition of its own on");
        }
        let filters = self.query_filter(measure.entity, Timing::default())?;
        for condition in &filters {
            let all: Vec<&Place> = places(std::slice::from_ref(condition)).collect();
            let Some(fan) = all.iter().find(|place| place.reach.fan != Fan::None) else { continue };
            if fan.reach.fan == Fan::Overlapping && !condition.is_positive() {
                return refuse(fan, "can be selected by values that are there, not by values that are not, of");
            }
            if all.iter().any(|place| place.reach.path != fan.reach.path) {
                return refuse(fan, "cannot be selected by one condition that joins other dimensions with");
            }
        }
        let declared = self.model.measure(measure);
        let has_parts = declared.aggregate == Aggregate::Sum && declared.value_type == ValueType::Decimal;
        let keys = self.leaf_keys(measure.entity, Timing::default())?;
        for place in key_places(&keys).chain(places(&filters)).filter(|place| place.reach.fan != Fan::None) {
            if place.reach.fan == Fan::Weighted && !has_parts {
                return refuse(place, "is not a sum of decimals, so it has no parts by");
            }
            if !self.can_read_across(place) {
                return refuse(place, "would need a relationship of the bridge to reach");
            }
        }
        Ok(())
    }

    /// Whether what lies behind a bridge can be read: the bridge has a relationship to it, or it is one plain hop away.
    fn can_read_across(&self, place: &Place) -> bool {
        let path = &place.reach.path;
        path.iter().enumerate().all(|(n, hop)| {
            let relationship = self.model.relationship(*hop);
            match relationship.cardinality {
                Cardinality::ManyToMany { bridge, .. } => {
                    self.model.path_between(bridge, relationship.to).is_some()
                        || (n + 1 == path.len() && self.model.entity(relationship.to).validity.is_none())
                }
                Cardinality::ManyToOne | Cardinality::OneToOne | Cardinality::OneToMany => true,
            }
        })
    }
}
