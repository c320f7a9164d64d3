// Goal: after a push every node runs exactly one known revision, the result says which, and nothing
// is called a success that was not read back.
// Method: real meshwrightd on loopback, faults by signals; a runner that is killed is this program
// started again with --push.
#include "app/fleet/admin_link.h"
#include "app/fleet/rollout_runner.h"
#include "app/fleet/stages.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/sockets.h"
#include "tests/support/free_port.h"

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace mesh::fleet {
namespace {

using DocumentPointer = std::shared_ptr<const model::Document>;

DocumentPointer documentOf(const std::string& text)
{
    config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "test").c_str());
        }
    }
    return std::make_shared<const model::Document>(std::move(decoded.document));
}

// Each version has names of its own, so that a push adds, switches and removes.
std::string shopText(const std::string& version, const std::string& nodes = {})
{
    return "_format_version: \"3.0\"\n" + nodes + "services:\n- name: shop-" + version
           + "\n  host: pool-" + version + "\n  routes: [{name: all-" + version
           + ", paths: [/]}]\nupstreams:\n- {name: pool-" + version
           + ", targets: [{target: \"127.0.0.1:9\"}]}\n";
}

// A meshwrightd whose admin API stays at one port, so that it is found again.
class RealNode
{
public:
    explicit RealNode(std::string ownName)
        : name(std::move(ownName))
    {}
    RealNode(const RealNode&) = delete;
    RealNode& operator=(const RealNode&) = delete;
    ~RealNode() { end(SIGKILL); }

    // An empty configuration: from its state directory.
    bool start(const std::string& configText)
    {
        if (port == 0) {
            port = test::freePort();
        }
        QStringList arguments{
            QStringLiteral("run"),
            QStringLiteral("--workers"),
            QStringLiteral("1"),
            QStringLiteral("--proxy-listen"),
            QStringLiteral("127.0.0.1:0"),
            QStringLiteral("--admin-listen"),
            QStringLiteral("127.0.0.1:%1").arg(port),
            QStringLiteral("--state-dir"),
            state.path()};
        if (!nodeName.empty()) {
            arguments << QStringLiteral("--node") << QString::fromStdString(nodeName);
        }
        if (!configText.empty()) {
            const QString path = state.filePath(QStringLiteral("first.yaml"));
            if (!writeFileAtomically(path.toStdString(), configText)) {
                return false;
            }
            arguments << QStringLiteral("--config") << path;
        }
        m_process.start(QStringLiteral(MESH_NODE_PROGRAM), arguments);
        QByteArray log;
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < 20'000 && !log.contains("node.ready")) {
            m_process.waitForReadyRead(100);
            log += m_process.readAllStandardError();
            if (m_process.state() == QProcess::NotRunning) {
                return false;
            }
        }
        pid = m_process.processId();
        return log.contains("node.ready");
    }

    void signal(int number) const { ::kill(static_cast<pid_t>(pid.load()), number); }

    void end(int number)
    {
        if (m_process.state() != QProcess::NotRunning) {
            signal(number);
            m_process.waitForFinished(20'000);
        }
    }

    [[nodiscard]] control::AdminAddress address() const
    {
        control::AdminAddress address;
        address.hostPort = "127.0.0.1:" + std::to_string(port);
        return address;
    }

    // What it says to somebody else than the push.
    [[nodiscard]] std::string hash() const
    {
        const SystemClock clock;
        const auto answer = control::requestNode(
            clock, address(), "GET", "/config/hash", "", std::chrono::seconds(20)
        );
        return answer && answer->body.size() > 74 ? answer->body.substr(9, 64) : std::string();
    }

    const std::string name;
    std::string nodeName; // As the documents call it; empty: a gateway of no name.
    int port = 0;
    std::atomic<qint64> pid{0};
    QTemporaryDir state;

private:
    QProcess m_process;
};

// Does something at the moment of an acknowledgement, before anybody knows of it.
class HookedLink final : public NodeLink
{
public:
    HookedLink(std::unique_ptr<NodeLink> inner, std::function<void()> onAcknowledged)
        : m_inner(std::move(inner))
        , m_onAcknowledged(std::move(onAcknowledged))
    {}

