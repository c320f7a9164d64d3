// The plan of a push and the push itself.
#include "app/bridge/profile.h"
#include "app/bridge/rollout_private.h"
#include "app/bridge/session_records.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <string_view>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kBefore_s = 60; // Gates compare with the minute before.
constexpr double kSecondWaveShare = 0.25;
constexpr std::int64_t kChartSpan_s = 240;

std::int64_t second(WallTime time) { return time.time_since_epoch().count() / kSecond_us; }

bool isThere(NodeState state)
{
    return state == NodeState::Running || state == NodeState::Draining;
}

// The canary first: a quiet sidecar that has traffic; then gateways and sidecars in turn, so that
// the second wave sees both.
QStringList orderOf(const std::vector<NodeRow>& nodes)
{
    std::vector<const NodeRow*> sidecars;
    std::vector<const NodeRow*> gateways;
    for (const NodeRow& node : nodes) {
        if (isThere(node.state)) {
            (node.role == NodeRoleKind::Gateway ? gateways : sidecars).push_back(&node);
        }
    }
    const auto byLoad = [](const NodeRow* a, const NodeRow* b) {
        const bool isIdleA = a->rps <= 0;
        const bool isIdleB = b->rps <= 0;
        return std::tuple(isIdleA, a->rps, a->name) < std::tuple(isIdleB, b->rps, b->name);
    };
    // By name among those of a like load, so that the plan does not change every second.
    std::ranges::sort(gateways, {}, &NodeRow::name);
    std::ranges::sort(sidecars, {}, &NodeRow::name);
    QStringList order;
    auto& first = sidecars.empty() ? gateways : sidecars;
    if (!first.empty()) {
        const auto quietest = std::ranges::min_element(first, byLoad);
        order << (*quietest)->name;
        first.erase(quietest);
    }
    while (!gateways.empty() || !sidecars.empty()) {
        for (auto* group : {&gateways, &sidecars}) {
            if (!group->empty()) {
                order << group->front()->name;
                group->erase(group->begin());
            }
        }
    }
    return order;
}

fleet::GateRule gate(fleet::GateQuantity quantity, fleet::GateBasis basis, double limit)
{
    fleet::GateRule rule;
    rule.quantity = quantity;
    rule.basis = basis;
    rule.limit = limit;
    return rule;
}

} // namespace

fleet::NodeFigures figuresOf(const NodeSeconds& seconds, std::int64_t begin_s, std::int64_t end_s)
{
    fleet::NodeFigures figures;
    HistogramCounts latency;
    for (const NodeSecond& one : seconds) {
        if (one.time_s >= begin_s && one.time_s < end_s) {
            figures.requests += one.requests;
            figures.errors += one.errors;
            figures.ejections += one.ejections;
            latency.merge(one.latency);
        }
    }
    const auto length = static_cast<double>(std::max<std::int64_t>(1, end_s - begin_s));
    figures.rps = static_cast<double>(figures.requests) / length;
    figures.p95_ms = latency.total() > 0 ? latency.quantile(0.95) / 1000 : -1;
    return figures;
}

