//! A database as an operator backs it up.

use super::{TestDatabase, path};

impl TestDatabase {
    /// A new database with what this one has now: `pg_dump`, restored with `psql`.
    #[must_use]
    pub fn back_up(&self) -> Self {
        let restored = self.server.database();
        let file = self.server.directory.join(&restored.name).with_extension("sql");
        let run = |program, database: &str, more: [&str; 2]| {
            let port = self.server.port.to_string();
            let place = ["--host", path(&self.server.directory), "--port", &port, "--username=postgres"];
            self.server.programs.run(
                program,
                &self.server.directory,
                &[&place[..], &["--dbname", database], &more].concat(),
            );
        };
        run("pg_dump", &self.name, ["--file", path(&file)]);
        run("psql", &restored.name, ["--set=ON_ERROR_STOP=1", &format!("--file={}", path(&file))]);
        restored
    }
}
