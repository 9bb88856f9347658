//! Finds values by reading the zone, removes them in one call per zone, and reads again.

use std::collections::BTreeMap;
use std::time::Duration;

use dns01_core::{Challenge, DomainName, Exit, Explain as _, OwnerName, TxtRecord, Zone};
use dns01_lookup::Lookup;
use dns01_providers::DnsProvider;
use dns01_step::{Attempt, ChosenSolver, Failure, Solvers, StepIo};
use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use tokio::time::{Instant, sleep};

/// How long what fails in passing is tried again.
const PATIENCE: Duration = Duration::from_mins(1);

/// A value to be removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The name it was to certify; chooses the solver.
    pub domain: DomainName,
    /// Where the CA starts looking.
    pub fqdn: OwnerName,
    /// The CNAME end when it was published, if that is on record.
    pub owner: Option<OwnerName>,
    /// The TXT value.
    pub value: String,
}

impl From<Challenge> for Target {
    fn from(challenge: Challenge) -> Self {
        Self { domain: challenge.domain, fqdn: challenge.fqdn, owner: None, value: challenge.value }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Removal {
    /// How many values were found and removed.
    pub removed: usize,
    /// Those that a read has shown gone, removed now or before.
    pub gone: Vec<Target>,
    /// Those that may still be there.
    pub left: Vec<Left>,
    /// Said in place of the count.
    pub note: Option<String>,
    /// Why something is left.
    pub(crate) failure: Option<Failure>,
}

/// A value that may still be in its zone: an element of the `left` output.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Left {
    /// Where the CA starts looking.
    pub fqdn: OwnerName,
    /// The TXT value.
    pub value: String,
    /// Why, in one line.
    pub why: String,
}

/// Removes values wherever their solvers hold them.
#[derive(Debug)]
pub struct Remover<'a> {
    solvers: &'a Solvers,
    lookup: &'a Lookup,
    zone: Option<Zone>,
    io: &'a StepIo,
}

impl<'a> Remover<'a> {
    /// `zone` is the one given by hand, where it cannot be found.
    pub fn new(
        solvers: &'a Solvers,
        lookup: &'a Lookup,
        zone: Option<Zone>,
        io: &'a StepIo,
    ) -> Self {
        Self { solvers, lookup, zone, io }
    }

    /// Removes `targets`; what fails in passing is tried again for a minute.
    pub async fn remove(&self, targets: &[Target]) -> Removal {
        self.remove_while(targets, async || true).await
    }

    /// The same for somebody who may lose the right to remove them: `is_ours` is asked before every further try.
    pub(crate) async fn remove_while(
        &self,
        targets: &[Target],
        is_ours: impl AsyncFn() -> bool,
    ) -> Removal {
        let began = Instant::now();
        let mut pause = Duration::from_secs(1);
        let mut total = self.pass(targets).await;
        while let Some(failure) = total.failure.take_if(|failure| failure.exit().is_retryable()) {
            if began.elapsed() + pause > PATIENCE {
                total.failure = Some(failure);
                break;
            }
            tracing::info!("cleanup tries again in {} s: {}", pause.as_secs(), failure.reason());
            sleep(pause).await;
            if !is_ours().await {
                total.failure = Some(failure);
                break;
            }
            pause = (pause * 2).min(Duration::from_secs(10));
            let open: Vec<Target> =
                targets.iter().filter(|target| !total.gone.contains(target)).cloned().collect();
            let next = self.pass(&open).await;
            total.removed += next.removed;
            total.gone.extend(next.gone);
            total.left = next.left;
            total.failure = next.failure;
        }
        total
    }

    async fn pass(&self, targets: &[Target]) -> Removal {
        let mut removal = Removal::default();
        let mut solvers: BTreeMap<String, ChosenSolver> = BTreeMap::new();
        let mut batches: BTreeMap<(String, Zone), Batch<'_>> = BTreeMap::new();
        for (target, placed) in
            targets.iter().zip(join_all(targets.iter().map(|target| self.place(target))).await)
        {
            match placed {
                Ok((solver, places)) => {
                    for (zone, owner) in places {
                        batches
                            .entry((solver.name.clone(), zone))
                            .or_default()
                            .push((target, owner));
                    }
                    solvers.entry(solver.name.clone()).or_insert(solver);
                }
                Err(failure) => removal.leave(target, failure),
            }
        }
        let clearing =
            batches.iter().map(|((solver, zone), batch)| self.clear(&solvers[solver], zone, batch));
        for (result, batch) in join_all(clearing).await.into_iter().zip(batches.values()) {
            match result {
                Ok((removed, present)) => {
                    removal.removed += removed;
                    for (target, _) in
                        batch.iter().filter(|(target, _)| present.contains(&target.value))
                    {
                        let why = "the provider still shows it after it was removed";
                        removal.leave(target, Failure::new(Exit::NotYet, why));
                    }
                }
                Err(failure) => {
                    for (target, _) in batch {
                        removal.note_left(target, &failure.reason());
                    }
                    removal.fail(failure);
                }
            }
        }
        let is_left = |target: &Target| removal.left.iter().any(|left| left.is_about(target));
        removal.gone = targets.iter().filter(|target| !is_left(target)).cloned().collect();
        removal
    }

