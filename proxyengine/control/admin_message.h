#pragma once

#include "proxyengine/control/event_json.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Requests and answers of the admin API as values, whatever carries them.
namespace mesh::control {

// A request as received; absent headers are empty.
struct AdminRequest
{
    std::string method;
    std::string target; // Path and query, as sent.
    std::string host;
    std::string origin;
    std::string fetchSite; // Sec-Fetch-Site, which browsers send.
    std::string contentType;
    std::string body;
    std::string ifMatch = {};
};

struct AdminResponse
{
    int status = 200;
    std::string body; // JSON unless contentType says otherwise; empty with 204.
    std::string contentType = "application/json; charset=utf-8";
    std::vector<std::pair<std::string, std::string>> headers;
};

// Exactly one of the two is called, exactly once.
struct AdminAnswer
{
    std::function<void(AdminResponse)> respond;
    std::function<void(const EventKinds&)> stream; // An open-ended stream of event lines.
};

// The path and the parameters of a request target, percent-decoded. A path is split at '/' before
// it is decoded, so that a name may hold one.
struct AdminTarget
{
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> parameters;

    [[nodiscard]] std::string_view parameter(std::string_view name) const; // Empty when absent.
};

[[nodiscard]] AdminTarget parseAdminTarget(std::string_view target);

// {"message": text}
[[nodiscard]] AdminResponse messageResponse(int status, std::string_view text);

} // namespace mesh::control
