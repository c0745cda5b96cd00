//! The body of an experiment: statements that call steps.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Block, Expr, Local, Meta, Pat, PatIdent, PatType, Stmt, Type};

use super::flow::{Flow, Variable};
use super::inputs::{docs, find};
use super::model::{Body, Inputs, Kept, Kind, Statement};
use super::patterns::{holds_no_reference, names_of, plain_name, refers_by_mut};
use super::places::{Binding, Places, Used};
use super::slices::Slices;
use crate::attr::Args;
use crate::error::Errors;

/// Reads the statements, and reports all that is wrong with them.
pub(super) fn read(block: &Block, inputs: &Inputs, continues: bool, errors: &mut Errors) -> Body {
    let mut reader = Reader {
        places: Places::of(inputs),
        body: Body::default(),
        errors,
    };
    for statement in &block.stmts {
        reader.statement(statement);
    }
    reader.clashes(inputs);
    let mut body = reader.body;
    if errors.is_empty() {
        body.slices = Slices::of(&body, inputs);
        if continues {
            // A run that is continued is filled by the whole body.
            body.slices.all.clear();
        }
    }
    body
}

struct Reader<'a> {
    places: Places,
    body: Body,
    errors: &'a mut Errors,
}

/// How a `let` is marked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Var,
    Shared,
    State,
    Field,
}

