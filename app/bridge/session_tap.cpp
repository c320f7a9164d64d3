// Requests as nodes tell them: for the tap, and as samples for the document.
#include "app/bridge/session_private.h"
#include "proxyengine/base/limits.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>
#include <utility>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kTapSecond_us = 1'000'000;

template <typename Row>
void keepNewest(std::vector<Row>& rows, std::size_t countMax)
{
    // In blocks, so that a full list does not move every row for each new one.
    if (rows.size() > countMax + countMax / 4) {
        rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(countMax));
    }
}

// Cut at the limit of the store; a router does not look that far.
std::string limited(const std::string& text) { return text.substr(0, kSampleFieldBytesMax); }

// As SampleRecord::headers says.
std::string headersText(const std::vector<api::AccessHeader>& headers)
{
    QJsonArray list;
    for (const api::AccessHeader& header : headers) {
        if (static_cast<std::size_t>(list.size()) < kSampleHeadersMax) {
            list.append(QJsonArray{
                QString::fromStdString(header.name), QString::fromStdString(limited(header.value))}
            );
        }
    }
    return list.isEmpty() ? std::string()
                          : QJsonDocument(list).toJson(QJsonDocument::Compact).toStdString();
}

} // namespace

void MeshSession::Private::take(const std::string& node, const api::AccessEvent& event)
{
    TapRow row;
    row.time_us = event.time.time_since_epoch().count();
    row.node = QString::fromStdString(node);
    row.source = QString::fromStdString(event.source);
    row.method = QString::fromStdString(event.method);
    row.host = QString::fromStdString(event.host);
    row.path = QString::fromStdString(event.path);
    row.status = event.status;
    row.route = QString::fromStdString(event.route);
    row.service = QString::fromStdString(event.service);
    row.target = QString::fromStdString(event.target);
    row.attempts = event.attempts;
    row.latency_ms = event.latencyTotal_ms;
    row.upstream_ms = event.latencyUpstream_ms;
    row.proxy_ms = event.latencyProxy_ms;
    row.bytesIn = event.bytesIn;
    row.bytesOut = event.bytesOut;
    row.requestId = QString::fromStdString(event.requestId);
    row.failure = QString::fromStdString(event.failure);
    for (const api::AccessAttempt& attempt : event.tries) {
        row.tries.push_back(
            {QString::fromStdString(attempt.target),
             attempt.started_ms,
             attempt.latency_ms,
             attempt.status,
             QString::fromStdString(attempt.outcome)}
        );
    }
    for (const std::string& policy : event.policies) {
        row.policies.append(QString::fromStdString(policy));
    }
    row.why = QString::fromStdString(event.why);
    for (const api::AccessHeader& header : event.requestHeaders) {
        row.headers.emplace_back(
            QString::fromStdString(header.name), QString::fromStdString(header.value)
        );
    }
    keepSample(node, event);
    tap.push_back(std::move(row));
    keepNewest(tap, kTapRowsMax);
    isTapNew = true;
}

// The first ones of a second: which ones does not matter to whoever routes them again.
void MeshSession::Private::keepSample(const std::string& node, const api::AccessEvent& event)
{
    const std::int64_t time_us = event.time.time_since_epoch().count();
    const std::int64_t second = now_us() / kTapSecond_us;
    if (second != sampleSecond) {
        sampleSecond = second;
        samplesInSecond = 0;
    }
    if (!file || !file->access().isWritable() || samplesInSecond >= kSamplesPerSecondMax) {
        return;
    }
    ++samplesInSecond;
    store::SampleRecord sample;
    sample.time_us = time_us;
    sample.node = node;
    sample.method = event.method;
    sample.host = limited(event.host);
    sample.path = limited(event.path);
    sample.headers = headersText(event.requestHeaders);
    sample.source = event.source;
    sample.route = event.route;
    sample.service = event.service;
    sample.status = event.status;
    sample.latency_ms = event.latencyTotal_ms;
    sample.requestId = event.requestId;
    samples.push_back(std::move(sample));
}

void MeshSession::Private::writeSamples()
{
    // At most once a second: a transaction costs more than its rows.
    const bool isDue = !samples.empty()
                       && (samples.size() >= kSamplesPerSecondMax
                           || now_us() - samples.front().time_us >= kTapSecond_us);
    if (file && isDue) {
        file->addSamples(std::exchange(samples, {}));
    }
}

// What routes match on comes first: without it a request cannot be routed again.
std::vector<std::string> MeshSession::Private::tapHeaders() const
{
    std::vector<std::string> names;
    const auto add = [&names](const std::string& name) {
        const std::string lower = QString::fromStdString(name).toLower().toStdString();
        const bool isKnown = std::ranges::find(names, lower) != names.end();
        if (!isKnown && !lower.empty() && names.size() < kTapHeadersMax) {
            names.push_back(lower);
        }
    };
    for (const model::Service& service : document->services) {
        for (const model::Route& route : service.routes) {
            for (const model::HeaderMatch& header : route.headers) {
                add(header.name);
            }
        }
    }
    for (const model::Route& route : document->routes) {
        for (const model::HeaderMatch& header : route.headers) {
            add(header.name);
        }
    }
    for (const QString& name : headersWanted) {
        add(name.toStdString());
    }
    std::ranges::sort(names);
    return names;
}

void MeshSession::Private::askTapHeaders()
{
    std::vector<std::string> names = tapHeaders();
    const auto ask = [this, &names](const std::string& node) {
        std::vector<std::string>& asked = headersAsked[node];
        if (asked != names && submit(node, api::SetTapHeaders{names})) {
            asked = names;
        }
    };
    for (const auto& [name, extra] : extras) {
        ask(name);
    }
    if (live && !isStarting) {
        for (const simulator::LiveMesh::Node& node : live->nodes()) {
            ask(node.name);
        }
    }
}

void MeshSession::wantTapHeaders(const QStringList& names)
{
    QStringList& wanted = m_private->headersWanted;
    for (const QString& name : names) {
        const QString lower = name.toLower();
        wanted.removeAll(lower);
        wanted.prepend(lower); // The newest question counts most.
    }
    wanted = wanted.mid(0, static_cast<qsizetype>(kTapHeadersMax));
    m_private->askTapHeaders();
}

const std::vector<TapRow>& MeshSession::tap() const { return m_private->tap; }

} // namespace mesh::bridge
