// Goal: UDP sessions: every datagram finds its target and its way back, sessions end.
// Method: datagrams on loopback against an engine; the target echoes them.
#include "proxyengine/net/datagrams.h"
#include "tests/support/stream_fixture.h"

#include <QTest>

#include <sys/socket.h>

#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

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

} // namespace

class ProxyUdpTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void datagramsOfManyClientsFindTheirWayBack();
    void aSilentSessionEnds();
    void aTargetThatIsNotThereFails();
    void datagramsOfAllSizesPass();
};

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

void ProxyUdpTest::datagramsOfManyClientsFindTheirWayBack()
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

void ProxyUdpTest::aSilentSessionEnds()
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

void ProxyUdpTest::aTargetThatIsNotThereFails()
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

void ProxyUdpTest::datagramsOfAllSizesPass()
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

QTEST_APPLESS_MAIN(ProxyUdpTest)
#include "proxy_udp_test.moc"
