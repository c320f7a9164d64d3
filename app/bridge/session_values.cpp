// What a node runs, value by value.
#include "app/bridge/session_private.h"
#include "proxyengine/config/effective.h"

namespace mesh::bridge {

std::vector<NodeValueRow> MeshSession::effectiveValues(const QString& node, QString* problem) const
{
    std::vector<NodeValueRow> rows;
    const auto effective = config::effective(*m_private->document, node.toStdString());
    if (!effective) {
        if (problem != nullptr) {
            *problem = QString::fromStdString(effective.error().message);
        }
        return rows;
    }
    for (const config::EffectiveValue& value : effective->values) {
        const std::string_view origin = config::toText(value.origin);
        rows.push_back(
            {QString::fromStdString(value.object),
             QString::fromStdString(value.field),
             QString::fromStdString(value.value),
             QString::fromUtf8(origin.data(), static_cast<qsizetype>(origin.size())),
             QString::fromStdString(value.from)}
        );
    }
    return rows;
}

} // namespace mesh::bridge
