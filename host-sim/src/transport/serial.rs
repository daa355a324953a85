//! `serial://DEVICE@BAUD`: a serial line with eight bits, no parity and one stop bit.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serial2_tokio::SerialPort;

use super::Connection;

/// The slowest and the fastest speed that a device is asked for, in baud.
const BAUD: std::ops::RangeInclusive<u32> = 300..=4_000_000;

/// A serial device and its speed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    path: PathBuf,
    baud: u32,
}

impl Device {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, baud) = text.rsplit_once('@').ok_or("has no speed")?;
        if path.is_empty() {
            return Err("names no device");
        }
        let baud = baud.parse().ok().filter(|baud| BAUD.contains(baud));
        let baud = baud.ok_or("has a speed that is no number from 300 to 4000000")?;
        Ok(Self { path: path.into(), baud })
    }

    pub(super) fn open(&self) -> io::Result<Connection> {
        let port = SerialPort::open(&self.path, self.baud).map_err(|error| advised(&error))?;
        // What the line has heard before is nobody's frame.
        port.discard_buffers()?;
        Ok(Connection::new(format!("serial://{self}"), port))
    }
}

/// A device that does not open, with the way out.
fn advised(error: &io::Error) -> io::Error {
    let way_out = match error.kind() {
        io::ErrorKind::NotFound => "; plug it in; `ls /dev/tty*` lists the devices that are there",
        io::ErrorKind::PermissionDenied => "; `ls -l` shows the group that may open it, often `dialout`",
        _ => "",
    };
    io::Error::new(error.kind(), format!("{error}{way_out}"))
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.path.display(), self.baud)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_device_that_is_not_there_is_an_error() {
        let device = Device::parse("/dev/no-such-line@115200").expect("an address");
        let error = device.open().map(|_| ()).expect_err("no system has it");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("ls /dev/tty*"), "{error}");
    }

    /// Two ends of a line that the system plays.
    #[tokio::test]
    async fn bytes_go_both_ways_over_a_line() {
        let (near, far) = SerialPort::pair().expect("the system has such lines");
        let (mut near, mut far) = (Connection::new("near".into(), near), Connection::new("far".into(), far));
        let mut heard = [0; 3];
        near.stream.write_all(&[1, 0, 255]).await.expect("it is open");
        far.stream.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(heard, [1, 0, 255]);
        far.stream.write_all(&[4, 13, 10]).await.expect("it is open");
        near.stream.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(heard, [4, 13, 10]);
    }
}
