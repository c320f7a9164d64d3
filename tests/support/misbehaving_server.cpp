#include "tests/support/misbehaving_server.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/sockets.h"

#include <fmt/format.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mesh::test {
namespace {

struct FaultName
{
    Fault fault;
    std::string_view name;
};

constexpr std::array kNames = {
    FaultName{Fault::None, "ok"},
    FaultName{Fault::Refuse, "refuse"},
    FaultName{Fault::ResetAtAccept, "reset-at-accept"},
    FaultName{Fault::ResetAtRequest, "reset-at-request"},
    FaultName{Fault::Hang, "hang"},
    FaultName{Fault::SlowHead, "slow-head"},
    FaultName{Fault::SlowBody, "slow-body"},
    FaultName{Fault::Unavailable, "unavailable"},
    FaultName{Fault::HalfUnavailable, "half-unavailable"},
    FaultName{Fault::RetryLater, "retry-later"},
    FaultName{Fault::LengthTooLong, "length-too-long"},
    FaultName{Fault::LengthTooShort, "length-too-short"},
    FaultName{Fault::CloseMidBody, "close-mid-body"},
    FaultName{Fault::Garbage, "garbage"},
};

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

// Bound to a free port, which stays ours while the server refuses.
FileDescriptor reservePort()
{
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
    const auto native = net::SocketAddress::loopback(0).toNative();
    MESH_ASSERT(::bind(socket.get(), native.get(), native.length) == 0);
    return socket;
}

// Takes one chunked body off the front. nullopt: not all of it has come.
std::optional<std::string> takeChunked(std::string& bytes)
{
    std::string body;
    std::size_t at = 0;
    for (;;) {
        const std::size_t end = bytes.find("\r\n", at);
        if (end == std::string::npos) {
            return std::nullopt;
        }
        std::size_t size = 0;
        std::from_chars(bytes.data() + at, bytes.data() + end, size, 16);
        at = end + 2;
        if (bytes.size() < at + size + 2) {
            return std::nullopt;
        }
        if (size == 0) { // No trailers are sent in these tests.
            bytes.erase(0, at + 2);
            return body;
        }
        body.append(bytes, at, size);
        at += size + 2;
    }
}

ReceivedRequest readHead(std::string_view head)
{
    ReceivedRequest request;
    const std::size_t lineEnd = head.find("\r\n");
    const std::string_view line = head.substr(0, lineEnd);
    request.method = line.substr(0, line.find(' '));
    const std::size_t target = line.find(' ') + 1;
    request.target = line.substr(target, line.rfind(' ') - target);
    std::size_t at = lineEnd;
    while (at != std::string_view::npos && at + 2 < head.size()) {
        at += 2;
        const std::size_t end = head.find("\r\n", at);
        const std::string_view field = head.substr(at, end - at);
        const std::size_t colon = field.find(':');
        if (colon != std::string_view::npos) {
            std::string_view value = field.substr(colon + 1);
            while (value.starts_with(' ')) {
                value.remove_prefix(1);
            }
            request.headers.emplace_back(lower(field.substr(0, colon)), value);
        }
        at = end;
    }
    return request;
}

// What stands in the answer's head for a body of this size.
std::string makeHead(
    const Behaviour& behaviour,
    std::string_view name,
    int status,
    std::string_view length,
    std::size_t got
)
{
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nX-Server: {}\r\nX-Got: {}\r\n{}\r\n",
        status,
        status < 400 ? "OK" : "Wrong",
        name,
        got,
        length
    );
    for (const auto& [field, value] : behaviour.headers) {
        head += fmt::format("{}: {}\r\n", field, value);
    }
    head += "\r\n";
    return head;
}

std::string lengthField(std::size_t bytes) { return fmt::format("Content-Length: {}", bytes); }

} // namespace

std::optional<Fault> parseFault(std::string_view text)
{
    const auto found = std::ranges::find(kNames, text, &FaultName::name);
    return found == kNames.end() ? std::nullopt : std::optional(found->fault);
}

std::string_view toText(Fault fault)
{
    return std::ranges::find(kNames, fault, &FaultName::fault)->name;
}

std::string ReceivedRequest::header(std::string_view lowerName) const
{
    for (const auto& [name, value] : headers) {
        if (name == lowerName) {
            return value;
        }
    }
    return {};
}

