#include "app/shell/locator.h"

#include "app/shell/fuzzy.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QKeyEvent>
#include <QListView>
#include <QPainter>
#include <QStandardItemModel>
#include <QTimer>

#include <algorithm>
#include <utility>

namespace mesh::shell {
namespace {

constexpr int kRowRole = Qt::UserRole + 1;
constexpr std::size_t kHitsShown = 200;
constexpr int kVisibleMax = 14;
constexpr int kRowHeight = 26;

} // namespace

LocatorHits locate(const QString& text, const std::vector<QString>& folded, std::size_t countMax)
{
    QString pattern = text.trimmed().toLower();
    QString kind;
    if (!pattern.isEmpty() && QStringLiteral("@#/>").contains(pattern.front())) {
        kind = pattern.left(1);
        pattern = pattern.mid(1).trimmed();
    }
    std::vector<std::pair<int, int>> hits; // Score, row.
    for (std::size_t i = 0; i < folded.size(); ++i) {
        QStringView name = folded[i];
        const bool isMarked =
            name.size() > 2 && name[1] == u' ' && QStringView(u"@#/>").contains(name[0]);
        if (!kind.isEmpty() && !(isMarked && name[0] == kind.front())) {
            continue;
        }
        name = isMarked ? name.mid(2) : name;
        if (const auto score = fuzzyScore(pattern, name)) {
            hits.emplace_back(*score, static_cast<int>(i));
        }
    }
    const std::size_t count = std::min(countMax, hits.size());
    const auto isBetter = [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    };
    std::partial_sort(
        hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(count), hits.end(), isBetter
    );
    LocatorHits result;
    result.found = static_cast<int>(hits.size());
    for (std::size_t i = 0; i < count; ++i) {
        result.rows.push_back(hits[i].second);
    }
    return result;
}

Locator::Locator(QWidget* parent)
    : QLineEdit(parent)
    , m_model(new QStandardItemModel(this))
    , m_list(new QListView(this))
    , m_key(new theme::KeyCap(tr("Ctrl K"), this))
{
    setObjectName(QStringLiteral("locator"));
    setAccessibleName(tr("Find anything"));
    setPlaceholderText(tr("Find anything, or type > for actions"));
    setToolTip(tr("Services, @ nodes, # revisions, / routes, > actions (Ctrl+K)"));
    setTextMargins(20, 0, 46, 0);
    m_list->setObjectName(QStringLiteral("locatorList"));
    m_list->setAccessibleName(tr("What was found"));
    // A tool tip window takes no focus, so that typing goes on.
    m_list->setWindowFlags(Qt::ToolTip);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setFocusProxy(this);
    m_list->setModel(m_model);
    m_list->setUniformItemSizes(true);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->setFont(theme::font(theme::Role::Control));
    connect(m_list, &QListView::clicked, this, [this](const QModelIndex& index) {
        run(index.data(kRowRole).toInt());
    });
    connect(this, &QLineEdit::textEdited, this, &Locator::find);
}

void Locator::setSource(std::function<std::vector<LocatorEntry>()> source)
{
    m_source = std::move(source);
}

void Locator::focusInEvent(QFocusEvent* event)
{
    refill();
    QLineEdit::focusInEvent(event);
}

void Locator::focusOutEvent(QFocusEvent* event)
{
    m_list->hide();
    QLineEdit::focusOutEvent(event);
}

void Locator::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Escape:
        m_list->hide();
        clear();
        clearFocus();
        return;
    case Qt::Key_Down:
        step(1);
        return;
    case Qt::Key_Up:
        step(-1);
        return;
    case Qt::Key_PageDown:
        step(kVisibleMax - 1);
        return;
    case Qt::Key_PageUp:
        step(1 - kVisibleMax);
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (!text().trimmed().isEmpty()) {
            find(); // What was set without a key counts as well.
            run(m_list->currentIndex().isValid() ? m_list->currentIndex().data(kRowRole).toInt()
                                                 : -1);
        }
        return;
    default:
        QLineEdit::keyPressEvent(event);
    }
}

// The list stands open below the field; the best hit is chosen.
void Locator::find()
{
    const bool isSame = text() == m_found && m_list->isVisible();
    if (isSame) {
        return;
    }
    m_found = text();
    m_model->clear();
    if (text().trimmed().isEmpty()) {
        m_list->hide();
        return;
    }
    const LocatorHits hits = locate(text(), m_folded, kHitsShown);
    for (const int row : hits.rows) {
        const LocatorEntry& entry = m_entries[static_cast<std::size_t>(row)];
        auto* item = new QStandardItem(theme::icon(entry.icon), entry.text); // The model owns it.
        item->setData(row, kRowRole);
        item->setSizeHint(QSize(0, kRowHeight));
        m_model->appendRow(item);
    }
    const int rest = hits.found - static_cast<int>(hits.rows.size());
    if (hits.found == 0 || rest > 0) {
        auto* item = new QStandardItem(
            rest > 0 ? tr("%n more, type on", nullptr, rest) : tr("Nothing is called so")
        );
        item->setData(-1, kRowRole);
        item->setEnabled(false);
        item->setSizeHint(QSize(0, kRowHeight));
        m_model->appendRow(item);
    }
    m_list->setCurrentIndex(hits.found > 0 ? m_model->index(0, 0) : QModelIndex());
    const int rows = std::min(m_model->rowCount(), kVisibleMax);
    m_list->setGeometry(QRect(
        mapToGlobal(QPoint(0, height() + 4)),
        QSize(std::max(width(), 420), rows * kRowHeight + 2 * m_list->frameWidth() + 2)
    ));
    m_list->show();
    m_list->raise();
}

void Locator::step(int rows)
{
    const int last = m_model->rowCount() - 1;
    if (!m_list->isVisible() || last < 0) {
        return;
    }
    const int row = std::clamp(m_list->currentIndex().row() + rows, 0, last);
    m_list->setCurrentIndex(m_model->index(row, 0));
}

void Locator::resizeEvent(QResizeEvent* event)
{
    QLineEdit::resizeEvent(event);
    const QSize size = m_key->sizeHint();
    m_key->setGeometry(
        width() - size.width() - 9, (height() - size.height()) / 2, size.width(), size.height()
    );
    m_key->setAttribute(Qt::WA_TransparentForMouseEvents);
}

void Locator::paintEvent(QPaintEvent* event)
{
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    theme::drawIcon(
        painter,
        QRectF(10, (height() - 14) / 2.0, 14, 14),
        QStringLiteral("search"),
        theme::tokens().text3
    );
}

void Locator::refill()
{
    m_entries = m_source ? m_source() : std::vector<LocatorEntry>();
    m_folded.clear();
    m_folded.reserve(m_entries.size());
    for (const LocatorEntry& entry : m_entries) {
        m_folded.push_back(entry.text.toLower());
    }
    m_found.clear();
    m_model->clear();
}

void Locator::run(int row)
{
    if (row < 0 || static_cast<std::size_t>(row) >= m_entries.size()) {
        return;
    }
    const std::function<void()> go = m_entries[static_cast<std::size_t>(row)].go;
    m_list->hide();
    // The field may be asked again by what happens; the entry is a copy.
    QTimer::singleShot(0, this, [this, go] {
        clear();
        clearFocus();
        go();
    });
}

} // namespace mesh::shell
