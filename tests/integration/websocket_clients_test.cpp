// Goal: a real WebSocket library talks to itself through the engine as if it were not there.
// Method: tests/support/python/websocket_clients.py is server and client; every case of it is a
// row. Between them may be two passes through the engine, with HTTP/2 from one to the other.
#include "tests/support/proxy_fixture.h"
#include "tests/support/python_peer.h"

#include <QTest>

#include <fmt/format.h>

using namespace mesh;
using namespace mesh::test;

class WebSocketClientsTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        const int port = m_peer.start(QStringLiteral("websocket_clients.py"));
        QVERIFY(port != 0);
        QVERIFY(m_fixture.start(2));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: chat\n  host: 127.0.0.1\n  port: {0}\n"
            "  routes: [{{name: ws, paths: [\"/ws\"]}}]\n"
            "- name: silent\n  host: 127.0.0.1\n  port: {0}\n  read_timeout: 300\n"
            "  routes: [{{name: idle, paths: [\"/idle\"]}}]\n"
            "- name: hop\n  host: 127.0.0.1\n  port: {1}\n  path: /ws\n  http_version: http2\n"
            "  routes: [{{name: by-http2, paths: [\"/by-http2\"]}}]\n",
            port,
            m_fixture.proxy.port()
        );
        QCOMPARE(m_fixture.apply(yaml), std::string());
        m_results = m_peer.run(m_fixture.proxy.toText());
    }

    void passes_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"echoes",
              "echoes_big_messages",
              "echoes_fragments",
              "ends_when_nothing_moves",
              "answers_pings",
              "closes_by_the_client",
              "closes_by_the_server",
              "chooses_a_subprotocol",
              "is_refused",
              "finds_no_route",
              "echoes_a_hundred_at_once",
              "echoes_over_http2",
              "is_refused_over_http2"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
    void passes()
    {
        QFETCH(QString, name);
        QVERIFY(m_results.contains(name));
        QCOMPARE(m_results[name], QString());
    }

private:
    ProxyFixture m_fixture;
    PythonPeer m_peer;
    std::map<QString, QString> m_results;
};

QTEST_APPLESS_MAIN(WebSocketClientsTest)
#include "websocket_clients_test.moc"
