//! `stdout:`: key and chain for a pipe. The only place of this room that prints.

use std::io;

use async_trait::async_trait;
use dns01_core::Bundle;

use super::{Held, Place, SinkError, Stored};

/// Set in every container of an Argo workflow, whose output is kept and shown.
const ARGO: [&str; 2] = ["ARGO_TEMPLATE", "ARGO_CONTAINER_NAME"];

#[derive(Debug)]
pub(super) struct Stdout;

#[async_trait]
impl Place for Stdout {
    async fn held(&self) -> Result<Option<Held>, SinkError> {
        Ok(None)
    }

    async fn write(&self, bundle: &Bundle) -> Result<Stored, SinkError> {
        allowed()?;
        print(bundle, &mut io::stdout().lock()).map_err(SinkError::Stdout)?;
        Ok(Stored::Written)
    }

    fn is_readable(&self) -> bool {
        false
    }
}

/// Refuses where what is printed is kept and shown: better known before a certificate is ordered for it.
pub fn allowed() -> Result<(), SinkError> {
    if ARGO.iter().any(|name| std::env::var_os(name).is_some()) {
        return Err(SinkError::InsideArgo);
    }
    Ok(())
}

fn print(bundle: &Bundle, out: &mut impl io::Write) -> io::Result<()> {
    if let Some(key) = &bundle.key {
        out.write_all(key.pem().expose().as_bytes())?;
    }
    out.write_all(bundle.chain.pem().as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::bundle;

    #[test]
    fn the_key_comes_first_and_then_the_chain() {
        let bundle = bundle(1);
        let mut out = Vec::new();
        print(&bundle, &mut out).unwrap();
        let key = bundle.key.as_ref().unwrap().pem().expose().to_owned();
        assert_eq!(String::from_utf8(out).unwrap(), key + &bundle.chain.pem());
    }
}
