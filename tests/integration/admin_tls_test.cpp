// Goal: an admin API with TLS serves those of its mesh and nobody else, and whoever is refused, on
// either side, is told by which certificate and what was expected.
// Method: a real server and real clients on loopback, certificates made for each case; the engine
// behind answers at once.
#include "proxyengine/base/limits.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/admin_server.h"
#include "proxyengine/control/node_calls.h"
#include "proxyengine/control/node_client.h"
#include "proxyengine/control/remote_engine.h"
#include "proxyengine/net/sockets.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/manual_engine.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace mesh::control {

using Json = nlohmann::json;
using test::IssuedCertificate;
using test::ManualEngine;

constexpr Duration kTimeout = std::chrono::seconds(10);

// The states and answers of a RemoteEngine, on the test's thread.
class TlsInbox final : public api::EventSink
{
public:
    void onEvent(const api::Event& event) override { static_cast<void>(m_box.push(event)); }

    const api::StateEvent& state()
    {
        take();
        return m_state;
    }
    std::optional<api::CommandDone> done(CommandId id)
    {
        take();
        for (const api::CommandDone& each : m_done) {
            if (each.id == id) {
                return each;
            }
        }
        return std::nullopt;
    }

private:
    void take()
    {
        while (auto event = m_box.pop()) {
            if (const auto* state = std::get_if<api::StateEvent>(&*event)) {
                m_state = *state;
            } else if (const auto* done = std::get_if<api::CommandDone>(&*event)) {
                m_done.push_back(*done);
            }
        }
    }

    Mailbox<api::Event> m_box{10'000, {}};
    api::StateEvent m_state;
    std::vector<api::CommandDone> m_done;
};

class AdminTlsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void thoseOfTheMeshAreServed();
    void clientsOfOthersAreRefusedByName_data();
    void clientsOfOthersAreRefusedByName();
    void nodesOfOthersAreRefusedByName_data();
    void nodesOfOthersAreRefusedByName();
    void filesThatCannotBeUsedAreNamed();
    void withoutTlsNothingIsSaid();
    void aRemoteEngineFollowsAndCommands();
    void aRemoteEngineSaysWhyItIsNotBelieved();
    void callsToManyNodesAreJudgedAlike();
    void replacedFilesCountFromTheNextConnection();
    void thoseOfAFormerAuthorityMustGo();
    void whoeverConnectsAndWaitsKeepsNobodyOut();

private:
    // `name`: which files they are.
    NodeCredentials files(
        const QString& name, const test::CertificateSpec& spec, const IssuedCertificate& issuer
    );
    NodeCredentials files(
        const QString& name,
        const test::CertificateSpec& spec,
        const IssuedCertificate& issuer,
        const IssuedCertificate& trusted
    );
    std::string write(const QString& name, const std::string& text);
    static test::CertificateSpec nodeSpec();
    static test::CertificateSpec consoleSpec();
    NodeRequest request(const NodeCredentials& credentials) const;
    AdminAddress address() const { return {m_server->address(), {}, true}; }
    bool serve(const NodeCredentials& credentials);

    SystemClock m_clock;
    QTemporaryDir m_directory;
    IssuedCertificate m_shop; // The mesh's authority.
    IssuedCertificate m_other; // Another mesh's.
    NodeCredentials m_nodeFiles;
    NodeCredentials m_consoleFiles;
    std::unique_ptr<ManualEngine> m_engine;
    std::unique_ptr<AdminServer> m_server;
};

std::string AdminTlsTest::write(const QString& name, const std::string& text)
{
    const QString path = m_directory.filePath(name);
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        return {};
    }
    file.write(QByteArray::fromStdString(text));
    return path.toStdString();
}

