#pragma once

#include "app/bridge/review_rows.h"

#include <QListWidget>
#include <QScrollArea>
#include <QWidget>

#include <vector>

class QVBoxLayout;

namespace mesh::pages {

// The changed objects with tick boxes: Space ticks, Delete takes the change out of the draft.
class ChangeList : public QListWidget
{
    Q_OBJECT

public:
    explicit ChangeList(QWidget* parent);

    void setRows(const std::vector<bridge::ChangeRow>& rows);
    [[nodiscard]] QString currentKey() const;

Q_SIGNALS:
    void includedChanged(const QString& key, bool isIncluded);
    void keySelected(const QString& key);
    void discardRequested(const QString& key);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    bool m_isFilling = false;
};

// What was found, worst first: code, sentence, the fix, and accepting or muting it.
class FindingList : public QScrollArea
{
    Q_OBJECT

public:
    explicit FindingList(QWidget* parent);

    // Below the findings: what holds for all nodes, in the colour of health, and about what.
    void setRows(
        const std::vector<bridge::FindingRow>& rows, const QString& good, const QString& text
    );

Q_SIGNALS:
    void acceptChanged(const QString& key, bool isAccepted);
    void muteRequested(const QString& key);
    void fixRequested(const QString& key);
    void pathChosen(const QString& path);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitHeight();
    QWidget* makeCard(const bridge::FindingRow& row);
    QVBoxLayout* m_column;
    QWidget* m_inside;
};

// How many of the sampled requests stay, change and get worse, as one bar with its legend.
class BehaviourBar : public QWidget
{
    Q_OBJECT

public:
    explicit BehaviourBar(QWidget* parent);
    void setRows(const bridge::BehaviourRows& rows);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Part
    {
        std::size_t count;
        QString words;
        int kind; // 0 unchanged, 1 elsewhere, 2 worse.
    };
    std::vector<Part> m_parts;
    std::size_t m_total = 0;
};

} // namespace mesh::pages
