//! What the firmware costs, held against `firmware/src/budget/budget.txt`: instructions on a Cortex-M4, and what the
//! image of a node takes. A figure that grows by more than [`GROWTH_PERCENT_MAX`] fails; so does one that has shrunk
//! by as much, until the file says so.

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::time::Duration;

use object::elf::{SHF_ALLOC, SHF_WRITE};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags};

use alertbus_tests::firmware::{BOARDS, TOOLCHAIN};
use alertbus_tests::root;

use crate::guest::Guest;
use crate::masked;
use crate::stack;

const GROWTH_PERCENT_MAX: u64 = 2;

/// All programs that count end within seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A name and a figure.
pub(crate) type Row = (String, u64);

#[test]
fn nothing_costs_more_than_it_did() {
    let mut rows = instructions();
    rows.extend(image());
    rows.extend(stack::rows());
    hold("firmware/src/budget/budget.txt", &rows);
}

/// Prints `rows`, and fails where they are no longer what `file` says.
///
/// Another compiler writes other code, so figures are compared where the compiler is the one that the file names; elsewhere
/// they are shown, and said not to be compared.
pub(crate) fn hold(file: &str, rows: &[Row]) {
    let path = root().join(file);
    let written = fs::read_to_string(&path).unwrap_or_default();
    let (table, changed) = held_against(&written, rows);
    println!("{table}");
    let compiler = compiler();
    if std::env::var("ALERTBUS_GOLDEN").is_ok_and(|mode| mode == "update") {
        fs::write(&path, updated(&written, &compiler, rows)).unwrap();
    } else if written.lines().any(|line| line.strip_prefix(COMPILER) == Some(&compiler)) {
        let advice = "ALERTBUS_GOLDEN=update writes what is";
        assert!(changed.is_empty(), "\n{table}\nchanged: {}\n{advice}", changed.join(", "));
    } else {
        println!("not compared: this is {compiler}");
    }
}

/// What stands before the compiler's name in the file.
const COMPILER: &str = "# Compiler: ";

/// The compiler that the firmware is built with.
fn compiler() -> String {
    let is_debian = std::env::var(TOOLCHAIN).is_ok_and(|name| name == "debian");
    let rustc = if is_debian {
        "/usr/bin/rustc".into()
    } else {
        std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
    };
    let output = Command::new(rustc).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What the program that counts says, in lines of a name and a number.
fn instructions() -> Vec<Row> {
    let images = BOARDS[0].build(&["testing"], &["budget-instructions"]);
    // A count of instructions stands for time: 64 ns each.
    let arguments =
        ["-serial", "null", "-icount", "shift=6", "-semihosting-config", "enable=on,target=native"];
    let masked = masked::rows(&images[0]);
    let ended = Guest::start(&BOARDS[0], &images[0], root(), &arguments).wait(LIMIT);
    assert!(ended.status.success(), "{}", ended.output);
    let row = |line: &str| {
        let (name, count) = line.split_once(' ').unwrap_or_else(|| panic!("no figure: {line}"));
        (name.to_owned(), count.parse().unwrap_or_else(|_| panic!("no number: {line}")))
    };
    ended.output.lines().map(row).chain(masked).collect()
}

/// What the image of a node takes, as it is flashed: without a log, and without what tests add.
fn image() -> Vec<Row> {
    let bytes = fs::read(BOARDS[0].build(&[], &["node"]).remove(0)).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let len = |is_written: bool| {
        let is_wanted = |section: &object::Section<'_, '_>| match section.flags() {
            SectionFlags::Elf { sh_flags, .. } => {
                let has = |flag| sh_flags & flag == flag;
                has(SHF_ALLOC) && has(SHF_WRITE) == is_written
            }
            _ => false,
        };
        elf.sections().filter(is_wanted).map(|section| section.size()).sum()
    };
    let named = |words: &[&str]| {
        let is_one = |symbol: &object::Symbol<'_, '_>| {
            symbol.size() > 0 && symbol.name().is_ok_and(|name| words.iter().any(|word| name.contains(word)))
        };
        elf.symbols().filter(is_one).count() as u64
    };
    vec![
        ("node-flash-bytes".into(), len(false)),
        ("node-memory-bytes".into(), len(true)),
        ("node-panic-symbols".into(), named(&["9panicking", "unwrap_failed", "expect_failed"])),
        ("node-allocator-symbols".into(), named(&["__rust_alloc", "__rg_alloc", "__rdl_alloc"])),
    ]
}

/// The table of what is, what was and what is wanted, and the names of what has changed too much.
fn held_against(written: &str, rows: &[Row]) -> (String, Vec<String>) {
    let was = parse(written);
    let mut table = format!("{:<40}{:>10}{:>10}{:>10}\n", "", "now", "before", "target");
    let mut changed = Vec::new();
    for (name, now) in rows {
        let before = was.iter().find(|entry| entry.name == name);
        let (figure, target) = before.map_or(("-", "-"), |entry| (entry.figure, entry.target));
        writeln!(table, "{name:<40}{now:>10}{figure:>10}{target:>10}").unwrap();
        let is_near = figure
            .parse()
            .is_ok_and(|figure: u64| figure.abs_diff(*now) * 100 <= figure * GROWTH_PERCENT_MAX);
        if !is_near {
            changed.push(name.clone());
        }
    }
    let gone = was.iter().filter(|entry| rows.iter().all(|(name, _)| name != entry.name));
    changed.extend(gone.map(|entry| format!("{} is gone", entry.name)));
    (table, changed)
}

/// The file with the figures that are, its remarks and targets kept.
fn updated(written: &str, compiler: &str, rows: &[Row]) -> String {
    let was = parse(written);
    let mut text: String = written
        .lines()
        .filter(|line| line.starts_with('#') && !line.starts_with(COMPILER))
        .map(|line| format!("{line}\n"))
        .collect();
    writeln!(text, "{COMPILER}{compiler}").unwrap();
    for (name, now) in rows {
        let target = was.iter().find(|entry| entry.name == name).map_or("-", |entry| entry.target);
        writeln!(text, "{name} {now} {target}").unwrap();
    }
    text
}

/// A line of the file.
struct Entry<'t> {
    name: &'t str,
    figure: &'t str,
    target: &'t str,
}

fn parse(written: &str) -> Vec<Entry<'_>> {
    let lines = written.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let entry = |line| match str::split(line, ' ').collect::<Vec<_>>()[..] {
        [name, figure, target] => Entry { name, figure, target },
        _ => panic!("`{line}` is no name, figure and target"),
    };
    lines.map(entry).collect()
}

#[test]
fn more_than_two_in_a_hundred_is_a_change() {
    let written = "# why\na 1000 900\nb 0 0\nc 7 -\n";
    let rows = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b), ("c".to_owned(), 7)];
    let changed = |rows: &[Row]| held_against(written, rows).1;
    assert!(changed(&rows(1_020, 0)).is_empty() && changed(&rows(980, 0)).is_empty());
    assert_eq!(changed(&rows(1_021, 0)), ["a"]);
    assert_eq!(changed(&rows(979, 1)), ["a", "b"]);
    assert_eq!(changed(&rows(1_000, 0)[..2]), ["c is gone"]);
    assert_eq!(changed(&[rows(1_000, 0), vec![("d".to_owned(), 1)]].concat()), ["d"]);
    let expected = "# why\n# Compiler: new\na 1100 900\nb 0 0\nc 7 -\n";
    assert_eq!(updated(&updated(written, "old", &rows(1, 1)), "new", &rows(1_100, 0)), expected);
}
