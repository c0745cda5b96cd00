//! What `#[step]` leaves of a function, and what it says about it.

// Nothing that the attribute adds may be reported to its users, also where they forbid what it would have to allow.
#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]
#![forbid(non_camel_case_types, unsafe_code)]
#![warn(clippy::all, clippy::pedantic)]
#![allow(
    clippy::unnecessary_wraps,
    reason = "steps that cannot fail are what is tested"
)]

use xp::__private::{SourceText, Step, StepInfo, callee_must_be_a_step};
use xp::prelude::*;

#[path = "step_files/crlf.rs"]
mod crlf;

include!("step_files/included.rs");

const THIS_FILE: &str = include_str!("step.rs");

/// Adds one.
///
///   Indented.
#[step]
fn increment(x: u32) -> u32 {
    x + 1
}

#[step(version = 3)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[step]
#[must_use]
fn largest<'a, T, const N: usize>(values: &'a [T; N], _label: &str) -> Option<&'a T>
where
    T: PartialOrd,
{
    values.iter().reduce(|a, b| if a < b { b } else { a })
}

#[step]
fn r#match(
    (a, b): (u8, u8),
    mut rest: impl Iterator<Item = u8>,
    _: &mut Vec<u8>,
) -> impl Iterator<Item = u8> {
    let third = rest.next();
    [a, b].into_iter().chain(third)
}

mod data {
    use super::step;

    #[step]
    #[expect(unreachable_pub, reason = "the function is; its struct must not be")]
    pub fn load() -> anyhow::Result<Vec<f64>> {
        Ok(vec![0.5])
    }

    pub(in crate::data) mod deep {
        use super::super::step;

        #[step]
        pub(in crate::data) fn private() -> u8 {
            2
        }
    }

    #[test]
    fn restricted_visibility_is_the_structs_too() {
        assert_eq!(info::<deep::private>().name, "private");
        assert_eq!(deep::private(), 2);
    }

    use super::info;
}

fn info<S: Step>() -> &'static StepInfo {
    S::INFO
}

fn exact<S: Step>() -> &'static str {
    match S::INFO.source {
        SourceText::Exact(text) => text,
        SourceText::Rendered(text) => panic!("rendered: {text}"),
    }
}

mod function {
    use super::*;
    use data::load;

    #[test]
    fn a_step_is_the_function_it_was() {
        assert_eq!(increment(1), 2);
        assert_eq!([1, 2].map(increment), [2, 3]);
        assert_eq!(parse("7"), Ok(7));
        assert!(parse("x").is_err());
        assert_eq!(largest(&[1.5, 2.5], ""), Some(&2.5));
        assert_eq!(largest::<u8, 1>(&[1], ""), Some(&1));
        assert_eq!(load().unwrap(), [0.5]);
        let out: Vec<u8> = r#match((1, 2), [3, 4].into_iter(), &mut vec![]).collect();
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn its_name_can_be_a_variables() {
        let increment = increment(1);
        assert_eq!(increment, 2);
    }

    #[expect(dead_code, reason = "it is dead, and must be found to be")]
    #[step]
    fn unused() {}

    #[expect(dead_code, reason = "whichever attribute stands first")]
    #[step]
    #[inline]
    fn unused_too<T: Default>() -> T {
        T::default()
    }

    #[step]
    #[cfg(any())]
    fn configured() -> Absent {}

    #[step]
    #[cfg(not(any()))]
    fn configured() -> u8 {
        1
    }

    #[test]
    fn a_function_configured_away_has_no_struct() {
        assert_eq!(configured(), 1);
        assert!(exact::<configured>().ends_with("fn configured() -> u8 {\n        1\n    }"));
    }

    #[step]
    const fn constant(x: u8) -> u8 {
        x + 1
    }

    #[test]
    fn a_const_function_stays_const() {
        const TWO: u8 = constant(1);
        assert_eq!(TWO, 2);
        assert_eq!(info::<constant>().name, "constant");
    }

    #[test]
    fn steps_stand_in_functions_too() {
        #[step]
        fn local(x: u8) -> u8 {
            #[step]
            fn inner() -> u8 {
                1
            }
            assert_eq!(info::<inner>().name, "inner");
            x + inner()
        }
        assert_eq!(local(1), 2);
        assert_eq!(info::<local>().name, "local");
        assert!(exact::<local>().contains("#[step]\n            fn inner()"));
    }
}

mod information {
    use super::*;

