//! Files that ask for more than they are worth.

mod made;

use self::made::{Batch, Made, file};
use super::File;
use super::schema::types;
use crate::value::Value;
use crate::value::frame::{Column, ColumnData, FrameError};

fn read(bytes: Vec<u8>) -> Result<Vec<Column>, FrameError> {
    File::open(bytes)?.columns(|_| true)
}

fn refused(bytes: Vec<u8>) -> String {
    read(bytes).unwrap_err().to_string()
}

const TOO_MANY: &str = "malformed Arrow file: more items than the file can have";

#[test]
fn dictionaries_do_not_hold_dictionaries() {
    // Each has two members of the one before.
    let fields: Vec<_> = (0..40)
        .map(|id| {
            let member = || Made::of(types::NULL, 0).encoded(id - 1);
            match id {
                0 => Made::of(types::NULL, 0).encoded(id),
                _ => Made::with(types::STRUCT, 0, vec![member(), member()]).encoded(id),
            }
        })
        .collect();
    let dictionaries: Vec<_> = (0..40)
        .map(|id| match id {
            0 => (id, Batch::of(1, 1)),
            _ => (id, Batch::of(1, 3).places(2)),
        })
        .collect();
    let bytes = file(&fields, &dictionaries, &[]);
    assert!(bytes.len() < 30_000);
    assert_eq!(
        refused(bytes.clone()),
        "not supported in Arrow files: the type of the column ``: dictionary in a dictionary"
    );
    // The columns that have none can be read.
    let alone = File::open(bytes).unwrap().columns(|i| i == 0).unwrap();
    assert_eq!(alone[0].len(), 0);
}

#[test]
fn columns_share_a_dictionary() {
    let fields = vec![Made::of(types::BINARY, 0).encoded(7); 4000];
    let values = Batch::of(1, 1)
        .buffer(&[])
        .buffer(&[0, 0, 0, 0, 0, 0, 16, 0]);
    let values = values.buffer(&vec![7; 1 << 20]);
    let rows = Batch::of(1, fields.len()).places(fields.len());
    let columns = read(file(&fields, &[(7, values)], &[rows])).unwrap();
    let values = columns.iter().map(|column| match &column.data {
        ColumnData::Dictionary(_, values) => &**values,
        _ => panic!("no dictionary"),
    });
    let values: Vec<&Column> = values.collect();
    assert!(values.iter().all(|of| std::ptr::eq(*of, values[0])));
    assert_eq!(columns[3999].get(0), Some(Value::Bytes(vec![7; 1 << 20])));
}

#[test]
fn a_dictionary_grows_and_has_one_type() {
    let number = Made::of(types::INT, 8).encoded(0);
    let values = |items: &[u8]| Batch::of(items.len(), 1).buffer(&[]).buffer(items);
    let rows = |fields| Batch::of(1, fields).places(fields);
    let bytes = file(
        &[number.clone(), number.clone()],
        &[(0, values(&[1])), (0, values(&[2, 3]).delta())],
        &[rows(2)],
    );
    for column in read(bytes).unwrap() {
        let ColumnData::Dictionary(places, values) = &column.data else {
            panic!("no dictionary");
        };
        assert_eq!((places.as_slice(), values.len()), (&[0][..], 3));
    }
    let other = Made::of(types::NULL, 0).encoded(0);
    assert_eq!(
        refused(file(&[number, other], &[(0, values(&[1]))], &[rows(2)])),
        "malformed Arrow file: a dictionary of two types"
    );
}

/// Columns without bytes, of so many items in so many batches.
fn without_bytes(field: Made, rows: usize, batches: usize) -> Vec<u8> {
    let nodes = field.nodes();
    let batch = |_| Batch::of(rows, nodes).buffers(2 * nodes);
    let batches: Vec<_> = (0..batches).map(batch).collect();
    file(&[field], &[], &batches)
}

#[test]
fn items_without_bytes_are_limited_for_the_whole_file() {
    let item = || Made::of(types::FIXED_SIZE_BINARY, 0);
    let list = |items| Made::with(types::FIXED_SIZE_LIST, 1, vec![items]);
    let kinds = [
        Made::of(types::NULL, 0),
        item(),
        list(item()),
        Made::with(types::STRUCT, 0, Vec::new()),
        (0..50).fold(item(), |items, _| list(items)),
        Made::with(types::STRUCT, 0, vec![Made::of(types::NULL, 0); 50]),
    ];
    for field in kinds {
        assert!(read(without_bytes(field.clone(), 1000, 1)).is_ok());
        let bytes = without_bytes(field.clone(), 1 << 20, 400);
        assert!(bytes.len() < 1 << 20);
        assert_eq!(refused(bytes), TOO_MANY);
        if field.nodes() > 2 {
            assert_eq!(refused(without_bytes(field, 1 << 20, 1)), TOO_MANY);
        }
    }
    // Rows without columns, too.
    let batches: Vec<_> = (0..400).map(|_| Batch::of(1 << 20, 0)).collect();
    assert_eq!(refused(file(&[], &[], &batches)), TOO_MANY);
}

#[test]
fn items_with_bytes_are_not_limited() {
    const ROWS: usize = 3 << 20;
    let bits = || Made::of(types::BOOL, 0);
    let fields = [
        bits(),
        Made::with(types::STRUCT, 0, vec![bits(), Made::of(types::NULL, 0)]),
    ];
    let rows = Batch::of(ROWS, 4)
        .buffer(&[])
        .buffer(&vec![0xff; ROWS / 8])
        .buffer(&[])
        .buffer(&[])
        .buffer(&vec![0; ROWS / 8]);
    let columns = read(file(&fields, &[], &[rows])).unwrap();
    assert_eq!(columns[0].get(ROWS - 1), Some(Value::Bool(true)));
    assert_eq!(columns[1].len(), ROWS);
}

#[test]
fn what_fields_share_is_read_once() {
    // Each field is 4 bytes that refer to one zone of 100 kB.
    let zone = "z".repeat(100_000);
    let field = Made::of(types::TIMESTAMP, 0).zone(&zone);
    let bytes = made::repeated(&field, 100_000);
    assert_eq!(
        refused(bytes),
        "malformed Arrow file: metadata repeats itself"
    );
}

#[test]
fn times_have_the_width_of_their_unit() {
    // Microseconds in 32 bits: written again, they would take 64.
    let field = Made::of(types::TIME, 2);
    assert_eq!(
        refused(file(&[field], &[], &[])),
        "malformed Arrow file: times of another width than their unit has"
    );
    assert!(read(file(&[Made::of(types::TIME, 1)], &[], &[])).is_ok());
}
