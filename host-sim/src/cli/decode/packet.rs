//! A packet's header, its tag, and which way into the body.
//!
//! What is authentic is the core's decision alone; here is only told why.

use alertbus::limits::{BODY_LEN_MAX, HEADER_LEN};
use alertbus::message::Epoch;
use alertbus::wire::keys::Direction;
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::{self, BadTag, Class, Header, ParseError, VERSION};
use serde_json::Value;

use super::super::key_options::Keys;
use super::dissection::{Dissection, Field, Span};
use super::{body, frame, hex};

/// What is known about a packet from elsewhere.
pub(super) struct Assumptions<'k> {
    /// It is a frame; if not set, it is judged.
    pub(super) framed: bool,
    /// Length of its tag; if not set, it is judged.
    pub(super) tag: Option<TagLength>,
    /// What may open it.
    pub(super) keys: Option<&'k Keys>,
    /// The first epoch that it may be from.
    pub(super) epoch: Epoch,
}

const ADVICE_KEYS: &str = "The body is sealed. --seed N opens what `replay --seed N` and `encode --seed N` sealed; \
     --keys DIR, --master-key-file FILE with --network N, or --node-key-file FILE, opens the rest.";
const ADVICE_TAG: &str = "The tag covers every byte and does not tell which is wrong. Either the packet was changed, \
     or it was sealed with other keys, for another node, in another epoch (--epoch), or with a tag of another \
     length (--tag).";

const ADVICE_FRAMES: &str = "These are several frames. Each is an argument of its own, or a line of standard input \
     with `-`.";

/// Takes `bytes` apart as far as they can be read.
pub(super) fn dissect(bytes: &[u8], assumptions: &Assumptions<'_>) -> Dissection {
    let mut found = Dissection::default();
    if assumptions.framed || frame::is_framed(bytes) {
        let unframed = frame::unframe(bytes);
        found.framed = true;
        let why = if assumptions.framed { "as asked" } else { "because it ends in 00 and unstuffs" };
        found
            .assumed
            .push(format!("a frame of {}, {why}; offsets count in its packet", hex::count(bytes.len())));
        found.packet = unframed.packet;
        found.blame(unframed.wrong);
    } else {
        found.packet = bytes.to_vec();
    }
    let packet = std::mem::take(&mut found.packet);
    let whole = Span { offset: 0, bytes: &packet };
    let header = header(whole, assumptions.epoch, &mut found);
    match header.and_then(|header| open(whole, &header, assumptions, &mut found)) {
        Some(opened) => body::dissect(&opened.header, opened.body(), &mut found),
        None => sealed(whole, &mut found),
    }
    found.packet = packet;
    if frame::count(bytes) > 1 {
        found.advice = Some(ADVICE_FRAMES);
    }
    found
}

/// Reads what there is of the header, and blames what can be seen to be wrong without keys.
fn header(packet: Span<'_>, first_epoch: Epoch, found: &mut Dissection) -> Option<Header> {
    let got = packet.bytes.len();
    if got < HEADER_LEN {
        let message = format!("the packet ends after {}", hex::count(got));
        found.blame(packet.wrong(got, message, "at least 16, which are a header of 8 and a tag of 8 or 16"));
    }
    let first = *packet.bytes.first()?;
    if first >> 6 != VERSION {
        let (version, allowed) =
            (first >> 6, "1 in the two upper bits and 0 in the last one, as from 0x40 to 0x7e");
        let (byte, _) = packet.split(1)?;
        found.header.push(byte.field("version", version, format!("{version}, not known")));
        found.blame(packet.wrong(0, format!("version {version}, which is not known"), allowed));
        return None;
    }
    // The core reads whole packets only, and refuses a set reserved bit; the fields are shown all the same.
    let mut complete = [0; HEADER_LEN + 8];
    for (room, byte) in complete.iter_mut().zip(packet.bytes.iter().take(HEADER_LEN)) {
        *room = *byte;
    }
    complete[0] &= !1;
    let header = *packet::parse(&complete, TagLength::Short).ok()?.header();
    fields(packet, &header, first_epoch, &mut found.header);
    if first & 1 != 0 {
        let allowed = format!("0 in the last bit: 0x{:02x}", first & !1);
        found.blame(packet.wrong(0, "the reserved bit is set", allowed));
    }
    (got >= HEADER_LEN).then_some(header)
}

