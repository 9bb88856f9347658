//! `--check` and `--watch`: what every name server answers for a name, for people who want to see.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dns01_core::{Exit, OwnerName};
use dns01_lookup::{Lookup, Survey};
use dns01_step::{Attempt as _, Failure, StepIo, live};
use tokio::time::Instant;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// One look; exit 80 unless all addresses show the same records.
pub(crate) async fn check(name: &OwnerName, lookup: &Lookup, io: &StepIo) -> Result<(), Failure> {
    let survey = survey(name, lookup).await?;
    io.put_json("report", &survey)?;
    // What isn't so is told by the failure.
    verdict(&survey)?;
    io.say(survey.lines().join("\n"));
    Ok(())
}

/// Looks again and again and says what changes, until `timeout`; then as [`check`]. At a terminal what is seen stands in
/// one place, and stays there when it is stopped.
pub(crate) async fn watch(
    name: &OwnerName,
    lookup: &Lookup,
    timeout: Duration,
    io: &StepIo,
) -> Result<(), Failure> {
    let (start, is_live) = (Instant::now(), live::is_wanted(io));
    let said: Mutex<Vec<String>> = Mutex::default();
    let seen = || said.lock().unwrap_or_else(PoisonError::into_inner);
    let looks = async {
        loop {
            let survey = survey(name, lookup).await?;
            let lines = survey.lines();
            if is_live {
                let left = timeout.saturating_sub(start.elapsed()).as_secs();
                let head = format!("{name}, every 2 s for {left} s more; Ctrl-C ends it");
                live::draw(&[&[head], &lines[..]].concat());
            } else {
                let news: Vec<_> =
                    lines.iter().filter(|it| !seen().contains(it)).cloned().collect();
                if !news.is_empty() {
                    io.say(news.join("\n"));
                }
            }
            *seen() = lines;
            if start.elapsed() + INTERVAL > timeout {
                io.put_json("report", &survey)?;
                if is_live && survey.agrees() {
                    io.say(seen().join("\n"));
                }
                return verdict(&survey);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    let stopped = async || {
        if is_live {
            io.say(seen().join("\n"));
        }
        Err(Failure::new(Exit::Interrupted, "stopped by a signal"))
    };
    Box::pin(io.interrupt().or_rescue(looks, stopped)).await
}

async fn survey(name: &OwnerName, lookup: &Lookup) -> Result<Survey, Failure> {
    lookup.survey(name).await.attempt(|| format!("look for `{name}` on its name servers"))
}

fn verdict(survey: &Survey) -> Result<(), Failure> {
    if survey.agrees() {
        return Ok(());
    }
    let what = format!("the name servers do not all show the same records at `{}`", survey.owner);
    let mut lines = survey.lines();
    let hint = lines.pop().unwrap_or_default();
    let failure = Failure::new(Exit::NotYet, what).hint(hint);
    Err(lines.into_iter().fold(failure, |failure, line| failure.fact("server", line)))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use dns01_core::Zone;
    use dns01_lookup::Surveyed;

    use super::*;

    fn survey(values: &[&str]) -> Survey {
        let server = |(number, value): (usize, &&str)| Surveyed {
            server: format!("ns{number}.a.test"),
            address: format!("192.0.2.{number}"),
            values: value.split_whitespace().map(str::to_owned).collect(),
            trouble: None,
            serial: Some(7),
        };
        let name: OwnerName = "_acme-challenge.a.test".parse().unwrap();
        Survey {
            owner: name.clone(),
            name,
            zone: Zone { apex: "a.test".parse().unwrap() },
            servers: values.iter().enumerate().map(server).collect(),
            unresolved: Vec::new(),
            delegation: None,
            dnssec: None,
            caa: None,
        }
    }

    #[test]
    fn only_the_same_records_everywhere_are_0() {
        assert!(verdict(&survey(&["x y", "x y"])).is_ok());
        for different in [&["x", ""][..], &["", ""], &["x", "x y"], &[]] {
            assert_eq!(verdict(&survey(different)).unwrap_err().exit(), Exit::NotYet);
        }
        let failure = verdict(&survey(&["x", ""])).unwrap_err();
        assert!(failure.long().contains("ns1.a.test (192.0.2.1) has no TXT record, serial 7"));
    }

    #[test]
    fn a_look_needs_a_name_and_takes_no_challenge() {
        let parse = |args: &[&str]| {
            crate::WaitPropagation::try_parse_from([&["wait-propagation"], args].concat()).is_ok()
        };
        assert!(parse(&["a.test", "--check"]) && parse(&["a.test", "--watch"]));
        assert!(!parse(&["--check"]) && !parse(&["a.test", "--check", "--watch"]));
        assert!(!parse(&["a.test", "--check", "--challenges=[]"]));
    }
}
