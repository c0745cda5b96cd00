//! What makes two points the same point.
//!
//! A point has one [`Identity`] wherever and whenever it is planned: it is a hash of the
//! experiment's name and the point's inputs in a *canonical form*, which is the same on every
//! machine, in every process and for every version of this crate. This page specifies it byte by
//! byte, so that another program can compute it.
//!
//! # Canonical form of a value
//!
//! One byte says what the value is; what follows depends on it. `magnitude` is a natural number:
//! one byte with the count of its bytes (0 to 16), then the bytes, most significant first, without
//! leading zeros. `text` is the `magnitude` of its length in bytes, then its UTF-8.
//!
//! | first byte | value | followed by |
//! |---|---|---|
//! | `00` | null: unit, a unit struct, `None` (but see below) | |
//! | `01`, `02` | false, true | |
//! | `03` | integer ≥ 0, of any width | `magnitude` |
//! | `04` | integer < 0, of any width | `magnitude` of its absolute value |
//! | `05` | float | the 8 bytes of its IEEE 754 binary64, most significant first |
//! | `06` | text, `char`, and what is a text in JSON, such as UUIDs and timestamps | `text` |
//! | `07` | bytes | `magnitude` of their count, the bytes |
//! | `08` | sequence, array, tuple, tuple struct | the values, then `ff` |
//! | `09` | map, struct | the entries, sorted: key, value; then `ff` |
//! | `0a` | enum variant without data | its name as `text` |
//! | `0b` | enum variant with data | its name as `text`, then its data as a value |
//!
//! - An `f32` is widened to `f64`; −0.0 is 0.0; every NaN is `7ff8000000000000`. An integer is
//!   never equal to a float.
//! - `Some(x)` is `x`, and so is a newtype struct around `x`. A member of a struct (or of a struct
//!   variant) that is `None` is left out: to add an `Option` to a struct changes no identity.
//!   Everywhere else `None` is null.
//! - A struct is the map of its members' names; the order of declaration does not count. Entries
//!   are sorted by their bytes.
//! - The data of a variant is the value itself if there is one (`V(x)`), a sequence for `V(x, y)`,
//!   a map for `V { x }`. Names of types and positions of variants do not count.
//!
//! No form is the beginning of another one, and a form has one reading: values which these rules
//! do not make equal have different forms. What `#[serde(flatten)]` is used in is a map for serde,
//! so its `None`s are null. A `HashSet` is a sequence for serde, in an order of its own at every
//! start: it has no stable form.
//!
//! | value | form |
//! |---|---|
//! | `0`, `3`, `256` | `03 00`, `03 01 03`, `03 02 0100` |
//! | `-1` | `04 01 01` |
//! | `1.5` | `05 3ff8000000000000` |
//! | `"k"`, `'k'` | `06 01 01 6b` |
//! | `(Some(1), None)` | `08 03 01 01 00 ff` |
//! | `{"b": 1, "aa": null}` | `09 06 01 01 62 03 01 01 06 01 02 6161 00 ff` |
//! | `P { k: 3, a: None, name: "x" }` | `09 06 01 01 6b 03 01 03 06 01 04 6e616d65 06 01 01 78 ff` |
//! | `Dot` | `0a 01 03 446f74` |
//! | `Disc(2.0)` | `0b 01 04 44697363 05 4000000000000000` |
//! | `Box(1, 2)` | `0b 01 03 426f78 08 03 01 01 03 01 02 ff` |
//!
//! # Hashes
//!
//! The hash is BLAKE3 with 32 bytes of output. `‖` joins bytes; texts, maps and integers are in
//! canonical form.
//!
//! - [`InputsHash`] = BLAKE3(`"xp inputs 1"` ‖ the map of the inputs). Inputs that are `None` and
//!   inputs at their absent value are left out; an input which is `None`, and whose absent value is
//!   not, is null.
//! - The key of an experiment = BLAKE3(`"xp identity 1"` ‖ its name ‖ the map of its steps to their
//!   versions, without those at version 1 ‖ the root seed, unless it is 123).
//! - [`Identity`] = BLAKE3 in keyed mode with that key, of the 32 bytes of the [`InputsHash`].
//! - `id_run` = the UUID of version 8 made from the first 16 bytes of the identity: the upper four
//!   bits of byte 6 are set to 8, the upper two bits of byte 8 to binary 10.
//!
//! | of | is |
//! |---|---|
//! | no inputs | `bb66977455e97f607e401579bd28012d023965965f50201267dfb8b403928756` |
//! | `k = 3`, `test_ratio = 0.3`, `seed = 0` | `3f7ef3c5896cb60dbb0fa87f61b41169b7f666cfffa6f7033e7e59fa8b46662d` |
//! | these in `iris`, with `load` at version 1 | `8109f7e4a088e8ef55298b2578999117bb56cbba21b80f4da0c9b8d068cc8895` |
//! | its `id_run` | `8109f7e4-a088-88ef-9529-8b2578999117` |
//! | these in `iris`, with `load` at 2, `fit` at 1, `score` at 3, root seed 7 | `d5d73755abbee676d2329090ed8f3dbfbdf962e40e3c2eedc5da8a3c38624d28` |

mod collection;
mod encode;
mod form;
mod point;
mod scheme;
#[cfg(test)]
mod tests;

pub use encode::{EncodeError, Encoded, encode};
pub(crate) use form::{tag, write_natural, write_sized, write_text};
pub use point::{Inputs, InputsHash};
pub use scheme::{DEFAULT_ROOT_SEED, Identity, IdentityScheme};
