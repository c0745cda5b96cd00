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

pub(super) mod schema_table {
    pub(in super::super) const ENDIANNESS: usize = 0;
    pub(in super::super) const FIELDS: usize = 1;
}

pub(super) mod field {
    pub(in super::super) const NAME: usize = 0;
    pub(in super::super) const TYPE_TYPE: usize = 2;
    pub(in super::super) const TYPE: usize = 3;
    pub(in super::super) const DICTIONARY: usize = 4;
}

/// Members of the union `Type`, and fields of their tables.
pub(super) mod types {
    pub(in super::super) const INT: u8 = 2;
    pub(in super::super) const INT_BIT_WIDTH: usize = 0;
    pub(in super::super) const INT_SIGNED: usize = 1;

    pub(in super::super) const FLOATING_POINT: u8 = 3;
    pub(in super::super) const FLOATING_POINT_PRECISION: usize = 0;
    pub(in super::super) const DOUBLE: i16 = 2;

    pub(in super::super) const UTF8: u8 = 5;
    pub(in super::super) const LARGE_UTF8: u8 = 20;
    pub(in super::super) const BOOL: u8 = 6;

    pub(in super::super) const TIMESTAMP: u8 = 10;
    pub(in super::super) const TIMESTAMP_UNIT: usize = 0;
    pub(in super::super) const TIMESTAMP_ZONE: usize = 1;
    pub(in super::super) const MICROSECOND: i16 = 2;
}
