//! The board that is chosen by its feature: one file each, and its memory map in `memory/`.

#[cfg(feature = "qemu-microbit")]
mod qemu_microbit;
#[cfg(any(feature = "qemu-mps2-an385", feature = "qemu-mps2-an386"))]
mod qemu_mps2_an386;
#[cfg(feature = "qemu-mps2-an505")]
mod qemu_mps2_an505;

/// An interrupt's entry in the vector table.
type Vector = unsafe extern "C" fn();

unsafe extern "C" {
    /// What answers an exception or interrupt for which there is no other handler.
    fn DefaultHandler();
}
