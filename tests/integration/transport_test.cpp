// Goal: what is written in parts arrives in order, however the socket blocks and however the caller
// cuts the rest, and small parts share a TLS record.
// Method: a socket pair with little room; the reader takes random amounts, the writer offers what
// was not taken in other parts each time. Seeds are printed.
#include "proxyengine/proxy/transport.h"

#include "proxyengine/base/random.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/context.h"

#include <QTest>

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

namespace mesh::proxy {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'500'000'000)};
constexpr Duration kThirtyYears = std::chrono::hours(24 * 365 * 30); // Valid whenever this runs.

enum class Wire : std::uint8_t { Plain, Tls };

struct Ends
{
    Transport sender;
    Transport receiver;
};

// Connected, the handshake done.
Ends connectEnds(Wire wire)
{
    std::array<int, 2> sockets{};
    static_cast<void>(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()));
    const int room = 8192;
    ::setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    Ends ends{Transport(FileDescriptor(sockets[0])), Transport(FileDescriptor(sockets[1]))};
    if (wire == Wire::Tls) {
        const tls::CertificateText certificate = *tls::makeSelfSigned("a.test", kNow, kThirtyYears);
        const auto server = *tls::ServerContext::make({certificate}, tls::Http2Offer::No);
        tls::ClientOptions options;
        options.verify = tls::VerifyPeer::No;
        const auto client = *tls::ClientContext::make(options);
        ends.sender.setTls(*tls::TlsStream::server(*server, sockets[0]));
        ends.receiver.setTls(*tls::TlsStream::client(*client, sockets[1], "a.test"));
        for (int step = 0; step < 20; ++step) {
            static_cast<void>(ends.receiver.handshake());
            static_cast<void>(ends.sender.handshake());
        }
    }
    return ends;
}

std::string someText(std::size_t size, Random& random)
{
    std::string text(size, ' ');
    for (char& letter : text) {
        letter = static_cast<char>('a' + random.below(26));
    }
    return text;
}

// The next bytes of `text` after `from`, in up to four parts, some of them empty.
std::vector<iovec> cut(std::string& text, std::size_t from, Random& random)
{
    std::vector<iovec> parts;
    for (std::uint64_t count = 1 + random.below(4); count > 0 && from < text.size(); --count) {
        const std::size_t most = random.below(3) == 0 ? 40'000 : 300;
        const std::size_t size = std::min<std::size_t>(random.below(most), text.size() - from);
        parts.push_back({text.data() + from, size});
        from += size;
    }
    return parts;
}

} // namespace

class TransportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bytesArriveInOrderHoweverTheyAreCut_data();
    void bytesArriveInOrderHoweverTheyAreCut();
    void smallPartsShareARecord();
    void aHeadOfferedAloneAfterABlockIsNotSentTwice();
};

void TransportTest::bytesArriveInOrderHoweverTheyAreCut_data()
{
    QTest::addColumn<bool>("isTls");
    QTest::addColumn<quint64>("seed");
    for (quint64 seed = 1; seed <= 8; ++seed) {
        QTest::addRow("plain, seed %llu", seed) << false << seed;
        QTest::addRow("TLS, seed %llu", seed) << true << seed;
    }
}

void TransportTest::bytesArriveInOrderHoweverTheyAreCut()
{
    QFETCH(const bool, isTls);
    QFETCH(const quint64, seed);
    Random random(Seed{seed});
    Ends ends = connectEnds(isTls ? Wire::Tls : Wire::Plain);
    std::string sent = someText(400'000, random);
    std::string received;
    std::vector<char> buffer(32'768);
    std::size_t from = 0;
    int blocks = 0;

    for (int step = 0; step < 100'000 && received.size() < sent.size(); ++step) {
        const std::vector<iovec> parts = cut(sent, from, random);
        const Transport::Step wrote = ends.sender.write(parts);
        QVERIFY(wrote.status == net::IoStatus::Done || wrote.status == net::IoStatus::WouldBlock);
        from += wrote.count;
        blocks += wrote.mayHaveMore ? 0 : 1;
        if (random.below(3) == 0) {
            const Transport::Step read =
                ends.receiver.read(std::span(buffer).first(1 + random.below(buffer.size())));
            received.append(buffer.data(), read.count);
        }
    }

    QVERIFY(blocks > 0);
    QVERIFY(received == sent);
}

void TransportTest::smallPartsShareARecord()
{
    Ends ends = connectEnds(Wire::Tls);
    std::array<char, 4096> buffer{};
    static_cast<void>(ends.receiver.read(buffer)); // The ticket.
    std::string head(200, 'h');
    std::string body(300, 'b');
    const std::array<iovec, 2> parts = {
        iovec{head.data(), head.size()}, iovec{body.data(), body.size()}};

    const Transport::Step wrote = ends.sender.write(parts);

    QVERIFY(wrote.status == net::IoStatus::Done && wrote.mayHaveMore);
    QCOMPARE(wrote.count, std::size_t{500});
    const ssize_t onWire = ::recv(ends.receiver.descriptor(), buffer.data(), 4096, MSG_PEEK);
    QCOMPARE(onWire, ssize_t{5 + 500 + 1 + 16}); // Header, both, kind of content, tag.
    const Transport::Step read = ends.receiver.read(buffer);
    QCOMPARE(std::string(buffer.data(), read.count), head + body);
}

void TransportTest::aHeadOfferedAloneAfterABlockIsNotSentTwice()
{
    Ends ends = connectEnds(Wire::Tls);
    std::string filler(200'000, 'f');
    const std::array<iovec, 1> stuffing = {iovec{filler.data(), filler.size()}};
    const std::size_t stuffed = ends.sender.write(stuffing).count;
    std::string rest = filler.substr(stuffed);
    QVERIFY(!rest.empty());

    // Blocked in the middle of the filler: its rest, then head and body, then what is left of them.
    std::string body(9'000, 'b');
    std::string expected = filler + body;
    std::string received;
    std::vector<char> buffer(32'768);
    std::string waiting = rest + body;
    for (int step = 0; step < 10'000 && received.size() < expected.size(); ++step) {
        const std::size_t first = std::min<std::size_t>(waiting.size(), step % 2 == 0 ? 100 : 50);
        const std::array<iovec, 2> parts = {
            iovec{waiting.data(), first},
            iovec{waiting.data() + first, step % 3 == 0 ? waiting.size() - first : 0}};
        waiting.erase(0, ends.sender.write(parts).count);
        received.append(buffer.data(), ends.receiver.read(buffer).count);
    }

    QVERIFY(received == expected);
}

} // namespace mesh::proxy

QTEST_APPLESS_MAIN(mesh::proxy::TransportTest)
#include "transport_test.moc"
