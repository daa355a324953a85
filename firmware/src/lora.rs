//! A LoRa radio in the place of the UART: another link of the same node.
//!
//! What makes a link is its [`Link`], which tells the node how long a packet may be, how long its tag is, and how much
//! air time there is; and something that carries packets. A radio carries each as it is: its own preamble and length
//! stand for the frame that a stream needs. The gateway's end is a radio head that frames what it hears.
//!
//! Whoever wants yet another link writes a file like this one. On the board it takes an SPI bus and four pins:
//!
//! ```text
//! let chip = Sx126x::new(spi, GenericSx126xInterfaceVariant::new(reset, dio1, busy, None, None)?, config);
//! let mut radio = Radio::new(LoRa::new(chip, false, Delay).await?, 868_100_000)?;
//! loop {
//!     radio.send_due(board::now(), &mut node).await?;
//!     let due = node.poll_timeout().unwrap_or_else(|| board::now().after(PATIENCE));
//!     select(radio.hear(board::now, &mut node), at(due)).await;
//!     node.handle_timeout(board::now());
//! }
//! ```

use core::fmt;

use alertbus::limits::{PACKET_LEN_MAX, PACKET_LEN_MAX_RADIO};
use alertbus::role::node::Node;
use alertbus::store::Store;
use alertbus::time::Instant;
use alertbus::wire::link::Link;
use lora_phy::mod_params::{
    Bandwidth, CodingRate, ModulationParams, PacketParams, RadioError, SpreadingFactor,
};
use lora_phy::mod_traits::RadioKind;
use lora_phy::{DelayNs, LoRa, RxMode};

/// Symbols before each packet: what the formula of [`Link::small_radio`] counts with.
const PREAMBLE_SYMBOLS: u16 = 8;

/// 14 dBm, as much as EN 300 220 lets a sender have on 868.0–868.6 MHz.
const POWER_DBM: i32 = 14;

/// A radio, set to what [`Link::small_radio`] says of it.
pub struct Radio<K: RadioKind, D: DelayNs> {
    radio: LoRa<K, D>,
    link: Link,
    modulation: ModulationParams,
    sending: PacketParams,
    hearing: PacketParams,
}

impl<K: RadioKind, D: DelayNs> Radio<K, D> {
    /// Takes the chip: SF7, 125 kHz, coding rate 4/5, on a channel of `frequency_hz`. It is the node's link number 0.
    ///
    /// # Errors
    /// The chip cannot do that.
    pub fn new(mut radio: LoRa<K, D>, frequency_hz: u32) -> Result<Self, RadioError> {
        let (factor, rate) = (SpreadingFactor::_7, CodingRate::_4_5);
        let modulation = radio.create_modulation_params(factor, Bandwidth::_125KHz, rate, frequency_hz)?;
        let sending = radio.create_tx_packet_params(PREAMBLE_SYMBOLS, false, true, false, &modulation)?;
        let len_max = u8::try_from(PACKET_LEN_MAX_RADIO).unwrap_or(u8::MAX);
        let hearing =
            radio.create_rx_packet_params(PREAMBLE_SYMBOLS, false, len_max, true, false, &modulation)?;
        Ok(Self { radio, link: Link::small_radio(0), modulation, sending, hearing })
    }

    /// Sends what the node has for this link, one packet after another, as far as there is air time.
    ///
    /// # Errors
    /// The chip failed. The node does not know, and sends again what nobody acknowledges.
    pub async fn send_due<S: Store, const N: usize>(
        &mut self,
        now: Instant,
        node: &mut Node<S, N>,
    ) -> Result<(), RadioError> {
        let mut packet = [0; PACKET_LEN_MAX];
        while let Some(packet) = node.poll_transmit(now, &self.link, &mut packet) {
            let (modulation, sending) = (&self.modulation, &mut self.sending);
            self.radio.prepare_for_tx(modulation, sending, POWER_DBM, packet).await?;
            self.radio.tx().await?;
        }
        Ok(())
    }

    /// Listens for one packet, and hands it to the node. It may be dropped while it waits; a packet that is in the air
    /// then is lost, and its sender sends it again.
    ///
    /// # Errors
    /// The chip failed, or heard something that was damaged.
    pub async fn hear<S: Store, const N: usize>(
        &mut self,
        clock: impl Fn() -> Instant,
        node: &mut Node<S, N>,
    ) -> Result<(), RadioError> {
        let mut packet = [0; PACKET_LEN_MAX_RADIO];
        self.radio.prepare_for_rx(RxMode::Continuous, &self.modulation, &self.hearing).await?;
        let (len, _) = self.radio.rx(&self.hearing, &mut packet).await?;
        let heard = packet.get(..usize::from(len)).unwrap_or_default();
        // What is for others, or forged, is no fault of the radio's, and the node has counted it.
        let _ = node.handle_packet(clock(), &self.link, heard);
        Ok(())
    }
}

impl<K: RadioKind, D: DelayNs> fmt::Debug for Radio<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Radio").field("link", &self.link).finish_non_exhaustive()
    }
}
