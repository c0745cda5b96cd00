//! An experiment as it was declared: what cannot be wrong any more.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, Pat, Path, Token, Type, Visibility};

use super::flow::Flow;
use super::names::Names;
use super::slices::Slices;

/// Where the value of an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The plan: one value.
    Config,
    /// The plan: any number of values.
    Param,
    /// The run that is continued: its param.
    ReadParam,
    /// The run that is continued: its field.
    ReadField,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Param | Self::ReadParam => "param",
            Self::ReadField => "field",
        }
    }

    /// Whether it is read from a run that is there.
    pub(super) fn is_read(self) -> bool {
        matches!(self, Self::ReadParam | Self::ReadField)
    }
}

/// A value that is given by the plan, or read.
pub(super) struct Input {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) mutability: Option<Token![mut]>,
    pub(super) ty: Type,
    pub(super) docs: Vec<Attribute>,
    pub(super) role: Role,
    pub(super) identity: bool,
    pub(super) recorded: bool,
    pub(super) flatten: bool,
    /// What the names of the columns begin with, of one that is read.
    pub(super) prefix: Option<String>,
    pub(super) key: Option<Expr>,
    pub(super) default: Option<Expr>,
    pub(super) values: Option<Expr>,
    pub(super) absent: Option<Expr>,
    /// Of an experiment that is in error: the input itself is, and its setter takes anything.
    pub(super) unsure: bool,
}

/// A declared sequence.
pub(super) struct Sequence {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) docs: Vec<Attribute>,
}

/// The run handle.
pub(super) struct RunInput {
    pub(super) ident: Ident,
    pub(super) ty: Type,
}

/// All runs of the experiment that is continued.
pub(super) struct RunsInput {
    pub(super) ident: Ident,
    pub(super) ty: Type,
}

/// All inputs of an experiment.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) values: Vec<Input>,
    pub(super) sequences: Vec<Sequence>,
    /// The sequences that are read.
    pub(super) read: Vec<Sequence>,
    pub(super) runs: Option<RunsInput>,
    pub(super) run: Option<RunInput>,
}

impl Inputs {
    /// Those that the plan gives, by their places.
    pub(super) fn given(&self) -> impl Iterator<Item = (usize, &Input)> {
        let all = self.values.iter().enumerate();
        all.filter(|(_, input)| !input.role.is_read())
    }

    /// Those that are read, by their places: params first.
    pub(super) fn read_values(&self) -> impl Iterator<Item = (usize, &Input)> {
        let of = |role| {
            let all = self.values.iter().enumerate();
            all.filter(move |(_, input)| input.role == role)
        };
        of(Role::ReadParam).chain(of(Role::ReadField))
    }
}

/// Which runs are continued.
pub(super) struct Continues {
    /// The function of the experiment; `None` if no program declares it.
    pub(super) of: Option<Path>,
    /// The field in which MLtraq may have kept the params.
    pub(super) args_field: String,
}

/// A statement of the body, its places rewritten to what stands for them in the expansion.
pub(super) struct Statement {
    /// The step that it calls, by its place among all.
    pub(super) step: Option<usize>,
    /// The field that it makes, by its place among all.
    pub(super) field: Option<usize>,
    pub(super) flow: Flow,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// `let pat = ..;`, which is emitted as it is.
    Var { pat: Pat, value: Expr },
    /// `step(..);`
    Call(Expr),
    Shared {
        place: usize,
        name: Ident,
        local: Ident,
        ty: Type,
        value: Expr,
    },
    /// A state or a field: declared before the statements, set here.
    Kept { local: Ident, value: Expr },
}

/// A state, or a field.
pub(super) struct Kept {
    /// The name as it is written, for the member of the struct.
    pub(super) ident: Ident,
    pub(super) name: String,
    /// The name of the variable.
    pub(super) local: Ident,
    pub(super) mutability: Option<Token![mut]>,
    pub(super) ty: Type,
    pub(super) docs: Vec<Attribute>,
    /// Of a field only: whether its members are the columns, and what their names begin with.
    pub(super) flatten: Option<String>,
}

/// What the body does.
#[derive(Default)]
pub(super) struct Body {
    pub(super) statements: Vec<Statement>,
    pub(super) steps: Vec<Path>,
    /// For each shared value the places of the inputs on which it depends.
    pub(super) shared: Vec<Vec<usize>>,
    pub(super) states: Vec<Kept>,
    pub(super) fields: Vec<Kept>,
    /// What is enough for some of the fields.
    pub(super) slices: Slices,
}

/// A declared experiment.
pub(super) struct Experiment {
    pub(super) visibility: Visibility,
    /// The function's own attributes, documentation among them.
    pub(super) attributes: Vec<Attribute>,
    /// The user's own `fn`: with it, lints take the function for the user's.
    pub(super) fn_token: Token![fn],
    pub(super) ident: Ident,
    /// The experiment's name, which is part of identities.
    pub(super) name: String,
    pub(super) continues: Option<Continues>,
    pub(super) names: Names,
    pub(super) inputs: Inputs,
    pub(super) body: Body,
    /// On an error: a function with the user's own body, for editors.
    pub(super) broken: Option<TokenStream>,
}
