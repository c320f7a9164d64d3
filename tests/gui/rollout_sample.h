#pragma once

#include "app/bridge/mesh_session.h"
#include "app/bridge/rollout_session.h"
#include "proxyengine/api/engine.h"

#include <QObject>
#include <QString>

#include <memory>
#include <string>
#include <vector>

// A mesh of three nodes for the tests of the mode Rollout: engines that do what they are told to,
// and a runner whose progress the test writes.
namespace mesh::test {

inline constexpr const char* kFleetMesh = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  retries: 4
  routes:
  - name: cart
    paths: [/cart]
- name: payment
  host: payment
  read_timeout: 10000
  routes:
  - name: payment
    paths: [/payment]
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001"}
- name: payment
  targets:
  - {target: "10.0.0.2:7001"}
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
- {name: vm-1, role: sidecar, zone: a}
- {name: vm-2, role: sidecar, zone: b}
)";

// An engine in this process without a proxy: it runs what it is given, or refuses it.
class ToldEngine final : public api::Engine
{
public:
    explicit ToldEngine(std::string node)
        : m_node(std::move(node))
    {}
    Result<CommandId> submit(api::Command command) override;
    void subscribe(api::EventSink& sink) override;
    void stop(Duration grace) override { static_cast<void>(grace); }
    void answer(const api::AccessEvent& event) { m_sink->onEvent(event); }
    void measure(); // One frame with the hash that runs.

    std::string hash;
    std::string refusal; // Not empty: every document is refused with these words.
    std::string runsInstead; // Not empty: it acknowledges, and runs this hash.

private:
    std::string m_node;
    api::EventSink* m_sink = nullptr;
    std::uint64_t m_last = 0;
    std::uint64_t m_sequence = 0;
};

// What a session was asked to do, and what the test lets it hear.
struct ToldFleet
{
    std::vector<fleet::RolloutRequest> requests;
    fleet::RolloutRunner::Callbacks callbacks;
    std::vector<std::string> commands; // "hold", "stop", …
    std::vector<fleet::ReviewFinding> findings; // Of every review.
    std::vector<fleet::RequestSample> samples; // That the last review was given.
    int resumed = 0;

    // Review and runner are the test's.
    [[nodiscard]] bridge::RolloutOptions options();
    void tell(const fleet::Rollout& rollout) const { callbacks.onChange(rollout); }
};

// A session over kFleetMesh with three running nodes.
struct ToldMesh
{
    bridge::MeshSession session;
    std::vector<ToldEngine*> engines; // edge-1, vm-1, vm-2.

    explicit ToldMesh(const QString& path = {});
    void replace(const QString& was, const QString& becomes); // In the draft.
};

// Revision 43 after 42 on the three nodes: canary vm-1, then the others.
[[nodiscard]] fleet::Rollout rolloutSample();

} // namespace mesh::test
