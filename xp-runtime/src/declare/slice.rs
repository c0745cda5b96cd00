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
    /// The positions of the inputs that the statement takes which makes it, if it is one of its own.
    pub inputs: &'static [usize],
    /// The ordinals of the fields that the statement takes which makes it, if it is one of its own:
    /// a fill gives it what is recorded of them.
    pub needs: &'static [usize],
    /// All steps on which it depends, by their places in [`Declaration::steps`], in order.
    pub steps: &'static [usize],
}

/// Statements that are enough to make some fields without the others.
///
/// They are those on which the fields depend: each makes a name that a later one uses, or changes it
/// through `&mut`. What a step does to the run, or changes behind a `&`, is not followed. The
/// statement that makes a field which nothing changes later is no part of a slice: it runs where its
/// field is asked for, and what uses the field is given what is recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The ordinals of all fields that can be made where these statements run, in order.
    pub fields: &'static [usize],
    /// The positions of the inputs that these statements take, in order.
    pub inputs: &'static [usize],
    /// The ordinals of the fields that these statements are given, in order.
    pub needs: &'static [usize],
    /// The steps that they call, by their places in [`Declaration::steps`], in order.
    pub steps: &'static [usize],
    /// Those of the steps that make no shared value.
    pub own: &'static [usize],
}

/// A slice that is run, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    /// The slice, by its place in [`Declaration::slices`].
    pub(crate) slice: usize,
    /// The ordinals of the fields that it is to make.
    pub(crate) fields: Vec<usize>,
}

impl Declaration {
    /// The slices that together make the fields of these ordinals in the fewest calls of steps, none
    /// of them twice, in the order in which they are run. None if that is the whole body.
    pub(crate) fn cover(&self, missing: &[usize]) -> Vec<Portion> {
        if missing.len() >= self.fields.len() {
            return Vec::new();
        }
        cover(self.fields, self.slices, missing)
    }

    /// The ordinals of the fields that these portions are given of the row that is there.
    pub(crate) fn reads(&self, portions: &[Portion], missing: &[usize]) -> Vec<usize> {
        let of_slices = portions.iter().map(|of| self.slices[of.slice].needs);
        let made = portions.iter().flat_map(|of| &of.fields);
        let of_fields = made.map(|ordinal| self.fields[*ordinal].needs);
        let mut reads: Vec<_> = of_slices.chain(of_fields).flatten().copied().collect();
        reads.retain(|ordinal| !missing.contains(ordinal));
        reads.sort_unstable();
        reads.dedup();
        reads
    }
}

impl Declaration {
    /// The names of the inputs that these portions take, and which may have had another value in the
    /// row that is there: they are recorded, and no part of the identity.
    pub(crate) fn takes(&self, portions: &[Portion]) -> Vec<&'static str> {
        let of_slices = portions.iter().map(|of| self.slices[of.slice].inputs);
        let made = portions.iter().flat_map(|of| &of.fields);
        let of_fields = made.map(|ordinal| self.fields[*ordinal].inputs);
        let taken: Vec<_> = of_slices.chain(of_fields).flatten().collect();
        let inputs = self.inputs.iter();
        inputs
            .filter(|input| input.recorded && !input.identity && taken.contains(&&input.position))
            .map(|input| input.name)
            .collect()
    }
}

/// Says that a name of a slice has the type that it has in the whole body, where other statements
/// may be what determines it.
#[doc(hidden)]
pub const fn same_type<T: ?Sized>(_: &T, _: &PhantomData<T>) {}

/// As many slices as are compared in all combinations.
const FEW: usize = 12;

