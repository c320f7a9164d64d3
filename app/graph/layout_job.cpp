#include "app/graph/layout.h"
#include "proxyengine/base/thread.h"

#include <optional>

namespace mesh::graph {

class LayoutJob::Worker
{
public:
    std::stop_source stop;
    std::optional<LayoutInput> next; // Started when the cancelled one has ended.
    Thread thread; // Last: joined before the rest goes.
};

LayoutJob::LayoutJob(QObject* parent)
    : QObject(parent)
{}

LayoutJob::~LayoutJob() { cancel(); }

void LayoutJob::start(LayoutInput input)
{
    if (m_worker) {
        m_worker->next = std::move(input);
        m_worker->stop.request_stop();
        return;
    }
    m_worker = std::make_unique<Worker>();
    const std::stop_token stop = m_worker->stop.get_token();
    m_worker->thread = Thread("graph-layout", [this, stop, given = std::move(input)] {
        Positions positions = layOut(given, stop);
        // The job joins its thread before it dies, so `this` is alive here.
        const auto deliver = [this, stop, result = std::move(positions)] {
            const std::optional<LayoutInput> next = std::move(m_worker->next);
            m_worker.reset();
            if (next) {
                start(*next);
            } else if (!stop.stop_requested()) {
                Q_EMIT finished(result);
            }
        };
        QMetaObject::invokeMethod(this, deliver, Qt::QueuedConnection);
    });
}

void LayoutJob::cancel()
{
    if (m_worker) {
        m_worker->next.reset();
        m_worker->stop.request_stop();
    }
}

bool LayoutJob::isRunning() const
{
    return m_worker && (m_worker->next || !m_worker->stop.stop_requested());
}

} // namespace mesh::graph
