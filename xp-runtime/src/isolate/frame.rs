//! The frames of messages: eight bytes with the length, then the message.

use std::io::{self, ErrorKind, Read, Write};

use super::wire::{Damaged, Wire};

/// Writes a message, with a buffer that is used again.
pub(super) fn send(
    to: &mut impl Write,
    message: &impl Wire,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    buffer.clear();
    buffer.extend_from_slice(&[0; 8]);
    message.put(buffer);
    let len = buffer.len() as u64 - 8;
    buffer[..8].copy_from_slice(&len.to_le_bytes());
    to.write_all(buffer)?;
    // One large message is no reason to keep as much memory for good.
    if buffer.capacity() > 1 << 20 {
        *buffer = Vec::new();
    }
    Ok(())
}

/// Messages on their way in.
#[derive(Debug)]
pub(super) struct Incoming<R> {
    pub(super) from: R,
    bytes: Vec<u8>,
    /// How many of the bytes belong to messages that were taken already.
    taken: usize,
}

impl<R: Read> Incoming<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            bytes: Vec::new(),
            taken: 0,
        }
    }

    /// The next message; `None` if it was not there within the time that the reader waits.
    ///
    /// # Errors
    ///
    /// The other end is closed, or what came is no message.
    pub(super) fn next<M: Wire>(&mut self) -> io::Result<Option<M>> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(Some(message));
            }
            let mut chunk = [0; 16 << 10];
            match self.from.read(&mut chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(None),
                    ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// The next message, if it was read already.
    pub(super) fn buffered<M: Wire>(&mut self) -> io::Result<Option<M>> {
        let damaged = || io::Error::from(ErrorKind::InvalidData);
        let mut rest = &self.bytes[self.taken..];
        let Ok(len) = usize::parse(&mut rest) else {
            return Ok(None);
        };
        let Some(mut body) = rest.get(..len) else {
            return Ok(None);
        };
        let message = M::parse(&mut body).map_err(|Damaged| damaged())?;
        if !body.is_empty() {
            return Err(damaged());
        }
        self.taken += 8 + len;
        if self.taken == self.bytes.len() {
            self.taken = 0;
            self.bytes.clear();
            if self.bytes.capacity() > 1 << 20 {
                self.bytes = Vec::new();
            }
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use std::sync::Arc;

    use super::super::message::{Completed, Done, Event, Order, Request, Side, Stores};
    use super::*;
    use crate::attempt::Failed;
    use crate::declare::Portion;
    use crate::exception::{Exception, Outcome};
    use crate::sequence::ChunkDir;
    use crate::store::{Column, Role};
    use crate::stored::StoreWriter;
    use crate::usage::Usage;
    use crate::value::origin::Holder;
    use crate::value::{Cell, ColumnType, Kind, Value};

    /// A reader that gives one byte at a time, and then nothing for a while.
    struct Slow(Vec<u8>, bool);

    impl Read for Slow {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            if self.0.is_empty() {
                return Ok(0);
            }
            to[0] = self.0.remove(0);
            Ok(1)
        }
    }

    fn received<M: Wire + PartialEq>(message: &M) -> M {
        let (mut bytes, mut buffer) = (Vec::new(), Vec::new());
        send(&mut bytes, message, &mut buffer).unwrap();
        let mut incoming = Incoming::new(Slow(bytes, false));
        let got = loop {
            if let Some(message) = incoming.next::<M>().unwrap() {
                break message;
            }
        };
        let end = loop {
            match incoming.next::<M>() {
                Ok(None) => {}
                other => break other,
            }
        };
        assert!(end.is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof));
        got
    }

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let nested = Value::Map(vec![
            (Value::Int(-3), Value::List(vec![Value::Float(0.5)])),
            (
                Value::Text("t".into()),
                Value::Date(jiff::civil::date(2024, 2, 29)),
            ),
            (
                Value::Bool(true),
                Value::Bunch(vec![("b".into(), Value::Null)]),
            ),
        ]);
        let request = Request {
            experiment: "iris::iris".into(),
            id_experiment: Uuid::from_bytes([1; 16]),
            id_run: Uuid::from_bytes([2; 16]),
            root_seed: 123,
            inputs: [7; 32],
            values: vec![nested.clone(), Value::Bytes(vec![0; 100_000])],
            shared: vec![(0, [9; 16])],
            side: Some(Side::of(&ChunkDir::new("side").synced(true))),
            stores: Some(Stores::of(&StoreWriter::new(
                Arc::new(Holder {
                    directory: "/a/mltraq.datastore".into(),
                    experiment: "iris".into(),
                }),
                "/a/b.db-xp".into(),
                Uuid::from_bytes([1; 16]),
            ))),
            first_file: 1 << 32,
            portions: vec![Portion {
                slice: 1,
                fields: vec![0, 2],
            }],
            kept: vec![(3, Cell::Real(0.5)), (4, Cell::Null)],
            monitor: None,
        };
        let order = Order::Run(Box::new(request));
        assert_eq!(received(&order), order);
        let column = || Column {
            name: "n".into(),
            ty: ColumnType {
                kind: Kind::Duration,
                nullable: true,
            },
            role: Role::Field,
        };
        let exception = Exception {
            step: Some("fit".into()),
            message: "no".into(),
            causes: vec!["x".into(), "y".into()],
            ..Exception::default()
        };
        for ended in [
            Ok(Completed {
                cells: vec![Cell::Null, Cell::Real(0.1), Cell::Blob(vec![1])],
                extra: vec![(column(), Cell::Int(-1))],
                state: Some(nested),
            }),
            Err(Box::new(Failed {
                outcome: Outcome::Panicked,
                exception,
                reached: vec![(3, Cell::Text("é".into()))],
                left: [("x".to_owned(), Value::Null)].into_iter().collect(),
            })),
        ] {
            let event = Event::Done(Box::new(Done {
                ended,
                usage: Some(Usage {
                    user: 0.5,
                    system: 0.25,
                    memory: Some(1),
                }),
                files: vec!["a.rows".into()],
            }));
            assert_eq!(received(&event), event);
        }
        for event in [
            Event::Step(2),
            Event::Reached(1, Cell::Null),
            Event::Inserted(column(), Cell::Real(0.5)),
            Event::Artifact("a".into(), vec![1, 2]),
            Event::Flushed,
        ] {
            assert_eq!(received(&event), event);
        }
        assert_eq!(received(&Order::Flush), Order::Flush);
    }

    #[test]
    fn what_is_no_message_is_told() {
        let mut incoming = Incoming::new(&[1, 0, 0, 0, 0, 0, 0, 0, 99][..]);
        let error = incoming.next::<Event>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}
