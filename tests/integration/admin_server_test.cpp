// Goal: the admin API over sockets, and a RemoteEngine that follows it, loses it and finds it
// again. Method: a real server and real clients on loopback, port 0; the engine behind is driven by
// hand.
#include "proxyengine/control/admin_server.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/node_client.h"
#include "proxyengine/control/remote_engine.h"
#include "tests/support/manual_engine.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace mesh::control {

using Json = nlohmann::json;
using test::ManualEngine;

constexpr const char* kConfig =
    "_format_version: \"3.0\"\nservices:\n- {name: shop, host: 127.0.0.1, port: 9}\n";
constexpr Duration kTimeout = std::chrono::seconds(10);

// Events of an engine, brought to the test's thread.
class Inbox final : public api::EventSink
{
public:
    void onEvent(const api::Event& event) override { static_cast<void>(m_box.push(event)); }

    // All that has arrived, kept for the test to look through.
    const std::vector<api::Event>& all()
    {
        while (auto event = m_box.pop()) {
            m_events.push_back(*std::move(event));
        }
        return m_events;
    }

    template <typename Kind>
    std::optional<Kind> latest()
    {
        std::optional<Kind> found;
        for (const api::Event& event : all()) {
            if (const auto* kind = std::get_if<Kind>(&event)) {
                found = *kind;
            }
        }
        return found;
    }

private:
    Mailbox<api::Event> m_box{10'000, {}};
    std::vector<api::Event> m_events;
};

class AdminServerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void postedBytesComeBackAndHashToTheHash();
    void theUnixSocketIsForTheOwnerAlone();
    void aRemoteEngineFollowsState();
    void aRemoteEngineDeliversStatsAndAccess();
    void aRemoteEngineAppliesAndReportsRefusals();
    void aRemoteEngineFindsItsNodeAgain();
    void nobodyThereIsAnError();

private:
    AdminAddress address() const { return {m_server->address(), {}}; }
    std::unique_ptr<AdminServer> serve(const std::string& hostPort);
    api::StateEvent running();

    SystemClock m_clock;
    std::unique_ptr<ManualEngine> m_engine;
    std::unique_ptr<AdminServer> m_server;
};

std::unique_ptr<AdminServer> AdminServerTest::serve(const std::string& hostPort)
{
    AdminOptions options;
    options.address.hostPort = hostPort;
    auto server = AdminServer::start(*m_engine, m_clock, options);
    return server ? *std::move(server) : nullptr;
}

api::StateEvent AdminServerTest::running()
{
    api::StateEvent state;
    state.node = "edge-1";
    state.state = api::EngineState::Running;
    return state;
}

void AdminServerTest::init()
{
    m_engine = std::make_unique<ManualEngine>(ManualEngine::Answers::AtOnce);
    m_engine->setState(running());
    m_server = serve("127.0.0.1:0");
    QVERIFY(m_server != nullptr);
}

void AdminServerTest::cleanup()
{
    m_server->stop();
    m_engine.reset();
    m_server.reset();
}

void AdminServerTest::postedBytesComeBackAndHashToTheHash()
{
    const auto posted = requestNode(m_clock, address(), "POST", "/config", kConfig, kTimeout);
    const auto config = requestNode(m_clock, address(), "GET", "/config", "", kTimeout);
    const auto hash = requestNode(m_clock, address(), "GET", "/config/hash", "", kTimeout);

    QVERIFY(posted && config && hash);
    QCOMPARE(posted->status, 201);
    QCOMPARE(config->status, 200);
    const std::string expected = sha256Hex(config->body);
    QCOMPARE(Json::parse(posted->body)["hash"].get<std::string>(), expected);
    QCOMPARE(Json::parse(hash->body)["hash"].get<std::string>(), expected);
}

void AdminServerTest::theUnixSocketIsForTheOwnerAlone()
{
    const QTemporaryDir directory;
    AdminOptions options;
    options.address.unixPath = directory.filePath(QStringLiteral("admin.sock")).toStdString();
    ManualEngine engine;
    auto server = AdminServer::start(engine, m_clock, options);
    QVERIFY(server);

    const auto answer = requestNode(m_clock, options.address, "GET", "/status", "", kTimeout);

    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
    const QString path = QString::fromStdString(options.address.unixPath);
    QVERIFY(!(QFile::permissions(path) & others));
    (*server)->stop();
    QVERIFY(!QFile::exists(path));
}

void AdminServerTest::aRemoteEngineFollowsState()
{
    Inbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "?", Seed{1}});
    remote->subscribe(inbox);
    const auto isState = [&](api::EngineState state) {
        const auto latest = inbox.latest<api::StateEvent>();
        return latest && latest->state == state;
    };

    QTRY_VERIFY(isState(api::EngineState::Running));
    api::StateEvent draining = running();
    draining.state = api::EngineState::Draining;
    m_engine->tell(draining);

    QTRY_VERIFY(isState(api::EngineState::Draining));
    remote->stop(Duration{});
}

