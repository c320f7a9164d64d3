#include "app/bridge/policy_words.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>

namespace mesh::bridge {
namespace {

using Kind = PolicyKind;
using Phase = PolicyPhase;

QString tr(const char* text) { return QCoreApplication::translate("mesh::bridge::Policy", text); }

constexpr std::array kWords = {
    PolicyWord{"ejected", "ejected", Phase::Begins, "ejection", Kind::Ejection},
    PolicyWord{"returned", "", Phase::Ends, "ejection", {}},
    PolicyWord{"ejection_suppressed", "", Phase::Moment, "", Kind::EjectionSuppressed},
    PolicyWord{"breaker_opened", "breaker_open", Phase::Begins, "breaker", Kind::BreakerOpen},
    PolicyWord{
        "breaker_half_opened",
        "breaker_half_open",
        Phase::Begins,
        "breaker",
        Kind::BreakerHalfOpen},
    PolicyWord{"breaker_closed", "", Phase::Ends, "breaker", {}},
    PolicyWord{"panic_entered", "panic", Phase::Begins, "panic", Kind::Panic},
    PolicyWord{"panic_left", "", Phase::Ends, "panic", {}},
    PolicyWord{"failover_started", "failover", Phase::Begins, "failover", Kind::Failover},
    PolicyWord{"failover_ended", "", Phase::Ends, "failover", {}},
    PolicyWord{
        "budget_exhausted", "budget_exhausted", Phase::Repeats, "budget", Kind::BudgetExhausted},
    PolicyWord{"limit_reached", "limit_reached", Phase::Repeats, "limit", Kind::LimitReached},
    PolicyWord{
        "concurrency_limited",
        "concurrency_limited",
        Phase::Repeats,
        "concurrency",
        Kind::LimitReached},
    PolicyWord{"shed", "shedding", Phase::Repeats, "shed", Kind::Shedding},
    PolicyWord{"rate_limited", "rate_limited", Phase::Repeats, "rate", Kind::RateLimiting},
    PolicyWord{"tls_failed", "", Phase::Repeats, "tls", Kind::TlsFailure},
    PolicyWord{"certificate_refused", "", Phase::Repeats, "certificate", Kind::Refusal},
    PolicyWord{"plaintext_refused", "", Phase::Repeats, "plaintext", Kind::Refusal},
    PolicyWord{"peer_refused", "", Phase::Repeats, "peer", Kind::Refusal},
    PolicyWord{"fallback_served", "fallback_served", Phase::Repeats, "fallback", Kind::Fallback},
    PolicyWord{"fault_injected", "fault", Phase::Repeats, "fault", Kind::Injection},
    PolicyWord{"mirrored", "", Phase::Repeats, "mirror", {}},
    PolicyWord{"retried", "", Phase::Repeats, "retry", {}},
    PolicyWord{"hedged", "", Phase::Repeats, "hedge", {}},
    PolicyWord{"timed_out", "", Phase::Repeats, "timeout", {}},
};

// Marked for translation here, translated by policyEventText().
struct EventText
{
    std::string_view event;
    const char* text;
};
constexpr std::array kEventTexts = {
    EventText{"ejected", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "ejected")},
    EventText{"returned", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "back from ejection")},
    EventText{
        "ejection_suppressed", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "ejection suppressed")},
    EventText{"breaker_opened", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "breaker opened")},
    EventText{
        "breaker_half_opened", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "breaker half-open")},
    EventText{"breaker_closed", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "breaker closed")},
    EventText{"panic_entered", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "panic")},
    EventText{"panic_left", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "panic over")},
    EventText{"failover_started", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "failover started")},
    EventText{"failover_ended", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "failover ended")},
    EventText{
        "budget_exhausted", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "retry budget used up")},
    EventText{"limit_reached", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "limit reached")},
    EventText{
        "concurrency_limited", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "concurrency limited")},
    EventText{"shed", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "load shed")},
    EventText{"rate_limited", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "rate limited")},
    EventText{"tls_failed", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "TLS failed")},
    EventText{
        "certificate_refused",
        QT_TRANSLATE_NOOP("mesh::bridge::Policy", "client certificate refused")},
    EventText{
        "plaintext_refused", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "plain caller refused")},
    EventText{"peer_refused", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "caller refused")},
    EventText{"fallback_served", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "fallback served")},
    EventText{"fault_injected", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "fault injected")},
    EventText{"mirrored", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "mirrored")},
    EventText{"retried", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "retried")},
    EventText{"hedged", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "hedged")},
    EventText{"timed_out", QT_TRANSLATE_NOOP("mesh::bridge::Policy", "timed out")},
};

} // namespace

const PolicyWord* policyWord(std::string_view name)
{
    const auto found = std::ranges::find_if(kWords, [name](const PolicyWord& word) {
        return word.event == name || (!word.state.empty() && word.state == name);
    });
    return found == kWords.end() ? nullptr : &*found;
}

QString policyEventText(const QString& event)
{
    const std::string name = event.toStdString();
    const auto found = std::ranges::find(kEventTexts, name, &EventText::event);
    return found == kEventTexts.end() ? QString(event).replace(u'_', u' ') : tr(found->text);
}

