//! The fields of the schema.

use super::columns::{is_large, width};
use crate::value::frame::arrow::build::{Builder, Slot};
use crate::value::frame::arrow::schema::types;
use crate::value::frame::{Column, ColumnData, Temporal, TimeUnit};

fn type_type(data: &ColumnData) -> u8 {
    match data {
        // Of what Arrow has no type for, another column was made before.
        ColumnData::Null(_) | ColumnData::Uuid(_) | ColumnData::Value(_) => types::NULL,
        ColumnData::Bool(_) => types::BOOL,
        ColumnData::Int(_) | ColumnData::UInt(_) => types::INT,
        ColumnData::Float(_) => types::FLOATING_POINT,
        ColumnData::Text(texts) if is_large(texts.buffer.len()) => types::LARGE_UTF8,
        ColumnData::Text(_) => types::UTF8,
        ColumnData::Binary(all) if is_large(all.buffer.len()) => types::LARGE_BINARY,
        ColumnData::Binary(_) => types::BINARY,
        ColumnData::Temporal(Temporal::Timestamp(..), _) => types::TIMESTAMP,
        ColumnData::Temporal(Temporal::Date32 | Temporal::Date64, _) => types::DATE,
        ColumnData::Temporal(Temporal::Time(_), _) => types::TIME,
        ColumnData::Temporal(Temporal::Duration(_), _) => types::DURATION,
        ColumnData::List(lists) if is_large(lists.items.len()) => types::LARGE_LIST,
        ColumnData::List(_) => types::LIST,
        ColumnData::Struct(_) => types::STRUCT,
        ColumnData::Dictionary(_, values) => type_type(&values.data),
    }
}

/// The field of a column, with those of its parts.
pub(super) fn field(builder: &mut Builder<'_>, column: &Column) -> usize {
    const NULLABLE: Slot = Slot::U8(1);
    let field_table = builder.table([
        Slot::Reference,
        NULLABLE,
        Slot::U8(type_type(&column.data)),
        Slot::Reference,
        Slot::Absent,
        Slot::Reference,
    ]);
    let name = builder.string(&column.name);
    builder.refer(field_table.slots[0], name);
    let data_type = data_type(builder, &column.data);
    builder.refer(field_table.slots[3], data_type);
    let parts: &[Column] = match &column.data {
        ColumnData::List(lists) => std::slice::from_ref(&lists.items),
        ColumnData::Struct(x) => &x.members,
        _ => &[],
    };
    let children = builder.references(parts.len());
    builder.refer(field_table.slots[5], children);
    for (i, part) in parts.iter().enumerate() {
        let part = field(builder, part);
        builder.refer(children + 4 + 4 * i, part);
    }
    field_table.at
}

fn unit(unit: TimeUnit) -> Slot {
    Slot::I16(match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    })
}

fn data_type(builder: &mut Builder<'_>, data: &ColumnData) -> usize {
    match data {
        ColumnData::Int(_) => builder.table([Slot::I32(64), Slot::U8(1)]).at,
        ColumnData::UInt(_) => builder.table([Slot::I32(64), Slot::U8(0)]).at,
        ColumnData::Float(_) => builder.table([Slot::I16(types::DOUBLE)]).at,
        ColumnData::Temporal(temporal, _) => match temporal {
            Temporal::Timestamp(of, None) => builder.table([unit(*of), Slot::Absent]).at,
            Temporal::Timestamp(of, Some(zone)) => {
                let table = builder.table([unit(*of), Slot::Reference]);
                let zone = builder.string(zone);
                builder.refer(table.slots[1], zone);
                table.at
            }
            Temporal::Date32 => builder.table([Slot::I16(types::DAY)]).at,
            Temporal::Date64 => builder.table([Slot::I16(types::DATE_UNIT_DEFAULT)]).at,
            Temporal::Time(of) => {
                let bits = 8 * width(temporal) as i32;
                builder.table([unit(*of), Slot::I32(bits)]).at
            }
            Temporal::Duration(of) => builder.table([unit(*of)]).at,
        },
        _ => builder.table([]).at,
    }
}
