//! Whether the value that a pickle says is of a size that its bytes justify.

use super::graph::{Graph, Item, Node};
use crate::datapak::{DatapakError, kinds};
use crate::value::Value;

/// What the value of a graph is like.
#[derive(Clone, Copy, Default)]
pub(in crate::datapak) struct Extent {
    /// How many containers are around the innermost value.
    pub(in crate::datapak) depth: usize,
    /// Whether any part is a complex value of DATAPAK.
    pub(in crate::datapak) is_complex: bool,
    /// What it takes if everything shared is copied, in bytes.
    cost: usize,
}

/// How far a node was visited.
#[derive(Clone, Copy)]
enum Visit {
    Not,
    /// It holds the node that is visited.
    Begun,
    Done(Extent),
}

enum Task {
    Begin(usize),
    End(usize),
}

impl<'a> Graph<'a> {
    /// Refuses containers within themselves, and a value that takes more than so many bytes of memory.
    pub(in crate::datapak) fn bounded(&self, most: usize) -> Result<Extent, DatapakError> {
        let mut visits = vec![Visit::Not; self.nodes.len()];
        let mut tasks = Vec::new();
        if let Item::Node(root) = self.root {
            tasks.push(Task::Begin(root));
        }
        while let Some(task) = tasks.pop() {
            match task {
                Task::Begin(node) => match visits[node] {
                    Visit::Not => {
                        visits[node] = Visit::Begun;
                        tasks.push(Task::End(node));
                        let parts = self.nodes[node].parts().filter_map(|part| match part {
                            Item::Node(part) => Some(Task::Begin(part)),
                            _ => None,
                        });
                        tasks.extend(parts);
                    }
                    // A begun node ends before its siblings are visited: it holds itself.
                    Visit::Begun => return Err(DatapakError::TooDeep),
                    Visit::Done(_) => {}
                },
                Task::End(node) => visits[node] = Visit::Done(self.container(node, &visits)),
            }
        }
        let extent = item(self.root, &visits);
        if extent.cost > most {
            return Err(DatapakError::TooLarge);
        }
        Ok(extent)
    }

    fn container(&self, node: usize, visits: &[Visit]) -> Extent {
        let node = &self.nodes[node];
        if let Node::Text(text) = node {
            return Extent::of_bytes(text.len());
        }
        let place = size_of::<Value>();
        let mut all = Extent {
            depth: 0,
            is_complex: self.is_complex(node),
            cost: node.places().saturating_mul(place),
        };
        for part in node.parts() {
            let part = item(part, visits);
            all.depth = all.depth.max(part.depth);
            all.is_complex |= part.is_complex;
            all.cost = all.cost.saturating_add(part.cost);
        }
        all.depth += usize::from(!matches!(node, Node::Int(_)));
        all
    }

    fn is_complex(&self, node: &Node<'a>) -> bool {
        match node {
            Node::Dict(entries) => entries
                .iter()
                .any(|(key, _)| self.text(*key) == Some(kinds::MAGIC)),
            _ => false,
        }
    }
}

impl Extent {
    fn of_bytes(len: usize) -> Self {
        Extent {
            cost: len,
            ..Extent::default()
        }
    }
}

/// The extent of an item whose node has been visited.
fn item(item: Item<'_>, visits: &[Visit]) -> Extent {
    match item {
        Item::Text(text) => Extent::of_bytes(text.len()),
        Item::Bytes(bytes) => Extent::of_bytes(bytes.len()),
        Item::Node(node) => match visits.get(node) {
            Some(Visit::Done(extent)) => *extent,
            _ => Extent::default(),
        },
        _ => Extent::default(),
    }
}
