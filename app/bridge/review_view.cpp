// What app/fleet finds in a review as rows.
#include "app/bridge/rollout_private.h"

#include <algorithm>
#include <set>

namespace mesh::bridge {

namespace {

QString words(const std::string& text) { return QString::fromStdString(text); }

// The stem and the number behind it: "vm-10" -> {"vm-", 10}; -1 without a number.
std::pair<QString, int> stemOf(const QString& name)
{
    constexpr int kDigitsMax = 6;
    qsizetype at = name.size();
    while (at > 0 && name[at - 1].isDigit() && name.size() - at < kDigitsMax) {
        --at;
    }
    if (at == name.size() || (at < name.size() - 1 && name[at] == u'0')) {
        return {name, -1};
    }
    return {name.left(at), name.mid(at).toInt()};
}

QString rolesOf(const QStringList& names, const model::Document& document)
{
    int gateways = 0;
    int sidecars = 0;
    for (const model::Node& node : document.nodes) {
        if (names.contains(words(node.name))) {
            (node.role == model::NodeRole::Gateway ? gateways : sidecars) += 1;
        }
    }
    if (gateways > 0 && sidecars > 0) {
        return RolloutSession::tr("gateways and sidecars");
    }
    return gateways > 0 ? RolloutSession::tr("%n gateway(s)", nullptr, gateways)
                        : RolloutSession::tr("%n sidecar(s)", nullptr, sidecars);
}

} // namespace

QString nodesText(const QStringList& names)
{
    // Runs of numbers behind one stem, in the order of the names.
    QStringList parts;
    QString lastStem;
    const auto count = names.size();
    std::vector<std::pair<QString, int>> stems;
    for (const QString& name : names) {
        stems.push_back(stemOf(name));
    }
    std::ranges::sort(stems);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count);) {
        const auto& [stem, number] = stems[i];
        if (number < 0) {
            parts << stem;
            lastStem.clear();
            ++i;
            continue;
        }
        std::size_t end = i + 1;
        while (end < stems.size() && stems[end].first == stem
               && stems[end].second == stems[end - 1].second + 1) {
            ++end;
        }
        const QString head = stem == lastStem ? QString() : stem;
        const int last = stems[end - 1].second;
        constexpr std::size_t kRunMin = 3;
        if (end - i >= kRunMin) {
            parts << head + QString::number(number) + u'–' + QString::number(last);
        } else {
            parts << head + QString::number(number);
            if (end - i == 2) {
                parts << QString::number(last);
            }
        }
        lastStem = stem;
        i = end;
    }
    return parts.join(QStringLiteral(", "));
}

EffectiveRow rowOf(const fleet::EffectiveGroup& group, const model::Document& document)
{
    EffectiveRow row;
    for (const std::string& node : group.nodes) {
        row.names << words(node);
    }
    row.nodes = nodesText(row.names);
    row.roles = rolesOf(row.names, document);
    row.summary = words(group.summary);
    row.bytes = group.bytes;
    for (const fleet::EffectiveLine& line : group.lines) {
        DiffLine made;
        made.kind = line.kind == fleet::EffectiveLine::Kind::Same      ? DiffLine::Kind::Same
                    : line.kind == fleet::EffectiveLine::Kind::Removed ? DiffLine::Kind::Removed
                                                                       : DiffLine::Kind::Added;
        made.text = words(line.text);
        row.lines.push_back(std::move(made));
    }
    // What goes stands before what comes in its place.
    for (std::size_t i = 0; i + 1 < row.lines.size(); ++i) {
        const QString field = row.lines[i].text.section(u':', 0, 0);
        const bool isTurned = row.lines[i].kind == DiffLine::Kind::Added
                              && row.lines[i + 1].kind == DiffLine::Kind::Removed
                              && row.lines[i + 1].text.section(u':', 0, 0) == field;
        if (isTurned) {
            std::swap(row.lines[i], row.lines[i + 1]);
        }
    }
    for (const std::string& error : group.errors) {
        row.errors << words(error);
    }
    return row;
}

BehaviourRows rowsOf(
    const fleet::Behaviour& behaviour, const std::vector<fleet::RequestSample>& samples
)
{
    BehaviourRows rows;
    rows.sampled = behaviour.sampled;
    rows.unchanged = behaviour.unchanged;
    rows.more = behaviour.changesMore;
    for (const fleet::BehaviourChange& change : behaviour.changes) {
        BehaviourRow row;
        row.request = words(change.request);
        row.before = words(change.before);
        row.after = words(change.after);
        row.count = change.count;
        row.isWorse = change.isWorse;
        row.why = words(change.why);
        row.example = words(change.example.method) + u' ' + words(change.example.host)
                      + words(change.example.path);
        rows.worse += change.isWorse ? change.count : 0;
        rows.rows.push_back(std::move(row));
    }
    std::set<std::string> nodes;
    for (const fleet::RequestSample& sample : samples) {
        nodes.insert(sample.node);
    }
    rows.nodes = static_cast<int>(nodes.size());
    return rows;
}

FindingRow rowOf(const fleet::ReviewFinding& finding)
{
    FindingRow row;
    row.key = words(finding.code) + u' ' + words(finding.path);
    row.severity =
        finding.severity == fleet::ReviewFinding::Severity::Error     ? FindingSeverity::Error
        : finding.severity == fleet::ReviewFinding::Severity::Warning ? FindingSeverity::Warning
                                                                      : FindingSeverity::Info;
    row.code = words(finding.code);
    row.title = words(finding.title);
    row.text = words(finding.text);
    row.path = words(finding.path);
    row.isNew = finding.isNew;
    row.isMuted = finding.isMuted;
    row.mutedBecause = words(finding.mutedBecause);
    row.fixLabel = words(finding.fixLabel);
    return row;
}

} // namespace mesh::bridge
