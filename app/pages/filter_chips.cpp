#include "app/pages/filter_chips.h"

#include "app/bridge/find_language.h"
#include "app/bridge/mesh_session.h"
#include "app/theme/controls.h"

#include <QHBoxLayout>
#include <QInputDialog>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMenu>

#include <algorithm>
#include <utility>

namespace mesh::pages {
namespace {

const QString kFiltersKey = QStringLiteral("find.saved");
constexpr int kNameMax = 40;

void writeFilters(bridge::MeshSession& session, const std::vector<SavedFilter>& filters)
{
    QJsonArray rows;
    for (const SavedFilter& filter : filters) {
        rows << QJsonObject{
            {QStringLiteral("name"), filter.name}, {QStringLiteral("text"), filter.text}};
    }
    session.setSetting(
        kFiltersKey, QString::fromUtf8(QJsonDocument(rows).toJson(QJsonDocument::Compact))
    );
}

} // namespace

std::vector<SavedFilter> savedFilters(const bridge::MeshSession& session)
{
    std::vector<SavedFilter> filters;
    const QByteArray text = session.setting(kFiltersKey).toUtf8();
    for (const QJsonValue& row : QJsonDocument::fromJson(text).array()) {
        const SavedFilter filter = {
            row[QStringLiteral("name")].toString().left(kNameMax),
            row[QStringLiteral("text")].toString()};
        if (!filter.name.isEmpty() && filters.size() < kSavedFiltersMax) {
            filters.push_back(filter);
        }
    }
    return filters;
}

bool saveFilter(bridge::MeshSession& session, const SavedFilter& filter)
{
    const bridge::FindLanguage language(filter.text);
    std::vector<SavedFilter> filters = savedFilters(session);
    const auto same = std::find_if(filters.begin(), filters.end(), [&](const SavedFilter& kept) {
        return kept.name == filter.name;
    });
    const bool isFull = same == filters.end() && filters.size() >= kSavedFiltersMax;
    if (filter.name.trimmed().isEmpty() || language.isEmpty() || !language.isValid() || isFull) {
        return false;
    }
    if (same != filters.end()) {
        *same = filter;
    } else {
        filters.push_back(filter);
    }
    writeFilters(session, filters);
    return true;
}

void removeFilter(bridge::MeshSession& session, const QString& name)
{
    std::vector<SavedFilter> filters = savedFilters(session);
    std::erase_if(filters, [&name](const SavedFilter& kept) { return kept.name == name; });
    writeFilters(session, filters);
}

FilterChips::FilterChips(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_row(new QHBoxLayout(this))
{
    setObjectName(QStringLiteral("filterChips"));
    m_row->setContentsMargins(10, 0, 10, 5);
    m_row->setSpacing(6);
    m_row->addStretch();
    connect(&session, &bridge::MeshSession::documentChanged, this, &FilterChips::refresh);
    refresh();
}

void FilterChips::refresh()
{
    const std::vector<SavedFilter> filters = savedFilters(m_session);
    setVisible(!filters.empty());
    if (filters == m_filters) {
        return;
    }
    m_filters = filters;
    for (theme::Chip* chip : std::exchange(m_chips, {})) {
        chip->deleteLater();
    }
    for (const SavedFilter& filter : m_filters) {
        auto* chip = new theme::Chip(filter.name, this);
        chip->setObjectName(QStringLiteral("filter.") + filter.name);
        chip->setAccessibleName(tr("Filter %1").arg(filter.name));
        chip->setToolTip(filter.text);
        chip->setFocusPolicy(Qt::TabFocus);
        chip->setContextMenuPolicy(Qt::CustomContextMenu);
        connect(chip, &theme::Chip::clicked, this, [this, filter] {
            Q_EMIT filterChosen(m_current == filter.text ? QString() : filter.text);
        });
        connect(chip, &QWidget::customContextMenuRequested, this, [this, chip, filter](QPoint at) {
            showMenu(filter, chip->mapToGlobal(at));
        });
        m_row->insertWidget(m_row->count() - 1, chip);
        m_chips.push_back(chip);
    }
    setCurrent(m_current);
}

void FilterChips::setCurrent(const QString& text)
{
    m_current = text;
    for (std::size_t i = 0; i < m_chips.size(); ++i) {
        const bool isCurrent = m_filters[i].text == text;
        m_chips[i]->setState(isCurrent ? std::optional(theme::State::Healthy) : std::nullopt);
    }
}

void FilterChips::saveAs(const QString& text)
{
    QInputDialog dialog(this);
    dialog.setObjectName(QStringLiteral("saveFilter"));
    dialog.setWindowTitle(tr("Save filter"));
    dialog.setLabelText(tr("Name of \"%1\":").arg(text.left(kNameMax)));
    if (dialog.exec() == QDialog::Accepted) {
        saveFilter(m_session, {dialog.textValue().simplified().left(kNameMax), text});
        refresh();
        setCurrent(text);
    }
}

void FilterChips::showMenu(const SavedFilter& filter, const QPoint& at)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    connect(menu->addAction(tr("Hide what matches")), &QAction::triggered, this, [this, filter] {
        Q_EMIT hideChosen(filter.text);
    });
    menu->addSeparator();
    connect(
        menu->addAction(tr("Delete %1").arg(filter.name)),
        &QAction::triggered,
        this,
        [this, filter] {
            removeFilter(m_session, filter.name);
            refresh();
        }
    );
    menu->popup(at);
}

} // namespace mesh::pages
