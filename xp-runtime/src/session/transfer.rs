//! Experiments that go to another name, to another file, or together.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Session;
use crate::experiment::{Error, Experiment, Readable, Result};
use crate::store::{self, Destination, Key, Moved, Source, Store, check_experiment};

/// What [`Experiment::upstream`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upstreamed {
    /// The id of the experiment in the shared file.
    pub id_experiment: Uuid,
    /// Points that were not there.
    pub added: u64,
    /// Points that were there, and had not completed, or lacked a field.
    pub replaced: u64,
    /// Points that were there, and stay as they are.
    pub kept: u64,
    /// Those among [`kept`](Self::kept) that a process there is about to run: add the experiment
    /// again later.
    pub claimed: u64,
}

impl Session {
    /// Makes an experiment of the runs of several, which may be in other files: the parts of a sweep
    /// that was made on several machines, say. They stay as they are. All that is known of their runs
    /// comes along: attempts, exceptions, artifacts, the sources of the steps, the declared inputs;
    /// so [`resume`](Self::resume) continues the new experiment (under its name) as it does the old
    /// ones.
    ///
    /// - A point has one `id_run` wherever it runs, and is there once. What completed is kept over
    ///   what did not, what has more fields over what lacks some, a later attempt over an earlier
    ///   one; of two that are alike, that of the last experiment counts.
    /// - There are the columns of all. A run that lacks one has NULL there, or a `None` where the
    ///   column is serialised; of an input that was declared later, with a default, it has that.
    /// - Of experiments that were declared under different names, plans of the first one's
    ///   declaration continue the new one; the runs of the others are in it, too.
    /// - The fields of the experiments themselves come together; the last one counts.
    /// - What was computed of all runs at once, by an experiment that continues another and takes
    ///   `runs: &Runs<..>`, is kept as it was computed: of the runs that there were then, in that
    ///   part. It is stale in the new one, unless all parts had the same runs: to compute it of all
    ///   that came together, `session.resume(ranks().named("all").rerun(Rerun::new().stale(true)))`.
    ///
    /// To bring typed and untyped experiments together, make all of them
    /// [`untyped`](Experiment::untyped).
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
    /// let here = Session::in_memory()?;
    /// let there = Session::in_memory()?;
    /// let a = here.execute(halves().x([1.0, 2.0]))?;
    /// let b = there.execute(halves().x([2.0, 3.0]))?;
    /// let all = here.merge("all halves", [&a, &b])?;
    /// assert_eq!(all.runs().count(), 3);
    /// let report = here.plan(halves().x([1.0, 2.0, 3.0, 4.0]).named("all halves"))?;
    /// assert_eq!((report.counts.complete, report.counts.missing), (3, 1));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`](crate::StoreError::NameTaken);
    /// [`StoreError::ColumnClash`](crate::StoreError::ColumnClash) if columns of one name hold
    /// different types, with all of them; [`StoreError::OtherDefaults`](crate::StoreError) if inputs
    /// were left out of identities with other values; or a file cannot be read or written. Nothing
    /// is made then.
    pub fn merge<'a, X: Readable + 'a>(
        &self,
        name: &str,
        experiments: impl IntoIterator<Item = &'a Experiment<X>>,
    ) -> Result<Experiment<X>> {
        let experiments: Vec<_> = experiments.into_iter().collect();
        if experiments.is_empty() {
            return Err(Error::NothingToMerge {
                name: name.to_owned(),
            });
        }
        new(&self.store, name, &experiments)
    }
}

