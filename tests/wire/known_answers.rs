//! Known answers of NIST SP 800-232, by their rule instead of by their thousand lines, through the crates the bus
//! itself uses.

use ascon_aead::aead::consts::U8;
use ascon_aead::aead::{AeadInOut, KeyInit};
use ascon_aead::{AsconAead128, TruncatedAsconAead128};
use ascon_xof128::AsconCxof128;
use ascon_xof128::digest::{ExtendableOutput, TryCustomizedInit, Update, XofReader};
use sha2::{Digest, Sha256};

use crate::hex::Hex;

type Short = TruncatedAsconAead128<U8>;

const KEY_FROM: u8 = 0x00;
const NONCE_FROM: u8 = 0x10;
const PLAINTEXT_FROM: u8 = 0x20;
const ASSOCIATED_FROM: u8 = 0x30;
const LEN_MAX: u8 = 32;

/// `first first+1 …`
fn run(first: u8, len: u8) -> Vec<u8> {
    (first..first + len).collect()
}

/// Every plaintext length with every length of associated data.
fn cases() -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    (0..=LEN_MAX).flat_map(|p| (0..=LEN_MAX).map(move |a| (run(PLAINTEXT_FROM, p), run(ASSOCIATED_FROM, a))))
}

/// Ciphertext and tag.
fn encrypt<C: AeadInOut + KeyInit>(plaintext: &[u8], associated: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (key, nonce) = (run(KEY_FROM, 16), run(NONCE_FROM, 16));
    let cipher = C::new(key.as_slice().try_into().unwrap());
    let mut text = plaintext.to_vec();
    let nonce = nonce.as_slice().try_into().unwrap();
    let tag = cipher.encrypt_inout_detached(nonce, associated, text.as_mut_slice().into()).unwrap();
    (text, tag.to_vec())
}

fn decrypt<C: AeadInOut + KeyInit>(ciphertext: &[u8], tag: &[u8], associated: &[u8]) -> Option<Vec<u8>> {
    let (key, nonce) = (run(KEY_FROM, 16), run(NONCE_FROM, 16));
    let cipher = C::new(key.as_slice().try_into().unwrap());
    let mut text = ciphertext.to_vec();
    let nonce = nonce.as_slice().try_into().unwrap();
    let tag = tag.try_into().unwrap();
    cipher.decrypt_inout_detached(nonce, associated, text.as_mut_slice().into(), tag).ok()?;
    Some(text)
}

#[test]
fn all_1089_answers_of_ascon_aead128() {
    let mut digest = Sha256::new();
    let mut answers = 0;
    for (plaintext, associated) in cases() {
        let (ciphertext, tag) = encrypt::<AsconAead128>(&plaintext, &associated);
        assert_eq!(ciphertext.len(), plaintext.len());
        assert_eq!(tag.len(), 16);
        Digest::update(&mut digest, &ciphertext);
        Digest::update(&mut digest, &tag);
        answers += 1;
        assert_eq!(decrypt::<AsconAead128>(&ciphertext, &tag, &associated), Some(plaintext));
    }
    assert_eq!(answers, 1_089);
    assert_eq!(
        Hex(digest.finalize().to_vec()).to_string(),
        "a2584d735d8806ecf99d93da734fb6144318c244bb9991def56667e1df0aa35e"
    );
}

#[test]
fn the_short_tag_is_the_front_of_the_long_one() {
    for (plaintext, associated) in cases() {
        let (long_text, long_tag) = encrypt::<AsconAead128>(&plaintext, &associated);
        let (short_text, short_tag) = encrypt::<Short>(&plaintext, &associated);
        assert_eq!((short_text.as_slice(), short_tag.as_slice()), (long_text.as_slice(), &long_tag[..8]));
        assert_eq!(decrypt::<Short>(&short_text, &short_tag, &associated), Some(plaintext));
    }
}

/// One flipped bit in each answer, a different one from answer to answer, in ciphertext, tag or associated data.
#[test]
fn a_flipped_bit_is_refused_in_each() {
    for (number, (plaintext, associated)) in cases().enumerate() {
        let (ciphertext, tag) = encrypt::<AsconAead128>(&plaintext, &associated);
        let bits = 8 * (ciphertext.len() + associated.len() + 16);
        let mut all = [ciphertext.as_slice(), &tag, &associated].concat();
        let bit = number * 7_919 % bits;
        all[bit / 8] ^= 1 << (bit % 8);
        let (text, rest) = all.split_at(ciphertext.len());
        let (tag, associated) = rest.split_at(16);
        assert_eq!(decrypt::<AsconAead128>(text, tag, associated), None, "answer {number}, bit {bit}");
        let whole_tag_intact = !(8 * (text.len() + 8)..8 * (text.len() + 16)).contains(&bit);
        if whole_tag_intact {
            assert_eq!(
                decrypt::<Short>(text, &tag[..8], associated),
                None,
                "answer {number}, bit {bit}, short"
            );
        }
    }
}

/// The short tag has its own flips, since half of those above fall into the half that it does not have.
#[test]
fn every_flipped_bit_of_a_short_tag_is_refused() {
    for (plaintext, associated) in cases() {
        let (ciphertext, mut tag) = encrypt::<Short>(&plaintext, &associated);
        for bit in 0..64 {
            tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decrypt::<Short>(&ciphertext, &tag, &associated), None);
            tag[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn all_1089_answers_of_ascon_cxof128() {
    let mut digest = Sha256::new();
    for message in 0..=LEN_MAX {
        for customization in 0..=LEN_MAX {
            let mut xof = AsconCxof128::try_new_customized(&run(0x10, customization)).unwrap();
            Update::update(&mut xof, &run(0x00, message));
            let mut out = [0; 64];
            xof.finalize_xof().read(&mut out);
            Digest::update(&mut digest, out);
        }
    }
    assert_eq!(
        Hex(digest.finalize().to_vec()).to_string(),
        "c82058228ff937e7cc7040146fc7d801a88881887cdf853873c13b9ccf9fffa5"
    );
}

#[test]
fn the_rule_starts_as_the_published_list_does() {
    // Count 1 of the published list: empty plaintext, empty associated data.
    let (_, tag) = encrypt::<AsconAead128>(&[], &[]);
    assert_eq!(Hex(tag).to_string(), "4f9c278211bec9316bf68f46ee8b2ec6");
}
