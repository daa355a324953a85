//! How fast a replay plays.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How many seconds of the run pass in a second of wall time.
///
/// ```
/// use host_sim::replay::Speed;
/// assert_eq!("600x".parse::<Speed>().map(|speed| speed.to_string()), Ok("600x".into()));
/// assert!("0".parse::<Speed>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As fast as the machine can.
    Max,
    /// That many thousandths of real time, 1 … 1,000,000,000.
    Times {
        /// Thousandths.
        thousandths: u32,
    },
}

/// A text that is no speed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a speed: allowed are `max` and 0.001x to 1000000x, for example `1x` or `600x`")]
pub struct NotASpeed(String);

const THOUSANDTHS_MAX: u64 = 1_000_000_000;

impl Speed {
    /// Wall time in which `run_ms` milliseconds of the run pass; none at full speed.
    #[must_use]
    pub fn wall(self, run_ms: u64) -> Option<Duration> {
        match self {
            Self::Max => None,
            Self::Times { thousandths } => {
                let nanos = u128::from(run_ms) * 1_000_000_000 / u128::from(thousandths.max(1));
                Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
            }
        }
    }
}

impl FromStr for Speed {
    type Err = NotASpeed;

    fn from_str(text: &str) -> Result<Self, NotASpeed> {
        let refuse = || NotASpeed(text.to_owned());
        if text == "max" {
            return Ok(Self::Max);
        }
        let factor = text.strip_suffix(['x', '×']).unwrap_or(text);
        let (whole, decimals) = factor.split_once('.').unwrap_or((factor, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 7 || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
            return Err(refuse());
        }
        let thousandths: u64 = format!("{whole}{decimals:0<3}").parse().map_err(|_| refuse())?;
        match u32::try_from(thousandths) {
            Ok(thousandths @ 1..) if u64::from(thousandths) <= THOUSANDTHS_MAX => {
                Ok(Self::Times { thousandths })
            }
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times { thousandths } if thousandths % 1_000 == 0 => write!(f, "{}x", thousandths / 1_000),
            Self::Times { thousandths } => write!(f, "{}.{:03}x", thousandths / 1_000, thousandths % 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_what_is_none() {
        for (text, shown) in
            [("max", "max"), ("1x", "1x"), ("2", "2x"), ("0.5x", "0.500x"), ("1000000x", "1000000x")]
        {
            assert_eq!(text.parse::<Speed>().map(|speed| speed.to_string()), Ok(shown.into()));
        }
        for text in [
            "0", "0x", "-1x", "1000001x", "99999999", "x", "", "fast", "1.2345x", "1e3", "NaN", "+1x", "1.-1",
        ] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }

    #[test]
    fn wall_time_of_run_time() {
        let wall = |text: &str, run_ms| text.parse::<Speed>().map(|speed| speed.wall(run_ms));
        assert_eq!(wall("max", 1), Ok(None));
        assert_eq!(wall("600x", 600_000), Ok(Some(Duration::from_secs(1))));
        assert_eq!(wall("0.001x", 1), Ok(Some(Duration::from_secs(1))));
        assert!(wall("0.001x", u64::MAX).is_ok());
    }
}
