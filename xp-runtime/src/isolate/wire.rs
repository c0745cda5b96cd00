//! How what crosses between the processes is written: plain bytes, the same binary on both ends.

/// What was received is no message: the other end is another program, or its memory is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

pub(super) type Result<T> = std::result::Result<T, Damaged>;

/// What can be written, and read again.
pub(super) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);

    /// Takes a value from the front.
    fn parse(from: &mut &[u8]) -> Result<Self>;

    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        items.iter().for_each(|item| item.put(out));
    }

    fn parse_all(count: usize, from: &mut &[u8]) -> Result<Vec<Self>> {
        (0..count).map(|_| Self::parse(from)).collect()
    }
}

fn split<'a>(from: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (head, rest) = from.split_at_checked(count).ok_or(Damaged)?;
    *from = rest;
    Ok(head)
}

impl Wire for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        split(from, 1).map(|byte| byte[0])
    }

    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        out.extend_from_slice(items);
    }

    fn parse_all(count: usize, from: &mut &[u8]) -> Result<Vec<Self>> {
        split(from, count).map(<[u8]>::to_vec)
    }
}

macro_rules! number {
    ($($of:ty),*) => {$(
        impl Wire for $of {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn parse(from: &mut &[u8]) -> Result<Self> {
                let bytes = split(from, size_of::<$of>())?;
                Ok(<$of>::from_le_bytes(bytes.try_into().map_err(|_| Damaged)?))
            }
        }
    )*};
}

number!(u64, i64, i128, f64);

impl Wire for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Self::try_from(u64::parse(from)?).map_err(|_| Damaged)
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push((*self).into());
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(u8::parse(from)? != 0)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Self::from_utf8(Vec::parse(from)?).map_err(|_| Damaged)
    }
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    bytes.len().put(out);
    out.extend_from_slice(bytes);
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        T::put_all(self, out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        let count = usize::parse(from)?;
        // Every item is at least a byte.
        if count > from.len() {
            return Err(Damaged);
        }
        T::parse_all(count, from)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        bool::parse(from)?.then(|| T::parse(from)).transpose()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok((A::parse(from)?, B::parse(from)?))
    }
}

impl<const N: usize> Wire for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        split(from, N)?.try_into().map_err(|_| Damaged)
    }
}
