//! `host-sim decode`: takes packets apart, and names the first byte that is wrong.

mod body;
mod command;
mod dissection;
mod frame;
mod heartbeat;
pub(super) mod hex;
pub(super) mod kinds;
pub(super) mod moment;
mod packet;
mod show;

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use alertbus::message::Epoch;
use alertbus::wire::link::TagLength;
use anyhow::bail;

use super::key_options::{KeyOptions, Keys, Tag};
use super::{EXPECTATION_FAILED, USAGE};

use dissection::{Of, Wrong};
use packet::Assumptions;

/// The longest line read from standard input, in bytes. A frame is 63 bytes; the rest is for whatever stands
/// between its digits.
const LINE_LEN_MAX: usize = 65_536;

/// Take packets apart, field by field, and name the first byte that is wrong
///
/// Without keys only the header can be read: the body is sealed. Exit code 0 when everything there is was read, 1
/// when a packet is not authentic or cannot be read to its end, 2 when an argument is no hex at all.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One packet each, in hex; spaces, colons and 0x are passed over; `-` reads one a line from standard input
    #[arg(required = true, value_name = "HEX")]
    packets: Vec<String>,
    /// They are frames of a byte stream: stuffed, with a check and a zero at the end [default: judged by that]
    #[arg(long)]
    frame: bool,
    /// Length of the tag [default: the one with which it opens, else short]
    #[arg(long, value_enum, value_name = "LENGTH")]
    tag: Option<Tag>,
    /// The first key epoch it may be from; a packet carries the low 8 bits
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true,
          value_parser = super::values::number("a whole number", 0..=u32::MAX))]
    epoch: u32,
    /// One JSON object a packet
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: KeyOptions,
}

/// Prints every packet to standard output, one after the other.
///
/// # Errors
/// A key file is unusable, a line is too long, or standard input or output is lost.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    let mut complaints = anstream::stderr().lock();
    let code = print(args, &mut io::stdin().lock(), &mut out, &mut complaints)?;
    out.flush()?;
    Ok(ExitCode::from(code))
}

/// The exit code is that of the worst packet.
fn print(
    args: &Args,
    input: &mut impl Read,
    out: &mut impl Write,
    complaints: &mut impl Write,
) -> anyhow::Result<u8> {
    let keys = args.keys.keys()?;
    let mut printer = Printer { args, keys, number: 0, worst: 0, out, complaints };
    let mut input = BufReader::new(input);
    for (argument, text) in (1..).zip(&args.packets) {
        if text == "-" {
            printer.lines(&mut input)?;
        } else {
            printer.packet(text, &format!("argument {argument}"))?;
        }
    }
    Ok(printer.worst)
}

struct Printer<'a, W, C> {
    args: &'a Args,
    keys: Option<Keys>,
    number: u64,
    worst: u8,
    out: &'a mut W,
    complaints: &'a mut C,
}

impl<W: Write, C: Write> Printer<'_, W, C> {
    /// Every line that is not blank, as it comes.
    fn lines(&mut self, input: &mut impl BufRead) -> anyhow::Result<()> {
        let mut line = Vec::new();
        let mut packets = 0_u64;
        for number in 1_u64.. {
            line.clear();
            let most = u64::try_from(LINE_LEN_MAX).unwrap_or(u64::MAX);
            if input.by_ref().take(most + 1).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.len() > LINE_LEN_MAX {
                bail!("line {number} of standard input is longer than {LINE_LEN_MAX} bytes; a frame has 63");
            }
            let text = String::from_utf8_lossy(&line);
            if !text.trim().is_empty() {
                packets += 1;
                self.packet(text.trim_end(), &format!("line {number}"))?;
                // Whoever types or pipes one at a time sees it before the next.
                self.out.flush()?;
            }
        }
        if packets == 0 {
            self.out.flush()?;
            writeln!(self.complaints, "host-sim: no packet on standard input; one a line is read from it")?;
            self.worst = self.worst.max(USAGE);
        }
        Ok(())
    }

    fn packet(&mut self, text: &str, from: &str) -> io::Result<()> {
        let hex = match hex::parse(text) {
            Ok(hex) => hex,
            Err(error) => {
                self.out.flush()?;
                writeln!(self.complaints, "host-sim: {from} is no hex: {error}")?;
                self.worst = self.worst.max(USAGE);
                return Ok(());
            }
        };
        self.number += 1;
        let assumptions = Assumptions {
            framed: self.args.frame,
            tag: self.args.tag.map(TagLength::from),
            keys: self.keys.as_ref(),
            epoch: Epoch(self.args.epoch),
        };
        let mut found = packet::dissect(&hex.bytes, &assumptions);
        if let Some(half) = hex.half {
            found.blame(Wrong {
                // What was typed is the frame, where it is one.
                of: if found.framed { Of::Frame } else { Of::Packet },
                offset: hex.bytes.len(),
                byte: None,
                message: format!("only one digit of it is there, `{half}`"),
                allowed: "two digits a byte".into(),
            });
        }
        if found.wrong.is_some() {
            self.worst = self.worst.max(EXPECTATION_FAILED);
        }
        if self.args.json {
            return show::json(self.number, &found, self.out);
        }
        if self.number > 1 {
            writeln!(self.out)?;
        }
        show::text(self.number, &found, self.out)
    }
}

#[cfg(test)]
pub(super) mod tests;
