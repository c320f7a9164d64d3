#include "app/forms/config_text_edit.h"

#include "app/theme/theme.h"

#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextBlockFormat>

#include <algorithm>

namespace mesh::forms {
namespace {

constexpr int kGutterWidth = 44;
constexpr int kLineHeight = 19;
constexpr double kRaise = 1.5; // Grounds stand this much higher: the text is at the top of a line.

// Paints the numbers; all drawing is the editor's.
class Gutter : public QWidget
{
public:
    explicit Gutter(ConfigTextEdit& editor)
        : QWidget(&editor)
        , m_editor(editor)
    {}

protected:
    void paintEvent(QPaintEvent* event) override { m_editor.paintGutter(*event); }

private:
    ConfigTextEdit& m_editor;
};

// Lines of the height the design asks for: the layout of plain text knows no line height, but what
// it says a block takes is what the editor draws and measures by.
class TallLayout : public QPlainTextDocumentLayout
{
public:
    using QPlainTextDocumentLayout::QPlainTextDocumentLayout;

    [[nodiscard]] QRectF blockBoundingRect(const QTextBlock& block) const override
    {
        QRectF rect = QPlainTextDocumentLayout::blockBoundingRect(block);
        if (rect.height() > 0 && rect.height() < kLineHeight) {
            rect.setHeight(kLineHeight);
        }
        return rect;
    }
};

bool isKeyCharacter(QChar character)
{
    return character.isLetterOrNumber() || QStringLiteral("_-./~*\"").contains(character);
}

} // namespace

ConfigHighlighter::ConfigHighlighter(QTextDocument* document)
    : QSyntaxHighlighter(document)
{
    connect(&theme::current(), &theme::Theme::changed, this, &QSyntaxHighlighter::rehighlight);
}

void ConfigHighlighter::highlightBlock(const QString& text)
{
    const theme::Tokens& tokens = theme::tokens();
    const int size = static_cast<int>(text.size());
    int at = 0;
    while (at < size && (text[at].isSpace() || text[at] == u'-' || text[at] == u'{')) {
        ++at;
    }
    if (at < size && text[at] == u'#') {
        setFormat(at, size - at, tokens.text3);
        return;
    }
    int end = at;
    while (end < size && isKeyCharacter(text[end])) {
        ++end;
    }
    const bool isKey =
        end < size && text[end] == u':' && (end + 1 == size || text[end + 1].isSpace());
    setFormat(0, at, tokens.text2);
    if (!isKey) {
        highlightValue(text, at, size);
        return;
    }
    setFormat(at, end - at, tokens.statusCodes[2]);
    setFormat(end, 1, tokens.text2);
    highlightValue(text, end + 1, size);
}

void ConfigHighlighter::highlightValue(const QString& text, int begin, int end)
{
    const theme::Tokens& tokens = theme::tokens();
    for (int i = begin; i < end; ++i) {
        const bool isMark = QStringLiteral("[]{},").contains(text[i]);
        setFormat(i, 1, isMark ? tokens.text2 : tokens.percentiles[1]);
    }
}

ConfigTextEdit::ConfigTextEdit(QWidget* parent)
    : QPlainTextEdit(parent)
    , m_gutter(new Gutter(*this))
{
    document()->setDocumentLayout(new TallLayout(document()));
    setFont(theme::font(theme::Role::Code));
    setFrameShape(QFrame::NoFrame);
    setLineWrapMode(QPlainTextEdit::NoWrap);
    setTabChangesFocus(true);
    setUndoRedoEnabled(false); // The draft's history covers form and text together.
    setViewportMargins(kGutterWidth, 0, 0, 0);
    new ConfigHighlighter(document());
    connect(this, &QPlainTextEdit::textChanged, this, [this] {
        if (!m_isShowing) {
            Q_EMIT textEdited(toPlainText());
        }
    });
    connect(this, &QPlainTextEdit::updateRequest, this, [this](const QRect& rect, int dy) {
        if (dy != 0) {
            m_gutter->scroll(0, dy);
        } else {
            m_gutter->update(0, rect.y(), m_gutter->width(), rect.height());
        }
    });
    connect(this, &QPlainTextEdit::cursorPositionChanged, this, [this] {
        const QTextCursor cursor = textCursor();
        Q_EMIT cursorPlaceChanged(cursor.blockNumber() + 1, cursor.positionInBlock() + 1);
    });
    QPalette colors = palette();
    colors.setColor(QPalette::Base, theme::tokens().canvas);
    setPalette(colors);
    connect(&theme::current(), &theme::Theme::changed, this, [this] {
        QPalette fresh = palette();
        fresh.setColor(QPalette::Base, theme::tokens().canvas);
        setPalette(fresh);
        setFont(theme::font(theme::Role::Code));
    });
}

void ConfigTextEdit::showText(const QString& text)
{
    const QString old = toPlainText();
    if (old == text) {
        return;
    }
    qsizetype head = 0;
    const qsizetype shorter = std::min(old.size(), text.size());
    while (head < shorter && old[head] == text[head]) {
        ++head;
    }
    qsizetype tail = 0;
    while (tail < shorter - head && old[old.size() - 1 - tail] == text[text.size() - 1 - tail]) {
        ++tail;
    }
    m_isShowing = true;
    const int scroll = verticalScrollBar()->value();
    QTextCursor cursor(document());
    cursor.setPosition(static_cast<int>(head));
    cursor.setPosition(static_cast<int>(old.size() - tail), QTextCursor::KeepAnchor);
    cursor.insertText(text.mid(head, text.size() - head - tail));
    if (old.isEmpty()) {
        moveCursor(QTextCursor::Start);
    }
    verticalScrollBar()->setValue(scroll);
    m_isShowing = false;
}

void ConfigTextEdit::setChangedLines(const QSet<int>& lines)
{
    m_changed = lines;
    m_gutter->update();
}

void ConfigTextEdit::setProblemLines(const std::map<int, QString>& messages)
{
    m_problems = messages;
    m_gutter->update();
    viewport()->update();
}

void ConfigTextEdit::setFocusLine(int line)
{
    m_focusLine = line;
    viewport()->update();
    if (line <= 0 || hasFocus()) {
        return;
    }
    const int first = firstVisibleBlock().blockNumber() + 1;
    const int visible = viewport()->height() / std::max(1, fontMetrics().lineSpacing());
    if (line < first || line >= first + visible - 1) {
        verticalScrollBar()->setValue(std::max(0, line - visible / 3));
    }
}

void ConfigTextEdit::goToLine(int line)
{
    QTextCursor cursor(document()->findBlockByNumber(std::max(0, line - 1)));
    setTextCursor(cursor);
    centerCursor();
    setFocus(Qt::OtherFocusReason);
}

int ConfigTextEdit::gutterWidth() const { return kGutterWidth; }

void ConfigTextEdit::paintGutter(QPaintEvent& event)
{
    QPainter painter(m_gutter);
    const theme::Tokens& tokens = theme::tokens();
    painter.fillRect(event.rect(), tokens.canvas);
    painter.setFont(theme::font(theme::Role::CodeSmall));
    QTextBlock block = firstVisibleBlock();
    double top = blockBoundingGeometry(block).translated(contentOffset()).top();
    while (block.isValid() && top <= event.rect().bottom()) {
        const double height = blockBoundingRect(block).height();
        const int line = block.blockNumber() + 1;
        const QRectF row(0, top - kRaise, kGutterWidth, height);
        const bool isWrong = m_problems.contains(line);
        if (isWrong) {
            painter.fillRect(row, tokens.of(theme::State::Failure).soft);
        } else if (line == m_focusLine) {
            painter.fillRect(row, tokens.accentSoft);
        }
        if (isWrong) {
            painter.fillRect(
                QRectF(0, top - kRaise, 4, height), tokens.of(theme::State::Failure).text
            );
        } else if (m_changed.contains(line)) {
            painter.fillRect(QRectF(0, top - kRaise, 4, height), tokens.accent);
        }
        painter.setPen(isWrong ? tokens.of(theme::State::Failure).text : tokens.text3);
        painter.drawText(
            row.adjusted(0, 0, -14, 0), Qt::AlignRight | Qt::AlignVCenter, QString::number(line)
        );
        block = block.next();
        top += height;
    }
}

void ConfigTextEdit::paintEvent(QPaintEvent* event)
{
    paintLineGrounds(*event);
    QPlainTextEdit::paintEvent(event);
    paintMessages(*event);
}

void ConfigTextEdit::paintLineGrounds(QPaintEvent& event)
{
    QPainter painter(viewport());
    const theme::Tokens& tokens = theme::tokens();
    QTextBlock block = firstVisibleBlock();
    double top = blockBoundingGeometry(block).translated(contentOffset()).top();
    while (block.isValid() && top <= event.rect().bottom()) {
        const double height = blockBoundingRect(block).height();
        const int line = block.blockNumber() + 1;
        const QRectF row(0, top - kRaise, viewport()->width(), height);
        if (m_problems.contains(line)) {
            painter.fillRect(row, tokens.of(theme::State::Failure).soft);
        } else if (line == m_focusLine) {
            painter.fillRect(row, tokens.accentSoft);
        }
        block = block.next();
        top += height;
    }
}

void ConfigTextEdit::paintMessages(QPaintEvent& event)
{
    QPainter painter(viewport());
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(theme::tokens().of(theme::State::Failure).text);
    QTextBlock block = firstVisibleBlock();
    double top = blockBoundingGeometry(block).translated(contentOffset()).top();
    while (block.isValid() && top <= event.rect().bottom()) {
        const double height = blockBoundingRect(block).height();
        const auto found = m_problems.find(block.blockNumber() + 1);
        if (found != m_problems.end()) {
            const double x =
                contentOffset().x() + fontMetrics().horizontalAdvance(block.text()) + 20;
            const QRectF room(x, top - kRaise, std::max(0.0, viewport()->width() - x - 8), height);
            painter.drawText(
                room,
                Qt::AlignLeft | Qt::AlignVCenter,
                painter.fontMetrics().elidedText(
                    found->second, Qt::ElideRight, static_cast<int>(room.width())
                )
            );
        }
        block = block.next();
        top += height;
    }
}

void ConfigTextEdit::resizeEvent(QResizeEvent* event)
{
    QPlainTextEdit::resizeEvent(event);
    const QRect rect = contentsRect();
    m_gutter->setGeometry(rect.left(), rect.top(), kGutterWidth, rect.height());
}

} // namespace mesh::forms
