#pragma once

#include <QWidget>

#include <cstdint>

namespace mesh::pages {

enum class StepState : std::uint8_t { Ahead, Current, Done };

// The number of a step in a ring; a tick when it is done.
class StepNumber : public QWidget
{
    Q_OBJECT

public:
    StepNumber(int number, QWidget* parent);

    void setState(StepState state);
    [[nodiscard]] StepState state() const { return m_state; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int m_number;
    StepState m_state = StepState::Ahead;
};

} // namespace mesh::pages
