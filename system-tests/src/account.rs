//! What a client asks about its own account beside logging in and refreshing: to have one, another password, and its devices.

use std::fmt::Display;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::client::{Answer, Answered, Client};

impl Client {
    /// `POST /register`
    pub async fn register(&self, username: &str, email: &str, password: &str) -> Answer {
        self.post("/register", &json!({ "username": username, "email": email, "password": password })).answer().await
    }

    /// `PUT /current-user/password`, to be sent.
    pub fn password_change(&self, access_token: &str, current: &str, new: &str) -> RequestBuilder {
        let request = self.request(Method::PUT, "/current-user/password").bearer_auth(access_token);
        request.json(&json!({ "currentPassword": current, "newPassword": new }))
    }

    /// `PUT /current-user/password`
    pub async fn change_password(&self, access_token: &str, current: &str, new: &str) -> Answer {
        self.password_change(access_token, current, new).answer().await
    }

    /// `GET /sessions`
    pub async fn sessions(&self, access_token: &str) -> Answer {
        self.get("/sessions").bearer_auth(access_token).answer().await
    }

    /// `DELETE /sessions/{id}`
    pub async fn end_session(&self, access_token: &str, id: impl Display) -> Answer {
        self.request(Method::DELETE, &format!("/sessions/{id}")).bearer_auth(access_token).answer().await
    }

    /// `DELETE /sessions` with this query, which begins with `?` unless it is empty.
    pub async fn end_sessions(&self, access_token: &str, query: &str) -> Answer {
        self.request(Method::DELETE, &format!("/sessions{query}")).bearer_auth(access_token).answer().await
    }
}
