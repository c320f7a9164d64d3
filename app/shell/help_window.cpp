#include "app/shell/help_window.h"

#include <QFile>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace mesh::shell {

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent)
    , m_text(new QTextBrowser(this))
{
    setObjectName(QStringLiteral("help"));
    resize(640, 620);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    column->addWidget(m_text);
    m_text->setObjectName(QStringLiteral("helpText"));
    m_text->setAccessibleName(tr("Help text"));
    m_text->setOpenExternalLinks(false);
}

QString HelpWindow::textOf(const QString& topic)
{
    QFile file(QStringLiteral(":/help/%1.md").arg(topic));
    if (!file.open(QIODevice::ReadOnly)) {
        return tr("The help page “%1” is missing.").arg(topic);
    }
    return QString::fromUtf8(file.readAll());
}

void HelpWindow::showText(const QString& title, const QString& markdown)
{
    setWindowTitle(title);
    m_text->setMarkdown(markdown);
    show();
    m_text->setFocus();
}

} // namespace mesh::shell
