#include "app/shell/locator.h"

#include "app/theme/controls.h"
#include "app/theme/icons.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QKeyEvent>
#include <QPainter>
#include <QStandardItemModel>
#include <QTimer>

namespace mesh::shell {
namespace {

constexpr int kRowRole = Qt::UserRole + 1;
constexpr int kVisibleMax = 12;

} // namespace

Locator::Locator(QWidget* parent)
    : QLineEdit(parent)
    , m_model(new QStandardItemModel(this))
    , m_completer(new QCompleter(this))
    , m_key(new theme::KeyCap(tr("Ctrl K"), this))
{
    setObjectName(QStringLiteral("locator"));
    setAccessibleName(tr("Find anything"));
    setPlaceholderText(tr("Find anything, or type > for actions"));
    setToolTip(tr("Services, @ nodes, # revisions, / routes, > actions (Ctrl+K)"));
    setTextMargins(20, 0, 46, 0);
    m_completer->setModel(m_model);
    m_completer->setCaseSensitivity(Qt::CaseInsensitive);
    m_completer->setFilterMode(Qt::MatchContains);
    m_completer->setMaxVisibleItems(kVisibleMax);
    setCompleter(m_completer);
    connect(
        m_completer,
        QOverload<const QModelIndex&>::of(&QCompleter::activated),
        this,
        [this](const QModelIndex& index) { run(index.data(kRowRole).toInt()); }
    );
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

void Locator::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        clear();
        clearFocus();
        return;
    }
    const bool isReturn = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (isReturn && !text().trimmed().isEmpty()) {
        m_completer->setCompletionPrefix(text());
        const QModelIndex first = m_completer->completionModel()->index(0, 0);
        if (first.isValid()) {
            m_completer->popup()->hide();
            run(first.data(kRowRole).toInt());
        }
        return;
    }
    QLineEdit::keyPressEvent(event);
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
    m_model->clear();
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        auto* item = new QStandardItem(m_entries[i].text); // The model owns it.
        item->setData(static_cast<int>(i), kRowRole);
        item->setIcon(theme::icon(m_entries[i].icon));
        m_model->appendRow(item);
    }
}

void Locator::run(int row)
{
    if (row < 0 || static_cast<std::size_t>(row) >= m_entries.size()) {
        return;
    }
    const std::function<void()> go = m_entries[static_cast<std::size_t>(row)].go;
    // The completer writes its text into the line after this signal.
    QTimer::singleShot(0, this, [this, go] {
        clear();
        clearFocus();
        go();
    });
}

} // namespace mesh::shell
