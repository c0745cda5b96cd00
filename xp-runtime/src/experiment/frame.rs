//! Runs as a table: a row each.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::read::lacking;
use super::runs::{From, Pages, unreadable};
use super::{Error, Experiment, Readable, Result, Runs};
use crate::run::Run;
use crate::store::Role;
use crate::table::Table;
use crate::value::{Column, ColumnBuilder, ColumnData, Kind, Value};

/// The columns of ids, which come first.
const IDS: [&str; 2] = ["id_experiment", "id_run"];

impl<X: Readable> Experiment<X> {
    /// The runs as a table of typed columns, a row each: see [`Runs::frame`].
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a value in it.
    pub fn frame(&self) -> Result<Table> {
        self.runs().frame()
    }

    /// The runs as a table, to be printed or grouped: [`frame`](Self::frame) without the ids, and without values that SQL
    /// has no type for. A table that could not be made prints why.
    ///
    /// ```
    /// let session = xp::Session::in_memory()?;
    /// let half = |x: &u32, _: &mut xp::Run| Ok::<_, String>(x / 2);
    /// let experiment = session.sweep("halves", 0..4, half)?;
    /// let table = experiment.table().group_by("result");
    /// assert_eq!(table.to_string(), "result  count\n     0      2\n     1      2");
    /// # Ok::<(), xp::Error>(())
    /// ```
    pub fn table(&self) -> Table {
        let mut gathered = Gathered::new(|kind| kind != Kind::Serialized);
        match gathered.add(&self.runs(), &|_| true) {
            Ok(()) => gathered.into_table(),
            Err(error) => Table::failed(error.with_causes()),
        }
    }
}

impl<X: Readable> Runs<X> {
    /// The runs as a table of typed columns, a row each: all runs, also those that this iterator has left behind.
    ///
    /// The columns are the ids (`id_experiment`, `id_run`), then the recorded inputs, then the fields, with sequences before
    /// them, in the order of the declaration; what programs added that no declaration has comes last. In a union they are those of
    /// the left side and then those that only the right side has; what a run lacks is null.
    ///
    /// An experiment that was deserialised does not know which of its columns are inputs. The runs are read with one
    /// statement, during which this session does nothing else. In memory a number takes 8 bytes, an id 16, a text its length and 8.
    ///
    /// ```
    /// use xp::prelude::*;
    ///
    /// # #[step] fn measure(n: u64) -> f64 { n as f64 * 0.5 }
    /// #[experiment]
    /// fn sizes(#[param] n: u64) {
    ///     #[field]
    ///     let seconds: f64 = measure(n);
    /// }
    ///
    /// let session = Session::in_memory()?;
    /// let a = session.execute(sizes().n([1, 2]).named("a"))?;
    /// let b = session.execute(sizes().n([2, 3]).named("b"))?;
    /// let frame = (a.runs() | b.runs()).frame()?;
    /// assert_eq!(frame.names(), ["id_experiment", "id_run", "n", "seconds"]);
    /// assert_eq!(frame.column("n")?.as_i64s()?, [1, 2, 3]);
    /// assert_eq!(frame.column("id_experiment")?.as_uuids()?[1], b.id_experiment);
    /// println!("{}", frame.group_by("id_experiment"));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// A step has it of all runs: `runs: &Runs<Sizes>`, `runs.frame()?.column("seconds")?`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a value in it.
    pub fn frame(&self) -> Result<Table> {
        let mut gathered = Gathered::new(|_| true);
        gathered.add(self, &|_| true)?;
        Ok(gathered.into_frame())
    }
}

impl<X: Readable> Runs<X> {
    /// Those of the runs for which the function is true, as [`frame`](Self::frame) has them.
    ///
    /// ```
    /// # let session = xp::Session::in_memory()?;
    /// # let experiment = session.sweep("squares", 0..4_u64, |x, _| Ok::<_, String>(x * x))?;
    /// let odd = experiment.runs().frame_where(|run| run.fields.result % 2 == 1)?;
    /// assert_eq!(odd.column("result")?.as_i64s()?.len(), 2);
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a value in it.
    pub fn frame_where(&self, mut keep: impl FnMut(&Run<X>) -> bool) -> Result<Table> {
        let mut ids = HashSet::new();
        for run in self {
            let run = run?;
            if keep(&run) {
                ids.insert(run.id_run.as_u128());
            }
        }
        let mut gathered = Gathered::new(|_| true);
        gathered.add(self, &|id| ids.contains(&id))?;
        Ok(gathered.into_frame())
    }
}

/// Runs on their way into a table.
struct Gathered {
    /// Which columns are wanted.
    wanted: fn(Kind) -> bool,
    experiments: Vec<Uuid>,
    runs: Vec<Uuid>,
    columns: Vec<(Role, ColumnBuilder)>,
    places: HashMap<String, usize>,
    left_out: Vec<String>,
    /// Rows of runs that turned out to lack a field.
    lacking: HashSet<usize>,
}

/// Whether a database would have the value in a column of its own type.
fn is_plain(value: &Value) -> bool {
    matches!(
        value,
        Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Uuid(_)
            | Value::DateTime(_)
            | Value::Date(_)
            | Value::Time(_)
    )
}

impl Gathered {
    fn new(wanted: fn(Kind) -> bool) -> Self {
        Gathered {
            wanted,
            experiments: Vec::new(),
            runs: Vec::new(),
            columns: Vec::new(),
            places: HashMap::new(),
            left_out: Vec::new(),
            lacking: HashSet::new(),
        }
    }

