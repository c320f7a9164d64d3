// Goal: stream routes by address and server name, TLS that passes or ends, much in both directions.
// Method: raw sockets against an engine on loopback; targets are sockets of the test's own loop, or
//         openssl where another's word counts.
#include "tests/support/stream_fixture.h"
#include "tests/support/tls_client.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/socket.h>

#include <algorithm>
#include <optional>

using namespace mesh;
using namespace mesh::test;

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
    void opensslReachesTheServerOfItsName();
    void muchPassesBothWaysUnchanged();
    void aSlowReaderSlowsASplicedSender();
    void aResetIsPassedOn();
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

QTEST_APPLESS_MAIN(ProxyStreamsTest)
#include "proxy_streams_test.moc"
