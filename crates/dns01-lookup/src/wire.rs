//! Names as core writes them and as DNS messages carry them.

use dns01_core::OwnerName;
use hickory_proto::ProtoError;
use hickory_proto::rr::Name;

/// The name in wire form, absolute.
pub(crate) fn to_wire(name: &OwnerName) -> Result<Name, ProtoError> {
    Name::from_ascii(format!("{}.", name.as_str()))
}

/// The name in our form; `None` when it has octets that no owner name of ours may have.
pub(crate) fn from_wire(name: &Name) -> Option<OwnerName> {
    name.to_ascii().parse().ok()
}
