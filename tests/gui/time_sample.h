#pragma once

#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "proxyengine/api/engine.h"
#include "proxyengine/config/codec.h"
#include "tests/support/manual_clock.h"

#include <QSignalSpy>
#include <QString>
#include <QTemporaryDir>
#include <QTest>

#include <memory>
#include <utility>

// A document with a past: an engine that measures what a test says, on a clock that a test moves.
namespace mesh::test {

// Runs at once what it is given.
class ObedientEngine final : public api::Engine
{
public:
    Result<CommandId> submit(api::Command command) override
    {
        const CommandId id(++m_last);
        if (const auto* apply = std::get_if<api::ApplyDocument>(&command)) {
            m_sink->onEvent(api::CommandDone{id, api::Applied{config::hashOf(*apply->document)}, {}}
            );
        }
        return id;
    }
    void subscribe(api::EventSink& sink) override { m_sink = &sink; }
    void stop(Duration) override { m_sink = nullptr; }

    // The second that ends at `end`.
    void measure(WallTime end, const std::string& service, std::uint64_t ok, std::uint64_t bad)
    {
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = "edge-1";
        frame->time = end;
        frame->interval = std::chrono::seconds(1);
        telemetry::RequestSeries series;
        series.source = "edge-1";
        series.service = service;
        series.route = service;
        series.answers[2] = ok;
        series.answers[5] = bad;
        series.latency.record(12'000, static_cast<std::uint32_t>(ok + bad));
        frame->requests.push_back(series);
        m_sink->onEvent(api::StatsEvent{frame});
    }

    void answer(WallTime time, const std::string& path)
    {
        api::AccessEvent event;
        event.node = "edge-1";
        event.time = time;
        event.method = "GET";
        event.host = "shop";
        event.path = path;
        event.status = 200;
        event.route = "cart";
        event.service = "cart";
        m_sink->onEvent(event);
    }

    void turn(api::EngineState state)
    {
        api::StateEvent event;
        event.state = state;
        m_sink->onEvent(event);
    }

private:
    api::EventSink* m_sink = nullptr;
    std::uint64_t m_last = 0;
};

inline const QString kTimeShop = QStringLiteral(R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
services:
- name: cart
  host: cart.local
  routes:
  - {name: cart, paths: [/cart]}
)");

inline const QString kTimePayment = QStringLiteral(R"(- name: payment
  host: payment.local
  routes:
  - {name: payment, paths: [/payment]}
)");

// Two minutes of a shop: one minute of cart with revision 1, then revision 2 adds payment, and a
// minute of both; at its end cart fails.
class ShopWithPast
{
public:
    ShopWithPast()
    {
        bridge::SessionOptions options;
        options.clock = &clock;
        options.author = QStringLiteral("ada");
        options.evaluationInterval_ms = 20;
        session = std::make_unique<bridge::MeshSession>(options);
        begin_us = now_us();
        static_cast<void>(session->importText(kTimeShop, path()));
        auto made = std::make_unique<ObedientEngine>();
        engine = made.get();
        session->addEngine(QStringLiteral("edge-1"), std::move(made));
    }
    ShopWithPast(const ShopWithPast&) = delete;
    ShopWithPast& operator=(const ShopWithPast&) = delete;
    ShopWithPast(ShopWithPast&&) = delete;
    ShopWithPast& operator=(ShopWithPast&&) = delete;
    ~ShopWithPast() = default;

    void measureSeconds(int count, const char* service, std::uint64_t ok, std::uint64_t bad)
    {
        for (int second = 0; second < count; ++second) {
            clock.advance(std::chrono::seconds(1));
            engine->measure(clock.wallNow(), service, ok, bad);
        }
    }

    // Everything above; false when the second revision was not accepted.
    bool live()
    {
        session->savePositions(QStringLiteral("topology"), {{cartId(), 100, 100, true}});
        measureSeconds(60, "cart", 100, 0);
        changed_us = now_us();
        QSignalSpy finished(session.get(), &bridge::MeshSession::applyFinished);
        QString text = session->documentText();
        const qsizetype at = text.indexOf(QStringLiteral("services:\n")) + 10;
        session->setDraftText(text.insert(at, kTimePayment));
        session->apply(QStringLiteral("Add payment"));
        const bool isApplied =
            QTest::qWaitFor([&finished] { return !finished.isEmpty(); }) && finished[0][0].toBool();
        session->savePositions(
            QStringLiteral("topology"), {{cartId(), 300, 300, true}, {paymentId(), 500, 100, false}}
        );
        measureSeconds(30, "payment", 40, 0);
        measureSeconds(30, "cart", 50, 50);
        const std::int64_t last_us = now_us();
        // All of it is in the document.
        return isApplied && QTest::qWaitFor([this, last_us] {
                   return session->recordedRange_us().second >= last_us;
               });
    }

    [[nodiscard]] QString path() const { return folder.filePath(QStringLiteral("shop.mesh")); }
    [[nodiscard]] std::int64_t now_us() const { return clock.wallNow().time_since_epoch().count(); }
    static QString cartId() { return QStringLiteral("service:cart"); }
    static QString paymentId() { return QStringLiteral("service:payment"); }
    [[nodiscard]] const bridge::EntityRow* entity(const QString& id) const
    {
        for (const bridge::EntityRow& row : session->topology().entities) {
            if (row.id == id) {
                return &row;
            }
        }
        return nullptr;
    }

    QTemporaryDir folder;
    ManualClock clock; // Outlives the session.
    std::unique_ptr<bridge::MeshSession> session;
    ObedientEngine* engine = nullptr;
    std::int64_t begin_us = 0;
    std::int64_t changed_us = 0;
};

} // namespace mesh::test
