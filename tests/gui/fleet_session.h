#pragma once

#include "app/bridge/mesh_session.h"
#include "proxyengine/api/engine.h"
#include "proxyengine/telemetry/frame.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_engine.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace mesh::test {

// A session over a small fleet whose nodes the test speaks for.
struct FleetSession
{
    ManualClock clock;
    std::map<std::string, ManualEngine*> engines; // By node; those that are followed.
    std::unique_ptr<bridge::MeshSession> session;

    explicit FleetSession(const QString& document)
    {
        bridge::SessionOptions options;
        options.clock = &clock;
        options.evaluationInterval_ms = 20;
        options.nodeFollower =
            [this](const std::string& node, const std::string&) -> Result<bridge::FollowedNode> {
            auto engine = std::make_unique<ManualEngine>();
            engines[node] = engine.get();
            bridge::FollowedNode followed;
            followed.engine = std::move(engine);
            followed.reads.document = [this, node] { return Result<std::string>(running[node]); };
            return followed;
        };
        session = std::make_unique<bridge::MeshSession>(std::move(options));
        const auto imported = session->importText(document);
        if (!imported) {
            qWarning("%s", imported.error().message.c_str());
        }
    }

    std::map<std::string, std::string> running; // What nodes say they run, when they are asked.

    [[nodiscard]] std::string hash() const
    {
        return session->revisions().front().hash.toStdString();
    }

    // A second of measurements of a node that runs `hash`.
    void measure(const std::string& node, const std::string& hash, std::uint64_t requests = 20)
    {
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = node;
        frame->time = clock.wallNow();
        frame->interval = std::chrono::seconds(1);
        frame->hash = hash;
        frame->connections = 7;
        frame->memory = 58'000'000;
        frame->cpu = std::chrono::milliseconds(120);
        telemetry::RequestSeries series;
        series.source = node;
        series.service = "cart";
        series.route = "cart";
        series.answers[2] = requests;
        series.answers[5] = 1;
        frame->requests.push_back(std::move(series));
        telemetry::TargetHealth target;
        target.upstream = "cart";
        target.target = "10.0.0.1:7001";
        target.state = telemetry::TargetState::Unhealthy;
        target.reason = "3 connection failures in a row";
        frame->health.push_back(std::move(target));
        engines.at(node)->tell(api::StatsEvent{std::move(frame)});
    }

    [[nodiscard]] const bridge::NodeRow& node(const std::string& name) const
    {
        for (const bridge::NodeRow& row : session->nodes()) {
            if (row.name.toStdString() == name) {
                return row;
            }
        }
        static const bridge::NodeRow kNone;
        return kNone;
    }
};

// moc loses its way in a raw string that is the argument of a macro.
inline constexpr const char* kFleetText = R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a, admin: "http://10.0.0.1:8001"}
- {name: vm-2, role: sidecar, zone: a, admin: "http://10.0.0.2:8001"}
- {name: vm-10, role: sidecar, zone: b, admin: "http://10.0.0.10:8001"}
services:
- name: cart
  host: cart
  routes:
  - {name: cart, paths: [/cart]}
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001"}
)";
inline const QString kFleet = QString::fromUtf8(kFleetText);

} // namespace mesh::test
