//! The document as it is written, before it means anything: every entry in order, a key given twice twice.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// What a document may weigh once its aliases are followed: one for each node and one for each octet of its text.
/// A document of [`super::load::LARGEST`] octets without aliases stays below, a bomb of aliases doesn't.
const HEAVIEST: usize = 512 * 1024;

/// A node of the document.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// Keys and their values.
    Map(Vec<(String, Self)>),
    /// Elements.
    List(Vec<Self>),
    /// A text.
    Text(String),
    /// A number, as it is usually written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// Nothing, or `null`.
    Null,
}

/// One step from a node to a node below it: a key or a position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seg<'a> {
    /// The value under a key of a map.
    Key(&'a str),
    /// An element of a list.
    Index(usize),
}

/// A way from the root: at each node the position of the entry or element.
pub(super) type Way = Vec<usize>;

impl Node {
    /// Reads a whole document.
    pub(super) fn read(text: &str) -> Result<Self, serde_yaml::Error> {
        let spent = Cell::new(0);
        Weighed { spent: &spent }.deserialize(serde_yaml::Deserializer::from_str(text))
    }

    /// The way along `path`; where something on it is missing, the way to the last thing that is there.
    pub(super) fn way(&self, path: &[Seg<'_>]) -> Way {
        let mut way = Way::new();
        let mut node = self;
        for seg in path {
            let next = match (node, seg) {
                (Self::Map(entries), Seg::Key(key)) => {
                    entries.iter().enumerate().find_map(|(position, (name, value))| {
                        (name == key).then_some((position, value))
                    })
                }
                (Self::List(elements), Seg::Index(index)) => {
                    elements.get(*index).map(|element| (*index, element))
                }
                _ => None,
            };
            let Some((position, below)) = next else { break };
            way.push(position);
            node = below;
        }
        way
    }

    /// What kind of thing it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Map(_) => "a map of keys",
            Self::List(_) => "a list",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::Null => "empty",
        }
    }
}

#[derive(Clone, Copy)]
struct Weighed<'a> {
    spent: &'a Cell<usize>,
}

impl Weighed<'_> {
    fn spend<E: Error>(self, octets: usize) -> Result<(), E> {
        self.spent.set(self.spent.get() + 1 + octets);
        if self.spent.get() > HEAVIEST {
            return Err(E::custom("with its aliases followed, the document is too large"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Weighed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Weighed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain YAML value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        self.spend(0)?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            self.spend(key.len())?;
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        self.spend(0)?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(self)? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        self.spend(text.len())?;
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Number(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Number(number.to_string()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.spend(0)?;
        Ok(Node::Null)
    }

    /// An empty document.
    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(A::Error::custom("YAML tags have no meaning here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_given_twice_are_both_kept() {
        let Node::Map(entries) = Node::read("a: 1\na: true\n").unwrap() else { panic!("no map") };
        assert_eq!(
            entries,
            [("a".into(), Node::Number("1".into())), ("a".into(), Node::Bool(true))]
        );
    }

    #[test]
    fn a_bomb_of_aliases_ends_before_it_grows() {
        let level =
            |n: usize| format!("x{}: &x{} [{}]\n", n + 1, n + 1, format!("*x{n}, ").repeat(9));
        let levels: Vec<String> = (0..40).map(level).collect();
        let deep = format!("x0: &x0 [lol, lol, lol]\n{}", levels.concat());
        let wide = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(50_000), "*a,".repeat(50_000));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(50_000));
        for bomb in [deep, wide, long] {
            let started = std::time::Instant::now();
            assert!(Node::read(&bomb).is_err());
            assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        }
    }

    #[test]
    fn the_heaviest_document_without_aliases_is_read() {
        let text = format!("a: [{}]", "b,".repeat(super::super::load::LARGEST / 2 - 3));
        assert!(Node::read(&text).is_ok());
        let text =
            format!("{{{}}}", (0..30_000).fold(String::new(), |keys, n| keys + &format!("{n:x},")));
        assert!(Node::read(&text).is_ok());
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(Node::read(&"[".repeat(100_000)).is_err());
        assert!(Node::read(&"- ".repeat(100_000)).is_err());
        assert!(Node::read(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))).is_err());
    }
}
