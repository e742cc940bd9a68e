//! Hashing and verifying passwords with Argon2id, off the threads that serve requests, never on all cores at once, and in their idle time
//! where they have any. What makes a password acceptable is decided here too.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use service_kit::metrics::Metrics;
use shared_claims::random;
use tokio::sync::Semaphore;

use super::idle::IdleThreads;
use crate::metrics::Hashing;

/// Logins that may wait for each one that is being worked on: at some 30 ms each they wait two seconds at the most.
const QUEUE_PER_PERMIT: usize = 64;

/// OWASP's second recommendation (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
fn parameters() -> Params {
    Params::new(19_456, 2, 1, Some(Params::DEFAULT_OUTPUT_LEN)).expect("constants within Argon2's ranges")
}

/// Why a password could be neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// More are waiting than can be served in time.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// The stored hash cannot be read.
    #[error("a stored password hash is not usable: {0}")]
    Unreadable(String),
    /// The hashing itself failed.
    #[error("password hashing failed: {0}")]
    Failed(String),
}

/// Hashes passwords, as many at once as the machine bears beside its other work: one fewer than it has cores.
pub struct PasswordHasher {
    shared: Arc<Shared>,
    threads: Arc<IdleThreads>,
    permits: Arc<Semaphore>,
    places: usize,
    taken: Arc<AtomicUsize>,
    hashing: Hashing,
}

struct Shared {
    // One buffer of 19 MiB for each permit, and another where idle time did not suffice, used again: given back to the allocator they
    // would never leave the process.
    buffers: Mutex<Vec<Vec<Block>>>,
    // What a password is checked against where there is no user, so that the answer takes as long.
    decoy: PasswordHash,
}

impl PasswordHasher {
    /// A hasher for a machine with so many cores.
    pub fn new(cores: usize) -> Self {
        let permits = cores.saturating_sub(1).max(1);
        let decoy = phc(&random::bytes::<16>(), &random::bytes::<32>()).expect("a well-formed hash");
        Self {
            shared: Arc::new(Shared { buffers: Mutex::default(), decoy }),
            threads: Arc::new(IdleThreads::new(permits)),
            permits: Arc::new(Semaphore::new(permits)),
            places: permits * (QUEUE_PER_PERMIT + 1),
            taken: Arc::default(),
            hashing: Hashing::new(),
        }
    }

    /// Shows how many passwords wait and are worked on, and how long that takes.
    pub fn show_in(&self, metrics: &Metrics) {
        let (permits, taken, most) = (self.permits.clone(), self.taken.clone(), self.permits.available_permits());
        let running = move || most.saturating_sub(permits.available_permits());
        let waiting = {
            let running = running.clone();
            move || taken.load(Ordering::Relaxed).saturating_sub(running())
        };
        self.hashing.show_in(metrics, waiting, running);
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: SecretString) -> Result<SecretString, HashingError> {
        self.run(move |shared| {
            let salt = random::bytes::<16>();
            let output = shared.derive(Algorithm::Argon2id, Version::V0x13, parameters(), &password, &salt)?;
            let hash = phc(&salt, &output).map_err(HashingError::Failed)?;
            Ok(SecretString::from(hash.to_string()))
        })
        .await
    }

    /// Whether the password is the one that was hashed. With no hash the answer is no, after the same work.
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool, HashingError> {
        self.run(move |shared| match &hash {
            Some(hash) => {
                let hash = PasswordHash::new(hash.expose_secret())
                    .map_err(|error| HashingError::Unreadable(error.to_string()))?;
                shared.matches(&password, &hash)
            }
            None => shared.matches(&password, &shared.decoy).map(|_| false),
        })
        .await
    }

