//! From the inputs of a point to its identity.

use std::fmt;

use uuid::Uuid;

use super::form::{tag, write_natural, write_text};
use super::point::InputsHash;

/// The root seed of an execution that does not set one.
pub const DEFAULT_ROOT_SEED: u64 = 123;

/// What the hashed bytes of an experiment start with.
const DOMAIN: &str = "xp identity 1";

/// What all points of a plan have in common: the experiment, the versions of its steps and the
/// root seed.
#[derive(Clone, Debug)]
pub struct IdentityScheme {
    key: [u8; 32],
}

impl IdentityScheme {
    /// The scheme of an experiment of that declared name, whose steps have these versions.
    ///
    /// Steps at version 1 do not count, nor does [`DEFAULT_ROOT_SEED`]; so declaring the first
    /// `version = 2` changes identities, and adding a step at version 1 does not. The order of the
    /// steps does not count, nor how often each is given.
    pub fn new(experiment: &str, versions: &[(&str, u32)], root_seed: u64) -> Self {
        let mut versions: Vec<_> = versions.iter().filter(|(_, v)| *v != 1).collect();
        // The order of encoded texts: shorter ones first.
        versions.sort_unstable_by_key(|(step, version)| (step.len(), *step, *version));
        versions.dedup();

        let mut bytes = Vec::new();
        write_text(DOMAIN, &mut bytes);
        write_text(experiment, &mut bytes);
        bytes.push(tag::MAP);
        for (step, version) in versions {
            write_text(step, &mut bytes);
            write_natural((*version).into(), &mut bytes);
        }
        bytes.push(tag::END);
        if root_seed != DEFAULT_ROOT_SEED {
            write_natural(root_seed.into(), &mut bytes);
        }
        let key = *blake3::hash(&bytes).as_bytes();
        Self { key }
    }

    /// The identity of the point with these inputs.
    pub fn identity(&self, inputs: &InputsHash) -> Identity {
        Identity(*blake3::keyed_hash(&self.key, inputs.as_bytes()).as_bytes())
    }
}

/// The identity of a point: the same wherever and whenever the point is planned, and another for
/// every other point. `Display` is lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity([u8; 32]);

impl Identity {
    /// The identity with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the identity.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of the run of this point: a UUID of version 8 (RFC 9562), which is the first 16
    /// bytes of the identity with the version and variant set. It keeps 122 bits of the identity.
    pub fn id_run(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}
