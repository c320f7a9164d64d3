#include "app/bridge/profile.h"

#include <utility>

namespace mesh::bridge {
namespace {

const QString kNameKey = QStringLiteral("profile.name");
const QString kLevelKey = QStringLiteral("profile.level");
const QString kEnvironmentKey = QStringLiteral("environment");
const QString kLocal = QStringLiteral("local");

} // namespace

SafetyLevel defaultLevel(const QString& environment)
{
    if (environment == QStringLiteral("production")) {
        return SafetyLevel::TypeName;
    }
    return environment == QStringLiteral("staging") ? SafetyLevel::Confirm : SafetyLevel::Silent;
}

QString levelWord(SafetyLevel level)
{
    switch (level) {
    case SafetyLevel::Silent:
        return WriteGate::tr("Silent");
    case SafetyLevel::Confirm:
        return WriteGate::tr("Confirm");
    case SafetyLevel::TypeName:
        return WriteGate::tr("Type the name");
    case SafetyLevel::ReadOnly:
        return WriteGate::tr("Read-only");
    }
    return {};
}

WriteGate::WriteGate(Store store, QObject* parent)
    : QObject(parent)
    , m_store(std::move(store))
{
    m_profile.environment = kLocal;
}

void WriteGate::setProfile(const Profile& profile)
{
    if (profile == m_profile) {
        return;
    }
    m_isOverridden = m_isOverridden && profile.level == m_profile.level;
    m_profile = profile;
    m_store.write(kNameKey, profile.name);
    m_store.write(kEnvironmentKey, profile.environment);
    m_store.write(kLevelKey, QString::number(static_cast<int>(profile.level)));
    Q_EMIT changed();
}

void WriteGate::overrideLevel(SafetyLevel level)
{
    m_isOverridden = level != m_profile.level;
    m_override = level;
    Q_EMIT changed();
}

WriteAnswer WriteGate::mayWrite(WriteAction action) const
{
    switch (level()) {
    case SafetyLevel::ReadOnly:
        return {
            WritePermit::Refused,
            tr("The profile of this mesh is read-only; change its level in Settings.")};
    case SafetyLevel::TypeName:
        return {action == WriteAction::EditDraft ? WritePermit::Free : WritePermit::TypeName, {}};
    case SafetyLevel::Confirm:
        return {action == WriteAction::EditDraft ? WritePermit::Free : WritePermit::Confirm, {}};
    case SafetyLevel::Silent:
        break;
    }
    return {};
}

void WriteGate::load()
{
    Profile read;
    read.name = m_store.read(kNameKey);
    const QString environment = m_store.read(kEnvironmentKey);
    read.environment = environment.isEmpty() ? kLocal : environment;
    bool isNumber = false;
    const int level = m_store.read(kLevelKey).toInt(&isNumber);
    // What is not known is written by a newer version or by hand; it must not open the gate.
    read.level = !isNumber                                 ? defaultLevel(read.environment)
                 : level < 0 || level >= kSafetyLevelCount ? SafetyLevel::ReadOnly
                                                           : static_cast<SafetyLevel>(level);
    m_isOverridden = false;
    m_profile = read;
    Q_EMIT changed();
}

} // namespace mesh::bridge
