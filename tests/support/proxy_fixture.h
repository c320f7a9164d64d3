#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/http/server.h"
#include "proxyengine/proxy/local_engine.h"
#include "tests/support/loopback.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

// A real engine on loopback with origins on the test's own loop.
namespace mesh::test {

// Keeps every event; the engine's thread pushes, the test pops.
class EventBox final : public api::EventSink
{
public:
    void onEvent(const api::Event& event) override { static_cast<void>(m_box.push(event)); }
    void takeAll()
    {
        while (auto event = m_box.pop()) {
            events.push_back(*std::move(event));
        }
    }
    template <typename T, typename Condition>
    bool has(const Condition& condition)
    {
        takeAll();
        for (const api::Event& event : events) {
            if (const T* found = std::get_if<T>(&event); found != nullptr && condition(*found)) {
                return true;
            }
        }
        return false;
    }
    std::vector<api::Event> events;

private:
    Mailbox<api::Event> m_box{100'000, {}};
};

struct ProxyFixture
{
    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    EventBox box;
    std::unique_ptr<api::Engine> engine;
    net::SocketAddress proxy;

    api::EngineOptions options; // Looked at by start().
    proxy::Timeouts timeouts;
    std::vector<net::SocketAddress> proxies; // In the order of options.proxyListen.
    std::vector<net::SocketAddress> streams; // In the order of options.streamListen.

    // Starts an engine, with one plain gateway listener unless the options have others.
    bool start(int workers = 1)
    {
        options.workers = workers;
        options.seed = Seed{7};
        if (options.proxyListen.empty()) {
            options.proxyListen.push_back({"127.0.0.1:0", false, false});
        }
        auto made = proxy::makeLocalEngine(options, timeouts);
        if (!made) {
            return false;
        }
        engine = *std::move(made);
        engine->subscribe(box);
        return runUntil(*loop, [&] {
            return box.has<api::StateEvent>([&](const api::StateEvent& state) {
                if (state.listeners.empty()) {
                    return false;
                }
                takeAddresses(state);
                return true;
            });
        });
    }

    void takeAddresses(const api::StateEvent& state)
    {
        proxies.clear();
        streams.clear();
        for (const auto& listener : state.listeners) {
            (listener.name == "stream" ? streams : proxies)
                .push_back(*net::SocketAddress::parse(listener.address));
        }
        proxy = proxies.front();
    }

    // Applies the text and waits for the answer; the message of a refusal, or "".
    std::string apply(const std::string& yaml)
    {
        config::DecodeResult decoded = config::decode(yaml);
        if (config::hasErrors(decoded.problems)) {
            return decoded.problems.front().message;
        }
        const auto id = engine->submit(api::ApplyDocument{
            std::make_shared<const model::Document>(std::move(decoded.document))});
        std::string message = "no answer";
        runUntil(*loop, [&] {
            return id && box.has<api::CommandDone>([&](const api::CommandDone& done) {
                if (done.id != *id) {
                    return false;
                }
                message = done.result ? std::string() : done.result.error().message;
                return true;
            });
        });
        return message;
    }

    std::unique_ptr<http::Server> serve(http::RequestFunction function)
    {
        http::ServerOptions plain;
        return *http::Server::listen(
            *loop, net::SocketAddress::loopback(0), plain, std::move(function)
        );
    }

    // Sends the bytes and waits until `expected` was said; everything that was heard.
    std::string talk(std::string_view bytes, std::string_view expected)
    {
        RawSocket client(proxy);
        client.send(*loop, bytes);
        client.waitFor(*loop, expected);
        return client.heard();
    }

    ~ProxyFixture()
    {
        if (engine != nullptr) {
            engine->stop(Duration::zero());
        }
    }
};

inline std::string serviceYaml(
    const std::vector<net::SocketAddress>& targets,
    std::string_view checks = "",
    int readTimeout = 60000
)
{
    std::string yaml = fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: pool\n  path: /base\n"
        "  read_timeout: {}\n  routes:\n  - {{name: all, paths: [\"/api\"]}}\n"
        "  - {{name: plain, paths: [\"/keep\"], strip_path: false, preserve_host: true}}\n"
        "upstreams:\n- name: pool\n{}  targets:\n",
        readTimeout,
        checks
    );
    for (const net::SocketAddress& target : targets) {
        yaml += fmt::format("  - {{target: \"{}\"}}\n", target.toText());
    }
    return yaml;
}

} // namespace mesh::test
