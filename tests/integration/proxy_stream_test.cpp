// Goal: what a client and an origin see of a real engine between them.
// Method: raw sockets against an engine on loopback; origins on the test's loop.
#include "tests/support/proxy_fixture.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

http::RequestFunction echo(std::vector<http::Request>& seen)
{
    return [&seen](http::Request request, http::Responder responder) {
        http::Response response;
        response.body = request.target + "|" + std::to_string(request.body.size());
        seen.push_back(std::move(request));
        responder.send(response);
    };
}

std::string header(const http::Request& request, std::string_view name)
{
    return std::string(http::findHeader(request.headers, name).value_or("(none)"));
}

} // namespace

class ProxyStreamTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // Before any configuration a gateway says that it has no route.
    void anEngineWithoutConfigurationAnswers404()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());

        const std::string heard = mesh.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\"\n}");

        QVERIFY(holds(heard, "HTTP/1.1 404 Not Found\r\n"));
        QVERIFY(holds(heard, "\"message\":\"no Route matched with those values\""));
        QVERIFY(holds(heard, "Server: meshwright/"));
    }

    void errorPagesFollowAccept()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());

        const std::string heard =
            mesh.talk("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n", "</html>");

        QVERIFY(holds(heard, "Content-Type: text/html; charset=utf-8"));
        QVERIFY(holds(heard, "<p>no Route matched with those values.</p>"));
    }

    void headersArePassedByTheRules()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        const std::string heard = mesh.talk(
            "GET /api/x?q=1 HTTP/1.1\r\nHost: Shop.test:99\r\nX-Forwarded-For: 6.6.6.6\r\n"
            "X-Keep: yes\r\nConnection: x-drop\r\nX-Drop: no\r\nX-Meshwright-Request-Id: forged\r\n"
            "\r\n",
            "/base/x?q=1|0"
        );

        QVERIFY(holds(heard, "HTTP/1.1 200 OK\r\n"));
        QVERIFY(holds(heard, "X-Meshwright-Upstream-Latency: "));
        QVERIFY(holds(heard, "Via: 1.1 meshwright/"));
        QCOMPARE(seen.size(), 1U);
        QCOMPARE(header(seen[0], "Host"), origin->address().toText());
        QCOMPARE(header(seen[0], "X-Forwarded-For"), std::string("127.0.0.1"));
        QCOMPARE(header(seen[0], "X-Forwarded-Host"), std::string("shop.test"));
        QCOMPARE(header(seen[0], "X-Forwarded-Prefix"), std::string("/api"));
        QCOMPARE(header(seen[0], "X-Forwarded-Path"), std::string("/api/x"));
        QCOMPARE(header(seen[0], "X-Keep"), std::string("yes"));
        QCOMPARE(header(seen[0], "X-Drop"), std::string("(none)"));
        QVERIFY(header(seen[0], "X-Meshwright-Request-Id") != "forged");
    }

    void preserveHostKeepsHostAndPort()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        mesh.talk("GET /keep HTTP/1.1\r\nHost: Shop.test:99\r\n\r\n", "/base/keep|0");

        QCOMPARE(seen.size(), 1U);
        QCOMPARE(header(seen[0], "Host"), std::string("Shop.test:99"));
    }

    void pipelinedRequestsAreAnsweredInOrder()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        std::string requests;
        for (int at = 1; at <= 5; ++at) {
            requests +=
                fmt::format("POST /api/{} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", at);
        }
        const std::string heard = mesh.talk(requests, "/base/5|3");

        std::size_t last = 0;
        for (int at = 1; at <= 5; ++at) {
            const std::size_t found = heard.find(fmt::format("/base/{}|3", at));
            QVERIFY(found != std::string::npos && found > last);
            last = found;
        }
    }

    void chunkedBodiesPassBothWays()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        const auto origin = mesh.serve([](http::Request request, http::Responder responder) {
            responder.begin(200, {});
            static_cast<void>(responder.write("got "));
            static_cast<void>(responder.write(request.body));
            responder.end();
        });
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        const std::string heard = mesh.talk(
            "POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n",
            "0\r\n\r\n"
        );

        QVERIFY(holds(heard, "Transfer-Encoding: chunked\r\n"));
        QVERIFY(holds(heard, "abcde"));
    }

    void largeBodiesPassWhole()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        const std::string large(3'000'000, 'x');
        const auto origin = mesh.serve([&large](http::Request request, http::Responder responder) {
            http::Response response;
            response.body = large + fmt::format("|{}|end", request.body.size());
            responder.send(response);
        });
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        const std::string heard = mesh.talk(
            "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + large, "|end"
        );

        QVERIFY(holds(heard, "|3000000|end"));
        QVERIFY(heard.size() > large.size());
    }

    void expectedContinueIsAnswered()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        RawSocket client(mesh.proxy);
        QVERIFY(client.send(
            *mesh.loop,
            "POST /api HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        ));
        QVERIFY(client.waitFor(*mesh.loop, "HTTP/1.1 100 Continue\r\n\r\n"));
        QVERIFY(client.send(*mesh.loop, "ok"));
        QVERIFY(client.waitFor(*mesh.loop, "/base|2"));
    }

    // A dead target among two costs no client an error.
    void aDeadTargetIsSkippedUnseen()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        auto dead = mesh.serve(echo(seen));
        const net::SocketAddress deadAddress = dead->address();
        dead.reset();
        QCOMPARE(
            mesh.apply(serviceYaml(
                {deadAddress, origin->address()},
                "  healthchecks: {passive: {unhealthy: {tcp_failures: 2}}}\n"
            )),
            std::string()
        );

        for (int at = 0; at < 10; ++at) {
            const std::string heard = mesh.talk(
                "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "/base|2"
            );
            QVERIFY(holds(heard, "200 OK"));
        }
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::HealthEvent>([&](const api::HealthEvent& event) {
                return event.health.target == deadAddress.toText()
                       && event.health.state == telemetry::TargetState::Unhealthy
                       && !event.health.reason.empty();
            });
        }));
    }

    void whenAllTargetsAreDeadTheClientGets502()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        auto dead = mesh.serve(echo(seen));
        const net::SocketAddress address = dead->address();
        dead.reset();
        QCOMPARE(mesh.apply(serviceYaml({address})), std::string());

        const std::string heard = mesh.talk("GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "\"\n}");

        QVERIFY(holds(heard, "HTTP/1.1 502 "));
        QVERIFY(holds(heard, "x-meshwright-proxy-error: the connection was refused"));
    }

    void aSilentOriginIsAnsweredFor()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Responder> kept;
        const auto origin = mesh.serve([&kept](http::Request, http::Responder responder) {
            kept.push_back(std::move(responder));
        });
        QCOMPARE(mesh.apply(serviceYaml({origin->address()}, "", 100)), std::string());

        const std::string heard =
            mesh.talk("POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "\"\n}");

        QVERIFY(holds(heard, "HTTP/1.1 504 "));
        QVERIFY(holds(heard, "The upstream server is timing out"));
    }

    void ambiguousFramingIsRefusedAndNothingForwarded()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        const std::string heard = mesh.talk(
            "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/smuggled HTTP/1.1\r\nHost: "
            "a\r\n\r\n",
            "\"\n}"
        );

        QVERIFY(holds(heard, "HTTP/1.1 400 Bad Request\r\n"));
        QVERIFY(holds(heard, "Connection: close\r\n"));
        QCOMPARE(seen.size(), 0U);
    }

    // A keep-alive client sees no failed request while configurations come and go.
    void swappingConfigurationsLosesNoRequest()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start(2));
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());

        RawSocket client(mesh.proxy);
        for (int at = 0; at < 20; ++at) {
            QVERIFY(
                client.send(*mesh.loop, fmt::format("GET /api/{} HTTP/1.1\r\nHost: a\r\n\r\n", at))
            );
            QCOMPARE(mesh.apply(serviceYaml({origin->address()}, "", 1000 + at)), std::string());
            QVERIFY(client.waitFor(*mesh.loop, fmt::format("/base/{}|0", at)));
        }
        QVERIFY(!holds(client.heard(), "Connection: close"));
    }

    void drainingFinishesWhatIsInFlight()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Responder> kept;
        const auto origin = mesh.serve([&kept](http::Request, http::Responder responder) {
            kept.push_back(std::move(responder));
        });
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
        RawSocket idle(mesh.proxy);
        QVERIFY(idle.send(*mesh.loop, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(idle.waitFor(*mesh.loop, "404"));
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET /api HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*mesh.loop, [&] { return kept.size() == 1; }));

        QVERIFY(mesh.engine->submit(api::Drain{std::chrono::seconds(5)}).has_value());
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::StateEvent>([](const api::StateEvent& state) {
                return state.state == api::EngineState::Draining;
            });
        }));
        // The engine says so before its worker knows; the worker does when it ends what is idle.
        QVERIFY(idle.waitForEnd(*mesh.loop));
        http::Response answer;
        answer.body = "late but whole";
        kept.front().send(answer);

        QVERIFY(client.waitFor(*mesh.loop, "late but whole"));
        QVERIFY(holds(client.heard(), "Connection: close"));
    }

    void aFrameCountsWhatPassed()
    {
        ProxyFixture mesh;
        QVERIFY(mesh.start());
        std::vector<http::Request> seen;
        const auto origin = mesh.serve(echo(seen));
        QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
        mesh.talk("GET /api HTTP/1.1\r\nHost: a\r\n\r\n", "/base|0");

        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::StatsEvent>([](const api::StatsEvent& event) {
                for (const auto& row : event.frame->requests) {
                    if (row.service == "origin" && row.route == "all" && row.answers[2] == 1
                        && row.latency.total() == 1 && event.frame->attempts.size() == 1) {
                        return true;
                    }
                }
                return false;
            });
        }));
    }
};

QTEST_APPLESS_MAIN(ProxyStreamTest)
#include "proxy_stream_test.moc"
