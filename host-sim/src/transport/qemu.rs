//! `qemu://FILE`: a UART of a board in QEMU, as the socket in the file system that QEMU has for it.
//!
//! Who listens makes the file, and QEMU connects to it: `-serial unix:FILE`. Who dials connects to QEMU, which has made
//! it: `-serial unix:FILE,server=on,wait=off`. QEMU has no speed and no noise, and holds back what its guest does not
//! take.

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::Connection;

/// The longest path that every system takes for a socket, in bytes: 104 on macOS with the zero at its end, 108 on Linux.
const PATH_LEN_MAX: usize = 103;

/// A socket in the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.len() {
            0 => Err("names no file"),
            1..=PATH_LEN_MAX => Ok(Self { path: text.into() }),
            _ => Err("names a file by more than the 103 bytes that a socket's path may have"),
        }
    }

    pub(super) async fn dial(&self) -> io::Result<Connection> {
        let stream = UnixStream::connect(&self.path).await?;
        Ok(Connection::new(format!("qemu://{self}"), stream))
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Takes QEMUs, whichever connect. Its file goes when it does.
pub struct Listener {
    listener: UnixListener,
    socket: Socket,
}

impl Listener {
    /// Makes the file; only its owner can connect.
    pub(super) async fn open(socket: &Socket) -> io::Result<Self> {
        clear_away(&socket.path).await?;
        let listener = UnixListener::bind(&socket.path)?;
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, socket: socket.clone() })
    }

    pub(super) const fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) async fn accept(&self) -> io::Result<Connection> {
        let (stream, _) = self.listener.accept().await?;
        Ok(Connection::new(format!("qemu://{}", self.socket), stream))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that somebody has taken away already is away.
        let _ = fs::remove_file(&self.socket.path);
    }
}

/// Removes the socket of a program that was killed. Nothing else is ever removed.
async fn clear_away(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(seen) if !seen.file_type().is_socket() => {
            Err(io::Error::new(ErrorKind::AlreadyExists, "there is another file of this name"))
        }
        Ok(_) => match UnixStream::connect(path).await {
            Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "somebody listens there already")),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
            Err(error) => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A path of a test's own, without a file when the test begins and ends.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("alertbus-{}-{name}.sock", std::process::id()));
            let _ = fs::remove_file(&path);
            Self(path)
        }

        fn socket(&self) -> Socket {
            Socket::parse(self.0.to_str().expect("a path of ASCII")).expect("a short path")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn bytes_go_both_ways_and_the_file_goes_with_its_listener() {
        let place = Place::new("ways");
        let socket = place.socket();
        let listener = Listener::open(&socket).await.expect("the file is free");
        assert_eq!(fs::metadata(&place.0).map(|seen| seen.permissions().mode() & 0o777).ok(), Some(0o600));
        let (near, far) = tokio::join!(socket.dial(), listener.accept());
        let (mut near, mut far) = (near.expect("somebody listens"), far.expect("somebody dials"));
        let mut heard = [0; 3];
        near.stream.write_all(&[1, 0, 255]).await.expect("it is open");
        far.stream.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(heard, [1, 0, 255]);
        far.stream.write_all(&[4, 13, 10]).await.expect("it is open");
        near.stream.read_exact(&mut heard).await.expect("it is open");
        assert_eq!(heard, [4, 13, 10]);
        drop(listener);
        assert!(!place.0.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_left_over_gives_way_and_every_other_stays() {
        let place = Place::new("left-over");
        let socket = place.socket();
        // The system keeps the file of a listener that is closed.
        drop(UnixListener::bind(&place.0).expect("the file is free"));
        let listener = Listener::open(&socket).await.expect("nobody listens there");
        let second = Listener::open(&socket).await.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(second, Err(ErrorKind::AddrInUse));
        drop(listener);
        fs::write(&place.0, "somebody's").expect("the folder can be written");
        let third = Listener::open(&socket).await.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(third, Err(ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&place.0).ok().as_deref(), Some(&b"somebody's"[..]));
    }

    #[tokio::test]
    async fn nobody_is_there_where_no_file_is() {
        let place = Place::new("nobody");
        assert_eq!(
            place.socket().dial().await.map_err(|error| error.kind()).err(),
            Some(ErrorKind::NotFound)
        );
    }
}
