//! Detectors that raise the same event over and over.

use heapless::Vec;

use crate::limits::{CHATTER_KEYS, CHATTER_MS, CHATTER_ONSETS};
use crate::message::{EventKey, Seq, Severity};
use crate::time::{Duration, Instant};

/// The keys of live Flash alerts raised lately.
#[derive(Debug)]
pub(super) struct Chatter {
    keys: Vec<Watched, CHATTER_KEYS>,
}

#[derive(Debug)]
struct Watched {
    key: EventKey,
    /// The first onset of the stretch that is watched.
    onset: Seq,
    since: Instant,
    onsets: u8,
    severity: Severity,
}

impl Chatter {
    pub(super) const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// The onset that one more of this key is to be counted with, where three came within a minute. One that is more
    /// severe than all before is never held back.
    pub(super) fn holds(&self, now: Instant, key: EventKey, severity: Severity) -> Option<Seq> {
        let watched = self.keys.iter().find(|watched| watched.key == key)?;
        let chatters = watched.onsets >= CHATTER_ONSETS && !watched.is_over(now);
        (chatters && severity <= watched.severity).then_some(watched.onset)
    }

    /// An onset of this key is sent under this number.
    pub(super) fn note(&mut self, now: Instant, key: EventKey, severity: Severity, seq: Seq) {
        let fresh = Watched { key, onset: seq, since: now, onsets: 1, severity };
        let Some(watched) = self.keys.iter_mut().find(|watched| watched.key == key) else {
            self.watch(fresh);
            return;
        };
        if watched.is_over(now) {
            *watched = fresh;
            return;
        }
        watched.onsets = watched.onsets.saturating_add(1);
        watched.severity = watched.severity.max(severity);
    }

    /// The event of this key is over: the next onset is a new one.
    pub(super) fn forget(&mut self, key: EventKey) {
        self.keys.retain(|watched| watched.key != key);
    }

    /// Where there is no room, the one that has been quiet longest gives way.
    fn watch(&mut self, fresh: Watched) {
        let Err(fresh) = self.keys.push(fresh) else { return };
        if let Some(oldest) = self.keys.iter_mut().min_by_key(|watched| watched.since) {
            *oldest = fresh;
        }
    }
}

impl Watched {
    fn is_over(&self, now: Instant) -> bool {
        now >= self.since.after(Duration::from_millis(CHATTER_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_minute_are_sent_and_the_rest_is_counted() {
        let (key, at) = (EventKey(1), Instant::from_millis);
        let mut chatter = Chatter::new();
        for number in 1..=3 {
            assert_eq!(chatter.holds(at(0), key, Severity::Severe), None);
            chatter.note(at(0), key, Severity::Severe, Seq::new(number).unwrap());
        }
        assert_eq!(chatter.holds(at(59_999), key, Severity::Severe), Some(Seq::FIRST));
        assert_eq!(chatter.holds(at(0), EventKey(2), Severity::Severe), None);
        assert_eq!(
            chatter.holds(at(1), key, Severity::Extreme),
            None,
            "a rise in severity is never held back"
        );
        assert_eq!(chatter.holds(at(60_000), key, Severity::Severe), None);
        for other in 10..30 {
            chatter.note(at(other), EventKey(other as u16), Severity::Minor, Seq::FIRST);
        }
        assert_eq!(chatter.holds(at(1), key, Severity::Severe), None, "the one quiet longest gave way");
        chatter.forget(EventKey(29));
        assert!(chatter.keys.len() < CHATTER_KEYS);
    }
}
