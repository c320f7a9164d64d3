#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/control/admin_message.h"
#include "proxyengine/control/admin_server.h"
#include "proxyengine/telemetry/totals.h"
#include "proxyengine/tls/certificate.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh::control {

// What the admin API answers, without the sockets: requests and events in, answers out.
//
// Threads: one, the server's loop; events are brought there first.
// Security: loopback is reachable by any web page in the operator's browser, so a request is
//           refused when its Origin or Host is not loopback, or when the browser calls it
//           cross-site. Every change is logged as admin.requested with what asked for it.
class AdminApi
{
public:
    AdminApi(api::Engine& engine, const Clock& clock, AdminOptions options);

    void handle(const AdminRequest& request, AdminAnswer answer);
    void onEvent(const api::Event& event);
    // Applies a document and, once it runs, keeps it. `onDone` gets the engine's answer; a failure
    // to keep is logged and told as a problem without an error.
    void applyAndKeep(
        std::shared_ptr<const model::Document> document,
        std::function<void(const api::CommandDone&)> onDone,
        std::string onlyIfHash = {}
    );

    // What the admin API itself shows under TLS.
    void setAdminCertificate(tls::CertificateFacts facts) { m_adminCertificate = std::move(facts); }

    // For those who begin to listen: all that they missed.
    [[nodiscard]] const api::StateEvent& state() const { return m_state; }

private:
    struct Call
    {
        const AdminRequest& request;
        const AdminTarget& target;
        AdminAnswer& answer;

        [[nodiscard]] const std::string& segment(std::size_t index) const
        {
            return target.segments[index];
        }
    };
    struct Endpoint;
    using OnDone = std::function<void(const api::CommandDone&)>;

    [[nodiscard]] static const std::vector<Endpoint>& endpoints();
    void dispatch(const Call& call);
    void submit(api::Command command, OnDone onDone);

    void getNode(const Call& call);
    void getFacts(const Call& call);
    void getReady(const Call& call);
    void postMaintenance(const Call& call);
    void postUndrain(const Call& call);
    void setMaintenance(const Call& call, api::Maintenance maintenance);
    void postRouteTest(const Call& call);
    void getEffective(const Call& call);
    [[nodiscard]] std::shared_ptr<const config::Snapshot> testSnapshot();
    void getStatus(const Call& call);
    void getMetrics(const Call& call);
    void getConfig(const Call& call);
    void getConfigHash(const Call& call);
    void postConfig(const Call& call);
    void getList(const Call& call);
    void getEntity(const Call& call);
    void getChildren(const Call& call);
    void getHealth(const Call& call);
    void putTargetHealthy(const Call& call);
    void putTargetUnhealthy(const Call& call);
    void putTarget(const Call& call, api::HealthOverride health);
    void getEvents(const Call& call);
    void postDrain(const Call& call);
    void getLogLevel(const Call& call);
    void putLogLevel(const Call& call);

    [[nodiscard]] std::string upstreamNamed(const std::string& key) const;
    void remember(const telemetry::TargetHealth& health);

    api::Engine& m_engine;
    const Clock& m_clock;
    AdminOptions m_options;
    api::StateEvent m_state;
    std::optional<tls::CertificateFacts> m_adminCertificate;
    telemetry::Totals m_totals;
    std::shared_ptr<const model::Document> m_document; // What runs; null before the first.
    std::shared_ptr<const model::Document> m_testDocument; // Of m_testSnapshot.
    std::shared_ptr<const config::Snapshot> m_testSnapshot; // For route tests; made when asked.
    WallTime m_startedAt{};
    std::map<CommandId, OnDone> m_pending;
};

// {"message":...,"errors":[...]} of a refused configuration.
[[nodiscard]] AdminResponse refusalOf(const std::vector<config::Problem>& problems);

} // namespace mesh::control
