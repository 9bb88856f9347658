use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use dns01_core::{Exit, Explain as _, FileNames, FolderLayout, SinkFormat};

use super::*;
use crate::fixture::{bundle, name};

/// A sink that shows what it is told to, one after the other, the last for ever.
#[derive(Clone, Debug)]
struct Slow {
    shows: Arc<Mutex<VecDeque<Option<Held>>>>,
}

#[async_trait]
impl Place for Slow {
    async fn held(&self) -> Result<Option<Held>, SinkError> {
        let mut shows = self.shows.lock().unwrap();
        let now = shows[0].clone();
        if shows.len() > 1 {
            shows.pop_front();
        }
        Ok(now)
    }

    async fn write(&self, _bundle: &Bundle) -> Result<Stored, SinkError> {
        Ok(Stored::Written)
    }
}

fn held(bundle: &Bundle) -> Held {
    let key = bundle.key.as_ref().map(dns01_core::PrivateKey::spki_hash);
    Held { chain: bundle.chain.clone(), key }
}

async fn store(ours: &Bundle, shows: Vec<Option<Held>>) -> Result<Stored, SinkError> {
    let place = Slow { shows: Arc::new(Mutex::new(shows.into())) };
    let sink = Sink {
        address: SinkAddress::Stdout,
        place: Box::new(place),
        read_back: Duration::from_millis(900),
    };
    sink.store(ours).await
}

#[tokio::test]
async fn read_back_of_older_content_is_repeated_and_then_75() {
    let (old, ours) = (bundle(30), bundle(1));
    let shows = vec![None, Some(held(&old)), Some(held(&ours))];
    assert_eq!(store(&ours, shows).await.unwrap(), Stored::Written);
    for before in [None, Some(held(&old))] {
        let error = store(&ours, vec![before]).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Transient, "{error}");
    }
}

#[tokio::test]
async fn read_back_of_foreign_content_is_26() {
    let (ours, foreign) = (bundle(1), bundle(0));
    let error = store(&ours, vec![Some(held(&foreign))]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Conflict, "{error}");
    let keyless = Held { key: None, ..held(&ours) };
    let error = store(&ours, vec![Some(keyless)]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Conflict, "{error}");
}

#[tokio::test]
async fn options_that_no_sink_can_have_are_refused() {
    let options = SinkOptions::default;
    let files = FileNames::default;
    let label = BTreeMap::from([("cert-manager.io/certificate-name".to_owned(), "x".to_owned())]);
    for wrong in [
        SinkOptions { key_mode: Some(0o666), ..options() },
        SinkOptions { key_mode: Some(0o4600), ..options() },
        SinkOptions { key_mode: Some(0o200), ..options() },
        SinkOptions { files: FileNames { key: "../key".into(), ..files() }, ..options() },
        SinkOptions { files: FileNames { key: ".current".into(), ..files() }, ..options() },
        SinkOptions { files: FileNames { key: "cert.pem".into(), ..files() }, ..options() },
        SinkOptions {
            files: FileNames { key: "key.pem".into(), ..files() },
            layout: FolderLayout::Certbot,
            ..options()
        },
        SinkOptions { annotations: label.clone(), ..options() },
        SinkOptions { labels: label, ..options() },
        SinkOptions { group: Some("no such group".into()), ..options() },
    ] {
        let address = SinkAddress::Dir("/nonexistent".into());
        let error = Sink::open(&address, &wrong, &name("shop")).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Config, "{error}");
    }
    let right = SinkOptions {
        key_mode: Some(0o640),
        group: Some("root".into()),
        formats: BTreeSet::from([SinkFormat::CombinedPem]),
        ..options()
    };
    let address = SinkAddress::Dir("/nonexistent".into());
    Sink::open(&address, &right, &name("shop")).await.unwrap();
}
