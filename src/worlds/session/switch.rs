//! The world of a session as its scripts see it.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::World;
use crate::worlds::around::Around;

/// Passes everything on to the world that is set.
pub struct Switch(RwLock<Arc<dyn World>>);

impl Switch {
    /// Begins with `world`.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self(RwLock::new(world))
    }

    /// From now on everything goes to `world`.
    pub fn set(&self, world: Arc<dyn World>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = world;
    }
}

impl Around for Switch {
    fn inner(&self) -> impl Deref<Target = dyn World + '_> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
