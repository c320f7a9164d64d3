// Goal: a node behind a link that is cut is unreachable, is told as that, and gets the revision
// when the link is back. Method: network namespaces of our own. This program is started again as
// root of one (unshare -rn), lays a virtual cable to a second one, where a real meshwrightd listens
// with mutual TLS, and takes the far end down and up. Skipped where the kernel gives no such
// namespaces.
#include "app/fleet/admin_link.h"
#include "app/fleet/rollout_runner.h"
#include "app/fleet/stages.h"
#include "proxyengine/config/codec.h"
#include "tests/support/certificate_maker.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <thread>

namespace mesh::fleet {
namespace {

using DocumentPointer = std::shared_ptr<const model::Document>;

constexpr const char* kFarAddress = "10.99.0.2";
constexpr int kFarPort = 7443; // Nobody else is in the namespace.
constexpr int kNearPort = 7444;

DocumentPointer shopOf(const std::string& version)
{
    const std::string text = "_format_version: \"3.0\"\nservices:\n- name: shop-" + version
                             + "\n  host: pool-" + version + "\n  routes: [{name: all-" + version
                             + ", paths: [/]}]\nupstreams:\n- {name: pool-" + version
                             + ", targets: [{target: \"127.0.0.1:9\"}]}\n";
    return std::make_shared<const model::Document>(config::decode(text).document);
}

bool command(const QStringList& words)
{
    QProcess process;
    process.start(words.front(), words.mid(1));
    const bool isDone = process.waitForFinished(20'000);
    if (!isDone || process.exitStatus() != QProcess::NormalExit || process.exitCode() != 0) {
        qWarning() << words << process.readAllStandardError();
        return false;
    }
    return true;
}

// Waits until the process has said it. False when it ends before.
bool hasSaid(QProcess& process, const char* words)
{
    QByteArray log;
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < 20'000 && !log.contains(words)) {
        process.waitForReadyRead(100);
        log += process.readAll();
        if (process.state() == QProcess::NotRunning) {
            qWarning() << log;
            return false;
        }
    }
    return log.contains(words);
}

// "far:set_aside near:done | partial"
QString textOf(const Rollout& rollout)
{
    std::string text;
    for (const NodeProgress& node : rollout.nodes) {
        text += node.name + ":" + std::string(toText(node.phase)) + " ";
    }
    return QString::fromStdString(text + "| " + std::string(toText(rollout.state)));
}

} // namespace

// Runs inside of the first namespace.
class CutLinkInside : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void cleanupTestCase();
    void aNodeBehindACutLinkGetsTheRevisionWhenItReturns();
    void aLinkThatIsCutBetweenTwoStepsIsWaitedFor();

private:
    enum class Link : std::uint8_t { Up, Down };

    std::string write(const char* name, const std::string& text) const;
    control::NodeCredentials credentialsOf(const char* name, const char* address) const;
    bool layCable();
    bool setLink(Link link) const;
    bool startNode(QProcess& process, const QStringList& before, const QStringList& arguments);
    [[nodiscard]] RolloutRequest requestOf(const char* before, const char* after);
    [[nodiscard]] std::string hashOf(const control::AdminAddress& address) const;
    [[nodiscard]] QString state() { return textOf(m_runner->wait({})); }

    SystemClock m_clock;
    QTemporaryDir m_directory;
    test::IssuedCertificate m_authority = test::issueAuthority("shop authority");
    control::NodeCredentials m_console;
    control::AdminAddress m_far;
    control::AdminAddress m_near;
    QProcess m_otherSide; // Keeps the second namespace.
    QProcess m_farNode;
    QProcess m_nearNode;
    std::unique_ptr<control::NodeCalls> m_calls;
    std::unique_ptr<RolloutRunner> m_runner;
};

std::string CutLinkInside::write(const char* name, const std::string& text) const
{
    QFile file(m_directory.filePath(QString::fromLatin1(name)));
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        file.write(QByteArray::fromStdString(text));
    }
    return file.fileName().toStdString();
}

control::NodeCredentials CutLinkInside::credentialsOf(const char* name, const char* address) const
{
    test::CertificateSpec spec;
    spec.name = name;
    spec.alternatives = std::string("IP:") + address;
    const test::IssuedCertificate made = test::issue(spec, &m_authority);
    const std::string file = name;
    return {
        write((file + ".pem").c_str(), made.pem()),
        write((file + ".key").c_str(), made.keyPem()),
        write("ca.pem", m_authority.pem())};
}

