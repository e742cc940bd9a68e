//! The session store on Redis passes the suite of all session stores, in each topology.

use std::sync::{Arc, OnceLock};

use auth_service::stores::conformance::Backend;
use auth_service::stores::{Redis, RedisSessions, RedisSettings, SessionStore};
use system_tests::redis::{Cluster, Sentinels, shared};

/// A URL that each instance opens for itself.
struct At(String);

impl Backend for At {
    async fn open(&self) -> Arc<dyn SessionStore> {
        let settings = RedisSettings { url: self.0.clone().into(), sentinel_password: None, ca_file: None };
        Arc::new(RedisSessions(Redis::open(&settings).expect("settings that hold")))
    }
}

mod standalone {
    use super::*;

    auth_service::session_store_conformance!(At(shared().url()));
}

mod cluster {
    use super::*;

    fn cluster() -> At {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        At(CLUSTER.get_or_init(Cluster::start).url())
    }

    auth_service::session_store_conformance!(cluster());
}

mod behind_sentinels {
    use super::*;

    fn sentinels() -> At {
        static SENTINELS: OnceLock<Sentinels> = OnceLock::new();
        At(SENTINELS.get_or_init(Sentinels::start).url())
    }

    auth_service::session_store_conformance!(sentinels());
}
