//! What a board was provisioned with: the blob that stands at the start of its flash.

use alertbus::limits::BLOB_LEN;
use alertbus::provision::{Blob, BlobError};
use alertbus::store::{LayoutError, StoreError};
use embedded_storage::nor_flash::ReadNorFlash;

/// Why a station does not start. It sends nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StartError {
    /// The flash cannot be read.
    Flash,
    /// What stands in its first page is no blob.
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
                "it is not provisioned: flash its blob into the first page"
            }
            Self::Unprovisioned(_) => {
                "its first page holds no sound blob: make a new one, and flash it there"
            }
            Self::Layout(_) => "the store does not fit on its flash",
        }
    }
}

/// The blob in the first page of `flash`.
pub(crate) fn read_blob<F: ReadNorFlash>(flash: &mut F) -> Result<Blob, StartError> {
    let mut bytes = [0; BLOB_LEN];
    flash.read(0, &mut bytes).map_err(|_| StartError::Flash)?;
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
