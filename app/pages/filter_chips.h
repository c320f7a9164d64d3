#pragma once

#include <QString>
#include <QWidget>

#include <vector>

class QHBoxLayout;

namespace mesh::theme {
class Chip;
}
namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// A filter with a name, kept in the document.
struct SavedFilter
{
    QString name;
    QString text;
    friend bool operator==(const SavedFilter&, const SavedFilter&) = default;
};

// In the order they were saved; at most kSavedFiltersMax.
[[nodiscard]] std::vector<SavedFilter> savedFilters(const bridge::MeshSession& session);
// Replaces one of the same name. False: there are too many, or the text is no filter.
bool saveFilter(bridge::MeshSession& session, const SavedFilter& filter);
void removeFilter(bridge::MeshSession& session, const QString& name);
inline constexpr std::size_t kSavedFiltersMax = 24;

// The saved filters as buttons; hidden while there are none.
class FilterChips : public QWidget
{
    Q_OBJECT

public:
    FilterChips(bridge::MeshSession& session, QWidget* parent);

    void refresh();
    // The one with this text stands out.
    void setCurrent(const QString& text);
    // Asks for a name and keeps the text.
    void saveAs(const QString& text);

Q_SIGNALS:
    void filterChosen(const QString& text); // Empty: the current one was taken off.
    void hideChosen(const QString& text);

private:
    void showMenu(const SavedFilter& filter, const QPoint& at);

    bridge::MeshSession& m_session;
    QHBoxLayout* m_row;
    std::vector<SavedFilter> m_filters;
    std::vector<theme::Chip*> m_chips;
    QString m_current;
};

} // namespace mesh::pages
