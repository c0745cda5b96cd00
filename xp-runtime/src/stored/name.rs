//! The names of files, and where they occur.

use std::fmt;

use uuid::{Builder, Uuid, Variant, Version};

use crate::datapak::kinds;
use crate::value::StoreUrl;

/// What every reference begins with.
const SCHEME: &str = "file:///";

/// The lengths of an id with dashes, of a name, and of both with the slash between them.
const ID: usize = 36;
const NAME: usize = 32;
const TARGET: usize = ID + 1 + NAME;

/// By these marks bytes can refer to files at all.
const MARKS: [&str; 2] = [kinds::DATA_STORE, kinds::ARCHIVE_STORE];

/// The name of a file: 32 hex digits. Of what xp writes it is a UUID of version 8, made of the first
/// bytes of the BLAKE3 digest of the content.
///
/// A content that refers to further files of its experiment has the experiment's id in it, which is
/// another one in a copy. It stands as zeros in the digest, and the last bit of the name is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileName(Uuid);

impl FileName {
    /// The name of a content of the experiment `owner`.
    pub(crate) fn of(content: &[u8], owner: Uuid, refers: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut rest = content;
        if refers {
            let id = owner.hyphenated().to_string();
            let whole = format!("{SCHEME}{id}");
            while let Some(at) = find(rest, whole.as_bytes()) {
                let (before, after) = rest.split_at(at + SCHEME.len());
                hasher.update(before);
                hasher.update(&[0; ID]);
                rest = &after[ID..];
            }
        }
        hasher.update(rest);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        bytes[15] = bytes[15] & !1 | u8::from(refers);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The name that a text is, as it is written in a reference and on disk.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == NAME && text.bytes().all(is_name))
            .then(|| Uuid::try_parse(text).ok())?
            .map(Self)
    }

    /// Whether it is made of the content.
    pub(crate) fn is_digest(self) -> bool {
        self.0.get_version() == Some(Version::Custom) && self.0.get_variant() == Variant::RFC4122
    }

    /// Whether the content refers to further files, if the name is made of it.
    pub(crate) fn refers(self) -> bool {
        self.0.as_bytes()[15] & 1 == 1
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// The reference to a file.
pub(super) fn url(owner: Uuid, name: FileName) -> StoreUrl {
    StoreUrl::new(format!("{SCHEME}{}/{name}", owner.hyphenated()))
}

/// The experiment and the file to which a reference leads; `None` if it leads anywhere else.
pub(super) fn parse(url: &str) -> Option<(Uuid, FileName)> {
    target(url.strip_prefix(SCHEME)?)
}

/// Where a reference leads: the experiment, a slash, and the file.
fn target(text: &str) -> Option<(Uuid, FileName)> {
    let (owner, name) = text.split_once('/')?;
    let id = Uuid::try_parse(owner).ok()?;
    // The other forms of a UUID name other directories.
    (id.hyphenated().to_string() == owner).then_some(())?;
    Some((id, FileName::parse(name)?))
}

/// The first reference in these bytes, whatever experiment it leads to: the place of the
/// experiment's id, the experiment, and the file.
fn first(bytes: &[u8]) -> Option<(usize, Uuid, FileName)> {
    let mut at = 0;
    loop {
        at += find(&bytes[at..], SCHEME.as_bytes())? + SCHEME.len();
        let text = bytes.get(at..at + TARGET).map(str::from_utf8);
        if let Some((owner, name)) = text.and_then(|text| target(text.ok()?)) {
            return Some((at, owner, name));
        }
    }
}

/// The files of an experiment to which these bytes refer.
pub(crate) fn references(bytes: &[u8], owner: Uuid) -> impl Iterator<Item = FileName> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let (at, of, name) = first(rest)?;
            rest = &rest[at + TARGET..];
            if of == owner {
                return Some(name);
            }
        }
    })
}

/// Lets the references in these bytes lead to files of the same names of the experiment `to`; calls
/// a function with each as it was. What is around them stays valid: all ids have one length. Bytes
/// that have no mark of a reference have none.
pub(crate) fn redirect<E>(
    bytes: &mut [u8],
    to: Uuid,
    mut each: impl FnMut(Uuid, FileName) -> Result<(), E>,
) -> Result<(), E> {
    if !(MARKS.iter()).any(|mark| find(bytes, mark.as_bytes()).is_some()) {
        return Ok(());
    }
    let id = to.hyphenated().to_string();
    let mut rest = bytes;
    while let Some((at, owner, name)) = first(rest) {
        each(owner, name)?;
        rest[at..at + ID].copy_from_slice(id.as_bytes());
        rest = &mut rest[at + TARGET..];
    }
    Ok(())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let mut at = 0;
    // The first byte is looked for alone: most bytes are another one.
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == part[0]) {
        at += found;
        if bytes[at..].starts_with(part) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_digest_of_the_content() {
        let owner = Uuid::from_u128(7);
        let name = FileName::of(b"abc", owner, false);
        // The BLAKE3 digest of `abc`, with the version and the variant, and an even end.
        assert_eq!(
            name.to_string(),
            "6437b3ac38465133bfb63b75273a8db5"
                .replace("5133", "8133")
                .replace("8db5", "8db4")
        );
        assert!(name.is_digest() && !name.refers());
        assert_eq!(FileName::parse(&name.to_string()), Some(name));
        assert_eq!(FileName::of(b"abc", Uuid::nil(), false), name);
        assert_ne!(FileName::of(b"abd", owner, false), name);
    }

    #[test]
    fn a_copy_with_references_has_the_same_name() {
        let content = |of: Uuid| format!("1 file:///{of}/{} 2 file:///{of}/x", "a".repeat(32));
        let name = |of: Uuid, in_it: Uuid| FileName::of(content(in_it).as_bytes(), of, true);
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(name(one, one), name(two, two));
        assert_ne!(name(one, one), name(one, two));
        assert!(name(one, one).refers());
        let found: Vec<_> = references(content(one).as_bytes(), one).collect();
        assert_eq!(found, [FileName::parse(&"a".repeat(32)).unwrap()]);
        assert_eq!(references(content(one).as_bytes(), two).count(), 0);
    }

    #[test]
    fn names_of_others_are_no_digests() {
        for name in [
            "000000000000000000000000000f4245",
            "0123456789ab4cde8f0123456789abcd",
        ] {
            assert!(!FileName::parse(name).unwrap().is_digest());
        }
    }

    #[test]
    fn a_reference_leads_to_a_file_of_an_experiment_only() {
        let owner = Uuid::from_u128(7);
        let name = FileName::of(b"abc", owner, false);
        assert_eq!(parse(url(owner, name).as_str()), Some((owner, name)));
        let id = owner.hyphenated().to_string();
        for wrong in [
            format!("file:///../{name}"),
            format!("file:///{id}/../{name}"),
            format!("file:///{id}/{name}/"),
            format!("file:////{id}/{name}"),
            format!("file:///{}/{name}", owner.simple()),
            format!("file:///{{{id}}}/{name}"),
            format!("file:///{}/{name}", id.to_uppercase().replace('0', "A")),
            format!("file:///{id}/{}", name.to_string().to_uppercase()),
            format!("file:///{id}/"),
            format!("file://{id}/{name}"),
            format!("http:///{id}/{name}"),
            "file:///etc/passwd".to_owned(),
            String::new(),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
