//! A real Prometheus with the configuration, the rules and the flags of `deploy/observability`, but for where the services are, and how
//! often it looks at them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Url;
use serde_json::Value;
use tempfile::TempDir;

use crate::redis::free_port;
use crate::waiting::eventually;

const COMPOSE: &str = include_str!("../../deploy/observability/docker-compose.yml");
const CONFIGURATION: &str = include_str!("../../deploy/observability/prometheus.yml");
const ALERTS: &str = include_str!("../../deploy/observability/alerts.yml");

/// A Prometheus that looks each second. It is killed, and what it kept is gone, when this is dropped.
pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    http: reqwest::Client,
    directory: TempDir,
}

impl Prometheus {
    /// Starts one that looks at the services of these addresses, and waits until it has seen all of them.
    ///
    /// # Panics
    ///
    /// Where there is none on this machine, or it does not start.
    pub async fn over(services: &[SocketAddr]) -> Self {
        let directory = tempfile::tempdir().expect("a directory of its own");
        let file = |name: &str| directory.path().join(name);
        fs::write(file("prometheus.yml"), configuration(services)).expect("the directory is ours");
        fs::write(file("alerts.yml"), ALERTS).expect("the directory is ours");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let log = File::create(file("log")).expect("the directory is ours");
        let mut command = Command::new(program());
        command.args(flags(directory.path())).arg(format!("--web.listen-address={address}"));
        let child = command.current_dir(&directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("prometheus cannot be run ({error}): tools/install-prometheus puts it where it is looked for")
        });
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("an HTTP client starts");
        let mut prometheus = Self { child, address, http, directory };
        let seen = format!("count(up == 1) == {}", services.len());
        eventually("Prometheus has seen the services", async || {
            if let Some(status) = prometheus.child.try_wait().expect("the process can be asked") {
                let log = fs::read_to_string(prometheus.directory.path().join("log")).unwrap_or_default();
                panic!("prometheus does not start ({status}): {log}");
            }
            let answer = prometheus.get("query", &[("query", seen.as_str())]).await.ok()?;
            answer["result"].as_array().is_some_and(|series| !series.is_empty()).then_some(())
        })
        .await;
        prometheus
    }

    /// What a query answers now: a list of series.
    ///
    /// # Panics
    ///
    /// Where Prometheus does not understand it.
    pub async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.get("query", &[("query", query)]).await;
        let answer = answer.unwrap_or_else(|error| panic!("{query}: {error}"));
        answer["result"].as_array().unwrap_or_else(|| panic!("{query}: no series: {answer}")).clone()
    }

    /// Each rule and what came of it.
    ///
    /// # Panics
    ///
    /// Where Prometheus does not tell.
    pub async fn rules(&self) -> Vec<Value> {
        let answer = self.get("rules", &[]).await.expect("Prometheus tells of its rules");
        let groups = answer["groups"].as_array().expect("groups").iter();
        groups.flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
    }

    async fn get(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let url = Url::parse_with_params(&format!("http://{}/api/v1/{what}", self.address), parameters);
        let answer = self.http.get(url.expect("a URL")).send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        if answer["status"] == "success" { Ok(answer["data"].take()) } else { Err(answer["error"].to_string()) }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// That of this machine, or the one that `tools/install-prometheus` has unpacked.
fn program() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/prometheus/usr/bin/prometheus");
    let installed = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join("prometheus").is_file()));
    if installed { "prometheus".into() } else { unpacked }
}

/// Those of the compose file, for a directory.
fn flags(directory: &Path) -> Vec<String> {
    let flags = COMPOSE.lines().filter_map(|line| line.trim().strip_prefix("- --"));
    let here = |flag: &str| {
        let flag = flag.replace("=/etc/prometheus", &format!("={}", directory.display()));
        format!("--{}", flag.replace("=/prometheus", &format!("={}", directory.join("data").display())))
    };
    flags.map(here).collect()
}

/// That of the stack, with addresses in the place of names.
fn configuration(services: &[SocketAddr]) -> String {
    let (before, found_by_name) =
        CONFIGURATION.split_once("    dns_sd_configs:\n").expect("services are found by name");
    assert_eq!(found_by_name.lines().count(), 2, "nothing but the services is looked at");
    let targets = services.iter().map(|address| format!("\"{address}\"")).collect::<Vec<_>>().join(", ");
    format!("{}    static_configs:\n      - targets: [{targets}]\n", before.replace("interval: 15s", "interval: 1s"))
}
