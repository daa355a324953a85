//! `host-sim encode`: seals one alert, for tests of receivers and for vectors.

pub(super) mod alert;
pub(super) mod fields;

use std::io::{self, Write};
use std::process::ExitCode;

use alertbus::limits::{BODY_LEN_MAX, FRAME_LEN_MAX, PACKET_LEN_MAX, SEQ_MAX, UP_COUNTER_MAX};
use alertbus::message::{Epoch, NodeId, Seq};
use alertbus::wire::frame;
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{Body, Precedence};
use anyhow::{Context, bail};
use clap::builder::PossibleValuesParser;

use super::decode::hex;
use super::key_options::{KeyOptions, Keys, Tag};
use super::values;

use fields::Fields;

/// Counters that a node may use: below the one at which it stops.
const COUNTER_MAX: u32 = UP_COUNTER_MAX - 1;

/// Seal one alert and print the packet in hex
///
/// For tests of receivers and for vectors: the packet is real, and opens wherever its key is known. Fields have the
/// names and words of scenario files; those that are left out are not known. Without keys, those of seed 1 seal it,
/// and `host-sim decode --seed 1` opens it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = fields::help())]
pub struct Args {
    /// Kind of alert
    #[arg(value_parser = PossibleValuesParser::new(Body::NAMES))]
    kind: String,
    /// What it says, for example `weapon=rocket rounds=3`; --help lists all fields
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// Number of the node that sends it
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true,
          value_parser = values::number("the number of a node", 1..=u16::MAX))]
    node: u16,
    /// Packet counter, never the same twice under one key [default: 1, and none with a key file]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number", 1..=COUNTER_MAX))]
    counter: Option<u32>,
    /// Key epoch, of which the packet carries the low 8 bits [default: the node's in the register of --keys, else 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number", 0..=u32::MAX))]
    epoch: Option<u32>,
    /// Number of the alert in its node's sequence
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true,
          value_parser = values::number("a whole number", 1..=SEQ_MAX))]
    seq: u32,
    /// Seal it as part of an exercise
    #[arg(long)]
    exercise: bool,
    /// Raise the precedence to at least this one; a kind's own is never lowered
    #[arg(long, value_name = "PRECEDENCE", default_value = "routine",
          value_parser = PossibleValuesParser::new(Precedence::ALL.map(Precedence::name)))]
    precedence_min: String,
    /// Length of the tag
    #[arg(long, value_enum, value_name = "LENGTH", default_value = "short")]
    tag: Tag,
    /// Print it as a frame of a byte stream: stuffed, with a check and a zero at the end
    #[arg(long)]
    frame: bool,
    #[command(flatten)]
    keys: KeyOptions,
}

/// Prints the packet or its frame to standard output.
///
/// # Errors
/// A field, its value or a key file is wrong, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bytes = seal(args)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", hex::text(&bytes))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn seal(args: &Args) -> anyhow::Result<Vec<u8>> {
    let mut fields = Fields::parse(&args.fields)?;
    let alert = alert::alert(&args.kind, &mut fields)?;
    fields.finish(&args.kind)?;
    let least = Precedence::ALL.into_iter().find(|precedence| precedence.name() == args.precedence_min);
    if args.counter.is_none() && args.keys.are_real() {
        bail!(
            "`--counter` is missing: a counter used twice under one key gives the key stream away, so with a key file \
             it has no default; allowed: 1 to {COUNTER_MAX}, one that the node has never used"
        );
    }
    let node = NodeId(args.node);
    let keys = args.keys.keys()?.unwrap_or_else(|| Keys::of_seed(1));
    let registered = keys.epoch(node)?;
    let epoch = args.epoch.map(Epoch).unwrap_or(registered);
    let header = Header {
        class: Class::Alert,
        precedence: alert.body.precedence().max(least.unwrap_or_default()),
        exercise: args.exercise,
        epoch_low: epoch.low(),
        node,
        counter: args.counter.unwrap_or(1),
    };
    let seq =
        Seq::new(args.seq).with_context(|| format!("`--seq` is {}; allowed: 1 to {SEQ_MAX}", args.seq))?;
    let mut body = [0; BODY_LEN_MAX];
    let len = alert.content().body(seq, &mut body);
    let key = keys.link_key(&header, epoch);
    let mut room = [0; PACKET_LEN_MAX];
    let packet = packet::seal(&key, &header, body.get(..len).unwrap_or(&body), args.tag.into(), &mut room)?;
    if !args.frame {
        return Ok(packet.to_vec());
    }
    let mut room = [0; FRAME_LEN_MAX];
    match frame::encode(packet, &mut room) {
        Some(framed) => Ok(framed.to_vec()),
        None => bail!("a frame has at most {FRAME_LEN_MAX} bytes, and the packet has {}", packet.len()),
    }
}

#[cfg(test)]
mod tests;
