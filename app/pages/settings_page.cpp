#include "app/pages/settings_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/session_records.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSettings>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

const QStringList kEnvironments = {
    QStringLiteral("local"),
    QStringLiteral("development"),
    QStringLiteral("staging"),
    QStringLiteral("production")};

constexpr int kLabelWidth = 178;
constexpr int kProfileNameMax = 24;

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
    makeAppearance(*column);
    column->addSpacing(18);
    makeProfile(*column);
    column->addStretch();
    connect(&session.gate(), &bridge::WriteGate::changed, this, &SettingsPage::refreshProfile);
    connect(&session, &bridge::MeshSession::documentChanged, this, &SettingsPage::refreshProfile);
    refreshProfile();
}

void SettingsPage::makeAppearance(QVBoxLayout& column)
{
    const theme::Theme& current = theme::current();
    makeChoice(
        column,
        QStringLiteral("theme"),
        tr("Theme"),
        tr("System follows the desktop."),
        {tr("System"), tr("Dark"), tr("Light")},
        static_cast<int>(current.choice()),
        &SettingsPage::setTheme
    );
    makeChoice(
        column,
        QStringLiteral("palette"),
        tr("State colours"),
        tr("Colours that people with a colour vision deficiency tell apart."),
        {tr("Normal"), tr("Colour-blind")},
        static_cast<int>(current.vision()),
        &SettingsPage::setVision
    );
    makeChoice(
        column,
        QStringLiteral("density"),
        tr("Density"),
        tr("Heights of rows and controls."),
        {tr("Comfortable"), tr("Default"), tr("Compact")},
        static_cast<int>(current.density()),
        &SettingsPage::setDensity
    );
    makeChoice(
        column,
        QStringLiteral("motion"),
        tr("Motion"),
        tr("Reduced: nothing moves by itself."),
        {tr("Full"), tr("Reduced")},
        static_cast<int>(current.motion()),
        &SettingsPage::setMotion
    );
    const QString language = QSettings().value(QStringLiteral("language")).toString();
    makeChoice(
        column,
        QStringLiteral("language"),
        tr("Language"),
        tr("Takes effect at the next start. The pseudo-locale shows where longer words break."),
        {tr("English"), tr("Pseudo-locale")},
        static_cast<int>(std::max<qsizetype>(0, kLanguages.indexOf(language))),
        &SettingsPage::setLanguage
    );
}

void SettingsPage::makeProfile(QVBoxLayout& column)
{
    m_profileTitle = new QLabel(this);
    theme::setText(*m_profileTitle, theme::Role::BodyStrong);
    column.addWidget(m_profileTitle);
    column.addSpacing(4);
    auto* line = new QWidget(this);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 3, 0, 3);
    row->setSpacing(14);
    auto* label = new QLabel(tr("Name of the profile"), line);
    label->setFixedWidth(kLabelWidth);
    theme::setText(*label, theme::Role::Body, theme::TextColor::Text2);
    row->addWidget(label);
    m_name = new QLineEdit(line);
    m_name->setObjectName(QStringLiteral("profileName"));
    m_name->setAccessibleName(label->text());
    m_name->setMaxLength(kProfileNameMax);
    m_name->setFixedWidth(220);
    m_name->setPlaceholderText(tr("The environment's word"));
    connect(m_name, &QLineEdit::editingFinished, this, [this] {
        bridge::Profile profile = m_session.gate().profile();
        profile.name = m_name->text().simplified();
        m_session.gate().setProfile(profile);
    });
    row->addWidget(m_name);
    auto* hint = new QLabel(tr("Stands before the mesh's name: PROD EU."), line);
    theme::setText(*hint, theme::Role::Caption, theme::TextColor::Text3);
    row->addWidget(hint, 1);
    column.addWidget(line);
    m_environment = makeChoice(
        column,
        QStringLiteral("environment"),
        tr("Environment of this mesh"),
        tr("Its colour marks the window."),
        {tr("Local"), tr("Development"), tr("Staging"), tr("Production")},
        0,
        &SettingsPage::setEnvironment
    );
    QStringList levels;
    for (int i = 0; i < bridge::kSafetyLevelCount; ++i) {
        levels << bridge::levelWord(static_cast<bridge::SafetyLevel>(i));
    }
    m_level = makeChoice(
        column,
        QStringLiteral("safetyLevel"),
        tr("Safety"),
        tr("What is asked before the mesh is written to. Kept in the document."),
        levels,
        0,
        &SettingsPage::setLevel
    );
    m_override = makeChoice(
        column,
        QStringLiteral("safetyOverride"),
        tr("Until it is closed"),
        tr("Another level for now; it ends with the document or the program."),
        levels,
        0,
        &SettingsPage::setOverride
    );
}

// What is written down belongs to the open document; without one there is no profile.
void SettingsPage::refreshProfile()
{
    const bridge::WriteGate& gate = m_session.gate();
    const bool isOpen = m_session.isOpen();
    m_profileTitle->setText(
        isOpen ? tr("Profile of %1").arg(m_session.name()) : tr("Profile: no mesh is open")
    );
    const auto show = [](theme::SegmentedControl& control, int index) {
        control.blockSignals(true);
        control.setCurrent(index);
        control.blockSignals(false);
    };
    if (!m_name->hasFocus()) {
        m_name->setText(gate.profile().name);
    }
    const qsizetype environment = kEnvironments.indexOf(gate.profile().environment);
    show(*m_environment, static_cast<int>(std::max<qsizetype>(0, environment)));
    show(*m_level, static_cast<int>(gate.profile().level));
    show(*m_override, static_cast<int>(gate.level()));
    for (QWidget* control :
         std::initializer_list<QWidget*>{m_name, m_environment, m_level, m_override}) {
        control->setEnabled(isOpen);
    }
}

theme::SegmentedControl* SettingsPage::makeChoice(
    QVBoxLayout& column,
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
    label->setFixedWidth(kLabelWidth);
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
    column.addWidget(line);
    return control;
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
    bridge::Profile profile = m_session.gate().profile();
    // A level nobody has chosen follows the environment.
    if (profile.level == bridge::defaultLevel(profile.environment)) {
        profile.level = bridge::defaultLevel(kEnvironments[index]);
    }
    profile.environment = kEnvironments[index];
    m_session.gate().setProfile(profile);
}

void SettingsPage::setLevel(int index)
{
    bridge::Profile profile = m_session.gate().profile();
    profile.level = static_cast<bridge::SafetyLevel>(index);
    m_session.gate().setProfile(profile);
    m_session.records().addAudit(
        QStringLiteral("profile.level_set"), m_session.name(), bridge::levelWord(profile.level)
    );
}

void SettingsPage::setOverride(int index)
{
    const auto level = static_cast<bridge::SafetyLevel>(index);
    m_session.gate().overrideLevel(level);
    m_session.records().addAudit(
        QStringLiteral("profile.overridden"), m_session.name(), bridge::levelWord(level)
    );
}

void SettingsPage::setLanguage(int index)
{
    QSettings().setValue(QStringLiteral("language"), kLanguages[index]);
}

} // namespace mesh::pages
