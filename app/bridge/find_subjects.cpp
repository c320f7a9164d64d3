#include "app/bridge/find_subjects.h"

#include "proxyengine/model/document.h"

#include <algorithm>
#include <string>
#include <vector>

namespace mesh::bridge {
namespace {

FindValue textOf(const QString& text)
{
    return {std::nullopt, text.isEmpty() ? QStringList() : QStringList{text}, false};
}

FindValue textsOf(const QStringList& texts) { return {std::nullopt, texts, !texts.isEmpty()}; }

FindValue numberOf(std::optional<double> number) { return {number, {}, false}; }

FindValue countOf(std::size_t count) { return numberOf(static_cast<double>(count)); }

FindValue flagOf(bool isTrue) { return {std::nullopt, {}, isTrue}; }

// "service:cart" and "cart": what a person may mean by either.
QString bareName(const QString& id) { return id.section(u':', 1); }

std::optional<double> percentOf(std::optional<double> ratio)
{
    return ratio ? std::optional<double>(*ratio * 100) : std::nullopt;
}

FindValue figureOf(const Figures& figures, FindOperand operand)
{
    switch (operand) {
    case FindOperand::Rate:
        return numberOf(
            figures.requests > 0 || figures.rps > 0 ? std::optional(figures.rps) : std::nullopt
        );
    case FindOperand::Errors:
        return numberOf(percentOf(figures.errorRatio));
    case FindOperand::ClientErrors:
        return numberOf(percentOf(figures.clientErrorRatio));
    case FindOperand::P50:
        return numberOf(figures.p50_ms);
    case FindOperand::P95:
    case FindOperand::Latency:
        return numberOf(figures.p95_ms);
    case FindOperand::P99:
        return numberOf(figures.p99_ms);
    case FindOperand::Requests:
        return countOf(figures.requests);
    case FindOperand::Throughput:
        return numberOf(figures.bytesPerSecond);
    case FindOperand::Amplification:
        return numberOf(
            figures.amplification > 0 ? std::optional(figures.amplification) : std::nullopt
        );
    default:
        return {};
    }
}

FindValue stateFlag(HealthState state, FindOperand operand)
{
    switch (operand) {
    case FindOperand::State:
        return textOf(findWord(state));
    case FindOperand::Healthy:
        return flagOf(state == HealthState::Healthy);
    case FindOperand::Degraded:
        return flagOf(state == HealthState::Degraded);
    case FindOperand::Failing:
        return flagOf(state == HealthState::Failure);
    case FindOperand::Idle:
        return flagOf(state == HealthState::Idle);
    case FindOperand::NoData:
        return flagOf(state == HealthState::NoData);
    case FindOperand::Stale:
        return flagOf(state == HealthState::Stale);
    default:
        return {};
    }
}

bool hasPolicy(const std::vector<PolicyRow>& policies, PolicyKind kind)
{
    return std::any_of(policies.begin(), policies.end(), [kind](const PolicyRow& row) {
        return row.kind == kind;
    });
}

FindValue lockOf(EdgeLock lock)
{
    switch (lock) {
    case EdgeLock::Closed:
        return {std::nullopt, {QStringLiteral("closed")}, true};
    case EdgeLock::Half:
        return textOf(QStringLiteral("half"));
    case EdgeLock::Open:
        return textOf(QStringLiteral("open"));
    case EdgeLock::Unknown:
        break;
    }
    return {};
}

FindValue policyOf(const std::vector<PolicyRow>& policies, FindOperand operand)
{
    const auto has = [&policies](PolicyKind kind) { return hasPolicy(policies, kind); };
    switch (operand) {
    case FindOperand::Policy: {
        QStringList texts;
        for (const PolicyRow& row : policies) {
            texts << row.text;
        }
        return textsOf(texts);
    }
    case FindOperand::Breaker: {
        const bool isOpen = has(PolicyKind::BreakerOpen);
        const bool isHalf = has(PolicyKind::BreakerHalfOpen);
        FindValue value = textOf(
            isOpen   ? QStringLiteral("open")
            : isHalf ? QStringLiteral("half")
                     : QStringLiteral("closed")
        );
        value.isTrue = isOpen || isHalf;
        return value;
    }
    case FindOperand::Split:
        return flagOf(has(PolicyKind::Split));
    case FindOperand::Mirror:
        return flagOf(has(PolicyKind::Mirror));
    case FindOperand::Retry:
        return flagOf(has(PolicyKind::BudgetExhausted));
    case FindOperand::Failover:
        return flagOf(has(PolicyKind::Failover));
    case FindOperand::RateLimited:
        return flagOf(has(PolicyKind::RateLimiting));
    default:
        return {};
    }
}

// key empty: any tag.
FindValue tagOf(const QStringList& tags, const QString& key)
{
    if (key.isEmpty()) {
        return textsOf(tags);
    }
    FindValue value;
    for (const QString& tag : tags) {
        if (tag.section(u':', 0, 0).compare(key, Qt::CaseInsensitive) == 0) {
            value.texts << tag.section(u':', 1);
            value.isTrue = true;
        }
    }
    return value;
}

FindValue tagOrGroup(const QStringList& tags, FindOperand operand, const QString& key)
{
    return operand == FindOperand::Tag     ? tagOf(tags, key)
           : operand == FindOperand::Group ? tagOf(tags, QStringLiteral("group"))
                                           : FindValue();
}

QStringList toQt(const model::Tags& tags)
{
    QStringList words;
    for (const std::string& tag : tags) {
        words << QString::fromStdString(tag);
    }
    return words;
}

} // namespace

QString findWord(HealthState state)
{
    switch (state) {
    case HealthState::Healthy:
        return QStringLiteral("healthy");
    case HealthState::Degraded:
        return QStringLiteral("degraded");
    case HealthState::Failure:
        return QStringLiteral("failing");
    case HealthState::Idle:
        return QStringLiteral("idle");
    case HealthState::NoData:
        return QStringLiteral("nodata");
    case HealthState::Stale:
        return QStringLiteral("stale");
    }
    return {};
}

FindTags::FindTags(const model::Document& document)
{
    for (const model::Service& service : document.services) {
        m_tags[QStringLiteral("service:") + QString::fromStdString(service.name.value_or(""))] +=
            toQt(service.tags);
    }
    for (const model::Node& node : document.nodes) {
        const QString name = QString::fromStdString(node.name);
        m_tags[name] += toQt(node.tags);
        m_tags[QStringLiteral("gateway:") + name] += toQt(node.tags);
    }
    for (const model::Workload& workload : document.workloads) {
        m_tags[QString::fromStdString(workload.name)] += toQt(workload.tags);
    }
}

FindValue EntitySubject::value(FindOperand operand, const QString& key) const
{
    switch (operand) {
    case FindOperand::Name:
    case FindOperand::Service:
        return textOf(m_row.name);
    case FindOperand::Version:
        // "v5.2 · v6.0 canary" are two.
        return textsOf(m_row.version.split(QStringLiteral(" · "), Qt::SkipEmptyParts));
    case FindOperand::Zone:
        return textsOf(m_row.zones);
    case FindOperand::Kind:
        return textOf(m_row.id.section(u':', 0, 0));
    case FindOperand::Tag:
    case FindOperand::Group:
        return tagOrGroup(m_tags.of(m_row.id), operand, key);
    case FindOperand::Detail:
        return textOf(m_row.why);
    case FindOperand::Mtls:
        return lockOf(m_row.lock);
    case FindOperand::LowTraffic:
        return flagOf(m_row.isLowTraffic);
    case FindOperand::Entry:
        return flagOf(m_row.isEntry);
    case FindOperand::Draft:
        return flagOf(m_row.isInDraft);
    case FindOperand::Fault: {
        FindValue value = textsOf(m_row.faults);
        value.isTrue = value.isTrue || hasPolicy(m_row.policies, PolicyKind::Injection);
        return value;
    }
    case FindOperand::Ejected:
        return flagOf(std::any_of(
            m_row.instances.begin(),
            m_row.instances.end(),
            [](const InstanceRow& instance) { return instance.isEjected; }
        ));
    case FindOperand::Instances:
        return countOf(m_row.instances.size());
    case FindOperand::Findings:
        return numberOf(m_row.findings);
    default:
        break;
    }
    if (findOperandRow(operand).isNumber) {
        return figureOf(m_row.figures, operand);
    }
    const bool isState = operand == FindOperand::State
                         || (operand >= FindOperand::Healthy && operand <= FindOperand::Stale);
    return isState ? stateFlag(m_row.state, operand) : policyOf(m_row.policies, operand);
}

FindValue EdgeSubject::value(FindOperand operand, const QString& /*key*/) const
{
    switch (operand) {
    case FindOperand::Name:
        return textOf(bareName(m_row.source) + QStringLiteral(" -> ") + bareName(m_row.target));
    case FindOperand::Service:
        return textsOf({bareName(m_row.source), bareName(m_row.target)});
    case FindOperand::Source:
        return textOf(bareName(m_row.source));
    case FindOperand::Target:
        return textOf(bareName(m_row.target));
    case FindOperand::Protocol:
        return textOf(m_row.protocol);
    case FindOperand::Mtls:
        return lockOf(m_row.lock);
    case FindOperand::Tcp:
        return flagOf(m_row.isTcp);
    case FindOperand::Fault:
        return flagOf(hasPolicy(m_row.policies, PolicyKind::Injection));
    case FindOperand::State:
    case FindOperand::Healthy:
    case FindOperand::Degraded:
    case FindOperand::Failing:
    case FindOperand::Idle:
    case FindOperand::NoData:
    case FindOperand::Stale:
        return stateFlag(m_row.state, operand);
    default:
        return findOperandRow(operand).isNumber ? figureOf(m_row.figures, operand)
                                                : policyOf(m_row.policies, operand);
    }
}

FindValue InstanceSubject::value(FindOperand operand, const QString& key) const
{
    switch (operand) {
    case FindOperand::Name:
        return textOf(m_row.id);
    case FindOperand::Service:
        return textOf(m_row.service.contains(u':') ? bareName(m_row.service) : m_row.service);
    case FindOperand::Version:
        return textOf(m_row.version);
    case FindOperand::Zone:
        return textOf(m_row.zone);
    case FindOperand::Tag:
    case FindOperand::Group:
        return tagOrGroup(m_tags.of(m_row.id), operand, key);
    case FindOperand::Address:
        return textOf(m_row.address);
    case FindOperand::Detail:
        return textOf(m_row.reason);
    case FindOperand::State: {
        static const QStringList kWords = {
            QStringLiteral("up"),
            QStringLiteral("ejected"),
            QStringLiteral("draining"),
            QStringLiteral("starting"),
            QStringLiteral("stale"),
            QStringLiteral("down"),
            QStringLiteral("frozen")};
        return textOf(kWords.value(static_cast<int>(m_row.state)));
    }
    case FindOperand::Healthy:
    case FindOperand::Running:
        return flagOf(m_row.state == InstanceState::Up);
    case FindOperand::Ejected:
        return flagOf(m_row.isEjected);
    case FindOperand::Draining:
        return flagOf(m_row.state == InstanceState::Draining);
    case FindOperand::Starting:
        return flagOf(m_row.state == InstanceState::Starting);
    case FindOperand::Stale:
        return flagOf(m_row.state == InstanceState::Stale);
    case FindOperand::Down:
        return flagOf(m_row.state == InstanceState::Down);
    case FindOperand::Frozen:
        return flagOf(m_row.state == InstanceState::Frozen);
    default:
        return figureOf(m_row.figures, operand);
    }
}

FindValue NodeSubject::value(FindOperand operand, const QString& key) const
{
    switch (operand) {
    case FindOperand::Name:
    case FindOperand::Node:
        return textOf(m_row.name);
    case FindOperand::Version:
        return textOf(m_row.version);
    case FindOperand::Zone:
        return textOf(m_row.zone);
    case FindOperand::Tag:
    case FindOperand::Group:
        return tagOrGroup(m_tags.of(m_row.name), operand, key);
    case FindOperand::Kind:
    case FindOperand::Role:
        return textOf(
            m_row.role == NodeRoleKind::Gateway ? QStringLiteral("gateway")
                                                : QStringLiteral("sidecar")
        );
    case FindOperand::State: {
        static const QStringList kWords = {
            QStringLiteral("running"),
            QStringLiteral("starting"),
            QStringLiteral("draining"),
            QStringLiteral("stopped"),
            QStringLiteral("unreachable"),
            QStringLiteral("stale"),
            QStringLiteral("notstarted")};
        return textOf(kWords.value(static_cast<int>(m_row.state)));
    }
    case FindOperand::Running:
        return flagOf(m_row.state == NodeState::Running);
    case FindOperand::Starting:
        return flagOf(m_row.state == NodeState::Starting);
    case FindOperand::Draining:
        return flagOf(m_row.state == NodeState::Draining);
    case FindOperand::Stale:
        return flagOf(m_row.state == NodeState::Stale);
    case FindOperand::Down:
        return flagOf(m_row.state == NodeState::Unreachable || m_row.state == NodeState::Stopped);
    case FindOperand::Converged:
        return flagOf(m_row.isConverged);
    case FindOperand::Address:
        return textOf(m_row.address);
    case FindOperand::Hash:
        return textOf(m_row.hash);
    case FindOperand::Rate:
        return numberOf(m_row.lastFrame_us > 0 ? std::optional(m_row.rps) : std::nullopt);
    case FindOperand::Cpu:
        return numberOf(m_row.lastFrame_us > 0 ? std::optional(m_row.cpuPercent) : std::nullopt);
    case FindOperand::Errors:
        return numberOf(percentOf(m_row.errorRatio));
    case FindOperand::Revision:
        return numberOf(
            m_row.revision > 0 ? std::optional(static_cast<double>(m_row.revision)) : std::nullopt
        );
    case FindOperand::Connections:
        return countOf(m_row.connections);
    case FindOperand::Workloads:
        return numberOf(m_row.workloads);
    case FindOperand::Age:
        return numberOf(
            m_row.age_ms >= 0 ? std::optional(static_cast<double>(m_row.age_ms) / 1000)
                              : std::nullopt
        );
    default:
        return {};
    }
}

FindValue RequestSubject::value(FindOperand operand, const QString& key) const
{
    switch (operand) {
    case FindOperand::Header: {
        QStringList values;
        for (const auto& [name, value] : m_row.headers) {
            if (key.isEmpty() || name.compare(key, Qt::CaseInsensitive) == 0) {
                values << value;
            }
        }
        return textsOf(values);
    }
    case FindOperand::Name:
        return textsOf({m_row.service, m_row.path, m_row.route, m_row.requestId});
    case FindOperand::Service:
        return textOf(m_row.service);
    case FindOperand::Source:
        return textOf(m_row.source);
    case FindOperand::Target:
        return textOf(m_row.target);
    case FindOperand::Node:
        return textOf(m_row.node);
    case FindOperand::Method:
        return textOf(m_row.method);
    case FindOperand::Host:
        return textOf(m_row.host);
    case FindOperand::Path:
        return textOf(m_row.path);
    case FindOperand::Route:
        return textOf(m_row.route);
    case FindOperand::Status:
        return numberOf(
            m_row.status > 0 ? std::optional(static_cast<double>(m_row.status)) : std::nullopt
        );
    case FindOperand::Attempts:
        return numberOf(m_row.attempts);
    case FindOperand::Retry:
        return flagOf(m_row.attempts > 1);
    case FindOperand::Latency:
        return numberOf(m_row.latency_ms);
    default:
        return {};
    }
}

FindValue RevisionSubject::value(FindOperand operand, const QString& /*key*/) const
{
    switch (operand) {
    case FindOperand::Name:
        return textsOf({QString::number(m_row.id), m_row.message, m_row.author});
    case FindOperand::Revision:
        return numberOf(static_cast<double>(m_row.id));
    case FindOperand::Author:
        return textOf(m_row.author);
    case FindOperand::Message:
        return textOf(m_row.message);
    case FindOperand::Hash:
        return textOf(m_row.hash);
    case FindOperand::Running:
        return flagOf(m_row.isRunning);
    default:
        return {};
    }
}

FindValue EventSubject::value(FindOperand operand, const QString& /*key*/) const
{
    switch (operand) {
    case FindOperand::Name:
        return textsOf({m_row.label, m_row.detail, bareName(m_row.subject)});
    case FindOperand::Service:
        return textOf(bareName(m_row.subject));
    case FindOperand::Message:
        return textOf(m_row.label);
    case FindOperand::Detail:
        return textOf(m_row.detail);
    case FindOperand::Node:
        return textOf(m_row.node);
    case FindOperand::Fault:
        return flagOf(m_row.kind == Marker::Kind::Fault);
    case FindOperand::Kind: {
        static const QStringList kWords = {
            QStringLiteral("revision"),
            QStringLiteral("push"),
            QStringLiteral("fault"),
            QStringLiteral("health"),
            QStringLiteral("ejection"),
            QStringLiteral("node"),
            QStringLiteral("alert"),
            QStringLiteral("policy")};
        return textOf(kWords.value(static_cast<int>(m_row.kind)));
    }
    default:
        return {};
    }
}

} // namespace mesh::bridge
