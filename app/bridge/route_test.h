#pragma once

#include <QString>
#include <QStringList>

#include <utility>
#include <vector>

namespace mesh::model {
struct Document;
}

// Which route would take a request, asked of a configuration without sending anything.
namespace mesh::bridge {

// As a person types it.
struct RouteQuestionRow
{
    QString node; // Whose listeners are asked; empty: the first gateway.
    QString method = QStringLiteral("GET");
    QString url; // "http://shop.test/cart?x=1", or "/cart".
    std::vector<std::pair<QString, QString>> headers;
};

// A service that may get it, with its share of the route.
struct RouteGoalRow
{
    QString service;
    double share = 1; // 0..1
    QString upstream; // Empty: a name that DNS knows.
    QStringList targets; // host:port
    QString sentPath; // What the target is asked for.
    friend bool operator==(const RouteGoalRow&, const RouteGoalRow&) = default;
};

struct LostRouteRow
{
    QString route;
    QString service;
    QString criterion; // "method", "host", "path", ...
    QString reason;
    friend bool operator==(const LostRouteRow&, const LostRouteRow&) = default;
};

struct RouteAnswerRow
{
    QString problem; // Of the question or the configuration; then nothing else is said.
    QString node;
    int ownStatus = 0; // Answered by the node itself; 0: it goes to a target.
    QString normalPath;
    QString route; // Empty: none.
    QString place; // "services[0].routes[1]"
    QStringList criteria; // What held.
    std::vector<RouteGoalRow> goals;
    QStringList plugins;
    QStringList policies;
    std::vector<LostRouteRow> losers; // Those that came close first.
    int losersLeftOut = 0;
    friend bool operator==(const RouteAnswerRow&, const RouteAnswerRow&) = default;
};

// Pure. Asks the router that the node itself would ask.
[[nodiscard]] RouteAnswerRow testRoute(
    const model::Document& document, const RouteQuestionRow& question
);

// Nodes that have routes to be asked for, gateways first.
[[nodiscard]] QStringList routeNodes(const model::Document& document);

} // namespace mesh::bridge
