#pragma once

#include "proxyengine/api/command.h"
#include "proxyengine/api/event.h"
#include "proxyengine/base/error.h"

#include <memory>

namespace mesh::api {

// Receives events on the engine's own thread; must not block it.
class EventSink
{
public:
    EventSink() = default;
    EventSink(const EventSink&) = delete;
    EventSink& operator=(const EventSink&) = delete;
    virtual ~EventSink() = default;

    virtual void onEvent(const Event& event) = 0;
};

// A running proxy, in this process or behind a control socket.
//
// Threads: any; nothing here blocks but stop(). Events arrive in order, on the engine's own thread.
// Lifetime: the sink must outlive the engine; after stop() has returned no event arrives.
class Engine
{
public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    // Every accepted command is answered by exactly one CommandDone event that carries the same id.
    // Errors: Overloaded when kEngineCommandsMax are waiting.
    [[nodiscard]] virtual Result<CommandId> submit(Command command) = 0;
    virtual void subscribe(EventSink& sink) = 0; // One full state event, then all that happens.
    virtual void stop(Duration grace) = 0; // Drains for at most `grace`, then closes.
};

} // namespace mesh::api
