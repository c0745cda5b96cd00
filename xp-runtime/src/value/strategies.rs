//! Arbitrary values, for property tests.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{
    Archive, Array, BigInt, Binaries, Bitmap, Column, ColumnData, Element, Frame, Lists, Order,
    StoreUrl, Structs, Temporal, Texts, TimeUnit, Value,
};

/// Scalars that may be keys of a map.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::from),
        (-300i64..300).prop_map(Value::from),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        ".{0,8}".prop_map(Value::Text),
        vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => vec(scalar(), 0..5).prop_map(Value::Tuple)]
}

fn big_int() -> impl Strategy<Value = Value> {
    // Mostly of more than 16 bytes.
    vec(any::<u8>(), 15..256).prop_map(|bytes| BigInt::from_le_bytes(&bytes).unwrap())
}

/// Arrays of one to three dimensions, in either order.
pub(crate) fn array() -> impl Strategy<Value = Array> {
    fn of<T: Element + Arbitrary>() -> impl Strategy<Value = Array> {
        let shape = vec(0usize..4, 0..4);
        let items = vec(any::<T>(), 27);
        (shape, any::<bool>(), items).prop_map(|(shape, fortran, items)| {
            let order = if fortran { Order::Fortran } else { Order::C };
            let len = shape.iter().product();
            Array::from_slice(&shape, order, &items[..len]).unwrap()
        })
    }
    prop_oneof![
        of::<f64>(),
        of::<f32>(),
        of::<i64>(),
        of::<u16>(),
        of::<bool>()
    ]
}

/// The items of a column of so many rows.
fn column_data(rows: usize, depth: u32) -> BoxedStrategy<ColumnData> {
    let leaf = prop_oneof![
        Just(ColumnData::Null(rows)),
        vec(any::<bool>(), rows).prop_map(|x| ColumnData::Bool(x.into_iter().collect::<Bitmap>())),
        vec(any::<i64>(), rows).prop_map(ColumnData::Int),
        vec(any::<u64>(), rows).prop_map(ColumnData::UInt),
        vec(any::<f64>(), rows).prop_map(ColumnData::Float),
        vec(".{0,5}", rows).prop_map(|x| ColumnData::Text(x.iter().collect::<Texts>())),
        vec(vec(any::<u8>(), 0..9), rows)
            .prop_map(|x| ColumnData::Binary(x.iter().collect::<Binaries>())),
        (temporal(), vec(0i64..86_400, rows)).prop_map(|(of, x)| ColumnData::Temporal(of, x)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let lists = vec(0usize..4, rows).prop_flat_map(move |lengths| {
        column(lengths.iter().sum(), depth - 1).prop_map(move |items| {
            ColumnData::List(Lists::new(lengths.iter().copied(), items).unwrap())
        })
    });
    let structs = vec(column(rows, depth - 1), 0..3)
        .prop_map(move |members| ColumnData::Struct(Structs::new(rows, members).unwrap()));
    prop_oneof![4 => leaf, 1 => lists, 1 => structs].boxed()
}

fn temporal() -> impl Strategy<Value = Temporal> {
    let unit = prop_oneof![
        Just(TimeUnit::Second),
        Just(TimeUnit::Millisecond),
        Just(TimeUnit::Microsecond),
        Just(TimeUnit::Nanosecond),
    ];
    (unit, 0..5).prop_map(|(unit, of)| match of {
        0 => Temporal::Timestamp(unit, None),
        1 => Temporal::Timestamp(unit, Some("Europe/Rome".into())),
        2 => Temporal::Date32,
        3 => Temporal::Time(unit),
        _ => Temporal::Duration(unit),
    })
}

/// A column of so many rows.
fn column(rows: usize, depth: u32) -> BoxedStrategy<Column> {
    let validity = proptest::option::of(vec(any::<bool>(), rows));
    (".{0,4}", column_data(rows, depth), validity)
        .prop_map(|(name, data, validity)| Column {
            name,
            validity: validity
                .filter(|all| all.contains(&false) && !matches!(data, ColumnData::Null(_)))
                .map(|all| all.into_iter().collect()),
            data,
        })
        .boxed()
}

/// Columns of one length.
pub(crate) fn columns() -> impl Strategy<Value = Vec<Column>> {
    (0usize..20).prop_flat_map(|rows| vec(column(rows, 2), 0..5))
}

fn frame() -> impl Strategy<Value = Frame> {
    columns().prop_map(|columns| Frame::new(&columns).unwrap())
}

fn url() -> impl Strategy<Value = StoreUrl> {
    ".{0,9}".prop_map(StoreUrl::new)
}

/// Values that DATAPAK holds.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        8 => scalar(),
        2 => any::<u128>().prop_map(|x| Value::Uuid(uuid::Uuid::from_u128(x))),
        2 => (i64::MIN + 1..=i64::MAX).prop_map(|x| Value::DateTime64(Some(x))),
        2 => Just(Value::DateTime64(None)),
        2 => big_int(),
        2 => array().prop_map(Value::Array),
        1 => frame().prop_map(Value::Frame),
        1 => frame().prop_map(Value::Series),
        1 => frame().prop_map(Value::Table),
        1 => frame().prop_map(Value::Sequence),
        1 => url().prop_map(Value::DataStore),
        1 => url().prop_map(Value::ArchiveStore),
        1 => vec(any::<u8>(), 0..9).prop_map(|tar| Value::Archive(Archive::from_tar(tar))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec(inner.clone(), 0..6).prop_map(Value::Tuple),
            vec(key(), 0..6).prop_map(Value::Set),
            vec((key(), inner.clone()), 0..6).prop_map(Value::Map),
            vec((".{0,4}", inner.clone()), 0..6).prop_map(Value::Bunch),
            vec((any::<i64>().prop_map(Value::from), inner), 1..6).prop_map(Value::KeyedBunch),
        ]
    })
}
