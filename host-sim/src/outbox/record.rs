//! What is written, as it is written. Every form is postcard's; a change of any of them is a new version.

use alertbus::message::{Alert, CommandId, NodeId, Order, Seq, Undecodable, split_body};
use alertbus::place::SiteId;
use alertbus::role::gateway::{ReceivedAlert, Standing};
use alertbus::time::Duration;
use alertbus::{AlertId, Precedence};
use serde::{Deserialize, Serialize};

/// An alert as it is stored: what was authenticated, byte for byte, and what the gateway made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// Its name for ever.
    pub id: AlertId,
    /// The precedence it is handled at.
    pub precedence: Precedence,
    /// How it is to be taken.
    pub standing: Standing,
    /// When it was received, milliseconds since 1970.
    pub received_ms: u64,
    /// Counter of the packet it came in.
    pub counter: u32,
    /// The body as it was authenticated.
    pub body: Vec<u8>,
}

impl StoredAlert {
    /// What is stored of `received`, which came at `received_ms`.
    #[must_use]
    pub fn new(received: &ReceivedAlert, received_ms: u64) -> Self {
        let &ReceivedAlert { id, precedence, standing, counter, .. } = received;
        Self { id, precedence, standing, received_ms, counter, body: received.body().to_vec() }
    }

    /// What it says.
    ///
    /// # Errors
    /// It cannot be read; the bytes are kept all the same.
    pub fn alert(&self) -> Result<Alert, Undecodable> {
        split_body(&self.body).and_then(|(_, content)| Alert::decode(content))
    }
}

#[derive(Serialize, Deserialize)]
struct AlertForm {
    node: u16,
    exercise: bool,
    flash: bool,
    seq: u32,
    precedence: u8,
    age_ms: Option<u32>,
    late: bool,
    possible_duplicate: bool,
    overtaken: bool,
    received_ms: u64,
    counter: u32,
    body: Vec<u8>,
}

pub(super) fn write_alert(alert: &StoredAlert) -> Option<Vec<u8>> {
    let Standing { age, late, possible_duplicate, overtaken } = alert.standing;
    let form = AlertForm {
        node: alert.id.node.0,
        exercise: alert.id.exercise,
        flash: alert.id.flash,
        seq: alert.id.seq.number(),
        precedence: alert.precedence.bits(),
        age_ms: age.map(Duration::as_millis),
        late,
        possible_duplicate,
        overtaken,
        received_ms: alert.received_ms,
        counter: alert.counter,
        body: alert.body.clone(),
    };
    postcard::to_allocvec(&form).ok()
}

pub(super) fn read_alert(bytes: &[u8]) -> Option<StoredAlert> {
    let form: AlertForm = whole(bytes)?;
    let seq = Seq::new(form.seq)?;
    let id = AlertId { node: NodeId(form.node), exercise: form.exercise, flash: form.flash, seq };
    let standing = Standing {
        age: form.age_ms.map(Duration::from_millis),
        late: form.late,
        possible_duplicate: form.possible_duplicate,
        overtaken: form.overtaken,
    };
    let precedence = Precedence::from_bits(form.precedence);
    let AlertForm { received_ms, counter, body, .. } = form;
    Some(StoredAlert { id, precedence, standing, received_ms, counter, body })
}

/// A command that outlives the gateway that gave it: until it is answered it is owed, and a warning is remembered for
/// as long as it sounds, so that it can be cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    /// A warning.
    Warning {
        /// The zone warned.
        zone: SiteId,
        /// Number of the alert kind.
        kind: u8,
        /// When it ends, milliseconds since 1970.
        until_ms: u64,
        /// The siren has answered.
        answered: bool,
        /// Every name under which it was given.
        ids: Vec<CommandId>,
    },
    /// An all-clear that is not answered.
    Clear {
        /// What it ends.
        ids: Vec<CommandId>,
    },
}