NodeCredentials AdminTlsTest::files(
    const QString& name,
    const test::CertificateSpec& spec,
    const IssuedCertificate& issuer,
    const IssuedCertificate& trusted
)
{
    const IssuedCertificate made = test::issue(spec, &issuer);
    return {
        write(name + QStringLiteral(".pem"), made.pem()),
        write(name + QStringLiteral(".key"), made.keyPem()),
        write(name + QStringLiteral(".ca"), trusted.pem())};
}

NodeCredentials AdminTlsTest::files(
    const QString& name, const test::CertificateSpec& spec, const IssuedCertificate& issuer
)
{
    return files(name, spec, issuer, issuer);
}

test::CertificateSpec AdminTlsTest::nodeSpec()
{
    test::CertificateSpec spec;
    spec.name = "edge-1";
    spec.alternatives = "DNS:edge-1.shop,IP:127.0.0.1";
    return spec;
}

test::CertificateSpec AdminTlsTest::consoleSpec()
{
    test::CertificateSpec spec;
    spec.name = "console";
    return spec;
}

NodeRequest AdminTlsTest::request(const NodeCredentials& credentials) const
{
    NodeRequest asked;
    asked.address = address();
    asked.path = "/";
    asked.credentials = credentials;
    asked.timeout = kTimeout;
    return asked;
}

bool AdminTlsTest::serve(const NodeCredentials& credentials)
{
    AdminOptions options;
    options.address = {"127.0.0.1:0", {}, true};
    options.credentials = credentials;
    auto server = AdminServer::start(*m_engine, m_clock, options);
    if (server) {
        m_server = *std::move(server);
    }
    return server.has_value();
}

void AdminTlsTest::initTestCase()
{
    m_shop = test::issueAuthority("shop authority");
    m_other = test::issueAuthority("other authority");
    m_nodeFiles = files(QStringLiteral("node"), nodeSpec(), m_shop);
    m_consoleFiles = files(QStringLiteral("console"), consoleSpec(), m_shop);
}

void AdminTlsTest::init()
{
    m_engine = std::make_unique<ManualEngine>(ManualEngine::Answers::AtOnce);
    api::StateEvent state;
    state.node = "edge-1";
    state.state = api::EngineState::Running;
    m_engine->setState(state);
    QVERIFY(serve(m_nodeFiles));
}

void AdminTlsTest::cleanup()
{
    m_server->stop();
    m_engine.reset();
    m_server.reset();
}

void AdminTlsTest::thoseOfTheMeshAreServed()
{
    NodeRequest asked = request(m_consoleFiles);
    asked.path = "/v1/node";

    const auto answer = requestNode(m_clock, asked);

    QVERIFY2(answer.has_value(), answer ? "" : answer.error().message.c_str());
    QCOMPARE(answer->status, 200);
    const Json facts = Json::parse(answer->body);
    QCOMPARE(facts["name"].get<std::string>(), std::string("edge-1"));
    const Json& certificate = facts["certificates"][0];
    QCOMPARE(certificate["subject"].get<std::string>(), std::string("CN=edge-1"));
    QCOMPARE(certificate["issuer"].get<std::string>(), std::string("CN=shop authority"));
    QCOMPARE(certificate["sans"].dump(), std::string(R"(["edge-1.shop","127.0.0.1"])"));
    QCOMPARE(certificate["used_by"].dump(), std::string(R"(["admin API"])"));

    // A body of several records each way.
    asked.method = "POST";
    asked.path = "/config";
    asked.body = "_format_version: \"3.0\"\nservices:\n";
    for (int at = 0; at < 3000; ++at) {
        asked.body += "- {name: s" + std::to_string(at) + ", host: h.test}\n";
    }
    const auto posted = requestNode(m_clock, asked);
    QVERIFY2(posted && posted->status == 201, posted ? posted->body.c_str() : "no answer");
    asked.method = "GET";
    asked.body.clear();
    const auto config = requestNode(m_clock, asked);
    QVERIFY(config.has_value());
    QCOMPARE(Json::parse(config->body)["services"].size(), 3000U);
}

