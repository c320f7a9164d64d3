#pragma once

#include "app/bridge/node_reads.h"
#include "app/fleet/node_link.h"
#include "proxyengine/api/command.h"
#include "proxyengine/api/event.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/base/time.h"

#include <QObject>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mesh::bridge {

// The engines of a session as links of a push: commands go to the engines, answers come from their
// events.
//
// An engine in this process has no question for "what do you run?"; it says so in every frame. A
// hash is therefore read from a frame that was measured after the question, never remembered.
// Threads: links any; everything else the thread that made this, on which engines are asked.
// Lifetime: close() and the destructor answer all that waits with Unreachable; links that are left
// answer so at once.
class EngineLinks : public QObject
{
    Q_OBJECT

public:
    struct Door
    {
        // Errors: NotFound for an engine that is gone.
        std::function<Result<CommandId>(const std::string& node, api::Command)> submit;
        // The document of a hash that this session has sent or run; null: unknown.
        std::function<std::shared_ptr<const model::Document>(const std::string& hash)> documentOf;
        std::function<WallTime()> now;
    };
    explicit EngineLinks(Door door);
    ~EngineLinks() override;

    [[nodiscard]] std::shared_ptr<fleet::NodeLink> link(const std::string& node, NodeReads reads);
    void close();

    // From the engines' events.
    void onDone(const std::string& node, const api::CommandDone& done);
    void onFrame(const std::string& node, const std::string& hash, WallTime end);
    void onUnreachable(const std::string& node);

private:
    class Core;
    class Link;
    struct Ask;
    void drain();
    void begin(std::int64_t id, const Ask& ask);
    void read(std::int64_t id, const Ask& ask);
    void reap();

    Door m_door;
    std::shared_ptr<Core> m_core;
    std::map<std::int64_t, Thread> m_reads;
    std::map<std::string, std::string> m_hashes; // Last told by each node.
};

} // namespace mesh::bridge
