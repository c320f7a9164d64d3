#include "proxyengine/base/thread.h"

#include "proxyengine/base/assert.h"

#include <pthread.h>

#include <utility>

namespace mesh {
namespace {

constexpr std::size_t kThreadNameMax = 15;

} // namespace

Thread::Thread(std::string name, std::function<void()> run)
    : m_thread([name = std::move(name), run = std::move(run)] {
        const std::string cut = name.substr(0, kThreadNameMax);
        static_cast<void>(pthread_setname_np(pthread_self(), cut.c_str()));
        run();
    })
{}

void Thread::join()
{
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

void Affinity::assertHere() const { MESH_ASSERT(std::this_thread::get_id() == m_owner); }

} // namespace mesh
