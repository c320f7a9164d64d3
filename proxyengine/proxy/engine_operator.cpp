#include "proxyengine/base/limits.h"
#include "proxyengine/proxy/engine_core.h"

#include <fmt/format.h>

#include <utility>

// What an operator asks of a node beside configurations.
namespace mesh::proxy {

void EngineCore::setTapHeaders(CommandId id, std::vector<std::string> names)
{
    if (names.size() > kTapHeadersMax) {
        done(
            id,
            fail(
                ErrorCode::LimitExceeded,
                fmt::format("at most {} headers can be captured", kTapHeadersMax)
            )
        );
        return;
    }
    const auto shared = std::make_shared<const std::vector<std::string>>(std::move(names));
    onEachWorker([shared](Worker& worker, std::size_t) { worker.setTapHeaders(shared); });
    done(id, api::Applied{m_snapshot->hash});
}

// Datagram listeners stay: they have no connections that could be refused.
std::vector<EngineCore::Bound*> EngineCore::pausable()
{
    std::vector<Bound*> found;
    for (auto& [key, bound] : m_bound) {
        const Listener& listener = *bound.listener;
        if (listener.kind == config::ListenerKind::Gateway && !listener.isUdp) {
            found.push_back(&bound);
        }
    }
    return found;
}

void EngineCore::setMaintenance(CommandId id, api::Maintenance maintenance)
{
    const bool isOn = maintenance == api::Maintenance::On;
    if (m_state != api::EngineState::Running) {
        done(id, fail(ErrorCode::Conflict, "the node is draining; start it again instead"));
        return;
    }
    if (isOn == m_isInMaintenance) {
        done(id, api::Applied{m_snapshot->hash});
        return;
    }
    if (auto changed = isOn ? pauseListeners() : resumeListeners(); !changed) {
        done(id, tl::unexpected(std::move(changed).error()));
        return;
    }
    m_isInMaintenance = isOn;
    emitPolicy(
        isOn ? "maintenance_begun" : "maintenance_ended", "node", "asked for by an operator"
    );
    done(id, api::Applied{m_snapshot->hash});
    emit(state());
}

Result<void> EngineCore::pauseListeners()
{
    for (const Bound* bound : pausable()) {
        onEachWorker([key = bound->listener->key](Worker& worker, std::size_t) {
            worker.removeListener(key);
        });
    }
    return {};
}

// All addresses or none: half a gateway would look like a whole one.
Result<void> EngineCore::resumeListeners()
{
    std::vector<std::pair<Bound*, Bound>> made;
    for (Bound* former : pausable()) {
        Listener listener = *former->listener;
        auto bound = bind(std::move(listener), former->address, m_listenersEver + made.size());
        if (!bound) {
            return fail(
                ErrorCode::Unavailable,
                fmt::format(
                    "{} cannot be listened on again: {}; still in maintenance",
                    former->address,
                    bound.error().message
                )
            );
        }
        made.emplace_back(former, *std::move(bound));
    }
    m_listenersEver += made.size();
    for (auto& [former, bound] : made) {
        *former = std::move(bound);
        handOver(*former);
    }
    return {};
}

} // namespace mesh::proxy
