#pragma once

#include <QString>

#include <functional>

class QWidget;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// Asks whether to open the last automatic backup of a document that was refused as damaged; says
// what is kept. `onOpened` comes when it is open. False: there is no backup to offer, or the file
// can be read.
bool offerBackup(
    QWidget& window,
    bridge::MeshSession& session,
    const QString& path,
    const QString& reason,
    std::function<void()> onOpened
);

} // namespace mesh::pages
