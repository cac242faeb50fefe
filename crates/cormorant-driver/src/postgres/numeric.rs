//! `numeric` in its binary form: four 16-bit words, then digits of base 10,000.

use bytes::{BufMut, BytesMut};
use rust_decimal::Decimal;

use crate::Mismatch;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITIES: [u16; 2] = [0xD000, 0xF000];

/// The most digits behind the point that [`Decimal`] keeps.
const MAX_SCALE: u32 = 28;

pub(super) fn put(number: Decimal, out: &mut BytesMut) {
    let scale = number.scale();
    // Digits of base 10,000 begin at the point, so what is behind it is filled up to a multiple of four.
    let filled = scale.next_multiple_of(4);
    let mut rest = number.mantissa().unsigned_abs() * 10_u128.pow(filled - scale);
    let mut digits = [0_i16; 10];
    let mut count: u16 = 0;
    // From the last to the first; zeros at the end are left out.
    for digit in &mut digits {
        if rest == 0 {
            break;
        }
        *digit = (rest % 10_000) as i16;
        rest /= 10_000;
        count += 1;
    }
    let written = digits.get(..usize::from(count)).unwrap_or_default();
    let zeros = written.iter().take_while(|digit| **digit == 0).count();
    let significant = written.get(zeros..).unwrap_or_default();
    // The place of the first digit, counted from the point.
    let weight = i32::from(count) - 1 - (filled / 4) as i32;
    let negative = number.is_sign_negative() && !significant.is_empty();
    out.put_i16(significant.len() as i16);
    out.put_i16(if significant.is_empty() { 0 } else { weight as i16 });
    out.put_u16(if negative { NEGATIVE } else { 0 });
    out.put_u16(scale as u16);
    significant.iter().rev().for_each(|digit| out.put_i16(*digit));
}

/// Reads a number, with the digits behind the point that its column has. Never rounds.
pub(super) fn take(bytes: &[u8]) -> Result<Decimal, Mismatch> {
    let mut words = bytes.chunks_exact(2).filter_map(|word| <[u8; 2]>::try_from(word).ok());
    let mut word = || words.next().map(u16::from_be_bytes).ok_or_else(broken);
    let (count, weight, sign, scale) = (word()?, word()? as i16, word()?, word()?);
    match sign {
        NAN => return Err(Mismatch::new(EXPECTED, "NaN")),
        sign if INFINITIES.contains(&sign) => return Err(Mismatch::new(EXPECTED, "infinity")),
        _ => {}
    }
    let (mut mantissa, mut zeros) = (0_i128, 0_u32);
    for _ in 0..count {
        match word()? {
            0 => zeros += 1,
            digit => {
                let shift = 10_000_i128.checked_pow(zeros + 1).ok_or_else(too_long)?;
                let shifted = mantissa.checked_mul(shift).ok_or_else(too_long)?;
                mantissa = shifted.checked_add(i128::from(digit)).ok_or_else(too_long)?;
                zeros = 0;
            }
        }
    }
    let last = i32::from(count) - 1 - zeros as i32;
    let exponent = 4 * (i32::from(weight) - last);
    if sign == NEGATIVE {
        mantissa = -mantissa;
    }
    // As many digits behind the point as the column has, or as there is room for.
    let mut scales = (0..=u32::from(scale).min(MAX_SCALE)).rev();
    scales.find_map(|scale| scaled(mantissa, exponent, scale)).ok_or_else(too_long)
}

/// `mantissa` times ten to the power of `exponent`, if it is exact with so many digits behind the point.
fn scaled(mantissa: i128, exponent: i32, scale: u32) -> Option<Decimal> {
    let shift = exponent + scale as i32;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let units = match power {
        _ if mantissa == 0 => 0,
        Some(power) if shift >= 0 => mantissa.checked_mul(power)?,
        Some(power) if mantissa % power == 0 => mantissa / power,
        _ => return None,
    };
    Decimal::try_from_i128_with_scale(units, scale).ok()
}

const EXPECTED: &str = "an exact number";

fn too_long() -> Mismatch {
    Mismatch::new("an exact number of at most 28 digits", "a longer numeric")
}

fn broken() -> Mismatch {
    Mismatch::new(EXPECTED, "a numeric that ends early")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn what_goes_comes_back() {
        for text in [
            "0",
            "0.00",
            "9.90",
            "-5",
            "1",
            "10000",
            "100000000",
            "0.0001",
            "0.00001",
            "-0.10",
            "12345.678900",
            "79228162514264337593543950335",
            "-79228162514264337593543950335",
            "7.9228162514264337593543950335",
            "0.0000000000000000000000000001",
            "9999999999999999999999999999",
            "1234567890123456789012345.678",
        ] {
            let number: Decimal = text.parse().unwrap();
            let mut out = BytesMut::new();
            put(number, &mut out);
            assert_eq!(take(&out).unwrap().to_string(), text);
        }
        let mut minus_zero = Decimal::ZERO;
        minus_zero.set_sign_negative(true);
        let mut out = BytesMut::new();
        put(minus_zero, &mut out);
        assert_eq!(&out[..], &words(&[0, 0, 0, 0])[..]);
    }

    #[test]
    fn what_does_not_fit_is_never_rounded() {
        let huge: Vec<u16> = [9, 8, 0, 0].into_iter().chain([9999; 9]).collect();
        for wrong in [&[1, 0, NAN, 0, 1][..], &[0, 0, 0xD000, 0], &[0, 0, 0xF000, 0], &[1, 100, 0, 0, 1], &huge] {
            assert!(take(&words(wrong)).is_err(), "{wrong:?}");
        }
        // A last digit that `Decimal` has no place for: 1e-32.
        assert!(take(&words(&[1, (-8_i16) as u16, 0, 32, 1])).is_err());
        // Zeros alone may go: 1.5 with forty digits behind the point, 123 with thirty.
        assert_eq!(take(&words(&[2, 0, 0, 40, 1, 5000])).unwrap(), "1.5".parse().unwrap());
        assert_eq!(take(&words(&[1, 0, 0, 30, 123])).unwrap(), Decimal::from(123));
        assert_eq!(take(&words(&[3, 2, 0, 0, 1, 0, 0])).unwrap(), Decimal::from(100_000_000));
    }

    #[test]
    fn broken_bytes_are_no_panic() {
        for length in 0..12 {
            assert!(take(&vec![0xFF; length]).is_err());
            let _ = take(&vec![0x7F; length]);
            let _ = take(&vec![0; length]);
        }
        let mut extreme = words(&[u16::MAX, 0x7FFF, 0, u16::MAX]);
        extreme.extend(vec![0; 2 * usize::from(u16::MAX)]);
        assert_eq!(take(&extreme).unwrap(), Decimal::ZERO);
    }
}
