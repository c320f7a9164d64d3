// Goal: stream routes by address and server name, TLS that passes or ends, PROXY headers in and
// out, UDP sessions.
// Method: raw sockets against an engine on loopback; targets are sockets of the test's own loop, or
//         nginx, HAProxy and openssl where another's word counts.
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/datagrams.h"
#include "proxyengine/tls/certificate.h"
#include "tests/support/hello_bytes.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/tls_client.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

// Keeps what its connections say; the test answers.
class Target final : public net::AcceptHandler
{
public:
    explicit Target(net::EventLoop& loop)
        : m_loop(loop)
        , m_acceptor(*net::Acceptor::listen(
              loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
          ))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        sockets.push_back(std::move(socket));
    }
    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }
    void receive()
    {
        std::array<char, 65536> buffer;
        for (const FileDescriptor& socket : sockets) {
            for (;;) {
                const net::IoStep step = net::readSome(socket.get(), buffer);
                hasEnded = hasEnded || step.status == net::IoStatus::Closed;
                wasReset = wasReset || step.status == net::IoStatus::Failed;
                if (step.status != net::IoStatus::Done) {
                    break;
                }
                heard.append(buffer.data(), step.count);
            }
        }
    }
    bool waitFor(std::string_view text)
    {
        return runUntil(m_loop, [&] {
            receive();
            return heard.find(text) != std::string::npos;
        });
    }
    bool waitForEnd()
    {
        return runUntil(m_loop, [&] {
            receive();
            return hasEnded || wasReset;
        });
    }
    void say(std::string_view text)
    {
        static_cast<void>(net::writeSome(sockets.front().get(), text));
    }

    std::vector<FileDescriptor> sockets;
    std::string heard;
    bool hasEnded = false;
    bool wasReset = false;

private:
    net::EventLoop& m_loop;
    std::unique_ptr<net::Acceptor> m_acceptor;
};

// Sends every datagram back to where it came from, with a word before it.
class UdpEcho
{
public:
    explicit UdpEcho(std::string word)
        : m_word(std::move(word))
        , m_socket(*net::bindDatagrams(net::SocketAddress::loopback(0)))
    {}
    [[nodiscard]] net::SocketAddress address() const { return net::localAddress(m_socket.get()); }
    void turn()
    {
        while (m_batch.receive(m_socket.get(), 0).status == net::IoStatus::Done) {
            for (const net::Datagram& item : m_batch.items()) {
                ++received;
                peers.insert(item.peer.toText());
                const std::string answer = m_word + std::string(item.bytes);
                const auto native = item.peer.toNative();
                static_cast<void>(::sendto(
                    m_socket.get(), answer.data(), answer.size(), 0, native.get(), native.length
                ));
            }
        }
    }
    std::set<std::string> peers;
    int received = 0;

private:
    std::string m_word;
    FileDescriptor m_socket;
    net::DatagramBatch m_batch;
};

struct UdpClient
{
    explicit UdpClient(const net::SocketAddress& address)
        : socket(*net::connectDatagrams(address))
    {}
    void say(std::string_view bytes) { static_cast<void>(net::writeSome(socket.get(), bytes)); }
    void receive()
    {
        std::array<char, 65536> buffer;
        for (;;) {
            const net::IoStep step = net::readSome(socket.get(), buffer);
            if (step.status != net::IoStatus::Done) {
                return;
            }
            heard.emplace_back(buffer.data(), step.count);
        }
    }
    FileDescriptor socket;
    std::vector<std::string> heard;
};

struct StreamFixture : ProxyFixture
{
    bool begin(std::vector<api::ListenOption> listeners)
    {
        options.streamListen = std::move(listeners);
        return start();
    }

    // One service and upstream of that name; `rest`: more fields of the service, with its routes.
    static std::string service(
        const std::string& name, const net::SocketAddress& target, const std::string& rest
    )
    {
        m_upstreams += fmt::format(
            "- name: {0}-pool\n  targets:\n  - {{target: \"{1}\"}}\n", name, target.toText()
        );
        return fmt::format("- name: {0}\n  host: {0}-pool\n  {1}\n", name, rest);
    }

    std::string applyServices(const std::string& services, const std::string& more = {})
    {
        return apply(
            "_format_version: \"3.0\"\nservices:\n" + services + "upstreams:\n"
            + std::exchange(m_upstreams, {}) + more
        );
    }

