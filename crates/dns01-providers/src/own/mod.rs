//! Providers we speak to ourselves, because the shared library lacks them or does less.

pub(crate) mod rfc2136;
