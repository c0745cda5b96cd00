//! What pandas notes in the metadata of a file: the index, and the type of the columns' labels.

use serde_json::Value as Json;

/// The key of the metadata.
pub(super) const KEY: &str = "pandas";

/// The least with which MLtraq loads a Series: its column is labelled by the integer 0.
pub(super) const SERIES: &str = r#"{"index_columns":[],"column_indexes":[{"name":null,"field_name":null,"pandas_type":"int64","numpy_type":"int64","metadata":null}],"columns":[]}"#;

/// How the rows of a [`Frame`](super::Frame) are labelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Index {
    /// By numbers.
    Range {
        /// The label of the first row.
        start: i64,
        /// Where the labels end.
        stop: i64,
        /// From one label to the next.
        step: i64,
    },
    /// By the items of these columns of the frame: `__index_level_0__`.
    Columns(Vec<String>),
}

fn parse(metadata: Option<&str>) -> Option<Json> {
    serde_json::from_str(metadata?).ok()
}

/// The index, if there is a note of one.
pub(super) fn index(metadata: Option<&str>) -> Option<Index> {
    let metadata = parse(metadata)?;
    let levels = metadata.get("index_columns")?.as_array()?;
    if let [range @ Json::Object(_)] = levels.as_slice() {
        let number = |name: &str| range.get(name)?.as_i64();
        return Some(Index::Range {
            start: number("start")?,
            stop: number("stop")?,
            step: number("step")?,
        });
    }
    let names: Vec<_> = levels
        .iter()
        .filter_map(|level| level.as_str().map(str::to_owned))
        .collect();
    (!names.is_empty()).then_some(Index::Columns(names))
}

pub(super) fn has_integer_labels(metadata: Option<&str>) -> bool {
    let labels = |metadata: Json| {
        let labels = metadata.get("column_indexes")?.as_array()?;
        let [labels] = labels.as_slice() else {
            return None;
        };
        Some(labels.get("pandas_type")? == "int64")
    };
    parse(metadata).and_then(labels).unwrap_or(false)
}