    void send(
        DocumentPointer document,
        const std::string& onlyIfHash,
        std::function<void(SendAnswer)> onAnswer
    ) override
    {
        m_inner->send(
            std::move(document),
            onlyIfHash,
            [hook = m_onAcknowledged, onAnswer = std::move(onAnswer)](SendAnswer answer) {
                if (answer.outcome == SendOutcome::Acknowledged) {
                    hook();
                }
                onAnswer(std::move(answer));
            }
        );
    }
    void readHash(std::function<void(Result<std::string>)> onAnswer) override
    {
        m_inner->readHash(std::move(onAnswer));
    }
    void readDocument(std::function<void(Result<DocumentPointer>)> onAnswer) override
    {
        m_inner->readDocument(std::move(onAnswer));
    }

private:
    std::unique_ptr<NodeLink> m_inner;
    std::function<void()> m_onAcknowledged;
};

std::unique_ptr<control::NodeCalls> startCalls(const Clock& clock)
{
    auto calls = control::NodeCalls::start(clock);
    if (!calls) {
        qFatal("%s", calls.error().message.c_str());
    }
    return *std::move(calls);
}

RolloutPlan quickPlan()
{
    RolloutPlan plan;
    plan.answerMax = std::chrono::seconds(3);
    return plan;
}

// "a:done b:rejected | partial"
std::string textOf(const Rollout& rollout)
{
    std::string text;
    for (const NodeProgress& node : rollout.nodes) {
        text += node.name + ":" + std::string(toText(node.phase)) + " ";
    }
    return text + "| " + std::string(toText(rollout.state));
}

std::string notesOf(const Rollout& rollout)
{
    std::string text;
    for (const RolloutNote& note : rollout.notes) {
        text += note.text + "\n";
    }
    return text;
}

// The other life of this program: pushes to the ports, keeps its state in a file, and is killed at
// the moment it was told.
int pushAndDie(int count, char** arguments)
{
    const std::string statePath = arguments[2];
    const std::string moment = arguments[3];
    const int dieAt = std::atoi(arguments[4]);
    const SystemClock clock;
    const auto calls = startCalls(clock);
    RolloutRequest request;
    request.before = documentOf(shopText("v1"));
    request.after = documentOf(shopText("v2"));
    request.plan = quickPlan();
    request.plan.bake = moment == "baking" ? Duration(std::chrono::seconds(3)) : Duration{};
    std::atomic<int> acknowledged{0};
    std::atomic<RolloutRunner*> running{nullptr};
    const auto onAcknowledged = [&] {
        while (running == nullptr) {
            std::this_thread::yield();
        }
        const int number = ++acknowledged;
        if (moment == "stopped" && number == 4) { // The first of the second stage.
            running.load()->stop();
        } else if (moment == "going back" && number == 9) { // The last of the last stage.
            running.load()->rollBack("asked for");
        }
        if (moment != "kept" && moment != "baking" && number == dieAt) {
            ::raise(SIGKILL);
        }
    };
    for (int at = 5; at < count; ++at) {
        const std::string name = std::string("n") + std::to_string(at - 5);
        control::AdminAddress address;
        address.hostPort = std::string("127.0.0.1:") + arguments[at];
        request.links[name] =
            std::make_shared<HookedLink>(makeAdminLink(*calls, address), onAcknowledged);
        ExpectedNode node;
        node.name = name;
        request.nodes.push_back(node);
    }
    int kept = 0;
    RolloutRunner::Callbacks callbacks;
    callbacks.keep = [&](const std::string& json) {
        if (!writeFileAtomically(statePath, json)) {
            std::abort();
        }
        if (moment == "kept" && ++kept == dieAt) {
            ::raise(SIGKILL);
        }
    };
    callbacks.onChange = [&](const Rollout& rollout) {
        if (moment == "baking" && rollout.nodes.front().phase == NodePhase::Baking) {
            ::raise(SIGKILL);
        }
    };
    const auto runner = RolloutRunner::start(clock, std::move(request), std::move(callbacks));
    running = runner.get();
    static_cast<void>(runner->wait(std::chrono::seconds(60)));
    return 0;
}

} // namespace

class FleetTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { m_runner.reset(), m_request = {}, m_nodes.clear(); }

    // Ten nodes run the revision and have said so, stage by stage.
    void tenNodesConverge();
    // A node that refuses keeps what it ran; the others run the revision.
    void oneRefusesAndTheOthersRunIt();
    // A node that took steps of the push and refuses the last goes back to what it ran before.
    void oneRefusesTheLastStepAndGoesBack();
    // A node that dies after it acknowledged is not called a success; it is read when it returns.
    void oneDiesBetweenAcknowledgementAndReading();
    // A node that acknowledges and runs something else has drifted.
    void oneAnswersWithAnotherHash();
    // A node that starts again from an old state while it bakes is found out.
    void oneIsStartedAgainWithAnOldState();
    // A node that nothing reaches gets the revision when it is back.
    void oneIsCutOffAndGetsItWhenItReturns();
    // Of two consoles that push at once, each node takes one; the other is told and overwrites
    // nothing.
    void twoConsolesPushAtOnceAndNoneIsOverwritten();
    // A console that has not seen the last push is told so by every node.
    void aConsoleThatIsBehindOverwritesNothing();
    // Errors on the canary bring it back; nobody else was touched.
    void aGateThatFailsBringsTheCanaryBack();
    // After a stop every node runs the revision or the one before, and nothing in between.
    void stopLeavesEveryNodeOnAKnownRevision();
    // A push whose program was killed goes on from what it kept.
    void aKilledRunnerGoesOn_data();
    void aKilledRunnerGoesOn();

private:
    // Nodes n0.. that run v1, and a request to bring them to v2.
    bool prepare(int count);
    Rollout push(const RolloutPlan& plan);
    void begin(const RolloutPlan& plan);
    [[nodiscard]] QString state() { return QString::fromStdString(textOf(m_runner->wait({}))); }

    SystemClock m_clock;
    std::unique_ptr<control::NodeCalls> m_calls = startCalls(m_clock);
    std::vector<std::unique_ptr<RealNode>> m_nodes;
    RolloutRequest m_request;
    std::unique_ptr<RolloutRunner> m_runner;
    const std::string m_v1 = config::hashOf(*documentOf(shopText("v1")));
    const std::string m_v2 = config::hashOf(*documentOf(shopText("v2")));
};

bool FleetTest::prepare(int count)
{
    m_request.before = documentOf(shopText("v1"));
    m_request.after = documentOf(shopText("v2"));
    for (int at = 0; at < count; ++at) {
        auto node = std::make_unique<RealNode>(std::string("n") + std::to_string(at));
        if (!node->start(shopText("v1"))) {
            return false;
        }
        ExpectedNode expected;
        expected.name = node->name;
        m_request.nodes.push_back(expected);
        m_request.links[node->name] = makeAdminLink(*m_calls, node->address());
        m_nodes.push_back(std::move(node));
    }
    return true;
}

void FleetTest::begin(const RolloutPlan& plan)
{
    m_request.plan = plan;
    m_runner = RolloutRunner::start(m_clock, m_request, {});
}

Rollout FleetTest::push(const RolloutPlan& plan)
{
    begin(plan);
    return m_runner->wait(std::chrono::seconds(60));
}

void FleetTest::tenNodesConverge()
{
    QVERIFY(prepare(10));
    QElapsedTimer timer;
    timer.start();

    const Rollout rollout = push(quickPlan());

    qInfo("ten nodes converged after %lld ms", timer.elapsed());
    QVERIFY2(rollout.state == RolloutState::Done, notesOf(rollout).c_str());
    QCOMPARE(rollout.convergedCount(), std::size_t{10});
    for (const auto& node : m_nodes) {
        QCOMPARE(node->hash(), m_v2);
    }
}

