#include "app/ctl/parallel.h"

#include "proxyengine/base/thread.h"

#include <algorithm>
#include <atomic>
#include <vector>

namespace mesh::ctl {

void inParallel(
    std::size_t count, std::size_t threadsMax, const std::function<void(std::size_t)>& work
)
{
    std::atomic<std::size_t> next{0};
    std::vector<Thread> threads;
    for (std::size_t at = 0; at < std::min(count, threadsMax); ++at) {
        threads.emplace_back("ctl-ask", [&] {
            for (std::size_t each = next.fetch_add(1); each < count; each = next.fetch_add(1)) {
                work(each);
            }
        });
    }
    for (Thread& thread : threads) {
        thread.join();
    }
}

} // namespace mesh::ctl
