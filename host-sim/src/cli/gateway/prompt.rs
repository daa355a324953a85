//! What can be typed at the prompt of a gateway.

use std::ops::RangeInclusive;
use std::str::FromStr;

use alertbus::message::{CommandId, NodeId};
use alertbus::{Body, limits};
use anyhow::{Context, bail};

use crate::cli::decode::kinds;
use crate::cli::encode::fields::one_of;
use crate::document::quoted;
use crate::live::Ask;

/// The commands.
pub(in crate::cli) const HELP: &str = "\
warn NODE KIND SECONDS   warn through a siren, and go on trying until it has answered
clear NODE [ID...]       end these warnings of a siren, or all that this gateway has given it
test NODE SECONDS        play a siren's test pattern
time                     tell all nodes that are connected what time it is
nodes                    list the nodes
quit                     end; Ctrl-C does too
KIND is rocket-launch, cram-engagement, drone-sighting or convoy-ied; ID as `warn` shows it, such as 1/1/17";

const WORDS: [&str; 7] = ["warn", "clear", "test", "time", "nodes", "help", "quit"];

/// Warnings that one line can end.
const CLEAR_IDS_MAX: usize = 4 * limits::CLEAR_IDS_MAX;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum Line {
    /// Nothing.
    Nothing,
    /// What can be typed.
    Help,
    /// Something for the gateway.
    Ask(Ask),
}

/// Reads a line.
///
/// # Errors
/// Says what is wrong with it and what is allowed.
pub(in crate::cli) fn read(line: &str) -> anyhow::Result<Line> {
    let mut words = line.split_whitespace();
    let Some(command) = words.next() else { return Ok(Line::Nothing) };
    let rest: Vec<&str> = words.collect();
    Ok(Line::Ask(match (command, rest.as_slice()) {
        ("warn", [siren, kind, seconds]) => Ask::Warn {
            siren: node(siren)?,
            kind: kind_of(kind)?,
            duration_s: number(seconds, "the seconds of a warning", 1..=u16::MAX)?,
        },
        ("clear", [siren, ids @ ..]) if ids.len() <= CLEAR_IDS_MAX => {
            let ids = ids.iter().map(|id| command_id(id)).collect::<anyhow::Result<_>>()?;
            Ask::Clear { siren: node(siren)?, ids }
        }
        ("test", [siren, seconds]) => Ask::Test {
            siren: node(siren)?,
            duration_s: number(seconds, "the seconds of a test", 1..=u8::MAX)?,
        },
        ("time", []) => Ask::Time,
        ("nodes", []) => Ask::Nodes,
        ("quit", []) => Ask::Quit,
        ("help", _) => return Ok(Line::Help),
        (known, _) if WORDS.contains(&known) => {
            let usage = HELP.lines().find(|line| line.starts_with(known)).unwrap_or_default();
            let usage = usage.split("  ").next().unwrap_or_default();
            bail!("`{known}` with {}; allowed: {usage}", words_given(&rest))
        }
        (other, _) => bail!("{} is no command; {}", quoted(other), one_of(other, &WORDS)),
    }))
}

fn words_given(rest: &[&str]) -> String {
    match rest {
        [] => "nothing behind it".into(),
        rest => quoted(&rest.join(" ")),
    }
}

fn node(text: &str) -> anyhow::Result<NodeId> {
    number(text, "the number of a node", 1..=u16::MAX).map(NodeId)
}

fn kind_of(text: &str) -> anyhow::Result<u8> {
    // A siren is told what to warn of; a summary is of many things.
    let names: Vec<_> = Body::NAMES.iter().copied().filter(|name| *name != "summary").collect();
    let known = Some(text).filter(|text| names.contains(text)).and_then(kinds::code_of);
    known.with_context(|| format!("{} is no kind of alert; {}", quoted(text), one_of(text, &names)))
}

fn number<T>(text: &str, what: &str, allowed: RangeInclusive<T>) -> anyhow::Result<T>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    match text.parse().ok().filter(|number| allowed.contains(number)) {
        Some(number) => Ok(number),
        None => bail!("{} is not {what}; allowed: {} to {}", quoted(text), allowed.start(), allowed.end()),
    }
}

/// `EPOCH/GATEWAY/NUMBER`, as commands are shown.
fn command_id(text: &str) -> anyhow::Result<CommandId> {
    let read = || {
        let mut parts = text.split('/');
        let epoch_low = parts.next()?.parse().ok()?;
        let gateway: u8 = parts.next()?.parse().ok()?;
        let number: u32 = parts.next()?.parse().ok().filter(|number| *number <= limits::DOWN_COUNTER_MAX)?;
        let counter = u32::from(gateway) << 24 | number;
        parts.next().is_none().then_some(CommandId { epoch_low, counter })
    };
    read().with_context(|| {
        format!("{} is no warning's name; allowed: as `warn` shows it, such as 1/1/17", quoted(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let siren = NodeId(40);
        let id = CommandId { epoch_low: 3, counter: 0x0100_0011 };
        assert_eq!(id.to_string(), "3/1/17");
        for (line, ask) in [
            ("warn 40 rocket-launch 90", Ask::Warn { siren, kind: 1, duration_s: 90 }),
            ("  clear   40 ", Ask::Clear { siren, ids: Vec::new() }),
            ("clear 40 3/1/17 3/1/17", Ask::Clear { siren, ids: vec![id, id] }),
            ("test 40 5", Ask::Test { siren, duration_s: 5 }),
            ("time", Ask::Time),
            ("nodes", Ask::Nodes),
            ("quit", Ask::Quit),
        ] {
            assert_eq!(read(line).map_err(|error| error.to_string()), Ok(Line::Ask(ask)), "{line}");
        }
        assert!(matches!(
            (read(""), read(" \t"), read("help")),
            (Ok(Line::Nothing), Ok(Line::Nothing), Ok(Line::Help))
        ));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (line, words) in [
            ("worn 40", "`worn` is no command; did you mean `warn`? allowed: warn, clear"),
            ("warn", "`warn` with nothing behind it; allowed: warn NODE KIND SECONDS"),
            ("warn 40 rocket-launch", "`warn` with `40 rocket-launch`; allowed: warn NODE KIND SECONDS"),
            ("warn 0 rocket-launch 9", "`0` is not the number of a node; allowed: 1 to 65535"),
            ("warn 40 rocket-lunch 9", "did you mean `rocket-launch`?"),
            ("warn 40 summary 9", "`summary` is no kind of alert"),
            ("warn 40 rocket-launch 0", "`0` is not the seconds of a warning; allowed: 1 to 65535"),
            ("test 40 256", "`256` is not the seconds of a test; allowed: 1 to 255"),
            ("clear 40 3/1", "`3/1` is no warning's name; allowed: as `warn` shows it"),
            ("clear 40 3/1/16777216", "is no warning's name"),
            ("clear 40 3/1/17/1", "is no warning's name"),
            ("quit now", "`quit` with `now`; allowed: quit"),
        ] {
            let message = read(line).map(|_| "it was read").map_err(|error| error.to_string());
            assert!(message.as_ref().is_err_and(|message| message.contains(words)), "{line}: {message:?}");
        }
    }
}