void FleetTest::oneRefusesAndTheOthersRunIt()
{
    QVERIFY(prepare(2));
    auto other = std::make_unique<RealNode>("n2");
    other->nodeName = "edge"; // No document but its own knows a node of this name.
    QVERIFY(other->start(shopText("own", "nodes: [{name: edge, role: gateway}]\n")));
    const std::string own = other->hash();
    m_request.nodes.push_back({"n2", "", "", "", true, {}, {}});
    m_request.links["n2"] = makeAdminLink(*m_calls, other->address());
    // Both documents list another node, so that it is not a gateway of no name to them.
    m_request.before = documentOf(shopText("v1", "nodes: [{name: elsewhere, role: gateway}]\n"));
    m_request.after = documentOf(shopText("v2", "nodes: [{name: elsewhere, role: gateway}]\n"));

    const Rollout rollout = push(quickPlan());

    QCOMPARE(textOf(rollout), "n0:done n1:done n2:rejected | partial");
    QCOMPARE(rollout.nodes[2].hashNow, own);
    QCOMPARE(other->hash(), own);
    QVERIFY2(
        rollout.nodes[2].problems[0].message.find("edge") != std::string::npos,
        rollout.nodes[2].text.c_str()
    );
    QCOMPARE(m_nodes[0]->hash(), config::hashOf(*m_request.after));
}

void FleetTest::oneRefusesTheLastStepAndGoesBack()
{
    const std::string both = "nodes: [{name: n0, role: gateway}, {name: n1, role: gateway}]\n";
    const std::string one =
        "nodes: [{name: n0, role: gateway}]\n"; // n1 does not know itself in it.
    m_request.before = documentOf(shopText("v1", both));
    m_request.after = documentOf(shopText("v2", one));
    for (const char* const name : {"n0", "n1"}) {
        auto node = std::make_unique<RealNode>(name);
        node->nodeName = name;
        QVERIFY(node->start(shopText("v1", both)));
        m_request.nodes.push_back({name, "", "", "", true, {}, {}});
        m_request.links[name] = makeAdminLink(*m_calls, node->address());
        m_nodes.push_back(std::move(node));
    }
    const std::string old = m_nodes[1]->hash();

    const Rollout rollout = push(quickPlan());

    QCOMPARE(textOf(rollout), "n0:done n1:rejected | partial");
    QCOMPARE(rollout.nodes[1].hashNow, old);
    QCOMPARE(m_nodes[1]->hash(), old);
    QCOMPARE(m_nodes[0]->hash(), config::hashOf(*m_request.after));
    const QByteArray words = QByteArray::fromStdString(rollout.nodes[1].text);
    QVERIFY2(words.endsWith("; went back to what it ran before"), words);
    QVERIFY2(notesOf(rollout).find("n1 went back") != std::string::npos, notesOf(rollout).c_str());
}

void FleetTest::oneDiesBetweenAcknowledgementAndReading()
{
    QVERIFY(prepare(3));
    m_request.links["n1"] = std::make_shared<HookedLink>(
        makeAdminLink(*m_calls, m_nodes[1]->address()),
        [this, once = std::make_shared<std::atomic<bool>>(false)] {
            if (!once->exchange(true)) {
                m_nodes[1]->signal(SIGKILL);
            }
        }
    );

    const Rollout rollout = push(quickPlan());

    QCOMPARE(textOf(rollout), "n0:done n1:set_aside n2:done | partial");
    QCOMPARE(m_nodes[0]->hash(), m_v2);
    m_nodes[1]->end(SIGKILL);
    QVERIFY(m_nodes[1]->start({})); // It had kept what it acknowledged.
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("n0:done n1:done n2:done | done"), 30'000);
    QCOMPARE(m_nodes[1]->hash(), m_v2);
}

void FleetTest::oneAnswersWithAnotherHash()
{
    QVERIFY(prepare(1));
    auto loop = net::EventLoop::make(m_clock);
    QVERIFY(loop.has_value());
    const std::string wrong(64, 'f');
    bool isPosted = false;
    auto server = http::Server::listen(
        **loop,
        net::SocketAddress::loopback(0),
        {},
        [&](const http::Request& request, http::Responder responder) {
            isPosted = isPosted || request.method == "POST";
            http::Response response;
            response.status = request.method == "POST" ? 201 : 200;
            response.body = R"({"hash":")" + (isPosted ? wrong : m_v1) + R"("})";
            responder.send(response);
        }
    );
    QVERIFY(server.has_value());
    control::AdminAddress address;
    address.hostPort = "127.0.0.1:" + std::to_string((*server)->address().port());
    m_request.nodes.push_back({"liar", "", "", "", true, {}, {}});
    m_request.links["liar"] = makeAdminLink(*m_calls, address);
    Thread thread("liar", [&] {
        (*loop)->moveHere();
        (*loop)->run();
    });

    const Rollout rollout = push(quickPlan());
    (*loop)->stop();
    thread.join();
    (*loop)->moveHere();

    QCOMPARE(textOf(rollout), "liar:drifted n0:done | partial");
    QCOMPARE(rollout.nodes[0].hashNow, wrong);
    QCOMPARE(rollout.convergedCount(), std::size_t{1});
}

