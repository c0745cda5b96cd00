//! Compressed DATAPAK, which some versions of MLtraq write and cannot read.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::DatapakError;

/// What stands before a zlib stream.
const ZLIB: &[u8] = b"C01";

/// What stands before the names of other codecs.
const UNKNOWN: &[u8] = b"C0";

/// How much larger than its stream a value may be; zlib itself ends at some 1,000 times.
const RATIO: usize = 64;

/// How large a value may be at least, however small its stream is.
const FREE: usize = 16 << 20;

/// The bytes without compression. Pickles do not begin like compressed bytes.
pub(super) fn decompressed(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DatapakError> {
    let Some(stream) = bytes.strip_prefix(ZLIB) else {
        if bytes.starts_with(UNKNOWN) {
            return Err(DatapakError::Compressed {
                problem: "an unknown codec",
            });
        }
        return Ok(Cow::Borrowed(bytes));
    };
    let limit = stream.len().saturating_mul(RATIO).saturating_add(FREE);
    let mut all = Vec::new();
    // One byte more tells that it is too large.
    let read = ZlibDecoder::new(stream)
        .take(limit as u64 + 1)
        .read_to_end(&mut all);
    match read {
        Ok(_) if all.len() > limit => Err(DatapakError::TooLarge),
        Ok(_) => Ok(Cow::Owned(all)),
        Err(_) => Err(DatapakError::Compressed {
            problem: "no zlib stream",
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::ZlibEncoder::new(ZLIB.to_vec(), level);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn zlib_is_decompressed() {
        let bytes = zlib(b"\x80\x04K\x01.");
        assert_eq!(&*decompressed(&bytes).unwrap(), b"\x80\x04K\x01.");
        assert_eq!(super::super::decode(&bytes), Ok(1.into()));
        assert_eq!(&*decompressed(b"N.").unwrap(), b"N.");
        for bad in [&b"C00"[..], b"C01", b"C01x\x9c", &bytes[..bytes.len() - 6]] {
            assert!(matches!(
                decompressed(bad),
                Err(DatapakError::Compressed { .. })
            ));
        }
    }

    #[test]
    fn bombs_are_too_large() {
        assert_eq!(
            decompressed(&zlib(&vec![0; 64 << 20])),
            Err(DatapakError::TooLarge)
        );
    }
}