    #[test]
    fn name_and_place() {
        let step = info::<increment>();
        assert_eq!(step.name, "increment");
        assert_eq!(step.module, "step");
        assert!(step.file.ends_with("step.rs"), "{}", step.file);
        let line = usize::try_from(step.line).unwrap();
        assert_eq!(
            THIS_FILE.lines().nth(line - 1),
            Some("fn increment(x: u32) -> u32 {")
        );
        assert_eq!(info::<data::load>().module, "step::data");
        assert_eq!(info::<data::load>().path(), "step::data::load");
    }

    #[test]
    fn a_raw_name_loses_its_prefix() {
        assert_eq!(info::<r#match>().name, "match");
    }

    #[test]
    fn version_is_one_unless_declared() {
        assert_eq!(info::<increment>().version, 1);
        assert_eq!(info::<parse>().version, 3);
    }

    #[test]
    fn documentation() {
        assert_eq!(info::<increment>().doc, "Adds one.\n\n  Indented.");
        assert_eq!(info::<parse>().doc, "");
        assert_eq!(info::<documented>().doc, "One.\nTwo\n  lines.");
        assert_eq!(info::<computed>().doc, "Before.\nlucky");
    }

    /// One.
    #[doc(alias = "other")]
    /**
     * Two
     *   lines.
     */
    #[step]
    fn documented() {}

    /// Before.
    #[doc = concat!("luc", "ky")]
    #[step]
    fn computed() {}

    #[test]
    fn all_of_them_can_be_called() {
        documented();
        computed();
    }

    #[test]
    fn the_check_of_callees_finds_it() {
        let infos: [&StepInfo; 4] = [
            callee_must_be_a_step!(increment),
            callee_must_be_a_step!(crate::data::load),
            callee_must_be_a_step!(largest::<u8, 1>),
            callee_must_be_a_step!(r#match),
        ];
        assert_eq!(
            infos.map(|info| info.name),
            ["increment", "load", "largest", "match"]
        );
    }
}

mod source {
    use super::*;

    /// Zählt — 数える.
    #[inline]
    #[step(version = 2)]
    // Between attribute and function.
    #[rustfmt::skip]
    fn commented(
        a: f64, // after an input
        /* before one */ b: f64,
    ) -> f64 /* behind the type */ {
	let x =  a   *b; // tabs, wide   spacing, „Gänsefüßchen“
        /* nested /* comment */ */
        x + f64::from("日本 // no comment".as_bytes()[0])
    }

    #[test]
    fn the_text_is_the_one_in_the_file() {
        assert!(commented(1.0, 2.0) > 2.0);
        let text = exact::<commented>();
        assert!(text.starts_with("/// Zählt — 数える.\n"), "{text}");
        assert!(text.ends_with(".as_bytes()[0])\n    }"), "{text}");
        assert!(THIS_FILE.contains(text));
    }

    #[test]
    fn it_begins_at_the_first_attribute_or_doc_comment() {
        assert!(
            exact::<increment>()
                .starts_with("/// Adds one.\n///\n///   Indented.\n#[step]\nfn increment(")
        );
        assert!(exact::<parse>().starts_with("#[step(version = 3)]\nfn parse("));
        assert!(exact::<largest>().starts_with("#[step]\n#[must_use]\nfn largest<"));
    }

    #[test]
    fn line_ends_are_normalised() {
        // A `\r\n` in a literal is `\n` in its value.
        assert_eq!(crlf::windows(), "one\ntwo");
        assert!(
            include_str!("step_files/crlf.rs").contains("\r\n"),
            "the file must keep its line ends"
        );
        let text = exact::<crlf::windows>();
        assert!(!text.contains('\r'));
        assert!(text.contains("    // A comment.\n"), "{text}");
    }

    #[test]
    fn included_files_have_their_own_text() {
        assert_eq!(included(), 7);
        assert!(exact::<included>().contains("(/* nothing */)"));
        assert!(
            info::<included>().file.ends_with("included.rs"),
            "{}",
            info::<included>().file
        );
    }

    macro_rules! substituting {
        ($name:ident, $value:expr) => {
            /// Substituted.
            #[step]
            fn $name() -> i32 {
                // This comment is lost.
                $value * 2
            }
        };
    }
    substituting!(substituted, 40 + 2);

    #[test]
    fn what_a_macro_wrote_is_rendered() {
        assert_eq!(substituted(), 84);
        let SourceText::Rendered(text) = info::<substituted>().source else {
            panic!("{}", info::<substituted>().source);
        };
        assert!(text.contains("substituted"), "{text}");
        assert!(text.contains("40"), "{text}");
        assert!(!text.contains("comment"), "{text}");
        assert_eq!(info::<substituted>().doc, "Substituted.");
    }

    macro_rules! passing_through {
        ($item:item) => {
            #[step]
            $item
        };
    }
    passing_through! {
        /// Passed through.
        fn passed() -> u8 {
            1 // with its comment
        }
    }

    macro_rules! as_tokens {
        ($($token:tt)*) => { $($token)* };
    }
    as_tokens! {
        #[step]
        fn token_by_token() -> u8 {
            1 // with its comment
        }
    }

    macro_rules! constant {
        ($visibility:vis) => {
            #[step]
            $visibility fn constant() -> u8 {
                1
            }
        };
    }
    constant!(pub(crate));

    #[test]
    fn what_passes_through_a_macro_keeps_its_text() {
        assert_eq!(passed() + token_by_token(), 2);
        assert_eq!(
            exact::<passed>(),
            "/// Passed through.\n        fn passed() -> u8 {\n            1 // with its comment\n        }"
        );
        assert!(exact::<token_by_token>().contains("1 // with its comment"));
    }

    #[test]
    fn a_substituted_visibility_works() {
        assert_eq!(constant(), 1);
        assert!(!info::<constant>().source.is_exact());
    }

    #[cfg_attr(not(any()), step)]
    #[cfg_attr(any(), doc = "never")]
    fn conditional() {}

    #[test]
    fn the_attribute_can_be_conditional() {
        conditional();
        assert!(exact::<conditional>().ends_with("fn conditional() {}"));
    }
}

mod fingerprint {
    use super::*;

    mod one {
        use super::*;

        /// Halves.
        #[step]
        pub(super) fn half(x: f64) -> f64 {
            // A comment.
            f64::midpoint(x, 0.0)
        }

        #[step]
        pub(super) fn sum() -> i32 {
            40 + 2
        }

        #[test]
        fn half_is_half() {
            assert!(half(2.0) < 1.5);
            assert_eq!(sum(), 42);
        }
    }

    mod other {
        use super::*;

        #[rustfmt::skip]
        #[step(version = 2)]
        #[allow(clippy::float_cmp, reason = "a lint attribute")]
        pub(super) fn half(x: f64,)->f64 { f64::midpoint(x, 0.0,) }

        macro_rules! sum {
            ($value:expr) => {
                #[step]
                pub(super) fn sum() -> i32 {
                    $value
                }
            };
        }
        sum!(40 + 2);

        #[test]
        fn half_is_half() {
            assert!(half(2.0) < 1.5);
            assert_eq!(sum(), 42);
        }
    }

    #[test]
    fn formatting_documentation_and_version_do_not_change_it() {
        assert_eq!(
            info::<one::half>().fingerprint,
            info::<other::half>().fingerprint
        );
    }

    #[test]
    fn a_macro_does_not_change_it() {
        assert_eq!(
            info::<one::sum>().fingerprint,
            info::<other::sum>().fingerprint
        );
    }

    #[test]
    fn another_function_has_another() {
        assert_ne!(
            info::<one::half>().fingerprint,
            info::<one::sum>().fingerprint
        );
    }

    #[test]
    fn it_is_stable() {
        // Kept with the runs of earlier versions of xp: if this changes, all of them become stale.
        assert_eq!(
            info::<one::sum>().fingerprint.to_string(),
            "02606571ee985538c786789891b3df88"
        );
    }
}
