//! What can be typed at the prompt of a simulated node.

use alertbus::Body;
use alertbus::message::{AlertDraft, EventKey, Phase};
use anyhow::bail;

use crate::cli::encode::alert;
use crate::cli::encode::fields::{Fields, one_of};
use crate::document::quoted;
use crate::live::Order;

/// The commands.
pub(in crate::cli) const HELP: &str = "\
raise KIND [FIELD=VALUE...]    raise an alert
update KIND [FIELD=VALUE...]   say more of it
cancel KIND [FIELD=VALUE...]   it was raised in error
clear KIND [FIELD=VALUE...]    it is over
quit                           end; Ctrl-C does too
Fields are those of `host-sim encode --help`, without phase, reference and boot, which are the node's to fill in; and
key=0..65535, by which update, cancel and clear name what was raised; exercise=yes|no";

const WORDS: [&str; 6] = ["raise", "update", "cancel", "clear", "help", "quit"];

/// What a line says.
#[derive(Debug)]
pub(in crate::cli) enum Line {
    /// Nothing.
    Nothing,
    /// What can be typed.
    Help,
    /// End.
    Quit,
    /// Something for the node.
    Order(Box<Order>),
}

/// Reads a line.
///
/// # Errors
/// Says what is wrong with it and what is allowed.
pub(in crate::cli) fn read(line: &str) -> anyhow::Result<Line> {
    let mut words = line.split_whitespace();
    let Some(command) = words.next() else { return Ok(Line::Nothing) };
    let phase = match command {
        "raise" => Phase::Onset,
        "update" => Phase::Update,
        "cancel" => Phase::Cancel,
        "clear" => Phase::Clear,
        "help" => return Ok(Line::Help),
        "quit" => return Ok(Line::Quit),
        other => bail!("{} is no command; {}", quoted(other), one_of(other, &WORDS)),
    };
    // A node writes summaries itself.
    let kinds: Vec<_> = Body::NAMES.iter().copied().filter(|name| *name != "summary").collect();
    let Some(kind) = words.next() else {
        bail!("`{command}` with nothing behind it; {}", one_of("", &kinds));
    };
    if !kinds.contains(&kind) {
        bail!("{} is no kind of alert; {}", quoted(kind), one_of(kind, &kinds));
    }
    let pairs: Vec<String> = words.map(String::from).collect();
    let mut fields = Fields::parse(&pairs)?;
    let draft = alert::draft(kind, &mut fields)?;
    let key = fields.number("key", 0..=u16::MAX.into())?.map(EventKey);
    let exercise = fields.choice("exercise", &[(false, "no"), (true, "yes")], false)?;
    fields.finish(kind)?;
    Ok(Line::Order(Box::new(Order { phase, draft: AlertDraft { key, exercise, ..draft } })))
}

#[cfg(test)]
mod tests {
    use alertbus::message::kind::{RocketLaunch, Weapon};

    use super::*;

    #[test]
    fn alerts_are_read_with_the_words_of_encode() {
        let read = |line| match read(line) {
            Ok(Line::Order(order)) => (order.phase, order.draft),
            other => panic!("{line}: {other:?}"),
        };
        let launch = RocketLaunch { weapon: Weapon::Mortar, rounds: 3, ..RocketLaunch::default() };
        let draft = AlertDraft { key: Some(EventKey(7)), ..AlertDraft::new(launch) };
        assert_eq!(read("raise rocket-launch weapon=mortar rounds=3 key=7"), (Phase::Onset, draft));
        let (phase, draft) = read(" clear  convoy-ied exercise=yes ");
        assert!(phase == Phase::Clear && draft.exercise && draft.key.is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (line, words) in [
            ("rise rocket-launch", "`rise` is no command; did you mean `raise`?"),
            ("raise", "`raise` with nothing behind it; allowed: rocket-launch"),
            ("raise rocket", "`rocket` is no kind of alert"),
            ("raise summary", "`summary` is no kind of alert"),
            ("raise rocket-launch rounds", "`rounds` has no `=`"),
            ("raise rocket-launch rounds=0", "`rounds` is `0`; allowed: a whole number, 1 to 255"),
            ("raise rocket-launch phase=clear", "rocket-launch has no field `phase`"),
            ("raise rocket-launch key=65536", "`key` is `65536`; allowed: a whole number, 0 to 65535"),
            ("raise rocket-launch exercise=maybe", "`exercise` is `maybe`; allowed: no, yes"),
        ] {
            let message = read(line).map(|_| "it was read").map_err(|error| error.to_string());
            assert!(message.as_ref().is_err_and(|message| message.contains(words)), "{line}: {message:?}");
        }
        assert!(matches!(
            (read(""), read("help"), read("quit")),
            (Ok(Line::Nothing), Ok(Line::Help), Ok(Line::Quit))
        ));
    }
}
