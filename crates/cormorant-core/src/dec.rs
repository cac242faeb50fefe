//! Exact numbers in the program's text.

use rust_decimal::Decimal;

/// An exact number: `dec!(9.90)`, checked by the compiler.
///
/// ```
/// use cormorant::prelude::*;
/// assert_eq!(dec!(9.90).to_string(), "9.90");
/// assert_eq!(dec!(-1_000), Decimal::from(-1000));
/// ```
#[macro_export]
macro_rules! dec {
    ($($number:tt)+) => {
        const { $crate::__private::decimal(::core::stringify!($($number)+)) }
    };
}

/// Reads a number; runs in the compiler only, where a panic is a message.
#[doc(hidden)]
#[allow(clippy::panic, clippy::indexing_slicing, reason = "evaluated by the compiler: a panic is a compile error")]
pub const fn decimal(text: &str) -> Decimal {
    let bytes = text.as_bytes();
    let (mut at, mut digits, mut scale) = (0, 0u128, 0u32);
    let (mut negative, mut point, mut any) = (false, false, false);
    while at < bytes.len() {
        match bytes[at] {
            b'-' if at == 0 => negative = true,
            b'.' if !point => point = true,
            b'_' | b' ' => {}
            digit @ b'0'..=b'9' => {
                digits = digits * 10 + (digit - b'0') as u128;
                if digits >> 96 != 0 {
                    panic!("dec! takes at most 28 digits");
                }
                scale += point as u32;
                any = true;
            }
            _ => panic!("dec! takes a decimal number, such as 9.90"),
        }
        at += 1;
    }
    if !any || scale > 28 {
        panic!("dec! takes a decimal number of at most 28 digits, such as 9.90");
    }
    Decimal::from_parts(digits as u32, (digits >> 32) as u32, (digits >> 64) as u32, negative, scale)
}
