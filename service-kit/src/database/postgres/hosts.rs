//! A URL with several hosts as one configuration for each. The client library would try them in one go, and a host that
//! hangs would take the time of those after it.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The configurations in the order of the URL; one at least.
pub(super) fn each(all: &Config) -> Vec<Config> {
    match all.get_hosts().len().max(all.get_hostaddrs().len()) {
        0 | 1 => vec![all.clone()],
        count => (0..count).map(|position| one(all, position)).collect(),
    }
}

fn one(all: &Config, position: usize) -> Config {
    let mut config = Config::new();
    match all.get_hosts().get(position) {
        Some(Host::Tcp(name)) => drop(config.host(name)),
        Some(Host::Unix(path)) => drop(config.host_path(path)),
        None => {}
    }
    if let Some(address) = all.get_hostaddrs().get(position) {
        config.hostaddr(*address);
    }
    if let Some(port) = all.get_ports().get(position).or(all.get_ports().first()) {
        config.port(*port);
    }
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(database) = all.get_dbname() {
        config.dbname(database);
    }
    if let Some(options) = all.get_options() {
        config.options(options);
    }
    if let Some(name) = all.get_application_name() {
        config.application_name(name);
    }
    config.ssl_mode(all.get_ssl_mode()).ssl_negotiation(all.get_ssl_negotiation());
    config.target_session_attrs(all.get_target_session_attrs()).channel_binding(all.get_channel_binding());
    config.keepalives(all.get_keepalives());
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(url: &str) -> Vec<Config> {
        each(&url.parse().unwrap())
    }

    #[test]
    fn each_host_has_its_own_port_and_everything_else_in_common() {
        let rest = "application_name=x&options=-cgeqo%3Doff&sslmode=require&target_session_attrs=read-write\
                    &channel_binding=require&keepalives=0";
        let all = split(&format!("postgres://ada:secret@one,two:6000,%2Frun/shop?{rest}"));
        let alone =
            ["one:5432", "two:6000", "%2Frun:5432"].map(|host| format!("postgres://ada:secret@{host}/shop?{rest}"));
        assert_eq!(all, alone.map(|url| url.parse().unwrap()));
    }

    #[test]
    fn one_port_is_for_all_hosts() {
        let ports = |config: &Config| config.get_ports().to_vec();
        assert_eq!(split("host=one,two port=6000").iter().map(ports).collect::<Vec<_>>(), [[6000], [6000]]);
    }

    #[test]
    fn a_single_host_and_none_at_all_stay_as_they_are() {
        for url in ["postgres://one/shop?connect_timeout=7", "postgres:///shop"] {
            assert_eq!(split(url), [url.parse().unwrap()]);
        }
    }
}