void RolloutSession::Private::makePlan()
{
    const QString environment = mesh.gate().profile().environment;
    const bool isGuarded =
        environment == QStringLiteral("production") || environment == QStringLiteral("staging");
    const PlanKind kind = chosenPlan.value_or(isGuarded ? PlanKind::Canary : PlanKind::AllAtOnce);
    PlanRows next = plan;
    next.kind = kind;
    next.isDefault = !chosenPlan;
    next.waves.clear();
    next.silent.clear();
    const QStringList order = orderOf(mesh.nodes());
    QStringList away;
    for (const NodeRow& node : mesh.nodes()) {
        if (!isThere(node.state) && node.state != NodeState::NotStarted) {
            away << node.name;
        }
    }
    const auto count = order.size() + away.size();
    // The canary is kept while it is there: a plan that moves cannot be read.
    QStringList kept = order;
    if (!plan.waves.empty() && plan.waves.front().nodes.size() == 1
        && kept.removeOne(plan.waves.front().nodes.front())) {
        kept.prepend(plan.waves.front().nodes.front());
    }
    const auto quarter =
        static_cast<qsizetype>(std::ceil(kSecondWaveShare * static_cast<double>(count)));
    const QStringList canary = kept.mid(0, 1);
    const QStringList second = kept.mid(1, std::max<qsizetype>(1, quarter - 1));
    const QStringList rest = kept.mid(1 + second.size()) + away;
    const QStringList all = kept + away;
    const auto wave = [&](const QString& label, QStringList nodes, bool isLast) {
        if (nodes.isEmpty()) {
            return;
        }
        PlanWaveRow row;
        row.label = label;
        constexpr qsizetype kNamedMax = 4;
        nodes.sort();
        row.nodesText = nodes.size() <= kNamedMax ? nodes.join(QStringLiteral(", "))
                        : isLast && !next.waves.empty()
                            ? RolloutSession::tr("%n other(s)", nullptr, int(nodes.size()))
                            : nodesText(nodes);
        row.nodes = std::move(nodes);
        row.bake_s = next.bake_s;
        next.waves.push_back(std::move(row));
    };
    if (kind == PlanKind::AllAtOnce || count < 3) {
        wave(RolloutSession::tr("All"), all, true);
    } else {
        wave(RolloutSession::tr("Canary"), canary, false);
        wave(RolloutSession::tr("Wave 2"), second, false);
        wave(RolloutSession::tr("Wave 3"), rest, true);
    }
    for (const NodeRow& node : mesh.nodes()) {
        if (away.contains(node.name)) {
            next.silent << node.name;
        }
    }
    QStringList steps;
    for (const QStringList& part : {canary, second, rest}) {
        if (!part.isEmpty()) {
            steps << QString::number(part.size());
        }
    }
    next.counts = {
        RolloutSession::tr("%n node(s)", nullptr, static_cast<int>(count)),
        RolloutSession::tr("%1 nodes").arg(steps.join(QStringLiteral(" → "))),
        RolloutSession::tr("you press Continue")};
    if (plan != next) {
        plan = std::move(next);
        Q_EMIT q.planChanged();
    }
}

fleet::RolloutPlan RolloutSession::Private::fleetPlan() const
{
    fleet::RolloutPlan made;
    made.waves.clear();
    for (std::size_t i = 0; i + 1 < plan.waves.size(); ++i) {
        fleet::WaveSpec wave;
        wave.kind = fleet::WaveSpec::Kind::Named;
        for (const QString& node : plan.waves[i].nodes) {
            wave.nodes.push_back(node.toStdString());
        }
        made.waves.push_back(std::move(wave));
    }
    made.waves.push_back(fleet::WaveSpec{}); // All that are left.
    made.advance =
        plan.kind == PlanKind::Manual ? fleet::WaveAdvance::Manual : fleet::WaveAdvance::Automatic;
    made.bake = std::chrono::seconds(plan.bake_s);
    using fleet::GateBasis;
    using fleet::GateQuantity;
    if (plan.bake_s > 0) {
        if (plan.gates.errorPoints) {
            made.gates.push_back(gate(
                GateQuantity::ErrorRatio, GateBasis::AgainstBefore, *plan.gates.errorPoints / 100
            ));
        }
        if (plan.gates.p95Percent) {
            made.gates.push_back(
                gate(GateQuantity::P95, GateBasis::AgainstBefore, *plan.gates.p95Percent / 100)
            );
        }
        if (plan.gates.ejections) {
            made.gates.push_back(
                gate(GateQuantity::Ejections, GateBasis::Absolute, *plan.gates.ejections)
            );
        }
    }
    if (plan.gates.rejections) {
        made.gates.push_back(
            gate(GateQuantity::Rejections, GateBasis::Absolute, *plan.gates.rejections)
        );
    }
    made.onFailure = plan.rollsBack ? fleet::OnGateFailure::RollBack : fleet::OnGateFailure::Stop;
    made.absent =
        plan.appliesOnReturn ? fleet::AbsentNode::ApplyOnReturn : fleet::AbsentNode::SetAside;
    return made;
}

