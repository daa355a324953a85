//! An image of firmware, and the board that it is for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::elf::{EM_ARM, FileHeader32};
use object::read::elf::{ElfFile32, FileHeader};
use object::{Endianness, FileKind, Object, ObjectSection, ObjectSegment, ObjectSymbol};

/// Boards that QEMU plays with two lines and a flash: the name in an image, and QEMU's own.
const MACHINES: [(&str, &str); 3] =
    [("qemu-mps2-an386", "mps2-an386"), ("qemu-mps2-an385", "mps2-an385"), ("qemu-mps2-an505", "mps2-an505")];

/// What an image's own symbol for its board begins with; the build of the firmware writes it.
const BOARD_SYMBOL: &str = "alertbus_board_";

/// The same of a program that takes nothing from a bench.
const PROGRAM_SYMBOL: &str = "alertbus_program_";

/// What only firmware has that tells the hash of what it sends: the words that it tells it with.
const WITNESS_WORDS: &[u8] = b" packets sent, sha256 ";

/// With all that is there for debuggers an image has some megabytes.
const LEN_MAX: u64 = 256 << 20;

const HOW_TO_BUILD: &str = "`cargo qemu node` builds one and runs it";

/// An image, read and found to be one.
#[derive(Clone)]
pub struct Image {
    path: PathBuf,
    bytes: Arc<[u8]>,
    /// The board it was built for, if it says so.
    board: Option<String>,
    /// What it is, where that takes nothing from a bench: `siren` or `relay`.
    pub deaf: Option<String>,
    /// It tells the hash of what it sends, and how many alerts have left it.
    pub has_witness: bool,
    /// It has a log of defmt on its standard output.
    pub has_log: bool,
}

/// Why a file is no image for QEMU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// No file.
    #[error("there is no image `{}`: {HOW_TO_BUILD}", path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read the image `{}`: {why}; {HOW_TO_BUILD}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Some other file.
    #[error("`{}` is no ELF image of a Cortex-M: it {why}; {HOW_TO_BUILD}", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// No node and no siren.
    #[error("`{}` is a relay, which has a node on its second line and no rig: docs/qemu.md shows how to join one", path.display())]
    Relay {
        /// Which file.
        path: PathBuf,
    },
    /// Built for a board that is not the one asked for.
    #[error("`{}` is built for the board {board}, and --machine asks for {machine}", path.display())]
    OtherBoard {
        /// Which file.
        path: PathBuf,
        /// Its board.
        board: String,
        /// QEMU's name for the one asked for.
        machine: String,
    },
    /// Built for a board that QEMU does not play, or that has no line for a rig.
    #[error(
        "`{}` is built for the board {board}, which QEMU does not play with a line for a rig; allowed: {}",
        path.display(), boards()
    )]
    UnknownBoard {
        /// Which file.
        path: PathBuf,
        /// Its board.
        board: String,
    },
    /// It does not say for which board it was built.
    #[error(
        "`{}` does not say which board it is built for: `--machine` names the machine, such as {}",
        path.display(), MACHINES[0].1
    )]
    Unnamed {
        /// Which file.
        path: PathBuf,
    },
}

impl Image {
    /// Reads an image.
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let unreadable =
            |error: io::Error| ImageError::Unreadable { path: path.into(), why: error.to_string() };
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ImageError::Missing { path: path.into() },
            _ => unreadable(error),
        })?;
        if file.metadata().is_ok_and(|seen| seen.is_dir()) {
            return Err(ImageError::Foreign { path: path.into(), why: "is a folder".into() });
        }
        let mut bytes = Vec::new();
        file.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LEN_MAX {
            return Err(ImageError::Foreign { path: path.into(), why: "is longer than 256 MiB".into() });
        }
        Self::parse(path, bytes.into())
    }

    fn parse(path: &Path, bytes: Arc<[u8]>) -> Result<Self, ImageError> {
        let foreign = |why: String| ImageError::Foreign { path: path.into(), why };
        match FileKind::parse(&*bytes) {
            Ok(FileKind::Elf32) => {}
            Ok(FileKind::Elf64) => return Err(foreign("has 64 bits, as programs of a PC have".into())),
            Ok(other) => return Err(foreign(format!("is of another sort ({other:?})"))),
            Err(_) => return Err(foreign("has another beginning".into())),
        }
        let damaged = |error: object::Error| foreign(format!("is damaged ({error})"));
        let elf: ElfFile32<'_, Endianness> = ElfFile32::parse(&*bytes).map_err(damaged)?;
        let header: &FileHeader32<Endianness> = elf.elf_header();
        let machine = header.e_machine(elf.endian());
        if machine != EM_ARM || elf.endian() != Endianness::Little {
            return Err(foreign(format!("is for another processor (ELF machine {machine})")));
        }
        let named = |prefix| {
            let rest = |name: &str| name.strip_prefix(prefix).map(|rest| rest.replace('_', "-"));
            elf.symbols().find_map(|symbol| rest(symbol.name().ok()?))
        };
        let (board, deaf) = (named(BOARD_SYMBOL), named(PROGRAM_SYMBOL));
        let has_witness = elf.segments().any(|segment| {
            let data = segment.data().unwrap_or_default();
            data.windows(WITNESS_WORDS.len()).any(|words| words == WITNESS_WORDS)
        });
        let has_log =
            elf.sections().any(|section| section.name().is_ok_and(|name| name.starts_with(".defmt")));
        Ok(Self { path: path.into(), bytes: Arc::clone(&bytes), board, deaf, has_witness, has_log })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of it.
    #[must_use]
    pub const fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// QEMU's name for the board that it runs on: the one it was built for, or, where it does not say, the one asked
    /// for.
    ///
    /// # Errors
    /// It was built for another board, or for one that QEMU does not play; or it is a relay.
    pub fn machine(&self, asked: Option<&str>) -> Result<String, ImageError> {
        let path = self.path.clone();
        if self.deaf.as_deref() == Some("relay") {
            return Err(ImageError::Relay { path });
        }
        let Some(board) = &self.board else {
            return asked.map(str::to_owned).ok_or(ImageError::Unnamed { path });
        };
        let own = MACHINES.iter().find(|(name, _)| name == board).map(|(_, machine)| *machine);
        match (own, asked) {
            (Some(own), Some(asked)) if own != asked => {
                Err(ImageError::OtherBoard { path, board: board.clone(), machine: asked.to_owned() })
            }
            (Some(own), _) => Ok(own.to_owned()),
            (None, _) => Err(ImageError::UnknownBoard { path, board: board.clone() }),
        }
    }
}

