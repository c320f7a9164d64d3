#pragma once

#include "tests/support/load_client.h"
#include "tests/support/misbehaving_server.h"
#include "tests/support/proxy_fixture.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// A real engine in front of servers that can misbehave.
namespace mesh::test {

struct PolicyFixture : ProxyFixture
{
    std::vector<std::unique_ptr<MisbehavingServer>> servers;

    // Adds servers named s0, s1, ... and starts the engine when it does not run.
    bool begin(std::size_t count, int workers = 1)
    {
        while (servers.size() < count) {
            servers.push_back(std::make_unique<MisbehavingServer>(fmt::format("s{}", servers.size())
            ));
        }
        return engine != nullptr || start(workers);
    }

    // Indented lines of an upstream's targets; `tags` by target, "zone:a, version:v1".
    [[nodiscard]] std::string targetsYaml(
        std::size_t first, std::size_t count, const std::vector<std::string>& tags = {}
    ) const
    {
        std::string yaml = "  targets:\n";
        for (std::size_t at = first; at < first + count; ++at) {
            yaml += fmt::format(
                "  - {{target: \"{}\", tags: [{}]}}\n",
                servers[at]->address().toText(),
                at - first < tags.size() ? tags[at - first] : std::string()
            );
        }
        return yaml;
    }

    // One service `web` at every path, in front of all servers. Both texts are whole lines in the
    // place of a field: "  resilience: {...}\n".
    [[nodiscard]] std::string webYaml(
        std::string_view ofService,
        std::string_view ofUpstream,
        const std::vector<std::string>& tags = {}
    ) const
    {
        return fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n{}"
            "  routes:\n  - {{name: all, paths: [/]}}\nupstreams:\n- name: pool\n{}{}",
            ofService,
            ofUpstream,
            targetsYaml(0, servers.size(), tags)
        );
    }

    LoadPlan plan(std::size_t requests, std::size_t connections = 8)
    {
        LoadPlan out;
        out.address = proxy;
        out.requests = requests;
        out.connections = connections;
        return out;
    }
    LoadReport load(std::size_t requests, std::size_t connections = 8)
    {
        return runLoad(*loop, plan(requests, connections));
    }
    LoadAnswer ask(
        std::string_view path = "/",
        std::string_view moreFields = {},
        std::string_view body = {},
        std::string_view method = "GET"
    )
    {
        return test::ask(*loop, proxy, path, moreFields, body, method);
    }

    [[nodiscard]] std::vector<std::uint64_t> requestsByServer() const
    {
        std::vector<std::uint64_t> counts;
        for (const auto& server : servers) {
            counts.push_back(server->requests());
        }
        return counts;
    }
    [[nodiscard]] std::string target(std::size_t server) const
    {
        return fmt::format("target:pool/{}", servers[server]->address().toText());
    }

    // Waits for a policy event; its reason, or nullopt.
    std::optional<std::string> policyEvent(std::string_view kind, std::string_view subject)
    {
        std::optional<std::string> reason;
        runUntil(*loop, [&] {
            return box.has<api::PolicyEvent>([&](const api::PolicyEvent& event) {
                if (event.kind == kind && event.subject == subject) {
                    reason = event.reason;
                }
                return reason.has_value();
            });
        });
        return reason;
    }
    bool hasPolicyEvent(std::string_view kind)
    {
        return box.has<api::PolicyEvent>([kind](const api::PolicyEvent& event) {
            return event.kind == kind;
        });
    }
    // All that the frames until now have counted.
    std::uint64_t policyCount(std::string_view kind, std::string_view subject)
    {
        box.takeAll();
        std::uint64_t count = 0;
        for (const api::Event& event : box.events) {
            if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                for (const telemetry::PolicyCount& row : stats->frame->policy) {
                    count += row.kind == kind && row.subject == subject ? row.count : 0;
                }
            }
        }
        return count;
    }
    bool waitForCount(std::string_view kind, std::string_view subject, std::uint64_t expected)
    {
        return runUntil(*loop, [&] { return policyCount(kind, subject) == expected; });
    }
    // Every policy event until now, for a failing test.
    std::string told()
    {
        box.takeAll();
        std::string text;
        for (const api::Event& event : box.events) {
            if (const auto* policy = std::get_if<api::PolicyEvent>(&event)) {
                text += fmt::format("{} {}: {}\n", policy->kind, policy->subject, policy->reason);
            }
        }
        return text;
    }
};

} // namespace mesh::test
