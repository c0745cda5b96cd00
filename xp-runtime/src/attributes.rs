//! The attributes that make up the state of an experiment or of a run, as they are declared, and
//! whether they are serialised with it.

/// The first `N` names, of all attributes or of those that are serialised.
pub(crate) const fn names<const N: usize>(
    attributes: &[(&'static str, bool)],
    serialized_only: bool,
) -> [&'static str; N] {
    let mut names = [""; N];
    let (mut i, mut n) = (0, 0);
    while i < attributes.len() {
        if attributes[i].1 || !serialized_only {
            names[n] = attributes[i].0;
            n += 1;
        }
        i += 1;
    }
    names
}
