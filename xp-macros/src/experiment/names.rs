//! The names of what an experiment leaves.

use proc_macro2::{Ident, Span};

/// The types that are named after the experiment.
pub(super) struct Names {
    pub(super) experiment: Ident,
    pub(super) config: Ident,
    pub(super) params: Ident,
    pub(super) state: Ident,
    pub(super) fields: Ident,
    pub(super) plan: Ident,
    pub(super) inputs: Ident,
    pub(super) axes: Ident,
    pub(super) absents: Ident,
    stem: String,
    span: Span,
}

impl Names {
    /// All names from the stem, which is the experiment's type.
    pub(super) fn new(stem: &str, span: Span) -> Self {
        // At the user's token, so that a name that is taken is told there; not written by the user,
        // so that lints about naming stay with the function.
        let name = |suffix: &str| {
            Ident::new(
                &format!("{stem}{suffix}"),
                Span::call_site().located_at(span),
            )
        };
        Self {
            experiment: name(""),
            config: name("Config"),
            params: name("Params"),
            state: name("State"),
            fields: name("Fields"),
            plan: name("Plan"),
            inputs: name("Inputs"),
            axes: name("Axes"),
            absents: name("Absents"),
            stem: stem.to_owned(),
            span,
        }
    }

    /// The trait without which an input that is read cannot be given: `GradeReadsK`.
    pub(super) fn reads(&self, input: &str) -> Ident {
        let name = format!("{}Reads{}", self.stem, camel(input));
        Ident::new(&name, Span::call_site().located_at(self.span))
    }

    /// The trait that says whether the input has a value: `IrisNeedsK`.
    pub(super) fn needs(&self, input: &str) -> Ident {
        let name = format!("{}Needs{}", self.stem, camel(input));
        Ident::new(&name, Span::call_site().located_at(self.span))
    }
}

/// `test_ratio` in the style of types: `TestRatio`.
pub(super) fn camel(snake: &str) -> String {
    let mut name = String::new();
    for word in snake.split('_') {
        let mut chars = word.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(chars.as_str());
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'X');
    }
    name
}

/// A variable of the expansion that is shown under a name of the user's, and is not that name.
pub(super) fn local(of: &Ident) -> Ident {
    let mut local = of.clone();
    local.set_span(Span::mixed_site().located_at(of.span()));
    local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_camel_case() {
        for (snake, name) in [
            ("iris", "Iris"),
            ("my_exp_2", "MyExp2"),
            ("_x", "X"),
            ("été_a", "ÉtéA"),
            ("_", "X"),
        ] {
            assert_eq!(camel(snake), name);
        }
    }
}
