//! A debugger at the guest's processor, as far as tests need one: it stops it, looks at its memory, breaks a register,
//! and lets it go on.
//! The words are those of GDB's remote serial protocol.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::plug;

/// For one answer, which may be that the guest has come to where it was to stop.
const LIMIT: Duration = Duration::from_secs(60);

/// What interrupts a processor that runs, alone and without a frame.
const INTERRUPT: u8 = 3;

/// As much memory as goes into one packet, in bytes.
const PIECE_LEN: u32 = 1_024;

/// A line to QEMU's end of the protocol.
pub(crate) struct Debugger {
    line: TcpStream,
}

/// A register of a Cortex-M, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Register {
    StackPointer = 13,
    Link = 14,
    ProgramCounter = 15,
}

impl Debugger {
    /// Where a guest will call, and the arguments of QEMU by which it does.
    pub(crate) fn listen() -> (TcpListener, [String; 4]) {
        let listener = plug::listen();
        let port = listener.local_addr().unwrap().port();
        let line = format!("socket,id=debugger,host=127.0.0.1,port={port},nodelay=on");
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
        self.stop();
        // A register's bytes are those of the guest's memory.
        let answer = self.ask(&format!("P{:x}={:08x}", register as u8, value.swap_bytes()));
        assert_eq!(answer, "OK", "{register:?} = {value:#x}");
        self.go_on();
    }

    /// Stops the guest wherever it is.
    pub(crate) fn stop(&mut self) {
        self.line.write_all(&[INTERRUPT]).unwrap();
        self.answer();
    }

    /// Lets a guest that is stopped run until it comes to `address`.
    pub(crate) fn run_to(&mut self, address: u32) {
        let place = format!("1,{:x},2", address & !1);
        assert_eq!(self.ask(&format!("Z{place}")), "OK");
        self.ask("c");
        assert_eq!(self.ask(&format!("z{place}")), "OK");
    }

    /// Has a guest that is stopped go on by one instruction.
    pub(crate) fn step(&mut self) {
        self.ask("s");
    }

    /// What is in a register of a guest that is stopped.
    pub(crate) fn register(&mut self, register: Register) -> u32 {
        let answer = self.ask(&format!("p{:x}", register as u8));
        u32::from_str_radix(&answer, 16).unwrap().swap_bytes()
    }

    /// The memory of a guest that is stopped.
    pub(crate) fn read(&mut self, from: u32, len: u32) -> Vec<u8> {
        let piece = |this: &mut Self, at: u32| {
            let hex = this.ask(&format!("m{at:x},{:x}", PIECE_LEN.min(from + len - at)));
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>()
        };
        (from..from + len).step_by(PIECE_LEN as usize).flat_map(|at| piece(self, at)).collect()
    }

    /// Fills memory of a guest that is stopped.
    pub(crate) fn fill(&mut self, from: u32, len: u32, byte: u8) {
        for at in (from..from + len).step_by(PIECE_LEN as usize) {
            let piece = PIECE_LEN.min(from + len - at);
            let hex = format!("{byte:02x}").repeat(piece as usize);
            assert_eq!(self.ask(&format!("M{at:x},{piece:x}:{hex}")), "OK");
        }
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
