#pragma once

#include "proxyengine/base/error.h"
#include "simulator/report/rehearsal.h"

// A mesh of two services in two zones, and a rehearsal of it made by hand.
namespace mesh::test {

inline constexpr const char* kRehearsedMesh = R"(_format_version: "3.0"
services:
- name: front
  host: front
  routes:
  - name: front
    paths: [/]
- name: cart
  host: cart
  retries: 2
upstreams:
- name: front
- name: cart
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
models:
- service: front
  instances: 2
  zones: [a, b]
  service_time: {dist: const, mean: 2ms}
  script: [{call: cart}]
- {service: cart, instances: 2, zones: [a, b], service_time: {dist: const, mean: 2ms}}
)";

inline constexpr const char* kScenario = R"(# A comment that stays.
scenario: zone-b
seed: 7
replications: 2
duration: 2m
warmup: 10s
load:
- {entry: front, arrivals: poisson, rate: [[0s, 100], [1m, 150]]}
policies:
  baseline: {}
  candidate: {patch: {services: {cart: {retries: 4}}}}
timeline:
- {at: 40s, for: 30s, fault: zone_outage, target: {zone: b}} # the outage
assert:
- {window: during, that: "success(front) >= 0.99"}
)";

// What a run of any such scenario gives: cart-2 is out and one call in five fails while the first
// fault is active, half as many with the candidate.
[[nodiscard]] Result<simulator::Rehearsal> handMade(const simulator::RehearsalRequest& request);

} // namespace mesh::test
