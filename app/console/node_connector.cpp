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
#include <utility>

namespace mesh::console {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(5);

// A node as this console meets it.
struct Meeting
{
    control::AdminAddress address;
    control::NodeCredentials credentials;
};

Result<QByteArray> askJson(const Clock& clock, const Meeting& meeting, const std::string& path)
{
    const control::AdminAddress& address = meeting.address;
    control::NodeRequest request;
    request.address = address;
    request.path = path;
    request.credentials = meeting.credentials;
    request.timeout = kTimeout;
    MESH_TRY(const control::NodeAnswer answer, control::requestNode(clock, request));
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

bridge::FollowedNode follow(const Clock& clock, const Meeting& meeting, const std::string& node)
{
    control::RemoteOptions options;
    options.address = meeting.address;
    options.node = node;
    options.credentials = meeting.credentials;
    bridge::FollowedNode followed;
    followed.engine = control::makeRemoteEngine(clock, std::move(options));
    followed.reads.hash = [&clock, meeting]() -> Result<std::string> {
        MESH_TRY(const QByteArray body, askJson(clock, meeting, "/config/hash"));
        return QJsonDocument::fromJson(body)
            .object()
            .value(QStringLiteral("hash"))
            .toString()
            .toStdString();
    };
    followed.reads.document = [&clock, meeting]() -> Result<std::string> {
        MESH_TRY(const QByteArray body, askJson(clock, meeting, "/config?secrets=shown"));
        return body.toStdString();
    };
    return followed;
}

Result<shell::NodeConnection> reach(
    const Clock& clock, const CredentialsFolder& credentials, const QString& text
)
{
    Meeting meeting;
    MESH_TRY(meeting.address, control::parseNodeUrl(text.toStdString()));
    meeting.credentials = credentials.of(meeting.address);
    MESH_TRY(const QByteArray about, askJson(clock, meeting, "/"));
    MESH_TRY(const QByteArray configuration, askJson(clock, meeting, "/config?secrets=shown"));
    const QJsonObject facts = QJsonDocument::fromJson(about).object();
    shell::NodeConnection node;
    node.address = text;
    node.name = facts.value(QStringLiteral("node")).toString();
    node.role = facts.value(QStringLiteral("role")).toString();
    node.zone = facts.value(QStringLiteral("zone")).toString();
    if (node.name.isEmpty()) {
        node.name = QString::fromStdString(toText(meeting.address));
    }
    node.configuration = QString::fromUtf8(configuration);
    node.attach = [&clock, meeting, name = node.name](bridge::MeshSession& session) {
        bridge::FollowedNode followed = follow(clock, meeting, name.toStdString());
        session.addEngine(name, std::move(followed.engine), std::move(followed.reads));
    };
    return node;
}

} // namespace

shell::NodeConnector makeNodeConnector(const Clock& clock, const CredentialsFolder& credentials)
{
    return [&clock, credentials](const QString& address) {
        return reach(clock, credentials, address);
    };
}

bridge::NodeFollower makeNodeFollower(const Clock& clock, const CredentialsFolder& credentials)
{
    return [&clock, credentials](
               const std::string& node, const std::string& admin
           ) -> Result<bridge::FollowedNode> {
        Meeting meeting;
        MESH_TRY(meeting.address, control::parseNodeUrl(admin));
        meeting.credentials = credentials.of(meeting.address);
        if (meeting.address.isTls && meeting.credentials.isEmpty()) {
            return fail(
                ErrorCode::PermissionDenied,
                fmt::format(
                    "this console has no certificate for {}; Mesh, Connect a node makes one", admin
                )
            );
        }
        return follow(clock, meeting, node);
    };
}

} // namespace mesh::console
