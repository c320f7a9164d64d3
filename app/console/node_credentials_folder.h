#pragma once

#include "app/shell/connect_dialog.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"

#include <QString>

namespace mesh::console {

// Where this console keeps the keys and certificates it shows to nodes: a folder of its own user,
// outside of every document, because a document is copied like any file.
//
//   FOLDER/HOST_PORT/key.pem, request.pem, cert.pem, ca.pem
//
// A node without a folder of its own is met with the files that MESHWRIGHT_CERT, MESHWRIGHT_KEY and
// MESHWRIGHT_CA name.
class CredentialsFolder
{
public:
    explicit CredentialsFolder(QString folder); // Made when something is kept.

    // Empty when there are none, or when the address needs none.
    [[nodiscard]] control::NodeCredentials of(const control::AdminAddress& address) const;
    // The steps of joining, for the window. The clock outlives them.
    [[nodiscard]] shell::NodeEnrolment enrolment(const Clock& clock) const;

private:
    QString m_folder;
};

} // namespace mesh::console
