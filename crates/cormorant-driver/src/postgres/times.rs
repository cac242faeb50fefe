//! Days and times as PostgreSQL counts them: from the start of the year 2000.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};

use crate::Mismatch;

const DAY: i64 = 86_400_000_000;
/// From 1970 to 2000.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH: i64 = EPOCH_DAYS as i64 * DAY;
/// 1970 all the same: jiff adds as many days as its years are away from there.
const UNIX_DAY: Date = date(1970, 1, 1);

pub(super) fn date_to_days(date: Date) -> i32 {
    // Years from -9999 to 9999 are a few million days.
    date.duration_since(UNIX_DAY).as_secs().div_euclid(86_400) as i32 - EPOCH_DAYS
}

/// What is below a microsecond is cut.
pub(super) fn time_to_micros(time: Time) -> i64 {
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
}

pub(super) fn date_time_to_micros(moment: DateTime) -> i64 {
    i64::from(date_to_days(moment.date())) * DAY + time_to_micros(moment.time())
}

pub(super) fn timestamp_to_micros(moment: Timestamp) -> i64 {
    // Downwards before 1970 too. The years that jiff knows fit by far.
    moment.as_nanosecond().div_euclid(1_000) as i64 - EPOCH
}

pub(super) fn date_from_days(days: i32) -> Result<Date, Mismatch> {
    day(days.into()).ok_or_else(|| outside("a date", days == i32::MAX || days == i32::MIN))
}

fn day(days: i64) -> Option<Date> {
    let since_unix = (days + i64::from(EPOCH_DAYS)).checked_mul(86_400)?;
    UNIX_DAY.checked_add(SignedDuration::from_secs(since_unix)).ok()
}

pub(super) fn time_from_micros(micros: i64) -> Result<Time, Mismatch> {
    match micros {
        0..DAY => Time::midnight().checked_add(SignedDuration::from_micros(micros)).ok(),
        _ => None,
    }
    .ok_or_else(|| Mismatch::new("a time before 24:00", "one that is not"))
}

pub(super) fn date_time_from_micros(micros: i64) -> Result<DateTime, Mismatch> {
    let day = day(micros.div_euclid(DAY)).ok_or_else(|| outside("a date and time", is_infinity(micros)))?;
    Ok(day.to_datetime(time_from_micros(micros.rem_euclid(DAY))?))
}

pub(super) fn timestamp_from_micros(micros: i64) -> Result<Timestamp, Mismatch> {
    let found = micros.checked_add(EPOCH).and_then(|micros| {
        let (second, below) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        Timestamp::new(second, below as i32 * 1_000).ok()
    });
    found.ok_or_else(|| outside("a moment", is_infinity(micros)))
}

fn is_infinity(micros: i64) -> bool {
    micros == i64::MAX || micros == i64::MIN
}

fn outside(expected: &'static str, infinity: bool) -> Mismatch {
    Mismatch::new(expected, if infinity { "infinity" } else { "one outside the years -9999 to 9999" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_comes_back() {
        for day in [Date::MIN, Date::MAX, date(1, 1, 1), date(1999, 12, 31), date(2000, 1, 1)] {
            assert_eq!(date_from_days(date_to_days(day)), Ok(day));
            for time in [Time::midnight(), Time::constant(23, 59, 59, 999_999_000)] {
                assert_eq!(time_from_micros(time_to_micros(time)), Ok(time));
                let moment = day.to_datetime(time);
                assert_eq!(date_time_from_micros(date_time_to_micros(moment)), Ok(moment));
            }
        }
        for moment in ["-009999-01-02T01:59:59Z", "1969-12-31T23:59:59.999999Z", "9999-12-30T22:00:00.999999Z"] {
            let moment: Timestamp = moment.parse().unwrap();
            assert_eq!(timestamp_from_micros(timestamp_to_micros(moment)), Ok(moment));
        }
    }

    #[test]
    fn what_is_below_a_microsecond_is_cut() {
        let before: Timestamp = "1969-12-31T23:59:59.9999999Z".parse().unwrap();
        assert_eq!(timestamp_to_micros(before), -EPOCH - 1);
        assert_eq!(time_to_micros(Time::constant(23, 59, 59, 999_999_999)), DAY - 1);
    }

    #[test]
    fn nothing_overflows() {
        for micros in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            assert!(date_time_from_micros(micros).is_err());
            assert!(timestamp_from_micros(micros).is_err());
            assert!(time_from_micros(micros).is_err());
        }
        for days in [i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX] {
            assert!(date_from_days(days).is_err());
        }
        assert!(time_from_micros(DAY).is_err());
        assert!(date_from_days(i32::MAX).unwrap_err().to_string().contains("infinity"));
    }
}
