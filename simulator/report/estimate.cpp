#include "simulator/report/estimate.h"

#include <array>
#include <cmath>
#include <numeric>

namespace mesh::simulator {
namespace {

constexpr std::array<double, 30> kStudent = {
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010,  2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796,  2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423};

double meanOfValues(const std::vector<double>& values)
{
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

} // namespace

double studentQuantile(std::size_t degreesOfFreedom)
{
    if (degreesOfFreedom == 0) {
        return 0.0;
    }
    if (degreesOfFreedom <= kStudent.size()) {
        return kStudent.at(degreesOfFreedom - 1);
    }
    constexpr double kZ = 1.959963985;
    const auto df = static_cast<double>(degreesOfFreedom);
    const double cube = kZ * kZ * kZ;
    return kZ + (cube + kZ) / (4.0 * df)
           + (5.0 * cube * kZ * kZ + 16.0 * cube + 3.0 * kZ) / (96.0 * df * df);
}

std::optional<std::pair<double, double>> intervalOf(const std::vector<double>& values)
{
    if (values.size() < 2) {
        return std::nullopt;
    }
    const double mean = meanOfValues(values);
    double squares = 0.0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    const auto count = static_cast<double>(values.size());
    const double half =
        studentQuantile(values.size() - 1) * std::sqrt(squares / (count - 1.0) / count);
    return std::pair(mean - half, mean + half);
}

std::optional<Estimate> estimateOf(const std::vector<double>& values)
{
    if (values.empty()) {
        return std::nullopt;
    }
    return Estimate{meanOfValues(values), intervalOf(values)};
}

} // namespace mesh::simulator
