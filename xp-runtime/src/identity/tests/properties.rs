//! What the specification promises, for any value.

use std::collections::{BTreeMap, HashMap};

use proptest::collection::{btree_map, hash_map, vec};
use proptest::prelude::*;
use serde::Serialize;

use super::super::{DEFAULT_ROOT_SEED, IdentityScheme, Inputs, InputsHash};
use super::decode::{NAMES, Tree, decode};
use super::form;

fn trees() -> impl Strategy<Value = Tree> {
    let name = 0..NAMES.len();
    // Few small values, so that equal ones occur.
    let leaf = prop_oneof![
        Just(Tree::Null),
        Just(Tree::Absent),
        any::<bool>().prop_map(Tree::Bool),
        prop_oneof![0..300_u128, any::<u128>()].prop_map(Tree::Natural),
        prop_oneof![-300..300_i128, any::<i128>()].prop_map(Tree::Integer),
        prop_oneof![Just(-0.0), Just(1.0), any::<f64>()]
            .prop_filter("NaN is not equal to itself", |v| !v.is_nan())
            .prop_map(Tree::Float),
        prop_oneof!["[a\u{0}\u{ff}]{0,3}", ".*"].prop_map(Tree::Text),
        vec(any::<u8>(), 0..3).prop_map(Tree::Bytes),
        name.clone().prop_map(Tree::Name),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::Sequence),
            vec((inner.clone(), inner.clone()), 0..4).prop_map(Tree::Map),
            btree_map(name.clone(), inner.clone(), 0..4)
                .prop_map(|members| Tree::Struct(members.into_iter().collect())),
            (name.clone(), inner).prop_map(|(name, value)| Tree::Variant(name, Box::new(value))),
        ]
    })
}

fn inputs(build: impl FnOnce(&mut Inputs)) -> InputsHash {
    let mut inputs = Inputs::default();
    build(&mut inputs);
    inputs.hash()
}

#[derive(Clone, Debug, Serialize)]
struct Point {
    k: u16,
    name: String,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Reordered<'a> {
    limit: Option<i128>,
    name: &'a str,
    k: u64,
}

#[derive(Serialize)]
struct Grown {
    k: u16,
    added: Option<f64>,
    name: String,
    limit: Option<i64>,
}

fn points() -> impl Strategy<Value = Point> {
    (any::<u16>(), ".*", any::<Option<i64>>()).prop_map(|(k, name, limit)| Point { k, name, limit })
}

/// Points of which members are often equal.
fn small_points() -> impl Strategy<Value = Point> {
    let limit = prop_oneof![Just(None), Just(Some(0)), Just(Some(1))];
    (0..2_u16, "(a|b{300})", limit).prop_map(|(k, name, limit)| Point { k, name, limit })
}

