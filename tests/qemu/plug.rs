//! A guest and its two lines, whose other ends are here.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant as Clock};

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame;
use alertbus_tests::firmware::Board;

use crate::guest::Guest;

/// For everything that is waited for here; each takes a second or so.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How long a line is listened to at a time.
pub(crate) const LOOK: Duration = Duration::from_millis(2);

/// A running guest with its two lines.
pub(crate) struct Plug {
    pub(crate) guest: Guest,
    pub(crate) first: TcpStream,
    pub(crate) second: TcpStream,
}

impl Plug {
    /// Starts `image` on `board`, in the folder in which its flash lies; `more` goes to QEMU.
    pub(crate) fn start(board: &Board, image: &Path, folder: &Path, more: &[String]) -> Self {
        let [first, second] = [listen(), listen()];
        let serial = |listener: &TcpListener| {
            ["-serial".to_string(), format!("tcp:{},nodelay=on", listener.local_addr().unwrap())]
        };
        let semihosting = ["-semihosting-config".to_string(), "enable=on,target=native".to_string()];
        let arguments = [&serial(&first)[..], &serial(&second), &semihosting, more].concat();
        let guest = Guest::start(board, image, folder, &arguments);
        let [first, second] = [first, second].map(|listener| accept(&listener, &guest));
        Self { guest, first, second }
    }
}

/// Puts `packet` into a frame and on the line. Whoever has just lost its power hears nothing, and that is no fault.
pub(crate) fn send(line: &mut TcpStream, packet: &[u8]) {
    let mut room = [0; FRAME_LEN_MAX];
    let _ = line.write_all(frame::encode(packet, &mut room).unwrap());
}

/// What has come by a line, soon. One that a dying guest closes has no bytes any more; what was in it was read by then.
pub(crate) fn receive(line: &mut TcpStream) -> Vec<u8> {
    let mut bytes = [0; 512];
    let len = line.read(&mut bytes).unwrap_or(0);
    bytes[..len].to_vec()
}

pub(crate) fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Waits for the guest's end of a line.
pub(crate) fn accept(listener: &TcpListener, guest: &Guest) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let begun = Clock::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(LOOK)).unwrap();
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && begun.elapsed() < LIMIT => {
                thread::sleep(LOOK);
            }
            Err(error) => panic!("the guest opens no line: {error}; {:?}", guest.told()),
        }
    }
}
