//! The route table against the API's description.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        })
        .collect();
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.path.replace("{*path}", "{path}")))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn exactly_the_public_routes_are_described_as_such() {
    let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
    for route in ROUTES {
        let path = route.path.replace("{*path}", "{path}");
        let open = document["paths"][&path][route.method]["security"].is_array();
        assert_eq!(open, route.access == Public, "{} {path}", route.method);
    }
}