    template <typename Condition>
    bool counts(const Condition& condition)
    {
        return runUntil(*loop, [&] {
            return box.has<api::StatsEvent>([&](const api::StatsEvent& event) {
                return condition(*event.frame);
            });
        });
    }
    bool countsRow(
        const std::string& name, telemetry::EdgeProtocol protocol, std::size_t statusClass = 2
    )
    {
        return counts([&](const telemetry::StatsFrame& frame) {
            return std::ranges::any_of(frame.requests, [&](const telemetry::RequestSeries& row) {
                return row.service == name && row.protocol == protocol
                       && row.answers.at(statusClass) > 0;
            });
        });
    }

    inline static std::string m_upstreams;
};

std::string quoted(const std::string& pem)
{
    std::string out;
    for (const char c : pem) {
        out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return "\"" + out + "\"";
}

std::string certificateYaml(const std::string& name)
{
    const auto made = *tls::makeSelfSigned(name, SystemClock().wallNow(), std::chrono::hours(1));
    return fmt::format(
        "- cert: {}\n  key: {}\n  snis: [{{name: {}}}]\n",
        quoted(made.chainPem),
        quoted(made.keyPem),
        name
    );
}

std::string header2(const std::string& source, const std::string& destination)
{
    std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
    const auto from = *net::SocketAddress::parse(source);
    const auto to = *net::SocketAddress::parse(destination);
    for (const auto& address : {from, to}) {
        bytes.append(address.bytes().begin(), address.bytes().begin() + 4);
    }
    return bytes + number(from.port(), 2) + number(to.port(), 2);
}

// Another program on loopback, ended with the test.
class Program
{
public:
    bool start(const QString& program, const QStringList& arguments)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.start(program, arguments);
        return m_process.waitForStarted();
    }
    ~Program()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    QProcess& process() { return m_process; }

private:
    QProcess m_process;
};

std::uint16_t freePort()
{
    const auto socket = *net::listenOn(net::SocketAddress::loopback(0));
    return net::localAddress(socket.get()).port();
}

bool answersOn(net::EventLoop& loop, std::uint16_t port)
{
    return runUntil(loop, [&] {
        const auto socket = net::connectTo(net::SocketAddress::loopback(port));
        if (!socket) {
            return false;
        }
        loop.runTurn(std::chrono::milliseconds(20));
        return net::connectOutcome(socket->get()).has_value()
               && net::peerAddress(socket->get()).port() == port;
    });
}

} // namespace

class ProxyStreamsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sourcesAndAddressesChooseTheService();
    void aConnectionThatNoRouteTakesIsResetAndCounted();
    void tlsPassesToTheServerOfItsName();
    void theHelloPassesUntouchedInPieces();
    void anUnknownNameIsReset();
    void otherBytesGoToTheTcpRoute();
    void aSilentClientGoesToTheTcpRouteInTime();
    void aBrokenHelloIsResetAndCounted();
    void endedTlsIsRoutedByName();
    void tlsIsBegunToTheService();
    void aHeaderTellsWhoTheClientIs_data();
    void aHeaderTellsWhoTheClientIs();
    void aHeaderRoutesBySource();
    void aWrongHeaderIsResetAndCounted();
    void aHeaderThatDoesNotComeIsReset();
    void headersComeInPiecesBeforeTls();
    void theServiceIsToldOfItsClient_data();
    void theServiceIsToldOfItsClient();
    void haproxyTellsUsAndWeTellNginx();
    void opensslReachesTheServerOfItsName();
    void muchPassesBothWaysUnchanged();
    void aSlowReaderSlowsASplicedSender();
    void aResetIsPassedOn();
    void datagramsOfManyClientsFindTheirWayBack();
    void aSilentSessionEnds();
    void aTargetThatIsNotThereFails();
    void datagramsOfAllSizesPass();
};

void ProxyStreamsTest::sourcesAndAddressesChooseTheService()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}, {"0.0.0.0:0"}}));
    Target one(*mesh.loop);
    Target two(*mesh.loop);
    Target three(*mesh.loop);
    const std::uint16_t port = mesh.streams[0].port();
    const std::uint16_t wide = mesh.streams[1].port();
    QCOMPARE(
        mesh.applyServices(
            mesh.service(
                "one",
                one.address(),
                fmt::format(
                    "routes:\n  - {{name: r1, protocols: [tcp], destinations: [{{port: {}}}]}}",
                    port
                )
            )
            + mesh.service(
                "two",
                two.address(),
                fmt::format(
                    "routes:\n  - {{name: r2, protocols: [tcp], sources: [{{ip: 127.0.0.0/8}}], "
                    "destinations: [{{ip: 127.0.0.2, port: {}}}]}}",
                    wide
                )
            )
            + mesh.service(
                "three",
                three.address(),
                fmt::format(
                    "routes:\n  - {{name: r3, protocols: [tcp], destinations: [{{port: {}}}]}}",
                    wide
                )
            )
        ),
        std::string()
    );
    RawSocket first(mesh.streams[0]);
    RawSocket second(*net::SocketAddress::fromLiteral("127.0.0.2", wide));
    RawSocket third(*net::SocketAddress::fromLiteral("127.0.0.3", wide));
    QVERIFY(
        first.send(*mesh.loop, "1") && second.send(*mesh.loop, "2") && third.send(*mesh.loop, "3")
    );
    QVERIFY(one.waitFor("1") && two.waitFor("2") && three.waitFor("3"));
}

