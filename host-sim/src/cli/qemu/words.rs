//! Lines for what the gateway and the guest tell.

use alertbus::message::Heartbeat;
use alertbus::role::gateway::CommandEnd;
use serde_json::json;

use super::teller::Line;
use crate::cli::gateway::teller::{alarm_words, ended};
use crate::guest::LogLine;
use crate::live::{NodeRow, Told};
use crate::report::count;

/// What the gateway tells beside alerts, in lines.
pub(super) fn of_gateway(told: &Told) -> Vec<Line> {
    let line = |text: String| Line { source: "gateway", text, ..Line::default() };
    match told {
        Told::Alert { .. } | Told::Unstored(_) => Vec::new(),
        Told::Alarm { node, alarm } => {
            let (word, text) = alarm_words(*node, *alarm);
            let more = vec![("node", json!(node.0)), ("alarm", json!(word))];
            vec![Line { level: "alarm".into(), more, ..line(text) }]
        }
        Told::Answer { node, id, result } => {
            let more = vec![
                ("node", json!(node.0)),
                ("command", json!(id.to_string())),
                ("result", json!(result.name())),
            ];
            vec![Line { more, ..line(format!("node {}: {} ({id})", node.0, result.name())) }]
        }
        Told::Unanswered { node, id, why } => {
            let why: CommandEnd = *why;
            let text = format!("node {}: no answer to {id}, which has {}", node.0, ended(why));
            vec![Line { level: "warn".into(), ..line(text) }]
        }
        Told::Rolled { node, epoch } => vec![line(format!("node {} is in epoch {}", node.0, epoch.0))],
        Told::Line { peer, news } => vec![Line { source: "uplink", ..line(format!("{peer}: {news}")) }],
        Told::Nodes(rows) => rows.iter().map(|row| line(of_row(row))).collect(),
        Told::Done(text) => vec![line(text.clone())],
        Told::Refused(text) => vec![Line { level: "warn".into(), ..line(text.clone()) }],
    }
}

fn of_row(row: &NodeRow) -> String {
    let age = match row.report_age_ms {
        Some(age_ms) if row.silent => format!("SILENT for {} s", age_ms / 1_000),
        Some(age_ms) => format!("reported {} s ago", age_ms / 1_000),
        None => "has not reported".into(),
    };
    let boot = row.boot.map_or_else(String::new, |boot| format!(", start {boot}"));
    format!(
        "node {}: epoch {}{boot}, {age}, {} commands without an answer",
        row.node.0, row.epoch.0, row.commands
    )
}

/// A line of the board's log.
pub(super) fn of_log(line: &LogLine) -> Line {
    let level = line.level.map_or_else(String::new, |level| level.to_string());
    Line { source: "log", level, at: line.at.clone(), text: line.text.clone(), ..Line::default() }
}

/// Whether a line of the log says that an alert has left the node.
pub(super) fn is_settled(line: &LogLine) -> bool {
    line.text.starts_with("Settled {")
}

/// A node's report.
pub(super) fn of_report(report: &Heartbeat) -> Line {
    let &Heartbeat { boot, reset_cause, uptime_ms, flash_refused, driver_errors, .. } = report;
    let text = format!(
        "reports: start {boot} ({}), up {} s, {} refused, {} of drivers",
        reset_cause.name(),
        uptime_ms / 1_000,
        count(flash_refused.into(), "Flash alert"),
        count(driver_errors.into(), "error")
    );
    let more = vec![
        ("boot", json!(boot)),
        ("reset_cause", json!(reset_cause.name())),
        ("flash_refused", json!(flash_refused)),
        ("driver_errors", json!(driver_errors)),
    ];
    Line { source: "uplink", level: "report".into(), more, text, ..Line::default() }
}

/// How many packets the board says that it has sent, and their hash, where a line of its witness says that.
pub(super) fn witnessed(line: &str) -> Option<(u64, &str)> {
    let (name, rest) = line.split_once(": ")?;
    let (packets, sha256) = rest.split_once(" packets sent, sha256 ")?;
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    packets.parse().ok().filter(|_| is_hash && is_name).map(|packets| (packets, sha256))
}

/// How many alerts have left the node in this start, where a line of its witness says that.
pub(super) fn settled(line: &str) -> Option<u64> {
    line.strip_prefix("node: ")?.strip_suffix(" settled")?.parse().ok()
}

/// Whether a line is one that a witness tells to programs alone.
pub(super) fn is_of_witness(line: &str) -> bool {
    witnessed(line).is_some()
        || settled(line).is_some()
        || (line.contains(": flash ") && line.ends_with(" is durable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_witness_are_known_from_all_others() {
        let hash = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        let line = format!("node: 12 packets sent, sha256 {hash}");
        assert_eq!(witnessed(&line), Some((12, hash)));
        assert_eq!(witnessed(&format!("siren: 1 packets sent, sha256 {hash}")), Some((1, hash)));
        for other in [
            "node: it is not provisioned: flash its blob into its own page",
            "node: 12 packets sent, sha256 88d4",
            "node: -1 packets sent, sha256 88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589",
        ] {
            assert!(witnessed(other).is_none() && !is_of_witness(other), "{other}");
        }
        assert!(is_of_witness("node: flash 3 is durable") && is_of_witness(&line));
        assert_eq!((settled("node: 17 settled"), settled("node: x settled")), (Some(17), None));
        assert!(is_of_witness("node: 17 settled") && !is_of_witness("node: no pin 7; allowed: 0 to 2"));
    }
}
