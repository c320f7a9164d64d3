#pragma once

#include "app/store/mesh_document.h"

#include <future>
#include <memory>
#include <utility>

namespace mesh::ctl {

// Asks a document and waits for its answer:
//     answered<Opening>([&](auto answer) { file->opening(std::move(answer)); })
template <typename T, typename Ask>
[[nodiscard]] Result<T> answered(const Ask& ask)
{
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto answer = promise->get_future();
    ask(store::Answer<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
    return answer.get();
}

} // namespace mesh::ctl