impl<X: Readable> Experiment<X> {
    /// Copies the experiment, in the same file, to another name. The copy has an id of its own; its
    /// runs keep theirs, and all that is known of them. Cells are copied as they are stored, also
    /// values of MLtraq's that xp has no type for: what was computed of all runs at once is so, too,
    /// whatever runs are added to the copy later. `unsafe_pickle`, MLtraq's pickle of the whole
    /// object, is left out: it holds the old id.
    ///
    /// ```
    /// let session = xp::Session::in_memory()?;
    /// let half = |x: &u32, _: &mut xp::Run| Ok::<_, String>(x / 2);
    /// let experiment = session.sweep("halves", 0..4, half)?;
    /// let copy = experiment.copy_to("halves, before the change")?;
    /// assert_ne!(copy.id_experiment, experiment.id_experiment);
    /// assert_eq!(copy.runs().count(), 4);
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`](crate::StoreError::NameTaken), or the file cannot be written; there
    /// is no copy then, not even a part of one.
    pub fn copy_to(&self, name: &str) -> Result<Self> {
        new(self.in_store()?.0, name, &[self])
    }

    /// Copies the experiment to another session's file: see [`copy_to`](Self::copy_to).
    ///
    /// ```
    /// # let session = xp::Session::in_memory()?;
    /// # let half = |x: &u32, _: &mut xp::Run| Ok::<_, String>(x / 2);
    /// # let experiment = session.sweep("halves", 0..4, half)?;
    /// let other = xp::Session::in_memory()?;
    /// let copy = experiment.copy_into(&other, &experiment.name)?;
    /// assert_eq!(copy.db(), Some(other.db()));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`copy_to`](Self::copy_to).
    pub fn copy_into(&self, session: &Session, name: &str) -> Result<Self> {
        new(&session.store, name, &[self])
    }

    /// Adds the experiment, finished or not, to a shared file. If it is not there yet, it is made, with
    /// the same id and name. If it is, its runs become part of that one: points that are new are
    /// added, points that have completed there stay, and points that have not, or that lack a field,
    /// are replaced by those that have. It is one transaction, and none if all is there already; to
    /// do it twice adds nothing, and processes that do it at the same time wait for each other.
    ///
    /// Which experiment it is there is told by the id, under whatever name: after a
    /// [`rename`](Self::rename) in one of the files it goes on as before, and each file keeps its own
    /// name. Only if no experiment there has the id it is the one that has the name, if both were
    /// declared under the same name: parts that were made on different machines have different ids.
    /// Those find each other by the names that they have now: a part that was renamed before it was
    /// added for the first time becomes part of what has its new name, or is made under that. A
    /// [copy](Self::copy_to) has an id of its own, and is found by its name, too.
    ///
    /// What was computed of all runs at once stays as it was computed: see [`Session::merge`].
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
    /// # let folder = tempfile::tempdir()?;
    /// let shared = Session::open(folder.path().join("shared.db"))?;
    /// for part in [[1.0, 2.0], [2.0, 3.0]] {
    ///     let session = Session::in_memory()?; // on different machines, say
    ///     let done = session.resume(halves().x(part))?.upstream(&shared)?;
    ///     println!("{} added, {} were there", done.added, done.kept);
    /// }
    /// assert_eq!(shared.load("halves")?.runs().count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The experiment of that name is something else
    /// ([`StoreError::AnotherExperiment`](crate::StoreError::AnotherExperiment)): it has another id
    /// and another declared name. Or as for [`Session::merge`]. The shared file is as it was then.
    pub fn upstream(&self, session: &Session) -> Result<Upstreamed> {
        let Moved {
            id,
            added,
            replaced,
            kept,
            claimed,
        } = transfer(&session.store, &[self], &Destination::Shared)?;
        Ok(Upstreamed {
            id_experiment: id,
            added,
            replaced,
            kept,
            claimed,
        })
    }
}

/// Makes an experiment of others; what their runs have left in memory stays there.
fn new<X: Readable>(
    target: &Arc<dyn Store>,
    name: &str,
    experiments: &[&Experiment<X>],
) -> Result<Experiment<X>> {
    check_experiment(name)?;
    let destination = Destination::New {
        id: Uuid::new_v4(),
        name: name.to_owned(),
    };
    let moved = transfer(target, experiments, &destination)?;
    let mut states = HashMap::new();
    for experiment in experiments {
        states.extend(experiment.states());
    }
    Experiment::open(target, &Key::Id(moved.id), states)
}

fn transfer<X: Readable>(
    target: &Arc<dyn Store>,
    experiments: &[&Experiment<X>],
    destination: &Destination,
) -> Result<Moved> {
    let source = |of: &&'_ Experiment<X>| of.in_store().map(|(store, id)| (Arc::clone(store), id));
    let stores = experiments.iter().map(source).collect::<Result<Vec<_>>>()?;
    let sources = stores
        .iter()
        .zip(experiments)
        .map(|((store, id), of)| Source {
            store: store.as_ref(),
            id: *id,
            name: &of.name,
        });
    let sources: Vec<_> = sources.collect();
    Ok(store::transfer(target.as_ref(), &sources, destination)?)
}
