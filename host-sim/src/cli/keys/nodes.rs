//! Nodes as options name them: `12`, or `1..=40` for all of them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use alertbus::message::NodeId;
use anyhow::bail;

/// One node or several in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nodes(RangeInclusive<u16>);

/// Reads one argument.
///
/// # Errors
/// Says what is allowed.
pub(super) fn nodes(text: &str) -> Result<Nodes, String> {
    let (first, last) = text.split_once("..=").unwrap_or((text, text));
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number != 0);
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(Nodes(first..=last)),
        (Some(_), Some(_)) => Err(format!("it begins above its end; allowed: `{last}..={first}`")),
        _ => Err("allowed: a node, 1 to 65535, or several in a row, such as `1..=40`".into()),
    }
}

/// All nodes named, in the order in which they are named.
///
/// # Errors
/// One is named twice: somebody meant another.
pub(super) fn each(arguments: &[Nodes]) -> anyhow::Result<Vec<NodeId>> {
    let all: Vec<_> = arguments.iter().flat_map(|Nodes(range)| range.clone().map(NodeId)).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = all.iter().find(|node| !seen.insert(**node)) {
        bail!("node {} is named twice; allowed: each node once", twice.0);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn one_node_or_several_in_a_row() {
        assert_eq!(nodes("12"), Ok(Nodes(12..=12)));
        assert_eq!(nodes("1..=40"), Ok(Nodes(1..=40)));
        for text in ["0", "0..=3", "65536", "", "x", "1..40", "1-40", "-1", "..=4", "1..=2..=3"] {
            assert!(nodes(text).is_err_and(|error| error.contains("allowed: a node, 1 to 65535")), "{text}");
        }
        assert!(nodes("40..=1").is_err_and(|error| error.ends_with("allowed: `1..=40`")));
    }

    #[test]
    fn a_node_that_is_named_twice_is_refused() {
        let named = |texts: &[&str]| each(&texts.iter().map(|text| nodes(text).unwrap()).collect::<Vec<_>>());
        assert_eq!(named(&["3", "1..=2"]).unwrap(), [NodeId(3), NodeId(1), NodeId(2)]);
        assert_eq!(
            named(&["3", "1..=4"]).unwrap_err().to_string(),
            "node 3 is named twice; allowed: each node once"
        );
    }
}
