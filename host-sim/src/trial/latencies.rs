//! How soon alerts came, those among them that never did.

/// Times from detection to acknowledgement, over all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    /// Of each that came: milliseconds, and the seed.
    came: Vec<(u64, u64)>,
    /// So many never did.
    lost: usize,
    /// So many may still come: the run has ended before.
    open: usize,
    is_sorted: bool,
}

/// What a quantile is, where it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantile {
    /// This, in milliseconds.
    Ms(u64),
    /// It never comes.
    Never,
}

impl Latencies {
    pub(super) fn came(&mut self, after_ms: u64, seed: u64) {
        self.is_sorted = false;
        self.came.push((after_ms, seed));
    }

    pub(super) const fn lost(&mut self) {
        self.lost += 1;
    }

    pub(super) const fn open(&mut self) {
        self.open += 1;
    }

    pub(super) const fn len(&self) -> usize {
        self.came.len() + self.lost + self.open
    }

    pub(super) const fn arrived(&self) -> usize {
        self.came.len()
    }

    /// The slowest that came, with its seed: the first seed of several.
    pub(super) fn worst(&self) -> Option<(u64, u64)> {
        self.came.iter().copied().max_by_key(|&(ms, seed)| (ms, std::cmp::Reverse(seed)))
    }

    /// The time within which `percent` of a hundred come; those that are open taken to come at once, or never.
    pub(super) fn quantile(&mut self, percent: usize, open_come: bool) -> Option<Quantile> {
        if !self.is_sorted {
            self.came.sort_unstable();
            self.is_sorted = true;
        }
        let rank = (self.len() * percent).div_ceil(100).checked_sub(1)?;
        let at_once = if open_come { self.open } else { 0 };
        Some(match rank.checked_sub(at_once) {
            None => Quantile::Ms(0),
            Some(rank) => self.came.get(rank).map_or(Quantile::Never, |&(ms, _)| Quantile::Ms(ms)),
        })
    }
}

impl Quantile {
    pub(super) const fn is_within(self, most_ms: u64) -> bool {
        matches!(self, Self::Ms(ms) if ms <= most_ms)
    }

    pub(super) const fn ms(self) -> Option<u64> {
        match self {
            Self::Ms(ms) => Some(ms),
            Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_count_what_never_came_and_leave_open_what_may_come() {
        let mut times = Latencies::default();
        assert_eq!((times.quantile(50, true), times.worst()), (None, None));
        for ms in 1..=98 {
            times.came(ms * 10, ms);
        }
        times.came(980, 3);
        times.open();
        assert_eq!((times.len(), times.arrived()), (100, 99));
        assert_eq!(times.quantile(50, false), Some(Quantile::Ms(500)));
        assert_eq!(times.quantile(50, true), Some(Quantile::Ms(490)));
        assert_eq!(times.quantile(99, false), Some(Quantile::Ms(980)));
        assert_eq!(times.quantile(100, false), Some(Quantile::Never));
        assert_eq!(times.quantile(100, true), Some(Quantile::Ms(980)));
        assert_eq!(times.worst(), Some((980, 3)), "of two the first seed");
        times.lost();
        assert_eq!(times.quantile(100, true), Some(Quantile::Never));
        assert!(
            Quantile::Ms(5).is_within(5) && !Quantile::Ms(6).is_within(5) && !Quantile::Never.is_within(5)
        );
        let mut lost = Latencies::default();
        lost.lost();
        assert_eq!(lost.quantile(50, true), Some(Quantile::Never));
    }
}
