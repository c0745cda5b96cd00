//! An ordered dictionary of named values.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::value::{Value, ValueError, from_value, to_value};

/// Named values in the order in which they were inserted.
///
/// What a run shows of its inputs, what an experiment keeps beside its runs, and the fields of a
/// run whose type is not known are `Bunch`es. A name occurs once.
///
/// ```
/// let mut bunch = xp::Bunch::new();
/// bunch.insert("k", &3)?;
/// assert_eq!(bunch.get::<u64>("k")?, Some(3));
/// assert_eq!(bunch.get::<u64>("seed")?, None);
/// assert_eq!(bunch.to_string(), "{k: 3}");
/// # Ok::<(), xp::ValueError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bunch(Vec<(String, Value)>);

impl Bunch {
    /// An empty bunch.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of that name as a `T`, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// The value is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ValueError> {
        self.value(name).cloned().map(from_value).transpose()
    }

    /// The value of that name, as it is stored.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// Sets a value; one that was there under this name is replaced, in its place.
    ///
    /// # Errors
    ///
    /// The value's own `Serialize` fails, or it nests too deep.
    pub fn insert<T: Serialize + ?Sized>(
        &mut self,
        name: impl Into<String>,
        value: &T,
    ) -> Result<(), ValueError> {
        self.set(name.into(), to_value(value)?);
        Ok(())
    }

    /// Sets a value that is one already.
    pub fn set(&mut self, name: String, value: Value) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn into_members(self) -> Vec<(String, Value)> {
        self.0
    }
}

impl FromIterator<(String, Value)> for Bunch {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(iter: I) -> Self {
        let mut bunch = Self::new();
        for (name, value) in iter {
            bunch.set(name, value);
        }
        bunch
    }
}

impl fmt::Display for Bunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {value}")?;
        }
        f.write_str("}")
    }
}

impl Serialize for Bunch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Bunch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bunch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map with text keys")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Bunch, A::Error> {
                let mut bunch = Bunch::new();
                while let Some((name, value)) = map.next_entry()? {
                    bunch.set(name, value);
                }
                Ok(bunch)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
