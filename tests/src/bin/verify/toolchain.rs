//! Where a Rust for a bare-metal target comes from.

/// The environment variable that names the one [`Source`] to use.
pub(crate) use alertbus_tests::firmware::TOOLCHAIN as VARIABLE;

/// Core must compile for each: the smallest Cortex-M, one with an FPU, and a RISC-V without atomics.
pub(crate) const TARGETS: [&str; 3] =
    ["thumbv6m-none-eabi", "thumbv7em-none-eabihf", "riscv32imc-unknown-none-elf"];

/// Ways to a Rust that builds for a target, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The target's `core` lies beside the compiler in use already.
    Installed,
    /// `rustup target add` brought it.
    Rustup,
    /// Debian's second Rust, which builds `core` from its source.
    Debian,
}

impl Source {
    /// The order in which they are tried: what costs least, and what changes least on the machine, first.
    pub(crate) const ALL: [Self; 3] = [Self::Installed, Self::Rustup, Self::Debian];

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "installed" => Some(Self::Installed),
            "rustup" => Some(Self::Rustup),
            "debian" => Some(Self::Debian),
            _ => None,
        }
    }

    /// How the rung's line calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Installed => "installed target",
            Self::Rustup => "rustup target add",
            Self::Debian => "Debian's rustc-web",
        }
    }
}

/// What the choice asks of the machine; a fake one answers in the tests.
pub(crate) trait Machine {
    /// Makes `source` ready for `target`, or says in a sentence why that cannot be.
    fn ready(&mut self, source: Source, target: &str) -> Result<(), String>;
}

/// The first source that is ready for `target`; if there is none, each one's reason.
///
/// `only` leaves the others untried, so that a way that is seldom taken can be tested where it is not needed.
pub(crate) fn choose(
    target: &str,
    only: Option<Source>,
    machine: &mut impl Machine,
) -> Result<Source, String> {
    let mut reasons = vec![format!("no Rust for {target}")];
    for source in Source::ALL.into_iter().filter(|source| only.is_none_or(|only| only == *source)) {
        match machine.ready(source, target) {
            Ok(()) => return Ok(source),
            Err(why) => reasons.push(format!("{}: {why}", source.title())),
        }
    }
    Err(reasons.join("; "))
}

/// The sources taken, each with its targets, as the rung's line says it.
pub(crate) fn summary(taken: &[(Source, &str)]) -> String {
    let mut parts = Vec::new();
    for source in Source::ALL {
        let targets: Vec<&str> =
            taken.iter().filter(|(by, _)| *by == source).map(|(_, target)| *target).collect();
        if !targets.is_empty() {
            parts.push(format!("{}: {}", source.title(), targets.join(" ")));
        }
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has what `has` lists and notes what it was asked.
    struct Fake {
        has: Vec<Source>,
        asked: Vec<Source>,
    }

    impl Machine for Fake {
        fn ready(&mut self, source: Source, _target: &str) -> Result<(), String> {
            self.asked.push(source);
            if self.has.contains(&source) { Ok(()) } else { Err("not here".into()) }
        }
    }

    fn chosen(has: &[Source], only: Option<Source>) -> (Result<Source, String>, Vec<Source>) {
        let mut fake = Fake { has: has.to_vec(), asked: Vec::new() };
        (choose("thumbv6m-none-eabi", only, &mut fake), fake.asked)
    }

    #[test]
    fn the_first_that_is_ready_is_taken_and_later_ones_are_not_asked() {
        assert_eq!(chosen(&Source::ALL, None), (Ok(Source::Installed), vec![Source::Installed]));
        let (taken, asked) = chosen(&[Source::Rustup, Source::Debian], None);
        assert_eq!((taken, asked.len()), (Ok(Source::Rustup), 2));
        assert_eq!(chosen(&[Source::Debian], None).0, Ok(Source::Debian));
    }

    #[test]
    fn a_forced_source_is_the_only_one_asked() {
        let all = chosen(&Source::ALL, Some(Source::Debian));
        assert_eq!(all, (Ok(Source::Debian), vec![Source::Debian]));
        let (taken, asked) = chosen(&[Source::Installed], Some(Source::Rustup));
        assert!(taken.is_err());
        assert_eq!(asked, [Source::Rustup]);
    }

    #[test]
    fn with_none_every_reason_is_given() {
        let (taken, asked) = chosen(&[], None);
        assert_eq!(asked, Source::ALL);
        let why = taken.expect_err("nothing is ready");
        assert!(why.starts_with("no Rust for thumbv6m-none-eabi; "), "{why}");
        assert!(Source::ALL.iter().all(|source| why.contains(source.title())), "{why}");
    }

    #[test]
    fn the_summary_groups_targets_by_source() {
        let taken = [(Source::Debian, "a"), (Source::Installed, "b"), (Source::Debian, "c")];
        assert_eq!(summary(&taken), "installed target: b; Debian's rustc-web: a c");
    }
}
