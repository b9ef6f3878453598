//! Plans to SQL trees. Cannot fail: whatever could be wrong was refused before.

pub(crate) mod condition;
pub(crate) mod entity;
pub(crate) mod scan;
