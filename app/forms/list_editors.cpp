#include "app/forms/list_editors.h"

#include "app/forms/scalar_editors.h"
#include "app/forms/value_path.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"
#include "proxyengine/config/tree.h"

#include <QCompleter>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QSignalBlocker>

#include <algorithm>

namespace mesh::forms {
namespace {

constexpr int kChipHeight = 20;
constexpr int kChipPad = 7;
constexpr int kCross = 14; // Room of the sign that removes a token.
constexpr int kGap = 4;
constexpr int kLineMin = 60; // Pixels left for typing before the line wraps.
constexpr int kYamlLinesMax = 8;

QFont chipFont() { return theme::font(theme::Role::Small); }

} // namespace

TokenEditor::TokenEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_line(new QLineEdit(this))
{
    m_line->setFrame(false);
    m_line->setAttribute(Qt::WA_MacShowFocusRect, false);
    describe(*m_line);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    if (!field.choices.empty()) {
        QStringList choices;
        for (const std::string_view choice : field.choices) {
            choices << QString::fromUtf8(choice.data(), static_cast<qsizetype>(choice.size()));
        }
        m_line->setCompleter(new QCompleter(choices, m_line));
    }
    connect(m_line, &QLineEdit::textEdited, this, [this](const QString& text) {
        if (text.contains(u',')) {
            closeToken();
        }
        emitEdited();
    });
    connect(m_line, &QLineEdit::returnPressed, this, &TokenEditor::closeToken);
    connect(m_line, &QLineEdit::editingFinished, this, &TokenEditor::closeToken);
}

void TokenEditor::setValue(const model::Value* value)
{
    QStringList tokens;
    const bool isDefault = value == nullptr;
    const model::Value& shown = isDefault ? field().defaultValue : *value;
    if (shown.isList() && !isDefault) {
        for (const model::Value& element : shown.list()) {
            tokens << QString::fromStdString(toDisplay(element));
        }
    } else if (!isDefault && !shown.isNull()) {
        tokens << QString::fromStdString(toDisplay(shown));
    }
    m_line->setPlaceholderText(
        tokens.isEmpty() ? QString::fromStdString(toDisplay(field().defaultValue)) : QString()
    );
    if (tokens == all()) {
        return; // Also while the last token is still being typed.
    }
    m_tokens = tokens;
    const QSignalBlocker blocker(m_line);
    m_line->clear();
    place();
}

QSize TokenEditor::sizeHint() const { return {240, heightForWidth(std::max(width(), 240))}; }

int TokenEditor::heightForWidth(int width) const { return arrange(width, nullptr, nullptr); }

bool TokenEditor::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Backspace && m_line->text().isEmpty() && !m_tokens.isEmpty()) {
            m_line->setText(m_tokens.takeLast());
            place();
            emitEdited();
            return true;
        }
    }
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
        update();
    }
    return FieldEditor::eventFilter(watched, event);
}

void TokenEditor::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    const QRectF frame = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.setPen(m_line->hasFocus() ? tokens.accent : tokens.borderInput);
    painter.setBrush(tokens.input);
    painter.drawRoundedRect(frame, 6, 6);
    painter.setFont(chipFont());
    for (std::size_t i = 0; i < m_rects.size() && i < static_cast<std::size_t>(m_tokens.size());
         ++i) {
        const QRect chip = m_rects[i];
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.hover);
        painter.drawRoundedRect(chip, 4, 4);
        painter.setPen(tokens.text1);
        const QRect text = chip.adjusted(kChipPad, 0, -kCross, 0);
        const QString elided = painter.fontMetrics().elidedText(
            m_tokens[static_cast<qsizetype>(i)], Qt::ElideMiddle, text.width() + 2
        );
        painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, elided);
        painter.setPen(QPen(tokens.text3, 1.2, Qt::SolidLine, Qt::RoundCap));
        const QPointF middle(chip.right() - 7, chip.center().y() + 0.5);
        painter.drawLine(middle + QPointF(-2.5, -2.5), middle + QPointF(2.5, 2.5));
        painter.drawLine(middle + QPointF(-2.5, 2.5), middle + QPointF(2.5, -2.5));
    }
}

void TokenEditor::resizeEvent(QResizeEvent* event)
{
    FieldEditor::resizeEvent(event);
    place();
}

