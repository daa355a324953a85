//! When the nodes of convoys are out of radio coverage.

use std::collections::BTreeMap;

use alertbus::NodeId;

use super::file::File;
use super::timeline::Incident;

/// Beginning and end of each gap by node, in milliseconds since 1970; in order, and those that meet made one.
pub(super) fn gaps(file: &File, incidents: &[Incident]) -> BTreeMap<NodeId, Vec<(u64, u64)>> {
    let mut by_node = BTreeMap::<NodeId, Vec<(u64, u64)>>::new();
    for alert in incidents.iter().flat_map(|incident| &incident.alerts) {
        let node = file.node.iter().find(|node| node.id == alert.node_id);
        if let Some(gap) = node.and_then(|node| node.coverage_gap) {
            let from_ms = alert.at_ms.saturating_sub(u64::from(gap.before_s) * 1_000);
            let until_ms = alert.at_ms.saturating_add(u64::from(gap.after_s) * 1_000);
            by_node.entry(alert.node).or_default().push((from_ms, until_ms));
        }
    }
    for gaps in by_node.values_mut() {
        gaps.sort_unstable();
        gaps.dedup_by(|later, earlier| {
            let meet = later.0 <= earlier.1;
            if meet {
                earlier.1 = earlier.1.max(later.1);
            }
            meet
        });
    }
    by_node
}
