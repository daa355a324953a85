//! Fields as they stand on the command line. What is asked for is noted, so that what may be written is exactly
//! what is read: for the help, and for whoever wrote something else.

use std::ops::RangeInclusive;

use alertbus::Body;
use anyhow::bail;

use super::alert;
use crate::document::{near_miss, quoted};
use crate::scenario::{Decimal, Words};

/// `FIELD=VALUE` pairs, and the names asked for so far.
#[derive(Debug, Default)]
pub(in crate::cli) struct Fields {
    given: Vec<(String, String)>,
    known: Vec<(&'static str, String)>,
}

impl Fields {
    /// Splits every pair at its first `=`.
    ///
    /// # Errors
    /// One without `=`, or two of one name.
    pub(in crate::cli) fn parse(pairs: &[String]) -> anyhow::Result<Self> {
        let mut fields = Self::default();
        for pair in pairs {
            let Some((name, value)) = pair.split_once('=') else {
                bail!(
                    "{} has no `=`; fields are written FIELD=VALUE, for example weapon=rocket",
                    quoted(pair)
                );
            };
            if fields.value(name).is_some() {
                bail!("{} is given twice; allowed: each field once", quoted(name));
            }
            fields.given.push((name.to_owned(), value.to_owned()));
        }
        Ok(fields)
    }

    /// Says which field is none of those asked for.
    ///
    /// # Errors
    /// There is one.
    pub(in crate::cli) fn finish(&self, kind: &str) -> anyhow::Result<()> {
        let known: Vec<_> = self.known.iter().map(|(name, _)| *name).collect();
        match self.given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, value)) => {
                let allowed = one_of(name, &known);
                bail!("{kind} has no field {} (value {}); {allowed}", quoted(name), quoted(value))
            }
        }
    }

    /// Whether the field is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// One of core's words.
    pub(super) fn word<T: Words>(&mut self, name: &'static str, otherwise: T) -> anyhow::Result<T> {
        let words: Vec<_> = T::all().iter().map(|word| (*word, word.name())).collect();
        self.choice(name, &words, otherwise)
    }

    /// One of these words.
    pub(in crate::cli) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(T, &'static str)],
        otherwise: T,
    ) -> anyhow::Result<T> {
        let names: Vec<_> = words.iter().map(|(_, name)| *name).collect();
        let Some(value) = self.ask(name, names.join("|")) else { return Ok(otherwise) };
        match words.iter().find(|(_, name)| *name == value) {
            Some((word, _)) => Ok(*word),
            None => bail!("`{name}` is {}; {}", quoted(&value), one_of(&value, &names)),
        }
    }

    /// A whole number within a range.
    pub(in crate::cli) fn number<N: TryFrom<u64>>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> anyhow::Result<Option<N>> {
        let (least, most) = (*range.start(), *range.end());
        let Some(value) = self.ask(name, format!("{least}..{most}")) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| range.contains(number));
        match number.and_then(|number| N::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => bail!("`{name}` is {}; allowed: a whole number, {least} to {most}", quoted(&value)),
        }
    }

    /// A decimal number within a range; result and range are in units of the last digit.
    pub(super) fn decimal<const DIGITS: usize>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i32>,
    ) -> anyhow::Result<Option<i32>> {
        let (least, most) =
            (Decimal::<DIGITS>(*range.start()).to_f64(), Decimal::<DIGITS>(*range.end()).to_f64());
        let Some(value) = self.ask(name, format!("{least}..{most}")) else { return Ok(None) };
        match serde_json::from_str::<Decimal<DIGITS>>(&value) {
            Ok(Decimal(number)) if range.contains(&number) => Ok(Some(number)),
            _ => bail!("`{name}` is {}; allowed: a number, {least} to {most}", quoted(&value)),
        }
    }

    /// A value as it was written, noted as `allowed` for the help.
    pub(super) fn ask(&mut self, name: &'static str, allowed: impl Into<String>) -> Option<String> {
        self.known.push((name, allowed.into()));
        self.value(name).map(String::from)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// What is allowed, and the one that was probably meant.
pub(in crate::cli) fn one_of(word: &str, names: &[&str]) -> String {
    let near = near_miss(word, names.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    format!("{meant}allowed: {}", names.join(", "))
}

/// All fields with what may stand in them, first those of every kind.
pub(in crate::cli) fn help() -> String {
    let listing = |fields: &Fields| -> String {
        fields.known.iter().map(|(name, allowed)| format!("  {name}={allowed}\n")).collect()
    };
    let mut fields = Fields::default();
    let mut help = String::new();
    if alert::common(&mut fields).is_ok() {
        help = format!("Fields of every kind:\n{}", listing(&fields));
    }
    for kind in Body::NAMES {
        let mut fields = Fields::default();
        if alert::body(kind, &mut fields).is_ok() {
            help.push_str(&format!("\nFields of {kind}:\n{}", listing(&fields)));
        }
    }
    help.push_str(
        "\nWithout clock-quality, a time is known to the second. The largest count stands for that many or more.\n\
         A place needs latitude, longitude and accuracy-km; an accuracy is rounded up to 5 m, 10 m, 20 m, …\n\
         Sites are numbers, or names of sites in the scenario iraq-2019-2020.",
    );
    help
}
