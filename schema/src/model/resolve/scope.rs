//! Dotted names in, paths through relationships out: `segment`, `account.segment`, `parent.segment`, `contract.account.name`.

use super::{Draft, index::unknown};
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    expr::types::Meaning,
    model::{
        DimensionId, Entity, EntityId, RelationshipId,
        join_graph::{Layer, Way, is_safe},
        path::{Path, PathDimension},
    },
    source::Span,
};

impl Draft<'_> {
    /// The entity behind an id.
    pub(super) fn entity(&self, id: EntityId) -> &Entity {
        &self.entities[id.index()]
    }

    /// The entity of that name; reports a name that is not there.
    pub(super) fn find_entity(&self, name: &str, span: Span, out: &mut Diagnostics) -> Option<EntityId> {
        self.index.entities.find(name, span, out).map(|id| EntityId(id as u16))
    }

    /// A dimension reached safely from an entity, by dotted name.
    pub(in crate::model) fn dimension(&self, from: EntityId, parts: &[Text], out: &mut Diagnostics) -> Option<PathDimension> {
        let (last, way) = parts.split_last()?;
        let (path, end) = self.walk(from, way, out)?;
        let entity = self.entity(end);
        if let Some(index) = entity.dimension_named(&last.value) {
            return Some(PathDimension { path, dimension: DimensionId { entity: end, index } });
        }
        if !self.is_reported(end, &last.value) {
            out.push(self.unknown_dimension(end, last));
        }
        None
    }

    /// The same as a typed meaning, for expressions.
    pub(super) fn dimension_meaning(
        &self,
        from: EntityId,
        parts: &[Text],
        span: Span,
        out: &mut Diagnostics,
    ) -> Option<Meaning<PathDimension>> {
        let found = self.dimension(from, parts, out)?;
        let known = !self.untyped.contains(&found.dimension);
        let dimension = &self.entity(found.dimension.entity).dimensions[found.dimension.index.index()];
        let value_type = known.then_some(dimension.value_type);
        Some(Meaning { to: found, value_type, span })
    }

    /// Walks relationships; the first part may also be an entity that is reached in one safe way.
    pub(super) fn walk(&self, from: EntityId, parts: &[Text], out: &mut Diagnostics) -> Option<(Path, EntityId)> {
        let (mut path, mut at) = (Path::new(), from);
        for (position, part) in parts.iter().enumerate() {
            if let Some(id) = self.relationship(at, part, out)? {
                at = self.entity(id.entity).relationships[id.index.index()].to;
                path.push(id);
                continue;
            }
            let entity = self.index.entities.get(&part.value).filter(|_| position == 0).map(|id| EntityId(id as u16));
            let Some(entity) = entity else {
                if !self.is_reported(at, &part.value) {
                    out.push(self.unknown_step(at, part, position == 0));
                }
                return None;
            };
            path = self.safe_path(from, entity, part.span, out)?;
            at = entity;
        }
        Some((path, at))
    }

    /// The only safe path between two entities; reports when there is none or more than one.
    pub(super) fn safe_path(&self, from: EntityId, to: EntityId, span: Span, out: &mut Diagnostics) -> Option<Path> {
        match self.graph.way(from, to, Layer::Safe) {
            Way::One(path) => Some(path),
            Way::Ambiguous(one, other) => {
                out.push(self.ambiguous(from, to, &one, &other, span));
                None
            }
            Way::None => {
                if !self.may_lack_ways(from) {
                    out.push(self.unreachable(from, to, span));
                }
                None
            }
        }
    }

    /// Whether a way from an entity may be missing only because of a relationship that was reported already.
    pub(super) fn may_lack_ways(&self, from: EntityId) -> bool {
        self.unconnected.iter().any(|entity| self.graph.way(from, *entity, Layer::Safe) != Way::None)
    }

    /// A path as an author would write it: `component_value.component.contract`.
    pub(super) fn path_text(&self, from: EntityId, path: &Path) -> String {
        let mut text = self.entity(from).name.clone();
        for hop in path {
            text.push('.');
            text.push_str(&self.entity(hop.entity).relationships[hop.index.index()].name);
        }
        text
    }

    /// Two ways of the same length.
    pub(super) fn ambiguous(&self, from: EntityId, to: EntityId, one: &Path, other: &Path, span: Span) -> Diagnostic {
        let (from_name, to_name) = (&self.entity(from).name, &self.entity(to).name);
        let (one, other) = (self.path_text(from, one), self.path_text(from, other));
        let shown = one.strip_prefix(from_name.as_str()).map_or(one.as_str(), |rest| rest.trim_start_matches('.'));
        Diagnostic::error("M031", span, format!("`{to_name}` is reached from `{from_name}` in two ways"))
            .label(format!("`{one}` or `{other}`"))
            .help(format!("name the relationships, for example `{shown}`"))
    }

    /// No safe way.
    pub(super) fn unreachable(&self, from: EntityId, to: EntityId, span: Span) -> Diagnostic {
        let (from_name, to_name) = (&self.entity(from).name, &self.entity(to).name);
        let diagnostic = Diagnostic::error("M032", span, format!("no relationship leads from `{from_name}` to one `{to_name}`"));
        match (self.graph.way(from, to, Layer::Weighted), self.graph.way(from, to, Layer::Overlapping)) {
            (Way::None, Way::None) => diagnostic.help(format!(
                "relate them: `{to_name}: {{to: {to_name}, key: …}}` under `relationships:` of `{from_name}` or of an entity on the way"
            )),
            (Way::One(path) | Way::Ambiguous(path, _), _) | (Way::None, Way::One(path) | Way::Ambiguous(path, _)) => diagnostic
                .label(format!("one `{from_name}` has many `{to_name}`"))
                .help(format!("the way `{}` multiplies rows", self.path_text(from, &path))),
        }
    }

    fn unknown_dimension(&self, entity: EntityId, name: &Text) -> Diagnostic {
        let entity = self.entity(entity);
        let names = entity.dimensions.iter().map(|dimension| dimension.name.as_str());
        let related = entity.relationships.iter().any(|relationship| relationship.name == name.value);
        let diagnostic = unknown("M011", &format!("dimension of `{}`", entity.name), &name.value, name.span, names);
        if related {
            diagnostic.help(format!("`{0}` is a relationship; name one of its dimensions: `{0}.…`", name.value))
        } else {
            diagnostic
        }
    }

    fn unknown_step(&self, at: EntityId, name: &Text, is_first: bool) -> Diagnostic {
        let entity = self.entity(at);
        let relationships = entity.relationships.iter().map(|relationship| relationship.name.as_str());
        let entities = self.index.entities.names().filter(|_| is_first);
        let what = if is_first { "entity or relationship".to_owned() } else { format!("relationship of `{}`", entity.name) };
        unknown("M012", &what, &name.value, name.span, relationships.chain(entities))
    }

    /// A safe relationship by name: `Some(None)` when there is none of that name, `None` when it multiplies rows (reported).
    fn relationship(&self, at: EntityId, name: &Text, out: &mut Diagnostics) -> Option<Option<RelationshipId>> {
        let entity = self.entity(at);
        let Some(index) = entity.relationship_named(&name.value) else {
            return Some(None);
        };
        if is_safe(&entity.relationships[index.index()].cardinality) {
            return Some(Some(RelationshipId { entity: at, index }));
        }
        out.push(
            Diagnostic::error("M033", name.span, format!("one `{}` has many `{}`", entity.name, name.value))
                .label("a single value is needed here")
                .help("follow relationships to one row only (many-to-one or one-to-one)"),
        );
        None
    }

    /// Whether a name may be missing only because of what has been reported: a relationship that was written, but wrong, or a key,
    /// which has names of its own.
    pub(super) fn is_reported(&self, at: EntityId, name: &str) -> bool {
        let (_, definition) = self.index.entities.at(at.index());
        let lacks_key = definition.key.is_empty();
        lacks_key
            || definition.relationships.iter().any(|(written, _)| written.value == name)
                && self.entity(at).relationship_named(name).is_none()
    }
}
