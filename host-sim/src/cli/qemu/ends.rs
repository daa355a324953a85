//! How a run begins and ends: what earlier ones have left, when everything is in order, and why it is over.

use std::path::Path;

use super::account::{Account, Content, content_of, content_of_alert};
use super::played::Played;
use super::rig::Script;
use super::room::Room;
use super::{flash, stored_after};
use crate::outbox::{Outbox, StoredAlert};

/// Why a run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Everything was raised and delivered, or nothing more has come for long.
    Done,
    /// An interrupt.
    Interrupted,
    /// A request to end.
    Terminated,
    /// The board is gone, or says nothing.
    Lost(String),
    /// Nobody takes what is shown any more.
    Unheard,
}

/// What is played, how far it has come, and what has come of it.
pub(super) struct Stage {
    pub(super) script: Option<Script>,
    pub(super) played: Played,
    pub(super) account: Account,
    /// Number of the last alert in the outbox that is in the account.
    pub(super) counted: u64,
}

/// Takes up what earlier runs on this store have left.
///
/// # Errors
/// The store's files are not in order.
pub(super) fn opened(mut script: Option<Script>, room: &Room, outbox: &Outbox) -> anyhow::Result<Stage> {
    let last = outbox.last()?;
    let (Some(path), Some(playing)) = (room.played(), &mut script) else {
        return Ok(Stage {
            script,
            played: Played::forgotten(last),
            account: Account::default(),
            counted: last,
        });
    };
    let replay = playing.replay().clone();
    let whole = replay.alerts as u64;
    let stored = stored_after(outbox, 0)?;
    let played = Played::open(&path, &replay, last, |played| {
        let account = counted(played, playing, &stored);
        account.raised() == whole && account.open() == 0
    })?;
    let account = counted(&played, playing, &stored);
    playing.skip(|place| played.raised.contains(&place));
    Ok(Stage { script, played, account, counted: last })
}

fn counted(played: &Played, script: &Script, stored: &[(u64, StoredAlert)]) -> Account {
    let mut account = Account::default();
    for place in &played.raised {
        if let Some(content) = script.draft(*place).as_ref().and_then(content_of) {
            account.raise(content, Some(*place));
        }
    }
    for (_, alert) in stored.iter().filter(|(number, _)| *number > played.after) {
        account.store(content_of_stored(alert));
    }
    account
}

/// What an alert that was stored says, if that can be read.
pub(super) fn content_of_stored(alert: &StoredAlert) -> Option<Content> {
    alert.alert().ok().and_then(|said| content_of_alert(&said, alert.id.exercise))
}

/// What the node still holds and the gateway has not stored: it comes by itself.
pub(super) fn held(flash: &Path, stored: &[(u64, StoredAlert)]) -> Vec<Content> {
    let is_stored = |id| stored.iter().any(|(_, alert)| alert.id == id);
    flash::journal(flash).into_iter().filter(|(id, _)| !is_stored(*id)).map(|(_, content)| content).collect()
}
