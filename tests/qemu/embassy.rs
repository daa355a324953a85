//! What only the asynchronous main loop has: the programs below `firmware/src/test/embassy/`, on a Cortex-M4.

use std::fs;
use std::time::Duration;

use alertbus_tests::firmware::BOARDS;
use alertbus_tests::root;

use crate::guest::Guest;

/// Each takes some seconds.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_contact_raises_one_alert_for_each_event_when_it_has_held() {
    let image = BOARDS[0].build(&["testing", "embassy"], &["test-senses"]).remove(0);
    // A count of instructions stands for time, so that nothing depends on how busy the host is.
    let arguments =
        ["-serial", "null", "-icount", "shift=6,sleep=off", "-semihosting-config", "enable=on,target=native"];
    // Its folder is where its flash would be.
    let ended =
        Guest::start(&BOARDS[0], &image, env!("CARGO_TARGET_TMPDIR").as_ref(), &arguments).wait(LIMIT);
    let path = root().join("firmware/src/test/embassy/senses.out");
    if std::env::var("ALERTBUS_GOLDEN").is_ok_and(|mode| mode == "update") {
        fs::write(&path, &ended.output).unwrap();
    }
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(ended.output, fs::read_to_string(path).unwrap_or_default());
}
