#pragma once

#include "proxyengine/model/document.h"
#include "simulator/report/rehearsal.h"

#include <memory>
#include <string>

namespace mesh::simulator {

// What a report says beside the rehearsal itself. What is empty is left out.
struct HtmlOptions
{
    std::string command; // That repeats it, as typed into a shell.
    std::string replayCommand; // That repeats the worst run alone.
    std::string version; // Of the program and its policies.
    std::string scenarioHash; // SHA-256 of the scenario file, hexadecimal.
    std::string meshHash; // Of the declarative file.
    std::string calibration; // Where the models come from.
    std::shared_ptr<const model::Document> document; // For margins after a loss.
};

// The report of a rehearsal as one HTML page in UTF-8 that needs nothing else: no network, no
// script, no file beside it; light or dark as the reader's system asks.
//
// It is well-formed XML as well. Text of the scenario and the mesh is escaped, whatever it says.
[[nodiscard]] std::string renderHtml(const Rehearsal& rehearsal, const HtmlOptions& options);

} // namespace mesh::simulator
