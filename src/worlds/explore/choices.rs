//! Which way a path takes wherever there are several.

/// One place at which a path had several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fork {
    taken: u16,
    /// How many ways there are.
    ways: u16,
    /// How many of the last ways are failures.
    failures: u16,
    /// The ways that were never opened before: a bit for each.
    fresh: u64,
}

impl Fork {
    fn is_failure(self, way: u16) -> bool {
        way >= self.ways - self.failures
    }
}

/// The ways of one path: a beginning that is given, and behind it the likely way everywhere.
#[derive(Debug, Default)]
pub(super) struct Choices {
    given: Vec<u16>,
    made: Vec<Fork>,
}

/// The beginning of a path that is still to be walked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beginning {
    ways: Vec<u16>,
    /// How many of them are failures.
    failures: usize,
    /// Whether it takes a way that no other path took when it was opened.
    fresh: bool,
}

impl Beginning {
    /// How many failures it has met already.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Whether it takes a way that no other path took when it was opened: it is worth more than another combination of others.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }
}

impl Choices {
    /// A path that begins like this.
    pub(super) fn of(beginning: Beginning) -> Self {
        Self { given: beginning.ways, made: Vec::new() }
    }

    /// The way to take where there are so many, of which the last few are failures. The first is the likely one.
    pub(super) fn take(&mut self, ways: usize, failures: usize) -> usize {
        let taken = self.given.get(self.made.len()).copied().unwrap_or(0);
        let narrow = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        self.made.push(Fork { taken, ways: narrow(ways), failures: narrow(failures), fresh: 0 });
        usize::from(taken)
    }

    /// At the place where the last way was taken these were opened before, of so many. From now on all of them are, where others leave
    /// the path here.
    pub(super) fn opens(&mut self, opened: &mut u64, ways: usize) {
        let all = 1_u64.checked_shl(u32::try_from(ways).unwrap_or(u32::MAX)).map_or(u64::MAX, |bit| bit - 1);
        let (given, made) = (self.given.len(), self.made.len());
        let Some(fork) = self.made.last_mut() else { return };
        *opened |= 1_u64.checked_shl(u32::from(fork.taken)).unwrap_or(0);
        if given < made {
            fork.fresh = all & !*opened;
            *opened |= all;
        }
    }

    /// At how many places this path had several ways so far.
    pub(super) fn forks(&self) -> usize {
        self.made.len()
    }

    /// How many failures this path has met so far.
    pub(super) fn failures(&self) -> usize {
        self.made.iter().filter(|fork| fork.is_failure(fork.taken)).count()
    }

    /// Every way that was taken: what tells this path from all others.
    pub(super) fn ways(&self) -> Vec<u16> {
        self.made.iter().map(|fork| fork.taken).collect()
    }

    /// The beginnings of the paths that leave this one behind its own beginning. Together with it they are all paths, each once.
    /// Those with more than `faults` failures are left out; whether there were any.
    pub(super) fn others(&self, faults: usize, mut each: impl FnMut(Beginning)) -> bool {
        let mut left_out = false;
        let mut failures = 0;
        for (n, fork) in self.made.iter().enumerate() {
            if n >= self.given.len() {
                for way in 1..fork.ways {
                    let failures = failures + usize::from(fork.is_failure(way));
                    if failures > faults {
                        left_out = true;
                        continue;
                    }
                    let mut ways: Vec<u16> = self.made[..n].iter().map(|fork| fork.taken).collect();
                    ways.push(way);
                    let fresh = fork.fresh.checked_shr(u32::from(way)).is_some_and(|rest| rest & 1 == 1);
                    each(Beginning { ways, failures, fresh });
                }
            }
            failures += usize::from(fork.is_failure(fork.taken));
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks all paths of a world that forks like this: a look (3 ways), then an effect (2 ways, one a failure), twice where it failed.
    fn walk(faults: usize) -> (Vec<Vec<u16>>, bool) {
        let (mut open, mut walked, mut left_out) = (vec![Beginning::default()], Vec::new(), false);
        while let Some(beginning) = open.pop() {
            let mut choices = Choices::of(beginning);
            choices.take(3, 0);
            if choices.take(2, 1) == 1 {
                choices.take(2, 1);
            }
            left_out |= choices.others(faults, |other| open.push(other));
            walked.push(choices.ways());
        }
        walked.sort();
        (walked, left_out)
    }

    #[test]
    fn every_path_is_walked_once() {
        let (walked, left_out) = walk(9);
        assert_eq!(walked.len(), 9);
        assert!(walked.windows(2).all(|two| two[0] != two[1]), "{walked:?}");
        assert!(!left_out);
    }

    #[test]
    fn what_no_path_has_taken_is_worth_more() {
        let (mut opened, mut fresh) = (0, Vec::new());
        let mut choices = Choices::of(Beginning::default());
        choices.take(3, 1);
        choices.opens(&mut opened, 3);
        // The same place once more.
        choices.take(3, 1);
        choices.opens(&mut opened, 3);
        choices.others(9, |other| fresh.push((other.ways.clone(), other.is_fresh())));
        assert_eq!(fresh, [(vec![1], true), (vec![2], true), (vec![0, 1], false), (vec![0, 2], false)]);
    }

    #[test]
    fn no_more_failures_than_asked_for() {
        assert_eq!(walk(0), (vec![vec![0, 0], vec![1, 0], vec![2, 0]], true));
        assert_eq!(walk(1).0.len(), 6);
        assert!(walk(1).1);
    }
}
