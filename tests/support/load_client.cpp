#include "tests/support/load_client.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/net/sockets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>

namespace mesh::test {
namespace {

bool isSameName(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

enum class Reading { More, Whole, Broken };

// One answer as it comes in.
class AnswerReader
{
public:
    explicit AnswerReader(LoadAnswer& answer, bool hasBody)
        : m_answer(answer)
        , m_hasBody(hasBody)
    {}

    // Consumes what belongs to the answer.
    Reading take(std::string& bytes)
    {
        while (m_answer.status == 0) {
            const std::size_t end = bytes.find("\r\n\r\n");
            if (end == std::string::npos) {
                return bytes.size() > 8 && !bytes.starts_with("HTTP/1.1 ") ? Reading::Broken
                                                                           : Reading::More;
            }
            m_answer.head = bytes.substr(0, end + 2);
            bytes.erase(0, end + 4);
            if (!m_answer.head.starts_with("HTTP/1.1 ") || m_answer.head.size() < 14) {
                return Reading::Broken;
            }
            std::from_chars(m_answer.head.data() + 9, m_answer.head.data() + 12, m_answer.status);
            m_answer.status = m_answer.status == 100 ? 0 : m_answer.status;
        }
        if (!m_hasBody || m_answer.status == 204 || m_answer.status == 304) {
            return Reading::Whole;
        }
        return isSameName(m_answer.header("transfer-encoding"), "chunked") ? takeChunks(bytes)
                                                                           : takeLength(bytes);
    }
    // Whether the end of the connection is the end of the answer.
    [[nodiscard]] bool endsWithConnection() const
    {
        return m_answer.status != 0 && m_answer.header("content-length").empty()
               && m_answer.header("transfer-encoding").empty();
    }

private:
    Reading takeLength(std::string& bytes)
    {
        const std::string length = m_answer.header("content-length");
        if (length.empty()) {
            m_answer.body += std::exchange(bytes, {});
            return Reading::More;
        }
        const std::size_t missing = std::stoul(length) - m_answer.body.size();
        const std::size_t now = std::min(missing, bytes.size());
        m_answer.body.append(bytes, 0, now);
        bytes.erase(0, now);
        return now == missing ? Reading::Whole : Reading::More;
    }

    Reading takeChunks(std::string& bytes)
    {
        for (;;) {
            const std::size_t end = bytes.find("\r\n");
            if (end == std::string::npos) {
                return Reading::More;
            }
            std::size_t size = 0;
            const auto read = std::from_chars(bytes.data(), bytes.data() + end, size, 16);
            if (read.ec != std::errc()) {
                return Reading::Broken;
            }
            if (bytes.size() < end + 2 + size + 2) {
                return Reading::More;
            }
            m_answer.body.append(bytes, end + 2, size);
            bytes.erase(0, end + 2 + size + 2);
            if (size == 0) {
                return Reading::Whole;
            }
        }
    }

    LoadAnswer& m_answer;
    bool m_hasBody;
};

struct Shared
{
    const LoadPlan& plan;
    LoadReport& report;
    std::size_t next = 0; // Request to send.
    std::size_t ended = 0;
};

// One connection, made anew when the server ends it.
class Client final : public net::FdHandler
{
public:
    Client(net::EventLoop& loop, Shared& shared)
        : m_loop(loop)
        , m_shared(shared)
    {}
    ~Client() { m_loop.forget(*this); }

    void startNext()
    {
        if (m_shared.next == m_shared.plan.requests) {
            m_reader.reset();
            return;
        }
        m_at = m_shared.next++;
        const LoadPlan& plan = m_shared.plan;
        m_out = plan.request ? plan.request(m_at)
                             : fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", plan.path);
        m_reader = std::make_unique<AnswerReader>(answer(), !m_out.starts_with("HEAD "));
        m_startedAt = m_loop.clock().now();
        if (m_socket.isOpen()) {
            write();
        } else {
            connect();
        }
    }

private:
    LoadAnswer& answer() { return m_shared.report.answers[m_at]; }

    void connect()
    {
        m_in.clear();
        auto made = net::connectTo(m_shared.plan.address);
        if (!made) {
            end(Reading::Broken);
            return;
        }
        m_socket = *std::move(made);
        static_cast<void>(m_loop.watch(m_socket.get(), *this));
    }

    void write()
    {
        while (!m_out.empty()) {
            const net::IoStep step = net::writeSome(m_socket.get(), m_out);
            if (step.status != net::IoStatus::Done) {
                return; // What failed is met again by reading.
            }
            m_out.erase(0, step.count);
        }
    }

    void onReady(net::Ready ready) override
    {
        bool hasEnded = false;
        std::array<char, 65536> buffer;
        while (ready.canRead() && !hasEnded) {
            const net::IoStep step = net::readSome(m_socket.get(), buffer);
            if (step.status == net::IoStatus::WouldBlock) {
                break;
            }
            hasEnded = step.status != net::IoStatus::Done;
            m_in.append(buffer.data(), step.count);
        }
        if (m_reader == nullptr) {
            if (hasEnded) {
                close();
            }
            return;
        }
        if (ready.canWrite() && !hasEnded) {
            write();
        }
        Reading reading = m_reader->take(m_in);
        if (reading == Reading::More && hasEnded) {
            reading = m_reader->endsWithConnection() ? Reading::Whole : Reading::Broken;
        }
        if (hasEnded || isSameName(answer().header("connection"), "close")) {
            if (reading != Reading::More) {
                close();
            }
        }
        if (reading != Reading::More) {
            end(reading);
        }
    }

    void end(Reading reading)
    {
        if (reading == Reading::Broken) {
            close();
        }
        answer().isWhole = reading == Reading::Whole;
        answer().took = m_loop.clock().now() - m_startedAt;
        ++m_shared.ended;
        startNext();
    }

    void close()
    {
        m_loop.forget(*this);
        m_socket.reset();
    }

    net::EventLoop& m_loop;
    Shared& m_shared;
    FileDescriptor m_socket;
    std::unique_ptr<AnswerReader> m_reader; // Null: nothing is awaited.
    std::string m_in;
    std::string m_out;
    std::size_t m_at = 0;
    TimePoint m_startedAt{};
};

} // namespace

std::string LoadAnswer::header(std::string_view name) const
{
    std::size_t at = head.find("\r\n");
    while (at != std::string::npos && at + 2 < head.size()) {
        at += 2;
        const std::size_t end = head.find("\r\n", at);
        const std::string_view field = std::string_view(head).substr(at, end - at);
        const std::size_t colon = field.find(':');
        if (colon != std::string_view::npos && isSameName(field.substr(0, colon), name)) {
            std::string_view value = field.substr(colon + 1);
            while (value.starts_with(' ')) {
                value.remove_prefix(1);
            }
            return std::string(value);
        }
        at = end;
    }
    return {};
}

std::size_t LoadReport::good() const
{
    return static_cast<std::size_t>(std::ranges::count_if(answers, &LoadAnswer::isGood));
}

double LoadReport::goodShare() const
{
    return static_cast<double>(good()) / static_cast<double>(answers.size());
}

std::size_t LoadReport::count(int status) const
{
    return static_cast<std::size_t>(std::ranges::count_if(answers, [status](const LoadAnswer& one) {
        return one.isWhole && one.status == status;
    }));
}

std::size_t LoadReport::count(std::string_view header, std::string_view value) const
{
    return static_cast<std::size_t>(std::ranges::count_if(
        answers, [header, value](const LoadAnswer& one) { return one.header(header) == value; }
    ));
}

Duration LoadReport::slowest() const
{
    const auto found = std::ranges::max_element(answers, {}, &LoadAnswer::took);
    return found == answers.end() ? Duration::zero() : found->took;
}

std::string LoadReport::summary() const
{
    std::map<std::string, int> counts;
    for (const LoadAnswer& one : answers) {
        ++counts
            [one.status == 0 ? std::string("none")
                             : fmt::format("{}{}", one.isWhole ? "" : "broken ", one.status)];
    }
    std::string text;
    for (const auto& [what, count] : counts) {
        text += fmt::format("{}: {}, ", what, count);
    }
    const auto inMs = [](Duration time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    };
    return text + fmt::format("slowest {} ms, all {} ms", inMs(slowest()), inMs(took));
}

LoadReport runLoad(net::EventLoop& loop, const LoadPlan& plan)
{
    LoadReport report;
    report.answers.resize(plan.requests);
    Shared shared{plan, report};
    const TimePoint began = loop.clock().now();
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t at = 0; at < plan.connections; ++at) {
        clients.push_back(std::make_unique<Client>(loop, shared));
        clients.back()->startNext();
    }
    while (shared.ended < plan.requests && loop.clock().now() - began < plan.patience) {
        loop.runTurn(std::chrono::milliseconds(5));
    }
    report.took = loop.clock().now() - began;
    return report;
}

LoadAnswer ask(
    net::EventLoop& loop,
    const net::SocketAddress& address,
    std::string_view path,
    std::string_view moreFields,
    std::string_view body,
    std::string_view method
)
{
    LoadPlan plan;
    plan.address = address;
    plan.connections = 1;
    plan.requests = 1;
    plan.patience = std::chrono::seconds(10);
    const std::string bytes = fmt::format(
        "{} {} HTTP/1.1\r\nHost: a\r\n{}{}\r\n{}",
        method,
        path,
        moreFields,
        body.empty() ? std::string() : fmt::format("Content-Length: {}\r\n", body.size()),
        body
    );
    plan.request = [&bytes](std::size_t) { return bytes; };
    return runLoad(loop, plan).answers.front();
}

} // namespace mesh::test
