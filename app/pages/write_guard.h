#pragma once

#include "app/bridge/profile.h"

#include <QObject>
#include <QPointer>

class QAction;
class QWidget;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// The property that says that a control writes: the number of its bridge::WriteAction.
inline constexpr char kWritesProperty[] = "meshWrites";

// Marks a control, or all that stands in a container, as one that writes: while the profile
// refuses it, it is disabled whatever else enables it, and its tool tip says why.
// Lifetime: the session outlives the control.
void guardWrite(QWidget& control, bridge::MeshSession& session, bridge::WriteAction action);
void guardWrite(QAction& action, bridge::MeshSession& session, bridge::WriteAction what);

// True when it may be written now: asks as the level of the profile says. what: "Kill cart-2".
[[nodiscard]] bool askToWrite(
    QWidget* parent, bridge::MeshSession& session, bridge::WriteAction action, const QString& what
);

} // namespace mesh::pages
