//! What can be typed while a board runs: what its rig tells it, and what the gateway is asked for.

use alertbus::driver::bench::Stimulus;
use anyhow::bail;

use crate::cli::encode::fields::one_of;
use crate::cli::{gateway, node};
use crate::document::quoted;
use crate::live::{Ask, Order};

/// The commands.
pub(super) const HELP: &str = "\
raise KIND [FIELD=VALUE...]  the node sees something; also update, cancel and
                             clear, as `host-sim node` takes them
pin N high|low               an input pin takes a level: of `node` 0 low is a
                             launch, 1 high a cut wire, 2 high an open lid
cut N                        the power fails after N more operations on the
                             flash, and comes back
warn NODE KIND SECONDS       warn through a siren, until it has answered
clear NODE [ID...]           end these warnings of a siren, or all given here
test NODE SECONDS            play a siren's test pattern
time, nodes                  tell the node the time; show what is known of it
quit                         end when all that was raised is delivered; once
                             more, or Ctrl-C, at once";

const WORDS: [&str; 12] =
    ["raise", "update", "cancel", "clear", "pin", "cut", "warn", "test", "time", "nodes", "help", "quit"];

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    /// Nothing.
    Nothing,
    /// What can be typed.
    Help,
    /// End.
    Quit,
    /// Something that the node is to see.
    Order(Box<Order>),
    /// Something else that the rig does.
    Rig(Stimulus),
    /// Something for the gateway.
    Ask(Ask),
}

/// Reads a line.
///
/// # Errors
/// Says what is wrong with it and what is allowed.
pub(super) fn read(line: &str) -> anyhow::Result<Line> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words.as_slice() {
        [] => Line::Nothing,
        ["help", ..] => Line::Help,
        ["quit"] => Line::Quit,
        ["pin", pin, level @ ("high" | "low")] => match pin.parse() {
            Ok(pin) => Line::Rig(Stimulus::Pin { pin, high: *level == "high" }),
            Err(_) => bail!("{} is not the number of a pin; allowed: 0 to 255", quoted(pin)),
        },
        ["cut", operations] => match operations.parse() {
            Ok(after_operations) => Line::Rig(Stimulus::PowerCut { after_operations }),
            Err(_) => bail!("{} is no number of operations; allowed: 0 to 65535", quoted(operations)),
        },
        // A siren has a number, and a kind of alert has none.
        ["clear", siren, ..] if siren.starts_with(|first: char| first.is_ascii_digit()) => of_gateway(line)?,
        ["raise" | "update" | "cancel" | "clear", ..] => match node::prompt::read(line)? {
            node::prompt::Line::Order(order) => Line::Order(order),
            _ => Line::Nothing,
        },
        ["warn" | "test" | "time" | "nodes", ..] => of_gateway(line)?,
        [known @ ("pin" | "cut" | "quit"), ..] => {
            let usage = HELP.lines().find(|line| line.starts_with(known)).unwrap_or_default();
            bail!(
                "{} is not understood; allowed: {}",
                quoted(line.trim()),
                usage.split("  ").next().unwrap_or_default()
            )
        }
        [other, ..] => bail!("{} is no command; {}", quoted(other), one_of(other, &WORDS)),
    })
}

fn of_gateway(line: &str) -> anyhow::Result<Line> {
    Ok(match gateway::prompt::read(line)? {
        gateway::prompt::Line::Ask(ask) => Line::Ask(ask),
        _ => Line::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use alertbus::NodeId;
    use alertbus::message::Phase;

    use super::*;

    #[test]
    fn the_rig_and_the_gateway_are_told_apart() {
        let read = |line| read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(matches!(read("pin 3 high"), Line::Rig(Stimulus::Pin { pin: 3, high: true })));
        assert!(matches!(read("pin 0 low"), Line::Rig(Stimulus::Pin { pin: 0, high: false })));
        assert!(matches!(read("cut 40"), Line::Rig(Stimulus::PowerCut { after_operations: 40 })));
        let phase = |line| match read(line) {
            Line::Order(order) => order.phase,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(phase("raise rocket-launch rounds=3 key=7"), Phase::Onset);
        assert_eq!(phase("clear rocket-launch key=7"), Phase::Clear);
        let siren = NodeId(40);
        for (line, ask) in [
            ("clear 40", Ask::Clear { siren, ids: Vec::new() }),
            ("warn 40 rocket-launch 90", Ask::Warn { siren, kind: 1, duration_s: 90 }),
            ("test 40 5", Ask::Test { siren, duration_s: 5 }),
            ("nodes", Ask::Nodes),
        ] {
            assert!(matches!(read(line), Line::Ask(is) if is == ask), "{line}");
        }
        assert!(matches!((read(""), read("help"), read("quit")), (Line::Nothing, Line::Help, Line::Quit)));
    }

    #[test]
    fn what_can_be_typed_fits_a_terminal() {
        assert!(HELP.lines().all(|line| line.len() <= 80));
        assert!(WORDS.iter().all(|word| *word == "help" || HELP.contains(word)));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (line, words) in [
            ("rise rocket-launch", "`rise` is no command; did you mean `raise`?"),
            ("raise rocket", "`rocket` is no kind of alert"),
            ("pin", "`pin` is not understood; allowed: pin N high|low"),
            ("pin 3 up", "`pin 3 up` is not understood; allowed: pin N high|low"),
            ("pin 256 low", "`256` is not the number of a pin; allowed: 0 to 255"),
            ("cut -1", "`-1` is no number of operations; allowed: 0 to 65535"),
            ("quit now", "`quit now` is not understood; allowed: quit"),
            ("warn 40", "`warn` with `40`; allowed: warn NODE KIND SECONDS"),
            ("clear", "`clear` with nothing behind it"),
        ] {
            let message = read(line).map(|_| "it was read").map_err(|error| error.to_string());
            assert!(message.as_ref().is_err_and(|message| message.contains(words)), "{line}: {message:?}");
        }
    }
}
