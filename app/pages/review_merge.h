#pragma once

#include "app/theme/controls.h"

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace mesh::bridge {
class RolloutSession;
}

namespace mesh::pages {

// Somebody else has changed what the draft was made on: what, and for each field that both changed
// the choice between the two. Hidden while there is nothing to merge.
class ReviewMerge : public theme::Note
{
    Q_OBJECT

public:
    ReviewMerge(bridge::RolloutSession& session, QWidget* parent);

Q_SIGNALS:
    void failed(const QString& what, const QString& why);

private:
    void refresh();
    QWidget* makeRow(std::size_t index);

    bridge::RolloutSession& m_session;
    QLabel* m_text;
    QVBoxLayout* m_rows;
    QPushButton* m_take;
};

} // namespace mesh::pages