std::vector<fleet::ExpectedNode> RolloutSession::Private::expectedNodes() const
{
    std::vector<fleet::ExpectedNode> nodes;
    const std::int64_t now_s = second(mesh.clock().wallNow());
    for (const NodeRow& row : mesh.nodes()) {
        if (row.state == NodeState::NotStarted) {
            continue; // Nobody runs it: it cannot be expected to answer.
        }
        fleet::ExpectedNode node;
        node.name = row.name.toStdString();
        node.role = row.role == NodeRoleKind::Gateway ? "gateway" : "sidecar";
        node.zone = row.zone.toStdString();
        node.hash = row.hash.toStdString();
        node.isReachable = isThere(row.state);
        node.seenAt = WallTime(std::chrono::microseconds(row.lastFrame_us));
        const auto known = context.seconds.find(node.name);
        if (known != context.seconds.end()) {
            node.before = figuresOf(known->second, now_s - kBefore_s, now_s);
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

Result<void> RolloutSession::Private::push()
{
    const QString why = q.whyNotPush();
    if (!why.isEmpty()) {
        return fail(ErrorCode::InvalidArgument, why.toStdString());
    }
    compareWithNodes();
    if (merge.isNeeded) {
        return fail(ErrorCode::Conflict, merge.text.toStdString());
    }
    MESH_TRY(model::Document next, included());
    auto document = mesh.pushable(std::move(next));
    pushedBefore = mesh.document();
    rows.revisionBefore = mesh.revisions().empty() ? 0 : mesh.revisions().front().id;
    isSaving = true;
    const int opened = generation;
    mesh.setNodeProblems({});
    mesh.saveRevision(
        document,
        message.trimmed(),
        [this, document, opened, guard = alive()](const Result<std::int64_t>& saved) {
            if (!guard || opened != generation) {
                return;
            }
            isSaving = false;
            if (!saved) {
                Q_EMIT q.failed(
                    RolloutSession::tr("The revision cannot be saved; nothing was sent."),
                    QString::fromStdString(saved.error().message)
                );
                return;
            }
            draftBase = mesh.isDraftChanged() ? document : nullptr;
            begin(*saved, document);
        }
    );
    return {};
}

void RolloutSession::Private::begin(
    std::int64_t revision, std::shared_ptr<const model::Document> next
)
{
    endRunner(); // Of the push before, which is over.
    merge = {};
    fleet::RolloutRequest request;
    request.before = pushedBefore;
    request.after = next;
    request.revision = revision;
    request.revisionBefore = mesh.revisions().size() > 1 ? mesh.revisions()[1].id : 0;
    request.message = mesh.revisions().front().message.toStdString();
    request.plan = fleetPlan();
    request.nodes = expectedNodes();
    request.links = mesh.nodeLinks();
    pushed = std::move(next);
    isFound = false;
    excluded.clear();
    accepted.clear();
    if (request.nodes.empty()) {
        readHistory();
        Q_EMIT q.rolloutChanged();
        return;
    }
    mesh.records().addAudit(
        QStringLiteral("push.started"),
        RolloutSession::tr("revision %1").arg(request.revision),
        RolloutSession::tr("%n node(s)", nullptr, static_cast<int>(request.nodes.size()))
    );
    mesh.beginPushMarker(
        revision,
        RolloutSession::tr("%n node(s)", nullptr, static_cast<int>(request.nodes.size()))
            + (request.message.empty()
                   ? QString()
                   : QStringLiteral(" · ") + QString::fromStdString(request.message))
    );
    runner = options.start(mesh.clock(), std::move(request), callbacks());
    figuresTimer.start();
    Q_EMIT q.rolloutChanged();
}

fleet::RolloutRunner::Callbacks RolloutSession::Private::callbacks()
{
    fleet::RolloutRunner::Callbacks made;
    const int opened = generation;
    made.onChange = [this, opened](const fleet::Rollout& changed) {
        post([this, opened, copy = changed] {
            if (opened == generation) {
                onRollout(copy);
            }
        });
    };
    if (mesh.file() != nullptr) {
        // The file outlives the runner: endRunner() comes when the document closes.
        auto id = std::make_shared<std::int64_t>(0);
        made.keep = [file = mesh.file(), id](const std::string& json) {
            const auto kept = fleet::rolloutFromJson(json);
            if (!kept) {
                return;
            }
            store::PushRecord record = recordOf(*kept, json);
            record.id = *id;
            // Waits for the disk: what is sent must be remembered.
            auto promise = std::make_shared<std::promise<Result<std::int64_t>>>();
            auto answer = promise->get_future();
            file->savePush(std::move(record), [promise](Result<std::int64_t> saved) {
                promise->set_value(std::move(saved));
            });
            const Result<std::int64_t> saved = answer.get();
            *id = saved ? *saved : *id;
        };
    }
    return made;
}

store::PushRecord recordOf(const fleet::Rollout& rollout, const std::string& json)
{
    store::PushRecord record;
    record.revision = rollout.revision;
    record.revisionBefore = rollout.revisionBefore;
    record.begin_us = rollout.startedAt.time_since_epoch().count();
    record.end_us = fleet::isOver(rollout.state) ? rollout.endedAt.time_since_epoch().count() : 0;
    record.outcome = "running";
    if (fleet::isOver(rollout.state)) {
        record.outcome = std::string(fleet::toText(rollout.state));
    }
    record.converged = static_cast<int>(rollout.convergedCount());
    record.expected = static_cast<int>(rollout.nodes.size());
    record.json = json;
    return record;
}

void RolloutSession::Private::onRollout(const fleet::Rollout& changed)
{
    const bool wasOver = rollout && fleet::isOver(rollout->state);
    rollout = changed;
    KeptPush& kept = pushes[changed.revision];
    kept.revision = changed.revision;
    kept.revisionBefore = changed.revisionBefore;
    kept.state = changed.state;
    kept.expected = changed.nodes.size();
    kept.converged = changed.convergedCount();
    kept.endedAt_us = changed.endedAt.time_since_epoch().count();
    refreshRollout();
    if (fleet::isOver(changed.state) && runner && !wasOver) {
        onOver();
    }
    readHistory();
}

void RolloutSession::Private::onOver()
{
    mesh.endPushMarker();
    const fleet::RolloutState state = rollout->state;
    const std::string_view outcome = fleet::toText(state); // "done", "partial", "rolled_back"
    mesh.records().addAudit(
        QStringLiteral("push.")
            + QString::fromUtf8(outcome.data(), static_cast<qsizetype>(outcome.size())),
        RolloutSession::tr("revision %1").arg(rollout->revision),
        RolloutSession::tr("%1 of %2 nodes run it")
            .arg(rollout->convergedCount())
            .arg(rollout->nodes.size())
    );
    if (state != fleet::RolloutState::RolledBack) {
        if (pushed) {
            mesh.useModels(pushed);
        }
        return;
    }
    // What runs is the newest revision again; the change is not lost, it is the draft.
    const QString text = pushed ? QString::fromStdString(config::toYaml(*pushed)) : QString();
    const std::int64_t back = rollout->revisionBefore;
    const std::int64_t from = rollout->revision;
    const int opened = generation;
    if (!pushedBefore || mesh.isReadOnly() || mesh.revisions().empty()
        || mesh.revisions().front().id != from) {
        return;
    }
    const bool isDraftFree = !mesh.isDraftChanged();
    mesh.saveRevision(
        pushedBefore,
        RolloutSession::tr("Back to revision %1, after %2 was rolled back").arg(back).arg(from),
        [this, text, opened, from, isDraftFree, guard = alive()](const Result<std::int64_t>& saved
        ) {
            if (!guard || opened != generation || !saved) {
                return;
            }
            mesh.useModels(pushedBefore);
            if (isDraftFree && !text.isEmpty()) {
                draftBase = mesh.document();
                Q_EMIT q.draftProposed(text);
                origin = RolloutSession::tr("Revision %1, rolled back").arg(from);
                mesh.setSetting(QStringLiteral("draft.origin"), origin);
                Q_EMIT q.changesChanged();
            }
        }
    );
}

void RolloutSession::Private::endRunner()
{
    figuresTimer.stop();
    if (runner) {
        mesh.releaseLinks(); // So that the runner does not wait for this thread.
        runner.reset();
    }
}

void RolloutSession::Private::onSecond(const NodeSecond& measured)
{
    NodeSeconds& seconds = context.seconds[measured.node];
    seconds.push_back(measured);
    while (!seconds.empty() && seconds.front().time_s + kFiguresKept_s < measured.time_s) {
        seconds.pop_front();
    }
}

void RolloutSession::Private::tellFigures()
{
    if (!rollout) {
        return;
    }
    const std::int64_t now_s = second(mesh.clock().wallNow());
    const bool isOver = fleet::isOver(rollout->state);
    if (runner && !isOver) {
        for (const NodeRow& row : mesh.nodes()) {
            runner->onReachable(row.name.toStdString(), isThere(row.state));
        }
        for (const fleet::NodeProgress& node : rollout->nodes) {
            const auto known = context.seconds.find(node.name);
            if (node.appliedAt != WallTime{} && known != context.seconds.end()) {
                // The second of the change belongs to neither side.
                const std::int64_t applied_s = second(node.appliedAt) + 1;
                runner->onFigures(node.name, figuresOf(known->second, applied_s, now_s + 1));
            }
        }
    }
    const std::int64_t end_s = isOver ? second(rollout->endedAt) + 1 : now_s;
    context.points = pointsOf(context.seconds, rollout->hash, end_s - kChartSpan_s, end_s);
    refreshRollout();
    if (isOver) {
        figuresTimer.stop();
    }
}

void RolloutSession::Private::refreshRollout()
{
    if (!rollout) {
        return;
    }
    context.now_us = mesh.clock().wallNow().time_since_epoch().count();
    context.isFound = isFound;
    rows = rowsOf(*rollout, context);
    Q_EMIT q.rolloutChanged();
}

void RolloutSession::Private::findKept()
{
    if (mesh.file() == nullptr) {
        return;
    }
    const int opened = generation;
    mesh.file()->pushes([this, opened, tell = poster()](Result<std::vector<store::PushRecord>> found
                        ) {
        auto shared = std::make_shared<Result<std::vector<store::PushRecord>>>(std::move(found));
        tell([this, opened, shared] {
            if (opened != generation || !*shared) {
                return;
            }
            for (const store::PushRecord& record : **shared) {
                KeptPush kept;
                kept.revision = record.revision;
                kept.revisionBefore = record.revisionBefore;
                kept.expected = static_cast<std::size_t>(record.expected);
                kept.converged = static_cast<std::size_t>(record.converged);
                kept.endedAt_us = record.end_us;
                auto read = fleet::rolloutFromJson(record.json);
                if (read) {
                    kept.state = read->state;
                }
                pushes[record.revision] = kept;
                const bool isNewest = &record == &(*shared)->back();
                if (isNewest && read && !runner) {
                    rollout = std::move(*read);
                    isFound = !fleet::isOver(rollout->state);
                    refreshRollout();
                }
            }
            readHistory();
        });
    });
}

// --- The public door ----------------------------------------------------------------------------

void RolloutSession::setPlanKind(PlanKind kind)
{
    m_private->chosenPlan = kind;
    m_private->makePlan();
}

void RolloutSession::setBake(int seconds)
{
    constexpr int kBakeMax_s = 24 * 3600;
    m_private->plan.bake_s = std::clamp(seconds, 0, kBakeMax_s);
    m_private->plan.waves.clear(); // They name it.
    m_private->makePlan();
}

void RolloutSession::setGates(const PlanGates& gates)
{
    m_private->plan.gates = gates;
    Q_EMIT planChanged();
}

void RolloutSession::setRollsBack(bool rollsBack)
{
    m_private->plan.rollsBack = rollsBack;
    Q_EMIT planChanged();
}

void RolloutSession::setAppliesOnReturn(bool isSent)
{
    m_private->plan.appliesOnReturn = isSent;
    Q_EMIT planChanged();
}

Result<void> RolloutSession::push() { return m_private->push(); }

bool RolloutSession::isRunning() const
{
    return m_private->runner && m_private->rollout && !fleet::isOver(m_private->rollout->state);
}

void RolloutSession::hold()
{
    if (m_private->runner) {
        m_private->runner->hold();
    }
}

void RolloutSession::continueNow()
{
    if (m_private->runner) {
        m_private->runner->continueNow();
    } else if (m_private->isFound) {
        m_private->resume();
    }
}

void RolloutSession::stop()
{
    if (m_private->runner) {
        m_private->runner->stop();
    }
}

void RolloutSession::rollBack()
{
    if (m_private->runner) {
        m_private->runner->rollBack(tr("by %1").arg(m_private->mesh.author()).toStdString());
    }
}

} // namespace mesh::bridge