void AdminServerTest::aRemoteEngineDeliversStatsAndAccess()
{
    Inbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "?", Seed{1}});
    remote->subscribe(inbox);
    QTRY_VERIFY(
        inbox.latest<api::StateEvent>().has_value()
        && inbox.latest<api::StateEvent>()->state == api::EngineState::Running
    );
    telemetry::StatsFrame frame;
    frame.node = "edge-1";
    frame.sequence = 41;
    frame.accepted = 5;
    api::AccessEvent access;
    access.path = "/cart";

    m_engine->tell(api::StatsEvent{std::make_shared<const telemetry::StatsFrame>(frame)});
    m_engine->tell(access);

    QTRY_VERIFY(inbox.latest<api::AccessEvent>().has_value());
    QCOMPARE(inbox.latest<api::AccessEvent>()->path, std::string("/cart"));
    QCOMPARE(inbox.latest<api::StatsEvent>()->frame->sequence, 41U);
    const auto status = requestNode(m_clock, address(), "GET", "/status", "", kTimeout);
    QVERIFY(status);
    QCOMPARE(Json::parse(status->body)["server"]["connections_accepted"].get<int>(), 5);
    remote->stop(Duration{});
}

void AdminServerTest::aRemoteEngineAppliesAndReportsRefusals()
{
    Inbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "?", Seed{1}});
    remote->subscribe(inbox);
    auto good = std::make_shared<model::Document>();
    good->services.emplace_back().name = "shop";
    good->services.back().host = "127.0.0.1";
    auto bad = std::make_shared<model::Document>(*good);
    bad->services.push_back(bad->services.front());

    const auto first = remote->submit(api::ApplyDocument{good});
    QVERIFY(first);
    QTRY_VERIFY(inbox.latest<api::CommandDone>().has_value());
    const api::CommandDone applied = *inbox.latest<api::CommandDone>();
    const auto second = remote->submit(api::ApplyDocument{bad});
    QVERIFY(second);
    QTRY_VERIFY(inbox.latest<api::CommandDone>()->id == *second);
    const api::CommandDone refused = *inbox.latest<api::CommandDone>();

    QCOMPARE(applied.id, *first);
    QVERIFY(applied.result);
    QCOMPARE(applied.result->hash, config::hashOf(*good));
    QVERIFY(!refused.result);
    QVERIFY(!refused.problems.empty());
    remote->stop(Duration{});
}

void AdminServerTest::aRemoteEngineFindsItsNodeAgain()
{
    Inbox inbox;
    const std::string where = m_server->address();
    const auto remote = makeRemoteEngine(m_clock, {{where, {}}, "?", Seed{1}});
    remote->subscribe(inbox);
    const auto isState = [&](api::EngineState state) {
        const auto latest = inbox.latest<api::StateEvent>();
        return latest && latest->state == state;
    };
    QTRY_VERIFY(isState(api::EngineState::Running));

    m_server->stop();
    QTRY_VERIFY(isState(api::EngineState::Unreachable));
    m_engine = std::make_unique<ManualEngine>(ManualEngine::Answers::AtOnce);
    m_engine->setState(running());
    m_server = serve(where);

    QVERIFY(m_server != nullptr);
    QTRY_VERIFY_WITH_TIMEOUT(isState(api::EngineState::Running), 20'000);
    remote->stop(Duration{});
}

void AdminServerTest::nobodyThereIsAnError()
{
    const AdminAddress gone = address();
    m_server->stop();
    Inbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {gone, "edge-9", Seed{1}});
    remote->subscribe(inbox);

    const auto answer = requestNode(m_clock, gone, "GET", "/", "", kTimeout);
    const auto command = remote->submit(api::SetLogLevel{LogLevel::Info});

    QVERIFY(!answer);
    QCOMPARE(
        exitCodeOf(answer.error().code) == 3 || answer.error().code == ErrorCode::Refused, true
    );
    QVERIFY(command);
    QTRY_VERIFY(inbox.latest<api::CommandDone>().has_value());
    QVERIFY(!inbox.latest<api::CommandDone>()->result);
    QTRY_COMPARE(inbox.latest<api::StateEvent>()->state, api::EngineState::Unreachable);
    QCOMPARE(inbox.latest<api::StateEvent>()->node, std::string("edge-9"));
    remote->stop(Duration{});
}

} // namespace mesh::control

QTEST_GUILESS_MAIN(mesh::control::AdminServerTest)
#include "admin_server_test.moc"
