//! What stands on the right side of a statement and in the arguments of a step: calls of steps,
//! and places. Names are followed, so that each stands for what the expansion has in its place.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprBinary, ExprCall, Path, UnOp, parse_quote_spanned};

use super::flow::Variable;
use super::model::Inputs;
use super::names::local;
use crate::error::Errors;

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Binding {
    /// A config or a param, by its place.
    Input(usize),
    Run,
    Sequence,
    Var,
    /// A shared value: the variable that refers to it, and the inputs on which it depends.
    Shared {
        local: Ident,
        needs: Vec<usize>,
    },
    /// A state or a field: the variable that holds it.
    Kept(Ident),
    /// A sequence that is read: the variable that refers to it.
    Read(Ident),
    /// All runs of the experiment that is continued.
    Runs,
}

/// The names that are known at a point of the body.
pub(super) struct Places {
    known: Vec<Known>,
    variables: usize,
    used: Vec<Used>,
    /// Names that stood for nothing where they were used.
    unknown: Vec<Ident>,
}

struct Known {
    name: String,
    context: String,
    binding: Binding,
    variable: Variable,
}

/// A use of a name.
#[derive(Clone)]
pub(super) struct Used {
    pub(super) name: Ident,
    pub(super) binding: Binding,
    pub(super) variable: Variable,
    /// Whether it is by `&mut`.
    pub(super) changed: bool,
    /// Whether it is by `&`, or cloned.
    pub(super) looked_at: bool,
    /// Whether it is one of several names that differ only by the macro they come out of: all of them
    /// count as used, since it is not known here which one is.
    pub(super) unsure: bool,
}

