#include "proxyengine/proxy/local_engine.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/proxy/engine_core.h"

#include <atomic>
#include <csignal>
#include <utility>

namespace mesh::proxy {
namespace {

// The door: any thread's calls become messages to the control thread.
class LocalEngine final : public api::Engine
{
public:
    explicit LocalEngine(std::unique_ptr<EngineCore> core)
        : m_core(std::move(core))
    {
        m_thread = Thread("engine", [this] {
            m_core->begin();
            m_core->loop().run();
        });
    }
    LocalEngine(const LocalEngine&) = delete;
    LocalEngine& operator=(const LocalEngine&) = delete;
    ~LocalEngine() override { stop(Duration::zero()); }

    Result<CommandId> submit(api::Command command) override
    {
        if (m_waiting.fetch_add(1) >= kEngineCommandsMax) {
            m_waiting.fetch_sub(1);
            return fail(ErrorCode::Overloaded, "too many commands are waiting");
        }
        const CommandId id(m_nextId.fetch_add(1));
        auto posted = m_core->loop().post([this, id, command = std::move(command)]() mutable {
            m_waiting.fetch_sub(1);
            m_core->execute(id, std::move(command));
        });
        if (!posted) {
            m_waiting.fetch_sub(1);
            return tl::unexpected(std::move(posted).error());
        }
        return id;
    }

    void subscribe(api::EventSink& sink) override
    {
        static_cast<void>(m_core->loop().post([this, &sink] { m_core->subscribe(sink); }));
    }

    void stop(Duration grace) override
    {
        if (m_isStopped.exchange(true)) {
            return;
        }
        while (!m_core->loop().post([this, grace] { m_core->stop(grace); })) {
        }
        m_thread.join();
    }

private:
    std::unique_ptr<EngineCore> m_core;
    std::atomic<std::uint64_t> m_nextId{1};
    std::atomic<std::size_t> m_waiting{0};
    std::atomic<bool> m_isStopped{false};
    Thread m_thread;
};

} // namespace

Result<std::unique_ptr<api::Engine>> makeLocalEngine(api::EngineOptions options)
{
    return makeLocalEngine(std::move(options), Timeouts{});
}

Result<std::unique_ptr<api::Engine>> makeLocalEngine(
    api::EngineOptions options, const Timeouts& timeouts
)
{
    // OpenSSL writes to sockets without MSG_NOSIGNAL: a client that went must not end the process.
    static_cast<void>(::signal(SIGPIPE, SIG_IGN));
    MESH_TRY(auto core, EngineCore::make(std::move(options), timeouts));
    return std::make_unique<LocalEngine>(std::move(core));
}

} // namespace mesh::proxy
