//! Whether codes are as likely as each other: a million of them, from the operating system's randomness. The same eyes
//! look at generators that are broken in the usual ways, and must see it. Every bound leaves a good generator one
//! chance in a hundred million or less.

use crate::{adapter::system::SystemEntropy, domain::vault, ports::Entropy};

const CODES: usize = 1_000_000;
const DIGITS: usize = 8;
/// Chi-squared with 9 and with 99 degrees of freedom: a good generator is above one time in a billion.
const DIGIT_BOUND: f64 = 63.0;
const PAIR_BOUND: f64 = 208.0;
/// Of a million codes of a hundred million, 4,983 come again; 71 more or less is one standard deviation.
const AGAIN: f64 = 4_983.4;
const AGAIN_BOUND: f64 = 430.0;

/// What is wrong with a million codes, if anything.
fn flaw(mut draw: impl FnMut() -> String) -> Option<String> {
    let mut digits = [[0_u32; 10]; DIGITS];
    let mut pairs = [[0_u32; 100]; DIGITS - 1];
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let code = draw();
        assert_eq!(code.len(), DIGITS, "{code}");
        for (place, window) in code.as_bytes().windows(2).enumerate() {
            let [high, low] = [window[0], window[1]].map(|byte| usize::from(byte - b'0'));
            digits[place][high] += 1;
            pairs[place][high * 10 + low] += 1;
        }
        digits[DIGITS - 1][usize::from(code.as_bytes()[DIGITS - 1] - b'0')] += 1;
        codes.push(code.parse::<u32>().unwrap());
    }
    let of_digits = digits.iter().map(|seen| chi_squared(seen)).enumerate().find(|(_, chi)| *chi > DIGIT_BOUND);
    if let Some((place, chi)) = of_digits {
        return Some(format!("the digits in place {place}: chi-squared {chi:.0}"));
    }
    let of_pairs = pairs.iter().map(|seen| chi_squared(seen)).enumerate().find(|(_, chi)| *chi > PAIR_BOUND);
    if let Some((place, chi)) = of_pairs {
        return Some(format!("the pairs from place {place}: chi-squared {chi:.0}"));
    }
    codes.sort_unstable();
    let again = codes.windows(2).filter(|two| two[0] == two[1]).count();
    let far = (f64::from(u32::try_from(again).unwrap()) - AGAIN).abs() > AGAIN_BOUND;
    far.then(|| format!("{again} codes came again"))
}

fn chi_squared(seen: &[u32]) -> f64 {
    let expected = f64::from(seen.iter().sum::<u32>()) / f64::from(u32::try_from(seen.len()).unwrap());
    seen.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

fn random<const N: usize>() -> [u8; N] {
    *vault::random::<N>(&SystemEntropy)
}

#[test]
fn a_million_codes_are_as_likely_as_each_other() {
    assert_eq!(flaw(|| super::draw_code(&SystemEntropy, DIGITS)), None);
}

#[test]
fn a_generator_that_is_broken_in_a_usual_way_is_seen_to_be() {
    let of_bytes = || random::<DIGITS>().iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    let seen = flaw(of_bytes).unwrap();
    assert!(seen.starts_with("the digits in place 0"), "a byte leaves six digits more often than four: {seen}");

    let of_a_word = || format!("{:08}", (i32::from_le_bytes(random()) % 100_000_000).abs());
    let seen = flaw(of_a_word).unwrap();
    assert!(seen.starts_with("the digits in place 0"), "31 bits are no multiple of the codes: {seen}");

    let mut last = 0;
    let never_zero = || format!("{:08}", 1 + u64::from_le_bytes(random()) % 99_999_999);
    assert_eq!(flaw(never_zero), None, "a single code that never comes is below what a million can tell");
    let in_turn = || {
        // Every code once before any comes again, in an order that looks random.
        last = (last + 61_803_399) % 100_000_000;
        format!("{last:08}")
    };
    assert!(flaw(in_turn).is_some(), "what has come cannot come again");

    let of_few_states = || {
        let state = u32::from_le_bytes(random()) >> 8;
        let mut block = [0; 16];
        Spread(u64::from(state)).fill(&mut block);
        format!("{:08}", u128::from_le_bytes(block) % 100_000_000)
    };
    let seen = flaw(of_few_states).unwrap();
    assert!(seen.ends_with("came again"), "24 bits of state are too few: {seen}");
}

/// A good mix of a small seed.
struct Spread(u64);

impl Entropy for Spread {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0;
        for chunk in buffer.chunks_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
