//! Where our own services are, and which requests may carry the access token. The list is matched on the parsed URL: a prefix of
//! the text would also match `https://jobs.example.test.elsewhere.test`.

use reqwest::Url;

use crate::BuildError;

/// Calls of auth-service that sign in, renew or sign out by what is in their body; an access token has no business there.
const WITHOUT_TOKEN: [&str; 4] = ["login", "refresh-token", "logout", "register"];

/// The base URL of a service, such as `https://latchkey.example.test/api/auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceUrl(Url);

impl ServiceUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, BuildError> {
        let refused = |why| BuildError::ServiceUrl { why };
        let mut url = Url::parse(text).map_err(|_| refused("is no URL"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(refused("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("must not name a user or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("must not have a query or a fragment"));
        }
        url.path_segments_mut().map_err(|()| refused("must have a host"))?.pop_if_empty();
        Ok(Self(url))
    }

    /// A path below the service's own. Whatever a segment holds stays one segment.
    pub(crate) fn at<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("a URL of http has a path").pop_if_empty().extend(segments);
        url
    }

    fn covers(&self, url: &Url) -> bool {
        let below = url.path().strip_prefix(self.0.path().trim_end_matches('/'));
        url.origin() == self.0.origin() && below.is_some_and(|rest| rest.starts_with('/')) && !is_ambiguous(url.path())
    }
}

/// A path that hides a slash or a dot could mean one thing here and another to the server behind a proxy.
fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["%2f", "%5c", "%2e"].iter().any(|hidden| path.contains(hidden))
}

/// auth-service, and the services that take its access tokens.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) auth: ServiceUrl,
    pub(crate) others: Vec<ServiceUrl>,
}

