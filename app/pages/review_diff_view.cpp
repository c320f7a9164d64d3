#include "app/pages/review_diff_view.h"

#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>

#include <algorithm>
#include <tuple>
#include <utility>

namespace mesh::pages {
namespace {

using bridge::DiffLine;

constexpr int kHeadHeight = 26;
constexpr int kLineHeight = 20;
constexpr int kNumberWidth = 34; // Of one of the two numbers.
constexpr int kTextAt = 100; // Numbers, sign and a gap.
constexpr int kTextAtBare = 34; // Sign alone.

QColor groundOf(DiffLine::Kind kind)
{
    const theme::Tokens& t = theme::tokens();
    switch (kind) {
    case DiffLine::Kind::Removed:
        return t.diffRemovedRow;
    case DiffLine::Kind::Added:
        return t.diffAddedRow;
    case DiffLine::Kind::Same:
        break;
    }
    return t.panel;
}

} // namespace

ReviewDiffView::ReviewDiffView(QWidget* parent, Numbers numbers)
    : QAbstractScrollArea(parent)
    , m_numbers(numbers)
{
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setAutoFillBackground(true);
    viewport()->setBackgroundRole(QPalette::Base);
    setAccessibleName(tr("Differences"));
    verticalScrollBar()->setSingleStep(kLineHeight);
    horizontalScrollBar()->setSingleStep(kLineHeight);
    connect(&theme::current(), &theme::Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void ReviewDiffView::setDiffs(std::vector<bridge::ObjectDiff> diffs)
{
    m_diffs = std::move(diffs);
    rebuild();
}

void ReviewDiffView::setForm(Form form)
{
    m_form = form;
    rebuild();
}

void ReviewDiffView::rebuild()
{
    m_rows.clear();
    m_current = -1;
    for (const bridge::ObjectDiff& diff : m_diffs) {
        if (!diff.name.isEmpty()) {
            m_rows.push_back({&diff, nullptr, nullptr});
        }
        if (m_folded.count(diff.key) > 0) {
            continue;
        }
        for (std::size_t i = 0; i < diff.lines.size(); ++i) {
            const DiffLine& line = diff.lines[i];
            if (m_form == Form::Inline) {
                m_rows.push_back({nullptr, &line, nullptr});
                continue;
            }
            if (line.kind == DiffLine::Kind::Same) {
                m_rows.push_back({nullptr, &line, &line});
            } else if (line.kind == DiffLine::Kind::Added) {
                m_rows.push_back({nullptr, nullptr, &line});
            } else {
                const bool isReplaced =
                    i + 1 < diff.lines.size() && diff.lines[i + 1].kind == DiffLine::Kind::Added;
                m_rows.push_back({nullptr, &line, isReplaced ? &diff.lines[i + 1] : nullptr});
                i += isReplaced ? 1 : 0;
            }
        }
    }
    updateScroll();
    viewport()->update();
}

int ReviewDiffView::heightOf(const Row& row) const
{
    return row.head != nullptr ? kHeadHeight : kLineHeight;
}

int ReviewDiffView::contentHeight() const
{
    int height = 0;
    for (const Row& row : m_rows) {
        height += heightOf(row);
    }
    return height;
}

QSize ReviewDiffView::sizeHint() const { return {400, contentHeight() + 2 * frameWidth()}; }

int ReviewDiffView::topOf(int row) const
{
    int top = 0;
    for (int i = 0; i < row; ++i) {
        top += heightOf(m_rows[static_cast<std::size_t>(i)]);
    }
    return top;
}

int ReviewDiffView::rowAt(int y) const
{
    int top = 0;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        top += heightOf(m_rows[i]);
        if (y < top) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

void ReviewDiffView::updateScroll()
{
    QScrollBar& bar = *verticalScrollBar();
    bar.setPageStep(viewport()->height());
    bar.setRange(0, std::max(0, contentHeight() - viewport()->height()));
    const QFontMetrics metrics(theme::font(theme::Role::Code));
    int widest = 0;
    for (const Row& row : m_rows) {
        for (const DiffLine* line : {row.left, row.right}) {
            if (line != nullptr) {
                // The font is of one width: the longest text is the widest.
                widest = std::max(widest, static_cast<int>(line->text.size()));
            }
        }
    }
    const int letters = widest * metrics.horizontalAdvance(u'0');
    const int text = (m_numbers == Numbers::Shown ? kTextAt : kTextAtBare) + letters + 16;
    const int room = m_form == Form::Inline ? viewport()->width() : viewport()->width() / 2;
    horizontalScrollBar()->setPageStep(room);
    horizontalScrollBar()->setRange(0, std::max(0, text - room));
}

void ReviewDiffView::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    updateScroll();
}

bool ReviewDiffView::event(QEvent* event)
{
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        updateScroll();
    }
    return QAbstractScrollArea::event(event);
}

bool ReviewDiffView::isChange(const Row& row)
{
    const auto isOther = [](const DiffLine* line) {
        return line != nullptr && line->kind != DiffLine::Kind::Same;
    };
    return row.head == nullptr && (isOther(row.left) || isOther(row.right));
}

void ReviewDiffView::goTo(const QString& key)
{
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        if (m_rows[i].head != nullptr && m_rows[i].head->key == key) {
            verticalScrollBar()->setValue(topOf(static_cast<int>(i)));
            return;
        }
    }
}

void ReviewDiffView::stepChange(int direction)
{
    const int count = rowCount();
    int at = m_current;
    // A block of changed lines is one stop.
    const auto begins = [this](int row) {
        return isChange(m_rows[static_cast<std::size_t>(row)])
               && (row == 0 || !isChange(m_rows[static_cast<std::size_t>(row - 1)]));
    };
    for (at += direction; at >= 0 && at < count; at += direction) {
        if (begins(at)) {
            m_current = at;
            const int top = topOf(at);
            QScrollBar& bar = *verticalScrollBar();
            if (top < bar.value() || top + kLineHeight > bar.value() + viewport()->height()) {
                bar.setValue(std::max(0, top - viewport()->height() / 3));
            }
            viewport()->update();
            return;
        }
    }
}

QString ReviewDiffView::rowText(int row) const
{
    if (row < 0 || row >= rowCount()) {
        return {};
    }
    const Row& what = m_rows[static_cast<std::size_t>(row)];
    if (what.head != nullptr) {
        return what.head->name + u' ' + what.head->detail;
    }
    QStringList words;
    for (const DiffLine* line : {what.left, what.right}) {
        if (line != nullptr) {
            const QChar sign = line->kind == DiffLine::Kind::Removed ? u'-'
                               : line->kind == DiffLine::Kind::Added ? u'+'
                                                                     : u' ';
            words << sign + QStringLiteral(" ") + line->text.trimmed();
        }
    }
    return words.join(QStringLiteral(" | "));
}

void ReviewDiffView::paintHead(
    QPainter& painter, const QRectF& rect, const bridge::ObjectDiff& diff
) const
{
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect, t.raised);
    painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), t.border);
    painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), 1), t.border);
    const bool isFolded = m_folded.count(diff.key) > 0;
    theme::drawIcon(
        painter,
        QRectF(rect.left() + 12, rect.center().y() - 6, 12, 12),
        isFolded ? QStringLiteral("chevron-right") : QStringLiteral("chevron-down"),
        t.text3
    );
    painter.setFont(theme::font(theme::Role::SmallStrong));
    painter.setPen(t.text1);
    const double width = painter.fontMetrics().horizontalAdvance(diff.name);
    const QRectF text = rect.adjusted(30, 0, -8, 0);
    painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, diff.name);
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(t.text3);
    const QRectF rest = text.adjusted(width + 8, 0, 0, 0);
    painter.drawText(
        rest,
        Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(diff.detail, Qt::ElideRight, int(rest.width()))
    );
}

