#include "app/bridge/session_private.h"
#include "proxyengine/config/codec.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kPastSecond_us = 1'000'000;
constexpr std::size_t kPastDocumentsMax = 8; // A replay goes over few revisions at a time.
constexpr std::int64_t kPastSilent_ms = 3000; // Three intervals.
constexpr auto kTopologyView = "topology";

std::int64_t secondOf(std::int64_t time_us) { return time_us / kPastSecond_us; }

} // namespace

// Puts together what was at one moment: the configuration of then, when it is not at hand, where
// everything stood, and what was measured. The store answers in this order.
void MeshSession::Private::askPast(std::int64_t time_us, std::function<void(PastTopology)> answer)
{
    auto ask = std::make_shared<PastAsk>();
    ask->time_us = time_us;
    ask->revision = revisionAt(revisions, time_us);
    const auto known = pastDocuments.find(ask->revision);
    if (known != pastDocuments.end()) {
        ask->document = known->second;
    } else if (ask->revision != 0) {
        file->revisionText(ask->revision, [this, ask](const Result<std::string>& found) {
            std::shared_ptr<const model::Document> read;
            if (found) {
                config::DecodeResult decoded = config::decode(*found);
                if (!config::hasErrors(decoded.problems)) {
                    read = std::make_shared<const model::Document>(std::move(decoded.document));
                }
            }
            post([this, ask, read] {
                ask->document = read;
                if (read) {
                    pastDocuments[ask->revision] = read;
                }
                if (pastDocuments.size() > kPastDocumentsMax) {
                    // The one farthest away.
                    const bool isNewest = ask->revision == pastDocuments.rbegin()->first;
                    pastDocuments.erase(
                        isNewest ? pastDocuments.begin() : std::prev(pastDocuments.end())
                    );
                }
            });
        });
    }
    file->layoutAt(
        kTopologyView,
        time_us,
        [this, ask](Result<std::vector<store::LayoutPosition>> found) {
            auto shared = std::make_shared<std::vector<store::LayoutPosition>>();
            if (found) {
                *shared = std::move(*found);
            }
            post([ask, shared] { ask->positions = std::move(*shared); });
        }
    );
    askWindow(ask, std::move(answer));
}

void MeshSession::Private::askWindow(
    const std::shared_ptr<PastAsk>& ask, std::function<void(PastTopology)> answer
)
{
    const std::int64_t end = secondOf(ask->time_us);
    file->window(
        {end - context.window_s(), end},
        [this, ask, answer = std::move(answer)](Result<store::WindowTotals> totals) {
            auto shared = std::make_shared<Result<store::WindowTotals>>(std::move(totals));
            post([this, ask, answer, shared] {
                answer(pastOf(*ask, *shared ? **shared : store::WindowTotals{}));
            });
        }
    );
}

// As updateNodes() makes them of live frames, from what the store remembers of a node.
std::vector<NodeRow> MeshSession::Private::nodesOf(
    const PastAsk& ask, const store::WindowTotals& window
) const
{
    std::map<std::string_view, const store::SeriesTotal*> measured;
    for (const store::SeriesTotal& series : window.series) {
        if (series.key.kind == store::SeriesKind::Node) {
            measured[series.key.source] = &series;
        }
    }
    const double seconds = std::max(1.0, static_cast<double>(window.end_s - window.begin_s));
    std::vector<NodeRow> rows = configuredNodes(ask.document ? *ask.document : *document);
    for (NodeRow& row : rows) {
        const auto found = measured.find(row.name.toStdString());
        row.state = NodeState::Stale;
        if (found == measured.end()) {
            continue;
        }
        const store::SeriesTotal& total = *found->second;
        row.lastFrame_us = (total.last_s + 1) * kPastSecond_us;
        row.age_ms = std::max<std::int64_t>(0, ask.time_us - row.lastFrame_us) / 1000;
        row.state = row.age_ms > kPastSilent_ms ? NodeState::Stale : NodeState::Running;
        const auto requests = static_cast<double>(total.value.total());
        row.rps = requests / seconds;
        if (requests > 0) {
            row.errorRatio = static_cast<double>(total.value.serverErrors()) / requests;
        }
        row.cpuPercent = static_cast<double>(total.value.cpu_us)
                         / (seconds * static_cast<double>(kPastSecond_us)) * 100;
        row.connections =
            static_cast<std::uint64_t>(static_cast<double>(total.value.active) / seconds + 0.5);
    }
    return rows;
}

