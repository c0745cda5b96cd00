//! `#[experiment]`: the declaration as data, a plan with a setter for each input, and one function
//! that runs the steps.

mod body;
mod expand;
mod flow;
mod inputs;
mod lints;
mod model;
mod names;
mod parse;
mod patterns;
mod places;
mod read;
mod slices;

use proc_macro2::TokenStream;
use quote::quote;

use crate::debug;
use crate::error::{self, Errors};
use crate::fallback::{strip_inert, strip_leading};

/// What is emitted has none of these: our own attributes, and those that are errors and would make
/// the function vanish from an ordinary build.
const NOT_EMITTED: [&str; 4] = ["step", "experiment", "test", "bench"];

/// The attributes inside of an experiment.
const INERT_ATTRIBUTES: [&str; 6] = ["config", "param", "sequence", "shared", "state", "field"];

/// The expansion of `#[experiment(args)] item`, with all errors found in it.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let cleaned = strip_inert(strip_leading(item.clone(), &NOT_EMITTED), &INERT_ATTRIBUTES);
    error::boundary("#[experiment]", cleaned.clone(), || {
        let mut errors = Errors::default();
        match parse::parse(args, item, &mut errors) {
            Some(experiment) => {
                let output = expand::expand(&experiment);
                debug::show(&experiment.name, &output);
                let errors = errors.into_contained_errors();
                quote!(#output #errors)
            }
            None => {
                let errors = errors.into_compile_errors();
                quote!(#cleaned #errors)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(args: TokenStream, item: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let _ = parse::parse(args, item, &mut errors);
        errors.messages()
    }

    fn expanded(args: TokenStream, item: TokenStream) -> String {
        expand(args, item).to_string()
    }

    #[test]
    fn allowed_shapes() {
        for item in [
            quote!(
                fn empty() {}
            ),
            quote!(
                pub(crate) fn r#type(
                    /// Which rows are held out.
                    #[config(default = 7, absent = 3, identity = false, skip)]
                    mut seed: u64,
                    #[param(values = Map::ALL, flatten)] map: Map,
                    #[param(key = |model: &Model| model.name())] model: Model,
                    #[sequence] losses: Sequence<Loss>,
                    run: &mut Run,
                ) {
                }
            ),
            quote!(
                fn iris(#[param] k: usize) {
                    let (train, mut test) = data::load::<f64>(k, -1, "rows", ROWS)?;
                    let copy = train.rows.clone();
                    let first = &train.rows.0;
                    #[allow(unused_variables)]
                    #[field(flatten, prefix = "train_")]
                    let scores: Scores = score(&mut test, *first, (k));
                    save(&scores)?;
                    #[state]
                    let mut model: Model = fit(copy);
                    refine(&mut model);
                }
            ),
        ] {
            assert_eq!(errors(TokenStream::new(), item), [""; 0]);
        }
    }

    #[test]
    fn all_independent_errors_are_reported() {
        let item = quote!(
            #[test]
            async unsafe extern "C" fn iris<T>(
                unmarked: u8,
                #[param] (a, b): (u8, u8),
                #[config(defualt = 3)] path: &str,
                #[param] set: HashSet<u8>,
            ) -> u8 {
                #[field]
                let untyped = step();
                if set {}
                let x = step(|| 1)?;
                #[shared]
                let rows: Rows = load(x);
                early(late);
                let late = step();
                Model::new();
            }
        );
        let messages = errors(quote!(nmae = "x", name = 3), item);
        assert_eq!(messages.len(), 19, "{messages:#?}");
    }

    #[test]
    fn an_error_is_at_the_use_of_what_is_made_too_late() {
        let messages = errors(
            TokenStream::new(),
            quote!(
                fn iris() {
                    early(late, LATE);
                    let late = step();
                    let late = step(late);
                }
            ),
        );
        assert_eq!(
            messages,
            ["`late` is made further down: a statement uses what was made before it"]
        );
    }

    #[test]
    fn on_an_error_the_plan_and_the_types_are_there_too() {
        let output = expanded(
            TokenStream::new(),
            quote!(
                pub fn iris(#[param] k: usize, seed: u64) {
                    #[field]
                    let accuracy: f64 = fit(k + 1);
                }
            ),
        );
        for item in [
            "pub fn iris ()",
            "pub struct IrisPlan",
            "pub struct IrisFields",
            "pub fn seed",
        ] {
            assert!(output.contains(item), "{item}: {output}");
        }
        assert_eq!(output.matches("compile_error").count(), 2, "{output}");
        assert!(!output.contains("# [field]"), "{output}");
    }

    #[test]
    fn a_method_leaves_no_types() {
        let item = quote!(
            fn iris(&self, k: usize) {}
        );
        let output = expanded(TokenStream::new(), item.clone());
        assert!(output.starts_with(&item.to_string()), "{output}");
        assert!(!output.contains("struct"), "{output}");
    }

    #[test]
    fn other_items_are_emitted_as_they_are() {
        for item in [
            quote!(
                struct S;
            ),
            quote!(
                impl S {}
            ),
            quote!(
                fn f();
            ),
            quote!(
                fn f() { let x = = 1; }
            ),
            TokenStream::new(),
        ] {
            let output = expanded(TokenStream::new(), item.clone());
            assert!(output.starts_with(&item.to_string()), "{output}");
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
        }
    }

    /// What an experiment is made of, and what does not belong there.
    const PIECES: [&str; 47] = [
        "#",
        "[param]",
        "[config(default = 1)]",
        "[field]",
        "[state]",
        "[shared]",
        "[sequence]",
        "[cfg(unix)]",
        "[param(values = )]",
        "[field(flatten, prefix = 1)]",
        "k",
        "r#type",
        "_",
        ":",
        ",",
        ";",
        "=",
        "?",
        "&",
        "mut",
        "u8",
        "Vec<_>",
        "Sequence<u8>",
        "&mut Run",
        "&Runs<Iris>",
        "continues",
        "continues = iris,",
        "()",
        "(k)",
        "(k, m)",
        "{}",
        "{ k }",
        "let",
        "step",
        "step(k)",
        "step(&mut m)",
        "m",
        "::",
        ".",
        "1",
        "\"x\"",
        "|k|",
        "for",
        "if",
        "else",
        "fn f() {}",
        "println!()",
    ];

    proptest! {
        #[test]
        fn no_tokens_make_it_panic(
            args in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..4),
            inputs in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..8),
            body in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16),
        ) {
            let text = format!("fn iris({}) {{ {} }}", inputs.join(" "), body.join(" "));
            let args = args.join(" ").parse().unwrap();
            let output = expanded(args, text.parse().unwrap());
            prop_assert!(!output.contains("this is a bug in xp"), "{text}: {output}");
        }
    }
}
