//! References to what stands in files of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::origin::{self, Origin};

/// Where a value stands that has a file of its own, beside the database: `file:///<experiment>/<file>`, as MLtraq writes it.
///
/// One that was read from a database knows that database, and [`read`](Self::read) gives what it refers to. Two are equal if
/// they have the same text.
#[derive(Clone, Debug)]
pub struct StoreUrl {
    url: String,
    /// The cell from which it was read.
    origin: Option<Arc<Origin>>,
}

impl StoreUrl {
    /// The URL of this text, which is kept as it is.
    pub fn new(url: impl Into<String>) -> Self {
        StoreUrl {
            url: url.into(),
            origin: origin::current(),
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    pub(crate) fn origin(&self) -> Option<&Arc<Origin>> {
        self.origin.as_ref()
    }
}

impl PartialEq for StoreUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for StoreUrl {}

impl Hash for StoreUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}
