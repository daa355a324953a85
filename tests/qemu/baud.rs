//! What a receiver makes of bytes that were sent at another speed than its own.

/// Levels of a byte on the line: a start bit, eight bits from the least significant on, a stop bit.
const LEVELS_PER_BYTE: usize = 10;

/// What a UART at `to` baud reads of `bytes` that were sent at `from` baud, one directly behind the other. As many
/// devices do, it hands a byte over though its stop bit is missing.
pub(crate) fn misread(bytes: &[u8], from: u32, to: u32) -> Vec<u8> {
    let levels: Vec<bool> = bytes.iter().flat_map(|byte| levels(*byte)).collect();
    // Time in parts of a second of which a sent bit lasts `to`, and one that is read `from`.
    let (sent, read) = (u64::from(to), u64::from(from));
    let level = |time: u64| levels.get(usize::try_from(time / sent).unwrap()).copied().unwrap_or(true);
    let end = sent * u64::try_from(levels.len()).unwrap();
    let mut received = Vec::new();
    let mut time = 0;
    while time < end {
        // It waits for a high level, and then for the edge of a start bit.
        let edge = (time.div_ceil(sent)..end / sent).map(|bit| bit * sent);
        let mut starts = edge.filter(|&at| !level(at) && (at == 0 || level(at - 1)));
        let Some(start) = starts.next() else { break };
        let sample = |bit: u64| level(start + read / 2 + bit * read);
        if sample(0) {
            time = start + 1;
            continue;
        }
        received.push((0..8).fold(0, |byte, bit| byte | u8::from(sample(1 + bit)) << bit));
        time = start + read / 2 + 9 * read;
    }
    received
}

fn levels(byte: u8) -> [bool; LEVELS_PER_BYTE] {
    std::array::from_fn(|at| match at {
        0 => false,
        1..=8 => byte >> (at - 1) & 1 == 1,
        _ => true,
    })
}

#[test]
fn a_speed_that_is_nearly_right_reads_everything_and_others_something_else() {
    let said: Vec<u8> = (0..=255).collect();
    for to in [115_200, 117_000, 113_000] {
        assert_eq!(misread(&said, 115_200, to), said, "{to}");
    }
    // Each bit is read twice: a start bit and three bits, of which the first two are the start bit's.
    assert_eq!(misread(&[0b0000_0101], 57_600, 115_200)[0], 0b0110_0110);
    for to in [9_600, 57_600, 230_400, 1_000_000] {
        assert_ne!(misread(&said, 115_200, to), said, "{to}");
    }
}
