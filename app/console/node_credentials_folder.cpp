#include "app/console/node_credentials_folder.h"

#include "proxyengine/base/file.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/enrolment.h"

#include <QDir>
#include <QFile>
#include <QSysInfo>

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace mesh::console {

namespace {

constexpr std::size_t kPemBytesMax = 1U << 20U;

QString folderOf(const QString& root, const control::AdminAddress& address)
{
    QString name = QString::fromStdString(address.hostPort);
    for (QChar& letter : name) {
        if (!letter.isLetterOrNumber() && letter != u'.' && letter != u'-') {
            letter = u'_';
        }
    }
    return root + u'/' + name;
}

std::string pathIn(const QString& folder, const char* file)
{
    return QFile::encodeName(folder + u'/' + QLatin1String(file)).toStdString();
}

// A name of this machine that a certificate can carry.
std::string consoleName()
{
    const std::string host = QSysInfo::machineHostName().toLower().left(40).toStdString();
    return "console." + (host.empty() ? std::string("local") : host);
}

Result<shell::EnrolmentRequest> beginIn(const QString& folder)
{
    if (!QDir().mkpath(folder)) {
        return fail(ErrorCode::Io, "cannot make " + folder.toStdString());
    }
    QFile::setPermissions(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    shell::EnrolmentRequest request;
    request.requestFile = folder + QStringLiteral("/request.pem");
    const auto kept = readFile(pathIn(folder, "request.pem"), kPemBytesMax);
    if (kept && QFile::exists(folder + QStringLiteral("/key.pem"))) {
        request.requestPem = QString::fromStdString(*kept); // Asked before, not answered yet.
        return request;
    }
    MESH_TRY(const tls::KeyAndRequest made, tls::makeRequest(consoleName(), {}));
    MESH_TRY_VOID(writeFileAtomically(pathIn(folder, "key.pem"), made.keyPem));
    MESH_TRY_VOID(writeFileAtomically(pathIn(folder, "request.pem"), made.requestPem));
    request.requestPem = QString::fromStdString(made.requestPem);
    return request;
}

Result<void> finishIn(
    const QString& folder,
    const std::string& certificate,
    const std::string& authority,
    WallTime now
)
{
    MESH_TRY(const std::string key, readFile(pathIn(folder, "key.pem"), kPemBytesMax));
    MESH_TRY(
        const tls::CertificateFacts facts, tls::checkCertificate({certificate, key, {}, {}, {}})
    );
    if (facts.notAfter <= now) {
        return fail(ErrorCode::Tls, fmt::format("the certificate of {} is over", facts.subject));
    }
    MESH_TRY(const auto authorities, tls::readAuthorities(authority));
    if (!authorities.front().isAuthority) {
        return fail(
            ErrorCode::Tls,
            fmt::format(
                "{} is no authority; the mesh's CA certificate is needed",
                authorities.front().subject
            )
        );
    }
    MESH_TRY_VOID(writeFileAtomically(pathIn(folder, "ca.pem"), authority));
    return writeFileAtomically(pathIn(folder, "cert.pem"), certificate);
}

} // namespace

CredentialsFolder::CredentialsFolder(QString folder)
    : m_folder(std::move(folder))
{}

control::NodeCredentials CredentialsFolder::of(const control::AdminAddress& address) const
{
    if (!address.isTls) {
        return {};
    }
    const QString own = folderOf(m_folder, address);
    if (QFile::exists(own + QStringLiteral("/cert.pem"))) {
        return {pathIn(own, "cert.pem"), pathIn(own, "key.pem"), pathIn(own, "ca.pem")};
    }
    return {
        qEnvironmentVariable("MESHWRIGHT_CERT").toStdString(),
        qEnvironmentVariable("MESHWRIGHT_KEY").toStdString(),
        qEnvironmentVariable("MESHWRIGHT_CA").toStdString()};
}

shell::NodeEnrolment CredentialsFolder::enrolment(const Clock& clock) const
{
    shell::NodeEnrolment enrolment;
    enrolment.isNeeded = [folder = *this](const QString& text) {
        const auto address = control::parseNodeUrl(text.toStdString());
        return address && address->isTls && folder.of(*address).isEmpty();
    };
    enrolment.begin = [root = m_folder](const QString& text) -> Result<shell::EnrolmentRequest> {
        MESH_TRY(const control::AdminAddress address, control::parseNodeUrl(text.toStdString()));
        MESH_TRY(shell::EnrolmentRequest request, beginIn(folderOf(root, address)));
        request.signCommand = QStringLiteral(
            "openssl x509 -req -in request.pem -CA mesh-ca.pem -CAkey mesh-ca.key -CAcreateserial "
            "-days 90 -copy_extensions copy -out console.pem"
        );
        request.nodeCommand = QStringLiteral("meshwrightd run --config node.yaml --admin-listen %1 "
                                             "--admin-tls node.pem,node.key,mesh-ca.pem")
                                  .arg(QString::fromStdString(address.hostPort));
        return request;
    };
    enrolment.finish = [root = m_folder, &clock](
                           const QString& text, const QString& certificate, const QString& authority
                       ) -> Result<void> {
        MESH_TRY(const control::AdminAddress address, control::parseNodeUrl(text.toStdString()));
        return finishIn(
            folderOf(root, address),
            certificate.toStdString(),
            authority.toStdString(),
            clock.wallNow()
        );
    };
    return enrolment;
}

} // namespace mesh::console
