//! Paths as lists of numbers, merged where they begin alike.
//!
//! There may be millions of places, and thousands of them on one path: so each takes twelve bytes, and nothing here calls itself.

/// The number of the place at which every path begins.
pub(super) const ROOT: u32 = 0;
/// No place.
const NONE: u32 = u32::MAX;

struct Place {
    symbol: u32,
    /// The first of those behind it, and the next of those beside it.
    first: u32,
    next: u32,
}

/// Paths, merged where they begin alike. A place has a greater number than the one before it.
pub(super) struct Trie(Vec<Place>);

impl Default for Trie {
    fn default() -> Self {
        Self(vec![Place { symbol: NONE, first: NONE, next: NONE }])
    }
}

impl Trie {
    /// Adds a path.
    pub(super) fn add(&mut self, path: impl IntoIterator<Item = u32>) {
        path.into_iter().fold(ROOT, |at, symbol| self.step(at, symbol));
    }

    /// The place that one comes to from another; it is made where there is none.
    fn step(&mut self, from: u32, symbol: u32) -> u32 {
        if let Some((_, known)) = self.behind(from).find(|(known, _)| *known == symbol) {
            return known;
        }
        let made = u32::try_from(self.0.len()).unwrap_or(NONE);
        let first = std::mem::replace(&mut self.0[from as usize].first, made);
        self.0.push(Place { symbol, first: NONE, next: first });
        made
    }

    /// The place to which this beginning of a path leads.
    pub(super) fn find(&self, beginning: &[u32]) -> Option<u32> {
        let next = |at: u32, symbol: &u32| self.behind(at).find(|(known, _)| known == symbol).map(|(_, place)| place);
        beginning.iter().try_fold(ROOT, next)
    }

    /// What comes next from a place, and where it leads, in no order.
    pub(super) fn behind(&self, place: u32) -> impl Iterator<Item = (u32, u32)> {
        let there = |place: u32| (place != NONE).then_some(place);
        let first = there(self.0[place as usize].first);
        std::iter::successors(first, move |place| there(self.0[*place as usize].next))
            .map(|place| (self.0[place as usize].symbol, place))
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds all paths of another one, whose symbols are called something else there.
    pub(super) fn merge(&mut self, other: &Self, named: impl Fn(u32) -> u32) {
        let mut open = vec![(ROOT, ROOT)];
        while let Some((theirs, ours)) = open.pop() {
            for (symbol, place) in other.behind(theirs) {
                open.push((place, self.step(ours, named(symbol))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(trie: &Trie) -> Vec<Vec<u32>> {
        let (mut found, mut open) = (Vec::new(), vec![(ROOT, Vec::new())]);
        while let Some((place, path)) = open.pop() {
            if place != ROOT && trie.behind(place).next().is_none() {
                found.push(path.clone());
            }
            open.extend(trie.behind(place).map(|(symbol, place)| (place, [&path[..], &[symbol]].concat())));
        }
        found.sort();
        found
    }

    #[test]
    fn what_begins_alike_is_one() {
        let mut trie = Trie::default();
        trie.add([1, 2, 3]);
        trie.add([1, 2, 4]);
        trie.add([1, 5]);
        assert_eq!(trie.len(), 1 + 5);
        assert_eq!(paths(&trie), [vec![1, 2, 3], vec![1, 2, 4], vec![1, 5]]);
    }

    #[test]
    fn two_of_them_make_one_with_all_paths() {
        let (mut one, mut other) = (Trie::default(), Trie::default());
        one.add([1, 2, 3]);
        one.add([7]);
        other.add([10, 20, 30]);
        other.add([10, 50]);
        one.merge(&other, |symbol| symbol / 10);
        assert_eq!(paths(&one), [vec![1, 2, 3], vec![1, 5], vec![7]]);
        assert_eq!(one.len(), 1 + 5);
    }

    #[test]
    fn a_very_long_path_is_a_path() {
        let mut trie = Trie::default();
        trie.add(0..100_000);
        let mut merged = Trie::default();
        merged.merge(&trie, |symbol| symbol);
        assert_eq!(merged.len(), 100_001);
    }
}
