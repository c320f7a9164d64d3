#include "app/shell/help_window.h"

#include <QFile>
#include <QImage>
#include <QTextBrowser>
#include <QUrl>
#include <QVBoxLayout>

namespace mesh::shell {
namespace {

constexpr int kPictureWidth = 580; // Screenshots are larger than a page of help.

// A browser that shows pictures as wide as its page.
class HelpBrowser : public QTextBrowser
{
public:
    using QTextBrowser::QTextBrowser;

    QVariant loadResource(int type, const QUrl& name) override
    {
        const QVariant content = QTextBrowser::loadResource(type, name);
        QImage picture(name.toString());
        if (type != QTextDocument::ImageResource || picture.isNull()) {
            return content;
        }
        return picture.scaledToWidth(kPictureWidth, Qt::SmoothTransformation);
    }
};

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent)
    , m_text(new HelpBrowser(this))
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