void ProxyStreamsTest::aConnectionThatNoRouteTakesIsResetAndCounted()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            "routes:\n  - {name: r, protocols: [tcp], sources: [{ip: 10.0.0.0/8}]}"
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(client.wasReset());
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.unrouted == 1; }));
}

namespace {

const std::string kPassing =
    "protocol: tcp\n  routes:\n  - {{name: {0}, protocols: [tls_passthrough], snis: [{1}]}}";

} // namespace

void ProxyStreamsTest::tlsPassesToTheServerOfItsName()
{
    StreamFixture back; // Two engines that end TLS stand behind ours.
    QVERIFY(back.begin({{"127.0.0.1:0", true}}));
    Target plain(*back.loop);
    QCOMPARE(
        back.applyServices(
            back.service(
                "inner",
                plain.address(),
                fmt::format(
                    "routes:\n  - {{name: r, protocols: [tls], destinations: [{{port: {}}}]}}",
                    back.streams[0].port()
                )
            ),
            "certificates:\n" + certificateYaml("a.example")
        ),
        std::string()
    );
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target other(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(
            mesh.service(
                "a", back.streams[0], fmt::format(fmt::runtime(kPassing), "ra", "a.example")
            )
            + mesh.service(
                "b", other.address(), fmt::format(fmt::runtime(kPassing), "rb", "\"*.b.example\"")
            )
        ),
        std::string()
    );
    std::optional<TlsClient> client(mesh.streams.front());
    QVERIFY(client->begin(*mesh.loop, "a.example"));
    QVERIFY(client->send(*mesh.loop, "through"));
    QVERIFY(runUntil(*back.loop, [&] {
        plain.receive();
        return plain.heard == "through";
    }));
    plain.say("and back");
    QVERIFY(client->waitFor(*mesh.loop, "and back"));
    QVERIFY(other.sockets.empty());
    plain.sockets.clear();
    QVERIFY(client->waitForCloseNotify(*mesh.loop));
    client.reset();
    QVERIFY(mesh.countsRow("a", telemetry::EdgeProtocol::TlsPassthrough));
    QVERIFY(back.countsRow("inner", telemetry::EdgeProtocol::Tls));
}

void ProxyStreamsTest::theHelloPassesUntouchedInPieces()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "b", target.address(), fmt::format(fmt::runtime(kPassing), "rb", "\"*.b.example\"")
        )),
        std::string()
    );
    const std::string message = helloMessage(nameExtension("x.b.example"));
    const std::string hello =
        inRecord(message.substr(0, 50)) + inRecord(message.substr(50)) + "early";
    RawSocket client(mesh.streams.front());
    for (std::size_t at = 0; at < hello.size(); at += 40) {
        QVERIFY(client.send(*mesh.loop, std::string_view(hello).substr(at, 40)));
        mesh.loop->runTurn(std::chrono::milliseconds(2));
    }
    QVERIFY(target.waitFor("early"));
    QCOMPARE(target.heard, hello);
    client.endSending();
    QVERIFY(target.waitForEnd());
    target.sockets.clear();
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(!client.wasReset());
    QVERIFY(mesh.box.has<api::AccessEvent>([](const api::AccessEvent& event) {
        return event.method == "TLS" && event.host == "x.b.example";
    }) || mesh.countsRow("b", telemetry::EdgeProtocol::TlsPassthrough));
}

void ProxyStreamsTest::anUnknownNameIsReset()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "a", target.address(), fmt::format(fmt::runtime(kPassing), "ra", "a.example")
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, inRecord(helloMessage(nameExtension("b.example")))));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(client.wasReset());
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.unrouted == 1; }));
}

