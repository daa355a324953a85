//! Bytes and peers, and nothing of what the bytes say. One file a scheme.
//!
//! A gateway takes connections with a [`Listener`], a node makes them with a [`Dialler`]; each [`Connection`] is a
//! stream of bytes both ways. A device that is there once, such as a serial line, is dialled on either side.

mod qemu;
mod serial;
mod tcp;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

pub use qemu::Socket;
pub use serial::Device;
pub use tcp::Host;

/// What addresses look like.
const ALLOWED: &str = "allowed: tcp://HOST:PORT such as tcp://127.0.0.1:7700, serial://DEVICE@BAUD such as \
                       serial:///dev/ttyACM0@115200, qemu://FILE such as qemu://uplink.sock";

/// The first wait before a peer is dialled again; each failure doubles it.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Where bytes come from and go to.
///
/// ```
/// use host_sim::transport::Address;
/// let address: Address = "serial:///dev/ttyACM0@115200".parse().unwrap();
/// assert_eq!(address.to_string(), "serial:///dev/ttyACM0@115200");
/// assert!("udp://127.0.0.1:7700".parse::<Address>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// `tcp://HOST:PORT`
    Tcp(Host),
    /// `serial://DEVICE@BAUD`
    Serial(Device),
    /// `qemu://FILE`
    Qemu(Socket),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {why}; {ALLOWED}")]
pub struct NotAnAddress {
    text: String,
    why: &'static str,
}

impl Address {
    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(host) => host.is_loopback(),
            Self::Serial(_) | Self::Qemu(_) => true,
        }
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let refuse = |why| NotAnAddress { text: text.to_owned(), why };
        match text.split_once("://") {
            Some(("tcp", rest)) => Host::parse(rest).map(Self::Tcp).map_err(refuse),
            Some(("serial", rest)) => Device::parse(rest).map(Self::Serial).map_err(refuse),
            Some(("qemu", rest)) => Socket::parse(rest).map(Self::Qemu).map_err(refuse),
            Some(_) => Err(refuse("has a scheme that is not known")),
            None => Err(refuse("has no scheme")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Serial(device) => write!(f, "serial://{device}"),
            Self::Qemu(socket) => write!(f, "qemu://{socket}"),
        }
    }
}

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Somebody at the other end.
pub struct Connection {
    /// Who, for messages.
    pub peer: String,
    /// What they say and hear.
    pub stream: Box<dyn Stream>,
    /// A device is opened again only when nobody holds it any more.
    held: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(peer: String, stream: impl Stream + 'static) -> Self {
        Self { peer, stream: Box::new(stream), held: None }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({}, held: {})", self.peer, self.held.is_some())
    }
}

/// Takes connections.
pub enum Listener {
    /// Of whoever connects.
    Tcp(tcp::Listener),
    /// Of whichever QEMU connects.
    Qemu(qemu::Listener),
    /// The device, whenever it is there.
    Device {
        /// Opens it.
        dialler: Dialler,
        /// Nobody holds it.
        free: Arc<Semaphore>,
        /// Opened at the start, so that a slip in its name shows at once.
        first: Option<Connection>,
    },
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// The address is taken or not this machine's, or there is no such device.
    pub async fn open(address: &Address) -> io::Result<Self> {
        Ok(match address {
            Address::Tcp(host) => Self::Tcp(tcp::Listener::open(host).await?),
            Address::Qemu(socket) => Self::Qemu(qemu::Listener::open(socket).await?),
            Address::Serial(_) => {
                let mut dialler = Dialler::new(address.clone());
                let first = Some(dialler.dial().await?);
                Self::Device { dialler, free: Arc::new(Semaphore::new(1)), first }
            }
        })
    }

    /// Where it listens, with the port that it was given.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => format!("tcp://{}", listener.address()),
            Self::Qemu(listener) => format!("qemu://{}", listener.socket()),
            Self::Device { dialler, .. } => dialler.address.to_string(),
        }
    }

    /// The next connection. May be dropped at any time: nobody is lost by it.
    ///
    /// # Errors
    /// One could not be taken; the next may be. After a failure the next call waits a little.
    pub async fn accept(&mut self) -> io::Result<Connection> {
        match self {
            Self::Tcp(listener) => listener.accept().await,
            Self::Qemu(listener) => listener.accept().await,
            Self::Device { dialler, free, first } => {
                let held = Arc::clone(free).acquire_owned().await.ok();
                let connection = match first.take() {
                    Some(connection) => connection,
                    None => dialler.dial().await?,
                };
                Ok(Connection { held, ..connection })
            }
        }
    }
}

