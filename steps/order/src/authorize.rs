//! From an order's authorizations to challenges with the names that their records will have.

use dns01_acme::{Account, Authorization, AuthorizationStatus, Order};
use dns01_core::{Challenge, Exit, OwnerName};
use dns01_step::{Attempt, Failure};
use dns01_store::journal::{Extra, Presence, Wanted};

use crate::places::Places;

/// The challenges still to be answered; none where the CA knows all names as ours already.
pub(crate) async fn wanted(
    account: &Account,
    order: &Order,
    places: &Places<'_>,
    generation: u64,
) -> Result<Vec<Wanted>, Failure> {
    let authorizations = account.authorizations(order).await;
    let authorizations = authorizations.attempt(|| "read the order's authorizations".into())?;
    let mut open: Vec<(Challenge, String)> = Vec::new();
    for authorization in
        authorizations.iter().filter(|one| one.status != AuthorizationStatus::Valid)
    {
        open.push(challenge(account, authorization)?);
    }
    let fqdns: Vec<OwnerName> = open.iter().map(|(challenge, _)| challenge.fqdn.clone()).collect();
    // Cleanup may have to find the records after a CNAME has changed, so the end is recorded now.
    let places =
        places.of(&fqdns).await.attempt(|| "find where the challenges are answered".into())?;
    Ok(open
        .into_iter()
        .zip(places)
        .map(|((challenge, url), place)| Wanted {
            generation,
            domain: challenge.domain,
            fqdn: challenge.fqdn,
            owner: place.owner,
            value: challenge.value,
            url: Some(url),
            state: Presence::Wanted,
            extra: Extra::new(),
        })
        .collect())
}

fn challenge(
    account: &Account,
    authorization: &Authorization,
) -> Result<(Challenge, String), Failure> {
    let domain = &authorization.domain;
    let Some(offered) = &authorization.dns01 else {
        return Err(Failure::new(
            Exit::CaRejected,
            format!("the CA offers no DNS-01 challenge for `{}`", domain.unicode()),
        )
        .hint("ask the CA which challenges it allows for this name"));
    };
    let challenge = account
        .challenge(authorization)
        .attempt(|| format!("answer the challenge for `{domain}`"))?;
    Ok((challenge, offered.url.clone()))
}
