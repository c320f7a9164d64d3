#include "simulator/mesh/request_trace.h"

#include <algorithm>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr Duration kRunning = Duration::max(); // Of what has not come to its end.

} // namespace

RequestTracer::RequestTracer(const std::vector<std::uint64_t>& roots)
{
    for (const std::uint64_t root : roots) {
        m_byRoot.emplace(root, static_cast<std::uint32_t>(m_requests.size()));
        m_requests.emplace_back();
    }
}

std::uint64_t RequestTracer::wordOf(SlabHandle handle)
{
    return (std::uint64_t{handle.index} << 32U) | handle.generation;
}

const RequestTracer::Place* RequestTracer::find(const Places& places, SlabHandle handle)
{
    const auto found = places.find(wordOf(handle));
    return found == places.end() ? nullptr : &found->second;
}

bool RequestTracer::isOver(Place place) const
{
    const Followed& followed = m_requests[place.request];
    return followed.hasEnded || followed.request.steps[place.step].end != kRunning;
}

const RequestTracer::Place* RequestTracer::parentOf(const CallBegin& begin) const
{
    return begin.other.isNone() ? find(m_visits, begin.visit) : find(m_calls, begin.other);
}

// False: there is no room for it.
bool RequestTracer::add(Followed& followed, TracedStep step)
{
    if (followed.request.steps.size() >= TracedRequest::kStepsMax) {
        ++followed.request.stepsLost;
        return false;
    }
    step.end = kRunning;
    followed.request.steps.push_back(std::move(step));
    return true;
}

void RequestTracer::beginCall(
    TimePoint now, const CallBegin& begin, std::string name, std::string service
)
{
    const std::uint32_t number = m_byRoot.at(begin.root);
    Followed& followed = m_requests[number];
    TracedStep step;
    step.name = std::move(name);
    step.service = std::move(service);
    if (begin.visit.isNone() && begin.other.isNone()) {
        followed.startedAt = now;
        followed.request.at = now - TimePoint{};
    } else {
        const Place* const parent = parentOf(begin);
        if (parent == nullptr || isOver(*parent)) {
            return;
        }
        step.parent = parent->step;
        step.begin = since(now, *parent);
    }
    if (add(followed, std::move(step))) {
        m_calls[wordOf(begin.call)] = {
            number, static_cast<std::uint32_t>(followed.request.steps.size() - 1)};
    }
}

void RequestTracer::endCall(TimePoint now, SlabHandle call, std::string_view outcome)
{
    const Place* const place = find(m_calls, call);
    if (place == nullptr || isOver(*place)) {
        return;
    }
    TracedStep& step = at(*place);
    step.end = since(now, *place);
    step.outcome = outcome;
    if (place->step == 0) {
        Followed& followed = m_requests[place->request];
        followed.hasEnded = true;
        followed.request.took = step.end;
        followed.request.hasSucceeded = outcome == "ok";
    }
}

void RequestTracer::beginAttempt(
    TimePoint now, SlabHandle attempt, SlabHandle call, std::string instance
)
{
    const Place* const place = find(m_calls, call);
    if (place == nullptr || isOver(*place)) {
        return;
    }
    TracedStep step;
    step.kind = TracedStep::Kind::Attempt;
    step.parent = place->step;
    step.name = std::move(instance);
    step.service = at(*place).service;
    step.begin = since(now, *place);
    step.queued = kRunning;
    step.outcome = "given up";
    Followed& followed = m_requests[place->request];
    if (add(followed, std::move(step))) {
        m_attempts[wordOf(attempt)] = {
            place->request, static_cast<std::uint32_t>(followed.request.steps.size() - 1)};
    }
}

void RequestTracer::tellOutcome(SlabHandle attempt, std::string outcome)
{
    if (const Place* const place = find(m_attempts, attempt)) {
        at(*place).outcome = std::move(outcome);
    }
}

void RequestTracer::endAttempt(TimePoint now, SlabHandle attempt)
{
    const Place* const place = find(m_attempts, attempt);
    if (place != nullptr && !isOver(*place)) {
        at(*place).end = since(now, *place);
    }
}

void RequestTracer::beginVisit(SlabHandle visit, SlabHandle attempt)
{
    if (const Place* const place = find(m_attempts, attempt)) {
        m_visits[wordOf(visit)] = *place;
    }
}

void RequestTracer::beginWork(TimePoint now, SlabHandle visit)
{
    const Place* const place = find(m_visits, visit);
    if (place != nullptr && !isOver(*place)) {
        TracedStep& step = at(*place);
        step.queued = since(now, *place) - step.begin;
        step.worked = kRunning;
    }
}

void RequestTracer::endWork(TimePoint now, SlabHandle visit)
{
    const Place* const place = find(m_visits, visit);
    if (place != nullptr && !isOver(*place)) {
        TracedStep& step = at(*place);
        step.worked = since(now, *place) - step.begin - step.queued;
    }
}

// What has not come to its end ends with the request: nobody waits for it any more.
void RequestTracer::finish(Followed& followed)
{
    for (TracedStep& step : followed.request.steps) {
        step.end = std::min(step.end, followed.request.took);
        step.queued = std::min(step.queued, step.end - step.begin);
        step.worked = std::min(step.worked, step.end - step.begin - step.queued);
    }
    markCritical(followed.request.steps);
}

std::vector<TracedRequest> RequestTracer::take()
{
    std::vector<TracedRequest> requests;
    for (Followed& followed : m_requests) {
        if (!followed.hasEnded) {
            continue;
        }
        finish(followed);
        requests.push_back(std::move(followed.request));
    }
    std::ranges::stable_sort(requests, std::ranges::greater(), &TracedRequest::took);
    return requests;
}

std::vector<WaitedFor> waitedFor(std::span<const TracedRequest> requests)
{
    std::vector<WaitedFor> list;
    for (const TracedRequest& request : requests) {
        for (const TracedStep& step : request.steps) {
            if (!step.isCritical) {
                continue;
            }
            auto known = std::ranges::find(list, step.service, &WaitedFor::service);
            if (known == list.end()) {
                known = list.insert(known, WaitedFor{step.service, {}, {}, {}});
            }
            const Duration queued = std::min(step.queued, step.own);
            known->own += step.own;
            known->queued += queued;
            known->worked += std::min(step.worked, step.own - queued);
        }
    }
    std::ranges::stable_sort(list, std::ranges::greater(), &WaitedFor::own);
    return list;
}

// A caller waits for the last of its steps to end; before that began, for the last that had ended
// by then; and so on. In between it was busy itself.
void markCritical(std::vector<TracedStep>& steps)
{
    if (steps.empty()) {
        return;
    }
    std::vector<std::vector<std::uint32_t>> below(steps.size());
    for (std::uint32_t at = 0; at < steps.size(); ++at) {
        if (steps[at].parent != TracedStep::kNobody) {
            below[steps[at].parent].push_back(at);
        }
    }
    std::vector<std::uint32_t> open{0};
    while (!open.empty()) {
        const std::uint32_t at = open.back();
        open.pop_back();
        steps[at].isCritical = true;
        Duration until = steps[at].end;
        std::vector<std::uint32_t>& list = below[at];
        std::ranges::stable_sort(list, std::ranges::greater(), [&steps](std::uint32_t each) {
            return steps[each].end;
        });
        for (const std::uint32_t each : list) {
            if (steps[each].end <= until) {
                steps[at].own += until - steps[each].end;
                until = steps[each].begin;
                open.push_back(each);
            }
        }
        steps[at].own += until - steps[at].begin;
    }
}

} // namespace mesh::simulator
