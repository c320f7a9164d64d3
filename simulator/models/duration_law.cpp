#include "simulator/models/duration_law.h"

#include "simulator/models/exact_math.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>

namespace mesh::simulator {
namespace {

using Coefficients = std::array<double, 8>;

double polynomial(const Coefficients& coefficients, double x)
{
    double sum = 0.0;
    for (std::size_t at = coefficients.size(); at-- > 0;) {
        sum = sum * x + coefficients[at];
    }
    return sum;
}

// AS 241, in ascending powers.
constexpr Coefficients kCentreTop = {
    3.3871328727963666080,
    1.3314166789178437745e+2,
    1.9715909503065514427e+3,
    1.3731693765509461125e+4,
    4.5921953931549871457e+4,
    6.7265770927008700853e+4,
    3.3430575583588128105e+4,
    2.5090809287301226727e+3,
};
constexpr Coefficients kCentreBottom = {
    1.0,
    4.2313330701600911252e+1,
    6.8718700749205790830e+2,
    5.3941960214247511077e+3,
    2.1213794301586595867e+4,
    3.9307895800092710610e+4,
    2.8729085735721942674e+4,
    5.2264952788528545610e+3,
};
constexpr Coefficients kMiddleTop = {
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
};
constexpr Coefficients kMiddleBottom = {
    1.0,
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
};
constexpr Coefficients kTailTop = {
    6.65790464350110377720,
    5.46378491116411436990,
    1.78482653991729133580,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
};
constexpr Coefficients kTailBottom = {
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
};

Duration toDuration(double nanoseconds)
{
    constexpr double kLongest = 1e18; // 30 years; the type holds 292.
    return Duration(static_cast<Duration::rep>(std::min(nanoseconds, kLongest)));
}

Duration scaled(Duration length, double factor)
{
    return toDuration(static_cast<double>(length.count()) * factor);
}

Duration onLine(
    const std::pair<double, Duration>& below, const std::pair<double, Duration>& above, double share
)
{
    const double part = (share - below.first) / (above.first - below.first);
    return below.second + scaled(above.second - below.second, part);
}

Duration quantileOf(std::span<const std::pair<double, Duration>> quantiles, double share)
{
    if (quantiles.empty()) {
        return Duration::zero();
    }
    const auto above =
        std::ranges::lower_bound(quantiles, share, {}, &std::pair<double, Duration>::first);
    if (above == quantiles.end()) {
        return quantiles.back().second;
    }
    return above == quantiles.begin() ? above->second : onLine(*std::prev(above), *above, share);
}

// The logarithm's standard deviation.
double sigmaOf(double cv) { return std::sqrt(exactLog(1.0 + cv * cv)); }

double medianOf(Duration mean, double sigma)
{
    return static_cast<double>(mean.count()) * exactExp(-0.5 * sigma * sigma);
}

Duration lognormalAt(double median, double sigma, double share)
{
    return toDuration(median * exactExp(normalQuantile(share) * sigma));
}

} // namespace

double normalQuantile(double share)
{
    constexpr double kCentreHalfWidth = 0.425;
    constexpr double kTailFrom = 5.0;
    const double offset = share - 0.5;
    if (std::abs(offset) <= kCentreHalfWidth) {
        const double r = kCentreHalfWidth * kCentreHalfWidth - offset * offset;
        return offset * polynomial(kCentreTop, r) / polynomial(kCentreBottom, r);
    }
    const double r = std::sqrt(-exactLog(offset < 0.0 ? share : 1.0 - share));
    const double size = r <= kTailFrom
                            ? polynomial(kMiddleTop, r - 1.6) / polynomial(kMiddleBottom, r - 1.6)
                            : polynomial(kTailTop, r - 5.0) / polynomial(kTailBottom, r - 5.0);
    return offset < 0.0 ? -size : size;
}

double openUnit(Random& random)
{
    return (static_cast<double>(random.next() >> 12U) + 0.5) * 0x1.0p-52;
}

DurationSampler::DurationSampler(const model::DurationLaw& law)
    : m_kind(law.kind)
    , m_scale(static_cast<double>(law.mean.count()))
    , m_quantiles(law.quantiles)
{
    if (m_kind == model::DurationLaw::Kind::Lognormal) {
        m_sigma = sigmaOf(law.cv);
        m_scale = medianOf(law.mean, m_sigma);
    }
}

Duration DurationSampler::draw(Random& random) const
{
    const double share = openUnit(random);
    switch (m_kind) {
    case model::DurationLaw::Kind::Const:
        return toDuration(m_scale);
    case model::DurationLaw::Kind::Exp:
        return toDuration(m_scale * -exactLog(1.0 - share));
    case model::DurationLaw::Kind::Lognormal:
        return lognormalAt(m_scale, m_sigma, share);
    case model::DurationLaw::Kind::Quantiles:
        return quantileOf(m_quantiles, share);
    }
    return Duration::zero();
}

void DurationSampler::draw(Random& random, std::span<Duration> durations) const
{
    constexpr std::size_t kAtOnce = 64;
    if (m_kind != model::DurationLaw::Kind::Exp) {
        for (Duration& duration : durations) {
            duration = draw(random);
        }
        return;
    }
    std::array<double, kAtOnce> numbers{};
    while (!durations.empty()) {
        const auto part = std::span(numbers).first(std::min(kAtOnce, durations.size()));
        for (double& number : part) {
            number = 1.0 - openUnit(random);
        }
        exactLogs(part);
        for (std::size_t at = 0; at < part.size(); ++at) {
            durations[at] = toDuration(m_scale * -part[at]);
        }
        durations = durations.subspan(part.size());
    }
}

Duration sample(const model::DurationLaw& law, Random& random)
{
    const double share = openUnit(random);
    switch (law.kind) {
    case model::DurationLaw::Kind::Const:
        return law.mean;
    case model::DurationLaw::Kind::Exp:
        return scaled(law.mean, -exactLog(1.0 - share));
    case model::DurationLaw::Kind::Lognormal: {
        const double sigma = sigmaOf(law.cv);
        return lognormalAt(medianOf(law.mean, sigma), sigma, share);
    }
    case model::DurationLaw::Kind::Quantiles:
        return quantileOf(law.quantiles, share);
    }
    return law.mean;
}

Duration meanOf(const model::DurationLaw& law)
{
    if (law.kind != model::DurationLaw::Kind::Quantiles) {
        return law.mean;
    }
    Duration mean{};
    for (std::size_t at = 1; at < law.quantiles.size(); ++at) {
        const auto& [lowShare, low] = law.quantiles[at - 1];
        const auto& [highShare, high] = law.quantiles[at];
        mean += scaled((low + high) / 2, highShare - lowShare);
    }
    return mean;
}

} // namespace mesh::simulator
