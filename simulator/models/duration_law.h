#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mesh::simulator {

// A number in (0, 1): the middle of one of 2^52 cells, so that neither logarithm of it or of its
// complement meets a zero. Takes exactly one number of the stream.
[[nodiscard]] double openUnit(Random& random);

// A law of durations, ready to be drawn from many times.
//
// draw() always takes exactly one number of the stream, whatever the law, and a greater number
// never gives a shorter duration; so two variants of a scenario see the same luck. The bits are the
// same in every build (models/exact_math.h). Durations beyond 30 years are 30 years.
// Source: exponential and quantiles by inversion; lognormal through normalQuantile().
class DurationSampler
{
public:
    explicit DurationSampler(const model::DurationLaw& law);

    [[nodiscard]] Duration draw(Random& random) const;
    // As many draws as there are places, one after the other; cheaper than single ones.
    void draw(Random& random, std::span<Duration> durations) const;

private:
    model::DurationLaw::Kind m_kind;
    double m_scale = 0.0; // Nanoseconds: the mean, or the median of a lognormal.
    double m_sigma = 0.0; // Of the logarithm.
    std::vector<std::pair<double, Duration>> m_quantiles;
};

// A stream that nothing else draws from, and so drawn ahead: the durations are those that single
// draws would give.
class DurationStream
{
public:
    DurationStream(const model::DurationLaw& law, Seed seed)
        : m_sampler(law)
        , m_luck(seed)
    {}

    [[nodiscard]] Duration next()
    {
        if (m_at == m_ahead.size()) {
            m_sampler.draw(m_luck, m_ahead);
            m_at = 0;
        }
        return m_ahead[m_at++];
    }

private:
    static constexpr std::size_t kAhead = 64;

    DurationSampler m_sampler;
    Random m_luck;
    std::array<Duration, kAhead> m_ahead{};
    std::size_t m_at = kAhead;
};

// One draw from a law; the same value that its DurationSampler would give.
[[nodiscard]] Duration sample(const model::DurationLaw& law, Random& random);

// The expected value of the law, for utilisation figures.
[[nodiscard]] Duration meanOf(const model::DurationLaw& law);

// The standard normal quantile of a share in (0, 1).
// Source: Wichura, "Algorithm AS 241", 1988 (PPND16, relative error about 1e-16).
[[nodiscard]] double normalQuantile(double share);

} // namespace mesh::simulator
