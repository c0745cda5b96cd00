//! What the types of inputs, fields, states and shared values must be, with messages that say what
//! to do where they are not.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::stored::DataStore;

/// The types that an input can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an input",
    label = "not `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`",
    note = "derive `Serialize`, `Deserialize` and `Clone` for it",
    note = "a param of a type without serde takes `key = ..`, a function that makes its text"
)]
pub trait InputValue: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> InputValue for T {}

/// Holds for no type that has a file of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an input",
    label = "has a file of its own",
    note = "an input stands in its row, and tells points apart by its value: take the value itself, or what a step can \
            make it of"
)]
pub trait StandsInRow {}

/// The type of an input, for [`AnyInput`].
#[derive(Debug)]
pub struct InputType<T>(PhantomData<T>);

/// Asks, at a place that generated code chooses, whether the type can be that of an input: it can,
/// unless [`InputType`] has a function of its own for it.
pub trait AnyInput {
    /// Nothing.
    fn check() {}
}

impl<T> AnyInput for InputType<T> {}

impl<T> InputType<DataStore<T>> {
    /// Is found before that of the trait, and cannot be called.
    pub fn check()
    where
        DataStore<T>: StandsInRow,
    {
    }
}

/// The types that an input with a `key` can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an input",
    label = "not `Clone + Send + Sync + 'static`",
    note = "each run has a clone of it, on any thread: derive `Clone`, and use `Arc` instead of `Rc`"
)]
pub trait KeyedValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> KeyedValue for T {}

/// The types that a field can have.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be stored",
    label = "not `Serialize + DeserializeOwned + 'static`",
    note = "derive `Serialize` and `Deserialize` for it, or keep it in memory with `#[state]`"
)]
pub trait FieldValue: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> FieldValue for T {}

/// The types that a state can have.
#[diagnostic::on_unimplemented(
    message = "`#[state]` must be `Send`: `{Self}` would leave the thread of its run",
    label = "not `Send`",
    note = "leave it a var (without `#[state]`), which stays on its thread"
)]
pub trait StateValue: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> StateValue for T {}

/// The types that a shared value can have.
#[diagnostic::on_unimplemented(
    message = "`#[shared]` must be `Send + Sync`: runs on several threads refer to `{Self}`",
    label = "not `Send + Sync + 'static`",
    note = "leave it a var (without `#[shared]`), which each run computes for itself"
)]
pub trait SharedValue: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> SharedValue for T {}

/// Asks for the bound at a place that generated code chooses.
#[doc(hidden)]
pub const fn state_must_be_send<T: StateValue>() {}

/// How a shared value of type `T` is held. Made in one place of the generated code, which is where
/// a type that cannot be shared is told.
#[derive(Debug)]
pub struct SharedOps<T> {
    pub(crate) hold: fn(T) -> Held,
    pub(crate) refer: fn(Held) -> Option<Arc<T>>,
}

/// A shared value, whatever its type.
pub(crate) type Held = Arc<dyn Any + Send + Sync>;

impl<T> SharedOps<T> {
    /// For a type that can be shared.
    #[expect(clippy::new_without_default, reason = "it is data of generated code")]
    pub const fn new() -> Self
    where
        T: SharedValue,
    {
        Self {
            hold: |value| Arc::new(value),
            refer: |held| held.downcast().ok(),
        }
    }
}