void FleetTest::oneIsStartedAgainWithAnOldState()
{
    QVERIFY(prepare(2));
    RolloutPlan plan = quickPlan();
    plan.bake = std::chrono::seconds(4);
    begin(plan);
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("n0:baking n1:baking | running"), 20'000);

    m_nodes[1]->end(SIGKILL);
    QVERIFY(m_nodes[1]->start(shopText("v0")));
    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QCOMPARE(textOf(rollout), "n0:done n1:drifted | partial");
    QCOMPARE(rollout.nodes[1].hashNow, config::hashOf(*documentOf(shopText("v0"))));
    QCOMPARE(rollout.nodes[1].hashNow, m_nodes[1]->hash());
}

void FleetTest::oneIsCutOffAndGetsItWhenItReturns()
{
    QVERIFY(prepare(3));
    m_nodes[2]->signal(SIGSTOP); // It is connected to and says nothing.

    const Rollout rollout = push(quickPlan());
    const std::string first = textOf(rollout);
    m_nodes[2]->signal(SIGCONT);

    QCOMPARE(first, "n0:done n1:done n2:set_aside | partial");
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("n0:done n1:done n2:done | done"), 40'000);
    QCOMPARE(m_nodes[2]->hash(), m_v2);
}

void FleetTest::twoConsolesPushAtOnceAndNoneIsOverwritten()
{
    QVERIFY(prepare(4));
    const auto otherCalls = startCalls(m_clock); // Of the other console.
    RolloutRequest other = m_request;
    other.after = documentOf(shopText("v3"));
    other.plan = quickPlan();
    for (const auto& node : m_nodes) {
        other.links[node->name] = makeAdminLink(*otherCalls, node->address());
    }
    const std::string v3 = config::hashOf(*other.after);

    begin(quickPlan());
    const auto second = RolloutRunner::start(m_clock, std::move(other), {});
    const Rollout mine = m_runner->wait(std::chrono::seconds(60));
    const Rollout theirs = second->wait(std::chrono::seconds(60));

    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const std::string hash = m_nodes[at]->hash();
        QVERIFY2(hash == m_v2 || hash == v3, (textOf(mine) + ", " + textOf(theirs)).c_str());
        const NodeProgress& winner = (hash == m_v2 ? mine : theirs).nodes[at];
        const NodeProgress& loser = (hash == m_v2 ? theirs : mine).nodes[at];
        QCOMPARE(toText(winner.phase), std::string_view("done"));
        QCOMPARE(winner.hashNow, hash);
        // Its If-Match failed, or it read the other's document before it sent its own.
        const bool isTold =
            loser.phase == NodePhase::Superseded || loser.phase == NodePhase::Drifted;
        QVERIFY2(isTold, (textOf(mine) + ", " + textOf(theirs) + "\n" + loser.text).c_str());
        QVERIFY(!loser.text.empty());
    }
}

void FleetTest::aConsoleThatIsBehindOverwritesNothing()
{
    QVERIFY(prepare(2));
    RolloutRequest behind = m_request;
    for (ExpectedNode& node : behind.nodes) {
        node.hash = m_v1; // What it saw last.
    }
    behind.after = documentOf(shopText("v3"));
    QCOMPARE(textOf(push(quickPlan())), "n0:done n1:done | done");
    m_runner.reset();

    m_request = behind;
    const Rollout rollout = push(quickPlan());

    QCOMPARE(textOf(rollout), "n0:superseded n1:superseded | partial");
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        QCOMPARE(m_nodes[at]->hash(), m_v2);
        QCOMPARE(rollout.nodes[at].hashNow, m_v2);
    }
}

