//! Closed lists of words, each with its bits on the wire and its name in files.

/// Declares an enumeration whose every bit pattern has a meaning: numbers that this build does not know read as
/// the word named behind `else`, so that a newer sender never makes an alert unreadable.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $bits:literal bits {
        $($(#[$word_doc:meta])* $word:ident = $number:literal $text:literal),+ $(,)?
    } else $fallback:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum $name { $($(#[$word_doc])* $word = $number),+ }

        impl $name {
            /// Bits on the wire.
            pub const BITS: u32 = $bits;
            /// Every word, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The number on the wire.
            #[must_use]
            pub const fn bits(self) -> u8 {
                match self { $(Self::$word => $number),+ }
            }

            /// From the number on the wire; a number not in the list reads as the word for "unknown".
            #[must_use]
            pub const fn from_bits(bits: u8) -> Self {
                match bits { $($number => Self::$word,)+ _ => Self::$fallback }
            }

            /// The word in files and on screens, kebab-case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }

            /// The word of this name, or none.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }

        // Every number fits its field.
        $(const _: () = assert!($number < 1 << $bits);)+
    };
}

pub(crate) use words;
