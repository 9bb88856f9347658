//! Where a part of the document stands in its text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The line and column, from 1, of what stands at the end of `way`: its key, or the value itself.
pub(super) fn position(text: &str, way: &[usize], of_key: bool) -> Option<(usize, usize)> {
    // The parser tells where it is only when something goes wrong. So something does, exactly there.
    let stopped =
        Probe { way, of_key }.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    stopped.location().map(|location| (location.line(), location.column()))
}

struct Probe<'a> {
    way: &'a [usize],
    of_key: bool,
}

/// Refuses whatever it meets.
struct Stop;

impl<'de> DeserializeSeed<'de> for Stop {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Stop {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.way.is_empty() {
            return Stop.deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something with parts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((position, way)) = self.way.split_first() else { return Ok(()) };
        for _ in 0..*position {
            map.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if self.of_key && way.is_empty() {
            map.next_key_seed(Stop)?;
            return Ok(());
        }
        map.next_key::<IgnoredAny>()?;
        map.next_value_seed(Probe { way, of_key: self.of_key })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((position, way)) = self.way.split_first() else { return Ok(()) };
        for _ in 0..*position {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Probe { way, of_key: self.of_key }).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{Node, Seg};
    use super::*;

    const TEXT: &str = "a: 1\nb:\n- {c: x, d: &here [5, 6]}\n- c: *here\n  \"e\": [ ]\n";

    fn place(path: &[Seg<'_>], of_key: bool) -> Option<(usize, usize)> {
        position(TEXT, &Node::read(TEXT).unwrap().way(path), of_key)
    }

    #[test]
    fn keys_and_values_are_found_where_they_stand() {
        use Seg::{Index, Key};
        assert_eq!(place(&[Key("a")], true), Some((1, 1)));
        assert_eq!(place(&[Key("a")], false), Some((1, 4)));
        assert_eq!(place(&[Key("b"), Index(0), Key("d")], true), Some((3, 10)));
        assert_eq!(place(&[Key("b"), Index(0), Key("d"), Index(1)], false), Some((3, 23)));
        assert_eq!(place(&[Key("b"), Index(1), Key("e")], true), Some((5, 3)));
        // Through an alias: where the anchor stands.
        assert_eq!(place(&[Key("b"), Index(1), Key("c"), Index(0)], false), Some((3, 20)));
        // What is missing is reported where it is missed.
        assert_eq!(place(&[Key("b"), Index(1), Key("zzz"), Index(0)], false), Some((4, 3)));
    }
}
