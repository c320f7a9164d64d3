#include "app/ctl/tap_command.h"

#include "app/ctl/node_watch.h"
#include "app/ctl/tap_filter.h"
#include "app/ctl/text_table.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/log.h"
#include "proxyengine/control/event_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mesh::ctl {
namespace {

constexpr Duration kInterruptLatency = std::chrono::milliseconds(100); // Ctrl+C is seen within.
constexpr Duration kFirstAnswerMax = std::chrono::seconds(10);

std::string lineOf(const api::AccessEvent& request, Colour colour)
{
    const bool isFailure = request.status == 0 || request.status >= 500;
    const Mood mood = isFailure ? Mood::Bad : (request.status >= 400 ? Mood::Warned : Mood::Good);
    std::string text = fmt::format(
        "{} {} {:>8.1f} ms  {:<6} {}{}  {}{}{}",
        toIsoText(request.time),
        coloured(request.status == 0 ? "---" : std::to_string(request.status), mood, colour),
        request.latencyTotal_ms,
        request.method,
        request.host,
        request.path,
        request.route.empty() ? "(no route)" : request.route,
        request.service.empty() || request.service == request.route ? "" : "/" + request.service,
        request.target.empty() ? "" : " -> " + request.target
    );
    if (request.attempts > 1) {
        text += fmt::format("  {} attempts", request.attempts);
    }
    if (!request.failure.empty()) {
        text += fmt::format("  {}", request.failure);
    }
    return text;
}

class Tap
{
public:
    Tap(const TapOptions& options, const Surroundings& around, TapFilter filter, Duration last)
        : m_options(options)
        , m_around(around)
        , m_filter(std::move(filter))
        , m_end(last == Duration{} ? TimePoint::max() : around.clock().now() + last)
    {}

    int follow(const NodeTarget& node)
    {
        NodeWatch watch(m_around.clock(), {node}, m_options.credentials, NodeWatch::Wish::Requests);
        while (!isOver()) {
            const TimePoint turn = m_around.clock().now() + kInterruptLatency;
            const auto news = watch.next(std::min(turn, m_end));
            if (!news) {
                m_around.flush();
                continue;
            }
            if (const auto* request = std::get_if<api::AccessEvent>(&news->event)) {
                show(*request);
            } else if (const auto* state = std::get_if<api::StateEvent>(&news->event)) {
                if (!onState(node, state->state)) {
                    return kUnreachable;
                }
            }
        }
        if (watch.lost() > 0) {
            m_around.output.err +=
                fmt::format("{} events came faster than they could be shown\n", watch.lost());
        }
        return m_options.count && m_shown < *m_options.count && !m_wasInterrupted ? kNo : kDone;
    }

private:
    bool isOver()
    {
        m_wasInterrupted = m_around.isInterrupted();
        return m_wasInterrupted || (m_options.count && m_shown >= *m_options.count)
               || m_around.clock().now() >= m_end;
    }

    // False: the node was never there.
    bool onState(const NodeTarget& node, api::EngineState state)
    {
        if (state == api::EngineState::Starting && !m_isConnected) {
            return true; // Before the first answer.
        }
        const bool isThere = state != api::EngineState::Unreachable;
        if (!isThere && m_isConnected) {
            m_around.output.err += fmt::format("{}: lost; it is tried again\n", node.name);
        } else if (isThere && m_wasLost) {
            m_around.output.err += fmt::format("{}: there again\n", node.name);
        }
        m_wasLost = !isThere;
        m_isConnected = m_isConnected || isThere;
        m_around.flush();
        return m_isConnected;
    }

    void show(const api::AccessEvent& request)
    {
        if (!m_filter.matches(request)) {
            return;
        }
        ++m_shown;
        m_around.output.out +=
            m_around.isJson() ? control::toJsonLine(request, request.time) : printableLine(request);
        m_around.output.out += '\n';
        m_around.flush();
    }

    [[nodiscard]] std::string printableLine(const api::AccessEvent& request) const
    {
        api::AccessEvent safe = request; // Paths and hosts are whatever a client sent.
        for (std::string* text :
             {&safe.method,
              &safe.host,
              &safe.path,
              &safe.route,
              &safe.service,
              &safe.target,
              &safe.failure}) {
            *text = printable(*text);
        }
        return lineOf(safe, m_around.setting.colour);
    }

    const TapOptions& m_options;
    const Surroundings& m_around;
    const TapFilter m_filter;
    const TimePoint m_end;
    std::size_t m_shown = 0;
    bool m_isConnected = false;
    bool m_wasLost = false;
    bool m_wasInterrupted = false;
};

} // namespace

int runTap(const TapOptions& options, const Surroundings& around)
{
    auto filter = TapFilter::parse(fmt::format("{}", fmt::join(options.filter, " ")));
    if (!filter) {
        return failed(around, filter.error(), kUsage);
    }
    const auto last =
        options.last.empty() ? Result<Duration>(Duration{}) : parseDuration(options.last);
    if (!last) {
        return failed(around, last.error(), kUsage);
    }
    const auto node = resolveNode(nullptr, options.node);
    if (!node) {
        return failed(around, node.error(), kUsage);
    }
    setLogLevel(LogLevel::Off); // Losses are told in our own words.
    const auto reached =
        askNode(around.clock(), *node, options.credentials, {"GET", "/", {}, {}, kFirstAnswerMax});
    if (!reached) {
        return failed(around, reached.error(), exitCodeOfNode(reached.error()));
    }
    const int code = Tap(options, around, *std::move(filter), *last).follow(*node);
    return code == kUnreachable ? failed(
               around, ErrorCode::Unavailable, node->name + ": its events cannot be read", code
           )
                                : code;
}

} // namespace mesh::ctl