fn boards() -> String {
    MACHINES.map(|(board, _)| board).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER_LEN: usize = 52;

    /// An ELF header and nothing behind it.
    fn header(class: u8, order: u8, machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order, 1]);
        let number = |value: u16| if order == 1 { value.to_le_bytes() } else { value.to_be_bytes() };
        bytes[16..18].copy_from_slice(&number(2));
        bytes[18..20].copy_from_slice(&number(machine));
        bytes[40..42].copy_from_slice(&number(52));
        bytes
    }

    fn parsed(bytes: Vec<u8>) -> Result<Image, String> {
        Image::parse(Path::new("image"), bytes.into()).map_err(|error| error.to_string())
    }

    fn image(board: Option<&str>) -> Image {
        let board = board.map(str::to_owned);
        Image {
            path: "image".into(),
            bytes: [].into(),
            board,
            deaf: None,
            has_witness: false,
            has_log: false,
        }
    }

    #[test]
    fn what_is_no_image_is_told_with_what_it_is() {
        for (bytes, words) in [
            (Vec::new(), "has another beginning"),
            (b"[package]\nname = \"node\"\n".to_vec(), "has another beginning"),
            (header(2, 1, 62), "has 64 bits"),
            (header(1, 1, 243), "another processor (ELF machine 243)"),
            (header(1, 2, 40), "another processor"),
        ] {
            let refused = parsed(bytes).map(|_| ());
            assert!(refused.as_ref().is_err_and(|why| why.contains(words)), "{words}: {refused:?}");
            assert!(refused.is_err_and(|why| why.contains("cargo qemu node")));
        }
        let plain = parsed(header(1, 1, 40)).expect("it is an image, if an empty one");
        assert!(plain.board.is_none() && !plain.has_witness && !plain.has_log);
        let missing = Image::read(Path::new("no-such-image")).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(
            missing,
            Err("there is no image `no-such-image`: `cargo qemu node` builds one and runs it".into())
        );
        let folder = Image::read(Path::new(".")).map(|_| ()).map_err(|error| error.to_string());
        assert!(folder.is_err_and(|why| why.contains("is a folder; `cargo qemu node` builds one")));
    }

    #[test]
    fn an_image_runs_on_its_own_board_alone() {
        let machine = |board, asked| image(board).machine(asked).map_err(|error| error.to_string());
        assert_eq!(machine(Some("qemu-mps2-an386"), None), Ok("mps2-an386".into()));
        assert_eq!(machine(Some("qemu-mps2-an385"), Some("mps2-an385")), Ok("mps2-an385".into()));
        assert_eq!(machine(Some("qemu-mps2-an505"), None), Ok("mps2-an505".into()));
        assert_eq!(machine(None, Some("lm3s6965evb")), Ok("lm3s6965evb".into()));
        let refused = machine(Some("qemu-mps2-an385"), Some("mps2-an386"));
        assert!(
            refused
                .is_err_and(|why| why.contains("board qemu-mps2-an385, and --machine asks for mps2-an386"))
        );
        let refused = machine(Some("nrf52840-dk"), None);
        assert!(
            refused.is_err_and(|why| why.contains("nrf52840-dk") && why.contains("allowed: qemu-mps2-an386"))
        );
        assert!(machine(None, None).is_err_and(|why| why.contains("--machine")));
        let relay = Image { deaf: Some("relay".into()), ..image(Some("qemu-mps2-an386")) };
        assert!(matches!(relay.machine(None), Err(ImageError::Relay { .. })));
    }
}