impl Owed {
    /// As it is ordered, at `now_ms`; none where it has lost its sense.
    #[must_use]
    pub fn order(&self, now_ms: u64) -> Option<Order> {
        match self {
            Self::Warning { zone, kind, until_ms, .. } => {
                let left_s = until_ms.saturating_sub(now_ms).div_ceil(1_000);
                let duration_s = u16::try_from(left_s).unwrap_or(u16::MAX);
                (duration_s > 0).then_some(Order::Warn { zone: *zone, kind: *kind, duration_s })
            }
            Self::Clear { ids } => Some(Order::Clear(ids.iter().copied().collect())),
        }
    }
}

#[derive(Serialize, Deserialize)]
enum OwedForm {
    Warning { zone: u16, kind: u8, until_ms: u64, answered: bool, ids: Vec<(u8, u32)> },
    Clear { ids: Vec<(u8, u32)> },
}

pub(super) fn write_owed(owed: &Owed) -> Option<Vec<u8>> {
    let pairs = |ids: &[CommandId]| ids.iter().map(|id| (id.epoch_low, id.counter)).collect();
    let form = match owed {
        &Owed::Warning { zone, kind, until_ms, answered, ref ids } => {
            OwedForm::Warning { zone: zone.0, kind, until_ms, answered, ids: pairs(ids) }
        }
        Owed::Clear { ids } => OwedForm::Clear { ids: pairs(ids) },
    };
    postcard::to_allocvec(&form).ok()
}

pub(super) fn read_owed(bytes: &[u8]) -> Option<Owed> {
    let ids = |pairs: Vec<(u8, u32)>| {
        pairs.into_iter().map(|(epoch_low, counter)| CommandId { epoch_low, counter }).collect()
    };
    Some(match whole(bytes)? {
        OwedForm::Warning { zone, kind, until_ms, answered, ids: pairs } => {
            Owed::Warning { zone: SiteId(zone), kind, until_ms, answered, ids: ids(pairs) }
        }
        OwedForm::Clear { ids: pairs } => Owed::Clear { ids: ids(pairs) },
    })
}

/// A command's name as a number.
pub(super) const fn id_number(id: CommandId) -> u64 {
    (id.epoch_low as u64) << 32 | id.counter as u64
}

/// The name that [`id_number`] made a number of.
pub(super) fn id_of(number: u64) -> CommandId {
    let [_, _, _, epoch_low, a, b, c, d] = number.to_be_bytes();
    CommandId { epoch_low, counter: u32::from_be_bytes([a, b, c, d]) }
}

/// Reads a form that takes all of `bytes`: postcard alone would let something hang behind it.
pub(super) fn whole<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    let (form, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_no_other_length_is() {
        let alert = StoredAlert {
            id: AlertId { node: NodeId(12), exercise: true, flash: true, seq: Seq::FIRST },
            precedence: Precedence::Immediate,
            standing: Standing { age: Some(Duration::from_millis(7)), late: true, ..Standing::default() },
            received_ms: 1_600_000_000_000,
            counter: 9,
            body: vec![1, 2, 3],
        };
        let bytes = write_alert(&alert).expect("it can be written");
        assert_eq!(read_alert(&bytes), Some(alert));
        assert_eq!(read_alert(&bytes[..bytes.len() - 1]), None);
        assert_eq!(read_alert(&[&bytes[..], &[0]].concat()), None);

        let id = CommandId { epoch_low: 3, counter: 0x0102_0304 };
        assert_eq!(id_of(id_number(id)), id);
        let owed = Owed::Warning { zone: SiteId(1), kind: 2, until_ms: 3_500, answered: true, ids: vec![id] };
        for owed in [owed, Owed::Clear { ids: vec![id] }] {
            let bytes = write_owed(&owed).expect("it can be written");
            assert_eq!(read_owed(&bytes), Some(owed));
        }
    }

    #[test]
    fn a_warning_is_given_again_for_what_is_left_of_it() {
        let warning =
            Owed::Warning { zone: SiteId(1), kind: 2, until_ms: 3_500, answered: false, ids: Vec::new() };
        let order = |duration_s| Some(Order::Warn { zone: SiteId(1), kind: 2, duration_s });
        assert_eq!((warning.order(0), warning.order(3_499)), (order(4), order(1)));
        assert_eq!(warning.order(3_500), None);
    }
}
