//! The users and the jobs pass on PostgreSQL what they pass on SQLite.

use std::sync::Arc;

use service_kit::database::{Database, Migrations, Postgres};
use system_tests::postgres::{TestDatabase, shared};

use super::settings;

async fn open(migrations: &Migrations) -> ([Arc<dyn Database>; 2], TestDatabase) {
    let place = shared().database();
    let settings = settings(&place.url(), 2);
    let instance = async || Postgres::open(&settings, migrations).await.unwrap() as Arc<dyn Database>;
    ([instance().await, instance().await], place)
}

mod users {
    use super::open;

    auth_service::users_suite!(async || open(&auth_service::stores::MIGRATIONS).await);
}

mod jobs {
    use super::open;

    jobs_service::store_suite!(async || open(&jobs_service::database::MIGRATIONS).await);
}
