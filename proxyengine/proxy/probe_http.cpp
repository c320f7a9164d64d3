#include "proxyengine/http/head_writer.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/proxy/probe_talk.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace mesh::proxy {
namespace {

bool isSameName(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) {
        const auto lower = [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        };
        return lower(x) == lower(y);
    });
}

// GET, one head back. What stands in the file was checked there; a header that could not stand in a
// head is left out all the same.
std::string requestOf(const ProbeCall& call)
{
    std::string text = fmt::format("GET {} HTTP/1.1\r\n", call.path.empty() ? "/" : call.path);
    bool hasHost = false;
    for (const model::HeaderMatch& header : call.headers) {
        for (const std::string& value : header.values) {
            if (!http::isToken(header.name) || !http::isFieldValue(value)) {
                continue;
            }
            const bool isHost = isSameName(header.name, "host");
            if (isHost && hasHost) {
                continue;
            }
            hasHost = hasHost || isHost;
            text += fmt::format("{}: {}\r\n", header.name, value);
        }
    }
    if (!hasHost) {
        text += fmt::format("Host: {}\r\n", call.authority);
    }
    return text + "User-Agent: meshwright-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

class HttpTalk final : public ProbeTalk
{
public:
    explicit HttpTalk(std::string request)
        : m_request(std::move(request))
    {}

    std::string_view toSend() override { return std::string_view(m_request).substr(m_sent); }
    void onSent(std::size_t count) override { m_sent += count; }

    void onBytes(std::string_view bytes) override
    {
        m_heard.append(bytes);
        while (!m_outcome) {
            const http::ParseStatus status = m_parser.parse(m_heard, http::Method::Get, m_head);
            if (status == http::ParseStatus::NeedMore) {
                return;
            }
            if (status == http::ParseStatus::Refused) {
                conclude(0, fmt::format("not HTTP/1: {}", m_parser.refusal().reason));
            } else if (!m_head.isInterim()) {
                conclude(m_head.status, {});
            } else {
                m_heard.erase(0, m_head.size);
                m_head = {};
                m_parser.reset();
            }
        }
    }
    std::optional<ProbeOutcome> outcome() const override { return m_outcome; }

private:
    void conclude(int status, std::string failure)
    {
        m_outcome = {
            {policy::Check::Active, policy::Observation::Kind::Status, status}, std::move(failure)};
    }

    std::string m_request;
    std::size_t m_sent = 0;
    std::string m_heard; // The parser refuses heads beyond kHeadBytesMax.
    http::ResponseParser m_parser;
    http::ResponseHead m_head;
    std::optional<ProbeOutcome> m_outcome;
};

} // namespace

std::unique_ptr<ProbeTalk> makeHttpTalk(const ProbeCall& call)
{
    return std::make_unique<HttpTalk>(requestOf(call));
}

} // namespace mesh::proxy
