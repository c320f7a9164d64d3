#pragma once

#include "proxyengine/config/codec.h"
#include "simulator/report/rehearsal.h"

#include <memory>
#include <string>
#include <string_view>

// A mesh of three services for tests of rehearsals.
namespace mesh::test {

inline constexpr std::string_view kSmallShop = R"(_format_version: "3.0"
nodes:
- {name: edge, role: gateway, zone: a}
services:
- {name: front, host: front, retries: 0, routes: [{name: all, paths: [/]}]}
- name: cart
  host: cart
  retries: 0
  resilience: {retry: {on: [connect-failure, 5xx], attempts: 2, budget: {percent: 50}}}
- {name: store, host: store, retries: 0}
upstreams:
- {name: cart, outlier_detection: {interval: 1s, base_ejection: 5s, max_ejection_percent: 50}}
models:
- {service: front, instances: 2, zones: [a, b], concurrency: 16,
   service_time: {dist: exp, mean: 2ms}, script: [{call: cart}]}
- {service: cart, instances: 3, zones: [a, b], concurrency: 4,
   service_time: {dist: exp, mean: 4ms}, script: [{call: store}]}
- {service: store, instances: 2, zones: [a, b], concurrency: 4,
   service_time: {dist: lognormal, mean: 3ms, cv: 0.5}}
)";

// A scenario on it: `rest` is more of the file. Problems are printed and end the process.
[[nodiscard]] inline simulator::RehearsalRequest rehearsalOf(
    std::string_view rest, std::string_view mesh = kSmallShop
)
{
    config::DecodeResult document = config::decode(mesh);
    simulator::ScenarioResult scenario = simulator::parseScenario(
        "scenario: small\nload: [{entry: front, rate: [[0s, 100]]}]\n" + std::string(rest)
    );
    for (const config::Problem& problem : scenario.problems) {
        qFatal("%s", config::toText(problem, "scenario").c_str());
    }
    for (const config::Problem& problem : document.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "mesh").c_str());
        }
    }
    simulator::RehearsalRequest request;
    request.scenario = std::move(scenario.scenario);
    request.document = std::make_shared<const model::Document>(std::move(document.document));
    return request;
}

} // namespace mesh::test
