//! `tcp://HOST:PORT`

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::Connection;

/// How long a peer may take to answer a call.
const DIAL_MAX: Duration = Duration::from_secs(10);

/// The wait after a connection that could not be taken: the machine may have no more of them for now.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A host, by name or number, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Without brackets.
    name: String,
    port: u16,
}

impl Host {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, port) = text.rsplit_once(':').ok_or("has no port")?;
        let name = match name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or("lacks one of the brackets around its host")?,
            None if name.contains(':') => return Err("lacks the brackets around its host"),
            None => name,
        };
        if name.is_empty() {
            return Err("has no host");
        }
        if !name.chars().all(|one| one.is_ascii_alphanumeric() || ".-_:%".contains(one)) {
            return Err("names a host with a character that none has");
        }
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port =
            port.and_then(|port| port.parse().ok()).ok_or("has a port that is no number from 0 to 65535")?;
        Ok(Self { name: name.to_owned(), port })
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.name == "localhost" || self.name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// Takes whoever connects.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    failed: bool,
}

impl Listener {
    pub(super) async fn open(host: &Host) -> io::Result<Self> {
        let listener = TcpListener::bind((host.name.as_str(), host.port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, failed: false })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn accept(&mut self) -> io::Result<Connection> {
        if self.failed {
            sleep(ACCEPT_AGAIN).await;
        }
        let accepted = self.listener.accept().await;
        self.failed = accepted.is_err();
        let (stream, peer) = accepted?;
        connection(stream, peer)
    }
}

pub(super) async fn dial(host: &Host) -> io::Result<Connection> {
    let stream = timeout(DIAL_MAX, TcpStream::connect((host.name.as_str(), host.port)))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let peer = stream.peer_addr()?;
    connection(stream, peer)
}

fn connection(stream: TcpStream, peer: SocketAddr) -> io::Result<Connection> {
    // A frame is short and must not wait for the next one.
    stream.set_nodelay(true)?;
    Ok(Connection::new(format!("tcp://{peer}"), stream))
}
