//! Every bound of the bus, in one place, and the assertions that tie them together.
//!
//! A number that limits memory, time or bytes stands here and nowhere else. Where two bounds
//! depend on one another the compiler checks it, so a change that breaks a promise does not build.

/// Longest sealed packet of the small radio profile, in bytes: one LoRa frame at data rate 0 (SF12, 125 kHz)
/// carries 51 bytes of payload in the EU868 regional parameters.
pub const PACKET_LEN_MAX_RADIO: usize = 51;

/// Longest sealed packet on any link, in bytes: the same body under the long tag.
pub const PACKET_LEN_MAX: usize = HEADER_LEN + BODY_LEN_MAX + TAG_LEN_LONG;

/// Header in clear, authenticated, in bytes.
pub const HEADER_LEN: usize = 8;

/// Longest encrypted body, in bytes.
pub const BODY_LEN_MAX: usize = 35;

/// Tag on small radio links, in bytes. SP 800-232 allows truncation down to 4; 8 bytes keep ten years of a
/// saturated SF7 channel (4.4 thousand million tries) below a chance of 2.4e-10.
pub const TAG_LEN_SHORT: usize = 8;

/// Tag on UART, IP and radio links of 59 bytes and more, in bytes.
pub const TAG_LEN_LONG: usize = 16;

/// Longest alert content (everything of the body but its sequence number), in bytes.
pub const CONTENT_LEN_MAX: usize = HEAD_LEN + 1 + WHEN_LEN + WHERE_LEN + VARINT_U32_LEN_MAX + KIND_LEN_MAX;

/// Severity, urgency, certainty, clock quality and position accuracy, in bytes.
pub const HEAD_LEN: usize = 2;

/// Phase, reference flag, boot count and event time, in bytes.
pub const WHEN_LEN: usize = 6;

/// Latitude and longitude, in bytes.
pub const WHERE_LEN: usize = 6;

/// Longest packed payload of an alert kind, in bytes.
pub const KIND_LEN_MAX: usize = 8;

/// Longest postcard encoding of a `u32`, in bytes.
pub const VARINT_U32_LEN_MAX: usize = 5;

/// Heartbeat report body, in bytes.
pub const HEARTBEAT_LEN: usize = 33;

/// Body of a report that answers a command, in bytes.
pub const ACTED_LEN: usize = 7;

/// Warnings that one all-clear can end.
pub const CLEAR_IDS_MAX: usize = 3;

/// Longest body of a command, in bytes: echo, id, order, and three ids.
pub const COMMAND_LEN_MAX: usize = 4 + 5 + 1 + 5 * CLEAR_IDS_MAX;

/// Alerts one acknowledgement can name.
pub const ACK_ITEMS_MAX: usize = 7;

/// Bytes the frame check adds before stuffing: a CRC-16.
pub const FRAME_CHECK_LEN: usize = 2;

/// Longest frame on a byte stream, in bytes, delimiter included: COBS adds one byte for up to 254.
pub const FRAME_LEN_MAX: usize = PACKET_LEN_MAX + FRAME_CHECK_LEN + 2;

/// Longest stimulus that a test rig gives a node, in bytes: sort, phase, key and marks, then the content.
pub const STIMULUS_LEN_MAX: usize = 6 + CONTENT_LEN_MAX;

/// Wait before a pin or a bus that failed is tried again, in milliseconds: short, because a siren may be silent
/// meanwhile, and long enough that a broken pin does not keep its node from everything else.
pub const DRIVER_RETRY_MS: u32 = 100;

/// Up counter at which a node refuses to send until its key epoch moves on (SP 800-38D counts as a guide:
/// far below the 2^32 at which the number itself would repeat).
pub const UP_COUNTER_MAX: u32 = 1 << 31;

/// Down counter bits below the gateway's number: 24 bits, refused at the last value.
pub const DOWN_COUNTER_MAX: u32 = (1 << 24) - 1;

/// Largest alert sequence number: 31 bits, because an acknowledgement's top bit names the sequence.
pub const SEQ_MAX: u32 = (1 << 31) - 1;

/// Packet counters reserved ahead in the store before the first of them is used.
pub const COUNTER_RESERVE: u32 = 64;

/// Down counters left to a gateway below which it asks its host for more.
pub const DOWN_COUNTERS_LOW: u32 = 32;

/// Bytes of a provisioning blob, which stands at the start of a flash page of its own.
pub const BLOB_LEN: usize = 64;

/// Wait before a store that failed is asked again, in milliseconds.
pub const STORE_RETRY_MS: u32 = 1_000;

