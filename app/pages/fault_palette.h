#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QListWidget>
#include <QWidget>

class QLabel;
class QLineEdit;

namespace mesh::pages {

// The faults as a list that can be dragged from.
class FaultList : public QListWidget
{
    Q_OBJECT

public:
    explicit FaultList(QWidget* parent);

    // Dims what this target does not support; none: nothing is dimmed.
    void setTarget(const QString& target);
    void setFilter(const QString& words);
    [[nodiscard]] QString currentOffer() const; // Empty: a heading or nothing.
    void chooseOffer(const QString& key);
    [[nodiscard]] bool isOffered(const QString& key) const; // In sight and not dimmed.

Q_SIGNALS:
    void offerActivated(const QString& key); // Enter or a double click.

protected:
    void startDrag(Qt::DropActions actions) override;
    [[nodiscard]] QStringList mimeTypes() const override;
    [[nodiscard]] QMimeData* mimeData(const QList<QListWidgetItem*>& items) const override;
    void keyPressEvent(QKeyEvent* event) override;
};

// All faults by group, with a filter; what the selected target does not support is dimmed.
class FaultPalette : public QWidget
{
    Q_OBJECT

public:
    explicit FaultPalette(QWidget* parent);

    // "service:cart", "a -> b", "zone:b"; empty: drag onto anything.
    void setTarget(const QString& target);
    void focusFilter();
    [[nodiscard]] FaultList& list() { return *m_list; }

Q_SIGNALS:
    void offerActivated(const QString& key);

private:
    QLabel* m_hint;
    QLineEdit* m_filter;
    FaultList* m_list;
};

} // namespace mesh::pages
