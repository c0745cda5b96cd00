//! Columns of some of the items of others.

use super::strings::bounds;
use super::{Binaries, Bitmap, Column, ColumnData, Lists, Structs, Texts};

impl Column {
    /// The items at these places, without a dictionary; null beyond the end.
    pub(crate) fn take(&self, places: &[usize]) -> Column {
        take(self, places)
    }
}

/// The items at these places; null beyond the end.
fn take(column: &Column, places: &[usize]) -> Column {
    fn at<T: Copy + Default>(items: &[T], places: &[usize]) -> Vec<T> {
        let item = |place: &usize| items.get(*place).copied().unwrap_or_default();
        places.iter().map(item).collect()
    }
    let null = |place: &usize| *place >= column.len() || column.is_null(*place);
    let mut validity: Option<Bitmap> =
        (places.iter().any(null)).then(|| places.iter().map(|place| !null(place)).collect());
    let data = match &column.data {
        ColumnData::Null(_) => ColumnData::Null(places.len()),
        ColumnData::Bool(x) => {
            ColumnData::Bool(places.iter().map(|i| x.get(*i).unwrap_or(false)).collect())
        }
        ColumnData::Int(x) => ColumnData::Int(at(x, places)),
        ColumnData::UInt(x) => ColumnData::UInt(at(x, places)),
        ColumnData::Float(x) => ColumnData::Float(at(x, places)),
        ColumnData::Temporal(temporal, x) => ColumnData::Temporal(temporal.clone(), at(x, places)),
        ColumnData::Text(x) => {
            let texts: Texts = places.iter().map(|i| x.get(*i).unwrap_or("")).collect();
            ColumnData::Text(texts)
        }
        ColumnData::Binary(x) => {
            let all: Binaries = places.iter().map(|i| x.get(*i).unwrap_or(b"")).collect();
            ColumnData::Binary(all)
        }
        ColumnData::List(x) => {
            let (mut ends, mut items) = (Vec::with_capacity(places.len()), Vec::new());
            for place in places {
                let (start, end) = bounds(&x.ends, *place).unwrap_or((0, 0));
                items.extend(start..end);
                ends.push(items.len());
            }
            let items = Box::new(take(&x.items, &items));
            ColumnData::List(Lists { ends, items })
        }
        ColumnData::Struct(x) => ColumnData::Struct(Structs {
            len: places.len(),
            members: x
                .members
                .iter()
                .map(|member| take(member, places))
                .collect(),
        }),
        ColumnData::Dictionary(x, values) => {
            let beyond = |place: &usize| if null(place) { usize::MAX } else { x[*place] };
            let places: Vec<usize> = places.iter().map(beyond).collect();
            let values = take(values, &places);
            validity = values.validity;
            values.data
        }
        ColumnData::Uuid(x) => ColumnData::Uuid(at(x, places)),
        ColumnData::Value(x) => {
            let item = |place: &usize| x.get(*place).cloned().unwrap_or_default();
            ColumnData::Value(places.iter().map(item).collect())
        }
    };
    Column {
        name: column.name.clone(),
        data,
        validity,
    }
}
