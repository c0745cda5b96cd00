//! The Python literals of a header: strings, integers, truth values, tuples, lists and dicts.

use super::ArrayError;

/// How deep containers may nest.
const MAX_DEPTH: usize = 32;

#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Int(usize),
    Bool(bool),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

const MALFORMED: ArrayError = ArrayError::Malformed {
    problem: "its header is no dictionary",
};

/// The literal that all of the text is.
pub(super) fn parse(text: &str) -> Result<Literal, ArrayError> {
    let mut parser = Parser { rest: text };
    let literal = parser.literal(0)?;
    parser.space();
    if parser.rest.is_empty() {
        Ok(literal)
    } else {
        Err(MALFORMED)
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether this comes next; then it is read.
    fn eat(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self, depth: usize) -> Result<Literal, ArrayError> {
        if depth == MAX_DEPTH {
            return Err(MALFORMED);
        }
        self.space();
        match self.rest.chars().next() {
            Some('(') => {
                self.eat("(");
                let (items, comma) = self.items(")", depth)?;
                // In parentheses without a comma, a literal is itself.
                match <[Literal; 1]>::try_from(items) {
                    Ok([item]) if !comma => Ok(item),
                    Ok(items) => Ok(Literal::Tuple(items.into())),
                    Err(items) => Ok(Literal::Tuple(items)),
                }
            }
            Some('[') => {
                self.eat("[");
                Ok(Literal::List(self.items("]", depth)?.0))
            }
            Some('{') => {
                self.eat("{");
                self.entries(depth)
            }
            Some('\'' | '"') => self.text(),
            Some('0'..='9') => self.int(),
            _ if self.eat("True") => Ok(Literal::Bool(true)),
            _ if self.eat("False") => Ok(Literal::Bool(false)),
            _ => Err(MALFORMED),
        }
    }

    /// Literals up to the closing token, and whether a comma stands behind the last one.
    fn items(&mut self, close: &str, depth: usize) -> Result<(Vec<Literal>, bool), ArrayError> {
        let mut items = Vec::new();
        let mut comma = true;
        while !self.eat(close) {
            if !comma {
                return Err(MALFORMED);
            }
            items.push(self.literal(depth + 1)?);
            comma = self.eat(",");
        }
        Ok((items, comma))
    }

    fn entries(&mut self, depth: usize) -> Result<Literal, ArrayError> {
        let mut entries = Vec::new();
        let mut comma = true;
        while !self.eat("}") {
            if !comma {
                return Err(MALFORMED);
            }
            let key = self.literal(depth + 1)?;
            if !self.eat(":") {
                return Err(MALFORMED);
            }
            entries.push((key, self.literal(depth + 1)?));
            comma = self.eat(",");
        }
        Ok(Literal::Dict(entries))
    }

    fn int(&mut self) -> Result<Literal, ArrayError> {
        let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        // Python 2 marked long integers.
        self.eat("L");
        digits.parse().map(Literal::Int).map_err(|_| MALFORMED)
    }

    fn text(&mut self) -> Result<Literal, ArrayError> {
        let mut chars = self.rest.chars();
        let quote = chars.next();
        let mut text = String::new();
        loop {
            let c = chars.next().ok_or(MALFORMED)?;
            if Some(c) == quote {
                self.rest = chars.as_str();
                return Ok(Literal::Text(text));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = chars.next().ok_or(MALFORMED)?;
            let mut code = |digits: usize| {
                let code = chars.as_str().get(..digits)?;
                chars = chars.as_str()[digits..].chars();
                char::from_u32(u32::from_str_radix(code, 16).ok()?)
            };
            text.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' | '\'' | '"' => escaped,
                'x' => code(2).ok_or(MALFORMED)?,
                'u' => code(4).ok_or(MALFORMED)?,
                'U' => code(8).ok_or(MALFORMED)?,
                _ => return Err(MALFORMED),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_those_of_python() {
        let text = |text: &str| Literal::Text(text.to_owned());
        assert_eq!(parse("'a\\'\\u00e9' "), Ok(text("a'é")));
        assert_eq!(parse("(3,)"), Ok(Literal::Tuple(vec![Literal::Int(3)])));
        assert_eq!(parse("(3)"), Ok(Literal::Int(3)));
        assert_eq!(parse("()"), Ok(Literal::Tuple(vec![])));
        assert_eq!(
            parse("[('x', \"<i4\"), ]"),
            Ok(Literal::List(vec![Literal::Tuple(vec![
                text("x"),
                text("<i4")
            ])]))
        );
        assert_eq!(
            parse("{'a': False, }"),
            Ok(Literal::Dict(vec![(text("a"), Literal::Bool(false))]))
        );
        for bad in [
            "",
            "{",
            "(1 2)",
            "'a",
            "1 2",
            "x",
            "{1}",
            "'\\q'",
            &"(".repeat(99),
            &"9".repeat(99),
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