QString policyText(PolicyKind kind)
{
    switch (kind) {
    case Kind::BreakerOpen:
        return tr("breaker open");
    case Kind::Panic:
        return tr("panic");
    case Kind::TlsFailure:
        return tr("TLS failed");
    case Kind::Refusal:
        return tr("callers refused");
    case Kind::Ejection:
        return tr("ejected");
    case Kind::Failover:
        return tr("failover");
    case Kind::BudgetExhausted:
        return tr("retry budget used up");
    case Kind::LimitReached:
        return tr("limit reached");
    case Kind::Shedding:
        return tr("shedding load");
    case Kind::RateLimiting:
        return tr("rate limiting");
    case Kind::BreakerHalfOpen:
        return tr("breaker half-open");
    case Kind::Fallback:
        return tr("fallback served");
    case Kind::Injection:
        return tr("fault injected");
    case Kind::EjectionSuppressed:
        return tr("ejection suppressed");
    case Kind::Mirror:
        return tr("mirror");
    case Kind::Split:
        return tr("split");
    }
    return {};
}

PolicyTone policyTone(PolicyKind kind)
{
    switch (kind) {
    case Kind::BreakerOpen:
    case Kind::Panic:
    case Kind::TlsFailure:
    case Kind::Injection:
        return PolicyTone::Alarm;
    case Kind::Mirror:
    case Kind::Split:
        return PolicyTone::Neutral;
    case Kind::Ejection:
    case Kind::Failover:
    case Kind::BudgetExhausted:
    case Kind::LimitReached:
    case Kind::Shedding:
    case Kind::RateLimiting:
    case Kind::Refusal:
    case Kind::BreakerHalfOpen:
    case Kind::Fallback:
    case Kind::EjectionSuppressed:
        break;
    }
    return PolicyTone::Attention;
}

QString policyIcon(PolicyKind kind)
{
    static const std::array<QString, kPolicyKindCount> kIcons = {
        QStringLiteral("breaker-open"),
        QStringLiteral("warning"),
        QStringLiteral("certificate"),
        QStringLiteral("ejected"),
        QStringLiteral("failover"),
        QStringLiteral("budget"),
        QStringLiteral("limit"),
        QStringLiteral("shed"),
        QStringLiteral("rate-limit"),
        QStringLiteral("lock"),
        QStringLiteral("breaker-half"),
        QStringLiteral("fallback"),
        QStringLiteral("bolt"),
        QStringLiteral("ejection-held"),
        QStringLiteral("mirror"),
        QStringLiteral("split")};
    return kIcons[static_cast<std::size_t>(kind)];
}

QString policyEventIcon(const QString& event)
{
    const PolicyWord* word = policyWord(event.toStdString());
    if (word == nullptr) {
        return QStringLiteral("exclamation");
    }
    if (word->kind) {
        return policyIcon(*word->kind);
    }
    if (word->family == "mirror") {
        return QStringLiteral("mirror");
    }
    if (word->family == "breaker") {
        return QStringLiteral("breaker");
    }
    return word->phase == Phase::Ends ? QStringLiteral("check") : QStringLiteral("refresh");
}

bool isOnAxis(const Marker& marker)
{
    if (marker.kind == Marker::Kind::Push) {
        return !marker.policy.isEmpty(); // Not each node that applies a step of it.
    }
    if (marker.kind != Marker::Kind::Policy) {
        return true;
    }
    const PolicyWord* word = policyWord(marker.policy.toStdString());
    return word == nullptr || word->kind || word->phase == Phase::Ends;
}

QString policyHelp(PolicyKind kind)
{
    switch (kind) {
    case Kind::BreakerOpen:
        return tr("The service is not called: too many requests failed or were slow.");
    case Kind::Panic:
        return tr("So few instances are healthy that health is ignored.");
    case Kind::TlsFailure:
        return tr("No TLS connection with an instance comes about; Events says why.");
    case Kind::Refusal:
        return tr("Callers without the certificate that is asked for are refused.");
    case Kind::Ejection:
        return tr("Instances that failed under real traffic get none for a while.");
    case Kind::Failover:
        return tr("Traffic goes to another zone than the first.");
    case Kind::BudgetExhausted:
        return tr("No more retries: they would make the failure worse.");
    case Kind::LimitReached:
        return tr("Requests beyond a limit are refused.");
    case Kind::Shedding:
        return tr("The node is overloaded and refuses the least important requests.");
    case Kind::RateLimiting:
        return tr("Requests beyond the rate are refused.");
    case Kind::BreakerHalfOpen:
        return tr("A few requests try whether the service works again.");
    case Kind::Fallback:
        return tr("Callers get the fallback instead of the service's answer.");
    case Kind::Injection:
        return tr("The configuration delays or refuses requests on purpose.");
    case Kind::EjectionSuppressed:
        return tr("An instance should be ejected, but too many are out already.");
    case Kind::Mirror:
        return tr("Requests are copied to another service; its answers are dropped.");
    case Kind::Split:
        return tr("The route's traffic is divided between services.");
    }
    return {};
}

QString policySubjectName(const QString& subject)
{
    return subject.section(u':', 1).section(u'/', 0, 0);
}

} // namespace mesh::bridge
