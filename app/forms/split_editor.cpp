#include "app/forms/split_editor.h"

#include "app/forms/scalar_editors.h"
#include "app/forms/split_controls.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QEvent>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>

namespace mesh::forms {
namespace {

// The parts that a value holds, with its weights as they are; false: another shape.
bool readParts(
    const model::Value& value, std::vector<SplitShare>& parts, std::vector<std::int64_t>& weights
)
{
    if (!value.isList()) {
        return false;
    }
    for (const model::Value& element : value.list()) {
        const model::Value* service = element.find("service");
        const model::Value* weight = element.find("weight");
        const bool isRight = service != nullptr && service->isString() && weight != nullptr
                             && weight->isInt() && weight->toInt() >= 0
                             && element.map().size() == 2;
        if (!isRight) {
            return false;
        }
        parts.push_back({QString::fromStdString(service->text()), 0, false});
        weights.push_back(weight->toInt());
    }
    return true;
}

} // namespace

bool isSplit(const model::Field& field)
{
    return field.kind == model::Kind::List && field.element == model::Kind::Record
           && field.record != nullptr && field.record->fields().size() == 2
           && field.record->field("service") != nullptr && field.record->field("weight") != nullptr;
}

SplitEditor::SplitEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_bar(new SplitBar(this))
    , m_column(new QVBoxLayout)
    , m_add(new QComboBox(this))
    , m_note(new QLabel(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 3, 0, 3);
    column->setSpacing(4);
    column->addWidget(m_bar);
    m_column->setSpacing(4);
    column->addLayout(m_column);
    theme::setText(*m_note, theme::Role::Caption, theme::TextColor::Degraded);
    m_note->setWordWrap(true);
    m_note->hide();
    column->addWidget(m_note);
    auto* foot = new QHBoxLayout;
    foot->addWidget(m_add);
    foot->addStretch();
    column->addLayout(foot);
    m_add->setFocusPolicy(Qt::StrongFocus);
    m_add->setMinimumContentsLength(14);
    describe(*m_add);
    m_add->setAccessibleName(tr("Add a service to the split"));
    connect(m_add, &QComboBox::activated, this, [this](int index) {
        const QString service = m_add->itemData(index).toString();
        if (!service.isEmpty()) {
            change(withPart(m_parts, service));
        }
        m_add->setCurrentIndex(0);
    });
    fillAdd();
}

void SplitEditor::setNames(const ObjectNames& names)
{
    const auto services = names.find("services");
    m_services = services != names.end() ? services->second : QStringList();
    showParts();
}

void SplitEditor::setValue(const model::Value* value)
{
    std::vector<SplitShare> parts;
    std::vector<std::int64_t> weights;
    m_isReadable = value == nullptr || value->isNull() || readParts(*value, parts, weights);
    if (!m_isReadable) {
        m_parts.clear();
        showParts();
        showNote(tr("The text holds a split that sliders cannot show; edit it there."));
        return;
    }
    const std::vector<int> shares = sharesOf(weights);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].share = shares[i];
        // Locks are no part of the file; they stay with their part.
        parts[i].isLocked =
            i < m_parts.size() && m_parts[i].service == parts[i].service && m_parts[i].isLocked;
    }
    const std::int64_t sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    const bool isOther = !weights.empty() && sum != kSharesTotal;
    showNote(
        isOther ? tr("The weights add up to %1. A change writes shares of 100.").arg(sum)
                : QString()
    );
    if (parts != m_parts || m_rows.empty()) {
        m_parts = std::move(parts);
        showParts();
    }
}

void SplitEditor::showNote(const QString& note)
{
    m_note->setText(note);
    m_note->setVisible(!note.isEmpty());
}

