//! The format written a second time: keys, nonce, associated data, packet and frame, straight from the tables of
//! `WIRE.md`, with nothing of the crate but the ciphers it stands on.

use ascon_aead::AsconAead128;
use ascon_aead::aead::{AeadInOut, KeyInit};
use ascon_xof128::AsconCxof128;
use ascon_xof128::digest::{ExtendableOutput, TryCustomizedInit, Update, XofReader};

use crate::hex::Hex;
use crate::spec_body;
use crate::vector::{Derived, Given, Vector};

pub(crate) const PRECEDENCE: [&str; 4] = ["routine", "priority", "immediate", "flash"];
pub(crate) const CLASS: [&str; 4] = ["alert", "report", "ack", "command"];

/// The vector of these inputs.
pub(crate) fn vector(name: &str, given: Given) -> Vector {
    let derived = derive(&given);
    Vector { name: name.into(), given, derived }
}

pub(crate) fn derive(given: &Given) -> Derived {
    let body = spec_body::body(&given.message);
    let node_key = node_key(&given.master_key.0, given.network, given.node);
    let link_key = link_key(&node_key, given);
    let header = header(given);
    let nonce = [
        b"AB1".as_slice(),
        &header[..1],
        &given.epoch.to_be_bytes(),
        &u32::from(given.node).to_be_bytes(),
        &given.counter.to_be_bytes(),
    ]
    .concat();
    let associated_data = [header.as_slice(), &[given.tag_len]].concat();

    let mut ciphertext = body.clone();
    let tag = AsconAead128::new(link_key.as_slice().try_into().unwrap())
        .encrypt_inout_detached(
            nonce.as_slice().try_into().unwrap(),
            &associated_data,
            ciphertext.as_mut_slice().into(),
        )
        .unwrap();
    let packet = [header.as_slice(), &ciphertext, &tag[..usize::from(given.tag_len)]].concat();
    Derived {
        frame: (given.tag_len == 16).then(|| Hex(frame(&packet))),
        node_key: Hex(node_key),
        link_key: Hex(link_key),
        nonce: Hex(nonce),
        associated_data: Hex(associated_data),
        body: Hex(body),
        packet: Hex(packet),
    }
}

fn node_key(master_key: &[u8], network: u32, node: u16) -> Vec<u8> {
    let message = [master_key, &network.to_be_bytes(), &node.to_be_bytes()].concat();
    cxof128(b"alertbus node v1", &message)
}

fn link_key(node_key: &[u8], given: &Given) -> Vec<u8> {
    let direction = u8::from(given.direction == "down");
    let purpose = [direction, u8::from(given.exercise)];
    cxof128(b"alertbus link v1", &[node_key, &purpose, &given.epoch.to_be_bytes()].concat())
}

fn cxof128(customization: &[u8], message: &[u8]) -> Vec<u8> {
    let mut xof = AsconCxof128::try_new_customized(customization).unwrap();
    xof.update(message);
    let mut key = vec![0; 16];
    xof.finalize_xof().read(&mut key);
    key
}

fn header(given: &Given) -> Vec<u8> {
    let first = spec_body::bits(&[
        (1, 2),
        (number(&CLASS, &given.class), 2),
        (number(&PRECEDENCE, &given.precedence), 2),
        (u64::from(given.exercise), 1),
        (0, 1),
    ]);
    let epoch_low = u8::try_from(given.epoch % 256).unwrap();
    [first.as_slice(), &[epoch_low], &given.node.to_be_bytes(), &given.counter.to_be_bytes()].concat()
}

/// The number of a word in a list without gaps.
pub(crate) fn number(words: &[&str], word: &str) -> u64 {
    let at = words.iter().position(|&other| other == word);
    u64::try_from(at.unwrap_or_else(|| panic!("{word} is none of {words:?}"))).unwrap()
}

/// Packet and check, stuffed, and the delimiter.
pub(crate) fn frame(packet: &[u8]) -> Vec<u8> {
    let mut stuffed = stuff(&[packet, &crc16(packet).to_be_bytes()].concat());
    stuffed.push(0);
    stuffed
}

/// CRC-16/IBM-SDLC bit by bit: polynomial 0x1021 reflected, all ones before, inverted behind.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    let mut register = 0xffff_u16;
    for &byte in bytes {
        register ^= u16::from(byte);
        for _ in 0..8 {
            let carry = register & 1 == 1;
            register >>= 1;
            if carry {
                register ^= 0x8408;
            }
        }
    }
    !register
}

/// Consistent overhead byte stuffing for less than 254 bytes: each zero becomes the distance to the next.
fn stuff(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 254);
    let mut stuffed = Vec::new();
    for group in bytes.split(|&byte| byte == 0) {
        stuffed.push(u8::try_from(group.len() + 1).unwrap());
        stuffed.extend(group);
    }
    stuffed
}

/// What [`stuff`] came from, or none where a distance leads beyond the end.
pub(crate) fn unstuff(stuffed: &[u8]) -> Option<Vec<u8>> {
    let mut groups = Vec::new();
    let mut rest = stuffed;
    while let Some((&distance, behind)) = rest.split_first() {
        let (group, next) = behind.split_at_checked(usize::from(distance).checked_sub(1)?)?;
        groups.push(group);
        rest = next;
    }
    Some(groups.join(&0))
}

#[test]
fn the_check_value_of_the_crc() {
    assert_eq!(crc16(b"123456789"), 0x906e);
}

#[test]
fn stuffing_as_published() {
    for (bytes, stuffed) in [
        (&[][..], &[1][..]),
        (&[0], &[1, 1]),
        (&[0, 0], &[1, 1, 1]),
        (&[0x11, 0x22, 0, 0x33], &[3, 0x11, 0x22, 2, 0x33]),
        (&[0x11, 0, 0, 0], &[2, 0x11, 1, 1, 1]),
    ] {
        assert_eq!(stuff(bytes), stuffed);
        assert_eq!(unstuff(stuffed).as_deref(), Some(bytes));
    }
}