impl Mark {
    fn shown(self) -> &'static str {
        match self {
            Self::Var => "a var",
            Self::Shared => "`#[shared]`",
            Self::State => "`#[state]`",
            Self::Field => "`#[field]`",
        }
    }
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Expr(expr, _) => self.call(expr),
            Stmt::Item(item) => self.errors.on(
                item,
                "an experiment's body holds only statements that call steps: move this out of it",
            ),
            Stmt::Macro(statement) => self.errors.on(
                statement,
                "an experiment's body calls steps only: put the macro inside a step",
            ),
        }
    }

    fn call(&mut self, expr: &Expr) {
        for attribute in attributes_of(expr) {
            self.errors.on(
                attribute,
                "only a `let` is marked: `#[field] let name: Type = step(..);`",
            );
        }
        let step = self.body.steps.len();
        let used = self.places.start_tracking();
        let is_call = |expr: &Expr| match expr {
            Expr::Try(inner) => matches!(&*inner.expr, Expr::Call(_)),
            other => matches!(other, Expr::Call(_)),
        };
        if let Some(value) = self
            .places
            .right_side(expr, &mut self.body.steps, self.errors)
        {
            if !is_call(expr) {
                self.errors.on(
                    expr,
                    "this statement does nothing: a statement calls a step",
                );
                return;
            }
            self.body.statements.push(Statement {
                step: Some(step),
                field: None,
                flow: self.flow(used),
                kind: Kind::Call(value),
            });
        }
    }

    fn local(&mut self, statement: &Local) {
        let (mark, args) = self.mark(&statement.attrs);
        let Some(init) = &statement.init else {
            self.errors.on(
                statement,
                "a name is made by a step: `let name = step(..);`",
            );
            self.declare(&statement.pat);
            return;
        };
        if let Some((else_token, _)) = &init.diverge {
            self.errors.at(
                else_token.span,
                "`let .. else` is a branch: put the branch inside a step",
            );
        }
        let before = self.body.steps.len();
        let used = self.places.start_tracking();
        let value = self
            .places
            .right_side(&init.expr, &mut self.body.steps, self.errors);
        let step = (self.body.steps.len() > before).then_some(before);
        if mark == Mark::Var {
            let mut flow = self.flow(used);
            if refers_by_mut(&statement.pat) {
                flow.changes.clone_from(&flow.uses);
            }
            flow.lends = !holds_no_reference(&statement.pat);
            flow.makes = self.declare(&statement.pat);
            if let Some(value) = value {
                let kind = Kind::Var {
                    pat: statement.pat.clone(),
                    value,
                };
                self.body.statements.push(Statement {
                    step,
                    field: None,
                    flow,
                    kind,
                });
            }
            return;
        }
        let Some((name, ty)) = self.typed_name(&statement.pat, mark) else {
            self.declare(&statement.pat);
            return;
        };
        let depends = self.places.tracked(used);
        let mut flow = self.flow(used);
        self.places.made_too_late(&name.ident, self.errors);
        let kept = self.places.local(&name.ident);
        let kind = match mark {
            Mark::Shared => {
                if name.mutability.is_some() {
                    self.errors.at(
                        name.ident.span(),
                        "a shared value is not changed: leave out `mut`",
                    );
                }
                let needs = self.shared_needs(&name.ident, &depends, step.is_some(), &init.expr);
                let place = self.body.shared.len();
                self.body.shared.push(needs.clone());
                let binding = Binding::Shared {
                    local: kept.clone(),
                    needs,
                };
                flow.makes = vec![self.places.bind(&name.ident, binding)];
                value.map(|value| Kind::Shared {
                    place,
                    name: name.ident.clone(),
                    local: kept,
                    ty: ty.clone(),
                    value,
                })
            }
            _ => {
                let flatten = if mark == Mark::Field {
                    self.flatten(args)
                } else {
                    None
                };
                let binding = Binding::Kept(kept.clone());
                flow.makes = vec![self.places.bind(&name.ident, binding)];
                let keep = Kept {
                    ident: name.ident.clone(),
                    name: name.ident.unraw().to_string(),
                    local: kept.clone(),
                    mutability: name.mutability,
                    ty: ty.clone(),
                    docs: docs(&statement.attrs),
                    flatten,
                };
                let list = if mark == Mark::Field {
                    &mut self.body.fields
                } else {
                    &mut self.body.states
                };
                list.push(keep);
                value.map(|value| Kind::Kept { local: kept, value })
            }
        };
        let field = (mark == Mark::Field).then(|| self.body.fields.len() - 1);
        self.body.statements.extend(kind.map(|kind| Statement {
            step,
            field,
            flow,
            kind,
        }));
    }

    /// The inputs on which a shared value depends; what differs from run to run is an error.
    fn shared_needs(
        &mut self,
        name: &Ident,
        depends: &[Used],
        is_step: bool,
        value: &Expr,
    ) -> Vec<usize> {
        if !is_step {
            self.errors.on(
                value,
                "a shared value is made by a step: `#[shared] let name: Type = step(..);`",
            );
        }
        let mut needs = Vec::new();
        for Used {
            name: used,
            binding,
            ..
        } in depends.iter().filter(|used| !used.unsure)
        {
            match binding {
                Binding::Input(place) => needs.push(*place),
                Binding::Shared { needs: more, .. } => needs.extend(more),
                Binding::Run => self.errors.at(
                    used.span(),
                    format_args!(
                        "the shared value `{name}` belongs to no single run, so its step cannot take \
                         `{used}`: give it the inputs that it needs, or leave out `#[shared]`"
                    ),
                ),
                Binding::Sequence => self.errors.at(
                    used.span(),
                    format_args!(
                        "the shared value `{name}` belongs to no single run, so its step cannot extend \
                         the sequence `{used}`: leave out `#[shared]`"
                    ),
                ),
                // They are the same for all runs.
                Binding::Runs => {}
                Binding::Read(_) => self.errors.at(
                    used.span(),
                    format_args!(
                        "the sequence `{used}` differs from run to run, so the shared value `{name}` \
                         cannot depend on it: leave out `#[shared]`"
                    ),
                ),
                Binding::Var | Binding::Kept(_) => self.errors.at(
                    used.span(),
                    format_args!(
                        "`{used}` differs from run to run, so the shared value `{name}` cannot depend on \
                         it: mark `{used}` `#[shared]`, too, or leave out `#[shared]` here"
                    ),
                ),
            }
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    fn mark(&mut self, attributes: &[Attribute]) -> (Mark, Args) {
        let mut mark = (Mark::Var, Args::default());
        for attribute in attributes {
            let path = attribute.path();
            let (found, known): (_, &[&str]) = if path.is_ident("shared") {
                (Mark::Shared, &[])
            } else if path.is_ident("state") {
                (Mark::State, &[])
            } else if path.is_ident("field") {
                (Mark::Field, &["flatten", "prefix"])
            } else if path.is_ident("doc") {
                continue;
            } else if path.is_ident("cfg") || path.is_ident("cfg_attr") {
                self.errors.on(
                    attribute,
                    "a statement is always there: it cannot depend on `#[cfg]`",
                );
                continue;
            } else if ["config", "param", "sequence"]
                .iter()
                .any(|kind| path.is_ident(kind))
            {
                self.errors.on(
                    attribute,
                    format_args!(
                        "`#[{}]` marks an input, not a statement",
                        path.to_token_stream()
                    ),
                );
                continue;
            } else if ["allow", "expect", "warn", "deny"]
                .iter()
                .any(|lint| path.is_ident(lint))
            {
                continue;
            } else {
                self.errors.on(
                    attribute,
                    "a statement is marked by one of `#[shared]`, `#[state]` and `#[field]`",
                );
                continue;
            };
            if mark.0 != Mark::Var {
                self.errors.on(
                    attribute,
                    "a name is marked once: it is one of `#[shared]`, `#[state]` and `#[field]`",
                );
                continue;
            }
            let tokens = match &attribute.meta {
                Meta::List(list) => list.tokens.clone(),
                _ => TokenStream::new(),
            };
            let shown = match found {
                Mark::Shared => "#[shared]",
                Mark::State => "#[state]",
                _ => "#[field]",
            };
            mark = (found, Args::parse(shown, known, tokens, self.errors));
        }
        mark
    }

    /// The prefix of a flattened field.
    fn flatten(&mut self, mut args: Args) -> Option<String> {
        let flatten = args.flag("flatten", self.errors);
        let prefix = args.value("prefix", "\"train_\"", self.errors);
        match prefix {
            None => flatten.then(String::new),
            Some((
                _,
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }),
            )) if flatten => Some(text.value()),
            Some((
                _,
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(_),
                    ..
                }),
            )) => {
                self.errors.push(syn::Error::new(
                    prefix_span(&prefix),
                    "`prefix` is for the members of a struct: write `#[field(flatten, prefix = ..)]`",
                ));
                None
            }
            Some((_, other)) => {
                self.errors
                    .on(other, "`prefix` is a text, such as `\"train_\"`");
                None
            }
        }
    }

    fn typed_name(&mut self, pat: &Pat, mark: Mark) -> Option<(PatIdent, Type)> {
        let shown = mark.shown();
        match pat {
            Pat::Type(PatType { pat, ty, .. }) => match plain_name(pat) {
                Some(name) => {
                    if let Some(infer) = find(ty.to_token_stream(), &["_"]) {
                        self.errors.at(
                            infer.span(),
                            format_args!("the type of {shown} is written out"),
                        );
                        return None;
                    }
                    if let Type::Reference(_) | Type::ImplTrait(_) = &**ty {
                        self.errors.on(
                            ty,
                            format_args!("{shown} owns its value, in a type that is written out"),
                        );
                        return None;
                    }
                    Some((name, (**ty).clone()))
                }
                None => {
                    self.errors.on(
                        pat,
                        format_args!("{shown} needs a plain name: `let name: Type = step(..);`"),
                    );
                    None
                }
            },
            other => {
                match plain_name(other) {
                    Some(name) => {
                        let name = &name.ident;
                        self.errors.at(
                            name.span(),
                            format_args!(
                                "{shown} needs a written type: `let {name}: Type = step(..);`"
                            ),
                        );
                    }
                    None => self.errors.on(
                        other,
                        format_args!(
                            "{shown} needs a plain name and a type: `let name: Type = step(..);`"
                        ),
                    ),
                }
                None
            }
        }
    }

    /// Binds the names of a pattern.
    fn declare(&mut self, pat: &Pat) -> Vec<Variable> {
        let mut names = Vec::new();
        names_of(pat, &mut names);
        let declare = |name: Ident| {
            self.places.made_too_late(&name, self.errors);
            self.places.bind(&name, Binding::Var)
        };
        names.into_iter().map(declare).collect()
    }

    /// What a statement uses, as far as it is followed.
    fn flow(&self, since: usize) -> Flow {
        let mut flow = Flow::default();
        for used in self.places.tracked(since) {
            if !matches!(used.binding, Binding::Run) {
                flow.uses.push(used.variable);
                flow.changes.extend(used.changed.then_some(used.variable));
                flow.looks.extend(used.looked_at.then_some(used.variable));
                flow.unsure.extend(used.unsure.then_some(used.variable));
            }
        }
        flow
    }

    /// A column has one owner.
    fn clashes(&mut self, inputs: &Inputs) {
        let mut taken: Vec<(String, &str)> = Vec::new();
        for input in &inputs.values {
            taken.push((input.name.clone(), "an input"));
        }
        for sequence in inputs.sequences.iter().chain(&inputs.read) {
            taken.push((sequence.name.clone(), "a sequence"));
        }
        let errors = &mut *self.errors;
        self.body.fields.retain(|field| {
            let name = &field.name;
            // The names of columns do not tell upper case from lower case.
            let same = |other: &str| other.to_lowercase() == name.to_lowercase();
            let Some((other, what)) = taken.iter().find(|(other, _)| same(other)) else {
                taken.push((name.clone(), "a field"));
                return true;
            };
            errors.at(
                field.ident.span(),
                format_args!("there is {what} `{other}` already, and both would be the column `{other}`: rename one"),
            );
            false
        });
        let mut states: Vec<String> = Vec::new();
        let fields = &self.body.fields;
        self.body.states.retain(|state| {
            if fields.iter().any(|field| field.name == state.name) {
                let name = &state.name;
                errors.at(
                    state.ident.span(),
                    format_args!("`{name}` is a field, too, and one name is one thing: rename one"),
                );
                return false;
            }
            let is_new = !states.contains(&state.name);
            if !is_new {
                errors.at(
                    state.ident.span(),
                    format_args!("there is a state `{}` already: rename one", state.name),
                );
            }
            states.push(state.name.clone());
            is_new
        });
    }
}

fn prefix_span(prefix: &Option<(Span, Expr)>) -> Span {
    prefix
        .as_ref()
        .map_or_else(Span::call_site, |(span, _)| *span)
}

fn attributes_of(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Call(call) => &call.attrs,
        Expr::Try(inner) => &inner.attrs,
        _ => &[],
    }
}
