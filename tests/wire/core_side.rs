//! The same vectors through the crate: plain fields into its types, and its own way from there to the packet.

use alertbus::limits::{BODY_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, ConvoyIedState, CramEngagement, CramEngagementState, DroneSighting,
    DroneSightingState, Payload, RocketLaunch, Summary, Tamper, Tampering, Target, Trigger, Weapon,
};
use alertbus::message::{
    Ack, AckItem, Acted, Alert, Body, Certainty, Command, CommandId, CommandResult, Heartbeat, Order, Phase,
    Reference, ResetCause, Seq, Severity, Urgency, split_body,
};
use alertbus::place::{Accuracy, Place, SiteId};
use alertbus::provision::Blob;
use alertbus::time::{ClockQuality, EventTime};
use alertbus::wire::keys::{Direction, Epoch, LinkKey, MasterKey, NodeKey};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{NodeId, Precedence};

use crate::spec::{CLASS, PRECEDENCE, number};
use crate::spec_body::CLOCK;
use crate::vector::{
    AckFields, ActedFields, AlertFields, CommandFields, CommandIdFields, Given, HeartbeatFields, KindFields,
    Message, OrderFields, ReferenceFields,
};

pub(crate) fn node_key(given: &Given) -> NodeKey {
    let master_key = MasterKey::from_bytes(given.master_key.0.as_slice().try_into().unwrap());
    master_key.node_key(given.network, NodeId(given.node))
}

