// A push of three stages to many simulated nodes, each a listener of its own in this process that
// speaks the admin API (target: 1 000 converge in at most 20 s, with flat memory), and the findings
// of 1 000 routes (target: 300 ms).
#include "app/fleet/admin_link.h"
#include "app/fleet/review.h"
#include "app/fleet/rollout_runner.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/http/server.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

using namespace mesh;

namespace {

using DocumentPointer = std::shared_ptr<const model::Document>;

DocumentPointer shop(const std::string& version)
{
    model::Document document;
    model::Service service;
    service.name = "shop-" + version;
    service.host = "pool-" + version;
    for (int at = 0; at < 100; ++at) {
        model::Route route;
        route.name = fmt::format("route-{}-{}", version, at);
        route.paths = {fmt::format("/{}", at)};
        service.routes.push_back(route);
    }
    model::Upstream upstream;
    upstream.name = service.host;
    model::Target target;
    target.target = "127.0.0.1:9";
    upstream.targets.push_back(target);
    document.services.push_back(service);
    document.upstreams.push_back(upstream);
    return std::make_shared<const model::Document>(document);
}

double residentMegabytes()
{
    const auto text = readFile("/proc/self/statm", 4096);
    const std::size_t space = text ? text->find(' ') : std::string::npos;
    if (space == std::string::npos) {
        return 0;
    }
    const double pages = std::atof(text->c_str() + space + 1);
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Nodes whose hash is that of the last body they were sent: the body is the canonical JSON.
class Endpoints
{
public:
    Endpoints(const Clock& clock, std::size_t count, const std::string& hash)
        : m_hashes(count, hash)
    {
        auto loop = net::EventLoop::make(clock);
        if (!loop) {
            std::abort();
        }
        m_loop = *std::move(loop);
        for (std::size_t at = 0; at < count; ++at) {
            auto server = http::Server::listen(
                *m_loop,
                net::SocketAddress::loopback(0),
                {},
                [this, at](const http::Request& request, http::Responder responder) {
                    const bool isPost = request.method == "POST";
                    if (isPost) {
                        m_hashes[at] = sha256Hex(request.body);
                    }
                    http::Response response;
                    response.status = isPost ? 201 : 200;
                    response.body = R"({"hash":")" + m_hashes[at] + R"("})";
                    responder.send(response);
                }
            );
            if (!server) {
                std::abort();
            }
            m_servers.push_back(*std::move(server));
        }
        m_thread = Thread("endpoints", [this] {
            m_loop->moveHere();
            m_loop->run();
        });
    }
    Endpoints(const Endpoints&) = delete;
    Endpoints& operator=(const Endpoints&) = delete;
    ~Endpoints()
    {
        m_loop->stop();
        m_thread.join();
        m_loop->moveHere();
        m_servers.clear();
    }

    [[nodiscard]] control::AdminAddress address(std::size_t at) const
    {
        control::AdminAddress address;
        address.hostPort = fmt::format("127.0.0.1:{}", m_servers[at]->address().port());
        return address;
    }

private:
    std::vector<std::string> m_hashes; // The loop's.
    std::unique_ptr<net::EventLoop> m_loop;
    std::vector<std::unique_ptr<http::Server>> m_servers;
    Thread m_thread;
};

void converges(benchmark::State& state)
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); // A listener per node, and both ends of every request.
    const SystemClock clock;
    const auto count = static_cast<std::size_t>(state.range(0));
    DocumentPointer before = shop("v1");
    DocumentPointer after = shop("v2");
    const Endpoints endpoints(clock, count, config::hashOf(*before));
    auto calls = control::NodeCalls::start(clock);
    if (!calls) {
        state.SkipWithError("no descriptors are left");
        return;
    }
    double first = 0;
    for (auto _ : state) {
        fleet::RolloutRequest request;
        request.before = before;
        request.after = after;
        for (std::size_t at = 0; at < count; ++at) {
            fleet::ExpectedNode node;
            node.name = fmt::format("node-{:04}", at);
            request.links[node.name] = fleet::makeAdminLink(**calls, endpoints.address(at));
            request.nodes.push_back(std::move(node));
        }
        const auto runner = fleet::RolloutRunner::start(clock, std::move(request), {});
        const fleet::Rollout rollout = runner->wait(std::chrono::minutes(5));
        if (rollout.state != fleet::RolloutState::Done || rollout.convergedCount() != count) {
            state.SkipWithError("not all nodes converged");
            return;
        }
        std::swap(before, after);
        first = first == 0 ? residentMegabytes() : first;
    }
    state.counters["MB_first"] = first;
    state.counters["MB_last"] = residentMegabytes();
}

void findsInRoutes(benchmark::State& state)
{
    model::Document document;
    for (int each = 0; each < static_cast<int>(state.range(0)) / 10; ++each) {
        model::Service service;
        service.name = fmt::format("service-{}", each);
        service.host = fmt::format("service-{}.test", each);
        for (int at = 0; at < 10; ++at) {
            model::Route route;
            route.name = fmt::format("route-{}-{}", each, at);
            route.hosts = {fmt::format("{}.shop.test", each)};
            route.paths = {fmt::format("/{}", at == 9 ? 8 : at)}; // One of ten is never reached.
            service.routes.push_back(route);
        }
        document.services.push_back(service);
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(fleet::findingsOf(document));
    }
}

} // namespace

BENCHMARK(converges)
    ->Arg(10)
    ->Arg(1000)
    ->Iterations(4)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(findsInRoutes)->Arg(1000)->Unit(benchmark::kMillisecond);