/// The fields whose bytes are there.
fn fields(packet: Span<'_>, header: &Header, first_epoch: Epoch, fields: &mut Vec<Field>) -> Option<()> {
    let up = header.class.direction() == Direction::Up;
    let (byte, rest) = packet.split(1)?;
    let (class, about) = match header.class {
        Class::Alert => ("alert", "up, from a node"),
        Class::Report => ("report", "up, from a node"),
        Class::Ack => ("acknowledgement", "down, to a node"),
        Class::Command => ("command", "down, to a node"),
    };
    fields.push(byte.field("version", VERSION, VERSION.to_string()));
    fields.push(byte.field("class", class, format!("{class}, {about}")));
    fields.push(byte.field("precedence", header.precedence.name(), header.precedence.name()));
    fields.push(byte.field("exercise", header.exercise, if header.exercise { "yes" } else { "no, live" }));
    let reserved = byte.bytes.first().map_or(0, |first| first & 1);
    fields.push(byte.field("reserved", reserved, reserved.to_string()));

    let (byte, rest) = rest.split(1)?;
    let low = header.epoch_low;
    let epoch = first_epoch.resolve(low).map_or(Value::Null, |epoch| epoch.0.into());
    let words = match first_epoch.resolve(low) {
        Some(Epoch(epoch)) => format!("{epoch}, the first from {} on that ends in {low:02x}", first_epoch.0),
        None => format!("none from {} on ends in {low:02x}", first_epoch.0),
    };
    fields.push(byte.field("epoch", epoch, words));

    let (bytes, rest) = rest.split(2)?;
    let node = header.node.0;
    let words = format!("{node}, {}", if up { "the source" } else { "the destination" });
    fields.push(bytes.field("node", node, words));

    let (bytes, _) = rest.split(4)?;
    let counter = header.counter;
    let words = match (counter, up) {
        (0, _) => "0, which is never sent".into(),
        (_, true) => counter.to_string(),
        (_, false) => format!("{} of gateway {}", counter & 0xff_ffff, counter >> 24),
    };
    fields.push(bytes.field("counter", counter, words));
    Some(())
}

/// A body whose tag fits.
struct Opened {
    header: Header,
    room: [u8; BODY_LEN_MAX],
    len: usize,
}

impl Opened {
    fn body(&self) -> Span<'_> {
        Span { offset: HEADER_LEN, bytes: self.room.get(..self.len).unwrap_or(&self.room) }
    }
}

/// Judges the length of the tag, and opens the body where there are keys and the tag fits.
fn open(
    packet: Span<'_>,
    header: &Header,
    assumptions: &Assumptions<'_>,
    found: &mut Dissection,
) -> Option<Opened> {
    let lengths = match assumptions.tag {
        Some(tag) => vec![tag],
        None => vec![TagLength::Short, TagLength::Long],
    };
    let epoch = assumptions.epoch.resolve(header.epoch_low);
    if let (Some(keys), Some(epoch)) = (assumptions.keys, epoch) {
        for &tag in &lengths {
            if let Ok(opened) = try_open(packet.bytes, tag, keys, epoch) {
                let why = if assumptions.tag.is_some() { "as asked" } else { "with which it opens" };
                found.assumed.push(format!("a tag of {} bytes, {why}", tag.bytes()));
                found.tag_len = tag.bytes();
                found.authentic = Some(true);
                tag_field(packet, true, found);
                return Some(opened);
            }
        }
    }
    let tag = judge(packet.bytes, assumptions, found);
    found.tag_len = tag.bytes();
    match packet::parse(packet.bytes, tag) {
        Ok(_) if assumptions.keys.is_none() => found.advice = Some(ADVICE_KEYS),
        Ok(_) => blame_tag(packet, epoch.is_none(), assumptions.epoch, found),
        Err(ParseError::TooShort { needed, got }) => found.blame(packet.wrong(
            got,
            format!("the packet ends after {}", hex::count(got)),
            format!("at least {needed}, which are a header of 8 and a tag of {}", tag.bytes()),
        )),
        Err(ParseError::TooLong { allowed, got }) => found.blame(packet.wrong(
            allowed,
            format!("the packet has {got} bytes"),
            format!("at most {allowed} with a tag of {}", tag.bytes()),
        )),
        // Found and blamed when the header was read.
        Err(_) => {}
    }
    None
}

