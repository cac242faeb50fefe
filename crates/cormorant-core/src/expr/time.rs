//! Parts of dates and times. A moment's parts are those of UTC.

use cormorant_sql::{Function, Token};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use super::Expr;

/// Types with a day.
#[diagnostic::on_unimplemented(message = "`{Self}` has no day", label = "Date, DateTime and Timestamp have one")]
pub trait HasDate {
    /// The type of its parts.
    type Part;
}

/// Types with a time of day.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no time of day",
    label = "Time, DateTime and Timestamp have one"
)]
pub trait HasTime {
    /// The type of its parts.
    type Part;
}

macro_rules! parts {
    ($trait:ident: $($type:ty),*) => {$(
        impl $trait for $type {
            type Part = i64;
        }

        impl $trait for Option<$type> {
            type Part = Option<i64>;
        }
    )*};
}

parts!(HasDate: Date, DateTime, Timestamp);
parts!(HasTime: Time, DateTime, Timestamp);

macro_rules! methods {
    ($trait:ident: $($(#[$doc:meta])* $name:ident => $function:ident;)*) => {
        impl<R, T> Expr<R, T> {
            $(
                $(#[$doc])*
                pub fn $name(self) -> Expr<R, T::Part>
                where
                    T: $trait,
                {
                    self.then(Token::Call(Function::$function, 1))
                }
            )*
        }
    };
}

methods! { HasDate:
    /// The year.
    year => Year;
    /// The month, 1 to 12.
    month => Month;
    /// The day of the month.
    day => Day;
}

methods! { HasTime:
    /// The hour, 0 to 23.
    hour => Hour;
    /// The minute.
    minute => Minute;
    /// The whole second.
    second => Second;
}