void TokenEditor::mousePressEvent(QMouseEvent* event)
{
    for (std::size_t i = 0; i < m_rects.size(); ++i) {
        const QRect cross(m_rects[i].right() - kCross, m_rects[i].top(), kCross + 1, kChipHeight);
        if (cross.contains(event->position().toPoint())) {
            m_tokens.removeAt(static_cast<qsizetype>(i));
            place();
            emitEdited();
            return;
        }
    }
    m_line->setFocus(Qt::MouseFocusReason);
}

QStringList TokenEditor::all() const
{
    QStringList tokens = m_tokens;
    const QString unfinished = m_line->text().trimmed();
    if (!unfinished.isEmpty()) {
        tokens << unfinished;
    }
    return tokens;
}

int TokenEditor::arrange(int width, std::vector<QRect>* chips, QRect* line) const
{
    const QFontMetrics metrics(chipFont());
    const int right = width - kGap;
    int x = kGap;
    int y = kGap;
    for (const QString& token : m_tokens) {
        const int wish = metrics.horizontalAdvance(token) + kChipPad + kCross + 2;
        const int chip = std::min(wish, right - kGap);
        if (x > kGap && x + chip > right) {
            x = kGap;
            y += kChipHeight + kGap;
        }
        if (chips != nullptr) {
            chips->emplace_back(x, y, chip, kChipHeight);
        }
        x += chip + kGap;
    }
    if (right - x < kLineMin) {
        x = kGap;
        y += kChipHeight + kGap;
    }
    if (line != nullptr) {
        *line = QRect(x, y, right - x, kChipHeight);
    }
    return y + kChipHeight + kGap;
}

void TokenEditor::emitEdited()
{
    const QStringList tokens = all();
    if (tokens.isEmpty()) {
        Q_EMIT edited(model::Value());
        return;
    }
    model::Value::List list;
    for (const QString& token : tokens) {
        list.push_back(valueOfText(token, field().element));
    }
    Q_EMIT edited(model::Value(std::move(list)));
}

void TokenEditor::closeToken()
{
    const QString text = m_line->text();
    if (text.trimmed().isEmpty()) {
        return;
    }
    for (const QString& part : text.split(u',')) {
        if (!part.trimmed().isEmpty()) {
            m_tokens << part.trimmed();
        }
    }
    m_line->clear();
    place();
}

void TokenEditor::place()
{
    m_rects.clear();
    QRect line;
    const int height = arrange(std::max(width(), 120), &m_rects, &line);
    m_line->setGeometry(line);
    if (height != minimumHeight()) {
        setMinimumHeight(height);
        setMaximumHeight(height);
        updateGeometry();
    }
    update();
}

YamlEditor::YamlEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_text(new QPlainTextEdit(this))
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_text);
    m_text->setFont(theme::font(theme::Role::Code));
    m_text->setTabChangesFocus(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    describe(*m_text);
    connect(m_text, &QPlainTextEdit::textChanged, this, &YamlEditor::onTextChanged);
    fitHeight();
}

void YamlEditor::setValue(const model::Value* value)
{
    const model::Value next = value != nullptr ? *value : model::Value();
    if (next == m_shown && (m_text->hasFocus() || !next.isNull())) {
        return;
    }
    m_shown = next;
    const QSignalBlocker blocker(m_text);
    QString text;
    if (!next.isNull()) {
        text = QString::fromStdString(config::toYaml(next)).trimmed();
    }
    m_text->setPlainText(text);
    fitHeight();
}

void YamlEditor::fitHeight()
{
    const int lines = std::clamp(m_text->document()->blockCount(), 1, kYamlLinesMax);
    m_text->setFixedHeight(lines * m_text->fontMetrics().lineSpacing() + 14);
}

void YamlEditor::onTextChanged()
{
    fitHeight();
    const QString text = m_text->toPlainText();
    if (text.trimmed().isEmpty()) {
        m_shown = model::Value();
        setMarkedWrong(false);
        Q_EMIT edited(model::Value());
        return;
    }
    auto tree = config::parseTree(text.toStdString());
    setMarkedWrong(!tree);
    if (tree) {
        m_shown = *tree;
        Q_EMIT edited(*tree);
    }
}

} // namespace mesh::forms
