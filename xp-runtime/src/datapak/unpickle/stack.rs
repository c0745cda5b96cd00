//! What opcodes do to the stack and the memo.

use std::borrow::Cow;

use super::{Machine, Node};
use crate::datapak::DatapakError;

impl<'a> Machine<'a> {
    pub(super) fn text(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.take(len)?) {
            Ok(text) => self.push(Node::Text(Cow::Borrowed(text))),
            Err(_) => return self.malformed("a text that is not UTF-8"),
        }
        Ok(())
    }

    pub(super) fn ascii(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.take(len)?) {
            Ok(text) if text.is_ascii() => self.push(Node::Text(Cow::Borrowed(text))),
            _ => return self.malformed("a string that is not ASCII"),
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<(), DatapakError> {
        let bytes = self.take(len)?;
        self.push(Node::Bytes(bytes));
        Ok(())
    }

    pub(super) fn push(&mut self, node: Node<'a>) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// How much of the stack lies below the last mark.
    pub(super) fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn top(&self) -> Result<usize, DatapakError> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(*top),
            _ => self.malformed("nothing on the stack"),
        }
    }

    pub(super) fn top_node(&mut self) -> Result<&mut Node<'a>, DatapakError> {
        let top = self.top()?;
        Ok(&mut self.nodes[top])
    }

    pub(super) fn pop(&mut self) -> Result<usize, DatapakError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    pub(super) fn pop_mark(&mut self) -> Result<Vec<usize>, DatapakError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.malformed("no mark"),
        }
    }

    pub(super) fn short_tuple(&mut self, len: usize) -> Result<(), DatapakError> {
        if self.stack.len() < self.fence() + len {
            return self.malformed("nothing on the stack");
        }
        let items = self.stack.split_off(self.stack.len() - len);
        self.push(Node::Tuple(items));
        Ok(())
    }

    pub(super) fn pairs(&self, items: Vec<usize>) -> Result<Vec<(usize, usize)>, DatapakError> {
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return self.malformed("a key without a value");
        }
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    pub(super) fn extend_list(&mut self, items: Vec<usize>) -> Result<(), DatapakError> {
        match self.top_node()? {
            Node::List(list) => list.extend(items),
            _ => return self.malformed("elements are appended to what is no list"),
        }
        Ok(())
    }

    pub(super) fn extend_dict(&mut self, entries: Vec<(usize, usize)>) -> Result<(), DatapakError> {
        match self.top_node()? {
            Node::Dict(dict) => dict.extend(entries),
            _ => return self.malformed("keys are set in what is no dict"),
        }
        Ok(())
    }

    pub(super) fn memoize(&mut self, key: usize) -> Result<(), DatapakError> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    pub(super) fn recall(&mut self, key: usize) -> Result<(), DatapakError> {
        match self.memo.get(&key) {
            Some(node) => self.stack.push(*node),
            None => return self.malformed("nothing is memoized under this index"),
        }
        Ok(())
    }
}
