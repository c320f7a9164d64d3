#pragma once

#include <QPlainTextEdit>
#include <QSet>
#include <QString>
#include <QSyntaxHighlighter>

#include <map>

namespace mesh::forms {

// Keys, values and comments of YAML and JSON in the theme's syntax colours.
class ConfigHighlighter : public QSyntaxHighlighter
{
    Q_OBJECT

public:
    explicit ConfigHighlighter(QTextDocument* document);

protected:
    void highlightBlock(const QString& text) override;

private:
    void highlightValue(const QString& text, int begin, int end);
};

// The configuration as text: line numbers, change bars, problems at the end of their lines, the
// line of the form's field on accent ground.
class ConfigTextEdit : public QPlainTextEdit
{
    Q_OBJECT

public:
    explicit ConfigTextEdit(QWidget* parent = nullptr);

    // Replaces only the lines that differ, so that cursor and scroll position survive.
    void showText(const QString& text);
    void setChangedLines(const QSet<int>& lines);
    void setProblemLines(const std::map<int, QString>& messages); // Line -> first message.
    void setFocusLine(int line); // 1-based; 0: none. Scrolls to it when it is out of view.
    void goToLine(int line);

    [[nodiscard]] int gutterWidth() const;
    void paintGutter(QPaintEvent& event);

Q_SIGNALS:
    void textEdited(const QString& text); // By a person.
    void cursorPlaceChanged(int line, int column);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void paintLineGrounds(QPaintEvent& event);
    void paintMessages(QPaintEvent& event);

    QWidget* m_gutter;
    QSet<int> m_changed;
    std::map<int, QString> m_problems;
    int m_focusLine = 0;
    bool m_isShowing = false;
};

} // namespace mesh::forms