impl Places {
    /// The inputs.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let mut places = Self {
            known: Vec::new(),
            variables: 0,
            used: Vec::new(),
            unknown: Vec::new(),
        };
        for (i, input) in inputs.values.iter().enumerate() {
            places.bind(&input.ident, Binding::Input(i));
        }
        for sequence in &inputs.sequences {
            places.bind(&sequence.ident, Binding::Sequence);
        }
        if let Some(run) = &inputs.run {
            places.bind(&run.ident, Binding::Run);
        }
        for sequence in &inputs.read {
            places.bind(&sequence.ident, Binding::Read(local(&sequence.ident)));
        }
        if let Some(runs) = &inputs.runs {
            places.bind(&runs.ident, Binding::Runs);
        }
        places
    }

    /// Reports a use of this name, which a statement makes, in an earlier statement.
    pub(super) fn made_too_late(&mut self, name: &Ident, errors: &mut Errors) {
        let text = name.unraw();
        self.unknown.retain(|used| {
            let is_same = used.unraw() == text;
            if is_same {
                errors.at(
                    used.span(),
                    format_args!(
                        "`{text}` is made further down: a statement uses what was made before it"
                    ),
                );
            }
            !is_same
        });
    }

    /// From here on the name stands for this.
    pub(super) fn bind(&mut self, name: &Ident, binding: Binding) -> Variable {
        let variable = self.variables;
        self.variables += 1;
        self.known.push(Known {
            name: name.unraw().to_string(),
            context: context(name),
            binding,
            variable,
        });
        variable
    }

    /// The variable that is to hold a shared value, a state or a field of this name. One that shadows
    /// another has a name of its own, since all fields and states are declared before the statements.
    pub(super) fn local(&self, name: &Ident) -> Ident {
        let (local, text) = (local(name), name.unraw().to_string());
        let has_local =
            |known: &Known| matches!(known.binding, Binding::Shared { .. } | Binding::Kept(_));
        let mut known = self.known.iter();
        if known.any(|known| known.name == text && has_local(known)) {
            return Ident::new(&format!("{text}_{}", self.variables), local.span());
        }
        local
    }

    fn find(&self, name: &Ident) -> Option<&Known> {
        let text = name.unraw().to_string();
        self.known.iter().rev().find(|known| known.name == text)
    }

    /// An input that is changed differs from what the plan gave: from here on it is the run's own.
    fn change(&mut self, expr: &Expr) {
        let mut expr = expr;
        let name = loop {
            match expr {
                Expr::Field(field) => expr = &field.base,
                Expr::Paren(paren) => expr = &paren.expr,
                Expr::Group(group) => expr = &group.expr,
                Expr::Path(path) => match path.path.get_ident() {
                    Some(name) => break name,
                    None => return,
                },
                _ => return,
            }
        };
        if let Some(Known {
            name,
            context,
            binding: Binding::Input(_),
            variable,
        }) = self.find(name)
        {
            let known = Known {
                name: name.clone(),
                context: context.clone(),
                binding: Binding::Var,
                variable: *variable,
            };
            self.known.push(known);
        }
    }

    /// Where the names that are used from here on begin.
    pub(super) fn start_tracking(&self) -> usize {
        self.used.len()
    }

    /// The names that were used since.
    pub(super) fn tracked(&self, since: usize) -> Vec<Used> {
        self.used[since..].to_vec()
    }

    /// A step call, with or without `?`, or a place. The steps that are called are added to `steps`.
    pub(super) fn right_side(
        &mut self,
        expr: &Expr,
        steps: &mut Vec<Path>,
        errors: &mut Errors,
    ) -> Option<Expr> {
        match expr {
            Expr::Try(tried) => match &*tried.expr {
                Expr::Call(call) => {
                    let mut tried = tried.clone();
                    tried.expr = Box::new(self.call(call, steps, errors)?);
                    Some(Expr::Try(tried))
                }
                other => {
                    refuse(other, Where::Statement, errors);
                    None
                }
            },
            Expr::Call(call) => self.call(call, steps, errors),
            other => self.place(other, Where::Statement, errors),
        }
    }

    fn call(
        &mut self,
        call: &ExprCall,
        steps: &mut Vec<Path>,
        errors: &mut Errors,
    ) -> Option<Expr> {
        let mut rewritten = call.clone();
        let mut complete = true;
        // A path that a macro was given stands in a group without delimiters.
        let mut func = &*call.func;
        while let Expr::Group(group) = func {
            func = &group.expr;
        }
        match func {
            Expr::Path(path) if is_of_a_type(&path.path) => {
                errors.on(
                    path,
                    "a step is a free function, and this one belongs to a type: call it inside a step",
                );
                complete = false;
            }
            Expr::Path(path) if path.qself.is_none() => steps.push(path.path.clone()),
            other => {
                errors.on(
                    other,
                    "a step is called by its name: `step(..)`, or `path::to::step(..)`",
                );
                complete = false;
            }
        }
        for arg in &mut rewritten.args {
            match self.place(arg, Where::Argument, errors) {
                Some(place) => *arg = place,
                None => complete = false,
            }
        }
        complete.then_some(Expr::Call(rewritten))
    }

    fn place(&mut self, expr: &Expr, at: Where, errors: &mut Errors) -> Option<Expr> {
        match expr {
            Expr::Lit(_) => Some(expr.clone()),
            Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
                Some(name) => Some(self.name(name, expr)),
                None => Some(expr.clone()),
            },
            Expr::Reference(reference) => {
                if reference.mutability.is_some()
                    && let Some(name) = self.shared_of(&reference.expr)
                {
                    errors.on(
                        reference,
                        format_args!(
                            "the shared value `{name}` is the same for all runs that need it, so none \
                             changes it: take a copy, `let mut copy = {name}.clone();`"
                        ),
                    );
                    return None;
                }
                if reference.mutability.is_some()
                    && let Some((name, runs)) = self.read_of(&reference.expr)
                {
                    if runs {
                        errors.on(
                            reference,
                            format_args!("the runs are read, and not changed: write `{name}`"),
                        );
                    } else {
                        errors.on(
                            reference,
                            format_args!(
                                "the sequence `{name}` is that of the run that is continued, and is read: \
                                 write `&{name}`; a step makes a further one with `run.sequence(\"..\")`"
                            ),
                        );
                    }
                    return None;
                }
                if reference.mutability.is_some() {
                    self.change(&reference.expr);
                }
                let mut reference = reference.clone();
                let since = self.used.len();
                reference.expr = Box::new(self.place(&reference.expr, at, errors)?);
                for used in &mut self.used[since..] {
                    used.changed |= reference.mutability.is_some();
                    used.looked_at |= reference.mutability.is_none();
                }
                Some(Expr::Reference(reference))
            }
            Expr::Field(field) => {
                let mut field = field.clone();
                field.base = Box::new(self.place(&field.base, at, errors)?);
                Some(Expr::Field(field))
            }
            Expr::Paren(paren) => {
                let mut paren = paren.clone();
                paren.expr = Box::new(self.place(&paren.expr, at, errors)?);
                Some(Expr::Paren(paren))
            }
            Expr::Group(group) => self.place(&group.expr, at, errors),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
                let mut unary = unary.clone();
                unary.expr = Box::new(self.place(&unary.expr, at, errors)?);
                Some(Expr::Unary(unary))
            }
            Expr::Unary(unary)
                if matches!(unary.op, UnOp::Neg(_)) && matches!(*unary.expr, Expr::Lit(_)) =>
            {
                Some(expr.clone())
            }
            Expr::MethodCall(call)
                if call.method == "clone" && call.args.is_empty() && call.turbofish.is_none() =>
            {
                let mut call = call.clone();
                let since = self.used.len();
                call.receiver = Box::new(self.place(&call.receiver, at, errors)?);
                self.used[since..]
                    .iter_mut()
                    .for_each(|used| used.looked_at = true);
                Some(Expr::MethodCall(call))
            }
            other => {
                refuse(other, at, errors);
                None
            }
        }
    }

    /// The shared value whose place, or part of it, this is.
    fn shared_of<'a>(&self, expr: &'a Expr) -> Option<&'a Ident> {
        match expr {
            Expr::Field(field) => self.shared_of(&field.base),
            Expr::Paren(paren) => self.shared_of(&paren.expr),
            Expr::Group(group) => self.shared_of(&group.expr),
            Expr::Path(path) => path.path.get_ident().filter(|name| {
                let known = self.find(name);
                known.is_some_and(|known| matches!(known.binding, Binding::Shared { .. }))
            }),
            _ => None,
        }
    }

    /// The sequence that is read, or the runs (then true), whose place this is.
    fn read_of<'a>(&self, expr: &'a Expr) -> Option<(&'a Ident, bool)> {
        match expr {
            Expr::Paren(paren) => self.read_of(&paren.expr),
            Expr::Group(group) => self.read_of(&group.expr),
            Expr::Path(path) => {
                let name = path.path.get_ident()?;
                match self.find(name)?.binding {
                    Binding::Read(_) => Some((name, false)),
                    Binding::Runs => Some((name, true)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn name(&mut self, name: &Ident, expr: &Expr) -> Expr {
        let Some(known) = self.find(name) else {
            // A constant, or a mistake that the compiler tells.
            self.unknown.push(name.clone());
            return expr.clone();
        };
        let text = name.unraw().to_string();
        let used = Used {
            name: name.clone(),
            binding: known.binding.clone(),
            variable: known.variable,
            changed: false,
            looked_at: false,
            unsure: false,
        };
        let binding = used.binding.clone();
        let context = context(name);
        let same = |known: &&Known| known.name == text;
        // What stands for a kept or shared name is that name, whatever macro it comes out of.
        let is_sure = matches!(binding, Binding::Shared { .. } | Binding::Kept(_));
        if !is_sure
            && self
                .known
                .iter()
                .filter(same)
                .any(|known| known.context != context)
        {
            let others = self.known.iter().filter(same);
            self.used.extend(others.map(|known| Used {
                variable: known.variable,
                unsure: true,
                ..used.clone()
            }));
        }
        self.used.push(used);
        let local = |local: &Ident| {
            let mut local = local.clone();
            local.set_span(local.span().located_at(name.span()));
            local
        };
        match binding {
            Binding::Shared { local: of, .. } | Binding::Read(of) => {
                let of = local(&of);
                // A place of the written type: `&split` is a `&Split`, to generic steps, too.
                parse_quote_spanned!(name.span()=> (*#of))
            }
            Binding::Kept(of) => {
                let of = local(&of);
                parse_quote_spanned!(name.span()=> #of)
            }
            _ => expr.clone(),
        }
    }
}

/// What tells names of one spelling apart that come out of different macros, as far as it can be seen.
fn context(name: &Ident) -> String {
    let span = format!("{:?}", name.span());
    let first = span.split_whitespace().next().unwrap_or_default();
    first.strip_prefix('#').unwrap_or_default().to_owned()
}

/// Whether the path is that of an associated function, such as `Model::new`, as far as its style tells.
fn is_of_a_type(path: &Path) -> bool {
    let name = path.segments.iter().rev().nth(1);
    name.is_some_and(|name| {
        name.ident
            .unraw()
            .to_string()
            .starts_with(char::is_uppercase)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Statement,
    Argument,
}

/// Says where an expression belongs that is neither a call of a step nor a place.
fn refuse(expr: &Expr, at: Where, errors: &mut Errors) {
    let branch = "a branch does not belong here: put the branch inside a step";
    let repeat = "a loop does not belong here: put the loop inside a step, or make what it goes through a `#[param]`";
    let message = match expr {
        Expr::If(_) | Expr::Match(_) | Expr::Let(_) => branch,
        Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => repeat,
        Expr::Closure(_) => "a closure does not belong here: put it inside a step",
        Expr::Call(_) | Expr::Try(_) if at == Where::Argument => {
            "a step's result needs a name before another step takes it: `let name = step(..);`"
        }
        Expr::Try(_) => "`?` follows the call of a step",
        Expr::Async(_) | Expr::Await(_) => {
            "a step is an ordinary function: wait for futures inside a step"
        }
        Expr::Macro(_) => "a macro does not belong here: put it inside a step",
        Expr::MethodCall(_) => {
            "a method call does not belong here (but `.clone()` does): call it inside a step"
        }
        Expr::Assign(_)
        | Expr::Binary(ExprBinary {
            op:
                BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::MulAssign(_)
                | BinOp::DivAssign(_)
                | BinOp::RemAssign(_),
            ..
        }) => "a name is made by `let` and is not assigned again: `let name = step(..);`",
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => {
            "a run ends early when a step returns an error: `step(..)?`, or `Err(xp::skip(\"reason\"))` in it"
        }
        Expr::Block(_) | Expr::Unsafe(_) | Expr::Const(_) => {
            "a block does not belong here: put it inside a step"
        }
        _ => match at {
            Where::Statement => {
                "a statement calls a step: `let name = step(..);`; compute this inside a step"
            }
            Where::Argument => {
                "an argument is a name, `&` or `&mut` of one, a member, a literal or a `.clone()`: \
                 compute this inside a step"
            }
        },
    };
    // A whole branch or loop is long: its first word is enough.
    match expr {
        Expr::If(_) | Expr::Match(_) | Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => {
            errors.at(
                first(expr.to_token_stream()).unwrap_or_else(|| expr.span()),
                message,
            );
        }
        _ => errors.on(expr, message),
    }
}

fn first(tokens: TokenStream) -> Option<Span> {
    tokens
        .into_iter()
        .next()
        .map(|token: TokenTree| token.span())
}
