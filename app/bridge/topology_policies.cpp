#include "app/bridge/topology_policies.h"

#include "app/bridge/format.h"
#include "app/bridge/policy_words.h"

#include <QCoreApplication>

#include <algorithm>
#include <numeric>

namespace mesh::bridge {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("mesh::bridge::Policy", text); }

QString toQt(const std::string& text) { return QString::fromStdString(text); }

void sortByUrgency(std::vector<PolicyRow>& rows)
{
    std::ranges::stable_sort(rows, [](const PolicyRow& a, const PolicyRow& b) {
        return a.kind != b.kind ? a.kind < b.kind : a.subject < b.subject;
    });
}

// "target:cart/10.0.0.3:7001" -> "10.0.0.3:7001".
std::string addressOf(const std::string& subject)
{
    const auto cut = subject.find('/');
    return cut == std::string::npos ? std::string() : subject.substr(cut + 1);
}

QString percentText(double percent) { return formatRatio(percent / 100); }

QString faultText(const model::Fault& fault)
{
    QStringList parts;
    if (fault.abort) {
        parts << tr("%1 for %2").arg(fault.abort->status).arg(percentText(fault.abort->percent));
    }
    if (fault.delay) {
        parts << tr("+%1 for %2")
                     .arg(
                         formatDuration(toSeconds(fault.delay->time) * 1000),
                         percentText(fault.delay->percent)
                     );
    }
    return parts.join(QStringLiteral(" · "));
}

} // namespace

PolicyPlaces::PolicyPlaces(const TopologyInput& input, const EntityNames& names)
{
    for (const model::Node& node : input.document->nodes) {
        if (node.role == model::NodeRole::Gateway) {
            m_entitiesOf[node.name].insert(gatewayId(node.name));
        }
    }
    for (const model::Workload& workload : input.document->workloads) {
        m_entitiesOf[workload.node].insert(serviceId(workload.service));
        m_instanceOf[workload.address] = toQt(workload.name);
        if (workload.inbound) {
            m_instanceOf[*workload.inbound] = toQt(workload.name);
        }
    }
    readReports(input, names);
    readConfiguration(*input.document);
}

void PolicyPlaces::readReports(const TopologyInput& input, const EntityNames& names)
{
    for (const PolicyReport& report : input.policies) {
        const PolicyWord* word = policyWord(report.kind);
        if (word == nullptr || !word->kind) {
            continue;
        }
        if (*word->kind == PolicyKind::Ejection) {
            m_ejections.push_back(report);
            continue;
        }
        const std::string service = names.serviceOfSubject(report.subject);
        const QString subject = toQt(report.subject);
        auto known = std::ranges::find_if(m_known, [&](const Known& other) {
            return other.row.kind == *word->kind && other.row.subject == subject;
        });
        if (known == m_known.end()) {
            PolicyRow row{*word->kind, policyText(*word->kind), {}, subject, {}, report.since_us};
            row.reason = toQt(report.reason);
            m_known.push_back({std::move(row), service, {}});
            known = m_known.end() - 1;
        } else if (report.since_us < known->row.since_us) {
            known->row.since_us = report.since_us; // The first that saw it tells why.
            known->row.reason = toQt(report.reason);
        }
        const QString node = toQt(report.node);
        if (!known->row.nodes.contains(node)) {
            known->row.nodes.append(node);
            known->row.nodes.sort();
        }
        if (*word->kind == PolicyKind::Refusal) {
            continue; // Told by the service's own node; who called is not known.
        }
        const auto callers = m_entitiesOf.find(report.node);
        if (callers != m_entitiesOf.end()) {
            known->sources.insert(callers->second.begin(), callers->second.end());
        } else {
            known->sources.insert(gatewayId(report.node)); // A node the document does not list.
        }
    }
}

void PolicyPlaces::configure(
    PolicyKind kind,
    const QString& text,
    const QString& reason,
    const QString& subject,
    const std::string& service
)
{
    const bool isActing = std::ranges::any_of(m_known, [&](const Known& known) {
        return known.row.kind == kind && known.service == service;
    });
    if (!isActing) {
        m_known.push_back({PolicyRow{kind, text, reason, subject, {}, 0}, service, {}});
    }
}

void PolicyPlaces::readResilience(
    const model::Resilience& resilience, const QString& subject, const std::string& service
)
{
    if (resilience.mirror) {
        const QString share = percentText(resilience.mirror->percent);
        configure(
            PolicyKind::Mirror,
            tr("mirror %1").arg(share),
            tr("%1 of the requests are copied to %2").arg(share, toQt(resilience.mirror->service)),
            subject,
            service
        );
    }
    if (resilience.fault && (resilience.fault->abort || resilience.fault->delay)) {
        const QString text = faultText(*resilience.fault);
        configure(
            PolicyKind::Injection,
            tr("injects %1").arg(text),
            tr("the configuration injects %1").arg(text),
            subject,
            service
        );
    }
}

