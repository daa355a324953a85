//! The file of the master key: four lines that a person can copy from paper, with a check that finds a slip.

use std::fmt::Write as _;
use std::path::Path;

use alertbus::wire::keys::{KEY_LEN, MasterKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeyringError, private};

/// Its name in a key directory.
pub const MASTER_FILE: &str = "master.key";

/// Its first line begins so, whichever version it is.
pub const MASTER_TITLE: &str = "alertbus master key";
const TITLE: &str = "alertbus master key, version 1";
/// The file has 100 bytes; the rest is for spaces.
const LEN_MAX: usize = 1_024;
const RESTORE: &str = "restore it from a copy";
const IF_MISSING: &str = "restore it from a copy; where `keys new` was broken off and nothing is provisioned, remove the directory and begin \
     again";

/// A network's master key as its file holds it.
pub(super) struct Master {
    pub(super) network: u32,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl Master {
    /// A new key from `random`, which is to be the operating system's generator.
    pub(super) fn generate(
        network: u32,
        random: impl FnOnce(&mut [u8]) -> Result<(), String>,
    ) -> Result<Self, KeyringError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        random(key.as_mut_slice()).map_err(|why| KeyringError::NoRandom { why })?;
        Ok(Self { network, key })
    }

    pub(super) fn read(path: &Path) -> Result<Self, KeyringError> {
        let bytes = private::read(path, LEN_MAX, IF_MISSING)?;
        Self::parse(&bytes).map_err(|why| KeyringError::invalid(path, format!("{why}; {RESTORE}")))
    }

    /// Messages say what is wrong and never what stands there.
    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(bytes).map_err(|_| "is no text")?;
        if text.is_empty() {
            return Err("is empty");
        }
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err("does not begin as the file of a master key does");
        }
        let mut field = |name: &str| {
            let line = lines.next().ok_or("is cut off: a line is missing")?;
            line.strip_prefix(name).map(str::trim).ok_or("has a line that does not belong there")
        };
        let network = field("network ")?.parse().map_err(|_| "names no network")?;
        let key = digits(field("key ")?)
            .ok_or("has no key of 32 hex digits: it is cut off, or a digit is missing")?;
        let check = digits::<4>(field("check ")?).ok_or("is cut off: its check has no 8 hex digits")?;
        if lines.next().is_some() {
            return Err("goes on behind its end");
        }
        let read = Self { network, key };
        if read.hash::<4>("file") != *check {
            return Err("has a check that does not fit: a digit is wrong or missing");
        }
        Ok(read)
    }

    /// The whole file.
    pub(super) fn text(&self) -> Zeroizing<String> {
        // All the room at once: a string that grows leaves copies of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(LEN_MAX));
        let _ = write!(text, "{TITLE}\nnetwork  {}\nkey     ", self.network);
        for (at, byte) in self.key.iter().enumerate() {
            let _ = write!(text, "{}{byte:02x}", if at % 4 == 0 { " " } else { "" });
        }
        let _ = writeln!(text, "\ncheck    {:08x}", u32::from_be_bytes(self.hash("file")));
        text
    }

    pub(super) fn key(&self) -> MasterKey {
        MasterKey::from_bytes(*self.key)
    }

    /// A name for the key that tells nothing of it: 128 random bits are not found from a hash of them.
    pub(super) fn fingerprint(&self) -> String {
        let words: [u8; 8] = self.hash("fingerprint");
        let words: Vec<_> = words.chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
        words.join("-")
    }

    fn hash<const N: usize>(&self, purpose: &str) -> [u8; N] {
        let mut hash = Sha256::new();
        hash.update(format!("alertbus master key {purpose} v1\0"));
        hash.update(self.network.to_be_bytes());
        hash.update(*self.key);
        let whole = hash.finalize();
        std::array::from_fn(|at| whole[at])
    }
}

/// Exactly `N` bytes in hex, with or without spaces between them.
fn digits<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let mut count = 0;
    for digit in text.chars().filter(|character| *character != ' ') {
        let value = u8::try_from(digit.to_digit(16)?).ok()?;
        let byte = bytes.get_mut(count / 2)?;
        *byte = *byte << 4 | value;
        count += 1;
    }
    (count == 2 * N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn master() -> Master {
        let count = |key: &mut [u8]| {
            key.iter_mut().zip(0xa0..).for_each(|(byte, number)| *byte = number);
            Ok(())
        };
        Master::generate(7, count).unwrap()
    }

    fn refused(text: &str) -> &'static str {
        Master::parse(text.as_bytes()).map(|_| "a key").unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        let text = master().text();
        let check = text.lines().last().unwrap();
        assert_eq!(
            *text,
            format!("{TITLE}\nnetwork  7\nkey      a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf\n{check}\n")
        );
        let read = Master::parse(text.as_bytes()).unwrap();
        assert_eq!((read.network, &read.key), (7, &master().key));
        assert_eq!(read.fingerprint(), master().fingerprint());
    }

    /// Nothing that is cut off anywhere passes, but for the line's end.
    #[test]
    fn a_file_that_is_cut_off_is_no_key() {
        let text = master().text();
        for len in 0..text.len() - 1 {
            assert_ne!(refused(&text[..len]), "a key", "{len}");
        }
        assert!(Master::parse(text.trim_end().as_bytes()).is_ok());
    }

    /// Each digit of network, key and check for another one.
    #[test]
    fn a_slip_of_the_pen_is_found() {
        let text = master().text();
        let begins = text.find("network").unwrap() + "network".len();
        let mut slips = 0;
        for (at, digit) in text.char_indices().filter(|(at, digit)| *at > begins && digit.is_ascii_hexdigit())
        {
            if text[at..].starts_with("ey ") || text[at..].starts_with("c") && text[..at].ends_with('\n') {
                continue;
            }
            let other = if digit == '0' { "1" } else { "0" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(Master::parse(changed.as_bytes()).is_err(), "{changed}");
            slips += 1;
        }
        assert!(slips >= 1 + 32 + 8, "{slips}");
    }

    #[test]
    fn a_key_of_another_network_has_another_fingerprint() {
        let other = Master { network: 8, key: master().key };
        assert_ne!(other.fingerprint(), master().fingerprint());
        assert!(!master().fingerprint().contains("a0a1"));
    }

    #[test]
    fn without_random_numbers_there_is_no_key() {
        let error = Master::generate(7, |_| Err("no entropy".into())).map(|_| "a key").unwrap_err();
        assert!(
            error.to_string().contains("gives no random numbers (no entropy): no key was made"),
            "{error}"
        );
    }
}