void AdminTlsTest::clientsOfOthersAreRefusedByName_data()
{
    QTest::addColumn<bool>("isOfOther");
    QTest::addColumn<bool>("isExpired");
    QTest::addColumn<QString>("reason");

    QTest::newRow("another mesh") << true << false << QStringLiteral("unknown authority");
    QTest::newRow("expired") << false << true << QStringLiteral("has expired");
}

void AdminTlsTest::clientsOfOthersAreRefusedByName()
{
    QFETCH(const bool, isOfOther);
    QFETCH(const bool, isExpired);
    QFETCH(const QString, reason);
    test::CertificateSpec spec = consoleSpec();
    spec.name = "stranger";
    if (isExpired) {
        spec.end = -std::chrono::minutes(1);
    }
    const NodeCredentials stranger =
        files(QStringLiteral("stranger"), spec, isOfOther ? m_other : m_shop, m_shop);

    const auto answer = requestNode(m_clock, request(stranger));

    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().code, ErrorCode::Tls);
    const QString message = QString::fromStdString(answer.error().message);
    const QString issuer = isOfOther ? QStringLiteral("other") : QStringLiteral("shop");
    QVERIFY2(message.contains(reason), qPrintable(message));
    QVERIFY2(message.contains(QStringLiteral("subject CN=stranger")), qPrintable(message));
    QVERIFY2(
        message.contains(QStringLiteral("issuer CN=%1 authority").arg(issuer)), qPrintable(message)
    );
    QVERIFY2(
        message.contains(QStringLiteral("expected a certificate of CN=shop authority")),
        qPrintable(message)
    );
    QVERIFY2(message.contains(QString::fromStdString(toText(address()))), qPrintable(message));
}

void AdminTlsTest::nodesOfOthersAreRefusedByName_data()
{
    QTest::addColumn<bool>("isOfOther");
    QTest::addColumn<bool>("isExpired");
    QTest::addColumn<QString>("names");
    QTest::addColumn<QString>("reason");

    const QString right = QStringLiteral("IP:127.0.0.1");
    QTest::newRow("another mesh") << true << false << right << QStringLiteral("authority");
    QTest::newRow("expired") << false << true << right << QStringLiteral("has expired");
    QTest::newRow("another node") << false << false << QStringLiteral("DNS:edge-2.shop")
                                  << QStringLiteral("names another host");
}

void AdminTlsTest::nodesOfOthersAreRefusedByName()
{
    QFETCH(const bool, isOfOther);
    QFETCH(const bool, isExpired);
    QFETCH(const QString, names);
    QFETCH(const QString, reason);
    test::CertificateSpec spec = nodeSpec();
    spec.name = "impostor";
    spec.alternatives = names.toStdString();
    if (isExpired) {
        spec.end = -std::chrono::minutes(1);
    }
    m_server->stop();
    QVERIFY(serve(files(QStringLiteral("impostor"), spec, isOfOther ? m_other : m_shop, m_shop)));

    const auto answer = requestNode(m_clock, request(m_consoleFiles));

    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().code, ErrorCode::Tls);
    const QString message = QString::fromStdString(answer.error().message);
    const QString issuer = isOfOther ? QStringLiteral("other") : QStringLiteral("shop");
    const QString node = QStringLiteral("node ") + QString::fromStdString(toText(address()));
    QVERIFY2(message.startsWith(node), qPrintable(message));
    QVERIFY2(message.contains(reason), qPrintable(message));
    QVERIFY2(
        message.contains(QStringLiteral("subject CN=impostor, issuer CN=%1 authority").arg(issuer)),
        qPrintable(message)
    );
    QVERIFY2(
        message.contains(QStringLiteral("expected a certificate of CN=shop authority for 127.0.0.1")
        ),
        qPrintable(message)
    );
}