void SplitEditor::showParts()
{
    while (m_rows.size() > m_parts.size()) {
        m_rows.back()->hide();
        m_rows.back()->deleteLater(); // It may be the sender of what led here.
        m_rows.pop_back();
    }
    while (m_rows.size() < m_parts.size()) {
        const std::size_t index = m_rows.size();
        auto* row = new SplitRow(index, this);
        m_column->addWidget(row);
        m_rows.push_back(row);
        connect(row, &SplitRow::moveStarted, this, [this, index] { startMove(index); });
        connect(row, &SplitRow::shareMoved, this, [this, index](int share) {
            moveTo(index, share);
        });
        connect(row, &SplitRow::serviceChosen, this, [this, index](const QString& service) {
            std::vector<SplitShare> parts = m_parts;
            parts[index].service = service;
            change(std::move(parts));
        });
        connect(row, &SplitRow::lockToggled, this, [this, index](bool isLocked) {
            m_parts[index].isLocked = isLocked;
            showParts();
        });
        connect(row, &SplitRow::removeClicked, this, [this, index] {
            change(withoutPart(m_parts, index));
        });
        connect(row, &SplitRow::focused, this, &FieldEditor::focused);
    }
    const auto movable = std::count_if(m_parts.begin(), m_parts.end(), [](const SplitShare& part) {
        return !part.isLocked;
    });
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
        const bool isOnly = m_parts[i].isLocked || movable < 2;
        m_rows[i]->show(m_parts[i], m_services, isOnly);
    }
    m_bar->setParts(m_parts);
    m_bar->setVisible(!m_parts.empty());
    fillAdd();
    QWidget* before = nullptr;
    for (SplitRow* row : m_rows) {
        if (before != nullptr) {
            setTabOrder(before, row);
        }
        before = row;
    }
    if (before != nullptr) {
        setTabOrder(before, m_add);
    }
}

void SplitEditor::fillAdd()
{
    const QSignalBlocker blocker(m_add);
    m_add->clear();
    m_add->addItem(
        theme::icon(QStringLiteral("plus")),
        m_parts.empty() ? tr("Split the traffic") : tr("Add a service"),
        QString()
    );
    for (const QString& service : m_services) {
        const bool isIn = std::any_of(m_parts.begin(), m_parts.end(), [&](const auto& part) {
            return part.service == service;
        });
        if (!isIn) {
            m_add->addItem(service, service);
        }
    }
    m_add->setEnabled(m_isReadable && m_add->count() > 1);
}

void SplitEditor::startMove(std::size_t index)
{
    m_before = m_parts;
    m_moving = index;
}

void SplitEditor::moveTo(std::size_t index, int share)
{
    // From where the movement began, so that going back and forth gives the others back what they
    // had.
    const bool isKnown = m_before.size() == m_parts.size() && m_moving == index;
    if (!isKnown) {
        startMove(index);
    }
    std::vector<SplitShare> parts = withShare(m_before, index, share);
    if (parts == m_parts) {
        showParts(); // What was asked for is not to be had: the slider goes back.
        return;
    }
    m_parts = std::move(parts);
    showParts();
    showNote({});
    Q_EMIT edited(toValue());
}

void SplitEditor::change(std::vector<SplitShare> parts)
{
    m_parts = std::move(parts);
    m_before.clear();
    showParts();
    showNote({});
    Q_EMIT edited(toValue());
}

model::Value SplitEditor::toValue() const
{
    if (m_parts.empty()) {
        return {};
    }
    model::Value::List list;
    for (const SplitShare& part : m_parts) {
        model::Value element(model::Value::Map{});
        element.set("service", model::Value(part.service.toStdString()));
        element.set("weight", model::Value(part.share));
        list.push_back(std::move(element));
    }
    return model::Value(std::move(list));
}

