#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/thread.h"

#include <QDialog>
#include <QString>

#include <cstdint>
#include <functional>

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QRadioButton;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::shell {

// A node that has answered.
struct NodeConnection
{
    QString name; // As the node calls itself; its address when it has no name.
    QString address; // Of its admin API, as it was typed.
    QString role; // "gateway", "sidecar"; empty: it does not say.
    QString zone; // Empty: it does not say.
    QString configuration; // What it runs, as text.
    // Adds the node to the session; call on the session's thread, with the configuration open.
    std::function<void(bridge::MeshSession& session)> attach;
};

// Asks the node at an address ("http://127.0.0.1:8001", "unix:/run/x.sock") for what it runs.
// Handed in by the console, because the window does not know the admin API. Blocks; any thread.
using NodeConnector = std::function<Result<NodeConnection>(const QString& address)>;

// What has to be signed before a node believes this console, and what to run where.
struct EnrolmentRequest
{
    QString requestPem; // PKCS #10.
    QString requestFile; // Where it is kept here.
    QString signCommand; // Where the mesh's authority is kept.
    QString nodeCommand; // On the node, so that it asks for such certificates.
};

// How this console gets a certificate that nodes of the mesh believe. Handed in by the console.
struct NodeEnrolment
{
    // Whether the address asks for a certificate that is not here yet.
    std::function<bool(const QString& address)> isNeeded;
    // Makes key and request and keeps them; the same ones when they were made before.
    std::function<Result<EnrolmentRequest>(const QString& address)> begin;
    // Takes what the authority answered: a certificate of the key, and the authority's own.
    // Errors: Tls with what is wrong with them.
    std::function<Result<void>(
        const QString& address, const QString& certificatePem, const QString& authorityPem
    )>
        finish;
};

// What becomes of a node that answered.
enum class NodeUse : std::uint8_t {
    NewDocument, // What it runs opens as a document of its own.
    AddToMesh, // It joins the nodes of the open document.
};

// Asks for a node's admin address and connects to it; stays open with the reason when it cannot.
// An address under mutual TLS first asks for a certificate: the dialog shows the request to sign
// and what to run, and takes what was signed.
class ConnectDialog : public QDialog
{
    Q_OBJECT

public:
    ConnectDialog(NodeConnector connector, QWidget* parent);
    ~ConnectDialog() override;

    // Called with the node that answered; false keeps the dialog open.
    void setAcceptor(std::function<bool(const NodeConnection& node)> acceptor);
    void showError(const QString& what, const Error& error);
    void setEnrolment(NodeEnrolment enrolment);
    // Offers to add the node to the open mesh of this name, and chooses it.
    void offerMesh(const QString& name);
    [[nodiscard]] NodeUse use() const;

private:
    QWidget* makeEnrolment();
    void showEnrolment();
    [[nodiscard]] bool finishEnrolment();
    void connectNow();
    void onAnswer(const Result<NodeConnection>& answer);

    NodeConnector m_connector;
    NodeEnrolment m_enrolment;
    std::function<bool(const NodeConnection& node)> m_acceptor;
    QLineEdit* m_address;
    QWidget* m_uses;
    QRadioButton* m_addToMesh;
    QRadioButton* m_newDocument;
    QWidget* m_joining = nullptr;
    QPlainTextEdit* m_request = nullptr;
    QPlainTextEdit* m_sign = nullptr;
    QPlainTextEdit* m_node = nullptr;
    QPlainTextEdit* m_certificate = nullptr;
    QPlainTextEdit* m_authority = nullptr;
    QLabel* m_message;
    QPushButton* m_connect;
    Thread m_thread; // The connector runs here.
};

} // namespace mesh::shell
