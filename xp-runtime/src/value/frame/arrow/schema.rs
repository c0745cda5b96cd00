//! Numbers of Arrow's metadata schemas: positions of fields in their tables, and members of unions and enums.

/// What an Arrow file begins with (padded to 8 bytes) and ends with.
pub(super) const MAGIC: &[u8; 6] = b"ARROW1";

/// What stands before the length of a message.
pub(super) const CONTINUATION: [u8; 4] = [0xff; 4];

/// `MetadataVersion::V4`, which differs from V5 in unions only.
pub(super) const V4: i16 = 3;
/// `MetadataVersion::V5`.
pub(super) const V5: i16 = 4;

pub(super) mod message {
    pub(in super::super) const VERSION: usize = 0;
    pub(in super::super) const HEADER_TYPE: usize = 1;
    pub(in super::super) const HEADER: usize = 2;

    /// Members of the union `MessageHeader`.
    pub(in super::super) const SCHEMA: u8 = 1;
    pub(in super::super) const DICTIONARY_BATCH: u8 = 2;
    pub(in super::super) const RECORD_BATCH: u8 = 3;
}

pub(super) mod footer {
    pub(in super::super) const VERSION: usize = 0;
    pub(in super::super) const SCHEMA: usize = 1;
    pub(in super::super) const DICTIONARIES: usize = 2;
    pub(in super::super) const RECORD_BATCHES: usize = 3;

    /// `struct Block { offset: long, metaDataLength: int, bodyLength: long }`, padded.
    pub(in super::super) const BLOCK_SIZE: usize = 24;
}

pub(super) mod batch {
    pub(in super::super) const LENGTH: usize = 0;
    pub(in super::super) const NODES: usize = 1;
    pub(in super::super) const BUFFERS: usize = 2;
    pub(in super::super) const COMPRESSION: usize = 3;

    /// `struct FieldNode { length: long, null_count: long }`.
    pub(in super::super) const NODE_SIZE: usize = 16;
    /// `struct Buffer { offset: long, length: long }`.
    pub(in super::super) const BUFFER_SIZE: usize = 16;
}

pub(super) mod dictionary_batch {
    pub(in super::super) const ID: usize = 0;
    pub(in super::super) const DATA: usize = 1;
    pub(in super::super) const IS_DELTA: usize = 2;
}

pub(super) mod schema_table {
    pub(in super::super) const ENDIANNESS: usize = 0;
    pub(in super::super) const FIELDS: usize = 1;
    pub(in super::super) const METADATA: usize = 2;
}

pub(super) mod key_value {
    pub(in super::super) const KEY: usize = 0;
    pub(in super::super) const VALUE: usize = 1;
}

pub(super) mod dictionary_encoding {
    pub(in super::super) const ID: usize = 0;
    pub(in super::super) const INDEX_TYPE: usize = 1;
}

pub(super) mod field {
    pub(in super::super) const NAME: usize = 0;
    pub(in super::super) const TYPE_TYPE: usize = 2;
    pub(in super::super) const TYPE: usize = 3;
    pub(in super::super) const DICTIONARY: usize = 4;
    pub(in super::super) const CHILDREN: usize = 5;
}

/// Members of the union `Type`, and fields of their tables.
pub(super) mod types {
    pub(in super::super) const NULL: u8 = 1;

    pub(in super::super) const INT: u8 = 2;
    pub(in super::super) const INT_BIT_WIDTH: usize = 0;
    pub(in super::super) const INT_SIGNED: usize = 1;

    pub(in super::super) const FLOATING_POINT: u8 = 3;
    pub(in super::super) const FLOATING_POINT_PRECISION: usize = 0;
    pub(in super::super) const HALF: i16 = 0;
    pub(in super::super) const SINGLE: i16 = 1;
    pub(in super::super) const DOUBLE: i16 = 2;

    pub(in super::super) const BINARY: u8 = 4;
    pub(in super::super) const UTF8: u8 = 5;
    pub(in super::super) const BOOL: u8 = 6;
    pub(in super::super) const DECIMAL: u8 = 7;

    pub(in super::super) const DATE: u8 = 8;
    pub(in super::super) const DATE_UNIT: usize = 0;
    pub(in super::super) const DAY: i16 = 0;
    pub(in super::super) const DATE_UNIT_DEFAULT: i16 = 1;

    pub(in super::super) const TIME: u8 = 9;
    pub(in super::super) const TIME_UNIT: usize = 0;
    pub(in super::super) const TIME_BIT_WIDTH: usize = 1;

    pub(in super::super) const TIMESTAMP: u8 = 10;
    pub(in super::super) const TIMESTAMP_UNIT: usize = 0;
    pub(in super::super) const TIMESTAMP_ZONE: usize = 1;

    pub(in super::super) const INTERVAL: u8 = 11;
    pub(in super::super) const LIST: u8 = 12;
    pub(in super::super) const STRUCT: u8 = 13;
    pub(in super::super) const UNION: u8 = 14;

    pub(in super::super) const FIXED_SIZE_BINARY: u8 = 15;
    pub(in super::super) const FIXED_SIZE_LIST: u8 = 16;
    /// Of both.
    pub(in super::super) const FIXED_SIZE: usize = 0;

    pub(in super::super) const MAP: u8 = 17;

    pub(in super::super) const DURATION: u8 = 18;
    pub(in super::super) const DURATION_UNIT: usize = 0;

    pub(in super::super) const LARGE_BINARY: u8 = 19;
    pub(in super::super) const LARGE_UTF8: u8 = 20;
    pub(in super::super) const LARGE_LIST: u8 = 21;

    /// `TimeUnit`, in the order of its members.
    pub(in super::super) const UNITS: [crate::value::frame::TimeUnit; 4] = {
        use crate::value::frame::TimeUnit::*;
        [Second, Millisecond, Microsecond, Nanosecond]
    };
    /// The unit of times and durations that is left out.
    pub(in super::super) const UNIT_DEFAULT: i16 = 1;
}