void AdminTlsTest::filesThatCannotBeUsedAreNamed()
{
    NodeCredentials none = m_consoleFiles;
    none.keyFile = "/nowhere/console.key";
    NodeCredentials other = m_consoleFiles;
    other.keyFile = m_nodeFiles.keyFile;
    NodeCredentials empty;
    NodeCredentials garbage = m_consoleFiles;
    garbage.caFile = write(QStringLiteral("garbage.ca"), "no certificate at all");

    const auto absent = requestNode(m_clock, request(none));
    const auto mismatched = requestNode(m_clock, request(other));
    const auto unnamed = requestNode(m_clock, request(empty));
    const auto unreadable = requestNode(m_clock, request(garbage));

    QVERIFY(!absent && absent.error().message.find("/nowhere/console.key") != std::string::npos);
    QVERIFY(!mismatched && mismatched.error().code == ErrorCode::Tls);
    QVERIFY(mismatched.error().message.find(other.keyFile) != std::string::npos);
    QVERIFY(!unnamed && unnamed.error().code == ErrorCode::InvalidArgument);
    QVERIFY(!unreadable && unreadable.error().message.find("garbage.ca") != std::string::npos);
    QVERIFY(requestNode(m_clock, request(m_consoleFiles)).has_value());
}

void AdminTlsTest::withoutTlsNothingIsSaid()
{
    NodeRequest plain = request({});
    plain.address.isTls = false;

    const auto answer = requestNode(m_clock, plain);

    QVERIFY(!answer.has_value());
    QVERIFY(requestNode(m_clock, request(m_consoleFiles)).has_value());
}

void AdminTlsTest::aRemoteEngineFollowsAndCommands()
{
    TlsInbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "?", Seed{1}, m_consoleFiles});
    remote->subscribe(inbox);
    QTRY_COMPARE(inbox.state().state, api::EngineState::Running);
    QCOMPARE(inbox.state().node, std::string("edge-1"));

    auto decoded =
        config::decode("_format_version: \"3.0\"\nservices: [{name: a, host: h.test}]\n");
    const auto document = std::make_shared<const model::Document>(std::move(decoded.document));
    const auto id = remote->submit(api::ApplyDocument{document, {}});
    QVERIFY(id.has_value());
    QTRY_VERIFY(inbox.done(*id).has_value());
    QVERIFY(inbox.done(*id)->result.has_value());
    QCOMPARE(inbox.done(*id)->result->hash, config::hashOf(*document));

    remote->stop(Duration{});
}

void AdminTlsTest::aRemoteEngineSaysWhyItIsNotBelieved()
{
    test::CertificateSpec spec = consoleSpec();
    spec.name = "stranger";
    const NodeCredentials stranger = files(QStringLiteral("stranger"), spec, m_other, m_shop);
    TlsInbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "edge-1", Seed{1}, stranger});
    remote->subscribe(inbox);

    QTRY_COMPARE(inbox.state().state, api::EngineState::Unreachable);
    const QString problem = QString::fromStdString(inbox.state().problem);
    QVERIFY2(problem.contains(QStringLiteral("subject CN=stranger")), qPrintable(problem));
    QVERIFY2(problem.contains(QStringLiteral("CN=shop authority")), qPrintable(problem));

    // The right file in its place is taken by the next attempt.
    const NodeCredentials right = files(QStringLiteral("stranger"), spec, m_shop);
    QCOMPARE(right.certFile, stranger.certFile);
    QTRY_COMPARE_WITH_TIMEOUT(inbox.state().state, api::EngineState::Running, 20'000);
    remote->stop(Duration{});
}

