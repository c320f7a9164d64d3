#pragma once

#include "app/bridge/topology.h"

#include <QString>

#include <functional>

namespace mesh::pages {

// What the find and hide fields understand:
//
//     error% > 1 and zone = b          rps >= 100 or not (state = healthy)
//     pay                              a plain word: the name contains it
//
// Operands: name, zone, version, kind, state with = != and contains; rps, error%, p95, findings
// with = != < <= > >=; idle, healthy, degraded, failing, stale alone. `and` binds tighter than
// `or`; `not` and parentheses as usual.
class FindExpression
{
public:
    // Never fails: text that cannot be understood has isValid() false and matches nothing.
    explicit FindExpression(const QString& text);

    [[nodiscard]] bool isEmpty() const { return !m_test && m_isValid; }
    [[nodiscard]] bool isValid() const { return m_isValid; }
    [[nodiscard]] bool matches(const bridge::EntityRow& entity) const;

private:
    std::function<bool(const bridge::EntityRow&)> m_test;
    bool m_isValid = true;
};

} // namespace mesh::pages
