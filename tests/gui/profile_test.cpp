// Goal: how carefully a mesh is written to follows from the profile of its document, and an
// override ends with it.
// Method: the gate over a map; a session over a file; the dialog by its controls.
#include "app/bridge/profile.h"

#include "app/bridge/mesh_session.h"
#include "app/pages/write_guard.h"
#include "app/theme/theme.h"

#include <QAction>
#include <QDialog>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <map>

namespace mesh::pages {

namespace {

using bridge::Profile;
using bridge::SafetyLevel;
using bridge::WriteAction;
using bridge::WriteGate;
using bridge::WritePermit;

const QString kSmall = QStringLiteral("_format_version: \"3.0\"\nmesh: {name: shop}\n");

WriteGate::Store storeIn(std::map<QString, QString>& settings)
{
    return {
        [&settings](const QString& key) { return settings[key]; },
        [&settings](const QString& key, const QString& value) { settings[key] = value; }};
}

Profile readOnly()
{
    return {QStringLiteral("PROD EU"), QStringLiteral("production"), SafetyLevel::ReadOnly};
}

} // namespace

class ProfileTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void theLevelSaysWhatIsAsked_data()
    {
        QTest::addColumn<int>("level");
        QTest::addColumn<int>("apply");
        QTest::addColumn<int>("edit");
        const auto row = [](const char* name, SafetyLevel level, WritePermit apply, WritePermit edit
                         ) {
            QTest::newRow(name) << static_cast<int>(level) << static_cast<int>(apply)
                                << static_cast<int>(edit);
        };
        row("silent", SafetyLevel::Silent, WritePermit::Free, WritePermit::Free);
        row("confirm", SafetyLevel::Confirm, WritePermit::Confirm, WritePermit::Free);
        row("type the name", SafetyLevel::TypeName, WritePermit::TypeName, WritePermit::Free);
        row("read-only", SafetyLevel::ReadOnly, WritePermit::Refused, WritePermit::Refused);
    }
    void theLevelSaysWhatIsAsked()
    {
        QFETCH(int, level);
        std::map<QString, QString> settings;
        WriteGate gate(storeIn(settings));

        gate.setProfile({{}, QStringLiteral("staging"), static_cast<SafetyLevel>(level)});

        QTEST(static_cast<int>(gate.mayWrite(WriteAction::Apply).permit), "apply");
        QTEST(static_cast<int>(gate.mayWrite(WriteAction::EditDraft).permit), "edit");
        const bool isRefused = gate.isRefused(WriteAction::Push);
        QCOMPARE(isRefused, static_cast<SafetyLevel>(level) == SafetyLevel::ReadOnly);
        QCOMPARE(gate.mayWrite(WriteAction::Push).reason.isEmpty(), !isRefused);
    }

    void anUnknownLevelDoesNotOpenTheGate()
    {
        std::map<QString, QString> settings = {
            {QStringLiteral("profile.level"), QStringLiteral("9")}};
        WriteGate gate(storeIn(settings));

        gate.load();

        QCOMPARE(gate.level(), SafetyLevel::ReadOnly);
        settings = {{QStringLiteral("environment"), QStringLiteral("production")}};
        gate.load();
        QCOMPARE(gate.level(), SafetyLevel::TypeName);
    }

    void readOnlyRefusesInTheSessionToo()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        QVERIFY(session.importText(kSmall));
        session.setDraftText(QStringLiteral("_format_version: \"3.0\"\nmesh: {name: other}\n"));
        QVERIFY(session.isDraftChanged());
        session.gate().setProfile(readOnly());
        QSignalSpy finished(&session, &bridge::MeshSession::applyFinished);

        session.apply(QStringLiteral("try"));
        QTRY_COMPARE(finished.size(), 1);
        QCOMPARE(finished.first()[0].toBool(), false);
        QVERIFY(finished.first()[1].toString().contains(QStringLiteral("read-only")));
        session.rollBackTo(1);
        QTRY_COMPARE(finished.size(), 2);
        QCOMPARE(finished.last()[0].toBool(), false);
        QCOMPARE(session.revisions().size(), std::size_t(1));
        QVERIFY(!session.startMesh());
        session.gate().overrideLevel(SafetyLevel::Silent);
        session.apply(QStringLiteral("now"));
        QTRY_COMPARE(finished.size(), 3);
        QCOMPARE(finished.last()[0].toBool(), true);
    }

    void aGuardedControlIsHeldWhateverEnablesIt()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        QVERIFY(session.importText(kSmall));
        QPushButton button(QStringLiteral("Kill"));
        QAction action(QStringLiteral("Push"));
        guardWrite(button, session, WriteAction::InjectFault);
        guardWrite(action, session, WriteAction::Push);
        action.setEnabled(false);

        session.gate().setProfile(readOnly());
        QVERIFY(!button.isEnabled());
        QVERIFY(button.toolTip().contains(QStringLiteral("read-only")));
        button.setEnabled(true);
        action.setEnabled(true);
        QVERIFY(!button.isEnabled());
        QVERIFY(!action.isEnabled());
        session.gate().overrideLevel(SafetyLevel::Confirm);
        QVERIFY(button.isEnabled());
        QVERIFY(action.isEnabled());
        QCOMPARE(button.toolTip(), QString());
        QCOMPARE(
            button.property(kWritesProperty).toInt(), static_cast<int>(WriteAction::InjectFault)
        );
    }

    void theNameIsTypedBeforeAProtectedMeshIsWritten()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        QVERIFY(session.importText(kSmall));
        session.gate().setProfile({{}, QStringLiteral("production"), SafetyLevel::TypeName});
        bool wasOffered = true;
        QTimer::singleShot(0, this, [&wasOffered] {
            auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget());
            QVERIFY(dialog != nullptr);
            auto* write = dialog->findChild<QPushButton*>(QStringLiteral("write"));
            auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("meshName"));
            name->setText(QStringLiteral("shop eu"));
            wasOffered = write->isEnabled();
            name->setText(QStringLiteral("shop"));
            write->click();
        });

        QVERIFY(askToWrite(nullptr, session, WriteAction::Apply, QStringLiteral("Apply")));

        QVERIFY(!wasOffered);
        session.gate().overrideLevel(SafetyLevel::ReadOnly);
        QVERIFY(!askToWrite(nullptr, session, WriteAction::Apply, QStringLiteral("Apply")));
        session.gate().overrideLevel(SafetyLevel::Silent);
        QVERIFY(askToWrite(nullptr, session, WriteAction::Apply, QStringLiteral("Apply")));
    }
};

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::ProfileTest)
#include "profile_test.moc"
