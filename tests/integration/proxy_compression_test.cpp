// Goal: answers are compressed exactly when configuration, answer and client agree, and read as
// what they were. Method: a real engine before an origin of the test; gzip read back by zlib,
// brotli by its own decoder.
#include "tests/support/proxy_fixture.h"
#include "tests/support/talking_server.h"

#include <QTest>

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <brotli/decode.h>
#include <zlib.h>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kText = "text/html; charset=utf-8";

std::string gunzipped(std::string bytes)
{
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::string out(bytes.size() * 200 + 4096, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    static_cast<void>(inflate(&stream, Z_SYNC_FLUSH));
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::string unbrotlied(std::string_view bytes)
{
    using StatePtr = std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)>;
    const StatePtr state(
        BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance
    );
    std::size_t left = bytes.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::string out;
    std::array<std::uint8_t, 65536> room{};
    do {
        std::size_t roomLeft = room.size();
        std::uint8_t* to = room.data();
        static_cast<void>(
            BrotliDecoderDecompressStream(state.get(), &left, &from, &roomLeft, &to, nullptr)
        );
        out.append(room.begin(), room.end() - static_cast<std::ptrdiff_t>(roomLeft));
    } while (BrotliDecoderHasMoreOutput(state.get()) == BROTLI_TRUE);
    return out;
}

// Words that say little of each other, so that their compression is long.
std::string wordsOf(std::size_t size)
{
    Random random(Seed{11});
    std::vector<std::string> words(4096);
    for (std::string& word : words) {
        for (int at = 0; at < 5; ++at) {
            word += static_cast<char>('a' + random.below(26));
        }
    }
    std::string text;
    while (text.size() < size) {
        text += words[random.below(words.size())] + " ";
    }
    return text;
}

// A socket with so little room that whoever writes to it soon has to wait.
FileDescriptor narrowSocket(const net::SocketAddress& address)
{
    FileDescriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int room = 4096;
    const int segment = 536;
    ::setsockopt(made.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    ::setsockopt(made.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
    const auto native = address.toNative();
    static_cast<void>(::connect(made.get(), native.get(), native.length));
    return made;
}

// The content of a chunked body as far as it has come.
std::string dechunked(std::string_view body)
{
    std::string out;
    while (!body.empty()) {
        const std::size_t end = body.find("\r\n");
        if (end == std::string_view::npos) {
            break;
        }
        const auto size = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
        body = size == 0 ? std::string_view() : body;
        out.append(body.substr(std::min(body.size(), end + 2), size));
        body.remove_prefix(std::min(body.size(), end + 2 + size + 2));
    }
    return out;
}

std::string bodyOf(const std::string& answer)
{
    const std::size_t at = answer.find("\r\n\r\n");
    return at == std::string::npos ? std::string() : answer.substr(at + 4);
}

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

std::string yamlOf(const net::SocketAddress& origin, std::string_view compression)
{
    return fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: 127.0.0.1\n  port: {}\n{}"
        "  routes: [{{name: all, paths: [\"/\"]}}]\n",
        origin.port(),
        compression
    );
}

std::string get(std::string_view fields)
{
    return fmt::format("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", fields);
}

// What the frames have counted since they were asked last: bytes before and after compression.
std::pair<std::uint64_t, std::uint64_t> takeCompressed(ProxyFixture& f)
{
    std::pair<std::uint64_t, std::uint64_t> sums{};
    f.box.takeAll();
    for (const api::Event& event : f.box.events) {
        if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
            sums.first += stats->frame->compressedFrom;
            sums.second += stats->frame->compressedTo;
        }
    }
    f.box.events.clear();
    return sums;
}

} // namespace

class ProxyCompressionTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void compressesWhatIsBothConfiguredAndAccepted_data()
    {
        QTest::addColumn<QByteArray>("configured");
        QTest::addColumn<QByteArray>("asked");
        QTest::addColumn<QByteArray>("answered"); // Fields of the origin.
        QTest::addColumn<QByteArray>("coding"); // Of the answer; empty: as it is.
        QTest::addColumn<bool>("varies");
        const QByteArray on = "  compression: {}\n";
        const QByteArray html = "Content-Type: text/html\r\n";
        QTest::newRow("off") << QByteArray() << QByteArray("Accept-Encoding: gzip\r\n") << html
                             << QByteArray() << false;
        QTest::newRow("gzip") << on << QByteArray("Accept-Encoding: gzip\r\n") << html
                              << QByteArray("gzip") << true;
        QTest::newRow("the first of equals") << on << QByteArray("Accept-Encoding: gzip, br\r\n")
                                             << html << QByteArray("br") << true;
        QTest::newRow("the better liked") << on << QByteArray("Accept-Encoding: gzip, br;q=0.9\r\n")
                                          << html << QByteArray("gzip") << true;
        QTest::newRow("nothing accepted") << on << QByteArray() << html << QByteArray() << true;
        QTest::newRow("as it is, rather")
            << on << QByteArray("Accept-Encoding: gzip;q=0.5, identity\r\n") << html << QByteArray()
            << true;
        QTest::newRow("encoded already") << on << QByteArray("Accept-Encoding: gzip\r\n")
                                         << html + "Content-Encoding: deflate\r\n"
                                         << QByteArray("deflate") << false;
        QTest::newRow("not to be changed") << on << QByteArray("Accept-Encoding: gzip\r\n")
                                           << html + "Cache-Control: public, no-transform\r\n"
                                           << QByteArray() << false;
        QTest::newRow("another type")
            << on << QByteArray("Accept-Encoding: gzip\r\n")
            << QByteArray("Content-Type: image/png\r\n") << QByteArray() << false;
        QTest::newRow("a range") << on
                                 << QByteArray("Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n")
                                 << html << QByteArray() << true;
        QTest::newRow("too short")
            << QByteArray("  compression: {min_content_length: 100000}\n")
            << QByteArray("Accept-Encoding: gzip\r\n") << html << QByteArray() << false;
        QTest::newRow("with an ETag, left")
            << QByteArray("  compression: {disable_on_etag_header: true}\n")
            << QByteArray("Accept-Encoding: gzip\r\n") << html + "ETag: \"1\"\r\n"
            << QByteArray() << false;
        QTest::newRow("only brotli offered")
            << QByteArray("  compression: {codings: [br]}\n")
            << QByteArray("Accept-Encoding: gzip\r\n") << html << QByteArray() << true;
    }
    void compressesWhatIsBothConfiguredAndAccepted()
    {
        QFETCH(QByteArray, configured);
        QFETCH(QByteArray, asked);
        QFETCH(QByteArray, answered);
        QFETCH(QByteArray, coding);
        QFETCH(bool, varies);
        ProxyFixture f;
        QVERIFY(f.start());
        const std::string text(5000, 'm');
        const auto origin = f.serve([&](const http::Request&, http::Responder reply) {
            http::Response response;
            for (QByteArray line : answered.split('\n')) {
                const QList<QByteArray> parts = line.trimmed().split(':');
                if (parts.size() == 2) {
                    response.headers.push_back(
                        {parts[0].toStdString(), parts[1].trimmed().toStdString()}
                    );
                }
            }
            response.body = text;
            reply.send(response);
        });
        QCOMPARE(f.apply(yamlOf(origin->address(), configured.toStdString())), std::string());

        RawSocket client(f.proxy);
        client.send(*f.loop, get(asked.toStdString()));
        QVERIFY(client.waitForEnd(*f.loop));

        const std::string heard = client.heard();
        QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
        QCOMPARE(holds(heard, "Vary: Accept-Encoding\r\n"), varies);
        const std::string field = "Content-Encoding: " + coding.toStdString() + "\r\n";
        QCOMPARE(holds(heard, "Content-Encoding: "), !coding.isEmpty());
        QVERIFY(coding.isEmpty() || holds(heard, field));
        if (coding == "gzip") {
            QVERIFY(holds(heard, "Transfer-Encoding: chunked\r\n"));
            QVERIFY(!holds(heard, "Content-Length"));
            QCOMPARE(gunzipped(dechunked(bodyOf(heard))), text);
            QVERIFY(heard.size() < 1000);
        } else if (coding.isEmpty()) {
            QCOMPARE(bodyOf(heard), text);
        }
    }

    void weakensETagsAndKeepsVary()
    {
        ProxyFixture f;
        QVERIFY(f.start());
        const auto origin = f.serve([](const http::Request&, http::Responder reply) {
            http::Response response;
            response.headers = {
                {"Content-Type", std::string(kText)},
                {"ETag", "\"abc\""},
                {"Vary", "Origin"},
                {"Accept-Ranges", "bytes"}};
            response.body = std::string(300, 'x');
            reply.send(response);
        });
        QCOMPARE(f.apply(yamlOf(origin->address(), "  compression: {}\n")), std::string());

        const std::string heard = f.talk(get("Accept-Encoding: gzip\r\n"), "0\r\n\r\n");

        QVERIFY2(holds(heard, "ETag: W/\"abc\"\r\n"), heard.c_str());
        QVERIFY(holds(heard, "Vary: Origin, Accept-Encoding\r\n"));
        QVERIFY(!holds(heard, "Accept-Ranges"));
    }

    // Caches take the fields of HEAD and 304 for those of the answer with a body.
    void headAndNotModifiedHaveTheFieldsOfABody_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QByteArray>("answer"); // Of the origin.
        QTest::addColumn<QByteArray>("asked");
        QTest::addColumn<bool>("varies");
        QTest::addColumn<bool>("isCoded");
        const QByteArray gzip = "Accept-Encoding: gzip\r\n";
        const QByteArray html = "Content-Type: text/html\r\n";
        const QByteArray found = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n";
        const QByteArray same = "HTTP/1.1 304 Not Modified\r\n";
        const QByteArray head = "HEAD";
        const QByteArray get = "GET";
        QTest::newRow("HEAD") << head << found + html << gzip << true << true;
        QTest::newRow("HEAD, not accepted")
            << head << found + html << QByteArray() << true << false;
        QTest::newRow("HEAD, another type") << head << found + "Content-Type: image/png\r\n"
                                            << gzip << false << false;
        QTest::newRow("HEAD, short")
            << head << "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + html << gzip << false << false;
        QTest::newRow("304") << get << same + html << gzip << true << true;
        QTest::newRow("304 without a type") << get << same << gzip << true << true;
        QTest::newRow("304, not accepted") << get << same << QByteArray() << true << false;
        QTest::newRow("304, another type") << get << same + "Content-Type: image/png\r\n"
                                           << gzip << false << false;
        QTest::newRow("204") << get << QByteArray("HTTP/1.1 204 No Content\r\n") + html << gzip
                             << false << false;
    }
    void headAndNotModifiedHaveTheFieldsOfABody()
    {
        QFETCH(const QByteArray, method);
        QFETCH(const QByteArray, answer);
        QFETCH(const QByteArray, asked);
        QFETCH(const bool, varies);
        QFETCH(const bool, isCoded);
        ProxyFixture f;
        QVERIFY(f.start());
        std::string heardByOrigin;
        TalkingServer origin(*f.loop, nullptr, [&] {
            return std::make_unique<CannedTalk>(
                answer.toStdString() + "ETag: \"1\"\r\n\r\n", heardByOrigin
            );
        });
        QCOMPARE(f.apply(yamlOf(origin.address(), "  compression: {}\n")), std::string());
        RawSocket client(f.proxy);
        client.send(
            *f.loop,
            fmt::format(
                "{} /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n",
                method.toStdString(),
                asked.toStdString()
            )
        );
        QVERIFY(client.waitForEnd(*f.loop));

        const std::string& heard = client.heard();
        QVERIFY2(heard.ends_with("\r\n\r\n"), heard.c_str());
        QVERIFY(heard.substr(0, 12) == answer.toStdString().substr(0, 12));
        QVERIFY2(holds(heard, "Vary: Accept-Encoding\r\n") == varies, heard.c_str());
        QVERIFY2(holds(heard, "ETag: W/\"1\"\r\n") == isCoded, heard.c_str());
        QCOMPARE(holds(heard, "ETag: \"1\"\r\n"), !isCoded);
        const bool isHead = method == "HEAD";
        QCOMPARE(holds(heard, "Content-Encoding: gzip\r\n"), isHead && isCoded);
        QCOMPARE(holds(heard, "Content-Length: "), isHead && !isCoded);
        QVERIFY(!holds(heard, "Transfer-Encoding"));
    }

    // A route's word wins over its service's.
    void isDecidedByTheRouteFirst()
    {
        ProxyFixture f;
        QVERIFY(f.start());
        const auto origin = f.serve([](const http::Request&, http::Responder reply) {
            http::Response response;
            response.headers = {{"Content-Type", std::string(kText)}};
            response.body = std::string(300, 'x');
            reply.send(response);
        });
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: 127.0.0.1\n  port: {}\n"
            "  compression: {{}}\n  routes: [{{name: all, paths: [\"/\"], "
            "compression: {{content_types: [application/json]}}}}]\n",
            origin->address().port()
        );
        QCOMPARE(f.apply(yaml), std::string());

        const std::string heard = f.talk(get("Accept-Encoding: gzip\r\n"), "xxx");

        QVERIFY(!holds(heard, "Content-Encoding"));
    }

    // Whoever streams is not held back: what was written can be read before more comes.
    void passesOnWhatWasWrittenBeforeMoreComes()
    {
        ProxyFixture f;
        QVERIFY(f.start());
        std::optional<http::Responder> stream;
        const auto origin = f.serve([&stream](const http::Request&, http::Responder reply) {
            reply.begin(200, {{"Content-Type", std::string(kText)}});
            static_cast<void>(reply.write("the first event\n"));
            stream = std::move(reply);
        });
        QCOMPARE(f.apply(yamlOf(origin->address(), "  compression: {}\n")), std::string());

        RawSocket client(f.proxy);
        client.send(*f.loop, get("Accept-Encoding: gzip\r\n"));

        QVERIFY(runUntil(*f.loop, [&] {
            client.receive();
            return gunzipped(dechunked(bodyOf(client.heard()))) == "the first event\n";
        }));
        static_cast<void>(stream->write("the second\n"));
        stream->end();
        QVERIFY(client.waitFor(*f.loop, "0\r\n\r\n"));
        QCOMPARE(
            gunzipped(dechunked(bodyOf(client.heard()))),
            std::string("the first event\nthe second\n")
        );
    }

    // What comes while a flush waits for the client is taken behind it.
    void goesOnAfterAFlushThatHadToWait()
    {
        ProxyFixture f;
        QVERIFY(f.start());
        std::optional<http::Responder> stream;
        const auto origin = f.serve([&stream](const http::Request&, http::Responder reply) {
            reply.begin(200, {{"Content-Type", std::string(kText)}});
            stream = std::move(reply);
        });
        QCOMPARE(
            f.apply(yamlOf(origin->address(), "  compression: {codings: [br], quality: 5}\n")),
            std::string()
        );
        const FileDescriptor client = narrowSocket(f.proxy);
        QVERIFY(runUntil(*f.loop, [&] { return net::connectOutcome(client.get()).has_value(); }));
        static_cast<void>(net::writeSome(client.get(), get("Accept-Encoding: br\r\n")));
        QVERIFY(runUntil(*f.loop, [&] { return stream.has_value(); }));
        std::string said;
        const auto say = [&](std::string_view text) {
            said += text;
            static_cast<void>(stream->write(text));
        };
        std::string heard;
        bool hasEnded = false;
        const auto hearSome = [&] { // Less than the proxy could send.
            std::array<char, 2048> room{};
            const net::IoStep step = net::readSome(client.get(), room);
            heard.append(room.data(), step.count);
            hasEnded = step.status == net::IoStatus::Closed || step.status == net::IoStatus::Failed;
            return hasEnded;
        };

        // So that the kernel gives the proxy's side much room, and the rest comes in one piece.
        say(std::string(4'000'000, 'a'));
        QVERIFY(runUntil(*f.loop, [&] {
            hearSome();
            return unbrotlied(dechunked(bodyOf(heard))) == said;
        }));
        // The encoder holds all of this; its flush of 100 KB is begun, and waits for the client.
        std::uint64_t compressed = 0;
        say(wordsOf(250'000));
        QVERIFY(runUntil(*f.loop, [&] {
            compressed += takeCompressed(f).second;
            return compressed > heard.size() + 50'000;
        }));
        say("and more\n");
        stream->end();
        QVERIFY(runUntil(*f.loop, hearSome));

        QVERIFY2(heard.ends_with("\r\n0\r\n\r\n"), std::to_string(heard.size()).c_str());
        QVERIFY(unbrotlied(dechunked(bodyOf(heard))) == said);
    }

    // A large body through small buffers, and the counters of what was saved.
    void compressesMegabytesAndCountsThem()
    {
        ProxyFixture f;
        QVERIFY(f.start());
        std::string text;
        for (int at = 0; text.size() < 3'000'000; ++at) {
            text += fmt::format("line {} of a long story\n", at * 7919);
        }
        const auto origin = f.serve([&text](const http::Request&, http::Responder reply) {
            http::Response response;
            response.headers = {{"Content-Type", std::string(kText)}};
            response.body = text;
            reply.send(response);
        });
        QCOMPARE(f.apply(yamlOf(origin->address(), "  compression: {}\n")), std::string());

        RawSocket client(f.proxy);
        client.send(*f.loop, get("Accept-Encoding: gzip\r\n"));
        QVERIFY(client.waitForEnd(*f.loop));

        const std::string packed = dechunked(bodyOf(client.heard()));
        QVERIFY(gunzipped(packed) == text);
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        QVERIFY(runUntil(*f.loop, [&] {
            const auto [newFrom, newTo] = takeCompressed(f);
            from += newFrom;
            to += newTo;
            return from > 0;
        }));
        QCOMPARE(from, std::uint64_t{text.size()});
        QCOMPARE(to, std::uint64_t{packed.size()});
    }
};

QTEST_APPLESS_MAIN(ProxyCompressionTest)
#include "proxy_compression_test.moc"
