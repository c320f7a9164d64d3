// Goal: the corners of HTTP/1.1 between a client and an origin, and what waits no longer than it
// may. Method: raw sockets on both sides where bytes matter; short timeouts given to the engine.
#include "proxyengine/net/acceptor.h"
#include "tests/support/proxy_fixture.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

// An origin of which the test says every byte. Answers a connection as soon as it was sent `cue`.
class RawOrigin final : public net::AcceptHandler
{
public:
    RawOrigin(net::EventLoop& loop, std::string cue, std::string answer)
        : m_acceptor(*net::Acceptor::listen(
            loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
        ))
        , m_cue(std::move(cue))
        , m_answer(std::move(answer))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        lines.push_back({std::move(socket), {}, 0, false});
    }
    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }

    // Reads and answers; to be called while the loop turns.
    void serve()
    {
        for (Line& line : lines) {
            std::array<char, 65536> buffer;
            for (;;) {
                const net::IoStep step = net::readSome(line.socket.get(), buffer);
                line.hasEnded = line.hasEnded || step.status == net::IoStatus::Closed
                                || step.status == net::IoStatus::Failed;
                if (step.status != net::IoStatus::Done) {
                    break;
                }
                line.heard.append(buffer.data(), step.count);
            }
            const std::size_t cue = line.heard.find(m_cue, line.answeredTo);
            if (cue != std::string::npos) {
                line.answeredTo = cue + m_cue.size();
                static_cast<void>(net::writeSome(line.socket.get(), m_answer));
                if (endsAfterAnswer) {
                    line.socket.reset();
                    line.hasEnded = true;
                }
            }
        }
        std::erase_if(lines, [](const Line& line) { return !line.socket.isOpen(); });
    }

    struct Line
    {
        FileDescriptor socket;
        std::string heard;
        std::size_t answeredTo = 0;
        bool hasEnded = false;
    };
    std::vector<Line> lines;
    bool endsAfterAnswer = false;

private:
    std::unique_ptr<net::Acceptor> m_acceptor;
    std::string m_cue;
    std::string m_answer;
};

// Sends, then serves both sides until the client has heard `expected` or was cut off.
std::string talkThrough(
    ProxyFixture& mesh, RawOrigin& origin, std::string_view bytes, std::string_view expected
)
{
    RawSocket client(mesh.proxy);
    static_cast<void>(client.send(*mesh.loop, bytes));
    runUntil(*mesh.loop, [&] {
        origin.serve();
        client.receive();
        return holds(client.heard(), expected) || client.hasEnded() || client.wasReset();
    });
    return client.heard();
}

http::RequestFunction plainAnswer(int status, std::string body)
{
    return [status, body](http::Request, http::Responder responder) {
        http::Response response;
        response.status = status;
        response.body = body;
        responder.send(response);
    };
}

std::string failureYaml(std::string_view active)
{
    return fmt::format("  healthchecks:\n    active:\n{}", active);
}

} // namespace

class ProxyEdgeTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // After an answer that has no body the connection carries the next request.
    void answersWithoutBodyKeepTheConnection_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QByteArray>("answer");
        QTest::newRow("HEAD") << QByteArray("HEAD")
                              << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
        QTest::newRow("204") << QByteArray("GET") << QByteArray("HTTP/1.1 204 No Content\r\n\r\n");
        QTest::newRow("304") << QByteArray("GET"
        ) << QByteArray("HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\n\r\n");
    }
    void answersWithoutBodyKeepTheConnection()
    {
        QFETCH(QByteArray, method);
        QFETCH(QByteArray, answer);
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(*mesh.loop, "\r\n\r\n", answer.toStdString());
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        RawSocket client(mesh.proxy);
        const std::string request =
            fmt::format("{} /api HTTP/1.1\r\nHost: a\r\n\r\n", method.toStdString());
        for (int at = 1; at <= 2; ++at) {
            QVERIFY(client.send(*mesh.loop, request));
            QVERIFY(runUntil(*mesh.loop, [&] {
                origin.serve();
                client.receive();
                int heads = 0;
                for (std::size_t found = client.heard().find("HTTP/1.1 ");
                     found != std::string::npos;
                     found = client.heard().find("HTTP/1.1 ", found + 1)) {
                    ++heads;
                }
                return heads == at && client.heard().ends_with("\r\n\r\n");
            }));
        }
        QVERIFY(!client.hasEnded());
        QCOMPARE(origin.lines.size(), 1U);
    }

    void anOldClientGetsAnUnchunkedAnswerAndTheEnd()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(
            *mesh.loop,
            "\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        );
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        const std::string heard =
            talkThrough(mesh, origin, "GET /api HTTP/1.0\r\nHost: a\r\n\r\n", "(never)");

        QVERIFY(heard.ends_with("\r\n\r\nabcde"));
        QVERIFY(!holds(heard, "Transfer-Encoding"));
    }

    void trailersPassBothWays()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(
            *mesh.loop,
            "X-Sum: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: 2\r\n\r\n"
        );
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        const std::string heard = talkThrough(
            mesh,
            origin,
            "POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
            "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
            "X-End: 2\r\n\r\n"
        );

        QVERIFY(holds(heard, "0\r\nX-End: 2\r\n\r\n"));
        QVERIFY(holds(origin.lines.front().heard, "0\r\nX-Sum: 1\r\n\r\n"));
    }

    // The origin refuses a large body at once: the client hears so without having sent it all.
    void anEarlyAnswerEndsALargePost()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(
            *mesh.loop, "\r\n\r\n", "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"
        );
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        const std::string heard = talkThrough(
            mesh,
            origin,
            "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\nbegin",
            "\r\n\r\nbig"
        );

        QVERIFY(holds(heard, "HTTP/1.1 413 "));
        QVERIFY(holds(heard, "Connection: close\r\n"));
    }

    // Data and end of an answer without length often arrive in one event.
    void anAnswerUntilCloseEndsWithTheOrigin()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(*mesh.loop, "\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nall there is");
        origin.endsAfterAnswer = true;
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET /api HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*mesh.loop, [&] {
            origin.serve();
            client.receive();
            return client.hasEnded();
        }));
        QVERIFY(client.heard().ends_with("\r\n\r\nall there is"));
        QVERIFY(holds(client.heard(), "Connection: close\r\n"));
    }

    void aClientThatGoesTakesItsRequestAlong()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(*mesh.loop, "(never)", "");
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());

        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET /api HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*mesh.loop, [&] {
            origin.serve();
            return !origin.lines.empty() && holds(origin.lines.front().heard, "\r\n\r\n");
        }));
        client.close();
        QVERIFY(runUntil(*mesh.loop, [&] {
            origin.serve();
            return origin.lines.front().hasEnded;
        }));
    }

    // A client that does not read stops the origin from being read.
    void aSlowReaderSlowsTheOrigin()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(
            *mesh.loop, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
        );
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET /api HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*mesh.loop, [&] {
            origin.serve();
            return !origin.lines.empty() && origin.lines.front().answeredTo > 0;
        }));

        const std::string block(1U << 20U, 'x');
        std::size_t sent = 0;
        int refusals = 0;
        QVERIFY(runUntil(*mesh.loop, [&] {
            const net::IoStep step = net::writeSome(origin.lines.front().socket.get(), block);
            sent += step.count;
            refusals = step.count == 0 ? refusals + 1 : 0;
            return refusals > 20;
        }));
        QVERIFY(sent < (64U << 20U));
        client.close();
        QVERIFY(runUntil(*mesh.loop, [&] {
            origin.serve();
            return origin.lines.front().hasEnded;
        }));
    }

    void aHeadThatComesSlowlyIsNotWaitedFor()
    {
        ProxyFixture mesh;
        mesh.timeouts.clientHead = std::chrono::milliseconds(50);
        QVERIFY(mesh.start());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHo"));
        QVERIFY(client.waitFor(*mesh.loop, "HTTP/1.1 408 "));
        QVERIFY(client.waitForEnd(*mesh.loop));
    }

    void anIdleConnectionEnds()
    {
        ProxyFixture mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(50);
        QVERIFY(mesh.start());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(client.waitFor(*mesh.loop, "HTTP/1.1 404 "));
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(!holds(client.heard(), "408"));
    }

    void aBodyThatStopsIsNotWaitedFor()
    {
        ProxyFixture mesh;
        mesh.timeouts.clientBody = std::chrono::milliseconds(50);
        QVERIFY(mesh.start());
        RawOrigin origin(*mesh.loop, "(never)", "");
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(
            *mesh.loop, "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"
        ));
        QVERIFY(client.waitForEnd(*mesh.loop));
    }

    void requestsBeyondTheLimitsAreRefused_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<QByteArray>("status");
        QTest::newRow("target") << "GET /" + QByteArray(20'000, 'a')
                                       + " HTTP/1.1\r\nHost: a\r\n\r\n"
                                << QByteArray("HTTP/1.1 414 ");
        QTest::newRow("head") << "GET / HTTP/1.1\r\nHost: a\r\nX: " + QByteArray(70'000, 'a')
                              << QByteArray("HTTP/1.1 400 ");
        QByteArray many = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (int at = 0; at < 200; ++at) {
            many += "X: y\r\n";
        }
        QTest::newRow("fields") << many + "\r\n" << QByteArray("HTTP/1.1 400 ");
        QTest::newRow("no host") << QByteArray("GET / HTTP/1.1\r\n\r\n")
                                 << QByteArray("HTTP/1.1 400 ");
    }
    void requestsBeyondTheLimitsAreRefused()
    {
        QFETCH(QByteArray, request);
        QFETCH(QByteArray, status);
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        const std::string heard = mesh.talk(request.toStdString(), status.toStdString());
        QVERIFY(heard.starts_with(status.toStdString()));
    }

    // A kept connection that the origin has closed costs neither an error nor a retry.
    void aStaleConnectionIsReplacedUnseen()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        RawOrigin origin(*mesh.loop, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        QCOMPARE(mesh.apply(serviceYaml({origin.address()})), std::string());
        for (int at = 0; at < 5; ++at) {
            const std::string heard =
                talkThrough(mesh, origin, "GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nok");
            QVERIFY(holds(heard, "200 OK"));
            origin.lines.clear();
        }
    }

    void aTargetByNameIsResolved()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        const auto origin = mesh.serve(plainAnswer(200, "by name"));
        QCOMPARE(
            mesh.apply(fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  host: localhost\n  port: {}\n"
                "  routes:\n  - {{name: s, paths: [\"/\"]}}\n",
                origin->address().port()
            )),
            std::string()
        );
        QVERIFY(holds(mesh.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "by name"), "HTTP/1.1 200 OK")
        );
    }

    void probesFindTargetsIllAndWellAgain_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::newRow("http") << QByteArray("http");
        QTest::newRow("tcp") << QByteArray("tcp");
    }
    void probesFindTargetsIllAndWellAgain()
    {
        QFETCH(QByteArray, type);
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        auto origin = mesh.serve(plainAnswer(200, "well"));
        const std::string address = origin->address().toText();
        QCOMPARE(
            mesh.apply(serviceYaml(
                {origin->address()},
                failureYaml(fmt::format(
                    "      type: {}\n      timeout: 1\n      http_path: /health\n"
                    "      healthy: {{interval: 0.05, successes: 1}}\n"
                    "      unhealthy: {{interval: 0.05, tcp_failures: 2, http_failures: 2}}\n",
                    type.toStdString()
                ))
            )),
            std::string()
        );
        const auto becomes = [&](telemetry::TargetState state) {
            return runUntil(*mesh.loop, [&] {
                const bool isThere =
                    mesh.box.has<api::HealthEvent>([&](const api::HealthEvent& event) {
                        return event.health.target == address && event.health.state == state
                               && (state == telemetry::TargetState::Healthy
                                   || !event.health.reason.empty());
                    });
                return isThere;
            });
        };

        origin->stopAccepting();
        origin->closeAll();
        QVERIFY(becomes(telemetry::TargetState::Unhealthy));
        QVERIFY(holds(mesh.talk("GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "\"\n}"), " 503 "));
        mesh.box.events.clear();
        QVERIFY(origin->restartAccepting().has_value());
        QVERIFY(becomes(telemetry::TargetState::Healthy));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return holds(mesh.talk("GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"), " 200 ");
        }));
    }

    void anOperatorsWordHolds()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        const auto origin = mesh.serve(plainAnswer(200, "well"));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
        const std::string target = origin->address().toText();
        const auto answers = [&](std::string_view status) {
            return runUntil(*mesh.loop, [&] {
                return holds(mesh.talk("GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"), status);
            });
        };

        QVERIFY(mesh.engine
                    ->submit(api::SetTargetHealth{"pool", target, api::HealthOverride::Unhealthy})
                    .has_value());
        QVERIFY(answers(" 503 "));
        QVERIFY(mesh.engine
                    ->submit(api::SetTargetHealth{"pool", target, api::HealthOverride::Healthy})
                    .has_value());
        QVERIFY(answers(" 200 "));
    }

    void requestsAreWrittenToTheAccessLog_data()
    {
        QTest::addColumn<int>("format");
        QTest::newRow("text") << static_cast<int>(api::AccessLogFormat::Text);
        QTest::newRow("json") << static_cast<int>(api::AccessLogFormat::Json);
    }
    void requestsAreWrittenToTheAccessLog()
    {
        QFETCH(int, format);
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("access.log"));
        ProxyFixture mesh;
        mesh.options.accessLog = static_cast<api::AccessLogFormat>(format);
        mesh.options.accessLogFile = path.toStdString();
        QVERIFY(mesh.start());
        const auto origin = mesh.serve(plainAnswer(200, "ok"));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
        mesh.talk("GET /api/logged?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", "ok");

        std::string line;
        QVERIFY(runUntil(*mesh.loop, [&] {
            QFile file(path);
            if (file.open(QIODevice::ReadOnly)) {
                line = file.readAll().toStdString();
            }
            return holds(line, "\n");
        }));
        QVERIFY(holds(line, "/api/logged?x=1"));
        QVERIFY(holds(line, origin->address().toText()));
        QVERIFY(holds(line, "200"));
        QCOMPARE(line.front() == '{', format == static_cast<int>(api::AccessLogFormat::Json));
    }
};

QTEST_APPLESS_MAIN(ProxyEdgeTest)
#include "proxy_edge_test.moc"
