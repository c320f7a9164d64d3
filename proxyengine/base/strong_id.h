#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace mesh {

// A number that stands for one thing and nothing else. Ids can be compared; adding two of them is a
// bug, so it does not compile. There is no default value: a missing id is a std::optional.
template <typename Tag, typename Rep>
class StrongId
{
public:
    constexpr explicit StrongId(Rep value)
        : m_value(value)
    {}

    [[nodiscard]] constexpr Rep value() const { return m_value; }

    friend constexpr auto operator<=>(const StrongId&, const StrongId&) = default;

private:
    Rep m_value;
};

// Hash for unordered containers outside policy/ and simulator/.
struct StrongIdHash
{
    template <typename Tag, typename Rep>
    std::size_t operator()(const StrongId<Tag, Rep>& id) const
    {
        return std::hash<Rep>{}(id.value());
    }
};

using CommandId = StrongId<struct CommandTag, std::uint64_t>;

} // namespace mesh
