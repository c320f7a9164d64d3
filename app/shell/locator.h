#pragma once

#include <QLineEdit>
#include <QString>

#include <functional>
#include <vector>

class QCompleter;
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

// The field in the top bar: finds services, nodes (@), revisions (#), routes (/) and actions (>).
class Locator : public QLineEdit
{
    Q_OBJECT

public:
    explicit Locator(QWidget* parent = nullptr);

    // Asked for everything each time the field gets the focus.
    void setSource(std::function<std::vector<LocatorEntry>()> source);

protected:
    void focusInEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void refill();
    void run(int row);

    std::function<std::vector<LocatorEntry>()> m_source;
    std::vector<LocatorEntry> m_entries;
    QStandardItemModel* m_model;
    QCompleter* m_completer;
    theme::KeyCap* m_key;
};

} // namespace mesh::shell