void ReviewDiffView::paintLine(
    QPainter& painter, const QRectF& rect, const DiffLine& line, int side
) const
{
    const theme::Tokens& t = theme::tokens();
    const bool isRemoved = line.kind == DiffLine::Kind::Removed;
    const bool isSame = line.kind == DiffLine::Kind::Same;
    const QColor sign = isRemoved ? t.diffRemovedText : t.diffAddedText;
    const QColor ground = groundOf(line.kind);
    painter.fillRect(rect, ground);
    double x = rect.left();
    painter.setFont(theme::font(theme::Role::CodeSmall));
    if (m_numbers == Numbers::Shown) {
        painter.setPen(isSame ? t.text3 : theme::mixed(t.text3, sign, 0.5));
        const auto number = [&](int value, double at) {
            if (value > 0) {
                painter.drawText(
                    QRectF(at, rect.top(), kNumberWidth, rect.height()),
                    Qt::AlignRight | Qt::AlignVCenter,
                    QString::number(value)
                );
            }
        };
        if (side < 0 || side == 0) {
            number(line.before, x);
        }
        if (side < 0 || side == 1) {
            number(line.after, side < 0 ? x + kNumberWidth + 8 : x);
        }
    }
    const double textAt = rect.left() + (m_numbers == Numbers::Shown ? kTextAt : kTextAtBare);
    painter.setFont(theme::font(theme::Role::Code));
    if (!isSame) {
        painter.setPen(sign);
        painter.drawText(
            QRectF(textAt - 20, rect.top(), 12, rect.height()),
            Qt::AlignCenter,
            isRemoved ? QStringLiteral("-") : QStringLiteral("+")
        );
    }
    painter.save();
    painter.setClipRect(rect.adjusted(textAt - rect.left() - 2, 0, 0, 0));
    x = textAt - horizontalScrollBar()->value();
    QFont strong = painter.font();
    strong.setBold(true);
    const QFontMetricsF metrics(painter.font());
    const double advance = metrics.horizontalAdvance(u'0');
    for (const DiffLine::Mark& mark : line.marks) {
        const QRectF plate(
            x + mark.begin * advance - 1.5,
            rect.top() + 2,
            mark.length * advance + 3,
            rect.height() - 4
        );
        painter.fillRect(plate, theme::mixed(ground, sign, 0.28));
    }
    painter.setPen(isSame ? t.text2 : t.text1);
    painter.drawText(
        QRectF(x, rect.top(), 100'000, rect.height()), Qt::AlignLeft | Qt::AlignVCenter, line.text
    );
    painter.setFont(strong);
    for (const DiffLine::Mark& mark : line.marks) {
        if (mark.isWeighty) {
            const QRectF place(
                x + mark.begin * advance, rect.top(), mark.length * advance, rect.height()
            );
            painter.fillRect(place.adjusted(0, 3, 0, -3), theme::mixed(ground, sign, 0.28));
            painter.drawText(
                place.adjusted(0, 0, 20, 0),
                Qt::AlignLeft | Qt::AlignVCenter,
                line.text.mid(mark.begin, mark.length)
            );
        }
    }
    painter.restore();
}

void ReviewDiffView::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(viewport());
    const theme::Tokens& t = theme::tokens();
    int y = -verticalScrollBar()->value();
    const int width = viewport()->width();
    for (int i = 0; i < rowCount() && y < viewport()->height(); ++i) {
        const Row& row = m_rows[static_cast<std::size_t>(i)];
        const int height = heightOf(row);
        const QRectF rect(0, y, width, height);
        y += height;
        if (y <= 0) {
            continue;
        }
        if (row.head != nullptr) {
            paintHead(painter, rect, *row.head);
            continue;
        }
        if (m_form == Form::Inline) {
            paintLine(painter, rect, *row.left, -1);
        } else {
            const QRectF leftHalf(0, rect.top(), width / 2.0, height);
            const QRectF rightHalf(width / 2.0, rect.top(), width / 2.0, height);
            for (const auto& [line, half, side] :
                 {std::tuple(row.left, leftHalf, 0), std::tuple(row.right, rightHalf, 1)}) {
                if (line != nullptr) {
                    paintLine(painter, half, *line, side);
                } else {
                    painter.fillRect(half, t.raised);
                }
            }
            painter.fillRect(QRectF(width / 2.0, rect.top(), 1, height), t.border);
        }
        if (i == m_current) {
            painter.fillRect(QRectF(0, rect.top(), 3, height), t.accent);
        }
    }
    if (hasFocus()) {
        painter.setPen(theme::faded(t.accent, 0.6));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(viewport()->rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void ReviewDiffView::mousePressEvent(QMouseEvent* event)
{
    const int row = rowAt(event->pos().y() + verticalScrollBar()->value());
    if (row >= 0 && m_rows[static_cast<std::size_t>(row)].head != nullptr) {
        const QString key = m_rows[static_cast<std::size_t>(row)].head->key;
        if (m_folded.erase(key) == 0) {
            m_folded.insert(key);
        }
        rebuild();
        Q_EMIT objectChosen(key);
    }
}

void ReviewDiffView::keyPressEvent(QKeyEvent* event)
{
    QScrollBar& bar = *verticalScrollBar();
    switch (event->key()) {
    case Qt::Key_Home:
        bar.setValue(bar.minimum());
        return;
    case Qt::Key_End:
        bar.setValue(bar.maximum());
        return;
    case Qt::Key_F8:
        stepChange(event->modifiers().testFlag(Qt::ShiftModifier) ? -1 : 1);
        return;
    default:
        QAbstractScrollArea::keyPressEvent(event);
    }
}

} // namespace mesh::pages
