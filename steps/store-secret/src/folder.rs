//! A bundle from PEM files that somebody else has made.

use std::fs;
use std::path::Path;

use dns01_core::{Bundle, Chain, Exit, PrivateKey, SecretText};
use dns01_step::{Attempt, Failure};

/// Reads `fullchain.pem` and `privkey.pem` of `folder`; the two must fit.
pub(crate) fn read(folder: &Path) -> Result<Bundle, Failure> {
    let text = |file: &str| {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).attempt(|| format!("read `{}`", path.display()));
        text.map_err(|failure| failure.with_exit(Exit::Config))
    };
    let chain = Chain::from_pem(&text("fullchain.pem")?).attempt(|| "read fullchain.pem".into())?;
    let key = PrivateKey::from_pem(&SecretText::from(text("privkey.pem")?))
        .attempt(|| "read privkey.pem".into())?;
    if chain.leaf().spki != key.spki_hash() {
        let folder = folder.display();
        return Err(Failure::new(
            Exit::Integrity,
            format!("the key in `{folder}` is not the one of the certificate"),
        ));
    }
    Ok(Bundle { chain, key: Some(key) })
}
