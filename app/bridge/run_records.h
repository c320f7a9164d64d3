#pragma once

#include "app/bridge/rehearsal_rows.h"
#include "proxyengine/base/error.h"

#include <QByteArray>
#include <QString>

// Finished runs as they are kept in the document.
namespace mesh::bridge {

// A run that a later start of the program can show: what it said, not what it was computed from.
struct KeptRun
{
    RunRow row; // Without id; it is kept.
    QString scenario; // Its text.
    QString revisionHash; // Of the configuration it was made with; empty: a draft.
    QString report; // As JSON (simulator::toJson).
};

[[nodiscard]] QByteArray toJson(const KeptRun& run);
// Errors: Syntax for what toJson() did not write; members that lack are empty.
[[nodiscard]] Result<KeptRun> keptRunFromJson(const QByteArray& text);

} // namespace mesh::bridge
