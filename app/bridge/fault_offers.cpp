#include "app/bridge/fault_offers.h"

#include "app/bridge/format.h"
#include "proxyengine/base/duration_text.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <map>

namespace mesh::bridge {

namespace {

using simulator::Fault;
using simulator::FaultKind;

QString say(const char* text) { return QCoreApplication::translate("Faults", text); }

QString utf8(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

// What an offer writes beside `at` and `fault`.
struct OfferSpec
{
    const char* key;
    const char* fault; // As scenarios spell it.
    FaultGroup group;
    const char* title;
    const char* help;
    const char* icon;
    const char* length; // Empty: to the end.
    std::vector<std::pair<const char*, const char*>> parameters;
    std::vector<TargetKind> targets;
};

const std::vector<OfferSpec>& specs()
{
    using K = TargetKind;
    using G = FaultGroup;
    static const std::vector<OfferSpec> all = {
        {"kill",
         "kill",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Kill"),
         QT_TRANSLATE_NOOP("Faults", "Connections are refused until it ends."),
         "power",
         "1m",
         {},
         {K::Service, K::Zone}},
        {"restart",
         "kill",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Restart"),
         QT_TRANSLATE_NOOP("Faults", "One instance is gone for ten seconds."),
         "refresh",
         "10s",
         {},
         {K::Service}},
        {"freeze",
         "freeze",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Freeze"),
         QT_TRANSLATE_NOOP("Faults", "Connections are accepted, nothing is answered."),
         "pause",
         "1m",
         {},
         {K::Service, K::Zone}},
        {"slow",
         "slow",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Slow node"),
         QT_TRANSLATE_NOOP("Faults", "Everything takes five times as long."),
         "slow",
         "1m",
         {{"factor", "5"}},
         {K::Service, K::Zone}},
        {"grey",
         "grey",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Gray failure"),
         QT_TRANSLATE_NOOP("Faults", "Traffic suffers while health checks pass."),
         "eye",
         "2m",
         {{"status", "503"}, {"probability", "0.5"}},
         {K::Service}},
        {"flap",
         "flap",
         G::Instance,
         QT_TRANSLATE_NOOP("Faults", "Flapping"),
         QT_TRANSLATE_NOOP("Faults", "Up and down, ten seconds each."),
         "flap",
         "2m",
         {{"period", "20s"}, {"duty", "0.5"}},
         {K::Service}},
        {"zone_outage",
         "zone_outage",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Zone outage"),
         QT_TRANSLATE_NOOP("Faults", "Every instance and proxy of the zone is gone."),
         "zone",
         "90s",
         {},
         {K::Zone}},
        {"partition",
         "partition",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Partition"),
         QT_TRANSLATE_NOOP("Faults", "Packets between the two vanish."),
         "partition",
         "1m",
         {},
         {K::Edge}},
        {"latency",
         "latency",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Latency"),
         QT_TRANSLATE_NOOP("Faults", "Every attempt takes 200 ms more."),
         "clock",
         "1m",
         {{"add", "200ms"}, {"jitter", "50ms"}},
         {K::Service, K::Edge, K::Zone}},
        {"black_hole",
         "black_hole",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Black hole"),
         QT_TRANSLATE_NOOP("Faults", "Requests go in and nothing comes back."),
         "ban",
         "1m",
         {},
         {K::Service, K::Edge, K::Zone}},
        {"reset",
         "reset",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Reset"),
         QT_TRANSLATE_NOOP("Faults", "One attempt in five is cut off."),
         "sever",
         "1m",
         {{"probability", "0.2"}},
         {K::Service, K::Edge, K::Zone}},
        {"bandwidth",
         "bandwidth",
         G::Network,
         QT_TRANSLATE_NOOP("Faults", "Bandwidth"),
         QT_TRANSLATE_NOOP("Faults", "Answers trickle at 100 kB a second."),
         "gauge",
         "1m",
         {{"bytes_per_second", "100000"}},
         {K::Service, K::Edge, K::Zone}},
        {"surge",
         "surge",
         G::Traffic,
         QT_TRANSLATE_NOOP("Faults", "Surge"),
         QT_TRANSLATE_NOOP("Faults", "Twice the load comes in."),
         "surge",
         "1m",
         {{"factor", "2"}},
         {K::Service}},
        {"retry_storm",
         "retry_storm",
         G::Traffic,
         QT_TRANSLATE_NOOP("Faults", "Retry storm"),
         QT_TRANSLATE_NOOP("Faults", "Its callers try five times, without a budget."),
         "storm",
         "1m",
         {{"attempts", "5"}},
         {K::Service}},
        {"error",
         "error",
         G::Traffic,
         QT_TRANSLATE_NOOP("Faults", "Error rate"),
         QT_TRANSLATE_NOOP("Faults", "One request in five is answered 503 at once."),
         "warning",
         "1m",
         {{"status", "503"}, {"probability", "0.2"}},
         {K::Service, K::Edge}},
        {"bad_deploy",
         "bad_deploy",
         G::Change,
         QT_TRANSLATE_NOOP("Faults", "Bad deploy"),
         QT_TRANSLATE_NOOP(
             "Faults", "Half of the instances become a version that fails and crawls."
         ),
         "upload",
         "2m",
         {{"version", "bad"}, {"share", "0.5"}, {"error_rate", "0.1"}, {"factor", "2"}},
         {K::Service}},
        {"cert_expiry",
         "cert_expiry",
         G::Change,
         QT_TRANSLATE_NOOP("Faults", "Expired cert"),
         QT_TRANSLATE_NOOP("Faults", "New TLS connections fail."),
         "certificate",
         "2m",
         {},
         {K::Service}},
        {"config_delay",
         "config_delay",
         G::Change,
         QT_TRANSLATE_NOOP("Faults", "Slow push"),
         QT_TRANSLATE_NOOP("Faults", "The node sees changes thirty seconds late."),
         "push",
         "2m",
         {{"by", "30s"}},
         {K::Gateway}},
        {"stale_endpoints",
         "stale_endpoints",
         G::Change,
         QT_TRANSLATE_NOOP("Faults", "Stale endpoints"),
         QT_TRANSLATE_NOOP("Faults", "Callers see its instances thirty seconds late."),
         "stale",
         "2m",
         {{"by", "30s"}},
         {K::Service}},
        {"cache_wipe",
         "cache_wipe",
         G::Change,
         QT_TRANSLATE_NOOP("Faults", "Cache wipe"),
         QT_TRANSLATE_NOOP("Faults", "Cached calls all go through until refilled."),
         "trash",
         "1m",
         {},
         {K::Service}},
    };
    return all;
}

const OfferSpec* specOf(const QString& key)
{
    const auto found = std::ranges::find_if(specs(), [&key](const OfferSpec& spec) {
        return key == QLatin1String(spec.key);
    });
    return found == specs().end() ? nullptr : &*found;
}

// "a->b" as scenarios spell edges; gateways are one.
std::string scenarioEdge(const QString& target)
{
    const qsizetype arrow = target.indexOf(QStringLiteral(" -> "));
    const auto plain = [](const QString& id) {
        return id.startsWith(QStringLiteral("gateway:")) ? std::string("gateway")
                                                         : id.section(u':', 1).toStdString();
    };
    return plain(target.left(arrow)) + "->" + plain(target.mid(arrow + 4));
}

std::string targetText(const OfferSpec& spec, const QString& target)
{
    const std::string name = target.section(u':', 1).toStdString();
    switch (targetKindOf(target)) {
    case TargetKind::Edge:
        return "{edge: \"" + scenarioEdge(target) + "\"}";
    case TargetKind::Zone:
        return "{zone: " + name + "}";
    case TargetKind::Gateway:
        return "{node: " + name + "}";
    case TargetKind::Service:
        break;
    case TargetKind::None:
        return {};
    }
    const bool isOne = std::string_view(spec.key) == "restart"
                       || std::string_view(spec.key) == "grey"
                       || std::string_view(spec.key) == "flap";
    return isOne ? "{service: " + name + ", instances: 1}" : "{service: " + name + "}";
}

QString percent(double share) { return formatRatio(share); }

// What the clip says inside: the most telling parameter.
QString titleOf(const Fault& fault)
{
    switch (fault.kind) {
    case FaultKind::ZoneOutage:
        return say("zone %1").arg(QString::fromStdString(fault.target.zone));
    case FaultKind::Latency:
        return QStringLiteral("+%1").arg(formatDuration(toSeconds(fault.add) * 1000));
    case FaultKind::Error:
        return fault.probability < 1
                   ? QStringLiteral("%1 %2").arg(fault.status).arg(percent(fault.probability))
                   : QString::number(fault.status);
    case FaultKind::Slow:
    case FaultKind::Surge:
        return QStringLiteral("×%1").arg(fault.factor);
    case FaultKind::RetryStorm:
        return say("%1 tries").arg(fault.attempts);
    case FaultKind::BadDeploy:
        return say("%1, %2").arg(QString::fromStdString(fault.version), percent(fault.share));
    case FaultKind::ConfigDelay:
    case FaultKind::StaleEndpoints:
        return say("%1 late").arg(spanText(toSeconds(fault.by)));
    case FaultKind::Bandwidth:
        return say("%1/s").arg(formatBytes(fault.bytesPerSecond));
    default:
        break;
    }
    return utf8(simulator::toText(fault.kind)).replace(u'_', u' ');
}

const OfferSpec* specOf(FaultKind kind)
{
    const std::string_view name = simulator::toText(kind);
    const auto found =
        std::ranges::find_if(specs(), [name](const OfferSpec& spec) { return name == spec.fault; });
    return found == specs().end() ? nullptr : &*found;
}

} // namespace

TargetKind targetKindOf(const QString& target)
{
    if (target.contains(QStringLiteral(" -> "))) {
        return TargetKind::Edge;
    }
    const QString kind = target.section(u':', 0, 0);
    if (!target.contains(u':')) {
        return TargetKind::None;
    }
    static const std::map<QString, TargetKind> kinds = {
        {QStringLiteral("service"), TargetKind::Service},
        {QStringLiteral("gateway"), TargetKind::Gateway},
        {QStringLiteral("zone"), TargetKind::Zone}};
    const auto found = kinds.find(kind);
    return found == kinds.end() ? TargetKind::None : found->second;
}

QString zoneTarget(const QString& zone) { return QStringLiteral("zone:") + zone; }

bool FaultOffer::supports(TargetKind kind) const
{
    return std::ranges::find(targets, kind) != targets.end();
}

const std::vector<FaultOffer>& faultOffers()
{
    static const std::vector<FaultOffer> all = [] {
        std::vector<FaultOffer> made;
        for (const OfferSpec& spec : specs()) {
            made.push_back(
                {QString::fromLatin1(spec.key),
                 spec.group,
                 say(spec.title),
                 say(spec.help),
                 QString::fromLatin1(spec.icon),
                 spec.targets}
            );
        }
        return made;
    }();
    return all;
}

const FaultOffer* findFaultOffer(const QString& key)
{
    const auto found = std::ranges::find(faultOffers(), key, &FaultOffer::key);
    return found == faultOffers().end() ? nullptr : &*found;
}

EntryMembers entryOf(const FaultOffer& offer, const QString& target, double at_s)
{
    const OfferSpec* spec = specOf(offer.key);
    if (spec == nullptr || !offer.supports(targetKindOf(target))) {
        return {};
    }
    const auto at = fromSeconds(std::max(0.0, std::round(at_s)));
    EntryMembers members = {{"at", toDurationText(at)}};
    if (*spec->length != '\0') {
        members.emplace_back("for", spec->length);
    }
    members.emplace_back("fault", spec->fault);
    members.emplace_back("target", targetText(*spec, target));
    for (const auto& [key, value] : spec->parameters) {
        members.emplace_back(key, value);
    }
    return members;
}

ClipRow clipOf(const Fault& fault, int index)
{
    ClipRow clip;
    clip.index = index;
    clip.kind = utf8(simulator::toText(fault.kind));
    const OfferSpec* spec = specOf(fault.kind);
    clip.icon = QString::fromLatin1(spec != nullptr ? spec->icon : "bolt");
    clip.title = titleOf(fault);
    QString target = QString::fromStdString(simulator::toText(fault.target));
    target.replace(QStringLiteral("->"), QStringLiteral("→"));
    const bool isSaid = fault.kind == FaultKind::ZoneOutage;
    clip.detail = isSaid ? QString() : target;
    clip.at_s = toSeconds(fault.at);
    if (fault.length) {
        clip.length_s = toSeconds(*fault.length);
    }
    const QString kind = spec != nullptr ? say(spec->title) : clip.kind;
    clip.words = clip.length_s
                     ? say("%1, %2, from %3 for %4")
                           .arg(kind, target, spanText(clip.at_s), spanText(*clip.length_s))
                     : say("%1, %2, from %3 to the end").arg(kind, target, spanText(clip.at_s));
    return clip;
}

QString spanText(double seconds)
{
    const QString gap = QStringLiteral("\u202F");
    if (seconds < 1 && seconds > 0) {
        return QString::number(std::lround(seconds * 1000)) + gap + QStringLiteral("ms");
    }
    const auto whole = static_cast<long long>(std::llround(seconds));
    if (whole < 60) {
        return QString::number(whole) + gap + QStringLiteral("s");
    }
    const QString minutes = QString::number(whole / 60) + gap + QStringLiteral("min");
    return whole % 60 == 0 ? minutes
                           : minutes + QStringLiteral(" ") + QString::number(whole % 60) + gap
                                 + QStringLiteral("s");
}

} // namespace mesh::bridge
