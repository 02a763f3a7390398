//! SPDX licence expressions: is there a way to use this package under the licences we allow?

/// True when the expression can be satisfied with the allowed licences alone.
pub(crate) fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    // crates published before SPDX expressions were checked wrote `MIT/Apache-2.0`
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, at: 0, allowed };
    reader.any_of() == Some(true) && reader.at == tokens.len()
}

struct Reader<'a> {
    tokens: &'a [&'a str],
    at: usize,
    allowed: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut verdict = self.all_of()?;
        while self.take("OR") {
            verdict |= self.all_of()?;
        }
        Some(verdict)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            verdict &= self.one()?;
        }
        Some(verdict)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let verdict = self.any_of()?;
            return self.take(")").then_some(verdict);
        }
        let name = self.peek()?;
        self.at += 1;
        let name = if self.take("WITH") {
            let exception = self.peek()?;
            self.at += 1;
            format!("{name} WITH {exception}")
        } else {
            name.to_owned()
        };
        Some(self.allowed.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
        let check = |expression: &str, expected: bool| {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
        };
        check("MIT", true);
        check("GPL-3.0", false);
        check("GPL-3.0 OR MIT", true);
        check("GPL-3.0 AND MIT", false);
        check("MIT/Apache-2.0", true);
        check("Apache-2.0 / MIT", true);
        check("ISC AND (GPL-3.0 OR MIT)", true);
        check("ISC AND (GPL-3.0 OR MPL-2.0)", false);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("GPL-2.0 WITH Classpath-exception-2.0", false);
        check("MIT AND", false);
        check("(MIT", false);
        check("MIT MIT", false);
        check("", false);
    }
}