namespace {

// A passing route and one for everything else on the same port.
std::string bothYaml(StreamFixture& mesh, const Target& passing, const Target& plain)
{
    return mesh.service(
               "a", passing.address(), fmt::format(fmt::runtime(kPassing), "ra", "a.example")
           )
           + mesh.service(
               "p",
               plain.address(),
               fmt::format(
                   "protocol: tcp\n  routes:\n  - {{name: rp, protocols: [tcp], destinations: "
                   "[{{port: {}}}]}}",
                   mesh.streams.front().port()
               )
           );
}

} // namespace

void ProxyStreamsTest::otherBytesGoToTheTcpRoute()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target passing(*mesh.loop);
    Target plain(*mesh.loop);
    QCOMPARE(mesh.applyServices(bothYaml(mesh, passing, plain)), std::string());
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "hello in the clear"));
    QVERIFY(plain.waitFor("hello in the clear"));
    RawSocket secret(mesh.streams.front());
    const std::string hello = inRecord(helloMessage(nameExtension("other.example")));
    QVERIFY(secret.send(*mesh.loop, hello));
    QVERIFY(plain.waitFor(hello)); // TLS of another name is TCP like any other.
    QVERIFY(passing.sockets.empty());
}

void ProxyStreamsTest::aSilentClientGoesToTheTcpRouteInTime()
{
    StreamFixture mesh;
    mesh.timeouts.streamPreface = std::chrono::milliseconds(50);
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target passing(*mesh.loop);
    Target plain(*mesh.loop);
    QCOMPARE(mesh.applyServices(bothYaml(mesh, passing, plain)), std::string());
    RawSocket client(mesh.streams.front());
    QVERIFY(runUntil(*mesh.loop, [&] { return plain.sockets.size() == 1; }));
    plain.say("the server speaks first");
    QVERIFY(client.waitFor(*mesh.loop, "the server speaks first"));
}

void ProxyStreamsTest::aBrokenHelloIsResetAndCounted()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target passing(*mesh.loop);
    Target plain(*mesh.loop);
    QCOMPARE(mesh.applyServices(bothYaml(mesh, passing, plain)), std::string());
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, inRecord(std::string("\x01\0\0\x04zzzz", 8))));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(client.wasReset());
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.hellosRefused == 1; }));
}

void ProxyStreamsTest::endedTlsIsRoutedByName()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0", true}}));
    Target one(*mesh.loop);
    Target two(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(
            mesh.service(
                "one",
                one.address(),
                "protocol: tcp\n  routes:\n  - {name: r1, protocols: [tls], snis: [one.example]}"
            )
                + mesh.service(
                    "two",
                    two.address(),
                    "protocol: tcp\n  routes:\n  - {name: r2, protocols: [tls], snis: "
                    "[two.example]}"
                ),
            "certificates:\n" + certificateYaml("one.example") + certificateYaml("two.example")
        ),
        std::string()
    );
    TlsClient client(mesh.streams.front());
    QVERIFY(client.begin(*mesh.loop, "two.example"));
    QVERIFY(client.send(*mesh.loop, "for two"));
    QVERIFY(two.waitFor("for two"));
    QVERIFY(one.sockets.empty());
    two.say("from two");
    QVERIFY(client.waitFor(*mesh.loop, "from two"));
}

void ProxyStreamsTest::tlsIsBegunToTheService()
{
    StreamFixture back;
    QVERIFY(back.begin({{"127.0.0.1:0", true}}));
    Target plain(*back.loop);
    QCOMPARE(
        back.applyServices(back.service(
            "inner",
            plain.address(),
            fmt::format(
                "routes:\n  - {{name: r, protocols: [tls], destinations: [{{port: {}}}]}}",
                back.streams[0].port()
            )
        )),
        std::string()
    );
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "outer",
            back.streams[0],
            fmt::format(
                "protocol: tls\n  routes:\n  - {{name: r, protocols: [tcp], destinations: [{{port: "
                "{}}}]}}",
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "wrapped on the way"));
    QVERIFY(runUntil(*back.loop, [&] {
        plain.receive();
        return plain.heard == "wrapped on the way";
    }));
    plain.say("answer");
    QVERIFY(client.waitFor(*mesh.loop, "answer"));
}

void ProxyStreamsTest::aHeaderTellsWhoTheClientIs_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<QByteArray>("client");
    QTest::newRow("version 1") << QByteArray("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n")
                               << QByteArray("192.0.2.7");
    QTest::newRow("version 2"
    ) << QByteArray::fromStdString(header2("192.0.2.8:4711", "198.51.100.1:80"))
      << QByteArray("192.0.2.8");
    QTest::newRow("local") << QByteArray("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)
                           << QByteArray("127.0.0.1");
}

