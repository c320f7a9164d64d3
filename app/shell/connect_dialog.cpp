#include "app/shell/connect_dialog.h"

#include "app/theme/controls.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <memory>

namespace mesh::shell {
namespace {

QString explained(const Error& error, const QString& address)
{
    switch (error.code) {
    case ErrorCode::Unavailable:
    case ErrorCode::Refused:
        return ConnectDialog::tr(
                   "Nothing answers at %1. Is the node running, with --admin-listen there?"
        )
            .arg(address);
    case ErrorCode::Timeout:
        return ConnectDialog::tr("%1 did not answer in time.").arg(address);
    case ErrorCode::Dns:
        return ConnectDialog::tr("The name in %1 is not known.").arg(address);
    case ErrorCode::InvalidArgument:
    case ErrorCode::Unsupported:
        return ConnectDialog::tr("%1 is not an admin address.").arg(address);
    default:
        return ConnectDialog::tr("What answers at %1 is not a node's admin API.").arg(address);
    }
}

} // namespace

ConnectDialog::ConnectDialog(NodeConnector connector, QWidget* parent)
    : QDialog(parent)
    , m_connector(std::move(connector))
    , m_address(new QLineEdit(QStringLiteral("http://127.0.0.1:8001"), this))
    , m_message(new QLabel(this))
    , m_connect(new QPushButton(tr("Connect"), this))
{
    setWindowTitle(tr("Connect a node"));
    setObjectName(QStringLiteral("connectDialog"));
    setMinimumWidth(520);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 16, 20, 16);
    column->setSpacing(8);
    auto* title = new QLabel(tr("Admin address of a running node"), this);
    theme::setText(*title, theme::Role::BodyStrong);
    column->addWidget(title);
    m_address->setObjectName(QStringLiteral("address"));
    m_address->setAccessibleName(title->text());
    m_address->setPlaceholderText(tr("http://127.0.0.1:8001 or unix:/run/meshwright.sock"));
    m_address->selectAll();
    title->setBuddy(m_address);
    column->addWidget(m_address);
    auto* hint = new QLabel(
        tr("What the node runs opens as a new document; what is applied goes to the node."), this
    );
    theme::setText(*hint, theme::Role::Caption, theme::TextColor::Text3);
    column->addWidget(hint);
    theme::setText(*m_message, theme::Role::Small, theme::TextColor::Failure);
    m_message->setObjectName(QStringLiteral("message"));
    m_message->setWordWrap(true);
    m_message->setTextFormat(Qt::PlainText);
    m_message->hide();
    column->addWidget(m_message);
    column->addSpacing(8);
    auto* row = new QHBoxLayout;
    row->addStretch();
    auto* cancel = new QPushButton(tr("Cancel"), this);
    cancel->setObjectName(QStringLiteral("cancel"));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    row->addWidget(cancel);
    m_connect->setObjectName(QStringLiteral("connect"));
    m_connect->setDefault(true);
    theme::setButtonRole(*m_connect, theme::ButtonRole::Primary);
    connect(m_connect, &QPushButton::clicked, this, &ConnectDialog::connectNow);
    row->addWidget(m_connect);
    column->addLayout(row);
    m_address->setFocus();
}

// Waits for an answer that is on its way: at most the connector's timeout.
ConnectDialog::~ConnectDialog() { m_thread.join(); }

void ConnectDialog::setAcceptor(std::function<bool(const NodeConnection& node)> acceptor)
{
    m_acceptor = std::move(acceptor);
}

void ConnectDialog::showError(const QString& what, const Error& error)
{
    m_message->setText(what + u'\n' + QString::fromStdString(error.message));
    m_message->show();
    m_address->setFocus();
}

void ConnectDialog::connectNow()
{
    m_message->hide();
    m_connect->setEnabled(false);
    m_connect->setText(tr("Connecting…"));
    m_thread.join();
    m_thread = Thread("connect", [this, connector = m_connector, address = m_address->text()] {
        auto answer = std::make_shared<const Result<NodeConnection>>(connector(address.trimmed()));
        QMetaObject::invokeMethod(
            this, [this, answer] { onAnswer(*answer); }, Qt::QueuedConnection
        );
    });
}

void ConnectDialog::onAnswer(const Result<NodeConnection>& answer)
{
    m_connect->setEnabled(true);
    m_connect->setText(tr("Connect"));
    if (!answer) {
        showError(explained(answer.error(), m_address->text().trimmed()), answer.error());
        return;
    }
    if (isVisible() && (!m_acceptor || m_acceptor(*answer))) {
        accept();
    }
}

} // namespace mesh::shell
