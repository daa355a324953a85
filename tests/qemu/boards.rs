//! The images for boards that can be bought. Nothing runs on one here; but each has in it what makes a node, and what it
//! takes is held against `firmware/src/budget/boards.txt`.

use std::fs;
use std::path::Path;

use object::elf::{SHF_ALLOC, SHF_WRITE};
use object::{File, Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind};

use alertbus_tests::firmware::{Board, REAL_BOARDS};
use alertbus_tests::root;

use crate::budget::{Row, hold};

/// The program that is built for them.
const PROGRAM: &str = "node-embassy";

/// What makes a node on any board: each is a function whose name has all of these words in it.
const OF_A_NODE: [(&str, &[&str]); 3] = [
    ("the node", &["alertbus", "role", "node", "submit"]),
    ("the cipher", &["ascon", "permute"]),
    ("the journal", &["alertbus", "store", "journal", "replay"]),
];

/// What makes it on this board: what programs its own flash, and what moves bytes on its own line.
fn of_board(board: &Board) -> [(&'static str, &'static [&'static str]); 2] {
    match board.feature {
        "nrf52840-dk" => {
            [("the flash", &["nrf52840_dk", "Flash", "write"]), ("the line", &["buffered_uarte"])]
        }
        "nucleo-f429zi" => {
            [("the flash", &["embassy_stm32", "flash"]), ("the line", &["embassy_stm32", "usart"])]
        }
        "raspberry-pi-pico" => [
            ("the flash", &["embassy_rp", "flash_range_program"]),
            ("the line", &["embassy_rp", "uart", "buffered"]),
        ],
        other => panic!("nobody has said what makes a node on {other}"),
    }
}

#[test]
fn each_image_has_in_it_what_makes_a_node_and_takes_no_more_than_it_did() {
    let mut rows = Vec::new();
    for board in &REAL_BOARDS {
        let plain = board.build(&[], &[PROGRAM]).remove(0);
        rows.extend(sizes(board.feature, &plain));
        // A log is more than a change of sizes: it has to be linked.
        let logging = board.build(&["defmt"], &[PROGRAM]).remove(0);
        rows.extend(sizes(&format!("{}-with-log", board.feature), &logging));
        for image in [plain, logging] {
            let missing = missing(board, &image);
            assert!(missing.is_empty(), "{} is without {}", image.display(), missing.join(", "));
        }
    }
    hold("firmware/src/budget/boards.txt", &rows);
}

/// What no function of the image is called after.
fn missing(board: &Board, image: &Path) -> Vec<&'static str> {
    let bytes = fs::read(image).unwrap();
    let elf = File::parse(&*bytes).unwrap();
    let names: Vec<String> = elf
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.size() > 0)
        .filter_map(|symbol| Some(symbol.name().ok()?.to_owned()))
        .collect();
    let is_there = |words: &[&str]| names.iter().any(|name| words.iter().all(|word| name.contains(word)));
    let wanted = OF_A_NODE.into_iter().chain(of_board(board));
    wanted.filter(|(_, words)| !is_there(words)).map(|(what, _)| what).collect()
}

/// Bytes that are written to the flash, and bytes of memory beside the stack.
fn sizes(name: &str, image: &Path) -> [Row; 2] {
    let bytes = fs::read(image).unwrap();
    let elf = File::parse(&*bytes).unwrap();
    let (mut flash, mut memory) = (0, 0);
    for section in elf.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let has = |flag| sh_flags & flag == flag;
        if !has(SHF_ALLOC) {
            continue;
        }
        // What variables begin with lies on the flash, and is copied.
        if section.kind() != SectionKind::UninitializedData {
            flash += section.size();
        }
        if has(SHF_WRITE) {
            memory += section.size();
        }
    }
    [(format!("{name}-flash-bytes"), flash), (format!("{name}-memory-bytes"), memory)]
}

#[test]
fn the_guide_flashes_each_blob_where_the_board_looks_for_it() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let guide = read("firmware/README.md");
    for board in &REAL_BOARDS {
        let map = read(&format!("firmware/memory/{}.x", board.feature));
        let (_, blob) = map.split_once("_blob = ").unwrap();
        let (blob, _) = blob.split_once(';').unwrap();
        let row = guide.lines().find(|line| line.contains(&format!("| `{}` |", board.feature))).unwrap();
        assert!(row.contains(&format!("`{blob}`")) && row.contains(board.target), "{blob}: {row}");
        assert!(guide.contains(&format!("--base-address {blob} ")), "{blob}");
        assert!(guide.contains(&format!("--features {},defmt --target {}", board.feature, board.target)));
    }
}

#[test]
fn what_is_not_in_an_image_is_told() {
    let image = std::env::current_exe().unwrap();
    let missing = missing(&REAL_BOARDS[0], &image);
    assert!(missing.contains(&"the flash") && missing.contains(&"the line"), "{missing:?}");
}
