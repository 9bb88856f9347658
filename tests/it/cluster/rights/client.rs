//! The API server as the holder of one service account's token sees it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::{Cluster, Reply, Request, exchange};
use serde_json::{Value, json};
use std::net::{SocketAddr, ToSocketAddrs as _};

/// One account's way to the API server.
pub(super) struct Client {
    server: SocketAddr,
    host: String,
    ca: String,
    token: String,
}

impl Client {
    /// With a token that the API server makes for `account`.
    pub(super) fn of(cluster: &Cluster, namespace: &str, account: &str) -> Self {
        let kubectl = cluster.kubectl();
        let config =
            kubectl.run(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
        let config: Value = serde_json::from_str(&config).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        let host = cluster["server"].as_str().unwrap().trim_start_matches("https://");
        let ca = STANDARD.decode(cluster["certificate-authority-data"].as_str().unwrap()).unwrap();
        let token = kubectl.run(&["create", "token", account, "-n", namespace]);
        Self {
            server: host.to_socket_addrs().unwrap().next().unwrap(),
            host: host.to_owned(),
            ca: String::from_utf8(ca).unwrap(),
            token: token.trim().to_owned(),
        }
    }

    /// Whether a request of this account is authorised; it changes nothing.
    #[track_caller]
    pub(super) fn may(&self, verb: &str, path: &str, object: &Value) -> bool {
        let (collection, name) = path.rsplit_once('/').unwrap();
        let dry = |path: &str, more: &str| format!("{path}?dryRun=All{more}");
        let bodiless = json!({});
        let (method, path, kind, body) = match verb {
            "get" | "list" => ("GET", path.to_owned(), "application/json", &bodiless),
            "watch" => {
                ("GET", format!("{path}?watch=1&timeoutSeconds=1"), "application/json", &bodiless)
            }
            "delete" => ("DELETE", dry(path, ""), "application/json", &bodiless),
            "patch" => ("PATCH", dry(path, ""), "application/merge-patch+json", &bodiless),
            // By server-side apply, which is authorised with the name.
            "make" => {
                ("PATCH", dry(path, "&fieldManager=x"), "application/apply-patch+yaml", object)
            }
            // By POST, which is not: a Role that names objects cannot allow it.
            "post" if object["metadata"]["name"] == name => {
                ("POST", dry(collection, ""), "application/json", object)
            }
            "post" => ("POST", dry(path, ""), "application/json", object),
            _ => panic!("no such verb: {verb}"),
        };
        let reply = self.send(method, &path, kind, body);
        let text = reply.text();
        match reply.status {
            403 => assert!(text.contains(" cannot "), "{verb} {path}: {text}"),
            200 | 201 | 404 | 409 | 422 => (),
            status => panic!("{verb} {path}: {status} {text}"),
        }
        reply.status != 403
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut request =
            Request::new(method, &self.host, path).with_header("authorization", &bearer);
        if method != "GET" {
            request = request.with_body(kind, body.to_string());
        }
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
        exchange(self.server, name, &self.ca, &request).unwrap()
    }
}
