#pragma once

#include "app/ctl/ctl.h"
#include "tests/support/node_process.h"

#include <QFile>
#include <QTemporaryDir>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mesh::test {

// Real nodes edge-1, edge-2, … on loopback, documents about them, and the command line to use both.
class CtlFleet
{
public:
    // False when a node does not start. They run a document without services.
    bool start(int count)
    {
        const std::string first = write("first.yaml", documentText(count));
        for (int at = 1; at <= count; ++at) {
            nodes.push_back(std::make_unique<NodeProcess>());
            const bool isRunning = nodes.back()->start(
                {QStringLiteral("--config"),
                 QString::fromStdString(first),
                 QStringLiteral("--node"),
                 QStringLiteral("edge-%1").arg(at),
                 QStringLiteral("--workers"),
                 QStringLiteral("1")}
            );
            if (!isRunning) {
                return false;
            }
            m_admins.push_back("http://" + nodes.back()->adminAddress());
        }
        return true;
    }

    // A document whose service is at this port of loopback; 0: none. Requests of every path go
    // there, as they are.
    [[nodiscard]] std::string documentText(int count, int port = 0, int timeout = 60000) const
    {
        std::string text = "_format_version: \"3.0\"\nnodes:\n";
        for (int at = 1; at <= count; ++at) {
            const auto index = static_cast<std::size_t>(at - 1);
            text += fmt::format(
                "- {{name: edge-{}, role: gateway, zone: {}{}}}\n",
                at,
                at % 2 == 0 ? "b" : "a",
                index < m_admins.size() ? fmt::format(", admin: \"{}\"", m_admins[index]) : ""
            );
        }
        if (port != 0) {
            text += fmt::format(
                "services:\n- name: shop\n  host: 127.0.0.1\n  port: {}\n  retries: 0\n"
                "  read_timeout: {}\n  routes: [{{name: all, paths: [/], strip_path: false}}]\n",
                port,
                timeout
            );
        }
        return text;
    }

    // A service that answers GET /status with 200: the admin API of the first node.
    [[nodiscard]] int goodPort() const
    {
        const std::string address = nodes.front()->adminAddress();
        return std::stoi(address.substr(address.rfind(':') + 1));
    }

    std::string write(const char* name, const std::string& text) const
    {
        QFile file(directory.filePath(QString::fromUtf8(name)));
        if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
            file.write(QByteArray::fromStdString(text));
        }
        return file.fileName().toStdString();
    }

    int ctl(const std::vector<std::string>& words)
    {
        output = {};
        return ctl::run(words, {clock, ctl::Colour::Off, isInterrupted}, output);
    }

    [[nodiscard]] nlohmann::json json() const
    {
        return nlohmann::json::parse(output.out, nullptr, false);
    }

    // What the node says it runs.
    [[nodiscard]] std::string hashOf(std::size_t node) const
    {
        const auto answer = nodes.at(node)->admin("GET", "/config/hash");
        return nlohmann::json::parse(answer.body, nullptr, false).value("hash", "");
    }

    // Of a row of a push by node and key.
    [[nodiscard]] std::string cell(const char* node, const char* key) const
    {
        const nlohmann::json report = json();
        for (const auto& row : report["nodes"]) {
            if (row["node"] == node) {
                return row[key].is_string() ? row[key].get<std::string>() : row[key].dump();
            }
        }
        return {};
    }

    QTemporaryDir directory;
    SystemClock clock;
    std::vector<std::unique_ptr<NodeProcess>> nodes;
    ctl::CtlOutput output;
    std::function<bool()> isInterrupted;

private:
    std::vector<std::string> m_admins;
};

} // namespace mesh::test
