//! What opcodes do to the stack and the memo.

use super::graph::{Item, Node};
use super::scalar::Scalars;
use super::{Machine, opcode};
use crate::datapak::DatapakError;

impl<'a> Machine<'a> {
    pub(super) fn malformed<T>(&self, problem: &'static str) -> Result<T, DatapakError> {
        Err(DatapakError::Malformed {
            at: self.opcode_at,
            problem,
        })
    }

    pub(super) fn text(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.input.take(len)?) {
            Ok(text) => self.stack.push(Item::Text(text)),
            Err(_) => return self.malformed("a text that is not UTF-8"),
        }
        Ok(())
    }

    pub(super) fn ascii(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.input.take(len)?) {
            Ok(text) if text.is_ascii() => self.stack.push(Item::Text(text)),
            _ => return self.malformed("a string that is not ASCII"),
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<(), DatapakError> {
        let bytes = self.input.take(len)?;
        self.stack.push(Item::Bytes(bytes));
        Ok(())
    }

    pub(super) fn int(&mut self, x: i128) {
        match i64::try_from(x) {
            Ok(x) => self.stack.push(Item::Int(x)),
            Err(_) => self.push(Node::Int(x)),
        }
    }

    pub(super) fn push(&mut self, node: Node<'a>) {
        self.stack.push(Item::Node(self.nodes.len()));
        self.nodes.push(node);
    }

    /// How much of the stack lies below the last mark.
    pub(super) fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn top(&self) -> Result<Item<'a>, DatapakError> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(*top),
            _ => self.malformed("nothing on the stack"),
        }
    }

    /// The node on top of the stack; `None` if it is none.
    pub(super) fn top_node(&mut self) -> Result<Option<&mut Node<'a>>, DatapakError> {
        Ok(match self.top()? {
            Item::Node(node) => self.nodes.get_mut(node),
            _ => None,
        })
    }

    pub(super) fn pop(&mut self) -> Result<Item<'a>, DatapakError> {
        let top = self.top()?;
        self.stack.pop();
        self.held += 1;
        Ok(top)
    }

    /// Set a mark, and where nothing but scalars follows that are appended to a list, append them.
    pub(super) fn mark(&mut self) {
        let bytes = self.input.rest();
        let (scalars, count, rest) = Scalars::of(bytes);
        if count > 0
            && let Some(&opcode::APPENDS) = rest.first()
            && let Ok(Some(Node::List(list))) = self.top_node()
        {
            list.push_scalars(scalars, count);
            self.input.at += bytes.len() - rest.len() + 1;
        } else {
            self.marks.push(self.stack.len());
        }
    }

    pub(super) fn pop_mark(&mut self) -> Result<Vec<Item<'a>>, DatapakError> {
        match self.marks.pop() {
            Some(mark) => {
                self.held += self.stack.len() - mark;
                Ok(self.stack.split_off(mark))
            }
            None => self.malformed("no mark"),
        }
    }

    pub(super) fn short_tuple(&mut self, len: usize) -> Result<(), DatapakError> {
        if self.stack.len() < self.fence() + len {
            return self.malformed("nothing on the stack");
        }
        let items = self.stack.split_off(self.stack.len() - len);
        self.held += len;
        self.push(Node::Tuple(items));
        Ok(())
    }

    pub(super) fn pairs(
        &self,
        items: &[Item<'a>],
    ) -> Result<Vec<(Item<'a>, Item<'a>)>, DatapakError> {
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return self.malformed("a key without a value");
        }
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    pub(super) fn extend_list(
        &mut self,
        items: impl IntoIterator<Item = Item<'a>>,
    ) -> Result<(), DatapakError> {
        match self.top_node()? {
            Some(Node::List(list)) => items.into_iter().for_each(|item| list.push(item)),
            _ => return self.malformed("elements are appended to what is no list"),
        }
        Ok(())
    }

    pub(super) fn extend_dict(
        &mut self,
        entries: impl IntoIterator<Item = (Item<'a>, Item<'a>)>,
    ) -> Result<(), DatapakError> {
        match self.top_node()? {
            Some(Node::Dict(dict)) => dict.extend(entries),
            _ => return self.malformed("keys are set in what is no dict"),
        }
        Ok(())
    }

    pub(super) fn index(&mut self) -> Result<usize, DatapakError> {
        let line = self.input.line()?;
        match str::from_utf8(line).ok().and_then(|x| x.parse().ok()) {
            Some(index) => Ok(index),
            None => self.malformed("unreadable index"),
        }
    }

    pub(super) fn memoize(&mut self, index: usize) -> Result<(), DatapakError> {
        let top = self.top()?;
        self.memo.put(index, top);
        Ok(())
    }

    pub(super) fn recall(&mut self, index: usize) -> Result<(), DatapakError> {
        match self.memo.get(index) {
            Some(item) => self.stack.push(item),
            None => return self.malformed("nothing is memoized under this index"),
        }
        Ok(())
    }
}
