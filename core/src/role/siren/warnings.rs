//! Warnings that sound, and those that never will again.

use heapless::{Deque, Vec};

use crate::limits::{CLEARED_MAX, WARNINGS_MAX};
use crate::message::CommandId;
use crate::place::SiteId;
use crate::time::Instant;

/// A warning that sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    pub(super) id: CommandId,
    pub(super) zone: SiteId,
    pub(super) kind: u8,
    pub(super) duration_s: u16,
    pub(super) until: Instant,
}

#[derive(Debug)]
pub(super) struct Warnings {
    /// Oldest first.
    sounding: Vec<Warning, WARNINGS_MAX>,
    /// Oldest first.
    cleared: Deque<CommandId, CLEARED_MAX>,
}

impl Warnings {
    pub(super) const fn new() -> Self {
        Self { sounding: Vec::new(), cleared: Deque::new() }
    }

    /// The one that is heard.
    pub(super) fn newest(&self) -> Option<&Warning> {
        self.sounding.last()
    }

    pub(super) fn cleared(&self) -> impl Iterator<Item = CommandId> {
        self.cleared.iter().copied()
    }

    pub(super) fn is_cleared(&self, id: CommandId) -> bool {
        self.cleared.iter().any(|&cleared| cleared == id)
    }

    /// Sounds; the same one again changes nothing.
    pub(super) fn begin(&mut self, warning: Warning) {
        if self.sounding.iter().any(|sounding| sounding.id == warning.id) {
            return;
        }
        if self.sounding.is_full() {
            let soonest = (0..).zip(&self.sounding).min_by_key(|(_, sounding)| sounding.until);
            if let Some(at) = soonest.map(|(at, _)| at) {
                self.sounding.remove(at);
            }
        }
        let kept = self.sounding.push(warning);
        debug_assert!(kept.is_ok(), "there is room for one");
    }

    /// Ends this warning and no other, and refuses it from now on, whether it has come already or not.
    pub(super) fn clear(&mut self, id: CommandId) {
        self.sounding.retain(|warning| warning.id != id);
        if self.is_cleared(id) {
            return;
        }
        if self.cleared.is_full() {
            self.cleared.pop_front();
        }
        let kept = self.cleared.push_back(id);
        debug_assert!(kept.is_ok(), "there is room for one");
    }

    /// Ends what has sounded long enough; true where there was such.
    pub(super) fn end(&mut self, now: Instant) -> bool {
        let before = self.sounding.len();
        self.sounding.retain(|warning| warning.until > now);
        self.sounding.len() < before
    }

    pub(super) fn next_end(&self) -> Option<Instant> {
        self.sounding.iter().map(|warning| warning.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(counter: u32) -> CommandId {
        CommandId { epoch_low: 1, counter }
    }

    fn warning(counter: u32, until_ms: u64) -> Warning {
        let until = Instant::from_millis(until_ms);
        Warning { id: id(counter), zone: SiteId(1), kind: 1, duration_s: 1, until }
    }

    #[test]
    fn a_clear_ends_its_own_and_no_other() {
        let mut warnings = Warnings::new();
        warnings.begin(warning(1, 100));
        warnings.begin(warning(2, 50));
        warnings.clear(id(2));
        assert_eq!(warnings.newest(), Some(&warning(1, 100)));
        assert!(warnings.is_cleared(id(2)) && !warnings.is_cleared(id(1)));
        assert!(!warnings.end(Instant::from_millis(99)) && warnings.end(Instant::from_millis(100)));
        assert_eq!(warnings.newest(), None);
    }

    #[test]
    fn the_one_that_ends_soonest_gives_way() {
        let mut warnings = Warnings::new();
        for (counter, until_ms) in [(1, 50), (2, 10), (3, 40), (4, 30), (5, 20)] {
            warnings.begin(warning(counter, until_ms));
            warnings.begin(warning(counter, 99));
        }
        assert_eq!(warnings.sounding.iter().map(|w| w.id.counter).sum::<u32>(), 1 + 3 + 4 + 5);
        assert_eq!(warnings.next_end(), Some(Instant::from_millis(20)));
        for counter in 0..20 {
            warnings.clear(id(counter));
        }
        assert!(!warnings.is_cleared(id(3)) && warnings.is_cleared(id(4)) && warnings.newest().is_none());
    }
}
