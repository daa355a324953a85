//! Somebody who sees each packet that a gateway is handed, beside what it tells.

use alertbus::role::gateway::GatewayEvent;

use super::gateway::Gateway;

/// Looks on while a gateway runs. It is called in the midst of the gateway's work and must not wait.
pub trait Onlooker: Send {
    /// A packet has come by a connection, and this is what it was. No two connections of a run have one number.
    fn heard(&mut self, connection: u64, packet: &[u8], event: &GatewayEvent);

    /// A connection is over, and everything that came by it has been heard.
    fn closed(&mut self, connection: u64);
}

impl Gateway {
    /// Has somebody look on.
    #[must_use]
    pub fn with_onlooker(mut self, onlooker: impl Onlooker + 'static) -> Self {
        self.onlooker = Some(Box::new(onlooker));
        self
    }
}