SplitRow::SplitRow(std::size_t index, QWidget* parent)
    : QWidget(parent)
    , m_index(index)
    , m_service(new QComboBox(this))
    , m_slider(new ShareSlider(this))
    , m_share(new PercentEdit(this))
    , m_lock(new QToolButton(this))
    , m_remove(new QToolButton(this))
{
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    m_service->setMinimumContentsLength(8);
    m_service->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_service->setFocusPolicy(Qt::StrongFocus);
    row->addWidget(m_service, 2);
    row->addWidget(m_slider, 3);
    m_share->setFixedWidth(62);
    m_share->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    row->addWidget(m_share);
    const QString number = QString::number(index);
    m_service->setObjectName(QStringLiteral("splitService") + number);
    m_slider->setObjectName(QStringLiteral("splitSlider") + number);
    m_share->setObjectName(QStringLiteral("splitShare") + number);
    m_lock->setObjectName(QStringLiteral("splitLock") + number);
    m_remove->setObjectName(QStringLiteral("splitRemove") + number);
    m_lock->setCheckable(true);
    for (QToolButton* button : {m_lock, m_remove}) {
        theme::setButtonRole(*button, theme::ButtonRole::Ghost);
        button->setFixedSize(24, 24);
        button->setIconSize({13, 13});
        button->setFocusPolicy(Qt::StrongFocus);
        row->addWidget(button);
    }
    m_remove->setIcon(theme::icon(QStringLiteral("trash")));
    for (QWidget* widget : QList<QWidget*>{m_service, m_slider, m_share, m_lock, m_remove}) {
        widget->installEventFilter(this);
    }
    setFocusProxy(m_service);
    connect(m_slider, &QSlider::sliderPressed, this, &SplitRow::moveStarted);
    connect(m_slider, &QSlider::valueChanged, this, &SplitRow::shareMoved);
    connect(m_share, &QLineEdit::textEdited, this, [this](const QString& text) {
        bool isNumber = false;
        const int share = text.trimmed().toInt(&isNumber);
        if (isNumber && share >= 0 && share <= kSharesTotal) {
            Q_EMIT shareMoved(share);
        }
    });
    connect(m_service, &QComboBox::activated, this, [this](int at) {
        Q_EMIT serviceChosen(m_service->itemText(at));
    });
    connect(m_lock, &QToolButton::clicked, this, &SplitRow::lockToggled);
    connect(m_remove, &QToolButton::clicked, this, &SplitRow::removeClicked);
}

void SplitRow::show(const SplitShare& part, const QStringList& services, bool isOnly)
{
    const QSignalBlocker serviceBlocker(m_service);
    const QSignalBlocker sliderBlocker(m_slider);
    QStringList choices = services;
    if (!choices.contains(part.service)) {
        choices.prepend(part.service);
    }
    m_service->clear();
    m_service->addItems(choices);
    m_service->setCurrentText(part.service);
    m_service->setAccessibleName(tr("Service of part %1").arg(m_index + 1));
    m_service->setToolTip(part.service);
    const auto& series = theme::tokens().series;
    m_slider->setColor(series[m_index % series.size()]);
    m_slider->setValue(part.share);
    m_slider->setEnabled(!isOnly);
    m_slider->setAccessibleName(tr("Share of %1, slider").arg(part.service));
    m_slider->setToolTip(
        isOnly && !part.isLocked
            ? tr("There is no other share that is not locked.")
            : tr("%1 % of the requests go to %2").arg(part.share).arg(part.service)
    );
    m_share->setEnabled(!isOnly);
    m_share->setAccessibleName(tr("Share of %1 in per cent").arg(part.service));
    m_share->setToolTip(m_slider->toolTip());
    const bool isTyped = m_share->hasFocus() && m_share->text().trimmed().toInt() == part.share
                         && !m_share->text().trimmed().isEmpty();
    if (!isTyped) {
        m_share->setText(QString::number(part.share));
    }
    m_lock->setChecked(part.isLocked);
    const QString lock = part.isLocked ? tr("Let the share of %1 follow the others")
                                       : tr("Keep the share of %1 when others move");
    m_lock->setIcon(theme::icon(
        part.isLocked ? QStringLiteral("lock") : QStringLiteral("lock-open"),
        part.isLocked ? theme::tokens().accent : theme::tokens().text3
    ));
    m_lock->setToolTip(lock.arg(part.service));
    m_lock->setAccessibleName(lock.arg(part.service));
    m_remove->setToolTip(tr("Take %1 out of the split").arg(part.service));
    m_remove->setAccessibleName(m_remove->toolTip());
}

bool SplitRow::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::FocusIn) {
        Q_EMIT focused();
        Q_EMIT moveStarted(); // The next movement begins at what is shown now.
    }
    if (event->type() == QEvent::Wheel && watched == m_service && !m_service->hasFocus()) {
        event->ignore();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace mesh::forms
