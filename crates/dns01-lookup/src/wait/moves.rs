//! Aliases that lead elsewhere than they did when the values were written.

use dns01_core::OwnerName;
use serde::Serialize;

use crate::resolver::Resolver;
use crate::{Expectation, Location, location};

/// An alias that has changed: the CA looks at the new end.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Moved {
    /// The challenge's name.
    pub fqdn: OwnerName,
    /// Where its CNAMEs led.
    pub from: OwnerName,
    /// Where they lead now.
    pub to: OwnerName,
}

impl Moved {
    /// What happened, as a sentence.
    pub fn sentence(&self) -> String {
        let Self { fqdn, from, to } = self;
        format!(
            "the CNAME of `{fqdn}` now leads to `{to}`, and the values were written at `{from}`"
        )
    }
}

/// Follows the aliases once more and puts each value where it is expected now; says what has changed. One that cannot be
/// followed is taken to lead where it led.
pub(super) async fn follow(resolver: &Resolver, expected: &mut Vec<Expectation>) -> Vec<Moved> {
    let mut moved = Vec::new();
    let aliases: Vec<_> = expected
        .iter()
        .flat_map(|one| one.aliases.iter().map(|alias| (one.owner.clone(), alias.clone())))
        .collect();
    for (from, (fqdn, value)) in aliases {
        match location::find(resolver, &fqdn).await {
            Ok(place) if place.owner == from => (),
            Ok(place) => {
                moved.push(Moved {
                    fqdn: fqdn.clone(),
                    from: from.clone(),
                    to: place.owner.clone(),
                });
                take(expected, &from, &fqdn, &value);
                put(expected, place, value);
            }
            Err(error) => tracing::warn!(%fqdn, %error, "its CNAME could not be followed again"),
        }
    }
    moved
}

/// Another alias may wait for the same value at the same place.
fn take(expected: &mut Vec<Expectation>, from: &OwnerName, fqdn: &OwnerName, value: &String) {
    for one in expected.iter_mut().filter(|one| one.owner == *from) {
        one.aliases.retain(|(alias, its)| alias != fqdn || its != value);
        if !one.aliases.iter().any(|(_, other)| other == value) {
            one.values.retain(|it| it != value);
        }
    }
    expected.retain(|one| !one.values.is_empty());
}

fn put(expected: &mut Vec<Expectation>, place: Location, value: String) {
    let Location { fqdn, owner, zone, .. } = place;
    let known = expected.iter_mut().find(|one| one.owner == owner && one.zone == zone);
    let alias = (fqdn, value.clone());
    if let Some(one) = known {
        one.values.push(value);
        one.aliases.push(alias);
    } else {
        let (values, aliases) = (vec![value], vec![alias]);
        expected.push(Expectation { zone, owner, values, aliases, published: None });
    }
}