// One connection.
class MisbehavingServer::Line final
    : public net::FdHandler
    , public net::TimerHandler
{
public:
    Line(MisbehavingServer& server, FileDescriptor socket)
        : m_server(server)
        , m_socket(std::move(socket))
        , m_timer(server.m_loop->timers(), *this)
    {
        ++m_server.m_open;
    }
    ~Line() { --m_server.m_open; }
    void begin() { static_cast<void>(m_server.m_loop->watch(m_socket.get(), *this)); }

    void close()
    {
        if (m_isAnswering) {
            ++m_server.m_abandoned;
        }
        m_server.m_loop->forget(*this);
        m_socket.reset();
        auto& lines = m_server.m_lines;
        const auto self = std::ranges::find(lines, this, &std::unique_ptr<Line>::get);
        m_server.m_loop->destroyLater(std::move(*self));
        lines.erase(self);
    }
    void reset()
    {
        m_isAnswering = false; // It is us who ends.
        net::setResetOnClose(m_socket.get());
        close();
    }

private:
    void onReady(net::Ready ready) override
    {
        std::array<char, 65536> buffer;
        while (ready.canRead()) {
            const net::IoStep step = net::readSome(m_socket.get(), buffer);
            if (step.status == net::IoStatus::Closed || step.status == net::IoStatus::Failed) {
                close();
                return;
            }
            if (step.status != net::IoStatus::Done) {
                break;
            }
            m_in.append(buffer.data(), step.count);
        }
        if (!m_isAnswering) {
            readRequest();
        } else if (!m_isWaiting) {
            write();
        }
    }

    void onTimer(net::Timer&) override
    {
        if (m_isWaiting) {
            m_isWaiting = false;
            answer();
            return;
        }
        m_mayPass = std::min(m_mayPass + 1, m_out.size() - m_passed);
        write();
    }

    void readRequest()
    {
        const std::size_t end = m_in.find(kHeadEnd);
        if (end == std::string::npos) {
            return;
        }
        ReceivedRequest request = readHead(std::string_view(m_in).substr(0, end + 2));
        const std::string length = request.header("content-length");
        std::string rest = m_in.substr(end + kHeadEnd.size());
        if (lower(request.header("transfer-encoding")) == "chunked") {
            auto body = takeChunked(rest);
            if (!body) {
                return;
            }
            request.body = *std::move(body);
        } else if (!length.empty()) {
            const std::size_t bytes = std::stoul(length);
            if (rest.size() < bytes) {
                return;
            }
            request.body = rest.substr(0, bytes);
            rest.erase(0, bytes);
        }
        m_in = std::move(rest);
        m_got = request.body.size();
        m_isHead = request.method == "HEAD";
        m_isAnswering = true;
        m_behaviour = m_server.behaviourFor(request);
        if (m_behaviour.delay > Duration::zero()) {
            m_isWaiting = true;
            m_timer.arm(m_server.m_loop->now() + m_behaviour.delay);
        } else {
            answer();
        }
    }

    void answer()
    {
        const std::string& body = m_behaviour.body.empty() ? m_server.m_name : m_behaviour.body;
        int status = m_behaviour.status;
        std::string length = lengthField(body.size());
        switch (m_behaviour.fault) {
        case Fault::Refuse: // Decided by request: nothing to refuse any more.
        case Fault::ResetAtAccept:
        case Fault::ResetAtRequest:
            reset();
            return;
        case Fault::Hang:
            return;
        case Fault::Unavailable:
        case Fault::HalfUnavailable:
            status = 503;
            break;
        case Fault::RetryLater:
            status = 503;
            length += fmt::format("\r\nRetry-After: {}", m_behaviour.retryAfter_s);
            break;
        case Fault::LengthTooLong:
            length = lengthField(body.size() + 100);
            m_endsAfter = true;
            break;
        case Fault::LengthTooShort:
            length = lengthField(body.size() - 1);
            break;
        case Fault::CloseMidBody:
            length = "Transfer-Encoding: chunked";
            m_endsAfter = true;
            break;
        case Fault::None:
        case Fault::SlowHead:
        case Fault::SlowBody:
        case Fault::Garbage:
            break;
        }
        const std::string head = makeHead(m_behaviour, m_server.m_name, status, length, m_got);
        m_out = head + (m_isHead ? std::string() : body);
        m_mayPass = m_out.size();
        if (m_behaviour.fault == Fault::CloseMidBody) {
            m_out = head + fmt::format("{:x}\r\n{}\r\nff\r\nhalf", body.size(), body);
            m_mayPass = m_out.size();
        } else if (m_behaviour.fault == Fault::Garbage) {
            m_out = "\x01\x02 this is not what you expect\r\n\r\n";
            m_mayPass = m_out.size();
            m_endsAfter = true;
        } else if (m_behaviour.fault == Fault::SlowHead) {
            m_mayPass = 1;
        } else if (m_behaviour.fault == Fault::SlowBody) {
            m_mayPass = head.size();
        }
        write();
    }

    void write()
    {
        while (m_mayPass > 0) {
            const std::string_view part = std::string_view(m_out).substr(m_passed, m_mayPass);
            const net::IoStep step = net::writeSome(m_socket.get(), part);
            if (step.status == net::IoStatus::Failed) {
                close();
                return;
            }
            if (step.status != net::IoStatus::Done) {
                return;
            }
            m_passed += step.count;
            m_mayPass -= step.count;
        }
        if (m_passed < m_out.size()) {
            m_timer.arm(m_server.m_loop->now() + m_behaviour.pace);
            return;
        }
        m_out.clear();
        m_passed = 0;
        m_isAnswering = false;
        if (m_endsAfter) {
            close();
        } else {
            readRequest();
        }
    }

    MisbehavingServer& m_server;
    FileDescriptor m_socket;
    net::Timer m_timer;
    Behaviour m_behaviour; // Of the present answer.
    std::string m_in;
    std::string m_out;
    std::size_t m_passed = 0; // Of m_out, sent.
    std::size_t m_mayPass = 0; // Bytes after them that may be sent now.
    std::size_t m_got = 0;
    bool m_isHead = false;
    bool m_isAnswering = false;
    bool m_isWaiting = false; // For the delay before the answer.
    bool m_endsAfter = false;
};

