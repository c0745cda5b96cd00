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
    pub(crate) const VERSION: usize = 0;
    pub(crate) const HEADER_TYPE: usize = 1;
    pub(crate) const HEADER: usize = 2;

    /// Members of the union `MessageHeader`.
    pub(crate) const SCHEMA: u8 = 1;
    pub(crate) const RECORD_BATCH: u8 = 3;
}

pub(super) mod footer {
    pub(crate) const VERSION: usize = 0;
    pub(crate) const SCHEMA: usize = 1;
    pub(crate) const DICTIONARIES: usize = 2;
    pub(crate) const RECORD_BATCHES: usize = 3;

    /// `struct Block { offset: long, metaDataLength: int, bodyLength: long }`, padded.
    pub(crate) const BLOCK_SIZE: usize = 24;
}

pub(super) mod batch {
    pub(crate) const LENGTH: usize = 0;
    pub(crate) const NODES: usize = 1;
    pub(crate) const BUFFERS: usize = 2;
    pub(crate) const COMPRESSION: usize = 3;

    /// `struct FieldNode { length: long, null_count: long }`.
    pub(crate) const NODE_SIZE: usize = 16;
    /// `struct Buffer { offset: long, length: long }`.
    pub(crate) const BUFFER_SIZE: usize = 16;
}

pub(super) mod schema_table {
    pub(crate) const ENDIANNESS: usize = 0;
    pub(crate) const FIELDS: usize = 1;
}

pub(super) mod field {
    pub(crate) const NAME: usize = 0;
    pub(crate) const TYPE_TYPE: usize = 2;
    pub(crate) const TYPE: usize = 3;
    pub(crate) const DICTIONARY: usize = 4;
}

/// Members of the union `Type`, and fields of their tables.
pub(super) mod types {
    pub(crate) const INT: u8 = 2;
    pub(crate) const INT_BIT_WIDTH: usize = 0;
    pub(crate) const INT_SIGNED: usize = 1;

    pub(crate) const FLOATING_POINT: u8 = 3;
    pub(crate) const FLOATING_POINT_PRECISION: usize = 0;
    pub(crate) const DOUBLE: i16 = 2;

    pub(crate) const UTF8: u8 = 5;
    pub(crate) const LARGE_UTF8: u8 = 20;
    pub(crate) const BOOL: u8 = 6;

    pub(crate) const TIMESTAMP: u8 = 10;
    pub(crate) const TIMESTAMP_UNIT: usize = 0;
    pub(crate) const TIMESTAMP_ZONE: usize = 1;
    pub(crate) const MICROSECOND: i16 = 2;
}