fn try_open(bytes: &[u8], tag: TagLength, keys: &Keys, epoch: Epoch) -> Result<Opened, BadTag> {
    let sealed = packet::parse(bytes, tag).map_err(|_| BadTag)?;
    let key = keys.link_key(sealed.header(), epoch);
    let mut room = [0; BODY_LEN_MAX];
    let len = sealed.open(&key, &mut room)?.len();
    Ok(Opened { header: *sealed.header(), room, len })
}

/// The length of a tag that opens nothing.
fn judge(bytes: &[u8], assumptions: &Assumptions<'_>, found: &mut Dissection) -> TagLength {
    let (tag, why) = match assumptions.tag {
        Some(tag) => (tag, "as asked"),
        None if bytes.len() > HEADER_LEN + BODY_LEN_MAX + TagLength::Short.bytes() => {
            (TagLength::Long, "because the packet is too long for a short one")
        }
        None if assumptions.keys.is_some() => (TagLength::Short, "though with neither length it opens"),
        None => (TagLength::Short, "because nothing says otherwise"),
    };
    found.assumed.push(format!("a tag of {} bytes, {why}", tag.bytes()));
    tag
}

fn blame_tag(packet: Span<'_>, no_epoch: bool, first_epoch: Epoch, found: &mut Dissection) {
    found.authentic = Some(false);
    if no_epoch {
        let message = format!("no epoch from {} on ends in this byte", first_epoch.0);
        found.blame(packet.wrong(1, message, format!("0x{:02x} to 0xff", first_epoch.low())));
    } else {
        let at = packet.bytes.len().saturating_sub(found.tag_len);
        found.blame(packet.wrong(
            at,
            "the tag that begins here does not fit",
            "only the tag of these very bytes",
        ));
    }
    found.advice = Some(ADVICE_TAG);
}

/// Shows what cannot be opened, as it stands.
fn sealed(packet: Span<'_>, found: &mut Dissection) {
    let read = found.header.last().map_or(0, Field::end);
    let Some((_, rest)) = packet.split(read) else { return };
    let body_len = rest.bytes.len().checked_sub(found.tag_len).filter(|_| found.tag_len > 0);
    let in_bounds = body_len.filter(|len| read == HEADER_LEN && *len <= BODY_LEN_MAX);
    if let Some((body, _)) = in_bounds.and_then(|len| rest.split(len)) {
        let words = format!("{}, sealed", hex::count(body.bytes.len()));
        found.seal.push(body.field("body", hex::text(body.bytes), words));
        tag_field(packet, false, found);
    } else if !rest.bytes.is_empty() {
        // What is too long to be a packet is not shown whole.
        let shown = rest.split(BODY_LEN_MAX).map_or(rest, |(shown, _)| shown);
        let words = match rest.bytes.len() - shown.bytes.len() {
            0 => "not read".into(),
            more => format!("not read, nor {} behind them", hex::count(more)),
        };
        found.seal.push(shown.field("rest", hex::text(shown.bytes), words));
    }
}

fn tag_field(packet: Span<'_>, fits: bool, found: &mut Dissection) {
    let Some(at) = packet.bytes.len().checked_sub(found.tag_len) else { return };
    let Some((_, tag)) = packet.split(at) else { return };
    let verdict = match found.authentic {
        Some(true) if fits => "fits",
        Some(_) => "does not fit",
        None => "not checked",
    };
    let words = format!(
        "{verdict}; Ascon-AEAD128 with a nonce of 16 bytes and {} of associated data",
        HEADER_LEN + 1
    );
    found.seal.push(tag.field("tag", hex::text(tag.bytes), words));
}