impl Services {
    /// True for a call to one of our services that is made in the name of the signed-in user.
    pub(crate) fn carry_token(&self, url: &Url) -> bool {
        let is_ours = self.auth.covers(url) || self.others.iter().any(|service| service.covers(url));
        is_ours && !WITHOUT_TOKEN.iter().any(|call| self.auth.at([*call]).path() == url.path() && self.auth.covers(url))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn services() -> Services {
        let service = |url| ServiceUrl::parse(url).unwrap();
        Services {
            auth: service("https://latchkey.test/api/auth/"),
            others: vec![service("https://latchkey.test/api/jobs"), service("http://127.0.0.1:8082")],
        }
    }

    fn carry_token(url: &str) -> bool {
        services().carry_token(&Url::parse(url).unwrap())
    }

    #[rstest]
    #[case("https://latchkey.test/api/auth/current-user")]
    #[case("https://latchkey.test/api/auth/sessions?others=true")]
    #[case("https://LATCHKEY.test:443/api/jobs/job-list")]
    #[case("https://latchkey.test/assets/../api/jobs/job-list")]
    #[case("http://127.0.0.1:8082/job-list")]
    #[case("http://127.0.0.1:8082/login")]
    fn calls_of_our_own_services_carry_the_token(#[case] url: &str) {
        assert!(carry_token(url));
    }

    #[rstest]
    fn calls_that_need_none_do_not(#[values("login", "refresh-token", "logout", "register", "login?x=1")] call: &str) {
        assert!(!carry_token(&format!("https://latchkey.test/api/auth/{call}")));
    }

    #[rstest]
    #[case("https://elsewhere.test/api/auth/current-user")]
    #[case("http://latchkey.test/api/auth/current-user")]
    #[case("https://latchkey.test:8443/api/auth/current-user")]
    #[case("https://latchkey.test.elsewhere.test/api/auth/current-user")]
    #[case("https://latchkey.test@elsewhere.test/api/auth/current-user")]
    #[case("https://elsewhere.test/?next=https://latchkey.test/api/auth/current-user")]
    #[case("http://127.0.0.1:80822/job-list")]
    #[case("data:text/plain,/api/auth/current-user")]
    fn another_origin_gets_none_however_it_is_spelled(#[case] url: &str) {
        assert!(!Url::parse(url).is_ok_and(|url| services().carry_token(&url)));
    }

    #[rstest]
    #[case("/api/authority/current-user")]
    #[case("/api/auth")]
    #[case("/assets/api/auth/current-user")]
    #[case("/api/auth/../../elsewhere")]
    #[case("/api/auth/%2e%2e/%2e%2e/elsewhere")]
    #[case("/api/auth/..%2f..%2felsewhere")]
    #[case("/api/auth/..%5Celsewhere")]
    fn a_path_that_only_resembles_a_service_gets_none(#[case] path: &str) {
        assert!(!carry_token(&format!("https://latchkey.test{path}")));
    }

    #[rstest]
    #[case("latchkey.test", "is no URL")]
    #[case("ftp://latchkey.test", "must begin with http:// or https://")]
    #[case("https://ada:secret@latchkey.test", "must not name a user or a password")]
    #[case("https://ada@latchkey.test", "must not name a user or a password")]
    #[case("https://:secret@latchkey.test", "must not name a user or a password")]
    #[case("https://latchkey.test?tenant=1", "must not have a query or a fragment")]
    #[case("https://latchkey.test#tenant", "must not have a query or a fragment")]
    fn a_base_url_that_cannot_be_one_is_refused(#[case] url: &str, #[case] why: &str) {
        assert_eq!(ServiceUrl::parse(url).unwrap_err().to_string(), format!("the URL of a service {why}"));
    }

    #[test]
    fn what_is_put_into_a_path_stays_one_segment() {
        let base = ServiceUrl::parse("https://latchkey.test/api/jobs/").unwrap();
        assert_eq!(base.at(["jobs", "../x?y"]).as_str(), "https://latchkey.test/api/jobs/jobs/..%2Fx%3Fy");
        assert_eq!(ServiceUrl::parse("http://127.0.0.1:1").unwrap().at(["login"]).as_str(), "http://127.0.0.1:1/login");
    }

    proptest! {
        #[test]
        fn no_url_of_another_origin_carries_the_token(
            scheme in "(https?|HTTPS|ftp|data|//)",
            user in "([a-z.:]{1,8}@)?",
            host in "(latchkey\\.test|127\\.0\\.0\\.1|LATCHKEY\\.test|latchkey\\.test\\.|[a-z.]{1,12})",
            port in "(:(443|8082|80|[0-9]{1,5}))?",
            path in "[/\\\\a-z%.?#@]{0,10}(/api/auth|/api/jobs)?[/\\\\a-z%25efc.?#-]{0,20}",
        ) {
            let Ok(url) = Url::parse(&format!("{scheme}://{user}{host}{port}{path}")) else { return Ok(()) };
            if services().carry_token(&url) {
                let shown = url.origin().ascii_serialization();
                let is_local = shown == "http://127.0.0.1:8082";
                prop_assert!(is_local || shown == "https://latchkey.test", "{}", url);
                let below = ["/api/auth/", "/api/jobs/"];
                prop_assert!(is_local || below.iter().any(|base| url.path().starts_with(base)), "{}", url);
                prop_assert!(url.path_segments().expect("a path").all(|segment| ![".", ".."].contains(&segment)));
            }
        }

        #[test]
        fn a_base_url_that_is_taken_names_a_host_and_no_secret(text in prop_oneof!["(?i)https?://[a-z0-9:@/?#.]{0,20}", "\\PC{0,20}"]) {
            if let Ok(base) = ServiceUrl::parse(&text) {
                let ServiceUrl(url) = &base;
                prop_assert!(url.has_host() && url.username().is_empty() && url.password().is_none());
                let call = base.at(["jobs"]);
                prop_assert!(base.covers(&call) || is_ambiguous(call.path()), "{}", call);
            }
        }

        #[test]
        fn any_text_is_one_segment_of_a_path(segment in "[^.\t\n\r]\\PC{0,20}") {
            let base = ServiceUrl::parse("https://latchkey.test/api/jobs").unwrap();
            let url = base.at(["jobs", &segment]);
            prop_assert_eq!(url.path_segments().expect("a path").count(), 4);
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
    }
}