PastTopology MeshSession::Private::pastOf(const PastAsk& ask, const store::WindowTotals& window)
    const
{
    PastTopology past;
    past.moment.nodes = nodesOf(ask, window);
    past.moment.time_us = ask.time_us;
    past.moment.revision = ask.revision;
    past.moment.isConfigurationKnown = ask.document != nullptr || ask.revision == 0;
    for (const store::LayoutPosition& position : ask.positions) {
        past.moment.positions.push_back(
            {QString::fromStdString(position.id), position.x, position.y, position.isPinned}
        );
    }
    TopologyInput input;
    input.document = ask.document ? ask.document.get() : document.get();
    input.series = &window.series;
    input.seconds = std::max(1.0, static_cast<double>(window.end_s - window.begin_s));
    input.window_s = context.window_s();
    input.now_us = ask.time_us;
    input.policies = policiesAt(ask.time_us);
    input.faults = faultsAt(ask.time_us);
    for (const store::SeriesTotal& series : window.series) {
        if (series.key.kind == store::SeriesKind::Node) {
            // Measured from the cursor, not from the end of what was recorded: who says nothing
            // any more is silent.
            const std::int64_t silent_s = secondOf(ask.time_us) - series.last_s - 1;
            input.silentFor_s[series.key.source] =
                static_cast<double>(std::max<std::int64_t>(0, silent_s));
        }
    }
    past.topology = buildTopology(input, nullptr).topology;
    return past;
}

// One question at a time: while the store answers, the cursor moves on, and only where it is then
// is asked next.
void MeshSession::Private::publishPast()
{
    if (!file) {
        return;
    }
    if (isAskingPast) {
        isPastDue = true;
        return;
    }
    isAskingPast = true;
    isPastDue = false;
    const std::optional<std::int64_t> second_us = context.second_us();
    askPast(context.cursor_us(), [this, second_us](PastTopology first) {
        if (!second_us) {
            isAskingPast = false;
            showPast(std::move(first));
            return;
        }
        auto kept = std::make_shared<PastTopology>(std::move(first));
        askPast(*second_us, [this, kept](PastTopology second) {
            isAskingPast = false;
            showComparison(std::move(*kept), std::move(second));
        });
    });
}

void MeshSession::Private::showPast(PastTopology past)
{
    if (context.timeMode() == TimeMode::Live) {
        return;
    }
    if (isPastDue) {
        publishPast();
    }
    comparison = {};
    moment = std::move(past.moment);
    publish({std::move(past.topology), {}});
}

void MeshSession::Private::showComparison(PastTopology one, PastTopology other)
{
    if (context.timeMode() == TimeMode::Live) {
        return;
    }
    if (isPastDue) {
        publishPast();
    }
    const bool isForward = one.moment.time_us <= other.moment.time_us;
    PastTopology& before = isForward ? one : other;
    PastTopology& after = isForward ? other : one;
    comparison = diffOf(before.topology, after.topology);
    comparison.before_us = before.moment.time_us;
    comparison.after_us = after.moment.time_us;
    comparison.revisionBefore = before.moment.revision;
    comparison.revisionAfter = after.moment.revision;
    Topology both = unionOf(before.topology, after.topology, comparison);
    moment = std::move(after.moment);
    publish({std::move(both), {}});
}

void MeshSession::Private::forgetPast()
{
    moment = {};
    comparison = {};
    pastDocuments.clear();
    isAskingPast = false;
    isPastDue = false;
    samples.clear();
    nodeStatesNoted.clear();
    backedUp_us = 0;
    revisionBackedUp = 0;
    draftBackedUp.clear();
}

const PastMoment& MeshSession::moment() const { return m_private->moment; }

const TopologyDiff& MeshSession::comparison() const { return m_private->comparison; }

} // namespace mesh::bridge
