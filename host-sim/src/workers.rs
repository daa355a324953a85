//! Jobs on several threads, told in their order, so that which thread does what changes nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use sha2::{Digest, Sha256};

/// Results that wait for an earlier one at most.
const WAITING_MAX: usize = 64;

/// Stack of a thread, in bytes: a whole world stands on it, several times over in a debug build.
const STACK_LEN: usize = 16 << 20;

/// As many threads as there are cores.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does `jobs` jobs, numbered from 0, on `threads` threads. What comes of each is handed to `told` in the order of the
/// numbers; false from there ends it.
///
/// ```
/// let mut squares = Vec::new();
/// host_sim::workers::in_order(4, 2, |number| number * number, |square| {
///     squares.push(square);
///     true
/// });
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
pub fn in_order<T: Send>(
    jobs: u64,
    threads: usize,
    work: impl Fn(u64) -> T + Sync,
    mut told: impl FnMut(T) -> bool,
) {
    let next = AtomicU64::new(0);
    let ends = AtomicBool::new(false);
    let (sender, receiver) = mpsc::sync_channel::<(u64, T)>(WAITING_MAX);
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let sender = sender.clone();
            let (next, ends, work) = (&next, &ends, &work);
            let worker = move || {
                while !ends.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs || sender.send((number, work(number))).is_err() {
                        return;
                    }
                }
            };
            let spawned = thread::Builder::new().stack_size(STACK_LEN).spawn_scoped(scope, worker);
            if let Err(error) = spawned {
                // As `thread::spawn` does: without threads nothing goes on.
                panic!("the system gives no thread: {error}");
            }
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (number, result) in receiver {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&due) {
                due += 1;
                if !ends.load(Ordering::Relaxed) && !told(result) {
                    ends.store(true, Ordering::Relaxed);
                }
            }
        }
    });
}

/// One hash over the hashes of many runs, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fold(Sha256);

impl Fold {
    /// The next run.
    pub fn add(&mut self, run_hash: &str) {
        self.0.update(run_hash.as_bytes());
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn digest(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