// HTTP: what the service hears of the client, and what limits and logs are kept by.
void ProxyStreamsTest::aHeaderTellsWhoTheClientIs()
{
    QFETCH(const QByteArray, header);
    QFETCH(const QByteArray, client);
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    mesh.options.proxyListen = {listener};
    QVERIFY(mesh.start());
    std::string forwarded;
    const auto origin = mesh.serve([&](const http::Request& request, http::Responder responder) {
        forwarded = http::findHeader(request.headers, "x-forwarded-for").value_or("");
        http::Response response;
        response.body = "served";
        responder.send(response);
    });
    QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
    const std::string heard = mesh.talk(
        header.toStdString() + "GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "served"
    );
    QVERIFY2(heard.starts_with("HTTP/1.1 200"), heard.c_str());
    QCOMPARE(QByteArray::fromStdString(forwarded), client);
}

void ProxyStreamsTest::aHeaderRoutesBySource()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    Target one(*mesh.loop);
    Target two(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(
            mesh.service(
                "one",
                one.address(),
                "routes:\n  - {name: r1, protocols: [tcp], sources: [{ip: 192.0.2.0/24}]}"
            )
            + mesh.service(
                "two",
                two.address(),
                "routes:\n  - {name: r2, protocols: [tcp], destinations: [{ip: 198.51.100.9}]}"
            )
        ),
        std::string()
    );
    RawSocket first(mesh.streams.front());
    QVERIFY(first.send(*mesh.loop, header2("192.0.2.1:1000", "198.51.100.1:80") + "to one"));
    QVERIFY(one.waitFor("to one"));
    RawSocket second(mesh.streams.front());
    QVERIFY(second.send(*mesh.loop, header2("203.0.113.1:1000", "198.51.100.9:80") + "to two"));
    QVERIFY(two.waitFor("to two"));
    QCOMPARE(one.heard, std::string("to one"));
}

void ProxyStreamsTest::aWrongHeaderIsResetAndCounted()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    mesh.options.proxyListen = {listener};
    QVERIFY(mesh.start());
    RawSocket client(mesh.proxy);
    QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(client.wasReset());
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.headersRefused == 1; }));
}

void ProxyStreamsTest::aHeaderThatDoesNotComeIsReset()
{
    StreamFixture mesh;
    mesh.timeouts.streamPreface = std::chrono::milliseconds(50);
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "PROXY TCP4 "));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.headersRefused == 1; }));
}

void ProxyStreamsTest::headersComeInPiecesBeforeTls()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0", true};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            "routes:\n  - {name: r1, protocols: [tls], sources: [{ip: 192.0.2.0/24}]}"
        )),
        std::string()
    );
    TlsClient client(mesh.streams.front());
    const std::string header = header2("192.0.2.1:1000", "198.51.100.1:80");
    QVERIFY(runUntil(*mesh.loop, [&] {
        return net::connectOutcome(client.descriptor()).has_value()
               && net::writeSome(client.descriptor(), header.substr(0, 9)).count == 9;
    }));
    mesh.loop->runTurn(std::chrono::milliseconds(5));
    QCOMPARE(net::writeSome(client.descriptor(), header.substr(9)).count, header.size() - 9);
    QVERIFY(client.begin(*mesh.loop, "localhost"));
    QVERIFY(client.send(*mesh.loop, "behind both"));
    QVERIFY(target.waitFor("behind both"));
}

void ProxyStreamsTest::theServiceIsToldOfItsClient_data()
{
    QTest::addColumn<QByteArray>("version");
    QTest::newRow("version 1") << QByteArray("v1");
    QTest::newRow("version 2") << QByteArray("v2");
}

void ProxyStreamsTest::theServiceIsToldOfItsClient()
{
    QFETCH(const QByteArray, version);
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            fmt::format(
                "protocol: tcp\n  proxy_protocol: {}\n  routes:\n  - {{name: r, protocols: [tcp], "
                "destinations: [{{port: {}}}]}}",
                version.toStdString(),
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "payload"));
    QVERIFY(target.waitFor("payload"));
    const net::SocketAddress own = net::localAddress(client.descriptor());
    const std::string expected =
        version == "v1" ? fmt::format(
            "PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", own.port(), mesh.streams[0].port()
        )
                        : header2(own.toText(), mesh.streams[0].toText());
    QCOMPARE(target.heard, expected + "payload");
}

