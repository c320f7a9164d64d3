#include "simulator/models/exact_math.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cstdint>

namespace mesh::simulator {

static_assert(FLT_EVAL_METHOD == 0, "doubles must be computed as doubles");

namespace {

constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kInverseLn2 = 1.44269504088896338700e+00;

constexpr std::uint64_t kOne = 0x3ff0'0000'0000'0000U;
constexpr std::uint64_t kFraction = 0x000f'ffff'ffff'ffffU;
// Fractions from here on (sqrt 2) count with the next power of two.
constexpr std::uint64_t kSqrtTwo = 0x0006'a09e'667f'3bcdU;

// Inlined, so that a loop's turns overlap: one turn waits most of its time for the division.
inline double logOf(double x)
{
    MESH_ASSERT(x >= DBL_MIN && x <= DBL_MAX);
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t fraction = bits & kFraction;
    const std::uint64_t isUpper = fraction >= kSqrtTwo ? 1 : 0;
    const auto power = static_cast<double>(
        static_cast<std::int64_t>((bits >> 52U) + isUpper) - std::int64_t{1023}
    );
    // In [sqrt(1/2), sqrt(2)).
    const double f = std::bit_cast<double>(fraction | (kOne - (isUpper << 52U))) - 1.0;

    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w = z * z;
    const double even = w
                        * (3.999999999940941908e-01
                           + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double odd =
        z
        * (6.666666666666735130e-01
           + w
                 * (2.857142874366239149e-01
                    + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const double half = 0.5 * f * f;
    return power * kLn2High - ((half - (s * (half + (odd + even)) + power * kLn2Low)) - f);
}

} // namespace

double exactLog(double x) { return logOf(x); }

void exactLogs(std::span<double> numbers)
{
    for (double& number : numbers) {
        number = logOf(number);
    }
}

double exactExp(double x)
{
    x = std::clamp(x, -700.0, 700.0);
    const auto power = static_cast<std::int64_t>(x * kInverseLn2 + (x < 0.0 ? -0.5 : 0.5));
    const auto k = static_cast<double>(power);
    const double high = x - k * kLn2High;
    const double low = k * kLn2Low;
    const double r = high - low;

    const double t = r * r;
    const double c = r
                     - t
                           * (1.66666666666666019037e-01
                              + t
                                    * (-2.77777777770155933842e-03
                                       + t
                                             * (6.61375632143793436117e-05
                                                + t
                                                      * (-1.65339022054652515390e-06
                                                         + t * 4.13813679705723846039e-08))));
    const double y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    // |power| <= 1010: a normal number, exactly.
    return y * std::bit_cast<double>(static_cast<std::uint64_t>(power + 1023) << 52U);
}

} // namespace mesh::simulator
