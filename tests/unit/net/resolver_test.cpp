// Goal: names become addresses once per TTL, failures are told and remembered, queries can end.
// Method: a name server of our own on a UDP socket of the same loop.
#include "proxyengine/net/resolver.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/net/event_loop.h"
#include "tests/support/loopback.h"

#include <QTest>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace mesh::net {
namespace {

// Answers A queries for "shop.test" with 10.9.8.7 and a TTL; everything else does not exist.
class NameServer final : public FdHandler
{
public:
    explicit NameServer(EventLoop& loop)
        : m_loop(loop)
        , m_socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
    {
        const auto native = SocketAddress::loopback(0).toNative();
        isUp = ::bind(m_socket.get(), native.get(), native.length) == 0
               && loop.watchLevel(m_socket.get(), *this, LevelInterest::Read).has_value();
    }
    ~NameServer() { m_loop.unwatch(m_socket.get(), *this); }

    [[nodiscard]] std::string address() const { return localAddress(m_socket.get()).toText(); }

    void onReady(Ready) override
    {
        std::array<char, 512> packet{};
        sockaddr_storage from{};
        socklen_t length = sizeof(from);
        auto* const peer = reinterpret_cast<sockaddr*>(&from);
        const ssize_t size =
            ::recvfrom(m_socket.get(), packet.data(), packet.size(), 0, peer, &length);
        constexpr std::size_t kHeaderSize = 12;
        if (size < static_cast<ssize_t>(kHeaderSize) || isMute) {
            return;
        }
        ++queries;
        std::size_t nameEnd = kHeaderSize;
        while (packet[nameEnd] != 0) {
            nameEnd += static_cast<std::size_t>(packet[nameEnd]) + 1;
        }
        const std::size_t questionEnd = nameEnd + 5;
        const bool isKnown = std::memcmp(packet.data() + kHeaderSize, "\4shop\4test", 11) == 0;
        const bool isIp4 = packet[nameEnd + 2] == 1;
        std::string answer(packet.data(), questionEnd);
        answer[2] = static_cast<char>(0x81);
        answer[3] = static_cast<char>(isKnown ? 0x80 : 0x83);
        std::memset(answer.data() + 6, 0, 6);
        if (isKnown && isIp4) {
            answer[7] = 1;
            answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\x09\x08\x07", 16);
        }
        static_cast<void>(::sendto(m_socket.get(), answer.data(), answer.size(), 0, peer, length));
    }

    int queries = 0;
    bool isUp = false;
    bool isMute = false;

private:
    EventLoop& m_loop;
    FileDescriptor m_socket;
};

struct Fixture
{
    SystemClock clock;
    std::unique_ptr<EventLoop> loop = *EventLoop::make(clock);
    NameServer server{*loop};
    std::unique_ptr<Resolver> resolver;

    explicit Fixture(Duration timeout = std::chrono::seconds(2))
    {
        ResolverOptions options;
        options.servers = {server.address()};
        options.timeout = timeout;
        resolver = *Resolver::make(*loop, options);
    }

    std::string ask(std::string_view name)
    {
        std::optional<Result<std::vector<SocketAddress>>> answer;
        resolver->resolve(name, 80, [&](const Result<std::vector<SocketAddress>>& found) {
            answer = found;
        });
        if (!test::runUntil(*loop, [&] { return answer.has_value(); })) {
            return "no answer";
        }
        return *answer ? (**answer).front().toText() : std::string(toText((*answer).error().code));
    }
};

} // namespace

class ResolverTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsLiteralsAndLocalhostWithoutAQuery();
    void asksOncePerTtl();
    void remembersThatANameDoesNotExist();
    void isSilentAfterCancel();
    void tellsWhenNobodyAnswers();
    void canEndWithQueriesOpen();
};

void ResolverTest::knowsLiteralsAndLocalhostWithoutAQuery()
{
    Fixture fixture;
    QVERIFY(fixture.server.isUp);

    QCOMPARE(fixture.ask("10.0.0.1"), std::string("10.0.0.1:80"));
    QCOMPARE(fixture.ask("::1"), std::string("[::1]:80"));
    QCOMPARE(fixture.ask("localhost"), std::string("127.0.0.1:80"));
    QCOMPARE(fixture.server.queries, 0);
}

void ResolverTest::asksOncePerTtl()
{
    Fixture fixture;

    QCOMPARE(fixture.ask("shop.test"), std::string("10.9.8.7:80"));
    const int queries = fixture.server.queries;
    QVERIFY(queries > 0);
    QCOMPARE(fixture.ask("SHOP.test"), std::string("10.9.8.7:80"));

    QCOMPARE(fixture.server.queries, queries);
    QCOMPARE(fixture.resolver->cachedNames(), std::size_t{1});
}

void ResolverTest::remembersThatANameDoesNotExist()
{
    Fixture fixture;

    QCOMPARE(fixture.ask("nobody.test"), std::string("dns"));
    const int queries = fixture.server.queries;
    QCOMPARE(fixture.ask("nobody.test"), std::string("dns"));

    QCOMPARE(fixture.server.queries, queries);
}

void ResolverTest::isSilentAfterCancel()
{
    Fixture fixture;
    int answers = 0;
    const auto first =
        fixture.resolver->resolve("shop.test", 80, [&](const auto&) { answers += 100; });
    fixture.resolver->resolve("shop.test", 81, [&](const auto&) { ++answers; });

    fixture.resolver->cancel(first);

    QVERIFY(test::runUntil(*fixture.loop, [&] { return answers > 0; }));
    QCOMPARE(answers, 1);
}

void ResolverTest::tellsWhenNobodyAnswers()
{
    Fixture fixture(std::chrono::milliseconds(20));
    fixture.server.isMute = true;

    QCOMPARE(fixture.ask("shop.test"), std::string("timeout"));
}

void ResolverTest::canEndWithQueriesOpen()
{
    Fixture fixture;
    int answers = 0;
    fixture.server.isMute = true;
    fixture.resolver->resolve("shop.test", 80, [&](const auto&) { ++answers; });

    fixture.resolver.reset();
    fixture.loop->runTurn(Duration::zero());

    QCOMPARE(answers, 0);
}

} // namespace mesh::net

QTEST_APPLESS_MAIN(mesh::net::ResolverTest)
#include "resolver_test.moc"
