// Filters of taps and files of the gateway from any text: `not` turns a filter round, and what is
// exported to the gateway is read back without a problem.
#include "app/ctl/gateway_format.h"
#include "app/ctl/tap_filter.h"
#include "proxyengine/base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::ctl {
namespace {

void runFilter(std::string_view text)
{
    const auto filter = TapFilter::parse(text);
    const bool isEmpty = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!filter || isEmpty) {
        return;
    }
    const auto opposite = TapFilter::parse("not (" + std::string(text) + ")");
    if (!opposite) {
        MESH_ASSERT(opposite.error().code == ErrorCode::LimitExceeded);
        return;
    }
    api::AccessEvent request;
    request.host = "shop.test";
    request.path = "/cart";
    request.status = 503;
    request.attempts = 2;
    MESH_ASSERT(filter->matches(request) != opposite->matches(request));
}

void runGateway(std::string_view text)
{
    const GatewayImport import = importGateway(text, Unknown::Dropped);
    if (config::hasErrors(import.problems)) {
        return;
    }
    const GatewayExport exported = exportGateway(import.document, config::Secrets::Shown);
    const GatewayImport again = importGateway(exported.yaml, Unknown::Refused);
    MESH_ASSERT(!config::hasErrors(again.problems));
    MESH_ASSERT(exportGateway(again.document, config::Secrets::Shown).yaml == exported.yaml);
}

} // namespace
} // namespace mesh::ctl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    const std::string_view text(copy.data(), copy.size());
    mesh::ctl::runFilter(text);
    mesh::ctl::runGateway(text);
    return 0;
}