/// A key leaves the crate in a provisioning blob only.
pub(crate) fn node_key_bytes(given: &Given) -> Vec<u8> {
    let (network, node, key) = (given.network, NodeId(given.node), node_key(given));
    let blob = Blob { network, node, key, epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
    blob.encode().unwrap().expose()[24..40].to_vec()
}

pub(crate) fn link_key(given: &Given) -> LinkKey {
    let direction = match given.direction.as_str() {
        "up" => Direction::Up,
        "down" => Direction::Down,
        other => panic!("direction {other}"),
    };
    node_key(given).link_key(direction, given.exercise, Epoch(given.epoch))
}

pub(crate) fn header(given: &Given) -> Header {
    let classes = [Class::Alert, Class::Report, Class::Ack, Class::Command];
    Header {
        class: classes[usize::try_from(number(&CLASS, &given.class)).unwrap()],
        precedence: Precedence::ALL[usize::try_from(number(&PRECEDENCE, &given.precedence)).unwrap()],
        exercise: given.exercise,
        epoch_low: Epoch(given.epoch).low(),
        node: NodeId(given.node),
        counter: given.counter,
    }
}

pub(crate) fn tag(given: &Given) -> TagLength {
    match given.tag_len {
        8 => TagLength::Short,
        16 => TagLength::Long,
        other => panic!("tag of {other} bytes"),
    }
}

pub(crate) fn seal(given: &Given, body: &[u8]) -> Vec<u8> {
    let mut out = [0; PACKET_LEN_MAX];
    packet::seal(&link_key(given), &header(given), body, tag(given), &mut out).unwrap().to_vec()
}

/// Checks header and tag and returns the body.
pub(crate) fn open(given: &Given, bytes: &[u8]) -> Vec<u8> {
    let sealed = packet::parse(bytes, tag(given)).unwrap();
    assert_eq!(sealed.header(), &header(given));
    sealed.open(&link_key(given), &mut [0; BODY_LEN_MAX]).unwrap().to_vec()
}

/// The body as the crate encodes it. A kind that it does not know can't be drafted, only passed on as it came:
/// there the content is read first.
pub(crate) fn encode(message: &Message, expected: &[u8]) -> Vec<u8> {
    let mut out = [0; BODY_LEN_MAX];
    let len = match message {
        Message::Alert(fields) => {
            let seq = Seq::new(fields.seq).unwrap();
            let alert =
                alert(fields).unwrap_or_else(|| Alert::decode(split_body(expected).unwrap().1).unwrap());
            alert.content().body(seq, &mut out)
        }
        Message::Heartbeat(fields) => return heartbeat(fields).encode().to_vec(),
        Message::Ack(fields) => ack(fields).encode(&mut out),
        Message::Command(fields) => {
            let len = command(fields).encode(&mut out);
            // What an unknown order says is nothing that the crate could write.
            let unknown = match &fields.order {
                OrderFields::Unknown { fields, .. } => fields.0.as_slice(),
                _ => &[],
            };
            return [&out[..len], unknown].concat();
        }
        Message::Acted(fields) => return acted(fields).encode().to_vec(),
        Message::Bytes(bytes) => return bytes.0.clone(),
    };
    out[..len].to_vec()
}

/// Reads `body` and compares it with what the vector says in plain fields.
pub(crate) fn check_decoded(message: &Message, body: &[u8]) {
    match message {
        Message::Alert(fields) => {
            let (seq, content) = split_body(body).unwrap();
            assert_eq!(seq.number(), fields.seq);
            let decoded = Alert::decode(content).unwrap();
            match (&fields.kind, decoded.body) {
                (KindFields::Unknown { code, payload }, Body::Unknown(opaque)) => {
                    assert_eq!((opaque.code(), opaque.payload()), (*code, payload.0.as_slice()));
                    let known = KindFields::Summary { count: 0, span_s: 0, kinds: 0 };
                    let expected = alert(&AlertFields { kind: known, ..fields.clone() }).unwrap();
                    assert_eq!(Alert { body: expected.body, ..decoded }, expected);
                }
                _ => assert_eq!(Some(decoded), alert(fields)),
            }
        }
        Message::Heartbeat(fields) => assert_eq!(Heartbeat::decode(body), Ok(heartbeat(fields))),
        Message::Ack(fields) => assert_eq!(Ack::decode(body), Ok(ack(fields))),
        Message::Command(fields) => assert_eq!(Command::decode(body), Ok(command(fields))),
        Message::Acted(fields) => assert_eq!(Acted::decode(body), Ok(acted(fields))),
        Message::Bytes(bytes) => assert_eq!(body, bytes.0),
    }
}

/// None where the kind is unknown.
pub(crate) fn alert(fields: &AlertFields) -> Option<Alert> {
    let accuracy = fields.accuracy_m.map_or(Accuracy::UNKNOWN, Accuracy::within_metres);
    assert_eq!(accuracy.radius_m(), fields.accuracy_m);
    Some(Alert {
        phase: Phase::from_name(&fields.phase).unwrap(),
        reference: fields.reference.as_ref().map(reference),
        severity: Severity::from_name(&fields.severity).unwrap(),
        urgency: Urgency::from_name(&fields.urgency).unwrap(),
        certainty: Certainty::from_name(&fields.certainty).unwrap(),
        place: Place::from_degrees_e7(fields.latitude_e7, fields.longitude_e7, accuracy),
        time: EventTime::new(fields.time_ms, clock(&fields.clock)),
        boot: fields.boot,
        body: body(&fields.kind)?,
    })
}

fn reference(fields: &ReferenceFields) -> Reference {
    match fields {
        ReferenceFields::AllOfKind => Reference::AllOfKind,
        ReferenceFields::Back(distance) => Reference::Back(*distance),
        ReferenceFields::Other(seq) => Reference::Other(Seq::new(*seq).unwrap()),
    }
}

fn clock(word: &str) -> ClockQuality {
    ClockQuality::from_bits(u8::try_from(number(&CLOCK, word)).unwrap())
}

fn body(kind: &KindFields) -> Option<Body> {
    Some(match kind {
        &KindFields::Summary { count, span_s, kinds } => Summary { count, span_s, kinds }.into(),
        KindFields::RocketLaunch { .. } => rocket_launch(kind),
        KindFields::CramEngagement { engaged, destroyed, leaked, state, debris_radius_m, guarded_site } => {
            let state = CramEngagementState::from_name(state).unwrap();
            let (engaged, destroyed, leaked) = (*engaged, *destroyed, *leaked);
            let (debris_radius_m, guarded_site) = (*debris_radius_m, SiteId(*guarded_site));
            CramEngagement { engaged, destroyed, leaked, state, debris_radius_m, guarded_site }.into()
        }
        KindFields::DroneSighting { .. } => drone_sighting(kind),
        KindFields::ConvoyIed { .. } => convoy_ied(kind),
        KindFields::Tamper { what } => Tamper { what: Tampering::from_name(what).unwrap() }.into(),
        KindFields::Unknown { .. } => return None,
    })
}

fn rocket_launch(kind: &KindFields) -> Body {
    let KindFields::RocketLaunch { weapon, calibre_mm, bearing_deg, rounds, impact_site, time_to_impact_ds } =
        kind
    else {
        unreachable!()
    };
    RocketLaunch {
        weapon: Weapon::from_name(weapon).unwrap(),
        calibre_mm: *calibre_mm,
        bearing_deg: *bearing_deg,
        rounds: *rounds,
        impact_site: SiteId(*impact_site),
        time_to_impact_ds: *time_to_impact_ds,
    }
    .into()
}

fn drone_sighting(kind: &KindFields) -> Body {
    let KindFields::DroneSighting {
        airframe,
        state,
        payload,
        equivalent_calibre_mm,
        count,
        altitude_m,
        course_deg,
        speed_m_s,
    } = kind
    else {
        unreachable!()
    };
    DroneSighting {
        airframe: Airframe::from_name(airframe).unwrap(),
        state: DroneSightingState::from_name(state).unwrap(),
        payload: Payload::from_name(payload).unwrap(),
        equivalent_calibre_mm: *equivalent_calibre_mm,
        count: *count,
        altitude_m: *altitude_m,
        course_deg: *course_deg,
        speed_m_s: *speed_m_s,
    }
    .into()
}

fn convoy_ied(kind: &KindFields) -> Body {
    let KindFields::ConvoyIed { state, trigger, charge, array_count, target, vehicles, wounded, killed } =
        kind
    else {
        unreachable!()
    };
    ConvoyIed {
        state: ConvoyIedState::from_name(state).unwrap(),
        trigger: Trigger::from_name(trigger).unwrap(),
        charge: Charge::from_name(charge).unwrap(),
        array_count: *array_count,
        target: Target::from_name(target).unwrap(),
        vehicles: *vehicles,
        wounded: *wounded,
        killed: *killed,
    }
    .into()
}

fn heartbeat(fields: &HeartbeatFields) -> Heartbeat {
    Heartbeat {
        boot: fields.boot,
        reset_cause: ResetCause::from_name(&fields.reset_cause).unwrap(),
        uptime_ms: fields.uptime_ms,
        heard: fields.heard,
        flash_floor: fields.flash_floor,
        flash_refused: fields.flash_refused,
        driver_errors: fields.driver_errors,
        ledger_index: fields.ledger_index,
        ledger: fields.ledger,
    }
}

fn ack(fields: &AckFields) -> Ack {
    let mut ack = Ack::new(fields.echo);
    for stored in &fields.stored {
        assert!(ack.push(AckItem { flash: stored.flash, seq: Seq::new(stored.seq).unwrap() }));
    }
    ack
}

fn command(fields: &CommandFields) -> Command {
    let order = match &fields.order {
        &OrderFields::Warn { zone, kind, duration_s } => Order::Warn { zone: SiteId(zone), kind, duration_s },
        OrderFields::Clear { ids } => Order::Clear(ids.iter().map(|id| command_id(*id)).collect()),
        &OrderFields::Test { duration_s } => Order::Test { duration_s },
        OrderFields::Time { clock: word, time_ms } => Order::Time(EventTime::new(*time_ms, clock(word))),
        &OrderFields::NextEpoch { epoch } => Order::NextEpoch(Epoch(epoch)),
        &OrderFields::Locate { duration_s } => Order::Locate { duration_s },
        &OrderFields::Unknown { code, .. } => Order::Unknown { code },
    };
    Command { echo: fields.echo, id: command_id(fields.id), order }
}

const fn command_id(id: CommandIdFields) -> CommandId {
    CommandId { epoch_low: id.epoch_low, counter: id.counter }
}

fn acted(fields: &ActedFields) -> Acted {
    Acted { id: command_id(fields.id), result: CommandResult::from_name(&fields.result).unwrap() }
}
