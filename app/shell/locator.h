#pragma once

#include <QLineEdit>
#include <QString>

#include <functional>
#include <vector>

class QListView;
class QStandardItemModel;

namespace mesh::theme {
class KeyCap;
}

namespace mesh::shell {

// One thing the locator can go to.
struct LocatorEntry
{
    QString text; // "> Fit", "@ edge-1", "# 42 · message", "/ cart", "cart"
    QString icon;
    std::function<void()> go;
};

// The entries that a text finds, best first: "@", "#", "/" and ">" leave only that kind, the rest
// is matched letter by letter. Equal ones keep their order. countMax: at most so many come back.
// folded: the entries' texts in lower case, in the same order.
// found: how many there are in all.
struct LocatorHits
{
    std::vector<int> rows;
    int found = 0;
};
[[nodiscard]] LocatorHits locate(
    const QString& text, const std::vector<QString>& folded, std::size_t countMax
);

// The field in the top bar: finds services, nodes (@), revisions (#), routes (/) and actions (>).
class Locator : public QLineEdit
{
    Q_OBJECT

public:
    explicit Locator(QWidget* parent = nullptr);

    // Asked for everything each time the field gets the focus.
    void setSource(std::function<std::vector<LocatorEntry>()> source);
    [[nodiscard]] QListView& list() { return *m_list; } // Of what was found.

protected:
    void focusOutEvent(QFocusEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void refill();
    void find();
    void run(int row);
    void step(int rows);

    std::function<std::vector<LocatorEntry>()> m_source;
    std::vector<LocatorEntry> m_entries;
    std::vector<QString> m_folded;
    QString m_found; // The text the list answers.
    QStandardItemModel* m_model;
    QListView* m_list;
    theme::KeyCap* m_key;
};

} // namespace mesh::shell