// The client's address survives three programs: HAProxy tells us, we tell nginx.
void ProxyStreamsTest::haproxyTellsUsAndWeTellNginx()
{
    const QString haproxy = QStringLiteral("/usr/sbin/haproxy");
    const QString nginx = QStringLiteral("/usr/sbin/nginx");
    QVERIFY2(QFile::exists(haproxy) && QFile::exists(nginx), "install haproxy and nginx-light");
    QTemporaryDir directory;
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    const std::uint16_t inner = freePort();
    const std::uint16_t outer = freePort();
    const auto write = [&](const char* name, const std::string& text) {
        QFile file(directory.filePath(QString::fromLatin1(name)));
        return file.open(QIODevice::WriteOnly)
               && file.write(QByteArray::fromStdString(text)) == qint64(text.size());
    };
    const std::string path = directory.path().toStdString();
    QVERIFY(write(
        "nginx.conf",
        fmt::format(
            "daemon off; pid {0}/nginx.pid; error_log stderr; events {{}}\n"
            "http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; "
            "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n"
            "server {{ listen 127.0.0.1:{1} proxy_protocol; location / {{ return 200 "
            "\"client=$proxy_protocol_addr:$proxy_protocol_port "
            "server=$proxy_protocol_server_port\\n\"; }} }} }}\n",
            path,
            inner
        )
    ));
    QVERIFY(write(
        "haproxy.cfg",
        fmt::format(
            "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
            "listen in\n bind 127.0.0.1:{}\n server us 127.0.0.1:{} send-proxy-v2\n",
            outer,
            mesh.streams[0].port()
        )
    ));
    Program back;
    Program front;
    QVERIFY(
        back.start(nginx, {QStringLiteral("-c"), directory.filePath(QStringLiteral("nginx.conf"))})
    );
    QVERIFY(front.start(
        haproxy, {QStringLiteral("-f"), directory.filePath(QStringLiteral("haproxy.cfg"))}
    ));
    for (const char* version : {"v1", "v2"}) {
        QCOMPARE(
            mesh.applyServices(mesh.service(
                "web",
                net::SocketAddress::loopback(inner),
                fmt::format(
                    "protocol: tcp\n  proxy_protocol: {}\n  routes:\n  - {{name: r, protocols: "
                    "[tcp], "
                    "sources: [{{ip: 127.0.0.0/8}}]}}",
                    version
                )
            )),
            std::string()
        );
        QVERIFY(answersOn(*mesh.loop, inner) && answersOn(*mesh.loop, outer));
        RawSocket client(net::SocketAddress::loopback(outer));
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.0\r\n\r\n"));
        const std::string expected = fmt::format(
            "client={} server={}", net::localAddress(client.descriptor()).toText(), outer
        );
        QVERIFY2(client.waitFor(*mesh.loop, expected), client.heard().c_str());
    }
}

// Two openssl servers behind one port; openssl's client asks for each by its name.
void ProxyStreamsTest::opensslReachesTheServerOfItsName()
{
    const QString openssl = QStringLiteral("/usr/bin/openssl");
    QVERIFY2(QFile::exists(openssl), "install openssl");
    QTemporaryDir directory;
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    std::string services;
    std::vector<std::unique_ptr<Program>> servers;
    for (const char* name : {"one.example", "two.example"}) {
        const auto made =
            *tls::makeSelfSigned(name, SystemClock().wallNow(), std::chrono::hours(1));
        const QString file = directory.filePath(QString::fromLatin1(name));
        QFile pem(file);
        QVERIFY(pem.open(QIODevice::WriteOnly));
        pem.write(QByteArray::fromStdString(made.chainPem + made.keyPem));
        pem.close();
        const std::uint16_t port = freePort();
        servers.push_back(std::make_unique<Program>());
        QVERIFY(servers.back()->start(
            openssl,
            {QStringLiteral("s_server"),
             QStringLiteral("-accept"),
             QStringLiteral("127.0.0.1:%1").arg(port),
             QStringLiteral("-cert"),
             file,
             QStringLiteral("-www"),
             QStringLiteral("-quiet")}
        ));
        QVERIFY(answersOn(*mesh.loop, port));
        services += mesh.service(
            std::string(name, 3),
            net::SocketAddress::loopback(port),
            fmt::format(fmt::runtime(kPassing), std::string(name, 3) + "-route", name)
        );
    }
    QCOMPARE(mesh.applyServices(services), std::string());
    for (const char* name : {"one.example", "two.example"}) {
        QProcess client;
        client.start(
            openssl,
            {QStringLiteral("s_client"),
             QStringLiteral("-connect"),
             QString::fromStdString(mesh.streams[0].toText()),
             QStringLiteral("-servername"),
             QString::fromLatin1(name),
             QStringLiteral("-verify_hostname"),
             QString::fromLatin1(name),
             QStringLiteral("-CAfile"),
             directory.filePath(QString::fromLatin1(name)),
             QStringLiteral("-verify_return_error")}
        );
        QVERIFY(client.waitForStarted());
        client.write("GET / HTTP/1.0\r\n\r\n");
        client.closeWriteChannel();
        QVERIFY(client.waitForFinished(5000));
        const QByteArray heard = client.readAllStandardOutput();
        QVERIFY2(heard.contains("Verify return code: 0 (ok)"), heard.constData());
        QVERIFY2(heard.contains(QByteArray("subject=CN = ") + name), heard.constData());
    }
}

