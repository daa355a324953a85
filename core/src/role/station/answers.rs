//! Commands obeyed lately, and the answers still to be sent.

use heapless::Deque;

use crate::limits::{ANSWERS_MAX, COMMANDS_REMEMBERED};
use crate::message::{Acted, CommandId, CommandResult};

/// A command comes again until its answer has arrived; it is obeyed once and answered each time.
#[derive(Debug)]
pub(crate) struct Answers {
    /// Oldest first.
    done: Deque<Acted, COMMANDS_REMEMBERED>,
    to_send: Deque<Acted, ANSWERS_MAX>,
    /// An exercise moves nothing that a repetition could harm, so it is not remembered: whoever has exercise keys
    /// only must not answer for a live command that is still to come, nor have one forgotten.
    of_exercise: Option<Acted>,
}

impl Answers {
    pub(crate) const fn new() -> Self {
        Self { done: Deque::new(), to_send: Deque::new(), of_exercise: None }
    }

    /// Answers a command that was obeyed before; false where it was not.
    pub(crate) fn repeat(&mut self, id: CommandId) -> bool {
        let before = self.done.iter().find(|acted| acted.id == id).copied();
        before.inspect(|&acted| self.send(acted)).is_some()
    }

    /// A command has been dealt with.
    pub(crate) fn give(&mut self, id: CommandId, result: CommandResult) {
        let acted = Acted { id, result };
        if self.done.is_full() {
            self.done.pop_front();
        }
        let kept = self.done.push_back(acted);
        debug_assert!(kept.is_ok(), "there is room for one");
        self.send(acted);
    }

    /// A command under exercise keys has been dealt with; the answer to the newest is the one that is sent.
    pub(crate) const fn give_in_exercise(&mut self, id: CommandId, result: CommandResult) {
        self.of_exercise = Some(Acted { id, result });
    }

    /// The next answer to send under exercise keys.
    pub(crate) const fn next_in_exercise(&self) -> Option<Acted> {
        self.of_exercise
    }

    /// It has been sent.
    pub(crate) const fn sent_in_exercise(&mut self) {
        self.of_exercise = None;
    }

    /// The next answer to send.
    pub(crate) fn next(&self) -> Option<Acted> {
        self.to_send.front().copied()
    }

    /// The next answer has been sent.
    pub(crate) fn sent(&mut self) {
        self.to_send.pop_front();
    }

    fn send(&mut self, acted: Acted) {
        if self.to_send.iter().any(|waiting| waiting.id == acted.id) {
            return;
        }
        // The command of one that gives way comes again.
        if self.to_send.is_full() {
            self.to_send.pop_front();
        }
        let kept = self.to_send.push_back(acted);
        debug_assert!(kept.is_ok(), "there is room for one");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obeyed_once_and_answered_each_time() {
        let id = |counter| CommandId { epoch_low: 1, counter };
        let mut answers = Answers::new();
        assert!(!answers.repeat(id(1)));
        answers.give(id(1), CommandResult::Refused);
        assert!(answers.repeat(id(1)), "before the first answer went out");
        assert_eq!(answers.next(), Some(Acted { id: id(1), result: CommandResult::Refused }));
        answers.sent();
        assert_eq!(answers.next(), None);
        assert!(answers.repeat(id(1)));
        assert_eq!(answers.next().map(|acted| acted.result), Some(CommandResult::Refused));
        for counter in 2..100 {
            answers.give(id(counter), CommandResult::Done);
        }
        assert!(!answers.repeat(id(1)) && answers.repeat(id(99)), "the oldest are forgotten");
    }
}