/// See [`Declaration::cover`].
fn cover(fields: &[FieldInfo], slices: &[Slice], missing: &[usize]) -> Vec<Portion> {
    let is_useful = |i: &usize| missing.iter().any(|of| slices[*i].fields.contains(of));
    let useful: Vec<usize> = (0..slices.len()).filter(is_useful).collect();
    let calls = |of: &[usize]| of.iter().map(|i| slices[*i].steps.len()).sum::<usize>();
    let portions = |chosen: &[usize]| {
        let is_apart = chosen.iter().enumerate().all(|(i, a)| {
            let twice = |b: &usize| slices[*a].own.iter().any(|s| slices[*b].own.contains(s));
            !chosen[..i].iter().any(twice)
        });
        is_apart
            .then(|| in_order(fields, slices, chosen, missing))
            .flatten()
    };
    let found = if useful.len() <= FEW {
        let all = (1_u32..1 << useful.len()).map(|bits| {
            let places = (0..useful.len()).filter(|place| bits & (1 << place) != 0);
            places.map(|place| useful[place]).collect::<Vec<_>>()
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|chosen| (calls(chosen), chosen.len()));
        all.iter().find_map(|chosen| portions(chosen))
    } else {
        let one = useful.iter().map(|i| vec![*i]);
        let mut some: Vec<_> = one.chain([greedily(slices, &useful, missing)]).collect();
        some.sort_by_key(|chosen| calls(chosen));
        some.iter().find_map(|chosen| portions(chosen))
    };
    found.unwrap_or_default()
}

/// The slices in an order in which each is given what it needs, and what each of them makes; `None`
/// if there is no such order, or something is left.
fn in_order(
    fields: &[FieldInfo],
    slices: &[Slice],
    chosen: &[usize],
    missing: &[usize],
) -> Option<Vec<Portion>> {
    let mut made: Vec<usize> = Vec::new();
    let mut left = chosen.to_vec();
    let mut portions = Vec::new();
    while !left.is_empty() {
        let there =
            |ordinal: &usize, made: &[usize]| !missing.contains(ordinal) || made.contains(ordinal);
        let next = left.iter().enumerate().find_map(|(i, slice)| {
            let mut all = made.clone();
            // What a field needs stands before it.
            for ordinal in slices[*slice].fields {
                let needs = fields[*ordinal].needs;
                if !there(ordinal, &all) && needs.iter().all(|need| there(need, &all)) {
                    all.push(*ordinal);
                }
            }
            let is_given = slices[*slice].needs.iter().all(|need| there(need, &all));
            is_given.then_some((i, all))
        });
        let (i, all) = next?;
        portions.push(Portion {
            slice: left.remove(i),
            fields: all[made.len()..].to_vec(),
        });
        made = all;
    }
    (made.len() == missing.len()).then_some(portions)
}

/// Takes the slice with the fewest calls for each field that is still missing, again and again, of
/// those that call no step again.
fn greedily(slices: &[Slice], useful: &[usize], missing: &[usize]) -> Vec<usize> {
    let mut left = missing.to_vec();
    let mut chosen: Vec<usize> = Vec::new();
    while !left.is_empty() {
        let made = |i: usize| {
            let fields = left.iter();
            fields.filter(|f| slices[i].fields.contains(f)).count()
        };
        let called: Vec<_> = chosen.iter().flat_map(|i| slices[*i].own).collect();
        let is_apart = |i: usize| slices[i].own.iter().all(|step| !called.contains(&step));
        let candidates = useful.iter().copied();
        let candidates = candidates.filter(|i| made(*i) > 0 && is_apart(*i));
        let best = candidates.min_by(|a, b| {
            // Fewer calls for each field, without dividing.
            let (of_a, of_b) = (slices[*a].steps.len(), slices[*b].steps.len());
            (of_a * made(*b)).cmp(&(of_b * made(*a)))
        });
        let Some(best) = best else { break };
        left.retain(|field| !slices[best].fields.contains(field));
        chosen.push(best);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(needs: &'static [usize]) -> FieldInfo {
        FieldInfo {
            name: "",
            doc: "",
            ty: "",
            sequence: false,
            inputs: &[],
            needs,
            steps: &[],
        }
    }

    const fn slice(
        fields: &'static [usize],
        needs: &'static [usize],
        steps: &'static [usize],
    ) -> Slice {
        Slice {
            fields,
            inputs: &[],
            needs,
            steps,
            own: steps,
        }
    }

    /// For each portion its slice and its fields.
    fn covered(
        fields: &[FieldInfo],
        slices: &[Slice],
        missing: &[usize],
    ) -> Vec<(usize, Vec<usize>)> {
        let portions = cover(fields, slices, missing).into_iter();
        portions.map(|of| (of.slice, of.fields)).collect()
    }

    #[test]
    fn the_fewest_calls_are_chosen_and_no_step_runs_twice() {
        let fields = [field(&[]); 4];
        let slices = [
            slice(&[0], &[], &[0, 1]),
            slice(&[1], &[], &[0, 2]),
            slice(&[2], &[], &[3]),
            slice(&[0, 1], &[], &[0, 1, 2]),
            slice(&[0, 1, 2, 3], &[], &[0, 1, 2, 3, 4]),
        ];
        let covered = |missing: &[usize]| covered(&fields, &slices, missing);
        assert_eq!(covered(&[0]), [(0, vec![0])]);
        assert_eq!(covered(&[0, 1]), [(3, vec![0, 1])]);
        assert_eq!(covered(&[0, 2]), [(0, vec![0]), (2, vec![2])]);
        assert_eq!(covered(&[0, 1, 2]), [(2, vec![2]), (3, vec![0, 1])]);
        assert_eq!(covered(&[0, 3]), [(4, vec![0, 3])]);
    }

    #[test]
    fn what_is_needed_is_made_before() {
        // 0 is made of a var, 1 of 0, 2 of another var and 1, and the var of 3 is made of 2.
        let fields = [field(&[]), field(&[0]), field(&[1]), field(&[])];
        let slices = [
            slice(&[0, 1], &[], &[0]),
            slice(&[1, 2], &[], &[1]),
            slice(&[1, 3], &[2], &[2]),
            slice(&[0, 1, 2, 3], &[2], &[0, 1, 2]),
        ];
        let covered = |missing: &[usize]| covered(&fields, &slices, missing);
        assert_eq!(covered(&[3]), [(2, vec![3])]);
        assert_eq!(covered(&[2]), [(1, vec![2])]);
        let all = [(0, vec![0, 1]), (1, vec![2]), (2, vec![3])];
        assert_eq!(covered(&[0, 1, 2, 3]), [(3, vec![0, 1, 2, 3])]);
        assert_eq!(cover(&fields, &slices[..3], &[0, 1, 2, 3]).len(), all.len());
        // Each of two slices needs what the other makes.
        let fields = [field(&[]), field(&[]), field(&[1])];
        let slices = [
            slice(&[0, 2], &[], &[0]),
            slice(&[1], &[0], &[1]),
            slice(&[0, 1, 2], &[], &[0, 1]),
        ];
        assert_eq!(
            super::tests::covered(&fields, &slices, &[0, 1, 2]),
            [(2, vec![0, 1, 2])]
        );
        assert_eq!(super::tests::covered(&fields, &slices[..2], &[0, 1, 2]), []);
    }

    #[test]
    fn many_slices_are_chosen_greedily() {
        let fields = [field(&[]); 15];
        let mut slices = vec![slice(&[0], &[], &[0, 1, 2]); 12];
        slices.extend([slice(&[0], &[], &[0]), slice(&[1], &[], &[1])]);
        assert_eq!(
            covered(&fields, &slices, &[0, 1]),
            [(12, vec![0]), (13, vec![1])]
        );
        slices.push(slice(&[0, 1, 2], &[], &[0, 1, 2, 3, 4]));
        assert_eq!(covered(&fields, &slices, &[0, 1, 2]), [(14, vec![0, 1, 2])]);
    }
}
