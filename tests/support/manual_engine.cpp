#include "tests/support/manual_engine.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"

namespace mesh::test {

ManualEngine::ManualEngine(Answers answers)
    : m_answers(answers)
    , m_commands(kEngineCommandsMax, {})
{}

Result<CommandId> ManualEngine::submit(api::Command command)
{
    const CommandId id(m_lastId.fetch_add(1) + 1);
    std::string hash;
    if (const auto* apply = std::get_if<api::ApplyDocument>(&command)) {
        hash = config::hashOf(*apply->document);
    }
    MESH_TRY_VOID(m_commands.push({id, std::move(command)}));
    if (m_answers == Answers::AtOnce) {
        tell(api::CommandDone{id, api::Applied{hash}, {}});
    }
    return id;
}

void ManualEngine::subscribe(api::EventSink& sink)
{
    m_sinks.push_back(&sink);
    sink.onEvent(m_state);
}

void ManualEngine::stop(Duration /*grace*/) { m_isStopped = true; }

std::optional<std::pair<CommandId, api::Command>> ManualEngine::takeCommand()
{
    return m_commands.pop();
}

void ManualEngine::tell(const api::Event& event)
{
    for (api::EventSink* sink : m_sinks) {
        sink->onEvent(event);
    }
}

} // namespace mesh::test
