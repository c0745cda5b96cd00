//! A value with a file of its own.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use serde::de::{DeserializeOwned, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::error::{DataStoreCause, DataStoreError};
use super::writer::{self, StoreWriter};
use super::{large, name, read};
use crate::bunch::Bunch;
use crate::datapak;
use crate::value::{StoreUrl, Value, ValueError, foreign, from_value, marks, members_of, to_value};

/// The one key of a value that is no struct.
const VALUE: &str = "value";

/// A value that stands in a file of its own beside the database, and not in it: a large array, a
/// model, a trace.
///
/// As the type of a field it is all that is needed; above some 100 KB it is worth it. The value is
/// written when the field is recorded, and read when [`load`](Self::load) is called for the first
/// time: loading an experiment reads no files.
///
/// ```
/// use xp::prelude::*;
/// use xp::value::Array;
///
/// #[step]
/// fn simulate(n: usize) -> DataStore<Array> {
///     Array::from_vec(vec![0.5; n]).into()
/// }
///
/// #[experiment]
/// fn simulation(#[param] n: usize) {
///     #[field]
///     let trace: DataStore<Array> = simulate(n);
/// }
///
/// # let folder = tempfile::tempdir()?;
/// let session = Session::open(folder.path().join("simulation.db"))?;
/// session.execute(simulation().n([1_000, 100_000]))?;
/// for run in session.load_as::<Simulation>("simulation")?.runs() {
///     let trace = run?.fields.trace;
///     assert_eq!(trace.load()?.items().next(), Some(0.5.into()));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It may also stand inside of another value, as an `Option<DataStore<T>>` or a member of a struct,
/// and it may be a column of a flattened field. It cannot be an input: an input is part of a point's
/// identity.
///
/// # Files
///
/// The file is `mltraq.datastore/<id of the experiment>/<name>` in the directory of the database. Its
/// name is made of a digest of the content: runs with equal values share a file, and a file that was
/// changed is not read. A file is on the disk before the row that refers to it is committed. It is
/// written by the worker that runs the steps, or by its process with
/// [`Isolation::Process`](crate::Isolation).
///
/// What nothing refers to, such as files of runs that were not committed and of processes that died,
/// is removed when no process writes files of the experiment any more: at the end of the last
/// execution, or when the database is opened the next time. The files go with their experiment when
/// it is deleted or replaced, after that is committed; copies of it have files of their own. If another
/// database in the same directory gets the same experiment (by `upstream`), both refer to the same
/// files, and none of them is removed any more. A
/// database that is copied by hand takes its directory `mltraq.datastore` along, into a directory of
/// its own.
///
/// In a session without a file there is no place for files: the value stays in its row, and is read
/// in the same way. If that experiment is copied to a file, it still is in its row.
///
/// # Python
///
/// MLtraq reads it as its `DataStore`: the members of a struct are its keys, any other value has the
/// one key `value`. A vector of numbers or bools is an array of NumPy there, and a `Vec<u8>` bytes. MLtraq looks for files below the working directory, so run Python in the directory
/// of the database:
///
/// ```text
/// $ cd results
/// $ python -c 'import mltraq; e = mltraq.create_session("sqlite:///simulation.db").load_experiment("simulation"); print(e.runs.first().fields.trace.value)'
/// ```
///
/// What MLtraq wrote is read by the same types; a `DataStore<Bunch>` has any keys.
pub struct DataStore<T> {
    /// Not there as long as it was not read.
    value: OnceLock<T>,
    /// Where it was read, or is to be read.
    url: Option<StoreUrl>,
}

impl<T> DataStore<T> {
    /// The value, which is written when the field is recorded.
    pub fn new(value: T) -> Self {
        Self {
            value: value.into(),
            url: None,
        }
    }

    /// Where the value stands, if it was read from a database and is in a file.
    pub fn url(&self) -> Option<&StoreUrl> {
        self.url.as_ref()
    }