bool CutLinkInside::layCable()
{
    m_otherSide.start(
        QStringLiteral("unshare"),
        {QStringLiteral("-n"),
         QStringLiteral("sh"),
         QStringLiteral("-c"),
         QStringLiteral("echo ready; exec sleep 600")}
    );
    if (!hasSaid(m_otherSide, "ready")) {
        return false;
    }
    const QString other = QString::number(m_otherSide.processId());
    const QString there = QStringLiteral("nsenter -t %1 -n ip ").arg(other);
    const QStringList commands = {
        QStringLiteral("ip link set lo up"),
        QStringLiteral("ip link add cut0 type veth peer name cut1"),
        QStringLiteral("ip link set cut1 netns %1").arg(other),
        QStringLiteral("ip addr add 10.99.0.1/24 dev cut0"),
        QStringLiteral("ip link set cut0 up"),
        there + QStringLiteral("link set lo up"),
        there + QStringLiteral("addr add %1/24 dev cut1").arg(QLatin1String(kFarAddress))};
    return std::ranges::all_of(commands, [](const QString& each) {
        return command(each.split(QLatin1Char(' ')));
    });
}

// What is on its way is lost, and nobody says so: as when a cable is drawn.
bool CutLinkInside::setLink(Link link) const
{
    const QString other = QString::number(m_otherSide.processId());
    const QString word = link == Link::Up ? QStringLiteral("up") : QStringLiteral("down");
    return command(QStringLiteral("nsenter -t %1 -n ip link set cut1 %2")
                       .arg(other, word)
                       .split(QLatin1Char(' ')));
}

bool CutLinkInside::startNode(
    QProcess& process, const QStringList& before, const QStringList& arguments
)
{
    const QString first =
        QString::fromStdString(write("first.yaml", config::toYaml(*shopOf("v1"))));
    const QStringList words = before
                              + QStringList(
                                  {QStringLiteral(MESH_NODE_PROGRAM),
                                   QStringLiteral("run"),
                                   QStringLiteral("--workers"),
                                   QStringLiteral("1"),
                                   QStringLiteral("--proxy-listen"),
                                   QStringLiteral("127.0.0.1:0"),
                                   QStringLiteral("--config"),
                                   first}
                              )
                              + arguments;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(words.front(), words.mid(1));
    return hasSaid(process, "node.ready");
}

void CutLinkInside::initTestCase()
{
    QVERIFY(layCable());
    QVERIFY(setLink(Link::Up));
    m_console = credentialsOf("console", "10.99.0.1");
    const control::NodeCredentials node = credentialsOf("far", kFarAddress);
    const QString farListen = QStringLiteral("%1:%2").arg(QLatin1String(kFarAddress)).arg(kFarPort);
    const QString nearListen = QStringLiteral("127.0.0.1:%1").arg(kNearPort);
    QVERIFY(startNode(
        m_farNode,
        {QStringLiteral("nsenter"),
         QStringLiteral("-t"),
         QString::number(m_otherSide.processId()),
         QStringLiteral("-n")},
        {QStringLiteral("--admin-listen"),
         farListen,
         QStringLiteral("--admin-tls"),
         QString::fromStdString(node.certFile + "," + node.keyFile + "," + node.caFile)}
    ));
    QVERIFY(startNode(m_nearNode, {}, {QStringLiteral("--admin-listen"), nearListen}));
    m_far = {farListen.toStdString(), {}, true};
    m_near.hostPort = nearListen.toStdString();
    auto calls = control::NodeCalls::start(m_clock);
    QVERIFY(calls.has_value());
    m_calls = *std::move(calls);
    QCOMPARE(hashOf(m_far), config::hashOf(*shopOf("v1"))); // Over the cable.
}

void CutLinkInside::cleanup() { m_runner.reset(); }

void CutLinkInside::cleanupTestCase()
{
    for (QProcess* const process : {&m_farNode, &m_nearNode, &m_otherSide}) {
        process->kill();
        process->waitForFinished();
    }
}

RolloutRequest CutLinkInside::requestOf(const char* before, const char* after)
{
    RolloutRequest request;
    request.before = shopOf(before);
    request.after = shopOf(after);
    request.plan.answerMax = std::chrono::seconds(3);
    for (const char* const name : {"far", "near"}) {
        ExpectedNode node;
        node.name = name;
        request.nodes.push_back(node);
    }
    request.links["far"] = makeAdminLink(*m_calls, m_far, m_console);
    request.links["near"] = makeAdminLink(*m_calls, m_near);
    return request;
}

