//! What a siren sounds and tells.

use crate::place::SiteId;
use crate::store::StoreError;
use crate::time::Duration;

/// What sounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sound {
    /// Nothing.
    #[default]
    Quiet,
    /// The test pattern: no one takes it for a warning.
    Test,
    /// A gateway has ended the last warning: the danger is over.
    AllClear,
    /// A warning.
    Warning {
        /// The zone warned.
        zone: SiteId,
        /// Number of the alert kind.
        kind: u8,
    },
}

/// What the caller should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SirenEvent {
    /// What sounds has changed.
    Sounds(Sound),
    /// A gateway asks the siren to show itself to the technician on the spot: a lamp, not the horn.
    Locate {
        /// How long.
        duration: Duration,
    },
    /// No gateway was heard for three and a half report intervals: nobody can warn through this siren. Show it.
    GatewaySilent,
    /// A gateway is heard again.
    GatewayReturned,
    /// The store failed. The siren sounds all the same; it may not know a cleared warning again after a reboot.
    StoreFailed(StoreError),
}
