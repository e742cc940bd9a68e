//! What a person sees first: where everything is, who can log in, and a request to try.

use std::fmt;
use std::net::SocketAddr;

pub(crate) struct Banner {
    pub(crate) auth: SocketAddr,
    pub(crate) jobs: SocketAddr,
    pub(crate) web: SocketAddr,
    pub(crate) has_web_client: bool,
    pub(crate) has_demo_users: bool,
}

impl fmt::Display for Banner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { auth, jobs, web, .. } = self;
        let page = if self.has_web_client { "the web client" } else { "a plain page, for the web client is not built" };
        writeln!(formatter, "\nLatchkey is running.\n")?;
        writeln!(formatter, "  http://{web}  {page}; the services are under /api/auth and /api/jobs")?;
        writeln!(formatter, "  http://{auth}  auth-service")?;
        writeln!(formatter, "  http://{jobs}  jobs-service\n")?;
        if self.has_demo_users {
            writeln!(formatter, "Demo users: ada, grace and linus, each with the password latchkey-demo-NAME")?;
            writeln!(formatter, "(in new databases; LATCHKEY_DEMO=false starts without them). Try:\n")?;
            writeln!(formatter, "  curl -s http://{auth}/login -H 'content-type: application/json' \\")?;
            writeln!(formatter, "    -d '{{\"username\": \"ada\", \"password\": \"latchkey-demo-ada\"}}'\n")?;
        }
        writeln!(formatter, "Ctrl-C stops it.\n")
    }
}
