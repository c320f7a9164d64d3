#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/mailbox.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace mesh::test {

// An api::Engine without a proxy: keeps the commands it was given, and says what the test tells it
// to say.
//
// Threads: submit() any; the rest the test's. Sinks are called on the thread that tells.
class ManualEngine final : public api::Engine
{
public:
    enum class Answers : std::uint8_t {
        ByHand, // The test takes commands and tells CommandDone.
        AtOnce, // Every command succeeds inside submit(); a document's hash is its real one.
    };

    explicit ManualEngine(Answers answers = Answers::ByHand);

    [[nodiscard]] Result<CommandId> submit(api::Command command) override;
    void subscribe(api::EventSink& sink) override;
    void stop(Duration grace) override;

    // The oldest command nobody has taken yet.
    [[nodiscard]] std::optional<std::pair<CommandId, api::Command>> takeCommand();
    void tell(const api::Event& event);
    // What subscribers are told first; set before they subscribe.
    void setState(api::StateEvent state) { m_state = std::move(state); }
    [[nodiscard]] bool isStopped() const { return m_isStopped; }

private:
    const Answers m_answers;
    std::atomic<std::uint64_t> m_lastId{0};
    std::atomic<bool> m_isStopped{false};
    Mailbox<std::pair<CommandId, api::Command>> m_commands;
    api::StateEvent m_state;
    std::vector<api::EventSink*> m_sinks;
};

} // namespace mesh::test