void PolicyPlaces::readRoute(const model::Route& route, const std::string& owner)
{
    const QString name = toQt(route.name.value_or(route.id.value_or("")));
    const QString subject = QStringLiteral("route:") + name;
    if (route.resilience) {
        readResilience(*route.resilience, subject, owner);
    }
    const int sum = std::accumulate(
        route.split.begin(),
        route.split.end(),
        0,
        [](int total, const model::SplitPart& part) { return total + part.weight; }
    );
    if (sum <= 0) {
        return;
    }
    QStringList shares;
    QStringList parts;
    for (const model::SplitPart& part : route.split) {
        const double share = 100.0 * part.weight / sum;
        shares << QString::number(share, 'g', 3);
        parts << QStringLiteral("%1 %2").arg(toQt(part.service), percentText(share));
    }
    const QString text = tr("split %1").arg(shares.join(QStringLiteral(" / ")));
    const QString reason = tr("route %1: %2").arg(name, parts.join(QStringLiteral(", ")));
    std::set<std::string> services{owner};
    for (const model::SplitPart& part : route.split) {
        services.insert(part.service);
    }
    for (const std::string& service : services) {
        configure(PolicyKind::Split, text, reason, subject, service);
    }
}

void PolicyPlaces::readConfiguration(const model::Document& document)
{
    for (const model::Service& service : document.services) {
        const std::string name = service.name.value_or(service.id.value_or(""));
        if (service.resilience) {
            readResilience(*service.resilience, serviceId(name), name);
        }
        for (const model::Route& route : service.routes) {
            readRoute(route, name);
        }
    }
    for (const model::Route& route : document.routes) {
        readRoute(route, route.service.value_or(""));
    }
}

void PolicyPlaces::markEjected(InstanceRow& instance) const
{
    for (const PolicyReport& report : m_ejections) {
        const std::string address = addressOf(report.subject);
        const auto known = m_instanceOf.find(address);
        const QString id = known != m_instanceOf.end() ? known->second : toQt(address);
        if (id != instance.id || instance.isEjected) {
            continue;
        }
        instance.isEjected = true;
        instance.state = InstanceState::Ejected;
        instance.reason =
            tr("ejected at %1 · %2").arg(formatTime(report.since_us), toQt(report.reason));
    }
}

std::vector<PolicyRow> PolicyPlaces::ofEntity(const EntityRow& entity) const
{
    std::vector<PolicyRow> rows;
    for (const Known& known : m_known) {
        if (!known.service.empty() && serviceId(known.service) == entity.id) {
            rows.push_back(known.row);
        }
    }
    PolicyRow ejected{
        PolicyKind::Ejection, {}, {}, QStringLiteral("upstream:") + entity.name, {}, 0};
    PolicyRow suppressed = ejected;
    suppressed.kind = PolicyKind::EjectionSuppressed;
    int count = 0;
    for (const InstanceRow& instance : entity.instances) {
        if (instance.isEjected && count++ == 0) {
            const QString why = instance.reason.section(QStringLiteral(" · "), 1);
            ejected.reason = QStringLiteral("%1: %2").arg(instance.id, why);
        }
        if (!instance.suppressed.isEmpty() && suppressed.reason.isEmpty()) {
            suppressed.reason = QStringLiteral("%1: %2").arg(instance.id, instance.suppressed);
        }
    }
    for (const PolicyReport& report : m_ejections) {
        const bool isOurs = std::ranges::any_of(entity.instances, [&](const InstanceRow& instance) {
            const auto known = m_instanceOf.find(addressOf(report.subject));
            return known != m_instanceOf.end()
                       ? known->second == instance.id
                       : toQt(addressOf(report.subject)) == instance.address;
        });
        if (isOurs) {
            const bool isEarlier = ejected.since_us == 0 || report.since_us < ejected.since_us;
            ejected.since_us = isEarlier ? report.since_us : ejected.since_us;
            if (!ejected.nodes.contains(toQt(report.node))) {
                ejected.nodes << toQt(report.node);
            }
        }
    }
    ejected.nodes.sort();
    if (count > 0) {
        ejected.text = tr("%1 of %2 ejected").arg(count).arg(entity.instances.size());
        rows.push_back(std::move(ejected));
    }
    if (!suppressed.reason.isEmpty()) {
        suppressed.text = policyText(PolicyKind::EjectionSuppressed);
        rows.push_back(std::move(suppressed));
    }
    sortByUrgency(rows);
    return rows;
}

std::vector<PolicyRow> PolicyPlaces::ofEdge(const QString& source, const QString& target) const
{
    std::vector<PolicyRow> rows;
    for (const Known& known : m_known) {
        if (known.sources.count(source) > 0 && serviceId(known.service) == target) {
            rows.push_back(known.row);
        }
    }
    sortByUrgency(rows);
    return rows;
}

} // namespace mesh::bridge