void AdminTlsTest::callsToManyNodesAreJudgedAlike()
{
    const NodeCredentials stranger =
        files(QStringLiteral("stranger"), consoleSpec(), m_other, m_shop);
    const auto calls = NodeCalls::start(m_clock);
    QVERIFY(calls.has_value());
    Mailbox<Result<NodeAnswer>> answers(8, {});
    for (const NodeCredentials& credentials : {m_consoleFiles, stranger}) {
        NodeCall call;
        call.request = request(credentials);
        (*calls)->call(call, [&answers](Result<NodeAnswer> answer) {
            static_cast<void>(answers.push(std::move(answer)));
        });
    }

    std::vector<Result<NodeAnswer>> taken;
    QTRY_VERIFY([&] {
        while (auto answer = answers.pop()) {
            taken.push_back(*std::move(answer));
        }
        return taken.size() == 2;
    }());
    const bool isFirstServed = taken[0].has_value();
    const Result<NodeAnswer>& served = taken[isFirstServed ? 0 : 1];
    const Result<NodeAnswer>& refused = taken[isFirstServed ? 1 : 0];
    QVERIFY(served && served->status == 200);
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().code, ErrorCode::Tls);
    QVERIFY(refused.error().message.find("issuer CN=other authority") != std::string::npos);
}

void AdminTlsTest::replacedFilesCountFromTheNextConnection()
{
    test::CertificateSpec spec = nodeSpec();
    const NodeCredentials before = files(QStringLiteral("changing"), spec, m_shop);
    m_server->stop();
    QVERIFY(serve(before));
    spec.name = "edge-1 renewed";
    const IssuedCertificate renewed = test::issue(spec, &m_shop);
    const auto subject = [this] {
        NodeRequest asked = request(m_consoleFiles);
        asked.path = "/v1/node";
        const auto answer = requestNode(m_clock, asked);
        return answer ? Json::parse(answer->body)["certificates"][0]["subject"].get<std::string>()
                      : answer.error().message;
    };

    write(QStringLiteral("changing.pem"), renewed.pem()); // The key is still the former one's.
    m_server->reloadCredentials();
    QCOMPARE(subject(), std::string("CN=edge-1"));

    write(QStringLiteral("changing.key"), renewed.keyPem());
    m_server->reloadCredentials();
    QTRY_COMPARE(subject(), std::string("CN=edge-1 renewed"));
}

void AdminTlsTest::thoseOfAFormerAuthorityMustGo()
{
    const NodeCredentials changing = files(QStringLiteral("trusting"), nodeSpec(), m_shop);
    m_server->stop();
    QVERIFY(serve(changing));
    TlsInbox inbox;
    const auto remote = makeRemoteEngine(m_clock, {address(), "?", Seed{1}, m_consoleFiles});
    remote->subscribe(inbox);
    QTRY_COMPARE(inbox.state().state, api::EngineState::Running);

    write(QStringLiteral("trusting.ca"), m_other.pem());
    m_server->reloadCredentials();

    QTRY_COMPARE(inbox.state().state, api::EngineState::Unreachable);
    QTRY_VERIFY(inbox.state().problem.find("CN=other authority") != std::string::npos);
    remote->stop(Duration{});
}

// Half of them say nothing, half of them garbage; more than there is room for.
void AdminTlsTest::whoeverConnectsAndWaitsKeepsNobodyOut()
{
    const auto where = net::SocketAddress::parse(m_server->address());
    QVERIFY(where.has_value());
    std::vector<FileDescriptor> waiting;
    for (std::size_t at = 0; at < 2 * kAdminHandshakesMax; ++at) {
        auto socket = net::connectTo(*where);
        QVERIFY(socket.has_value());
        if (at % 2 == 0) {
            static_cast<void>(net::writeSome(socket->get(), "\x16\x03\x01\x40\x00garbage"));
        }
        waiting.push_back(*std::move(socket));
    }

    const auto answer = requestNode(m_clock, request(m_consoleFiles));

    QVERIFY2(answer.has_value(), answer ? "" : answer.error().message.c_str());
    QCOMPARE(answer->status, 200);
}

} // namespace mesh::control

QTEST_GUILESS_MAIN(mesh::control::AdminTlsTest)
#include "admin_tls_test.moc"
