#include "app/console/node_connector.h"

#include "app/bridge/engine_links.h"
#include "app/bridge/mesh_session.h"
#include "proxyengine/api/engine.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_client.h"
#include "proxyengine/control/remote_engine.h"

#include <QByteArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <fmt/format.h>

#include <chrono>

namespace mesh::console {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(5);

Result<QByteArray> askJson(
    const Clock& clock, const control::AdminAddress& address, std::string_view path
)
{
    MESH_TRY(
        const control::NodeAnswer answer,
        control::requestNode(clock, address, "GET", path, {}, kTimeout)
    );
    if (answer.status != 200) {
        return fail(
            ErrorCode::Protocol,
            fmt::format("{}{} answered with status {}", toText(address), path, answer.status)
        );
    }
    QByteArray body = QByteArray::fromStdString(answer.body);
    QJsonParseError parsed;
    if (!QJsonDocument::fromJson(body, &parsed).isObject()) {
        return fail(
            ErrorCode::Protocol,
            fmt::format(
                "{}{} did not answer with a JSON object: {}",
                toText(address),
                path,
                parsed.errorString().toStdString()
            )
        );
    }
    return body;
}

Result<shell::NodeConnection> reach(const Clock& clock, const QString& text)
{
    MESH_TRY(const control::AdminAddress address, control::parseNodeUrl(text.toStdString()));
    MESH_TRY(const QByteArray about, askJson(clock, address, "/"));
    MESH_TRY(const QByteArray configuration, askJson(clock, address, "/config?secrets=shown"));
    shell::NodeConnection node;
    node.name = QJsonDocument::fromJson(about).object().value(QStringLiteral("node")).toString();
    if (node.name.isEmpty()) {
        node.name = QString::fromStdString(toText(address));
    }
    node.configuration = QString::fromUtf8(configuration);
    node.attach = [&clock, address, name = node.name](bridge::MeshSession& session) {
        control::RemoteOptions options;
        options.address = address;
        options.node = name.toStdString();
        bridge::NodeReads reads;
        reads.hash = [&clock, address]() -> Result<std::string> {
            MESH_TRY(const QByteArray answer, askJson(clock, address, "/config/hash"));
            const QJsonValue hash =
                QJsonDocument::fromJson(answer).object().value(QStringLiteral("hash"));
            return hash.toString().toStdString();
        };
        reads.document = [&clock, address]() -> Result<std::string> {
            MESH_TRY(const QByteArray answer, askJson(clock, address, "/config?secrets=shown"));
            return answer.toStdString();
        };
        session.addEngine(
            name, control::makeRemoteEngine(clock, std::move(options)), std::move(reads)
        );
    };
    return node;
}

} // namespace

shell::NodeConnector makeNodeConnector(const Clock& clock)
{
    return [&clock](const QString& address) { return reach(clock, address); };
}

} // namespace mesh::console
