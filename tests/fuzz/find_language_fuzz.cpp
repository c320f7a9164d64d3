#include "app/bridge/find_language.h"

#include "proxyengine/base/assert.h"

#include <cstddef>
#include <cstdint>

namespace mesh::bridge {
namespace {

// Answers every operand in the same way, so that each comparison is carried out.
class EverySubject : public FindSubject
{
public:
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override
    {
        return {static_cast<double>(operand), {key, QStringLiteral("cart")}, key.isEmpty()};
    }
};

// A problem has a place and a remedy; what is read reads the same when it is written again.
void checkFind(const QString& text)
{
    const FindLanguage read(text);
    if (const auto& problem = read.problem()) {
        MESH_ASSERT(problem->position >= 0 && problem->position <= text.size());
        MESH_ASSERT(!problem->message.isEmpty() && !problem->remedy.isEmpty());
        MESH_ASSERT(!read.matches(EverySubject()));
        return;
    }
    if (read.isEmpty()) {
        return;
    }
    const FindLanguage again(read.canonical());
    // Quotes can make it longer than the limit, and nothing else can go wrong.
    MESH_ASSERT(again.isValid() || read.canonical().size() > kFindTextMax);
    if (again.isValid()) {
        MESH_ASSERT(again.canonical() == read.canonical());
        MESH_ASSERT(again.matches(EverySubject()) == read.matches(EverySubject()));
    }
}

void checkCompletion(const QString& text)
{
    for (qsizetype cursor = 0; cursor <= text.size(); cursor += 1 + text.size() / 16) {
        const FindCompletion offer = completeFind(text, cursor, kAllScopes, {text});
        MESH_ASSERT(offer.begin >= 0 && offer.begin + offer.length <= text.size());
        MESH_ASSERT(offer.words.size() <= 50);
    }
}

} // namespace
} // namespace mesh::bridge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    const QString text =
        QString::fromUtf8(reinterpret_cast<const char*>(bytes), static_cast<qsizetype>(count));
    mesh::bridge::checkFind(text);
    mesh::bridge::checkCompletion(text);
    return 0;
}
