//! Hex as people paste it: with spaces, colons, 0x, in either case, and with mistakes that have a position.

use std::fmt;

/// Bytes read from hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Hex {
    /// The whole bytes.
    pub(in crate::cli) bytes: Vec<u8>,
    /// The last digit, where its other half is missing.
    pub(in crate::cli) half: Option<char>,
}

/// Why a text is no hex at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum NotHex {
    /// It has no digit.
    Nothing,
    /// Something else stands in it.
    Character {
        /// Where, in characters, counted from 1.
        position: usize,
        /// What.
        found: char,
    },
}

/// Reads `text`. An odd number of digits is not refused: what stands before the last one can be looked at.
pub(in crate::cli) fn parse(text: &str) -> Result<Hex, NotHex> {
    let (mut bytes, mut half) = (Vec::with_capacity(text.len() / 2), None::<char>);
    let mut begins = true;
    let mut characters = (1..).zip(text.chars()).peekable();
    while let Some((position, found)) = characters.next() {
        if found.is_whitespace() || found == ':' {
            begins = true;
            continue;
        }
        let next = characters.peek().map(|(_, next)| *next);
        if begins && half.is_none() && found == '0' && matches!(next, Some('x' | 'X')) {
            characters.next();
            begins = false;
            continue;
        }
        begins = false;
        let digit = nibble(found).ok_or(NotHex::Character { position, found })?;
        match half.take() {
            None => half = Some(found),
            Some(first) => bytes.push(nibble(first).unwrap_or(0) << 4 | digit),
        }
    }
    if bytes.is_empty() && half.is_none() { Err(NotHex::Nothing) } else { Ok(Hex { bytes, half }) }
}

/// Lower-case digits without anything between them.
pub(in crate::cli) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number of bytes, in words.
pub(super) fn count(bytes: usize) -> String {
    if bytes == 1 { "1 byte".into() } else { format!("{bytes} bytes") }
}

/// Lower-case digits with a space between bytes.
pub(super) fn spaced(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

fn nibble(digit: char) -> Option<u8> {
    digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no hex digit in it")?,
            Self::Character { position, found } => {
                write!(f, "character {position} is `{}`", found.escape_debug())?;
            }
        }
        f.write_str("; allowed: 0 to 9, a to f, A to F, spaces, colons, and 0x in front")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hex_is_taken_as_it_is_pasted() {
        for text in ["4c0512", "4C 05 12", "0x4c0512", "4c:05:12", "0x4c 0X05\t0x12\n", " 4 c 0 5 1 2 "] {
            assert_eq!(parse(text), Ok(Hex { bytes: vec![0x4c, 5, 0x12], half: None }), "{text:?}");
        }
        assert_eq!(parse("4c0"), Ok(Hex { bytes: vec![0x4c], half: Some('0') }));
    }

    #[test]
    fn what_is_no_hex_has_a_position() {
        let at = |position, found| Err(NotHex::Character { position, found });
        assert_eq!(parse("4cg5"), at(3, 'g'));
        assert_eq!(parse("400x4c"), at(4, 'x'));
        assert_eq!(parse("0x4 0x5"), at(6, 'x'));
        assert_eq!(parse("é"), at(1, 'é'));
        for nothing in ["", " : ", "0x"] {
            assert_eq!(parse(nothing), Err(NotHex::Nothing));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text).map_err(|error| error.to_string());
        }

        #[test]
        fn what_is_written_is_read(bytes in prop::collection::vec(any::<u8>(), 1..80)) {
            let expected = Ok(Hex { bytes: bytes.clone(), half: None });
            prop_assert_eq!(parse(&text(&bytes)), expected.clone());
            prop_assert_eq!(parse(&spaced(&bytes)), expected);
        }
    }
}
