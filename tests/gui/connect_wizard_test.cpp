// Goal: a node under mutual TLS is joined step by step: a key that stays here, a request to sign,
// and a certificate that is looked at before it is taken.
// Method: the dialog over the console's own folder of credentials; an authority made here.
#include "app/console/node_credentials_folder.h"
#include "app/shell/connect_dialog.h"
#include "app/theme/theme.h"
#include "proxyengine/tls/enrolment.h"
#include "tests/support/manual_clock.h"

#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

namespace mesh::console {

namespace {

constexpr Duration kDay = std::chrono::hours(24);
const QString kAddress = QStringLiteral("https://10.0.0.3:8444");

} // namespace

class ConnectWizardTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }

    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_credentials = std::make_unique<CredentialsFolder>(m_folder->path());
        m_asked.clear();
        m_dialog = std::make_unique<shell::ConnectDialog>(
            [this](const QString& address) -> Result<shell::NodeConnection> {
                m_asked = address;
                shell::NodeConnection node;
                node.name = QStringLiteral("vm-3");
                return node;
            },
            nullptr
        );
        m_dialog->setEnrolment(m_credentials->enrolment(m_clock));
        m_dialog->show();
        m_dialog->findChild<QLineEdit*>(QStringLiteral("address"))->setText(kAddress);
        m_authority = *tls::makeAuthority("shop", m_clock.wallNow(), 365 * kDay);
    }

    void cleanup() { m_dialog.reset(); }

    void theFirstStepShowsTheRequestAndWhatToRun()
    {
        click();

        QVERIFY(m_asked.isEmpty());
        QVERIFY(text("request").startsWith(QStringLiteral("-----BEGIN CERTIFICATE REQUEST")));
        QVERIFY(text("signCommand").contains(QStringLiteral("openssl x509 -req")));
        QVERIFY(text("nodeCommand").contains(QStringLiteral("--admin-listen 10.0.0.3:8444")));
        const QFile key(m_folder->path() + QStringLiteral("/10.0.0.3_8444/key.pem"));
        QVERIFY(key.exists());
        QVERIFY(!(key.permissions() & (QFile::ReadGroup | QFile::ReadOther)));
    }

    void aSignedCertificateIsTakenAndTheNodeIsAsked()
    {
        click();

        answer(signedBy(m_authority, 90 * kDay), m_authority.chainPem);

        QTRY_COMPARE(m_asked, kAddress);
        const auto address = control::parseNodeUrl(kAddress.toStdString());
        QVERIFY(address && !m_credentials->of(*address).isEmpty());
    }

    void anotherKeysCertificateIsRefused()
    {
        click();
        const auto other = tls::makeRequest("other", {});
        const auto wrong =
            tls::signRequest(other->requestPem, m_authority, m_clock.wallNow(), kDay);

        answer(*wrong, m_authority.chainPem);

        QVERIFY(m_asked.isEmpty());
        QVERIFY2(message().contains(QStringLiteral("does not match key")), qPrintable(message()));
    }

    void aCertificateThatIsOverIsRefused()
    {
        click();
        const std::string pem = signedBy(m_authority, kDay);
        m_clock.advance(2 * kDay);

        answer(pem, m_authority.chainPem);

        QVERIFY2(message().contains(QStringLiteral("is over")), qPrintable(message()));
    }

    void aLeafInPlaceOfTheAuthorityIsRefused()
    {
        click();
        const std::string pem = signedBy(m_authority, kDay);

        answer(pem, pem);

        QVERIFY2(message().contains(QStringLiteral("no authority")), qPrintable(message()));
    }

    void theSameRequestIsShownAgain()
    {
        click();
        const QString first = text("request");
        const auto begun = m_credentials->enrolment(m_clock).begin(kAddress);

        QVERIFY(begun);
        QCOMPARE(begun->requestPem, first);
    }

private:
    void click() { m_dialog->findChild<QPushButton*>(QStringLiteral("connect"))->click(); }
    QString text(const char* name)
    {
        return m_dialog->findChild<QPlainTextEdit*>(QLatin1String(name))->toPlainText();
    }
    QString message() { return m_dialog->findChild<QLabel*>(QStringLiteral("message"))->text(); }
    std::string signedBy(const tls::CertificateText& authority, Duration lifetime)
    {
        return tls::signRequest(
                   text("request").toStdString(), authority, m_clock.wallNow(), lifetime
        )
            .value_or("");
    }
    void answer(const std::string& certificate, const std::string& authority)
    {
        m_dialog->findChild<QPlainTextEdit*>(QStringLiteral("certificate"))
            ->setPlainText(QString::fromStdString(certificate));
        m_dialog->findChild<QPlainTextEdit*>(QStringLiteral("authority"))
            ->setPlainText(QString::fromStdString(authority));
        click();
    }

    test::ManualClock m_clock;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<CredentialsFolder> m_credentials;
    std::unique_ptr<shell::ConnectDialog> m_dialog;
    tls::CertificateText m_authority;
    QString m_asked;
};

} // namespace mesh::console

QTEST_MAIN(mesh::console::ConnectWizardTest)
#include "connect_wizard_test.moc"