/// Makes connections to one peer, again and again, with longer waits while there is nobody.
#[derive(Debug)]
pub struct Dialler {
    address: Address,
    wait: Duration,
}

impl Dialler {
    /// One that has not dialled yet.
    #[must_use]
    pub const fn new(address: Address) -> Self {
        Self { address, wait: Duration::ZERO }
    }

    /// Whom it dials.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Waits as long as the last try asks for, and tries.
    ///
    /// # Errors
    /// There is nobody; the next try waits longer, five seconds at most.
    pub async fn dial(&mut self) -> io::Result<Connection> {
        sleep(self.wait).await;
        // Whoever breaks off at once must not be dialled in a circle.
        self.wait = (self.wait * 2).clamp(WAIT_MIN, WAIT_MAX);
        let connection = match &self.address {
            Address::Tcp(host) => tcp::dial(host).await?,
            Address::Serial(device) => device.open()?,
            Address::Qemu(socket) => socket.dial().await?,
        };
        self.wait = WAIT_MIN;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn refused(text: &str) -> String {
        match text.parse::<Address>() {
            Ok(address) => panic!("{address:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in [
            "tcp://127.0.0.1:7700",
            "tcp://[::1]:0",
            "tcp://gateway.example:65535",
            "serial:///dev/ttyACM0@115200",
            "serial://COM3@9600",
            "serial:///dev/with@sign@1200",
            "qemu://uplink.sock",
            "qemu:///run/user/1000/with@sign",
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_allowed() {
        for (text, why) in [
            ("", "has no scheme"),
            ("127.0.0.1:7700", "has no scheme"),
            ("udp://127.0.0.1:7700", "a scheme that is not known"),
            ("TCP://127.0.0.1:7700", "a scheme that is not known"),
            ("tcp://127.0.0.1", "has no port"),
            ("tcp://:7700", "has no host"),
            ("tcp://127.0.0.1:", "port that is no number from 0 to 65535"),
            ("tcp://127.0.0.1:65536", "port that is no number from 0 to 65535"),
            ("tcp://127.0.0.1:+1", "port that is no number from 0 to 65535"),
            ("tcp://::1:7700", "brackets"),
            ("tcp://[::1:7700", "brackets"),
            ("tcp://a b:7700", "host with a character"),
            ("serial:///dev/ttyACM0", "has no speed"),
            ("serial://@115200", "names no device"),
            ("serial:///dev/ttyACM0@fast", "speed that is no number from 300 to 4000000"),
            ("serial:///dev/ttyACM0@0", "speed that is no number from 300 to 4000000"),
            ("qemu://", "names no file"),
            (&format!("qemu://{}", "s".repeat(104)), "more than the 103 bytes"),
        ] {
            let message = refused(text);
            assert!(message.contains(&format!("`{text}`")) && message.contains(why), "{message}");
            assert!(message.contains("allowed: tcp://HOST:PORT"), "{message}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let local = |text: &str| text.parse::<Address>().is_ok_and(|address| address.is_local());
        assert!(
            ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1", "tcp://localhost:1"]
                .into_iter()
                .all(local)
        );
        assert!(
            !["tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://10.0.0.1:1", "tcp://a.example:1"]
                .into_iter()
                .any(local)
        );
    }

    #[tokio::test]
    async fn bytes_go_both_ways_over_tcp() {
        let address = "tcp://127.0.0.1:0".parse().expect("an address");
        let mut listener = Listener::open(&address).await.expect("a port is free");
        let mut dialler = Dialler::new(listener.address().parse().expect("an address"));
        let (near, far) = tokio::join!(dialler.dial(), listener.accept());
        let (mut near, mut far) =
            (near.expect("somebody listens").stream, far.expect("somebody dials").stream);
        let mut heard = [0; 4];
        near.write_all(b"ping").await.expect("it is open");
        far.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(&heard, b"ping");
        far.write_all(b"pong").await.expect("it is open");
        near.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(&heard, b"pong");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_not_there_is_dialled_ever_less_often() {
        // A port that was free a moment ago.
        let address = "tcp://127.0.0.1:0".parse().expect("an address");
        let gone = Listener::open(&address).await.expect("a port is free").address();
        let mut dialler = Dialler::new(gone.parse().expect("an address"));
        let mut waits = Vec::new();
        for _ in 0..9 {
            waits.push(dialler.wait.as_millis());
            assert!(dialler.dial().await.is_err());
        }
        assert_eq!(waits, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
