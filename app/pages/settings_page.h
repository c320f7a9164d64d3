#pragma once

#include <QString>
#include <QStringList>
#include <QWidget>

class QLabel;
class QLineEdit;
class QVBoxLayout;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::theme {
class SegmentedControl;
}

namespace mesh::pages {

// Appearance and language of the console; the profile of the open mesh.
class SettingsPage : public QWidget
{
    Q_OBJECT

public:
    SettingsPage(bridge::MeshSession& session, QWidget* parent);

Q_SIGNALS:
    void settingsChanged();

private:
    theme::SegmentedControl* makeChoice(
        QVBoxLayout& column,
        const QString& name,
        const QString& title,
        const QString& help,
        const QStringList& choices,
        int current,
        void (SettingsPage::*apply)(int)
    );
    void makeAppearance(QVBoxLayout& column);
    void makeProfile(QVBoxLayout& column);
    void refreshProfile();
    void setTheme(int index);
    void setVision(int index);
    void setDensity(int index);
    void setMotion(int index);
    void setEnvironment(int index);
    void setLevel(int index);
    void setOverride(int index);
    void setLanguage(int index);

    bridge::MeshSession& m_session;
    QLabel* m_profileTitle = nullptr;
    QLineEdit* m_name = nullptr;
    theme::SegmentedControl* m_environment = nullptr;
    theme::SegmentedControl* m_level = nullptr;
    theme::SegmentedControl* m_override = nullptr;
};

} // namespace mesh::pages