    /// The place of a column, which has nulls in all rows before.
    fn column(&mut self, name: &str, role: Role, kind: Kind) -> usize {
        if let Some(place) = self.places.get(name) {
            self.columns[*place].1.expect(kind);
            return *place;
        }
        let mut builder = ColumnBuilder::of_kind(name, kind);
        builder.fill(self.runs.len());
        self.columns.push((role, builder));
        self.places.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// The value of the next row in this column.
    fn push(&mut self, place: usize, value: Value) {
        let (_, builder) = &mut self.columns[place];
        builder.fill(self.runs.len());
        builder.push(value);
    }

    fn end_row(&mut self, id_experiment: Uuid, id_run: Uuid) {
        self.experiments.push(id_experiment);
        self.runs.push(id_run);
    }

    /// Adds those of the runs whose ids are taken.
    fn add<X: Readable>(&mut self, runs: &Runs<X>, takes: &dyn Fn(u128) -> bool) -> Result<()> {
        match &runs.from {
            From::Db(pages) => self.add_stored(pages, takes),
            From::Union(both) => {
                let (left, right) = both.sides();
                // A run that comes to the right side meanwhile may have been given as the left one's.
                let ids = right.ids()?;
                self.add(left, &|id| takes(id) && !ids.contains(&id))?;
                self.add(right, &|id| takes(id) && ids.contains(&id))
            }
            From::Owned {
                experiment,
                runs,
                read,
                ..
            } => {
                for run in runs.iter() {
                    let ids = read(run.clone()).map_err(|source| unreadable(experiment, source))?;
                    if takes(ids.id_run.as_u128()) {
                        self.add_owned(run);
                        self.end_row(ids.id_experiment, ids.id_run);
                    }
                }
                Ok(())
            }
        }
    }

    /// The fields of a run that was deserialised, as they came.
    fn add_owned(&mut self, run: &Value) {
        let fields = match run.member("fields") {
            Some(Value::Bunch(fields)) => fields.clone(),
            Some(Value::Map(fields)) => (fields.iter())
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect(),
            _ => Vec::new(),
        };
        for (name, value) in fields {
            if !(self.wanted)(Kind::Serialized) && !is_plain(&value) {
                self.left_out.push(name);
                continue;
            }
            let place = self.column(&name, Role::Field, Kind::Serialized);
            self.push(place, value);
        }
    }

    fn add_stored<X: Readable>(
        &mut self,
        pages: &Pages<X>,
        takes: &dyn Fn(u128) -> bool,
    ) -> Result<()> {
        let stored = &pages.stored;
        let mut parts = X::parts(&pages.mapping, stored);
        parts.retain(|part| {
            let kept = (self.wanted)(part.column.ty.kind);
            if !kept {
                self.left_out.push(part.column.name.clone());
            }
            kept
        });
        let mut wanted = vec![false; stored.columns.len()];
        parts
            .iter()
            .filter_map(|part| part.cell())
            .for_each(|cell| wanted[cell] = true);
        let places: Vec<_> = parts
            .iter()
            .map(|part| &part.column)
            .map(|column| self.column(&column.name, column.role, column.ty.kind))
            .collect();
        let first = self.runs.len();
        let mut failed = None;
        pages.db.scan(stored, &wanted, &mut |id_run, cells| {
            let id = id_run.as_u128();
            if pages.partial.contains(&id) || !takes(id) {
                return true;
            }
            let mut kept = None;
            for (part, place) in parts.iter().zip(&places) {
                match stored.within(&part.column, id_run, || part.value(cells, &mut kept)) {
                    Ok(value) => self.push(*place, value),
                    Err(source) => {
                        failed = Some(Error::Cell {
                            experiment: stored.name.clone(),
                            id_run,
                            field: part.column.name.clone(),
                            source: Box::new(source),
                        });
                        return false;
                    }
                }
            }
            self.end_row(stored.id, id_run);
            true
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        // Others may have written rows since the experiment was opened, of runs that lack a field.
        let late = lacking::<X>(pages.db.as_ref(), stored)?;
        if !late.is_empty() {
            let new = self.runs.iter().enumerate().skip(first);
            let lacking = new.filter(|(_, id)| late.contains(&id.as_u128()));
            self.lacking.extend(lacking.map(|(row, _)| row));
        }
        Ok(())
    }

    /// The columns but those of the ids, inputs first, and the names of the inputs.
    fn finish(&mut self) -> (Vec<Column>, Vec<String>) {
        let rows = self.runs.len();
        self.columns.sort_by_key(|(role, _)| *role == Role::Field);
        let (mut columns, mut inputs) = (Vec::new(), Vec::new());
        for (role, mut builder) in self.columns.drain(..) {
            builder.fill(rows);
            if role == Role::Input {
                inputs.push(builder.name().to_owned());
            }
            columns.push(builder.finish());
        }
        (columns, inputs)
    }

    fn table(self, columns: Vec<Column>, inputs: Vec<String>) -> Table {
        let table = Table::new(columns)
            .with_inputs(inputs)
            .leaving_out(self.left_out);
        if self.lacking.is_empty() {
            table
        } else {
            table.filter(|row| !self.lacking.contains(&row))
        }
    }

    fn into_frame(mut self) -> Table {
        let (rest, inputs) = self.finish();
        let ids = [
            std::mem::take(&mut self.experiments),
            std::mem::take(&mut self.runs),
        ];
        let ids = IDS.into_iter().zip(ids);
        let mut columns: Vec<_> = ids
            .map(|(name, ids)| Column::new(name, ColumnData::Uuid(ids)))
            .collect();
        columns.extend(rest);
        self.table(columns, inputs)
    }

    fn into_table(mut self) -> Table {
        let (mut columns, inputs) = self.finish();
        if columns.is_empty() && !self.runs.is_empty() {
            let ids = std::mem::take(&mut self.runs);
            columns.push(Column::new(IDS[1], ColumnData::Uuid(ids)));
        }
        self.table(columns, inputs)
    }
}
