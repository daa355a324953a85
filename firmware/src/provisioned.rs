//! What a board was provisioned with: the blob in its own page of the flash.

use alertbus::limits::BLOB_LEN;
use alertbus::provision::{Blob, BlobError};
use alertbus::store::{Layout, LayoutError, StoreError};
use embedded_storage::nor_flash::ReadNorFlash;

use crate::board;

/// Why a station does not start. It sends nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StartError {
    /// The flash cannot be read.
    Flash,
    /// What stands in the page of its blob is none.
    Unprovisioned(BlobError),
    /// The store does not fit where it is to lie.
    Layout(LayoutError),
}

impl StartError {
    /// What a person does about it, in words that need no formatting.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Flash => "its flash cannot be read",
            Self::Unprovisioned(BlobError::Erased) => {
                "it is not provisioned: flash its blob into its own page"
            }
            Self::Unprovisioned(_) => {
                "the page of its blob holds no sound one: make a new one, and flash it there"
            }
            Self::Layout(_) => "the store does not fit on its flash",
        }
    }
}

/// The blob in `flash`, in whose page `store` has its mark, behind it.
pub(crate) fn read_blob<F: ReadNorFlash>(flash: &mut F, store: &Layout) -> Result<Blob, StartError> {
    let mut bytes = [0; BLOB_LEN];
    let blob = store.used.saturating_sub(board::USED);
    flash.read(blob, &mut bytes).map_err(|_| StartError::Flash)?;
    Blob::decode(&bytes).map_err(StartError::Unprovisioned)
}

/// Why a station whose store says so will never send anything, and what a person does about it.
pub(crate) const fn silence(why: StoreError) -> &'static str {
    match why {
        StoreError::CounterLost => {
            "its counters are lost: provision it anew, with a new epoch, and flash the blob"
        }
        _ => "its flash fails: change the board, and provision the new one",
    }
}