proptest! {
    #[test]
    fn different_values_have_different_forms(tree in trees()) {
        // Whoever can read the value back cannot take it for another one, whatever follows.
        let mut bytes = form(&(&tree, 7));
        bytes.pop();
        let mut rest = &bytes[1..];
        let expected = match tree.normal() {
            Tree::Absent => Tree::Null,
            other => other,
        };
        prop_assert_eq!(decode(&mut rest), expected);
        prop_assert_eq!(decode(&mut rest), Tree::Natural(7));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn same_values_have_the_same_form(tree in trees(), other in trees()) {
        let same = tree.clone().normal() == other.clone().normal();
        prop_assert_eq!(form(&tree) == form(&other), same);
        prop_assert_eq!(form(&tree), form(&tree.normal()));
    }

    #[test]
    fn integers_count_by_value(v in any::<i8>()) {
        let expected = form(&v);
        prop_assert_eq!(&form(&i16::from(v)), &expected);
        prop_assert_eq!(&form(&i32::from(v)), &expected);
        prop_assert_eq!(&form(&i64::from(v)), &expected);
        prop_assert_eq!(&form(&i128::from(v)), &expected);
        prop_assert_eq!(&form(&isize::from(v)), &expected);
        if let Ok(v) = u8::try_from(v) {
            prop_assert_eq!(&form(&v), &expected);
            prop_assert_eq!(&form(&u16::from(v)), &expected);
            prop_assert_eq!(&form(&u32::from(v)), &expected);
            prop_assert_eq!(&form(&u64::from(v)), &expected);
            prop_assert_eq!(&form(&u128::from(v)), &expected);
            prop_assert_eq!(&form(&usize::from(v)), &expected);
        }
    }

    #[test]
    fn an_integer_is_no_float(v in any::<i32>()) {
        prop_assert_ne!(form(&v), form(&f64::from(v)));
    }

    #[test]
    fn floats_count_by_value(bits in any::<u32>()) {
        let v = f32::from_bits(bits);
        prop_assert_eq!(form(&v), form(&f64::from(v)));
        prop_assert_eq!(form(&0.0_f32), form(&-0.0_f64));
        if v.is_nan() {
            prop_assert_eq!(form(&v), form(&f64::NAN));
        }
    }

    #[test]
    fn every_nan_is_one(payload in 1..1_u64 << 52, sign in any::<bool>()) {
        let nan = f64::from_bits(u64::from(sign) << 63 | 0x7ff << 52 | payload);
        prop_assert!(nan.is_nan());
        prop_assert_eq!(form(&nan), form(&f64::NAN));
    }

    #[test]
    fn wrappers_do_not_count(tree in trees()) {
        #[derive(Serialize)]
        struct Newtype<'a>(&'a Tree);
        prop_assert_eq!(form(&Newtype(&tree)), form(&tree));
        prop_assert_eq!(form(&Some(&tree)), form(&tree));
        prop_assert_eq!(form(&Box::new(tree.clone())), form(&tree));
    }

    #[test]
    fn a_tuple_is_a_sequence(a in trees(), b in trees()) {
        #[derive(Serialize)]
        struct Pair<'a>(&'a Tree, &'a Tree);
        let expected = form(&[&a, &b][..]);
        prop_assert_eq!(&form(&(&a, &b)), &expected);
        prop_assert_eq!(form(&Pair(&a, &b)), expected);
    }

    #[test]
    fn the_order_of_a_map_does_not_count(map in hash_map(any::<(i16, String)>(), trees(), 0..20)) {
        let ordered: Vec<_> = map.iter().map(|(k, v)| (k, form(v))).collect();
        let sorted: BTreeMap<_, _> = ordered.iter().cloned().collect();
        let hashed: HashMap<_, _> = ordered.iter().rev().cloned().collect();
        prop_assert_eq!(form(&sorted), form(&hashed));
    }

    #[test]
    fn the_order_and_the_width_of_members_do_not_count(point in points()) {
        let Point { k, name, limit } = &point;
        let reordered = Reordered { limit: limit.map(i128::from), name, k: (*k).into() };
        prop_assert_eq!(form(&reordered), form(&point));
    }

    #[test]
    fn a_member_may_be_added_that_is_none(point in points(), added in any::<f64>()) {
        let Point { k, name, limit } = point.clone();
        let mut grown = Grown { k, added: None, name, limit };
        prop_assert_eq!(form(&grown), form(&point));
        prop_assert_eq!(form(&[&grown]), form(&[&point]));
        grown.added = Some(added);
        prop_assert_ne!(form(&grown), form(&point));
    }

    #[test]
    fn inputs_are_the_members_of_a_struct(point in points()) {
        let Point { k, name, limit } = &point;
        let one_by_one = inputs(|inputs| {
            inputs.push("limit", limit).unwrap();
            inputs.push_text("name", name);
            inputs.push("k", k).unwrap();
        });
        prop_assert_eq!(inputs(|inputs| inputs.push_members(&point).unwrap()), one_by_one);
        prop_assert_eq!(inputs(|inputs| inputs.push_members(&Some(&point)).unwrap()), one_by_one);

        let mut bytes = form("xp inputs 1");
        bytes.extend(form(&point));
        prop_assert_eq!(one_by_one, InputsHash::from_bytes(*blake3::hash(&bytes).as_bytes()));
    }

    #[test]
    fn flattened_members_stand_beside_inputs(point in points(), nested in trees(), seed in any::<u64>()) {
        let parts: [&dyn Fn(&mut Inputs); 3] = [
            &|inputs| inputs.push_members(&point).unwrap(),
            &|inputs| inputs.push("nested", &nested).unwrap(),
            &|inputs| inputs.push("seed", &seed).unwrap(),
        ];
        let all = |order: [usize; 3]| inputs(|inputs| order.iter().for_each(|i| parts[*i](inputs)));
        let expected = all([0, 1, 2]);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            prop_assert_eq!(all(order), expected);
        }
    }

    #[test]
    fn inputs_used_again_are_new(first in points(), second in points()) {
        let mut reused = Inputs::default();
        reused.push_members(&first).unwrap();
        reused.hash();
        reused.clear();
        reused.push_members(&second).unwrap();
        prop_assert_eq!(reused.hash(), reused.hash());
        prop_assert_eq!(reused.hash(), inputs(|inputs| inputs.push_members(&second).unwrap()));
    }

    #[test]
    fn an_input_at_its_absent_value_is_left_out(value in trees(), absent in trees()) {
        let without = inputs(|inputs| inputs.push_text("k", "v"));
        let with = |value: &Tree, absent: &Tree| inputs(|inputs| {
            inputs.push_unless("x", value, absent).unwrap();
            inputs.push_text("k", "v");
        });
        prop_assert_eq!(with(&absent, &absent), without);
        let same = value.clone().normal() == absent.clone().normal();
        prop_assert_eq!(with(&value, &absent) == without, same);
        if value.clone().normal() != Tree::Absent && !same {
            let pushed = inputs(|inputs| {
                inputs.push_text("k", "v");
                inputs.push("x", &value).unwrap();
            });
            prop_assert_eq!(with(&value, &absent), pushed);
        }
    }

    #[test]
    fn members_at_their_absent_value_are_left_out(value in small_points(), absent in small_points()) {
        let flattened = inputs(|inputs| {
            inputs.push_text("first", "");
            inputs.push_members_unless(&value, &absent).unwrap();
            inputs.push("last", &1).unwrap();
        });
        let one_by_one = inputs(|inputs| {
            inputs.push_text("first", "");
            inputs.push_unless("k", &value.k, &absent.k).unwrap();
            inputs.push_unless("name", &value.name, &absent.name).unwrap();
            inputs.push_unless("limit", &value.limit, &absent.limit).unwrap();
            inputs.push("last", &1).unwrap();
        });
        prop_assert_eq!(flattened, one_by_one);
    }

    #[test]
    fn version_1_and_the_default_root_seed_do_not_count(
        experiment in ".*",
        hash in any::<[u8; 32]>(),
        steps in vec(".*", 0..4),
        (version, root_seed) in (any::<u32>(), any::<u64>()),
    ) {
        let hash = InputsHash::from_bytes(hash);
        let plain = IdentityScheme::new(&experiment, &[], DEFAULT_ROOT_SEED).identity(&hash);
        let ones: Vec<_> = steps.iter().map(|step| (&**step, 1)).collect();
        prop_assert_eq!(IdentityScheme::new(&experiment, &ones, 123).identity(&hash), plain);

        let versions = [("a::load", version), ("b", 1)];
        let versioned = IdentityScheme::new(&experiment, &versions, 123).identity(&hash);
        prop_assert_eq!(versioned == plain, version == 1);
        let seeded = IdentityScheme::new(&experiment, &ones, root_seed).identity(&hash);
        prop_assert_eq!(seeded == plain, root_seed == 123);
    }

    #[test]
    fn everything_else_counts(
        names in any::<(String, String)>(),
        hashes in any::<([u8; 32], [u8; 32])>(),
        versions in any::<(u32, u32)>(),
    ) {
        let identity = |name: &str, hash, version| {
            let versions = [("load", version), ("fit", 2)];
            IdentityScheme::new(name, &versions, 7).identity(&InputsHash::from_bytes(hash))
        };
        let base = identity(&names.0, hashes.0, versions.0);
        prop_assert_eq!(identity(&names.1, hashes.0, versions.0) == base, names.0 == names.1);
        prop_assert_eq!(identity(&names.0, hashes.1, versions.0) == base, hashes.0 == hashes.1);
        prop_assert_eq!(identity(&names.0, hashes.0, versions.1) == base, versions.0 == versions.1);
    }

    #[test]
    fn the_order_of_steps_does_not_count(a in 2..9_u32, b in 2..9_u32, hash in any::<[u8; 32]>()) {
        let hash = InputsHash::from_bytes(hash);
        let identity = |versions: &[(&str, u32)]| IdentityScheme::new("e", versions, 123).identity(&hash);
        let expected = identity(&[("load", a), ("b", b)]);
        prop_assert_eq!(identity(&[("b", b), ("load", a)]), expected);
        prop_assert_eq!(identity(&[("load", a), ("b", b), ("load", a)]), expected);
        prop_assert_eq!(identity(&[("load", b), ("b", a)]) == expected, a == b);
    }

    #[test]
    fn the_id_of_a_run_is_a_uuid_of_version_8(bytes in any::<[u8; 32]>()) {
        let identity = super::super::Identity::from_bytes(bytes);
        let id = identity.id_run();
        prop_assert_eq!(id.get_version_num(), 8);
        prop_assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        prop_assert_eq!(&id.as_bytes()[..6], &bytes[..6]);
        prop_assert_eq!(&id.as_bytes()[9..], &bytes[9..16]);
        prop_assert_eq!(identity.as_bytes(), &bytes);
        prop_assert_eq!(identity.to_string(), super::hex(&bytes));
    }
}

#[test]
fn a_none_that_is_not_absent_is_not_taken_for_it() {
    let with = |value: Option<u8>, absent: Option<u8>| {
        inputs(|inputs| inputs.push_unless("x", &value, &absent).unwrap())
    };
    assert_ne!(with(None, Some(3)), with(Some(3), Some(3)));
    assert_eq!(with(None, None), with(Some(3), Some(3)));
}
