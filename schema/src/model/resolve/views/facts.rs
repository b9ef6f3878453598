//! Sets of entities as bits.

use crate::model::EntityId;

/// A set of entities of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FactSet(Vec<u64>);

impl FactSet {
    pub(super) fn empty(entities: usize) -> Self {
        Self(vec![0; entities.div_ceil(64)])
    }

    pub(super) fn all(entities: usize) -> Self {
        Self::of(entities, (0..entities).map(|index| EntityId(index as u16)))
    }

    pub(super) fn of(entities: usize, members: impl IntoIterator<Item = EntityId>) -> Self {
        let mut set = Self::empty(entities);
        members.into_iter().for_each(|member| set.add(member));
        set
    }

    pub(super) fn add(&mut self, member: EntityId) {
        self.0[member.index() / 64] |= 1 << (member.index() % 64);
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    pub(super) fn keep_only(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= other);
    }

    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own & !other == 0)
    }

    pub(super) fn contains(&self, member: EntityId) -> bool {
        self.0[member.index() / 64] & (1 << (member.index() % 64)) != 0
    }

    pub(super) fn members(&self) -> impl Iterator<Item = EntityId> {
        (0..self.0.len() * 64).map(|index| EntityId(index as u16)).filter(|id| self.contains(*id))
    }

    pub(super) fn first_outside(&self, other: &Self) -> Option<EntityId> {
        self.members().find(|member| !other.contains(*member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_larger_than_a_word_work() {
        let small = FactSet::of(130, [EntityId(0), EntityId(129)]);
        let mut large = small.clone();
        large.add(EntityId(64));
        assert!(small.is_within(&large) && !large.is_within(&small));
        assert_eq!(large.first_outside(&small), Some(EntityId(64)));
        assert_eq!(small.members().collect::<Vec<_>>(), [EntityId(0), EntityId(129)]);
        large.keep_only(&small);
        assert_eq!(large, small);
    }
}
