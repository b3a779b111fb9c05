//! Tests that codes are uniformly distributed: draws a million of them with the operating system's randomness. The same
//! checks must also detect typical broken generators. Each check fails for a good generator with a probability of at
//! most one in a hundred million.

use crate::{adapter::system::SystemEntropy, domain::vault, ports::Entropy};

const CODES: usize = 1_000_000;
const DIGITS: usize = 8;
/// Chi-squared bounds for 9 and 99 degrees of freedom. A good generator exceeds them once in a billion runs.
const DIGIT_BOUND: f64 = 63.0;
const PAIR_BOUND: f64 = 208.0;
/// Expected repetitions among a million codes out of a hundred million. One standard deviation is 71.
const REPEATS: f64 = 4_983.4;
const REPEATS_BOUND: f64 = 430.0;

/// Draws a million codes and returns the first defect found.
fn find_defect(mut draw: impl FnMut() -> String) -> Option<String> {
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
    let biased_digits = digits.iter().map(|seen| chi_squared(seen)).enumerate().find(|(_, chi)| *chi > DIGIT_BOUND);
    if let Some((place, chi)) = biased_digits {
        return Some(format!("digits at position {place}: chi-squared {chi:.0}"));
    }
    let biased_pairs = pairs.iter().map(|seen| chi_squared(seen)).enumerate().find(|(_, chi)| *chi > PAIR_BOUND);
    if let Some((place, chi)) = biased_pairs {
        return Some(format!("pairs at position {place}: chi-squared {chi:.0}"));
    }
    codes.sort_unstable();
    let repeats = codes.windows(2).filter(|two| two[0] == two[1]).count();
    let is_off = (f64::from(u32::try_from(repeats).unwrap()) - REPEATS).abs() > REPEATS_BOUND;
    is_off.then(|| format!("{repeats} codes repeated"))
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
    assert_eq!(find_defect(|| super::draw_code(&SystemEntropy, DIGITS)), None);
}

#[test]
fn a_generator_that_is_broken_in_a_usual_way_is_seen_to_be() {
    let byte_modulo_ten = || random::<DIGITS>().iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    let defect = find_defect(byte_modulo_ten).unwrap();
    assert!(defect.starts_with("digits at position 0"), "256 is not a multiple of 10: {defect}");

    let word_modulo_codes = || format!("{:08}", (i32::from_le_bytes(random()) % 100_000_000).abs());
    let defect = find_defect(word_modulo_codes).unwrap();
    assert!(defect.starts_with("digits at position 0"), "2^31 is not a multiple of the number of codes: {defect}");

    let mut last = 0;
    let never_zero = || format!("{:08}", 1 + u64::from_le_bytes(random()) % 99_999_999);
    assert_eq!(find_defect(never_zero), None, "one missing code cannot be detected in a million draws");
    let full_cycle = || {
        // Draws every code once before any repeats, in an order that looks random.
        last = (last + 61_803_399) % 100_000_000;
        format!("{last:08}")
    };
    assert!(find_defect(full_cycle).is_some(), "codes never repeat");

    let small_state = || {
        let state = u32::from_le_bytes(random()) >> 8;
        let mut block = [0; 16];
        Spread(u64::from(state)).fill(&mut block);
        format!("{:08}", u128::from_le_bytes(block) % 100_000_000)
    };
    let defect = find_defect(small_state).unwrap();
    assert!(defect.ends_with("repeated"), "24 bits of state are too few: {defect}");
}

/// A good generator with a small seed.
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
