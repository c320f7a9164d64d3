#pragma once

#include <span>

// Logarithm and exponential with the same bits in every build.
//
// Libraries' own differ between versions and machines in the last bit, and one bit is enough to
// change which of two events comes first. These use only additions, multiplications and divisions
// of IEEE 754 doubles, whose results are prescribed; the library is compiled without contraction to
// fused operations (-ffp-contract=off), so the order of roundings is prescribed as well. Fixed
// values in tests/unit/simulator guard both. (A square root is prescribed by IEEE 754, too.)
// Source: fdlibm (Sun Microsystems, 1993), e_log.c and e_exp.c; below one unit in the last place.
namespace mesh::simulator {

// Natural logarithm of a positive, finite, normal number.
[[nodiscard]] double exactLog(double x);

// Puts each number's logarithm in its place; the same bits. Cheaper than as many single calls,
// because the processor works on several at once.
void exactLogs(std::span<double> numbers);

// e^x for x in [-700, 700]; beyond, the value at that end.
[[nodiscard]] double exactExp(double x);

} // namespace mesh::simulator
