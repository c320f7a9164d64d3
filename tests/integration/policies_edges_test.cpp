// Goal: where two policies meet, or one ends, nothing is lost, doubled or waited for without end.
// Method: each case is a sequence that once went wrong, over a real engine and real sockets.
#include "proxyengine/base/assert.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/sockets.h"
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <sys/socket.h>

#include <atomic>

using namespace mesh;
using namespace mesh::test;

namespace {

// Accepts by the kernel's queue alone, and never reads.
class DeafServer
{
public:
    DeafServer()
        : m_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const int small = 2048;
        ::setsockopt(m_socket.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        const auto any = net::SocketAddress::loopback(0).toNative();
        MESH_ASSERT(::bind(m_socket.get(), any.get(), any.length) == 0);
        MESH_ASSERT(::listen(m_socket.get(), 100) == 0);
    }
    [[nodiscard]] std::uint16_t port() const { return net::localAddress(m_socket.get()).port(); }

private:
    FileDescriptor m_socket;
};

} // namespace

class PoliciesEdgesTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // The deadline was the first service's; the fallback has none of its own.
    void theTimeoutHoldsForTheFallbackServiceToo()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: web\n  url: http://{}\n"
                "  resilience: {{timeout: 300ms, breaker: {{min_requests: 5, open: 60s, "
                "fallback: {{service: spare}}}}}}\n"
                "  routes:\n  - {{name: all, paths: [/]}}\n- name: spare\n  url: http://{}\n",
                mesh.servers[0]->address().toText(),
                mesh.servers[1]->address().toText()
            )),
            std::string()
        );
        mesh.servers[0]->behave(Fault::Unavailable);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 200; }));
        Behaviour slow;
        slow.delay = std::chrono::seconds(20);
        mesh.servers[1]->behave(slow);
        QCOMPARE(mesh.ask().status, 504);
        const auto reason = mesh.policyEvent("timed_out", "service:web");
        QVERIFY(reason && reason->find("300 ms") != std::string::npos);
    }

    // A broken connection makes room for the retry in the same turn.
    void aRetryAtTheLimitTakesThePlaceOfItsBrokenConnection()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml("", "  limits: {max_connections: 1, max_pending: 0}\n")),
            std::string()
        );
        std::atomic<int> asked{0};
        mesh.servers[0]->decide([&asked](const ReceivedRequest&) {
            Behaviour behaviour;
            behaviour.fault = asked++ == 0 ? Fault::ResetAtRequest : Fault::None;
            return behaviour;
        });
        QCOMPARE(mesh.ask().status, 200);
        QCOMPARE(asked.load(), 2);
        QVERIFY(!mesh.hasPolicyEvent("limit_reached"));
    }

    // One connection is allowed and kept for a target; a request for the other target gets it.
    void aKeptConnectionOfAnotherTargetMakesRoom()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "",
                "  algorithm: consistent-hashing\n  hash_on: path\n"
                "  limits: {max_connections: 1}\n"
            )),
            std::string()
        );
        for (int at = 0; at < 16; ++at) {
            QCOMPARE(mesh.ask(fmt::format("/{}", at)).status, 200);
        }
        QVERIFY(mesh.servers[0]->requests() > 0 && mesh.servers[1]->requests() > 0);
    }

    // The connection is kept by another worker, which gives it up.
    void aConnectionThatAnotherWorkerKeepsIsGivenUp()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(mesh.apply(mesh.webYaml("", "  limits: {max_connections: 1}\n")), std::string());
        // Many client connections, so that both workers have some.
        std::vector<std::unique_ptr<RawSocket>> clients;
        for (int at = 0; at < 8; ++at) {
            clients.push_back(std::make_unique<RawSocket>(mesh.proxy));
            RawSocket& client = *clients.back();
            client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            QVERIFY(runUntil(*mesh.loop, [&client] {
                client.receive();
                return client.heard().find("\r\n\r\n") != std::string_view::npos;
            }));
            QVERIFY(std::string(client.heard()).rfind("HTTP/1.1 200", 0) == 0);
        }
    }

    // The first server takes nothing of the body; the hedge has all of it.
    void aHedgeSendsTheWholeBodyOfARequestThatIsStuck()
    {
        const DeafServer deaf;
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n"
                "  resilience: {{timeout: 700ms, hedge: {{after: 50ms, max: 1}}, "
                "retry: {{on: [5xx], max_body_bytes: 10000000}}}}\n"
                "  routes:\n  - {{name: all, paths: [/]}}\nupstreams:\n- name: pool\n  targets:\n"
                "  - {{target: \"127.0.0.1:{}\", weight: 1000}}\n  - {{target: \"{}\", weight: "
                "1}}\n",
                deaf.port(),
                mesh.servers[0]->address().toText()
            )),
            std::string()
        );
        // Somewhere between these sizes the last bytes are cut and do not fit any more.
        for (std::size_t size = 2'150'000; size < 2'230'000; size += 8'000) {
            const LoadAnswer answer = mesh.ask("/", {}, std::string(size, 'b'), "PUT");
            if (answer.status == 200) {
                QCOMPARE(answer.header("X-Got"), std::to_string(size));
            }
        }
        const LoadAnswer small = mesh.ask("/", {}, std::string(50'000, 'b'), "PUT");
        QCOMPARE(small.status, 200);
        QCOMPARE(small.header("X-Got"), std::string("50000"));
    }
};

QTEST_APPLESS_MAIN(PoliciesEdgesTest)
#include "policies_edges_test.moc"
