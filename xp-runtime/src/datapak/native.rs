//! Types that have a cell of their own, without going through a [`Value`](crate::value::Value): the closed list of types
//! that serde cannot carry as themselves, and for speed the common scalars.

use std::any::{Any, TypeId};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use uuid::Uuid;

use super::moment;
use crate::value::{Cell, Kind, ValueError};

/// A type that is recognised as itself.
trait Native: Sized + 'static {
    /// The kind of the columns that hold it.
    const KIND: Kind;

    fn to_cell(&self) -> Result<Cell, ValueError>;

    /// Takes it out of the cell.
    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError>;
}

macro_rules! for_natives {
    ($one_of:ident) => {
        $one_of! {
            f64 i64 bool String usize u64 i32 u32
            Vec<u8> Duration Uuid Timestamp DateTime SystemTime Date Time
        }
    };
}

/// The cell of a value of one of these types, or of an option of one, if columns of this kind hold them.
pub(super) fn encode<T: 'static>(kind: Kind, v: &T) -> Option<Result<Cell, ValueError>> {
    let v: &dyn Any = v;
    macro_rules! one_of {
        ($($native:ty)*) => {$(
            if kind == <$native as Native>::KIND {
                if let Some(v) = v.downcast_ref::<$native>() {
                    return Some(v.to_cell());
                }
                if let Some(v) = v.downcast_ref::<Option<$native>>() {
                    return Some(v.as_ref().map_or(Ok(Cell::Null), Native::to_cell));
                }
            }
        )*};
    }
    for_natives!(one_of);
    None
}

/// The value of one of these types, or of an option of one, taken out of a cell; other types leave it
/// as it is. By reference, since moving cells costs more than reading numbers.
#[inline]
pub(super) fn decode<T: 'static>(cell: &mut Cell) -> Option<Result<T, ValueError>> {
    let id = TypeId::of::<T>();
    macro_rules! one_of {
        ($($native:ty)*) => {$(
            if id == TypeId::of::<$native>() {
                return Some(<$native as Native>::from_cell(cell).and_then(cast));
            }
            if id == TypeId::of::<Option<$native>>() {
                return Some(match cell {
                    Cell::Null => cast(None::<$native>),
                    cell => <$native as Native>::from_cell(cell).map(Some).and_then(cast),
                });
            }
        )*};
    }
    for_natives!(one_of);
    None
}

/// The same value, under the other name of its type.
pub(super) fn cast<A: 'static, B: 'static>(a: A) -> Result<B, ValueError> {
    let mut a = Some(a);
    let a: &mut dyn Any = &mut a;
    let b = a.downcast_mut::<Option<B>>().and_then(Option::take);
    b.ok_or_else(|| ValueError::expected(std::any::type_name::<B>(), std::any::type_name::<A>()))
}

fn mismatch<T>(expected: &str, cell: &Cell) -> Result<T, ValueError> {
    Err(ValueError::expected(expected, cell.describe()))
}

macro_rules! integers {
    ($($int:ident)*) => {$(
        impl Native for $int {
            const KIND: Kind = Kind::Int;

            fn to_cell(&self) -> Result<Cell, ValueError> {
                super::column::int(i128::try_from(*self).unwrap_or(i128::MAX))
            }

            fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
                match cell {
                    Cell::Int(x) => $int::try_from(*x).map_err(|_| ValueError::expected(stringify!($int), *x)),
                    cell => mismatch(stringify!($int), cell),
                }
            }
        }
    )*};
}

integers! { i32 i64 u32 u64 usize }

impl Native for f64 {
    const KIND: Kind = Kind::Float;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(super::column::real(*self))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        match cell {
            Cell::Real(x) => Ok(*x),
            Cell::Int(x) => Ok(*x as f64),
            Cell::Null => Ok(f64::NAN),
            cell => mismatch("f64", cell),
        }
    }
}

impl Native for bool {
    const KIND: Kind = Kind::Bool;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Int((*self).into()))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        match cell {
            Cell::Int(x @ 0..=1) => Ok(*x == 1),
            Cell::Int(x) => Err(ValueError::expected("bool", *x)),
            cell => mismatch("bool", cell),
        }
    }
}

impl Native for String {
    const KIND: Kind = Kind::Text;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Text(self.clone()))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        match cell {
            Cell::Text(x) => Ok(std::mem::take(x)),
            cell => mismatch("a text", cell),
        }
    }
}

impl Native for Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Blob(self.clone()))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        match cell {
            Cell::Blob(x) => Ok(std::mem::take(x)),
            cell => mismatch("bytes", cell),
        }
    }
}

impl Native for Duration {
    const KIND: Kind = Kind::Duration;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Real(self.as_secs_f64()))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        let seconds = match cell {
            Cell::Real(x) => *x,
            Cell::Int(x) => *x as f64,
            cell => return mismatch("a duration in seconds", cell),
        };
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| ValueError::expected("a duration in seconds", format_args!("{seconds:?}")))
    }
}

/// The text of a cell.
fn text<'a>(expected: &str, cell: &'a Cell) -> Result<&'a str, ValueError> {
    match cell {
        Cell::Text(text) => Ok(text),
        cell => mismatch(expected, cell),
    }
}

impl Native for Uuid {
    const KIND: Kind = Kind::Uuid;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Text(self.simple().to_string()))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        moment::parse("a UUID", text("a UUID", cell)?)
    }
}

impl Native for DateTime {
    const KIND: Kind = Kind::DateTime;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        moment::datetime(*self).map(Cell::Text)
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        moment::parse("a datetime", text("a datetime", cell)?)
    }
}

impl Native for Timestamp {
    const KIND: Kind = Kind::DateTime;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Offset::UTC.to_datetime(*self).to_cell()
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        Offset::UTC
            .to_timestamp(DateTime::from_cell(cell)?)
            .map_err(|e| ValueError::new(e.to_string()))
    }
}

impl Native for SystemTime {
    const KIND: Kind = Kind::DateTime;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Timestamp::try_from(*self)
            .map_err(|e| ValueError::new(e.to_string()))?
            .to_cell()
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        SystemTime::try_from(Timestamp::from_cell(cell)?)
            .map_err(|e| ValueError::new(e.to_string()))
    }
}

impl Native for Date {
    const KIND: Kind = Kind::Date;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        moment::date(*self).map(Cell::Text)
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        moment::parse("a date", text("a date", cell)?)
    }
}

impl Native for Time {
    const KIND: Kind = Kind::Time;

    fn to_cell(&self) -> Result<Cell, ValueError> {
        Ok(Cell::Text(moment::time(*self)))
    }

    fn from_cell(cell: &mut Cell) -> Result<Self, ValueError> {
        moment::parse("a time", text("a time", cell)?)
    }
}
