//! The Express service beside ours, over the same databases and with the same secrets. What it does is in bench/express.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use secrecy::ExposeSecret;
use system_tests::program::Program;
use system_tests::site::Site;

use crate::seed;

/// The Node.js that is installed with it.
pub(crate) fn node() -> PathBuf {
    here().join("node_modules/node/bin/node")
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("express")
}

/// Express over what a site keeps: its jobs where they are in SQLite, and refreshes where sessions are in Redis.
pub(crate) fn program(site: &Site, port: u16) -> Program {
    let setting = |name: &str| {
        let settings = site.environment(&[]);
        settings.into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
    };
    let config = seed::config(site);
    let (access, refresh) = config.tokens.rings().expect("secrets that are fit for use");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth-service/src/stores/redis");
    let mut environment = vec![
        ("NODE_ENV", "production".to_owned()),
        ("PORT", port.to_string()),
        ("PROCESSES", available_parallelism().map_or(1, usize::from).to_string()),
        ("POOL", config.database.max_connections.to_string()),
        ("ACCESS_SECRET", site.secrets.access.expose_secret().to_owned()),
        ("REFRESH_SECRET", site.secrets.refresh.expose_secret().to_owned()),
        ("ACCESS_KID", access.signing_kid().to_owned()),
        ("REFRESH_KID", refresh.signing_kid().to_owned()),
        ("SCRIPTS", scripts.display().to_string()),
    ];
    let jobs = site.directory().join("jobs.db");
    if jobs.exists() {
        environment.push(("JOBS_FILE", jobs.display().to_string()));
    }
    if let (Some(redis), Some(users)) = (setting("LATCHKEY_TOKEN_STORE__URL"), setting("LATCHKEY_DATABASE__URL")) {
        environment.extend([("REDIS_URL", redis), ("USERS_URL", users)]);
    }
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Program::interpreted(&node(), &here().join("serve.js"), site.directory(), environment)
}