    /// The value, if it is in memory: it was made here, or was loaded.
    pub fn loaded(&self) -> Option<&T> {
        self.value.get()
    }

    fn at(url: StoreUrl) -> Self {
        Self {
            value: OnceLock::new(),
            url: Some(url),
        }
    }
}

impl<T: DeserializeOwned + 'static> DataStore<T> {
    /// The value. The first call reads the file, and verifies it; the value is kept then.
    ///
    /// # Errors
    ///
    /// The file is missing, or cannot be read; it is a link, or in one; its content was changed, is
    /// larger than 4 GiB, or is of another type.
    pub fn load(&self) -> Result<&T, DataStoreError> {
        if let (None, Some(url)) = (self.value.get(), &self.url) {
            let value = read_from(url)?;
            return Ok(self.value.get_or_init(|| value));
        }
        // Without a URL it was made of its value.
        self.value.get().ok_or_else(|| {
            let nothing = StoreUrl::new("");
            read::failure(&nothing, DataStoreCause::NoDatabase)
        })
    }

    /// The value, read if it is not in memory.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub fn into_inner(self) -> Result<T, DataStoreError> {
        match (self.value.into_inner(), self.url) {
            (Some(value), _) => Ok(value),
            (None, Some(url)) => read_from(&url),
            (None, None) => Err(read::failure(
                &StoreUrl::new(""),
                DataStoreCause::NoDatabase,
            )),
        }
    }
}

impl<T: Serialize + DeserializeOwned + 'static> DataStore<T> {
    /// The reference to the file, which is written if it is not there.
    fn stored_by(&self, writer: &StoreWriter) -> Result<StoreUrl, StoredError> {
        if let Some(url) = self.url.as_ref().filter(|url| is_of(url, writer)) {
            // Nobody removes it as long as this is being written.
            writer.join()?;
            return Ok(url.clone());
        }
        let value = content_of(self.load()?)?;
        let content = datapak::encode(&value)?;
        Ok(writer.write(&content, value.refers())?)
    }
}

/// Whether the file is one of those that the writer writes.
pub(super) fn is_of(url: &StoreUrl, writer: &StoreWriter) -> bool {
    let directory = url.origin().map(|origin| &origin.holder.directory);
    let owner = name::parse(url.as_str()).map(|(owner, _)| owner);
    directory.is_some_and(|directory| directory == writer.directory())
        && owner == Some(writer.owner())
}

/// Why a value cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoredError {
    #[error(transparent)]
    Read(#[from] DataStoreError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    Encode(#[from] datapak::DatapakError),
    #[error(transparent)]
    Write(#[from] writer::WriteError),
    #[error("the files of the experiment cannot be used: {0}")]
    Join(#[from] std::io::Error),
}

/// Whether the members of a value of type `T` are the keys, and not the value itself.
fn has_keys<T: DeserializeOwned + 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<Bunch>() || members_of::<T>().is_some()
}

/// What the file holds.
fn content_of<T: Serialize + DeserializeOwned + 'static>(value: &T) -> Result<Value, ValueError> {
    let data = match large::value(value).or_else(|| foreign::value(value)) {
        Some(value) => value,
        None => to_value(value)?,
    };
    Ok(match data {
        Value::Map(entries) if has_keys::<T>() => Value::Map(entries),
        Value::Bunch(entries) if has_keys::<T>() => {
            let entries = entries.into_iter();
            Value::Map(entries.map(|(key, value)| (key.into(), value)).collect())
        }
        Value::Null if has_keys::<T>() => Value::Map(Vec::new()),
        value => Value::Map(vec![(VALUE.into(), value)]),
    })
}

