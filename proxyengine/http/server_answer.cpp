// The half of a ServerConnection that writes.
#include "proxyengine/http/head_writer.h"
#include "proxyengine/http/server_connection.h"
#include "proxyengine/net/sockets.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace mesh::http {
namespace {

constexpr std::size_t kCompactFrom = 64U << 10U; // Written bytes kept in front of unwritten ones.

} // namespace

void ServerConnection::refuse(int status, std::string_view reason)
{
    m_keepsAlive = false;
    m_isHeadMethod = false;
    m_isRefused = true;
    const std::string body = fmt::format("{{\"message\":\"{}\"}}", reason);
    writeHead(status, {{"Content-Type", "application/json; charset=utf-8"}}, body.size());
    queue(body);
    completeAnswer();
}

void ServerConnection::sendWhole(const Response& response)
{
    writeHead(response.status, response.headers, response.body.size());
    if (!m_isHeadMethod) {
        queue(response.body);
    }
    completeAnswer();
}

void ServerConnection::beginStream(int status, const Headers& headers)
{
    m_isChunkedAnswer = m_head.minorVersion >= 1 && !m_isHeadMethod;
    if (m_head.minorVersion == 0) {
        m_keepsAlive = false;
    }
    m_link->hasBegun = true;
    writeHead(status, headers, std::nullopt);
    flush();
}

void ServerConnection::writeStream(std::string_view bytes)
{
    if (bytes.empty() || m_isHeadMethod) {
        return;
    }
    if (m_isChunkedAnswer) {
        std::array<char, kChunkHeadMax> head{};
        queue({head.data(), writeChunkHead(bytes.size(), head.data())});
        queue(bytes);
        queue(kChunkEnd);
    } else {
        queue(bytes);
    }
    flush();
}

void ServerConnection::endStream()
{
    if (m_isChunkedAnswer) {
        queue(kLastChunk);
    }
    completeAnswer();
}

// A status line, the given fields that may stand in a head, and what this server adds.
void ServerConnection::writeHead(
    int status, const Headers& headers, std::optional<std::size_t> length
)
{
    std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reasonOf(status));
    for (const Header& header : headers) {
        if (isToken(header.name) && isFieldValue(header.value)) {
            head += fmt::format("{}: {}\r\n", header.name, header.value);
        }
    }
    const bool hasNoBody = status == 204 || status == 304 || status < 200;
    if (length && !hasNoBody) {
        head += fmt::format("Content-Length: {}\r\n", *length);
    } else if (m_isChunkedAnswer && !hasNoBody) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    if (!m_keepsAlive) {
        head += "Connection: close\r\n";
    }
    queue(head + "\r\n");
}

// The answer stands in the output: write it, then go on with the next request or close.
void ServerConnection::completeAnswer()
{
    if (const auto link = std::exchange(m_link, nullptr)) {
        link->sink = nullptr;
        link->onGone = nullptr;
        link->onDrained = nullptr;
    }
    m_isChunkedAnswer = false;
    m_phase = m_keepsAlive ? Phase::Head : Phase::Closing;
    if (m_phase == Phase::Closing) {
        m_timer.arm(m_server->loop.now() + m_server->options.bodyTimeout);
    }
    flush();
    if (m_phase == Phase::Head && !m_isProcessing) {
        process();
        if (m_phase == Phase::Head && m_mayHaveInput) {
            m_server->loop.callAgain(*this, net::Ready(net::Ready::kRead));
        }
    }
}

void ServerConnection::queue(std::string_view bytes) { m_out.append(bytes); }

void ServerConnection::flush()
{
    const bool hadBytes = pendingBytes() > 0;
    while (pendingBytes() > 0) {
        const std::string_view left = std::string_view(m_out).substr(m_outAt);
        const net::IoStep step =
            m_channel != nullptr ? m_channel->write(left) : net::writeSome(m_socket.get(), left);
        if (step.status == net::IoStatus::WouldBlock) {
            break;
        }
        if (step.status != net::IoStatus::Done) {
            close();
            return;
        }
        m_outAt += step.count;
    }
    if (pendingBytes() > 0) {
        if (m_outAt >= kCompactFrom) {
            m_out.erase(0, m_outAt);
            m_outAt = 0;
        }
        return;
    }
    m_out.clear();
    m_out.shrink_to_fit();
    m_outAt = 0;
    if (m_phase == Phase::Closing && m_isRefused) {
        linger();
    } else if (m_phase == Phase::Closing) {
        close();
    } else if (hadBytes && m_link && m_link->onDrained) {
        const auto onDrained = m_link->onDrained; // May be replaced while it runs.
        onDrained();
    }
}

} // namespace mesh::http
