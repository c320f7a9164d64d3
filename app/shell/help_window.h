#pragma once

#include <QDialog>
#include <QString>

class QTextBrowser;

namespace mesh::shell {

// A page of help, written in Markdown and kept inside the program.
class HelpWindow : public QDialog
{
    Q_OBJECT

public:
    explicit HelpWindow(QWidget* parent);

    // The text of resources/help/<topic>.md; a sentence that it is missing otherwise.
    [[nodiscard]] static QString textOf(const QString& topic);
    void showText(const QString& title, const QString& markdown);

private:
    QTextBrowser* m_text;
};

} // namespace mesh::shell
