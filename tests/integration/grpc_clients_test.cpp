// Goal: a real gRPC library talks to itself through the engine, and hears of the proxy's own
// refusals in its own words; what came of calls is counted by method.
// Method: tests/support/python/grpc_clients.py is server and client; every case of it is a row.
#include "proxyengine/http/grpc_words.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/python_peer.h"
#include "tests/support/tls_yaml.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kAuthority = "11111111-1111-4111-8111-111111111111";

std::string block(std::string_view text) { return "|\n" + indentedPem(text) + '\n'; }

// Certificates of the listener and of the service, who is called under TLS.
std::string secureYamlOf(
    int port, const IssuedCertificate& authority, const IssuedCertificate& shown
)
{
    return fmt::format(
        "- name: secure\n  protocol: grpcs\n  host: 127.0.0.1\n  port: {}\n  tls_verify: true\n"
        "  ca_certificates: [{}]\n"
        "  routes: [{{name: secure, protocols: [grpcs], paths: [\"/test.Secure\"]}}]\n"
        "- name: checked\n  protocol: grpc\n  host: checked.up\n  retries: 0\n"
        "  routes: [{{name: checked, protocols: [grpc], paths: [\"/test.Checked\"]}}]\n"
        "ca_certificates:\n- id: {}\n  cert: {}"
        "certificates:\n- cert: {}  key: {}  snis: [{{name: localhost}}]\n",
        port,
        kAuthority,
        kAuthority,
        block(authority.pem()),
        block(shown.pem()),
        block(shown.keyPem())
    );
}

std::string checkedYamlOf(int port)
{
    return fmt::format(
        "upstreams:\n- name: checked.up\n  targets: [{{target: \"127.0.0.1:{}\"}}]\n"
        "  healthchecks: {{active: {{type: grpc, healthy: {{interval: 0.1, successes: 1}},"
        " unhealthy: {{interval: 0.1, http_failures: 1, tcp_failures: 1, timeouts: 1}}}}}}\n",
        port
    );
}

std::string yamlOf(int port, int closedPort)
{
    constexpr std::string_view kService =
        "- name: {0}\n  protocol: grpc\n  host: 127.0.0.1\n  port: {1}\n  retries: 0\n{3}"
        "  routes: [{{name: {0}, protocols: [grpc], paths: [\"{2}\"]}}]\n";
    std::string yaml = "_format_version: \"3.0\"\nservices:\n";
    const auto add = [&](std::string_view name, int at, std::string_view path, std::string_view more
                     ) { yaml += fmt::format(kService, name, at, path, more); };
    add("plain", port, "/test.Plain", "");
    add("health", port, "/grpc.health.v1.Health", "");
    add("hasty", port, "/test.Hasty", "  resilience: {timeout: 500ms}\n");
    add("down", closedPort, "/test.Down", "");
    add("limited",
        port,
        "/test.Limited",
        "  resilience: {rate_limits: [{requests: 1, per: 24h, algorithm: fixed-window}]}\n");
    add("repeated",
        port,
        "/test.Repeated",
        "  resilience: {retry: {on: [unavailable], attempts: 3, non_idempotent: true}}\n");
    return yaml;
}

} // namespace

class GrpcClientsTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        const IssuedCertificate authority = issueAuthority("Test CA");
        CertificateSpec spec;
        spec.alternatives = "IP:127.0.0.1,DNS:localhost";
        const IssuedCertificate shown = issue(spec, &authority);
        QVERIFY(
            write("ca.pem", authority.pem()) && write("cert.pem", shown.pem())
            && write("key.pem", shown.keyPem())
        );
        const int port = m_peer.start(QStringLiteral("grpc_clients.py"), {m_directory.path()});
        const int securePort = m_peer.nextPort();
        QVERIFY(port != 0 && securePort != 0);
        m_fixture.options.proxyListen = {{"127.0.0.1:0", false, true}, {"127.0.0.1:0", true, true}};
        QVERIFY(m_fixture.start(2));
        auto closed = m_fixture.serve([](const http::Request&, http::Responder) {});
        const int closedPort = closed->address().port();
        closed.reset(); // A socket that still listens would be connected to, and say nothing.
        QCOMPARE(
            m_fixture.apply(
                yamlOf(port, closedPort) + secureYamlOf(securePort, authority, shown)
                + checkedYamlOf(port)
            ),
            std::string()
        );
        m_results = m_peer.run(
            fmt::format("{} localhost:{}", m_fixture.proxy.toText(), m_fixture.proxies.at(1).port())
        );
    }

    void passes_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"makes_unary_calls",
              "sends_empty_and_big_messages",
              "streams_requests",
              "streams_answers",
              "streams_both_ways",
              "passes_errors_of_the_service",
              "passes_on_what_is_left_of_a_deadline",
              "caps_deadlines_by_its_own",
              "tells_a_deadline_of_the_caller",
              "tells_its_own_deadline",
              "tells_its_own_deadline_within_a_stream",
              "passes_cancellation_on",
              "answers_calls_without_a_route",
              "answers_for_a_service_that_is_down",
              "answers_when_too_many_call",
              "repeats_what_the_policy_names",
              "checks_health",
              "is_taken_out_by_health_checks",
              "holds_a_service_up_for_a_slow_reader",
              "speaks_tls_on_both_sides",
              "makes_many_calls_at_once"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
    void passes()
    {
        QFETCH(QString, name);
        QVERIFY(m_results.contains(name));
        QCOMPARE(m_results[name], QString());
    }

    void countsCallsByMethodAndStatus()
    {
        std::map<std::string, telemetry::ByGrpcStatus> sums;
        const auto of = [&sums](const char* method, http::GrpcStatus status) {
            return sums[method][static_cast<std::size_t>(status)];
        };
        const bool isCounted = runUntil(*m_fixture.loop, [&] {
            m_fixture.box.takeAll();
            for (const api::Event& event : m_fixture.box.events) {
                const auto* stats = std::get_if<api::StatsEvent>(&event);
                for (std::size_t at = 0; stats != nullptr && at < stats->frame->grpc.size(); ++at) {
                    const telemetry::GrpcSeries& row = stats->frame->grpc[at];
                    for (std::size_t status = 0; status < row.statuses.size(); ++status) {
                        sums[row.method][status] += row.statuses[status];
                    }
                }
            }
            m_fixture.box.events.clear();
            return of("test.Plain/Echo", http::GrpcStatus::Ok) >= 203
                   && of("test.Down/Echo", http::GrpcStatus::Unavailable) == 1;
        });

        QVERIFY(isCounted);
        QCOMPARE(of("test.Plain/Echo", http::GrpcStatus::Ok), 203U);
        QCOMPARE(of("test.Plain/Fail", http::GrpcStatus::DataLoss), 1U);
        QCOMPARE(of("test.Limited/Echo", http::GrpcStatus::ResourceExhausted), 1U);
        QCOMPARE(of("test.Repeated/FailOnce", http::GrpcStatus::Ok), 1U);
        QCOMPARE(of("test.Hasty/Drip", http::GrpcStatus::DeadlineExceeded), 1U);
        QCOMPARE(of("nobody.Knows/It", http::GrpcStatus::NotFound), 1U);
    }

    // HTTP/1.1 carries no gRPC, and gRPC routes carry nothing else.
    void refusesWhatAGrpcRouteCannotServe()
    {
        const std::string grpc = m_fixture.talk(
            "POST /test.Plain/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n"
            "Content-Length: 0\r\n\r\n",
            "request_id"
        );
        QVERIFY2(grpc.find("HTTP/1.1 426 ") == 0, grpc.c_str());
        QVERIFY(grpc.find("Upgrade: HTTP/2\r\n") != std::string::npos);
        QVERIFY(grpc.find("Please use HTTP2 protocol") != std::string::npos);

        const std::string plain =
            m_fixture.talk("GET /test.Plain/Echo HTTP/1.1\r\nHost: a\r\n\r\n", "request_id");
        QVERIFY2(plain.find("HTTP/1.1 415 ") == 0, plain.c_str());
        QVERIFY(plain.find("Non-gRPC request matched gRPC route") != std::string::npos);
    }

private:
    bool write(const char* name, const std::string& text)
    {
        QFile file(m_directory.filePath(QString::fromLatin1(name)));
        return file.open(QIODevice::WriteOnly)
               && file.write(text.data(), static_cast<qint64>(text.size()))
                      == static_cast<qint64>(text.size());
    }

    QTemporaryDir m_directory;
    ProxyFixture m_fixture;
    PythonPeer m_peer;
    std::map<QString, QString> m_results;
};

QTEST_APPLESS_MAIN(GrpcClientsTest)
#include "grpc_clients_test.moc"