    /// Where the value may be: the end of the CNAME chain as it is now, and as it was on record.
    async fn place(
        &self,
        target: &Target,
    ) -> Result<(ChosenSolver, Vec<(Zone, OwnerName)>), Failure> {
        let solver = self.solvers.choose(&target.domain)?;
        let what = || format!("find the zone of `{}`", target.fqdn);
        let current = match (&self.zone, solver.follow_cname) {
            (Some(zone), _) => self.lookup.locate_in(&target.fqdn, zone).await,
            (None, true) => self.lookup.locate(&target.fqdn).await,
            (None, false) => self.lookup.locate_literally(&target.fqdn).await,
        };
        let mut places = Vec::new();
        match (current, &target.owner) {
            (Ok(current), _) => places.push((current.zone, current.owner)),
            // Nothing can be where a CNAME leads nowhere; a server that gives no answer says nothing of the kind.
            (Err(error), Some(recorded))
                if *recorded != target.fqdn && !error.exit().is_retryable() => {}
            (Err(error), _) => return Err(Failure::of(error, &what())),
        }
        if let Some(recorded) =
            target.owner.as_ref().filter(|owner| places.iter().all(|(_, known)| known != *owner))
        {
            let found = self.lookup.locate_literally(recorded).await.attempt(what)?;
            places.push((found.zone, found.owner));
        }
        Ok((solver, places))
    }

    /// Clears one zone: how many values were removed, and which are there all the same.
    async fn clear(
        &self,
        solver: &ChosenSolver,
        zone: &Zone,
        wanted: &Batch<'_>,
    ) -> Result<(usize, Vec<String>), Failure> {
        let id = &solver.provider;
        solver.check_secret()?;
        let provider = dns01_providers::build(id, &solver.source)
            .attempt(|| format!("set up the provider `{id}`"))?;
        let present = found(&*provider, id, zone, wanted).await?;
        if present.is_empty() {
            return Ok((0, Vec::new()));
        }
        let removed = self.io.interrupt().protect(provider.remove(zone, &present)).await;
        removed.attempt(|| format!("remove {} TXT from zone `{zone}` at {id}", present.len()))?;
        dns01_core::fail_point::pass("cleanup::removed");
        let still = found(&*provider, id, zone, wanted).await?;
        Ok((present.len(), still.into_iter().map(|record| record.value).collect()))
    }
}

/// The targets in one zone, with the owner name of each there.
type Batch<'a> = Vec<(&'a Target, OwnerName)>;

/// The wanted values that the provider holds right now.
async fn found(
    provider: &dyn DnsProvider,
    id: &str,
    zone: &Zone,
    wanted: &Batch<'_>,
) -> Result<Vec<TxtRecord>, Failure> {
    let mut owners: Vec<&OwnerName> = wanted.iter().map(|(_, owner)| owner).collect();
    owners.sort();
    owners.dedup();
    let lists = try_join_all(owners.iter().map(|owner| async move {
        let values = provider.list(zone, owner).await;
        values.attempt(|| format!("read TXT `{owner}` in zone `{zone}` at {id}"))
    }));
    let mut records = Vec::new();
    for (owner, values) in owners.iter().zip(lists.await?) {
        for (target, _) in
            wanted.iter().filter(|(target, at)| at == *owner && values.contains(&target.value))
        {
            let record = TxtRecord { name: (*owner).clone(), value: target.value.clone(), ttl: 0 };
            if !records.contains(&record) {
                records.push(record);
            }
        }
    }
    Ok(records)
}

impl Left {
    fn is_about(&self, target: &Target) -> bool {
        self.fqdn == target.fqdn && self.value == target.value
    }
}

impl Removal {
    fn leave(&mut self, target: &Target, failure: Failure) {
        self.note_left(target, &failure.reason());
        self.fail(failure);
    }

    /// Of several failures one that passes counts: all that is left is tried again.
    fn fail(&mut self, failure: Failure) {
        let passes = |failure: &Failure| failure.exit().is_retryable();
        if self.failure.as_ref().is_none_or(|known| !passes(known) && passes(&failure)) {
            self.failure = Some(failure);
        }
    }

    fn note_left(&mut self, target: &Target, why: &str) {
        let left =
            Left { fqdn: target.fqdn.clone(), value: target.value.clone(), why: why.to_owned() };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }
}