/// Alert sequence numbers reserved ahead in the store, Flash aside.
pub const SEQ_RESERVE: u32 = 64;

/// Flash numbers reserved ahead in the store once one has been used since the start; one before that. What is reserved
/// is lost to a reboot, and a node that reboots out of reach with an alert open has only [`FLASH_SPAN_MAX`] of them.
pub const FLASH_SEQ_RESERVE: u32 = 4;

/// Largest piece that a flash device may read or write at once, in bytes.
pub const FLASH_UNIT_LEN_MAX: usize = 32;

/// Longest record on flash with its check, rounded up to what a device writes at once, in bytes.
pub const SLOT_LEN_MAX: usize = 128;

/// Slots of a flash that are tried for one record before the device is taken for broken.
pub const FLASH_TRIES_MAX: usize = 4;

/// What a siren keeps over a power cut, in bytes.
pub const NOTE_LEN: usize = 96;

/// Gateways whose down counters a node follows at once; the one heard longest ago gives way.
pub const GATEWAYS_PER_NODE: usize = 4;

/// Words of 64 bits in a node's replay window for one gateway.
pub const NODE_WINDOW_WORDS: usize = 1;

/// Words of 64 bits in a gateway's replay window for one node: 1,024 packets.
pub const GATEWAY_WINDOW_WORDS: usize = 16;

/// Words of 64 bits in a gateway's duplicate filter for one alert sequence: 1,024 alerts.
pub const DEDUPE_WORDS: usize = 16;

/// Flash alerts a node may have between its floor and its newest before it refuses: the span of the
/// gateway's duplicate filter, so that no open Flash alert can ever fall out of it.
pub const FLASH_SPAN_MAX: u32 = 1024;

/// Alerts of one node and one sort (live Flash, other live, exercise) handed to a gateway's host and not yet stored.
pub const UNSTORED_PER_PEER: usize = 8;

/// Acknowledgements waiting for a transmission to one node.
pub const ACKS_PER_PEER: usize = 2 * ACK_ITEMS_MAX;

/// Commands to one node that are not yet answered.
pub const COMMANDS_PER_PEER: usize = 8;

/// How long a gateway waits for the answer to a command that is no warning, in milliseconds.
pub const COMMAND_ANSWER_MS: u32 = 10 * 60_000;

/// Alerts of one node that were overtaken by what refers to them, and are still to be recorded.
pub const OVERTAKEN_PER_PEER: usize = 16;

/// Packets in a node's name with a bad tag, within an hour, at which a gateway raises an alarm.
pub const BAD_TAGS_PER_HOUR_MAX: u32 = 1024;

/// Least time between two alarms of one sort about one node, in milliseconds.
pub const ALARM_REPEAT_MS: u32 = 60 * 60_000;

/// How much faster or slower than its gateway's a node's clock may run, in millionths. Any crystal keeps to it; a
/// node that does not would, over days, make its own reports look old, and be reported silent.
pub const CLOCK_DRIFT_PPM_MAX: u32 = 200;

/// Report intervals, in halves, without a proof of life after which a node is silent: three reports and some slack.
pub const SILENT_AFTER_HALF_REPORTS: u32 = 7;

/// Events a node keeps for its caller before the oldest gives way (its loss is counted).
pub const NODE_EVENTS_MAX: usize = 8;

/// How long a siren sounds the all-clear, in milliseconds: longer than it takes to tell it from a blast of a warning,
/// and soon over, because it may be needed for one.
pub const ALL_CLEAR_MS: u32 = 10_000;

/// Warnings a siren sounds at once; one more displaces the one that ends soonest.
pub const WARNINGS_MAX: usize = 4;

/// All-clears a siren remembers: their warnings are refused, however late they come.
pub const CLEARED_MAX: usize = 16;

/// Events a siren keeps for its caller before the oldest gives way.
pub const SIREN_EVENTS_MAX: usize = 4;

/// Links a node or a siren keeps books of; one more shares the last one's.
pub const LINKS_PER_STATION: usize = 4;

/// Air time that a link under a duty limit can save up: that of this many hours.
pub const AIRTIME_BUDGET_HOURS: u32 = 1;

/// Transmissions of a Flash or Immediate alert after which its node says that it cannot get through.
pub const UNDELIVERED_ATTEMPTS: u8 = 8;

/// Commands that a node or a siren knows again when they come again.
pub const COMMANDS_REMEMBERED: usize = 16;

/// Answers to commands that wait for their transmission; one more displaces the oldest, whose command comes again.
pub const ANSWERS_MAX: usize = 4;

/// Shortest time between two reports that are asked for, in milliseconds.
pub const REPORT_HASTE_MS_MIN: u32 = 5_000;