fn read_from<T: DeserializeOwned + 'static>(url: &StoreUrl) -> Result<T, DataStoreError> {
    let mut entries = read::values(url)?;
    let typed =
        |value| of_value(value).map_err(|error| read::failure(url, DataStoreCause::Type(error)));
    if has_keys::<T>() {
        return typed(bunch_of(entries));
    }
    // MLtraq writes any keys: then the value is what has them.
    match entries.as_slice() {
        [(Value::Text(key), _)] if key == VALUE => typed(entries.remove(0).1),
        _ => typed(bunch_of(entries)),
    }
}

/// A bunch, if all keys are names.
fn bunch_of(entries: Vec<(Value, Value)>) -> Value {
    if !entries.iter().all(|(key, _)| matches!(key, Value::Text(_))) {
        return Value::Map(entries);
    }
    let named = entries.into_iter().filter_map(|(key, value)| match key {
        Value::Text(name) => Some((name, value)),
        _ => None,
    });
    Value::Bunch(named.collect())
}

fn of_value<T: DeserializeOwned + 'static>(value: Value) -> Result<T, ValueError> {
    if let Some(result) = foreign::read(&value) {
        return result;
    }
    match large::read(value) {
        Ok(read) => Ok(read),
        Err(value) => from_value(value),
    }
}

impl<T> From<T> for DataStore<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// What is read is cloned, and what is not read yet is read again by the clone.
impl<T: Clone> Clone for DataStore<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            url: self.url.clone(),
        }
    }
}

/// Whether the values are equal, which may have to be read for that, unless they have one file. Values
/// that cannot be read are unequal to all others.
impl<T: PartialEq + DeserializeOwned + 'static> PartialEq for DataStore<T> {
    fn eq(&self, other: &Self) -> bool {
        let digest = |of: &Self| {
            let (_, name) = name::parse(of.url.as_ref()?.as_str())?;
            name.is_digest().then_some(name)
        };
        match (digest(self), digest(other)) {
            (Some(one), Some(other)) if one == other => true,
            _ => matches!((self.load(), other.load()), (Ok(one), Ok(other)) if one == other),
        }
    }
}

/// With the value only if it is in memory.
impl<T: fmt::Debug> fmt::Debug for DataStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.loaded(), &self.url) {
            (Some(value), _) => f.debug_tuple("DataStore").field(value).finish(),
            (None, url) => {
                let url = url.as_ref().map_or("", StoreUrl::as_str);
                write!(f, "DataStore({url})")
            }
        }
    }
}

/// In a field of an experiment with a file, a reference; otherwise the value itself, which is read for
/// that if it is not in memory.
impl<T: Serialize + DeserializeOwned + 'static> Serialize for DataStore<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(writer) = writer::current() {
            let url = self.stored_by(&writer).map_err(ser::Error::custom)?;
            return serializer.serialize_newtype_struct(marks::DATA_STORE, url.as_str());
        }
        let value = self.load().map_err(ser::Error::custom)?;
        match foreign::value(value) {
            Some(value) => value.serialize(serializer),
            None => value.serialize(serializer),
        }
    }
}

/// From a reference, which is kept and not read; or from the value itself.
impl<'de, T: DeserializeOwned + 'static> Deserialize<'de> for DataStore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(marks::DATA_STORE, StoreVisitor(PhantomData))
    }
}

struct StoreVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: DeserializeOwned + 'static> Visitor<'de> for StoreVisitor<T> {
    type Value = DataStore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a data store")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<DataStore<T>, D::Error> {
        if foreign::is_foreign::<T>() {
            let value = of_value(Value::deserialize(deserializer)?);
            return value.map(DataStore::new).map_err(de::Error::custom);
        }
        T::deserialize(deserializer).map(DataStore::new)
    }

    /// Of a value that serde has no form for, its mark and what it marks.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<DataStore<T>, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        match marks::marked(&name, variant.newtype_variant()?) {
            Value::DataStore(url) => Ok(DataStore::at(url)),
            value => of_value(value)
                .map(DataStore::new)
                .map_err(de::Error::custom),
        }
    }
}
