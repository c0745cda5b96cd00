//! The values that inputs have when none is given, as data: what a file keeps of a declaration, to
//! tell when points would be other points because a default was changed.

use std::any::type_name;

use super::{InputCause, InputInfo, InputRole};
use crate::bounds::InputValue;
use crate::identity::{Inputs, encode, tag};
use crate::value::{Value, members_of, to_column_value, to_members};

/// What an input, or a member of a flattened one, is taken to be where no value is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The name of the input or of the member, which is that of its column.
    pub name: String,
    /// Config or param.
    pub role: InputRole,
    /// Whether it is part of a point's identity.
    pub identity: bool,
    /// The `default`, if there is one.
    pub default: Option<Recorded>,
    /// The value with which it is left out of the identity: `absent`, or else the default; `None`
    /// with `absent = _`, and if there is neither.
    pub absent: Option<Recorded>,
}

/// A value of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The canonical form that counts for identities, as [`encode`] writes it; empty for `None`.
    pub form: Vec<u8>,
    /// The value for people: as it is written in Rust if that is simple (`0.3`, `"text"`,
    /// `Map::Tree`), or else as it is shown.
    pub text: String,
}

pub(super) fn plain_baseline<T: InputValue>(
    info: &InputInfo,
    default: Option<&T>,
    absent: Option<&T>,
    out: &mut Vec<Baseline>,
) -> Result<(), InputCause> {
    let record = |value: &T| -> Result<Recorded, InputCause> {
        let mut form = Vec::new();
        encode(value, &mut form)?;
        let text = text_of(type_name::<T>(), &form, &to_column_value(value)?);
        Ok(Recorded { form, text })
    };
    out.push(Baseline {
        name: info.name.to_owned(),
        role: info.role,
        identity: info.identity,
        default: default.map(record).transpose()?,
        absent: absent.map(record).transpose()?,
    });
    Ok(())
}

pub(super) fn flat_baselines<T: InputValue>(
    info: &InputInfo,
    default: Option<&T>,
    absent: Option<&T>,
    out: &mut Vec<Baseline>,
) -> Result<(), InputCause> {
    let members = |value: Option<&T>| value.map(Members::of).transpose();
    let (default, absent) = (members(default)?, members(absent)?);
    for (name, _) in members_of::<T>().unwrap_or_default() {
        out.push(Baseline {
            name: name.to_owned(),
            role: info.role,
            identity: info.identity,
            default: default.as_ref().map(|members| members.record(name)),
            absent: absent.as_ref().map(|members| members.record(name)),
        });
    }
    Ok(())
}

pub(super) fn text_baseline(
    info: &InputInfo,
    default: Option<String>,
    absent: Option<String>,
    out: &mut Vec<Baseline>,
) {
    let record = |text: String| {
        let mut inputs = Inputs::default();
        inputs.push_text(info.name, &text);
        Recorded {
            form: inputs.form_of(info.name).unwrap_or_default().to_vec(),
            text: format!("{text:?}"),
        }
    };
    out.push(Baseline {
        name: info.name.to_owned(),
        role: info.role,
        identity: info.identity,
        default: default.map(record),
        absent: absent.map(record),
    });
}

/// The members of a struct: their forms, and what is shown of them.
struct Members {
    forms: Inputs,
    values: Vec<(String, Value)>,
}

impl Members {
    fn of<T: InputValue>(value: &T) -> Result<Self, InputCause> {
        let mut forms = Inputs::default();
        forms.push_members(value)?;
        // A `None` in the struct's place has no members.
        let values = to_members(value).unwrap_or_default().into_iter();
        let values = values.map(|(name, value)| (name.into_owned(), value));
        Ok(Self {
            forms,
            values: values.collect(),
        })
    }

    fn record(&self, name: &str) -> Recorded {
        let form = self.forms.form_of(name).unwrap_or_default().to_vec();
        let value = self.values.iter().find(|(member, _)| member == name);
        let value = value.map_or(&Value::Null, |(_, value)| value);
        Recorded {
            text: text_of("", &form, value),
            form,
        }
    }
}

/// The value as it is written in Rust, as far as that is simple. The type of a member is not known,
/// and is empty.
fn text_of(ty: &str, form: &[u8], value: &Value) -> String {
    let Some(first) = form.first() else {
        return "None".to_owned();
    };
    let inner = ty
        .strip_prefix("core::option::Option<")
        .and_then(|ty| ty.strip_suffix('>'));
    if let Some(inner) = inner {
        return format!("Some({})", text_of(inner, form, value));
    }
    match value {
        Value::Text(variant) if *first == tag::NAME => {
            let path = ty.split('<').next().unwrap_or_default();
            match path.rsplit("::").next() {
                Some(name) if !name.is_empty() => format!("{name}::{variant}"),
                _ => variant.clone(),
            }
        }
        Value::Text(text) if ty == "char" => {
            text.chars().map(|letter| format!("{letter:?}")).collect()
        }
        Value::Text(text) => format!("{text:?}"),
        Value::Float(x) if x.is_nan() => "f64::NAN".to_owned(),
        Value::Float(x) if *x == f64::INFINITY => "f64::INFINITY".to_owned(),
        Value::Float(x) if *x == f64::NEG_INFINITY => "f64::NEG_INFINITY".to_owned(),
        other => other.to_string(),
    }
}
