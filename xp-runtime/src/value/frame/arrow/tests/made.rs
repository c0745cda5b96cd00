//! Files as a hostile writer makes them.

use crate::value::frame::arrow::build::{Builder, Slot};
use crate::value::frame::arrow::schema::{CONTINUATION, MAGIC, V5, message};
use crate::value::frame::arrow::write::write_message;

/// A field without a name.
#[derive(Clone)]
pub(super) struct Made {
    kind: u8,
    /// The first member of its type: how wide or long items are.
    size: i32,
    zone: Option<String>,
    children: Vec<Made>,
    dictionary: Option<i64>,
}

impl Made {
    pub(super) fn of(kind: u8, size: i32) -> Self {
        Made::with(kind, size, Vec::new())
    }

    pub(super) fn with(kind: u8, size: i32, children: Vec<Made>) -> Self {
        Made {
            kind,
            size,
            zone: None,
            children,
            dictionary: None,
        }
    }

    /// With a dictionary, and places in it of one byte.
    pub(super) fn encoded(self, id: i64) -> Self {
        Made {
            dictionary: Some(id),
            ..self
        }
    }

    pub(super) fn zone(self, zone: &str) -> Self {
        Made {
            zone: Some(zone.to_owned()),
            ..self
        }
    }

    pub(super) fn nodes(&self) -> usize {
        1 + self.children.iter().map(Made::nodes).sum::<usize>()
    }

    fn write(&self, builder: &mut Builder<'_>) -> usize {
        let dictionary = match self.dictionary {
            Some(_) => Slot::Reference,
            None => Slot::Absent,
        };
        let table = builder.table([
            Slot::Reference,
            Slot::U8(1),
            Slot::U8(self.kind),
            Slot::Reference,
            dictionary,
            Slot::Reference,
        ]);
        let name = builder.string("");
        builder.refer(table.slots[0], name);
        let zone = match self.zone {
            Some(_) => Slot::Reference,
            None => Slot::Absent,
        };
        let details = builder.table([Slot::I32(self.size), zone]);
        builder.refer(table.slots[3], details.at);
        if let Some(zone) = &self.zone {
            let zone = builder.string(zone);
            builder.refer(details.slots[1], zone);
        }
        if let Some(id) = self.dictionary {
            let encoding = builder.table([Slot::I64(id), Slot::Reference]);
            builder.refer(table.slots[4], encoding.at);
            let index = builder.table([Slot::I32(8)]);
            builder.refer(encoding.slots[1], index.at);
        }
        let children = builder.references(self.children.len());
        builder.refer(table.slots[5], children);
        for (i, child) in self.children.iter().enumerate() {
            let child = child.write(builder);
            builder.refer(children + 4 + 4 * i, child);
        }
        table.at
    }
}

/// A record batch, all of whose nodes have as many items as it has rows.
pub(super) struct Batch {
    rows: usize,
    nodes: usize,
    buffers: Vec<[i64; 2]>,
    body: Vec<u8>,
    delta: bool,
}

impl Batch {
    pub(super) fn of(rows: usize, nodes: usize) -> Self {
        Batch {
            rows,
            nodes,
            buffers: Vec::new(),
            body: Vec::new(),
            delta: false,
        }
    }

    pub(super) fn buffer(mut self, bytes: &[u8]) -> Self {
        self.buffers
            .push([self.body.len() as i64, bytes.len() as i64]);
        self.body.extend_from_slice(bytes);
        self
    }

    /// So many empty buffers.
    pub(super) fn buffers(mut self, count: usize) -> Self {
        self.buffers.extend(std::iter::repeat_n([0; 2], count));
        self
    }

    /// The buffers of so many columns with one item in a dictionary, after that of the struct that they are members of.
    pub(super) fn places(mut self, columns: usize) -> Self {
        if self.nodes > columns {
            self = self.buffer(&[]);
        }
        (0..columns).fold(self, |batch, _| batch.buffer(&[]).buffer(&[0]))
    }

    pub(super) fn delta(self) -> Self {
        Batch {
            delta: true,
            ..self
        }
    }

    fn write(&self, dictionary: Option<i64>, out: &mut Vec<u8>) -> [i64; 3] {
        let at = out.len();
        let kind = match dictionary {
            Some(_) => message::DICTIONARY_BATCH,
            None => message::RECORD_BATCH,
        };
        write_message(out, kind, self.body.len(), |builder| {
            let outer = dictionary.map(|id| {
                let delta = Slot::U8(self.delta.into());
                builder.table([Slot::I64(id), Slot::Reference, delta])
            });
            let rows = Slot::I64(self.rows as i64);
            let table = builder.table([rows, Slot::Reference, Slot::Reference]);
            let nodes = std::iter::repeat_n([self.rows as i64, 0], self.nodes);
            let nodes = builder.structs(nodes);
            builder.refer(table.slots[1], nodes);
            let buffers = builder.structs(self.buffers.iter().copied());
            builder.refer(table.slots[2], buffers);
            match outer {
                Some(outer) => {
                    builder.refer(outer.slots[1], table.at);
                    outer.at
                }
                None => table.at,
            }
        });
        let metadata = out.len() - at;
        out.extend_from_slice(&self.body);
        out.resize(out.len().next_multiple_of(8), 0);
        [at as i64, metadata as i64, self.body.len() as i64]
    }
}

/// A file of these columns, dictionaries by id, and record batches.
pub(super) fn file(fields: &[Made], dictionaries: &[(i64, Batch)], batches: &[Batch]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&[0; 2]);
    let dictionaries: Vec<_> = dictionaries
        .iter()
        .map(|(id, batch)| batch.write(Some(*id), &mut out))
        .collect();
    let batches: Vec<_> = (batches.iter())
        .map(|batch| batch.write(None, &mut out))
        .collect();
    footer(out, &dictionaries, &batches, |builder| {
        let vector = builder.references(fields.len());
        for (i, field) in fields.iter().enumerate() {
            let field = field.write(builder);
            builder.refer(vector + 4 + 4 * i, field);
        }
        vector
    })
}

/// A file without rows of so many columns, which share one field.
pub(super) fn repeated(field: &Made, count: usize) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&[0; 2]);
    footer(out, &[], &[], |builder| {
        let vector = builder.references(count);
        let field = field.write(builder);
        (0..count).for_each(|i| builder.refer(vector + 4 + 4 * i, field));
        vector
    })
}

fn footer(
    mut out: Vec<u8>,
    dictionaries: &[[i64; 3]],
    batches: &[[i64; 3]],
    fields: impl FnOnce(&mut Builder<'_>) -> usize,
) -> Vec<u8> {
    out.extend_from_slice(&CONTINUATION);
    out.extend_from_slice(&[0; 4]);
    let start = out.len();
    let mut builder = Builder::new(&mut out);
    let table = builder.table([
        Slot::I16(V5),
        Slot::Reference,
        Slot::Reference,
        Slot::Reference,
    ]);
    builder.root(table.at);
    let schema = builder.table([Slot::I16(0), Slot::Reference]);
    builder.refer(table.slots[1], schema.at);
    let fields = fields(&mut builder);
    builder.refer(schema.slots[1], fields);
    let dictionaries = builder.structs(dictionaries.iter().copied());
    builder.refer(table.slots[2], dictionaries);
    let batches = builder.structs(batches.iter().copied());
    builder.refer(table.slots[3], batches);
    let len = (out.len() - start) as u32;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(MAGIC);
    out
}
