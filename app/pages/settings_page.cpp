#include "app/bridge/mesh_session.h"
#include "app/pages/list_pages.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QSettings>
#include <QVBoxLayout>

namespace mesh::pages {
namespace {

const QStringList kEnvironments = {
    QStringLiteral("local"),
    QStringLiteral("development"),
    QStringLiteral("staging"),
    QStringLiteral("production")};

const QStringList kLanguages = {QStringLiteral("en"), QStringLiteral("pseudo")};

} // namespace

SettingsPage::SettingsPage(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("settingsPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(28, 20, 28, 20);
    column->setSpacing(4);
    auto* title = new QLabel(tr("Settings"), this);
    theme::setText(*title, theme::Role::Title);
    column->addWidget(title);
    column->addSpacing(10);
    const theme::Theme& current = theme::current();
    column->addWidget(makeChoice(
        QStringLiteral("theme"),
        tr("Theme"),
        tr("System follows the desktop."),
        {tr("System"), tr("Dark"), tr("Light")},
        static_cast<int>(current.choice()),
        &SettingsPage::setTheme
    ));
    column->addWidget(makeChoice(
        QStringLiteral("palette"),
        tr("State colours"),
        tr("Colours that people with a colour vision deficiency tell apart."),
        {tr("Normal"), tr("Colour-blind")},
        static_cast<int>(current.vision()),
        &SettingsPage::setVision
    ));
    column->addWidget(makeChoice(
        QStringLiteral("density"),
        tr("Density"),
        tr("Heights of rows and controls."),
        {tr("Comfortable"), tr("Default"), tr("Compact")},
        static_cast<int>(current.density()),
        &SettingsPage::setDensity
    ));
    column->addWidget(makeChoice(
        QStringLiteral("motion"),
        tr("Motion"),
        tr("Reduced: nothing moves by itself."),
        {tr("Full"), tr("Reduced")},
        static_cast<int>(current.motion()),
        &SettingsPage::setMotion
    ));
    const QString language = QSettings().value(QStringLiteral("language")).toString();
    column->addWidget(makeChoice(
        QStringLiteral("language"),
        tr("Language"),
        tr("Takes effect at the next start. The pseudo-locale shows where longer words break."),
        {tr("English"), tr("Pseudo-locale")},
        static_cast<int>(std::max<qsizetype>(0, kLanguages.indexOf(language))),
        &SettingsPage::setLanguage
    ));
    const QString environment = session.setting(QStringLiteral("environment"), kEnvironments[0]);
    column->addWidget(makeChoice(
        QStringLiteral("environment"),
        tr("Environment of this mesh"),
        tr("Kept in the document; production is marked across the window."),
        {tr("Local"), tr("Development"), tr("Staging"), tr("Production")},
        static_cast<int>(std::max<qsizetype>(0, kEnvironments.indexOf(environment))),
        &SettingsPage::setEnvironment
    ));
    column->addStretch();
}

QWidget* SettingsPage::makeChoice(
    const QString& name,
    const QString& title,
    const QString& help,
    const QStringList& choices,
    int current,
    void (SettingsPage::*apply)(int)
)
{
    auto* line = new QWidget(this);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 3, 0, 3);
    row->setSpacing(14);
    auto* label = new QLabel(title, line);
    label->setFixedWidth(178);
    theme::setText(*label, theme::Role::Body, theme::TextColor::Text2);
    row->addWidget(label);
    auto* control = new theme::SegmentedControl(line);
    control->setObjectName(name);
    control->setAccessibleName(title);
    control->setAccessibleDescription(help);
    for (const QString& choice : choices) {
        control->addSegment(choice);
    }
    control->setCurrent(current);
    connect(control, &theme::SegmentedControl::currentChanged, this, apply);
    row->addWidget(control);
    auto* hint = new QLabel(help, line);
    theme::setText(*hint, theme::Role::Caption, theme::TextColor::Text3);
    row->addWidget(hint, 1);
    return line;
}

void SettingsPage::setTheme(int index)
{
    theme::current().setTheme(static_cast<theme::Choice>(index));
    QSettings().setValue(QStringLiteral("theme"), index);
    Q_EMIT settingsChanged();
}

void SettingsPage::setVision(int index)
{
    theme::current().setVision(static_cast<theme::Vision>(index));
    QSettings().setValue(QStringLiteral("palette"), index);
}

void SettingsPage::setDensity(int index)
{
    theme::current().setDensity(static_cast<theme::Density>(index));
    QSettings().setValue(QStringLiteral("density"), index);
}

void SettingsPage::setMotion(int index)
{
    theme::current().setMotion(static_cast<theme::Motion>(index));
    QSettings().setValue(QStringLiteral("motion"), index);
}

void SettingsPage::setEnvironment(int index)
{
    m_session.setSetting(QStringLiteral("environment"), kEnvironments[index]);
    Q_EMIT environmentChanged();
}

void SettingsPage::setLanguage(int index)
{
    QSettings().setValue(QStringLiteral("language"), kLanguages[index]);
}

} // namespace mesh::pages
