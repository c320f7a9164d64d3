#pragma once

#include <QObject>
#include <QString>

#include <cstdint>
#include <functional>

// What kind of mesh a document is about, and how carefully it is written to.
namespace mesh::bridge {

enum class SafetyLevel : std::uint8_t {
    Silent, // Nothing is asked.
    Confirm, // Every write to the mesh is confirmed.
    TypeName, // Every write to the mesh is confirmed with the mesh's name.
    ReadOnly, // Nothing is written, and no control offers it.
};
inline constexpr int kSafetyLevelCount = 4;

// All that changes a mesh or its configuration. Stopping a push and taking faults back are not
// among them: they are always allowed.
enum class WriteAction : std::uint8_t {
    EditDraft,
    Apply,
    Push,
    RollBack,
    InjectFault,
    Drain,
    StartMesh,
    StopMesh,
    ConfigureNode, // Log level, adopt, restore.
};
inline constexpr int kWriteActionCount = 9;

struct Profile
{
    QString name; // "PROD EU"; empty: the environment's word.
    QString environment; // "local", "development", "staging", "production": the colour.
    SafetyLevel level = SafetyLevel::Silent;
    friend bool operator==(const Profile&, const Profile&) = default;
};

// The level a document has whose profile says none: production asks for the name, staging for a
// confirmation.
[[nodiscard]] SafetyLevel defaultLevel(const QString& environment);
[[nodiscard]] QString levelWord(SafetyLevel level); // "Type the name"

enum class WritePermit : std::uint8_t { Free, Confirm, TypeName, Refused };

struct WriteAnswer
{
    WritePermit permit = WritePermit::Free;
    QString reason; // Of Refused: why, and what to do. Otherwise empty.
    friend bool operator==(const WriteAnswer&, const WriteAnswer&) = default;
};

// The one place that says whether something may be written: controls ask it to be enabled, dialogs
// ask it what to ask, and the session asks it again before it writes.
//
// The level of the profile is kept in the document; an override is not, and ends with the document
// or the program, so that it cannot be forgotten.
class WriteGate : public QObject
{
    Q_OBJECT

public:
    // Where a profile is kept: settings of the open document.
    struct Store
    {
        std::function<QString(const QString& key)> read; // Empty: never written.
        std::function<void(const QString& key, const QString& value)> write;
    };

    explicit WriteGate(Store store, QObject* parent = nullptr);

    [[nodiscard]] const Profile& profile() const { return m_profile; }
    void setProfile(const Profile& profile); // Ends an override when the level changes.
    [[nodiscard]] SafetyLevel level() const
    {
        return m_isOverridden ? m_override : m_profile.level;
    }
    [[nodiscard]] bool isOverridden() const { return m_isOverridden; }
    void overrideLevel(SafetyLevel level); // The profile's own level ends the override.
    [[nodiscard]] WriteAnswer mayWrite(WriteAction action) const;
    [[nodiscard]] bool isRefused(WriteAction action) const
    {
        return mayWrite(action).permit == WritePermit::Refused;
    }
    // Another document is open: its profile, without an override.
    void load();

Q_SIGNALS:
    void changed();

private:
    Store m_store;
    Profile m_profile;
    SafetyLevel m_override = SafetyLevel::Silent;
    bool m_isOverridden = false;
};

} // namespace mesh::bridge
