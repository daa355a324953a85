//! Rules as a drawing: from routes to sinks, and on to where unacknowledged alerts go.

use std::fmt::Write as _;

use super::rules::{Escalation, Rules};
use super::words::Span;

impl Rules {
    /// As a graph in the DOT language of Graphviz.
    ///
    /// ```
    /// let (rules, _) = host_sim::route::Rules::open("iraq-2019-2020").expect("they are right");
    /// assert!(rules.dot().starts_with("digraph"));
    /// ```
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text =
            format!("digraph {} {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n", quoted(&self.name));
        for (number, sink) in self.sinks.iter().enumerate() {
            let default = if number == self.default { "\nof what no route takes" } else { "" };
            let label = quoted(&format!("{}\n{}{default}", sink.name, sink.spec.kind()));
            line(&mut text, &format!("sink{number} [shape=box, style=filled, label={label}]"));
        }
        for (number, route) in self.routes.iter().enumerate() {
            let mut label = format!("{}\n{}", route.name, route.when);
            if route.is_final {
                label.push_str("\nfinal");
            }
            if let Some(grouping) = &route.grouping {
                let _ = write!(label, "\nrepeats every {}", Span { ms: grouping.every_ms });
            }
            line(&mut text, &format!("route{number} [shape=ellipse, label={}]", quoted(&label)));
            let deadline = route.deadline_ms.map_or_else(String::new, |ms| {
                format!(" [label={}]", quoted(&format!("within {}", Span { ms })))
            });
            for sink in &route.to {
                line(&mut text, &format!("route{number} -> sink{sink}{deadline}"));
            }
            escalation(&mut text, &format!("route{number}"), route.escalation.as_ref());
        }
        for (number, sink) in self.sinks.iter().enumerate() {
            escalation(&mut text, &format!("sink{number}"), sink.escalation.as_ref());
        }
        text.push_str("}\n");
        text
    }
}

fn escalation(text: &mut String, from: &str, escalation: Option<&Escalation>) {
    let Some(Escalation { after_ms, to }) = escalation else { return };
    let label = quoted(&format!("unless acknowledged after {}", Span { ms: *after_ms }));
    for sink in to {
        line(text, &format!("{from} -> sink{sink} [style=dashed, label={label}]"));
    }
}

fn line(text: &mut String, statement: &str) {
    text.push_str("  ");
    text.push_str(statement);
    text.push_str(";\n");
}

/// As DOT quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
