#include "app/bridge/route_test.h"

#include "proxyengine/config/compile.h"
#include "proxyengine/config/explain_route.h"

#include <QCoreApplication>

#include <algorithm>
#include <string>

namespace mesh::bridge {

namespace {

QString textOf(const std::string& text) { return QString::fromStdString(text); }

QStringList textsOf(const std::vector<std::string>& texts)
{
    QStringList all;
    for (const std::string& text : texts) {
        all.append(textOf(text));
    }
    return all;
}

std::vector<RouteGoalRow> goalsOf(const std::vector<config::RouteGoal>& goals)
{
    double weights = 0;
    for (const config::RouteGoal& goal : goals) {
        weights += goal.weight;
    }
    std::vector<RouteGoalRow> rows;
    for (const config::RouteGoal& goal : goals) {
        RouteGoalRow row;
        row.service = textOf(goal.service);
        row.share = weights > 0 ? goal.weight / weights : 0;
        row.upstream = textOf(goal.upstream);
        row.targets = textsOf(goal.targets);
        row.sentPath = textOf(goal.sentPath);
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace

QStringList routeNodes(const model::Document& document)
{
    QStringList gateways;
    QStringList sidecars;
    for (const model::Node& node : document.nodes) {
        (node.role == model::NodeRole::Gateway ? gateways : sidecars).append(textOf(node.name));
    }
    return gateways + sidecars;
}

RouteAnswerRow testRoute(const model::Document& document, const RouteQuestionRow& question)
{
    RouteAnswerRow answer;
    const QStringList nodes = routeNodes(document);
    answer.node = question.node.isEmpty() && !nodes.isEmpty() ? nodes.front() : question.node;
    const QString url = question.url.startsWith(u'/')
                            ? QStringLiteral("http://localhost") + question.url
                            : question.url;
    auto asked = config::parseRouteQuestion((question.method + u' ' + url).toStdString());
    if (!asked) {
        answer.problem = textOf(asked.error().message);
        return answer;
    }
    for (const auto& [name, value] : question.headers) {
        asked->headers.emplace_back(name.toStdString(), value.toStdString());
    }
    const config::CompileResult compiled = config::compile(document, answer.node.toStdString());
    if (!compiled.snapshot) {
        answer.problem = compiled.problems.empty()
                             ? QCoreApplication::translate("RouteTest", "It does not compile.")
                             : textOf(config::toText(compiled.problems.front(), "draft"));
        return answer;
    }
    const auto told = config::explainRoute(document, *compiled.snapshot, *asked);
    if (!told) {
        answer.problem = textOf(told.error().message);
        return answer;
    }
    answer.ownStatus = told->ownStatus;
    answer.normalPath = textOf(told->normalPath);
    answer.route = textOf(told->route);
    answer.place = textOf(told->routePlace);
    answer.criteria = textsOf(told->criteria);
    answer.goals = goalsOf(told->goals);
    answer.plugins = textsOf(told->plugins);
    answer.policies = textsOf(told->policies);
    for (const config::LostRoute& lost : told->losers) {
        answer.losers.push_back(
            {textOf(lost.route), textOf(lost.service), textOf(lost.criterion), textOf(lost.reason)}
        );
    }
    answer.losersLeftOut = static_cast<int>(told->losersLeftOut);
    return answer;
}

} // namespace mesh::bridge