// More than one burst by pipe, in both directions at once, with a half-close at the end.
void ProxyStreamsTest::muchPassesBothWaysUnchanged()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            fmt::format(
                "routes:\n  - {{name: r, protocols: [tcp], destinations: [{{port: {}}}]}}",
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    std::string up(24U << 20U, 'u');
    std::string down(16U << 20U, 'd');
    for (std::size_t at = 0; at < up.size(); at += 1000) {
        up[at] = static_cast<char>('a' + at / 1000 % 26);
    }
    for (std::size_t at = 0; at < down.size(); at += 777) {
        down[at] = static_cast<char>('A' + at / 777 % 26);
    }
    RawSocket client(mesh.streams.front());
    QVERIFY(runUntil(*mesh.loop, [&] { return target.sockets.size() == 1; }));
    std::string_view upLeft = up;
    std::string_view downLeft = down;
    QVERIFY(runUntil(
        *mesh.loop,
        [&] {
            upLeft.remove_prefix(net::writeSome(client.descriptor(), upLeft).count);
            downLeft.remove_prefix(net::writeSome(target.sockets.front().get(), downLeft).count);
            client.receive();
            target.receive();
            return upLeft.empty() && downLeft.empty() && client.heard().size() == down.size()
                   && target.heard.size() == up.size();
        },
        std::chrono::seconds(20)
    ));
    QVERIFY(client.heard() == down);
    QVERIFY(target.heard == up);
    client.endSending();
    QVERIFY(target.waitForEnd());
    target.say("after the end");
    QVERIFY(client.waitFor(*mesh.loop, "after the end"));
    target.sockets.clear();
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(!client.wasReset());
}

// Much comes fast, so that it goes by pipe; then nobody reads, and later everything arrives.
void ProxyStreamsTest::aSlowReaderSlowsASplicedSender()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            fmt::format(
                "routes:\n  - {{name: r, protocols: [tcp], destinations: [{{port: {}}}]}}",
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    const std::string block(1U << 20U, 'x');
    std::size_t sent = 0;
    QVERIFY(runUntil(*mesh.loop, [&] {
        sent += net::writeSome(client.descriptor(), block).count;
        target.receive();
        return sent > (16U << 20U);
    }));
    int refusals = 0;
    QVERIFY(runUntil(*mesh.loop, [&] {
        const std::size_t count = net::writeSome(client.descriptor(), block).count;
        sent += count;
        refusals = count == 0 ? refusals + 1 : 0;
        return refusals > 20;
    }));
    client.endSending();
    QVERIFY(runUntil(
        *mesh.loop,
        [&] {
            target.receive();
            return target.hasEnded;
        },
        std::chrono::seconds(20)
    ));
    QCOMPARE(target.heard.size(), sent);
    QVERIFY(!target.wasReset);
}

void ProxyStreamsTest::aResetIsPassedOn()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            fmt::format(
                "routes:\n  - {{name: r, protocols: [tcp], destinations: [{{port: {}}}]}}",
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "x"));
    QVERIFY(target.waitFor("x"));
    net::setResetOnClose(client.descriptor());
    client.close();
    QVERIFY(target.waitForEnd());
    QVERIFY(target.wasReset);
}

namespace {

std::string udpYaml(
    StreamFixture& mesh, const net::SocketAddress& target, const std::string& more = "retries: 0"
)
{
    return mesh.service(
        "names",
        target,
        fmt::format(
            "protocol: udp\n  {}\n  routes:\n  - {{name: r, protocols: [udp], destinations: "
            "[{{port: {}}}]}}",
            more,
            mesh.streams[0].port()
        )
    );
}

api::ListenOption udpListener(const char* address = "127.0.0.1:0")
{
    api::ListenOption option{address};
    option.udp = true;
    return option;
}

} // namespace

