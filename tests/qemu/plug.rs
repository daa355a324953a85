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
    pub(crate) first: Line,
    pub(crate) second: Line,
}

/// Our end of a line, which can be cut. The guest's end is joined anew, each second, until it is not cut again.
pub(crate) struct Line {
    listener: TcpListener,
    stream: Option<TcpStream>,
}

impl Plug {
    /// Starts `image` on `board`, in the folder in which its flash lies; `more` goes to QEMU.
    pub(crate) fn start(board: &Board, image: &Path, folder: &Path, more: &[String]) -> Self {
        let [first, second] = [listen(), listen()];
        let arguments = [&serial(&first, "")[..], &serial(&second, ""), more].concat();
        let guest = start(board, image, folder, &arguments);
        let [first, second] = [first, second].map(|listener| {
            let stream = Some(accept(&listener, &guest));
            Line { listener, stream }
        });
        Self { guest, first, second }
    }

    /// As [`Plug::start`], with a first line that is cut, and can be cut again. A guest does not wait for such a line,
    /// so that what it says at first is lost.
    pub(crate) fn start_cut(board: &Board, image: &Path, folder: &Path, more: &[String]) -> Self {
        let [first, second] = [listen(), listen()];
        let arguments = [&serial(&first, ",reconnect=1")[..], &serial(&second, ""), more].concat();
        let guest = start(board, image, folder, &arguments);
        let stream = Some(accept(&second, &guest));
        let first = Line { listener: first, stream: None };
        Self { guest, first, second: Line { listener: second, stream } }
    }
}

impl Line {
    /// From now on what either end says is lost.
    pub(crate) fn cut(&mut self) {
        self.stream = None;
        self.listener.set_nonblocking(true).unwrap();
        // Ends that the guest has joined meanwhile.
        while self.listener.accept().is_ok() {}
    }

    /// Joins the ends again.
    pub(crate) fn join(&mut self, guest: &Guest) {
        self.cut();
        self.stream = Some(accept(&self.listener, guest));
    }

    /// Says these bytes. Whoever has just lost its power hears nothing, and that is no fault.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if let Some(stream) = &mut self.stream {
            let _ = stream.write_all(bytes);
        }
    }

    /// Puts `packet` into a frame, and says that.
    pub(crate) fn send(&mut self, packet: &[u8]) {
        let mut room = [0; FRAME_LEN_MAX];
        self.write(frame::encode(packet, &mut room).unwrap());
    }

    /// What has come, soon. A line that a dying guest closes has no bytes any more; what was in it was read by then.
    pub(crate) fn read(&mut self) -> Vec<u8> {
        let mut bytes = [0; 512];
        let Some(stream) = &mut self.stream else {
            thread::sleep(LOOK);
            return Vec::new();
        };
        let len = stream.read(&mut bytes).unwrap_or(0);
        bytes[..len].to_vec()
    }
}

fn start(board: &Board, image: &Path, folder: &Path, more: &[String]) -> Guest {
    let semihosting = ["-semihosting-config", "enable=on,target=native"].map(String::from);
    Guest::start(board, image, folder, &[&semihosting[..], more].concat())
}

fn serial(listener: &TcpListener, options: &str) -> [String; 2] {
    let address = listener.local_addr().unwrap();
    ["-serial".into(), format!("tcp:{address},nodelay=on{options}")]
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