    /// Whether a hash was made with other parameters than new ones are.
    pub fn is_outdated(hash: &SecretString) -> bool {
        let current = ParamsString::try_from(&parameters()).ok();
        PasswordHash::new(hash.expose_secret())
            .is_ok_and(|hash| hash.algorithm.as_str() != Algorithm::Argon2id.as_str() || Some(hash.params) != current)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&Shared) -> Result<T, HashingError> + Send + Sync + 'static,
    ) -> Result<T, HashingError> {
        let place = self.take_place()?;
        let waiting = self.hashing.wait.start_timer();
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|error| HashingError::Failed(error.to_string()))?;
        waiting.observe_duration();
        let (shared, threads, time) = (self.shared.clone(), self.threads.clone(), self.hashing.work.clone());
        // A hash that has begun is finished, also where its caller has gone away; until then it counts.
        let hashing = tokio::spawn(async move {
            let _held = (place, permit, time.start_timer());
            threads.run(move || work(&shared)).await
        });
        hashing.await.flatten().map_err(|error| HashingError::Failed(error.to_string()))?
    }

    fn take_place(&self) -> Result<Place, HashingError> {
        let place = Place(self.taken.clone());
        if self.taken.fetch_add(1, Ordering::Relaxed) >= self.places {
            self.hashing.refused.inc();
            return Err(HashingError::Overloaded);
        }
        Ok(place)
    }
}

/// A place among those that wait or are worked on; given back however that ends.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    fn matches(&self, password: &SecretString, hash: &PasswordHash) -> Result<bool, HashingError> {
        let unreadable = |what: &str| HashingError::Unreadable(what.to_owned());
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| unreadable("unknown algorithm"))?;
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(|_| unreadable("version"))?;
        let params = Params::try_from(hash).map_err(|_| unreadable("parameters"))?;
        let salt = hash.salt.ok_or_else(|| unreadable("no salt"))?;
        let expected = hash.hash.ok_or_else(|| unreadable("no hash"))?;
        let output = self.derive(algorithm, version, params, password, salt.as_ref())?;
        // `Output` compares in constant time.
        Ok(Output::new(&output).map_err(|error| HashingError::Failed(error.to_string()))? == expected)
    }

    fn derive(
        &self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &SecretString,
        salt: &[u8],
    ) -> Result<Vec<u8>, HashingError> {
        let mut buffer = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        buffer.resize(buffer.len().max(params.block_count()), Block::default());
        let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let derived = Argon2::new(algorithm, version, params).hash_password_into_with_memory(
            password.expose_secret().as_bytes(),
            salt,
            &mut output,
            &mut buffer,
        );
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        derived.map_err(|error| HashingError::Failed(error.to_string()))?;
        Ok(output)
    }
}

fn phc(salt: &[u8], output: &[u8]) -> Result<PasswordHash, String> {
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&parameters()).map_err(|error| error.to_string())?,
        salt: Some(Salt::new(salt).map_err(|error| error.to_string())?),
        hash: Some(Output::new(output).map_err(|error| error.to_string())?),
    })
}

/// A password that may be set: 8 to 128 characters, any character, taken verbatim, and none that is soon guessed.
#[derive(Clone)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Accepts a password (NIST SP 800-63B-4 §3.1.1.2, with OWASP's lengths), or says what is wrong with it.
    /// `about` is what somebody who guesses would try first: the user's own names.
    pub fn parse(password: SecretString, about: &[&str]) -> Result<Self, String> {
        match password.expose_secret().chars().count() {
            ..8 => return Err("must be at least 8 characters long".to_owned()),
            129.. => return Err("must be at most 128 characters long".to_owned()),
            _ => {}
        }
        if about.iter().any(|name| is_name(password.expose_secret(), name)) {
            return Err("is too easy to guess: It is your own name or address.".to_owned());
        }
        // A score of 0 or 1 is under a million guesses.
        let estimate = zxcvbn::zxcvbn(password.expose_secret(), about);
        if estimate.score() >= zxcvbn::Score::Two {
            return Ok(Self(password));
        }
        let why = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
        let why = why.map_or_else(|| "It is a well-known word or name.".to_owned(), |why| why.to_string());
        Err(format!("is too easy to guess: {why}"))
    }

    /// The password itself, to be hashed.
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

/// Whether a password is a name, or an address or what stands before its `@`, in whatever case: an estimate takes one in mixed
/// case for much harder to guess than it is.
fn is_name(password: &str, name: &str) -> bool {
    let (password, name) = (password.to_lowercase(), name.to_lowercase());
    password == name || name.split_once('@').is_some_and(|(local, _)| local == password)
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