void FleetTest::aGateThatFailsBringsTheCanaryBack()
{
    QVERIFY(prepare(2));
    RolloutPlan plan = quickPlan();
    plan.waves = *parseWaves("canary,all");
    plan.gates = parseGates("error<1%")->rules;
    plan.bake = std::chrono::seconds(30);
    begin(plan);
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("n0:baking n1:queued | running"), 20'000);

    m_runner->onFigures("n0", {100, 1000, 100, 12, 0});
    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QCOMPARE(textOf(rollout), "n0:rolled_back n1:not_touched | rolled_back");
    QCOMPARE(m_nodes[0]->hash(), m_v1);
    QCOMPARE(m_nodes[1]->hash(), m_v1);
}

void FleetTest::stopLeavesEveryNodeOnAKnownRevision()
{
    QVERIFY(prepare(3));
    QCOMPARE(stagesOf(*m_request.before, *m_request.after).size(), std::size_t{3});
    const auto acknowledged = std::make_shared<std::atomic<int>>(0);
    m_request.links["n0"] = std::make_shared<HookedLink>(
        makeAdminLink(*m_calls, m_nodes[0]->address()), [acknowledged] { ++*acknowledged; }
    );
    begin(quickPlan());
    QTRY_VERIFY_WITH_TIMEOUT(acknowledged->load() > 0, 20'000);

    m_runner->stop();
    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QVERIFY2(isOver(rollout.state), textOf(rollout).c_str());
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        QCOMPARE(rollout.nodes[at].hashNow, m_nodes[at]->hash());
        QVERIFY(m_nodes[at]->hash() == m_v1 || m_nodes[at]->hash() == m_v2);
    }
}

void FleetTest::aKilledRunnerGoesOn_data()
{
    QTest::addColumn<QString>("moment");
    QTest::addColumn<int>("count");
    QTest::addColumn<QString>("ends");
    const auto row =
        [](const char* name, const char* moment, int count, const char* ends = "done | done") {
            QString all = QString::fromUtf8(ends);
            const QString phase = all.section(QLatin1Char(' '), 0, 0);
            all.prepend(QStringLiteral("n0:%1 n1:%1 n2:").arg(phase));
            QTest::newRow(name) << QString::fromUtf8(moment) << count << all;
        };
    row("before anything was sent", "kept", 1);
    row("one of the first stage has answered", "acknowledged", 1);
    row("before the second stage", "kept", 2);
    row("one of the second stage has answered", "acknowledged", 4);
    row("before the last stage", "kept", 3);
    row("one of the last stage has answered", "acknowledged", 7);
    row("while it baked", "baking", 0);
    row("when it was done", "kept", 4);
    row("one has gone back", "going back", 10, "rolled_back | rolled_back");
    row("stopped, and one has gone back", "stopped", 8, "rolled_back | stopped");
}

void FleetTest::aKilledRunnerGoesOn()
{
    QFETCH(QString, moment);
    QFETCH(int, count);
    QFETCH(QString, ends);
    QVERIFY(prepare(3));
    QTemporaryDir directory;
    const QString path = directory.filePath(QStringLiteral("push.json"));
    QStringList arguments{QStringLiteral("--push"), path, moment, QString::number(count)};
    for (const auto& node : m_nodes) {
        arguments << QString::number(node->port);
    }
    QProcess pusher;
    pusher.start(QCoreApplication::applicationFilePath(), arguments);
    QVERIFY(pusher.waitForFinished(60'000));
    QCOMPARE(pusher.exitStatus(), QProcess::CrashExit);

    const auto text = readFile(path.toStdString(), 1U << 20U);
    QVERIFY(text.has_value());
    const auto kept = rolloutFromJson(*text);
    QVERIFY(kept.has_value());
    m_runner = RolloutRunner::resume(m_clock, m_request, *kept, {});
    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QCOMPARE(QString::fromStdString(textOf(rollout)), ends);
    for (const auto& node : m_nodes) {
        QCOMPARE(node->hash(), ends.endsWith(QStringLiteral("done")) ? m_v2 : m_v1);
    }
}

} // namespace mesh::fleet

int main(int count, char** arguments)
{
    if (count > 5 && std::string_view(arguments[1]) == "--push") {
        return mesh::fleet::pushAndDie(count, arguments);
    }
    QCoreApplication application(count, arguments);
    mesh::fleet::FleetTest test;
    return QTest::qExec(&test, count, arguments);
}

#include "fleet_test.moc"
