//! Numbers for things that come again and again.

use std::collections::HashMap;
use std::hash::Hash;

/// Every thing once, with a number.
pub(super) struct Intern<T> {
    things: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Intern<T> {
    fn default() -> Self {
        Self { things: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Intern<T> {
    /// The number of a thing.
    pub(super) fn number(&mut self, thing: T) -> u32 {
        if let Some(number) = self.numbers.get(&thing) {
            return *number;
        }
        let number = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        self.things.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }

    /// The number of a thing, if it has one.
    pub(super) fn find(&self, thing: &T) -> Option<u32> {
        self.numbers.get(thing).copied()
    }

    /// The things, by their numbers.
    pub(super) fn things(&self) -> &[T] {
        &self.things
    }
}

/// The numbers of `things` when they are put in order; and the things in that order.
pub(super) fn ordered<T: Clone + Ord>(things: &[T]) -> (Vec<usize>, Vec<T>) {
    let mut order: Vec<usize> = (0..things.len()).collect();
    order.sort_by(|one, other| things[*one].cmp(&things[*other]));
    let mut numbers = vec![0; things.len()];
    order.iter().enumerate().for_each(|(number, thing)| numbers[*thing] = number);
    (numbers, order.iter().map(|thing| things[*thing].clone()).collect())
}
