//! What options take beside words: numbers, patterns and names, each refused with what is allowed, and the words
//! for what they leave.

use std::ffi::OsStr;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use glob::Pattern;

use crate::route::Seeds;
use crate::scenario::Scenario;

/// Reads a whole number; `what` names it with its unit for whoever wrote something else.
pub(super) fn number<T>(
    what: &'static str,
    allowed: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let refuse = || format!("{what}; allowed: {} to {}", allowed.start(), allowed.end());
        text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(refuse)
    }
}

/// Reads a seed.
///
/// # Errors
/// Says what is allowed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    number("a seed is a whole number", 0..=u64::MAX)(text)
}

/// Reads seeds.
///
/// # Errors
/// Says what is allowed.
pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    text.parse()
        .map_err(|why| format!("seeds are whole numbers{why}; allowed: `7`, or a range such as `1..=200`"))
}

/// Reads a pattern that names of tests are held against.
///
/// # Errors
/// It is empty, or says where it is wrong.
pub(super) fn test_pattern(text: &str) -> Result<Pattern, String> {
    let allowed = "allowed: a name of a test, or a pattern with `*`";
    if text.is_empty() {
        return Err(format!("an empty pattern fits nothing; {allowed}"));
    }
    Pattern::new(text).map_err(|error| format!("{error}; {allowed}"))
}

/// Reads whether something is wanted, as environments say it.
///
/// # Errors
/// Says what is allowed.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "y" | "yes" | "t" | "true" | "on" => Ok(true),
        "" | "0" | "n" | "no" | "f" | "false" | "off" => Ok(false),
        _ => Err("it is on or off; allowed: 1, yes, true, on, 0, no, false, off".into()),
    }
}

/// Reads a pattern that ids, sites and kinds are held against.
///
/// # Errors
/// It is empty, or says where it is wrong.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    let allowed = "allowed: a pattern of ids, sites or kinds, for example `camp-*`";
    if text.is_empty() {
        return Err(format!("an empty pattern fits nothing; {allowed}"));
    }
    Pattern::new(text).map_err(|error| format!("{error}; {allowed}"))
}

/// Reads the name of a scenario or of its file.
///
/// # Errors
/// It is empty.
pub(super) fn scenario(text: &str) -> Result<String, String> {
    if text.is_empty() {
        let names: Vec<_> = Scenario::embedded_names().collect();
        return Err(format!(
            "a scenario has a name; allowed: a file, or carried by the program: {}",
            names.join(", ")
        ));
    }
    Ok(text.to_owned())
}

/// What an option or argument that takes a scenario says of itself.
pub(super) fn scenario_help() -> String {
    let names: Vec<_> = Scenario::embedded_names().collect();
    format!("A file, or a scenario that the program carries: {}", names.join(", "))
}

/// Reads as [`scenario`] does, and lets shells complete the names that the program carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScenarioName;

impl TypedValueParser for ScenarioName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().try_map(|text| scenario(&text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Scenario::embedded_names().map(PossibleValue::new)))
    }
}

/// Says that nothing is left to play or to show, and which of the options given left nothing.
pub(super) fn none_left(to: &str, scenario: &str, whole: usize, options: &[String]) -> String {
    if whole == 0 {
        return "the scenario has no incident".into();
    }
    let (last, others) = match options.split_last() {
        Some((last, others)) => (last.as_str(), others.join(", ")),
        None => ("the options", String::new()),
    };
    let (names, leave) = if others.is_empty() {
        (last.to_owned(), "leaves")
    } else {
        (format!("{others} and {last}"), "together leave")
    };
    format!("no incident is left to {to}: {names} {leave} none; `host-sim incidents {scenario}` lists all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_blamed() {
        let options = ["`--from 2020-01-01`", "`--only a`"].map(String::from);
        assert_eq!(none_left("play", "flood", 0, &options), "the scenario has no incident");
        assert_eq!(
            none_left("play", "flood", 3, &options[1..]),
            "no incident is left to play: `--only a` leaves none; `host-sim incidents flood` lists all"
        );
        assert!(
            none_left("show", "flood", 3, &options)
                .contains("`--from 2020-01-01` and `--only a` together leave none;")
        );
    }

    #[test]
    fn what_is_empty_or_negative_is_refused() {
        assert_eq!(["1", "yes", "True", "on"].map(truth), [const { Ok(true) }; 4]);
        assert_eq!(["0", "No", "false", ""].map(truth), [const { Ok(false) }; 4]);
        assert!(truth("maybe").is_err_and(|error| error.contains("allowed: 1, yes")));
        assert!(pattern("").is_err() && pattern("[").is_err() && pattern("camp-*").is_ok());
        assert!(scenario("").is_err_and(|error| error.contains("iraq-2019-2020")));
        assert_eq!((seed("7"), seed("18446744073709551615")), (Ok(7), Ok(u64::MAX)));
        assert!(seed("-3").is_err_and(|error| error.contains("allowed: 0 to")));
        let seconds = number("a whole number of seconds", 1..=60_u32);
        assert_eq!((seconds("1"), seconds("60")), (Ok(1), Ok(60)));
        for text in ["0", "61", "1.5", "1s", "", "-1", "99999999999999999999"] {
            assert_eq!(seconds(text), Err("a whole number of seconds; allowed: 1 to 60".into()), "{text}");
        }
    }
}