// The listening socket.
class MisbehavingServer::Port final : public net::AcceptHandler
{
public:
    explicit Port(MisbehavingServer& server)
        : m_server(server)
        , m_acceptor(
              *net::Acceptor::listen(*server.m_loop, server.m_address, net::PortSharing::Yes, *this)
          )
    {}

private:
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        ++m_server.m_accepted;
        if (m_server.m_behaviour.fault == Fault::ResetAtAccept) {
            net::setResetOnClose(socket.get());
            return;
        }
        m_server.m_lines.push_back(std::make_unique<Line>(m_server, std::move(socket)));
        m_server.m_lines.back()->begin();
    }

    MisbehavingServer& m_server;
    std::unique_ptr<net::Acceptor> m_acceptor;
};

MisbehavingServer::MisbehavingServer(std::string name, Behaviour behaviour)
    : m_name(std::move(name))
    , m_loop(*net::EventLoop::make(m_clock))
    , m_reserved(reservePort())
    , m_thread("misbehaving", [this] {
        m_loop->moveHere();
        m_loop->run();
        m_port.reset();
        while (!m_lines.empty()) {
            m_lines.back()->close();
        }
        m_loop->runTurn(Duration::zero());
    })
{
    m_address = net::localAddress(m_reserved.get());
    behave(std::move(behaviour));
}

MisbehavingServer::~MisbehavingServer()
{
    m_loop->stop();
    m_thread.join();
}

void MisbehavingServer::carryOut(std::function<void()> function)
{
    const auto isDone = std::make_shared<std::atomic<bool>>(false);
    const auto posted = m_loop->post([&function, isDone] {
        function();
        isDone->store(true);
        isDone->notify_one();
    });
    MESH_ASSERT(posted.has_value());
    isDone->wait(false);
}

void MisbehavingServer::behave(Behaviour behaviour)
{
    carryOut([this, &behaviour] { setBehaviour(std::move(behaviour)); });
}

void MisbehavingServer::behave(Fault fault)
{
    Behaviour behaviour;
    behaviour.fault = fault;
    behave(std::move(behaviour));
}

void MisbehavingServer::decide(std::function<Behaviour(const ReceivedRequest&)> decision)
{
    carryOut([this, &decision] { m_decision = std::move(decision); });
}

std::vector<ReceivedRequest> MisbehavingServer::takeReceived()
{
    std::vector<ReceivedRequest> taken;
    carryOut([this, &taken] { taken.swap(m_received); });
    return taken;
}

void MisbehavingServer::setBehaviour(Behaviour behaviour)
{
    m_behaviour = std::move(behaviour);
    if (m_behaviour.fault == Fault::Refuse) {
        m_port.reset();
        while (!m_lines.empty()) {
            m_lines.back()->reset();
        }
    } else if (m_port == nullptr) {
        m_port = std::make_unique<Port>(*this);
    }
}

Behaviour MisbehavingServer::behaviourFor(const ReceivedRequest& request)
{
    ++m_requests;
    if (m_received.size() < kReceivedMax) {
        m_received.push_back(request);
    }
    Behaviour behaviour = m_decision ? m_decision(request) : m_behaviour;
    if (behaviour.fault == Fault::HalfUnavailable && ++m_turn % 2 == 0) {
        behaviour.fault = Fault::None;
    }
    return behaviour;
}

} // namespace mesh::test