void ProxyStreamsTest::datagramsOfManyClientsFindTheirWayBack()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({udpListener("0.0.0.0:0")}));
    UdpEcho echo("re ");
    QCOMPARE(mesh.applyServices(udpYaml(mesh, echo.address())), std::string());
    std::vector<std::unique_ptr<UdpClient>> clients;
    for (std::size_t at = 0; at < 50; ++at) {
        // Answers must come from the address that was asked, or these sockets would not hear them.
        const std::string host = at % 2 == 0 ? "127.0.0.1" : "127.0.0.9";
        clients.push_back(std::make_unique<UdpClient>(
            *net::SocketAddress::fromLiteral(host, mesh.streams[0].port())
        ));
    }
    for (int round = 0; round < 3; ++round) {
        for (std::size_t at = 0; at < clients.size(); ++at) {
            clients[at]->say(fmt::format("{}.{}", at, round));
        }
        QVERIFY(runUntil(*mesh.loop, [&] {
            echo.turn();
            return std::ranges::all_of(clients, [&](const auto& client) {
                client->receive();
                return client->heard.size() == static_cast<std::size_t>(round) + 1;
            });
        }));
    }
    for (std::size_t at = 0; at < clients.size(); ++at) {
        QCOMPARE(clients[at]->heard.back(), fmt::format("re {}.2", at));
    }
    QCOMPARE(echo.peers.size(), std::size_t{50}); // Each session has a socket of its own.
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    QVERIFY(runUntil(*mesh.loop, [&] {
        in = out = 0;
        mesh.box.takeAll();
        for (const api::Event& event : mesh.box.events) {
            if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                in += stats->frame->streams.datagramsIn;
                out += stats->frame->streams.datagramsOut;
            }
        }
        return in == 150 && out == 150;
    }));
    QVERIFY(mesh.counts([](const telemetry::StatsFrame& frame) {
        return std::ranges::any_of(frame.requests, [](const auto& row) {
            return row.protocol == telemetry::EdgeProtocol::Udp && row.inflight == 50;
        });
    }));
}

void ProxyStreamsTest::aSilentSessionEnds()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({udpListener()}));
    UdpEcho echo("");
    QCOMPARE(mesh.applyServices(udpYaml(mesh, echo.address(), "read_timeout: 50")), std::string());
    UdpClient client(mesh.streams.front());
    const auto ask = [&](std::size_t answers) {
        client.say("x");
        return runUntil(*mesh.loop, [&] {
            echo.turn();
            client.receive();
            return client.heard.size() == answers;
        });
    };
    QVERIFY(ask(1));
    QVERIFY(mesh.countsRow("names", telemetry::EdgeProtocol::Udp));
    QVERIFY(ask(2)); // A new session, from another port of ours.
    QCOMPARE(echo.peers.size(), std::size_t{2});
}

void ProxyStreamsTest::aTargetThatIsNotThereFails()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({udpListener()}));
    auto echo = std::make_unique<UdpEcho>("");
    const net::SocketAddress gone = echo->address();
    echo.reset();
    QCOMPARE(mesh.applyServices(udpYaml(mesh, gone)), std::string());
    UdpClient client(mesh.streams.front());
    client.say("anybody?");
    QVERIFY(mesh.countsRow("names", telemetry::EdgeProtocol::Udp, 5));
    QVERIFY(mesh.counts([](const telemetry::StatsFrame& frame) {
        return std::ranges::any_of(frame.attempts, [](const auto& row) {
            return row.connectFailures == 1;
        });
    }));
}

void ProxyStreamsTest::datagramsOfAllSizesPass()
{
    StreamFixture mesh;
    QVERIFY(mesh.begin({udpListener()}));
    UdpEcho echo("");
    QCOMPARE(mesh.applyServices(udpYaml(mesh, echo.address())), std::string());
    UdpClient client(mesh.streams.front());
    std::size_t answers = 0;
    for (const std::size_t size :
         {std::size_t{0},
          std::size_t{1},
          std::size_t{1472},
          std::size_t{9000},
          std::size_t{65'507}}) {
        const std::string bytes(size, 'x');
        QCOMPARE(::send(client.socket.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
        ++answers;
        if (size == 0) { // readSome() takes an empty datagram for an end; the echo has heard it.
            QVERIFY(runUntil(*mesh.loop, [&] {
                echo.turn();
                return echo.received == 1;
            }));
            --answers;
            continue;
        }
        QVERIFY2(
            runUntil(
                *mesh.loop,
                [&] {
                    echo.turn();
                    client.receive();
                    return client.heard.size() == answers;
                }
            ),
            qPrintable(QString::number(size))
        );
        QCOMPARE(client.heard.back().size(), size);
    }
}

QTEST_APPLESS_MAIN(ProxyStreamsTest)
#include "proxy_streams_test.moc"
