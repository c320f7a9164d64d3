#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/thread.h"

#include <QDialog>
#include <QString>

#include <functional>

class QLabel;
class QLineEdit;
class QPushButton;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::shell {

// A node that has answered.
struct NodeConnection
{
    QString name; // As the node calls itself; its address when it has no name.
    QString configuration; // What it runs, as text.
    // Adds the node to the session; call on the session's thread, with the configuration open.
    std::function<void(bridge::MeshSession& session)> attach;
};

// Asks the node at an address ("http://127.0.0.1:8001", "unix:/run/x.sock") for what it runs.
// Handed in by the console, because the window does not know the admin API. Blocks; any thread.
using NodeConnector = std::function<Result<NodeConnection>(const QString& address)>;

// Asks for a node's admin address and connects to it; stays open with the reason when it cannot.
class ConnectDialog : public QDialog
{
    Q_OBJECT

public:
    ConnectDialog(NodeConnector connector, QWidget* parent);
    ~ConnectDialog() override;

    // Called with the node that answered; false keeps the dialog open.
    void setAcceptor(std::function<bool(const NodeConnection& node)> acceptor);
    void showError(const QString& what, const Error& error);

private:
    void connectNow();
    void onAnswer(const Result<NodeConnection>& answer);

    NodeConnector m_connector;
    std::function<bool(const NodeConnection& node)> m_acceptor;
    QLineEdit* m_address;
    QLabel* m_message;
    QPushButton* m_connect;
    Thread m_thread; // The connector runs here.
};

} // namespace mesh::shell
