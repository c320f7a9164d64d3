#pragma once

#include "proxyengine/base/time.h"

#include <QObject>
#include <QTimer>

#include <cstdint>
#include <functional>

namespace mesh {
class Clock;
}

namespace mesh::bridge {

class ViewContext;

// Moves the context's cursor while it replays, ten times a second, at its speed; goes live when the
// cursor has reached the end of what was recorded.
class Replay : public QObject
{
    Q_OBJECT

public:
    // `end_us` tells up to where there is something to replay. All outlive this.
    Replay(
        ViewContext& context,
        const Clock& clock,
        std::function<std::int64_t()> end_us,
        QObject* parent = nullptr
    );

private:
    void follow();
    void step();

    ViewContext& m_context;
    const Clock& m_clock;
    std::function<std::int64_t()> m_end_us;
    QTimer m_timer;
    TimePoint m_steppedAt{};
};

} // namespace mesh::bridge
