#include "app/shell/connect_dialog.h"

#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
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
    case ErrorCode::Tls:
        return ConnectDialog::tr("%1 and this console do not believe each other.").arg(address);
    case ErrorCode::PermissionDenied:
    case ErrorCode::NotFound:
    case ErrorCode::Io:
        return ConnectDialog::tr("The certificate for %1 cannot be used.").arg(address);
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
    , m_uses(new QWidget(this))
    , m_addToMesh(new QRadioButton(m_uses))
    , m_newDocument(new QRadioButton(tr("Open what it runs as a new document"), m_uses))
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
    m_address->setPlaceholderText(
        tr("https://10.0.0.3:8444, http://127.0.0.1:8001 or unix:/run/meshwright.sock")
    );
    m_address->selectAll();
    title->setBuddy(m_address);
    column->addWidget(m_address);
    auto* hint = new QLabel(
        tr("https asks for a certificate on both sides; what is pushed goes to the node."), this
    );
    theme::setText(*hint, theme::Role::Caption, theme::TextColor::Text3);
    column->addWidget(hint);
    auto* uses = new QVBoxLayout(m_uses);
    uses->setContentsMargins(0, 4, 0, 0);
    uses->setSpacing(4);
    m_addToMesh->setObjectName(QStringLiteral("addToMesh"));
    m_newDocument->setObjectName(QStringLiteral("newDocument"));
    m_newDocument->setChecked(true);
    uses->addWidget(m_addToMesh);
    uses->addWidget(m_newDocument);
    m_uses->hide();
    column->addWidget(m_uses);
    column->addWidget(makeEnrolment());
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

QWidget* ConnectDialog::makeEnrolment()
{
    m_joining = new QWidget(this);
    m_joining->setObjectName(QStringLiteral("enrolment"));
    auto* column = new QVBoxLayout(m_joining);
    column->setContentsMargins(0, 8, 0, 0);
    column->setSpacing(4);
    const auto add = [&](const char* name, const QString& words, int lines) {
        auto* label = new QLabel(words, m_joining);
        label->setWordWrap(true);
        theme::setText(*label, theme::Role::SmallMedium);
        column->addWidget(label);
        auto* edit = new QPlainTextEdit(m_joining);
        edit->setObjectName(QLatin1String(name));
        edit->setAccessibleName(words);
        edit->setFont(theme::font(theme::Role::CodeSmall));
        edit->setTabChangesFocus(true);
        edit->setFixedHeight(edit->fontMetrics().lineSpacing() * lines + 14);
        label->setBuddy(edit);
        column->addWidget(edit);
        column->addSpacing(4);
        return edit;
    };
    m_request = add("request", tr("1. This request was made here; its key stays here:"), 4);
    m_sign = add("signCommand", tr("2. Where the mesh's authority is kept, sign it:"), 2);
    m_node = add("nodeCommand", tr("3. The node has to run with such an admin address:"), 2);
    for (QPlainTextEdit* shown : {m_request, m_sign, m_node}) {
        shown->setReadOnly(true);
    }
    m_certificate = add("certificate", tr("4. The signed certificate (PEM):"), 4);
    m_authority = add("authority", tr("5. The authority's own certificate (PEM):"), 4);
    m_joining->hide();
    return m_joining;
}

void ConnectDialog::setEnrolment(NodeEnrolment enrolment) { m_enrolment = std::move(enrolment); }

void ConnectDialog::offerMesh(const QString& name)
{
    m_addToMesh->setText(tr("Add it to the nodes of %1").arg(name));
    m_addToMesh->setChecked(true);
    m_uses->show();
}

NodeUse ConnectDialog::use() const
{
    return m_addToMesh->isChecked() ? NodeUse::AddToMesh : NodeUse::NewDocument;
}

void ConnectDialog::showEnrolment()
{
    const auto made = m_enrolment.begin(m_address->text().trimmed());
    if (!made) {
        showError(tr("No key and request could be made."), made.error());
        return;
    }
    m_request->setPlainText(made->requestPem);
    m_request->setToolTip(made->requestFile);
    m_sign->setPlainText(made->signCommand);
    m_node->setPlainText(made->nodeCommand);
    m_joining->show();
    m_connect->setText(tr("Take it and connect"));
    m_certificate->setFocus();
}

bool ConnectDialog::finishEnrolment()
{
    const auto taken = m_enrolment.finish(
        m_address->text().trimmed(), m_certificate->toPlainText(), m_authority->toPlainText()
    );
    if (!taken) {
        m_message->setText(
            tr("The certificate was not taken.") + u'\n'
            + QString::fromStdString(taken.error().message)
        );
        m_message->show();
        return false;
    }
    m_joining->hide();
    return true;
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
    const bool isNeeded = m_enrolment.isNeeded && m_enrolment.isNeeded(m_address->text().trimmed());
    if (isNeeded && m_joining->isHidden()) {
        showEnrolment();
        return;
    }
    if (isNeeded && !finishEnrolment()) {
        return;
    }
    m_joining->hide();
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
