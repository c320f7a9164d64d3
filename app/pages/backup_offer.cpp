#include "app/pages/backup_offer.h"

#include "app/bridge/mesh_session.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFileInfo>
#include <QLocale>
#include <QMessageBox>
#include <QPushButton>

#include <utility>

namespace mesh::pages {
namespace {

QString say(const char* text) { return QCoreApplication::translate("BackupOffer", text); }

void openBackup(
    QWidget& window,
    bridge::MeshSession& session,
    const QString& path,
    const std::function<void()>& onOpened
)
{
    const auto opened = session.openBackup(path);
    if (opened) {
        onOpened();
        return;
    }
    auto* box = new QMessageBox(
        QMessageBox::Warning,
        say("The backup was not opened"),
        QString::fromStdString(opened.error().message),
        QMessageBox::Close,
        &window
    );
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->open();
}

} // namespace

bool offerBackup(
    QWidget& window,
    bridge::MeshSession& session,
    const QString& path,
    const QString& reason,
    std::function<void()> onOpened
)
{
    const auto offer = session.backupOffer(path);
    if (!offer) {
        return false;
    }
    const QString name = QFileInfo(path).fileName();
    const auto made = QDateTime::fromMSecsSinceEpoch(offer->time_us / 1'000);
    auto* box = new QMessageBox(&window);
    box->setObjectName(QStringLiteral("backupOffer"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setIcon(QMessageBox::Warning);
    box->setWindowTitle(say("Damaged document"));
    box->setText(say("%1 cannot be read: %2.").arg(name, reason));
    box->setInformativeText(
        say("The last automatic backup is of %1, with revision %2. It can take the document's "
            "place; the damaged file is kept beside it. What was measured is not in the backup.")
            .arg(QLocale().toString(made, QLocale::ShortFormat))
            .arg(offer->revision)
    );
    QPushButton* open = box->addButton(say("Open Backup"), QMessageBox::AcceptRole);
    open->setObjectName(QStringLiteral("openBackup"));
    box->addButton(QMessageBox::Cancel);
    QObject::connect(
        open,
        &QPushButton::clicked,
        &session,
        [&window, &session, path, onOpened = std::move(onOpened)] {
            openBackup(window, session, path, onOpened);
        }
    );
    box->open();
    return true;
}

} // namespace mesh::pages
