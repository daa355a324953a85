//! How delivery holds up as links get worse, as a table under version control: a change of behaviour is a change
//! of this file. `ALERTBUS_GOLDEN=update` writes it anew.

use std::fmt::Write;

use host_sim::replay::{Filter, Story};
use host_sim::scenario::{Faults, Scenario};
use host_sim::world::World;

const SEED: u64 = 1;

fn row(name: &str, faults: Faults) -> String {
    let scenario = Scenario::open(Scenario::DEFAULT).unwrap();
    let story = Story::new(&scenario, SEED, faults, &Filter::default());
    let mut world = World::new(story.plan()).unwrap();
    while world.step() {}
    let summary = story.summary(&world, false);
    let slowest = summary.precedences.iter().filter_map(|row| row.latency_ms_max).max();
    let slowest = slowest.map_or_else(|| "-".into(), |ms| ms.to_string());
    format!(
        "{name:<16} {:>9} {:>5} {:>6} {:>6} {:>8} {:>8} {:>8} {slowest:>9}",
        summary.delivered,
        summary.lost,
        summary.duplicates_delivered,
        summary.forged_delivered,
        summary.retries,
        summary.frames_sent,
        summary.frames_rejected,
    )
}

#[test]
fn the_sweep_is_as_it_was() {
    let mut table =
        String::from("fault            delivered  lost  twice forged  retries   frames rejected worst_ms\n");
    let share = |text: &str| text.parse().unwrap();
    let mut add = |name: &str, faults| writeln!(table, "{}", row(name, faults)).unwrap();
    add("none", Faults::default());
    for text in ["10%", "30%", "50%"] {
        add(&format!("loss {text}"), Faults { loss: share(text), ..Faults::default() });
    }
    for delay_ms in [100, 1_000, 10_000] {
        add(&format!("delay {delay_ms} ms"), Faults { delay_ms, ..Faults::default() });
    }
    for text in ["10%", "50%"] {
        add(&format!("duplicate {text}"), Faults { duplicate: share(text), ..Faults::default() });
        add(&format!("reorder {text}"), Faults { reorder: share(text), ..Faults::default() });
        add(&format!("corrupt {text}"), Faults { corrupt: share(text), ..Faults::default() });
    }
    let all = share("20%");
    let bad_links = Faults {
        loss: all,
        delay_ms: 1_000,
        duplicate: all,
        reorder: all,
        corrupt: all,
        ..Faults::default()
    };
    add("all 20%, 1 s", bad_links);
    add("burst 30%", Faults { burst: share("30%"), ..Faults::default() });
    add("partition 20 min", Faults { partition_s: 1_200, ..Faults::default() });
    add("reboot 1 h", Faults { reboot_s: 3_600, ..Faults::default() });
    add("brown-out 1 h", Faults { brown_out_s: 3_600, ..Faults::default() });
    add("clock-drift 200", Faults { clock_drift_ppm: 200, ..Faults::default() });
    add("gateway-kill 1 h", Faults { gateway_kill_s: 3_600, ..Faults::default() });
    add("attacker 40%", Faults { attacker: share("40%"), ..Faults::default() });

    let path = alertbus_tests::root().join("tests/golden/sweep.txt");
    if std::env::var("ALERTBUS_GOLDEN").as_deref() == Ok("update") {
        std::fs::write(&path, &table).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(golden == table, "{} says\n{golden}\nand the run\n{table}", path.display());
}
