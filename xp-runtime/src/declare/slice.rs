//! Which part of a body makes which fields, so that fields which old rows lack are filled without
//! running all steps again.

use std::marker::PhantomData;

use super::Declaration;

/// A declared sequence or a field of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// The field's name; of a flattened one, the columns have the names of its members.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its type, as it is written.
    pub ty: &'static str,
    /// Whether it is a declared sequence.
    pub sequence: bool,
}

/// Statements that make some fields without the others.
///
/// They are those on which the fields depend: each makes a name that a later one uses, or changes it
/// through `&mut`. What a step does to the run, or changes behind a `&`, is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The ordinals of all fields that the statements make, in order.
    pub fields: &'static [usize],
    /// The steps that they call, by their places in [`Declaration::steps`], in order.
    pub steps: &'static [usize],
}

impl Declaration {
    /// The slices, by their places, that together make the fields of these ordinals in the fewest
    /// calls of steps. None if that takes no fewer calls than the whole body, or cannot be done.
    ///
    /// A slice may make further fields: those have values already, which stay.
    #[allow(dead_code)]
    pub(crate) fn cover(&self, missing: &[usize]) -> Vec<usize> {
        cover(self.slices, missing, self.steps.len())
    }
}

/// Says that a name of a slice has the type that it has in the whole body, where other statements
/// may be what determines it.
#[doc(hidden)]
pub const fn same_type<T: ?Sized>(_: &T, _: &PhantomData<T>) {}

/// As many slices as are compared in all combinations.
const FEW: usize = 12;

/// See [`Declaration::cover`]; `whole` is the number of calls of the whole body.
pub(crate) fn cover(slices: &[Slice], missing: &[usize], whole: usize) -> Vec<usize> {
    let useful: Vec<usize> = (0..slices.len())
        .filter(|i| {
            missing
                .iter()
                .any(|field| slices[*i].fields.contains(field))
        })
        .collect();
    let calls = |of: &[usize]| of.iter().map(|i| slices[*i].steps.len()).sum::<usize>();
    let best = if useful.len() <= FEW {
        let all = (1_u32..1 << useful.len()).map(|chosen| {
            let is_chosen = |place: &usize| chosen & (1 << place) != 0;
            let places = (0..useful.len()).filter(is_chosen);
            places.map(|place| useful[place]).collect::<Vec<_>>()
        });
        all.filter(|chosen| makes_all(slices, chosen, missing))
            .min_by_key(|chosen| (calls(chosen), chosen.len()))
    } else {
        greedily(slices, &useful, missing)
    };
    best.filter(|chosen| calls(chosen) < whole)
        .unwrap_or_default()
}

fn makes_all(slices: &[Slice], chosen: &[usize], missing: &[usize]) -> bool {
    let made = |field| chosen.iter().any(|i| slices[*i].fields.contains(field));
    missing.iter().all(made)
}

/// Takes the slice with the fewest calls for each field that is still missing, again and again.
fn greedily(slices: &[Slice], useful: &[usize], missing: &[usize]) -> Option<Vec<usize>> {
    let mut left = missing.to_vec();
    let mut chosen = Vec::new();
    while !left.is_empty() {
        let made = |i: usize| {
            let fields = left.iter();
            fields.filter(|f| slices[i].fields.contains(f)).count()
        };
        let best = useful
            .iter()
            .copied()
            .filter(|i| made(*i) > 0)
            .min_by(|a, b| {
                // Fewer calls for each field, without dividing.
                let (of_a, of_b) = (slices[*a].steps.len(), slices[*b].steps.len());
                (of_a * made(*b)).cmp(&(of_b * made(*a)))
            })?;
        left.retain(|field| !slices[best].fields.contains(field));
        chosen.push(best);
    }
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICES: [Slice; 4] = [
        Slice {
            fields: &[0],
            steps: &[0, 1],
        },
        Slice {
            fields: &[1],
            steps: &[0, 2],
        },
        Slice {
            fields: &[0, 1],
            steps: &[0, 1, 2],
        },
        Slice {
            fields: &[2],
            steps: &[3],
        },
    ];

    #[test]
    fn the_fewest_calls_are_chosen() {
        assert_eq!(cover(&SLICES, &[0], 5), [0]);
        assert_eq!(cover(&SLICES, &[1, 0], 5), [2]);
        assert_eq!(cover(&SLICES, &[0, 2], 5), [0, 3]);
        assert_eq!(cover(&SLICES, &[0, 1, 2], 5), [2, 3]);
    }

    #[test]
    fn the_whole_body_runs_where_that_is_no_more() {
        assert_eq!(cover(&SLICES, &[0, 1, 2], 4), [0; 0]);
        assert_eq!(cover(&SLICES, &[7], 9), [0; 0]);
        assert_eq!(cover(&SLICES, &[], 9), [0; 0]);
    }

    #[test]
    fn many_slices_are_chosen_greedily() {
        const MANY: [Slice; 14] = {
            let mut slices = [Slice {
                fields: &[0],
                steps: &[0, 1, 2],
            }; 14];
            slices[12].steps = &[0];
            slices[13].fields = &[1];
            slices
        };
        assert_eq!(cover(&MANY, &[0, 1], 20), [12, 13]);
        assert_eq!(cover(&MANY, &[0, 1], 4), [0; 0]);
    }
}
