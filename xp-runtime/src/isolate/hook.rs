//! The hook at the start of `main`, by which the program serves as its own child.

use std::sync::OnceLock;

use super::CHILD;
#[cfg(unix)]
use super::child::{self, Serve};
use crate::declare::Declared;

#[cfg(not(unix))]
use self::Nothing as Serve;

/// The experiments of which `main` said that their runs may have processes of their own.
static HOOKED: OnceLock<Vec<String>> = OnceLock::new();

/// With what a child ends that did not come to its hook.
const NO_HOOK: i32 = 113;

/// Lets the runs of experiments have processes of their own: the first statement of a `main` that
/// executes a plan with [`isolate`](crate::Grid::isolate).
///
/// A child is this program, started again (with the same arguments). In it the function serves
/// runs until its parent has no more, and never returns; otherwise it returns at once. What `main`
/// does before it happens in every child, too.
///
/// ```no_run
/// use std::time::Duration;
///
/// use xp::prelude::*;
///
/// #[step]
/// fn factor(n: u64) -> u64 {
///     (2..=n).find(|i| n % i == 0).unwrap_or(1)
/// }
///
/// #[experiment]
/// fn factors(#[param] n: u64) {
///     #[field]
///     let smallest: u64 = factor(n);
/// }
///
/// fn main() -> xp::Result<()> {
///     xp::child_main::<Factors>(); // of several experiments: `<(Factors, Others)>`
///     let plan = factors().n(1_000_000..1_000_100).isolate(Isolation::Process);
///     Session::open("factors.db")?.execute(plan.time_limit(Duration::from_secs(10)))?;
///     Ok(())
/// }
/// ```
pub fn child_main<E: Experiments>() {
    let mut names = Vec::new();
    E::names(&mut names);
    let _ = HOOKED.set(names);
    #[cfg(unix)]
    if is_child() {
        child::serve::<E>();
    }
}

/// One experiment, or a tuple of up to twelve: what [`child_main`] takes.
#[diagnostic::on_unimplemented(
    message = "the runs of `{Self}` cannot have processes of their own",
    label = "neither an experiment nor a tuple of experiments whose states are `Serialize`",
    note = "write the type that `#[experiment]` leaves, `xp::child_main::<Iris>()`, or a tuple of several"
)]
pub trait Experiments {
    #[doc(hidden)]
    fn names(names: &mut Vec<String>);

    /// Runs the request if it is for one of these experiments.
    #[doc(hidden)]
    fn serve(experiment: &str, serve: &mut Serve<'_, '_>) -> bool;
}

/// What an experiment is called among those of a program.
pub(super) fn path<X: Declared>() -> String {
    let declaration = X::declaration();
    format!("{}::{}", declaration.module, declaration.name)
}

impl<X: Declared<State: super::CrossingState>> Experiments for X {
    fn names(names: &mut Vec<String>) {
        names.push(path::<X>());
    }

    fn serve(experiment: &str, serve: &mut Serve<'_, '_>) -> bool {
        let declaration = X::declaration();
        let is = experiment
            .strip_suffix(declaration.name)
            .and_then(|module| module.strip_suffix("::"))
            .is_some_and(|module| module == declaration.module);
        #[cfg(unix)]
        if is {
            serve.run::<X>();
        }
        #[cfg(not(unix))]
        let _ = serve;
        is
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Experiments),*> Experiments for ($($name,)*) {
            fn names(names: &mut Vec<String>) {
                $($name::names(names);)*
            }

            fn serve(experiment: &str, serve: &mut Serve<'_, '_>) -> bool {
                $($name::serve(experiment, serve))||*
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);

/// Stands for what a child works with, where there are none.
#[cfg(not(unix))]
#[doc(hidden)]
#[derive(Debug)]
pub struct Nothing<'a, 'b>(std::marker::PhantomData<(&'a (), &'b ())>);

/// Whether `main` began with the hook, and named the experiment.
pub(super) fn is_hooked(experiment: &str) -> bool {
    HOOKED
        .get()
        .is_some_and(|names| names.iter().any(|name| name == experiment))
}

/// Whether this process was started to serve runs. It is in its own name, which is not inherited
/// by what a step starts, as a variable of the environment would be.
fn is_child() -> bool {
    std::env::args_os().next().is_some_and(|name| name == CHILD)
}

/// Ends a process that was to serve runs and runs the program instead, since `main` lacks the
/// hook: it must not open files and execute plans of its own.
pub(crate) fn end_unhooked_child() {
    static UNHOOKED: OnceLock<bool> = OnceLock::new();
    if *UNHOOKED.get_or_init(|| HOOKED.get().is_none() && is_child()) {
        std::process::exit(NO_HOOK);
    }
}