std::string CutLinkInside::hashOf(const control::AdminAddress& address) const
{
    control::NodeRequest request;
    request.address = address;
    request.credentials = m_console;
    request.method = "GET";
    request.path = "/config/hash";
    request.timeout = std::chrono::seconds(20);
    const auto answer = control::requestNode(m_clock, request);
    return answer && answer->body.size() > 74 ? answer->body.substr(9, 64) : std::string();
}

void CutLinkInside::aNodeBehindACutLinkGetsTheRevisionWhenItReturns()
{
    RolloutRequest request = requestOf("v1", "v2");
    const std::string revision = config::hashOf(*request.after);
    QVERIFY(setLink(Link::Down));
    m_runner = RolloutRunner::start(m_clock, std::move(request), {});

    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QCOMPARE(textOf(rollout), QStringLiteral("far:set_aside near:done | partial"));
    QVERIFY2(
        rollout.nodes[0].text.starts_with("cannot be reached: "), rollout.nodes[0].text.c_str()
    );
    QCOMPARE(hashOf(m_near), revision);
    QVERIFY(setLink(Link::Up));
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("far:done near:done | done"), 40'000);
    QCOMPARE(hashOf(m_far), revision);
}

void CutLinkInside::aLinkThatIsCutBetweenTwoStepsIsWaitedFor()
{
    RolloutRequest request = requestOf("v2", "v3");
    const std::string revision = config::hashOf(*request.after);
    const std::string step = config::hashOf(stagesOf(*request.before, *request.after).front());
    QVERIFY(step != revision);
    std::atomic<int> kept{0};
    std::atomic<bool> isCut{false};
    RolloutRunner::Callbacks callbacks;
    callbacks.keep = [&](const std::string&) {
        if (++kept == 2) { // Both have the first step, and nothing of the second was sent.
            while (!isCut) {
                std::this_thread::yield();
            }
        }
    };
    m_runner = RolloutRunner::start(m_clock, std::move(request), std::move(callbacks));
    QTRY_COMPARE_WITH_TIMEOUT(kept.load(), 2, 20'000);
    const bool hasCut = setLink(Link::Down);
    isCut = true;
    QVERIFY(hasCut);

    const Rollout rollout = m_runner->wait(std::chrono::seconds(60));

    QCOMPARE(textOf(rollout), QStringLiteral("far:set_aside near:done | partial"));
    QCOMPARE(rollout.nodes[0].hashNow, step);
    QVERIFY(setLink(Link::Up));
    QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("far:done near:done | done"), 40'000);
    QCOMPARE(hashOf(m_far), revision);
    m_runner.reset(); // Before what its callback uses.
}

class CutLinkTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nodesBehindACutLink();
};

void CutLinkTest::nodesBehindACutLink()
{
    QProcess probe;
    probe.start(
        QStringLiteral("unshare"),
        {QStringLiteral("-rn"),
         QStringLiteral("sh"),
         QStringLiteral("-c"),
         QStringLiteral("ip link add probe0 type veth peer name probe1 && command -v nsenter")}
    );
    const bool isPossible = probe.waitForFinished(20'000)
                            && probe.exitStatus() == QProcess::NormalExit
                            && probe.error() != QProcess::FailedToStart && probe.exitCode() == 0;
    if (!isPossible) {
        QSKIP(qPrintable(
            QStringLiteral("no network namespaces of one's own here: %1 %2")
                .arg(probe.errorString(), QString::fromUtf8(probe.readAllStandardError()))
        ));
    }
    QProcess inside;
    inside.setProcessChannelMode(QProcess::ForwardedChannels);
    inside.start(
        QStringLiteral("unshare"),
        {QStringLiteral("-rn"), QCoreApplication::applicationFilePath(), QStringLiteral("--inside")}
    );

    QVERIFY(inside.waitForFinished(150'000));

    QCOMPARE(inside.exitStatus(), QProcess::NormalExit);
    QCOMPARE(inside.exitCode(), 0);
}

} // namespace mesh::fleet

int main(int count, char** arguments)
{
    QCoreApplication application(count, arguments);
    if (count == 2 && std::string_view(arguments[1]) == "--inside") {
        mesh::fleet::CutLinkInside inside;
        return QTest::qExec(&inside, 1, arguments);
    }
    mesh::fleet::CutLinkTest test;
    return QTest::qExec(&test, count, arguments);
}

#include "cut_link_test.moc"