/// Shortest time between two writes of a summary that grows, in milliseconds.
pub const SUMMARY_JOURNAL_MS_MIN: u32 = 1_000;

/// Onsets of one key within [`CHATTER_MS`] after which further ones are counted, not sent.
pub const CHATTER_ONSETS: u8 = 3;

/// The time over which a chattering detector is counted, in milliseconds.
pub const CHATTER_MS: u32 = 60_000;

/// Keys a node watches for chatter; the one quiet longest gives way.
pub const CHATTER_KEYS: usize = 8;

/// Events that a node can still refer to by key after their alerts were stored; the oldest gives way.
pub const EVENTS_REMEMBERED: usize = 16;

/// Ledger values one report carries.
pub const LEDGER_VALUES_PER_REPORT: usize = 5;

/// Report intervals after which an echoed counter is too old to be believed.
pub const ECHO_AGE_REPORTS_MAX: usize = 3;

/// Transmissions of alerts after which a waiting report goes first: one slot in eight, so that silence shows.
pub const ALERTS_PER_REPORT_MAX: u8 = 7;

/// Time to live of a Flash alert, in milliseconds; past it the alert is late, never deleted.
pub const TIME_TO_LIVE_FLASH_MS: u32 = 10 * 60_000;
/// Time to live of an Immediate alert, in milliseconds; past it the alert expires and is counted.
pub const TIME_TO_LIVE_IMMEDIATE_MS: u32 = 60 * 60_000;
/// Time to live of a Priority alert, in milliseconds.
pub const TIME_TO_LIVE_PRIORITY_MS: u32 = 30 * 60_000;
/// Time to live of a Routine alert, in milliseconds.
pub const TIME_TO_LIVE_ROUTINE_MS: u32 = 2 * 60_000;

/// Transmissions of a Routine alert before it is counted undelivered.
pub const ROUTINE_ATTEMPTS_MAX: u8 = 4;

/// Longest wait between two transmissions of one alert, in milliseconds.
pub const RETRY_MS_MAX: u32 = 60_000;

/// Longest a frame waits in a relay, in milliseconds: by then its sender has sent it again, or has no need to.
pub const RELAY_WAIT_MS_MAX: u32 = 2 * RETRY_MS_MAX;

/// Report interval on IP and UART, in milliseconds.
pub const REPORT_INTERVAL_STREAM_MS: u32 = 60_000;
/// Report interval on radio links at SF7 to SF9, in milliseconds.
pub const REPORT_INTERVAL_RADIO_MS: u32 = 300_000;

// The small radio profile holds every body, and every body holds what it may be asked to.
const _: () = assert!(HEADER_LEN + BODY_LEN_MAX + TAG_LEN_SHORT == PACKET_LEN_MAX_RADIO);
const _: () = assert!(VARINT_U32_LEN_MAX + CONTENT_LEN_MAX <= BODY_LEN_MAX);
const _: () = assert!(HEARTBEAT_LEN <= BODY_LEN_MAX && COMMAND_LEN_MAX <= BODY_LEN_MAX);
const _: () = assert!(4 + 4 * ACK_ITEMS_MAX <= BODY_LEN_MAX);
// A frame holds what a test rig says.
const _: () = assert!(STIMULUS_LEN_MAX <= PACKET_LEN_MAX);
// COBS adds exactly one byte only below 255 bytes.
const _: () = assert!(PACKET_LEN_MAX + FRAME_CHECK_LEN < 255);
// A Flash alert between floor and newest always has its bit in the gateway's filter.
#[allow(clippy::as_conversions, reason = "1,024 fits every usize")]
const _: () = assert!(64 * DEDUPE_WORDS == FLASH_SPAN_MAX as usize);
// All alerts that wait for their storing can be acknowledged without dropping an older acknowledgement.
const _: () = assert!(UNSTORED_PER_PEER <= ACKS_PER_PEER && DOWN_COUNTERS_LOW < DOWN_COUNTER_MAX);
// A note and an alert fit a slot with their numbers and checks, which take at most 24 bytes.
const _: () = assert!(NOTE_LEN + 24 <= SLOT_LEN_MAX && CONTENT_LEN_MAX + 24 <= SLOT_LEN_MAX);
const _: () = assert!(SLOT_LEN_MAX.is_multiple_of(FLASH_UNIT_LEN_MAX));
const _: () = assert!(COUNTER_RESERVE < UP_COUNTER_MAX && SEQ_RESERVE < SEQ_MAX);
const _: () = assert!(FLASH_SEQ_RESERVE <= FLASH_SPAN_MAX / 64);
