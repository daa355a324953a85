//! A debugger at the guest's processor, as far as tests need one: it stops it, breaks a register, and lets it go on.
//! The words are those of GDB's remote serial protocol.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::plug;

/// For one answer.
const LIMIT: Duration = Duration::from_secs(10);

/// What interrupts a processor that runs, alone and without a frame.
const INTERRUPT: u8 = 3;

/// A line to QEMU's end of the protocol.
pub(crate) struct Debugger {
    line: TcpStream,
}

/// A register of a Cortex-M, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Register {
    StackPointer = 13,
    ProgramCounter = 15,
}

impl Debugger {
    /// Where a guest will call, and the arguments of QEMU by which it does.
    pub(crate) fn listen() -> (TcpListener, [String; 4]) {
        let listener = plug::listen();
        let port = listener.local_addr().unwrap().port();
        let line = format!("socket,id=debugger,host=127.0.0.1,port={port}");
        (listener, ["-chardev".into(), line, "-gdb".into(), "chardev:debugger".into()])
    }

    /// Takes over a guest, which waits at its first instruction, and lets it run.
    pub(crate) fn new(line: TcpStream) -> Self {
        line.set_read_timeout(Some(LIMIT)).unwrap();
        let mut this = Self { line };
        this.ask("?");
        // QEMU lets nobody write a single register who has not asked which there are.
        this.ask("qXfer:features:read:target.xml:0,1");
        this.go_on();
        this
    }

    /// Lets the guest run. There is no answer before it stops.
    pub(crate) fn go_on(&mut self) {
        self.say("c");
    }

    /// Stops the guest wherever it is, and lets it go on with another value in `register`.
    pub(crate) fn spoil(&mut self, register: Register, value: u32) {
        self.line.write_all(&[INTERRUPT]).unwrap();
        self.answer();
        // A register's bytes are those of the guest's memory.
        let answer = self.ask(&format!("P{:x}={:08x}", register as u8, value.swap_bytes()));
        assert_eq!(answer, "OK", "{register:?} = {value:#x}");
        self.go_on();
    }

    fn ask(&mut self, question: &str) -> String {
        self.say(question);
        self.answer()
    }

    fn say(&mut self, words: &str) {
        let sum = words.bytes().fold(0_u8, u8::wrapping_add);
        write!(self.line, "${words}#{sum:02x}").unwrap();
    }

    /// Reads `$words#xx`, behind any acknowledgement of what was said, and acknowledges it.
    fn answer(&mut self) -> String {
        let mut words = Vec::new();
        while self.byte() != b'$' {}
        loop {
            match self.byte() {
                b'#' => break,
                byte => words.push(byte),
            }
        }
        let _sum = [self.byte(), self.byte()];
        self.line.write_all(b"+").unwrap();
        String::from_utf8(words).unwrap()
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.line.read_exact(&mut byte).unwrap();
        byte[0]
    }
}
