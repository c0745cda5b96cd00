//! Which of several files has the best attempt at each point.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use super::Moved;
use crate::store::history::IdHasher;

type Points<T> = HashMap<u128, T, BuildHasherDefault<IdHasher>>;

/// How a point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    /// If it is completed, which columns it has: a place in a list of sets.
    columns: Option<u32>,
    /// When its last attempt started.
    started: i64,
}

/// How the points of an experiment stand.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    points: Points<Stand>,
    sets: Vec<BTreeSet<String>>,
}

impl Standings {
    /// There is a row of this point, which has these columns unless an attempt says otherwise.
    pub(crate) fn row(&mut self, point: u128, columns: &BTreeSet<String>) {
        let columns = Some(self.set(columns));
        self.points.entry(point).or_insert(Stand {
            columns,
            started: i64::MIN,
        });
    }

    /// An attempt at a point, later than those before it; its columns if it completed.
    pub(crate) fn attempt(
        &mut self,
        point: u128,
        started: i64,
        completed: Option<&BTreeSet<String>>,
        filled: bool,
    ) {
        let before = self.points.get(&point).copied();
        // By its row alone it was taken to have all columns.
        let before = before.filter(|stand| stand.started != i64::MIN || completed.is_none());
        let old = before.and_then(|stand| stand.columns);
        let columns = match (completed, old) {
            (Some(columns), Some(old)) if filled => {
                let both = self.sets[old as usize].union(columns).cloned().collect();
                Some(self.set(&both))
            }
            (Some(columns), _) => Some(self.set(columns)),
            (None, old) => old,
        };
        self.points.insert(point, Stand { columns, started });
    }

    /// A completed run was given further columns, later than what was done before.
    pub(crate) fn continued(&mut self, point: u128, columns: &BTreeSet<String>) {
        let old = self.points.get(&point).and_then(|stand| stand.columns);
        if let Some(old) = old {
            let both = self.sets[old as usize].union(columns).cloned().collect();
            let both = Some(self.set(&both));
            if let Some(stand) = self.points.get_mut(&point) {
                stand.columns = both;
            }
        }
    }

    /// There are as many sets as there are executions, or a few more.
    fn set(&mut self, columns: &BTreeSet<String>) -> u32 {
        let place = self.sets.iter().rposition(|known| known == columns);
        place.unwrap_or_else(|| {
            self.sets.push(columns.clone());
            self.sets.len() - 1
        }) as u32
    }
}

/// What is known of a point after some files.
#[derive(Clone, Copy, Debug)]
struct Best {
    stand: Stand,
    /// The place of the source; `None` if it is what was there before.
    of: Option<u32>,
    /// Whether it was there before, and completed.
    was: Option<bool>,
    /// Whether several files have it.
    shared: bool,
}

/// For each point who has its best attempt: one that completed, with the most columns; or else the
/// latest. Where two are equal, it is what was there before, or else the last.
#[derive(Debug)]
pub(super) struct Winners {
    points: Points<Best>,
    sets: Vec<BTreeSet<String>>,
    sources: u32,
    has_target: bool,
    /// What a live process is about to run stays as it is.
    claimed: HashSet<u128>,
    /// How many points stay that are claimed.
    held: HashSet<u128>,
}

impl Winners {
    pub(super) fn new() -> Self {
        Self {
            points: Points::default(),
            sets: Vec::new(),
            sources: 0,
            has_target: false,
            claimed: HashSet::new(),
            held: HashSet::new(),
        }
    }

    /// Against what is there.
    pub(super) fn against(
        there: &Standings,
        claimed: HashSet<u128>,
        inputs: &HashSet<&str>,
    ) -> Self {
        let mut winners = Self::new();
        winners.has_target = true;
        winners.claimed = claimed;
        let places = winners.learn(&there.sets, inputs);
        for (point, stand) in &there.points {
            let best = Best {
                was: Some(stand.columns.is_some()),
                stand: placed(*stand, &places),
                of: None,
                shared: false,
            };
            winners.points.insert(*point, best);
        }
        winners
    }

    /// The points of the next source.
    pub(super) fn join(&mut self, source: &Standings, inputs: &HashSet<&str>) {
        let of = Some(self.sources);
        self.sources += 1;
        let places = self.learn(&source.sets, inputs);
        for (&point, stand) in &source.points {
            let stand = placed(*stand, &places);
            if self.claimed.contains(&point) {
                self.held.insert(point);
                continue;
            }
            let Some(best) = self.points.get(&point) else {
                let best = Best {
                    stand,
                    of,
                    was: None,
                    shared: false,
                };
                self.points.insert(point, best);
                continue;
            };
            let wins = self.is_better(stand, best.stand, best.of.is_some() && !self.has_target);
            if let Some(best) = self.points.get_mut(&point) {
                best.shared = true;
                if wins {
                    (best.stand, best.of) = (stand, of);
                }
            }
        }
    }

    fn is_better(&self, new: Stand, old: Stand, tie: bool) -> bool {
        match (new.columns, old.columns) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(new), Some(old)) if new == old => tie,
            (Some(new), Some(old)) => {
                let (new, old) = (&self.sets[new as usize], &self.sets[old as usize]);
                new.is_superset(old) || (tie && !old.is_superset(new))
            }
            (None, None) => new.started > old.started || (tie && new.started == old.started),
        }
    }

    /// Where each of these sets is among those that are known, inputs left out.
    fn learn(&mut self, sets: &[BTreeSet<String>], inputs: &HashSet<&str>) -> Vec<u32> {
        let mut places = Vec::new();
        for set in sets {
            let mut set = set.clone();
            set.retain(|name| !inputs.contains(name.as_str()));
            let place = self.sets.iter().position(|known| *known == set);
            let place = place.unwrap_or_else(|| {
                self.sets.push(set);
                self.sets.len() - 1
            });
            places.push(place as u32);
        }
        places
    }

    pub(super) fn has_target(&self) -> bool {
        self.has_target
    }

    /// Whether the best attempt is that of the source at this place.
    pub(super) fn is_won_by(&self, point: u128, place: usize) -> bool {
        let best = self.points.get(&point);
        best.is_some_and(|best| best.of.is_some_and(|of| of as usize == place))
    }

    /// Whether several files have the point.
    pub(super) fn is_shared(&self, point: u128) -> bool {
        self.points.get(&point).is_some_and(|best| best.shared)
    }

    /// Whether the source at this place has the best attempt at a point that others have, too.
    pub(super) fn has_contested(&self, place: usize) -> bool {
        let mut points = self.points.values();
        points.any(|best| best.shared && best.of == Some(place as u32))
    }

    /// The completed runs that are replaced.
    pub(super) fn replaced_rows(&self) -> HashSet<u128> {
        let replaced = (self.points.iter())
            .filter(|(_, best)| best.was == Some(true) && best.of.is_some())
            .map(|(point, _)| *point);
        replaced.collect()
    }

    pub(super) fn moved(&self) -> Moved {
        let mut moved = Moved {
            claimed: self.held.len() as u64,
            kept: self.held.len() as u64,
            ..Moved::default()
        };
        for (point, best) in &self.points {
            match (best.of, best.was) {
                (Some(_), None) => moved.added += 1,
                (Some(_), Some(_)) => moved.replaced += 1,
                (None, _) if best.shared && !self.held.contains(point) => moved.kept += 1,
                (None, _) => {}
            }
        }
        moved
    }
}

fn placed(stand: Stand, places: &[u32]) -> Stand {
    Stand {
        columns: stand.columns.map(|set| places[set as usize]),
        ..stand
    }
}
