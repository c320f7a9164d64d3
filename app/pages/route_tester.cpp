#include "app/pages/route_tester.h"

#include "app/bridge/mesh_session.h"
#include "app/pages/rows_table.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPaintEvent>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <cmath>

namespace mesh::pages {

namespace {

constexpr int kSettle_ms = 150;
constexpr int kMargin = 14;

QString joined(const QStringList& words) { return words.join(QStringLiteral(", ")); }

QString row(const QString& title, const QString& value)
{
    return value.isEmpty()
               ? QString()
               : QStringLiteral("<tr><td style='padding-right:14px'>%1</td><td>%2</td></tr>")
                     .arg(title.toHtmlEscaped(), value.toHtmlEscaped());
}

QString goalText(const bridge::RouteGoalRow& goal, bool isSplit)
{
    QString text = goal.service;
    if (isSplit) {
        text += QStringLiteral(" %1\u202F%").arg(std::lround(goal.share * 100));
    }
    return text;
}

// "cart → cart-v2 95 %, cart 5 %"
QString verdictOf(const bridge::RouteAnswerRow& answer)
{
    if (!answer.problem.isEmpty()) {
        return answer.problem;
    }
    if (answer.route.isEmpty()) {
        return RouteAnswerView::tr("No route takes it: %1.").arg(answer.ownStatus);
    }
    if (answer.ownStatus != 0) {
        return RouteAnswerView::tr("%1 takes it and answers %2 itself.")
            .arg(answer.route)
            .arg(answer.ownStatus);
    }
    QStringList goals;
    for (const bridge::RouteGoalRow& goal : answer.goals) {
        goals << goalText(goal, answer.goals.size() > 1);
    }
    return RouteAnswerView::tr("Route %1 takes it to %2.").arg(answer.route, joined(goals));
}

theme::State stateOf(const bridge::RouteAnswerRow& answer)
{
    if (!answer.problem.isEmpty()) {
        return theme::State::Failure;
    }
    return answer.route.isEmpty() || answer.ownStatus != 0 ? theme::State::Degraded
                                                           : theme::State::Healthy;
}

// "Name: value; Other: value"
std::vector<std::pair<QString, QString>> headersOf(const QString& text)
{
    std::vector<std::pair<QString, QString>> headers;
    for (const QString& part : text.split(u';', Qt::SkipEmptyParts)) {
        const qsizetype colon = part.indexOf(u':');
        if (colon > 0) {
            headers.emplace_back(part.left(colon).trimmed(), part.mid(colon + 1).trimmed());
        }
    }
    return headers;
}

} // namespace

RouteAnswerView::RouteAnswerView(QWidget* parent)
    : QWidget(parent)
    , m_title(new QLabel(this))
    , m_note(new theme::Note(theme::State::NoData, this))
    , m_verdict(new QLabel(m_note))
    , m_facts(new QLabel(this))
    , m_losersTitle(new QLabel(this))
    , m_losers(new RowsTable(
          tr("Routes that lost"),
          {{tr("Route that lost"), 150}, {tr("By"), 74}, {tr("Reason"), 0}},
          this
      ))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(kMargin, 6, kMargin, 4);
    column->setSpacing(5);
    theme::setText(*m_title, theme::Role::SmallStrong, theme::TextColor::Text2);
    column->addWidget(m_title);
    auto* inside = new QVBoxLayout(m_note);
    theme::setText(*m_verdict, theme::Role::SmallStrong);
    m_verdict->setObjectName(QStringLiteral("routeVerdict"));
    m_verdict->setWordWrap(true);
    inside->addWidget(m_verdict);
    column->addWidget(m_note);
    theme::setText(*m_facts, theme::Role::Small, theme::TextColor::Text2);
    m_facts->setTextFormat(Qt::RichText);
    m_facts->setWordWrap(true);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_facts->setObjectName(QStringLiteral("routeFacts"));
    column->addWidget(m_facts);
    theme::setText(*m_losersTitle, theme::Role::Caption, theme::TextColor::Text3);
    m_losersTitle->setWordWrap(true);
    column->addWidget(m_losersTitle);
    m_losers->setObjectName(QStringLiteral("routeLosers"));
    column->addWidget(m_losers, 1);
    connect(m_losers, &RowsTable::keyActivated, this, &RouteAnswerView::routeActivated);
}

void RouteAnswerView::setAnswer(const QString& title, const bridge::RouteAnswerRow& answer)
{
    m_title->setText(title);
    m_note->setState(stateOf(answer));
    m_verdict->setText(verdictOf(answer));
    QString facts = row(tr("By"), joined(answer.criteria)) + row(tr("Stands at"), answer.place);
    for (const bridge::RouteGoalRow& goal : answer.goals) {
        const QString where =
            goal.upstream.isEmpty()
                ? joined(goal.targets)
                : tr("upstream %1: %2")
                      .arg(
                          goal.upstream,
                          goal.targets.isEmpty() ? tr("no targets") : joined(goal.targets)
                      );
        facts += row(goalText(goal, answer.goals.size() > 1), where);
        facts += row(tr("asked for"), goal.sentPath);
    }
    facts +=
        row(tr("Plugins"), joined(answer.plugins)) + row(tr("Policies"), joined(answer.policies));
    m_facts->setText(
        QStringLiteral("<table cellspacing='2'>") + facts + QStringLiteral("</table>")
    );
    m_facts->setVisible(!facts.isEmpty());
    std::vector<TableRow> losers;
    for (const bridge::LostRouteRow& lost : answer.losers) {
        TableRow loser;
        loser.key = lost.route;
        loser.cells = {{lost.route, -1, -1, lost.service}, {lost.criterion}, {lost.reason}};
        losers.push_back(std::move(loser));
    }
    m_losersTitle->setVisible(answer.losersLeftOut > 0);
    m_losersTitle->setText(tr("%n more lost, further away.", nullptr, answer.losersLeftOut));
    m_losers->setVisible(!losers.empty());
    m_losers->setRows(std::move(losers));
}

RouteTester::RouteTester(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("routeTester"));
    setAccessibleName(tr("Route tester"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeForm());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_hint = new QLabel(
        tr("Type a request to see which route would take it, in what runs and in the draft. "
           "Nothing is sent."),
        this
    );
    theme::setText(*m_hint, theme::Role::Small, theme::TextColor::Text3);
    m_hint->setContentsMargins(kMargin, 10, kMargin, 10);
    m_hint->setWordWrap(true);
    m_hint->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    column->addWidget(m_hint, 1);
    auto* answers = new QHBoxLayout;
    answers->setSpacing(0);
    for (std::size_t at = 0; at < m_answers.size(); ++at) {
        m_answers[at] = new RouteAnswerView(this);
        m_answers[at]->setObjectName(QStringLiteral("routeAnswer%1").arg(at));
        m_answers[at]->hide();
        answers->addWidget(m_answers[at], 1);
        connect(
            m_answers[at], &RouteAnswerView::routeActivated, this, &RouteTester::routeActivated
        );
    }
    column->addLayout(answers, 4);
    m_soon.setSingleShot(true);
    m_soon.setInterval(kSettle_ms);
    connect(&m_soon, &QTimer::timeout, this, &RouteTester::test);
    using bridge::MeshSession;
    connect(&session, &MeshSession::documentChanged, this, [this] {
        fillNodes();
        m_soon.start();
    });
    connect(&session, &MeshSession::draftChanged, &m_soon, qOverload<>(&QTimer::start));
    fillNodes();
}

QWidget* RouteTester::makeForm()
{
    auto* form = new QWidget(this);
    auto* line = new QHBoxLayout(form);
    line->setContentsMargins(kMargin, 6, 8, 6);
    line->setSpacing(8);
    auto* title = new QLabel(tr("Route tester"), form);
    theme::setText(*title, theme::Role::BodyStrong);
    line->addWidget(title);
    line->addSpacing(4);
    m_method = new QComboBox(form);
    m_method->setObjectName(QStringLiteral("routeMethod"));
    m_method->setAccessibleName(tr("Method"));
    m_method->setEditable(true);
    m_method->addItems(
        {QStringLiteral("GET"),
         QStringLiteral("POST"),
         QStringLiteral("PUT"),
         QStringLiteral("PATCH"),
         QStringLiteral("DELETE"),
         QStringLiteral("HEAD"),
         QStringLiteral("OPTIONS")}
    );
    m_method->setFixedWidth(92);
    line->addWidget(m_method);
    const auto addEdit = [&](const char* name, const QString& words, const QString& example) {
        auto* edit = new QLineEdit(form);
        edit->setObjectName(QLatin1String(name));
        edit->setAccessibleName(words);
        edit->setToolTip(words);
        edit->setPlaceholderText(example);
        edit->setFont(theme::font(theme::Role::Code));
        connect(edit, &QLineEdit::textChanged, &m_soon, qOverload<>(&QTimer::start));
        connect(edit, &QLineEdit::returnPressed, this, &RouteTester::test);
        return edit;
    };
    m_url = addEdit("routeUrl", tr("Host and path"), tr("http://shop.test/cart?x=1, or /cart"));
    line->addWidget(m_url, 3);
    m_headers = addEdit("routeHeaders", tr("Headers"), tr("X-Version: v2; Cookie: a=b"));
    line->addWidget(m_headers, 2);
    m_node = new QComboBox(form);
    m_node->setObjectName(QStringLiteral("routeNode"));
    m_node->setAccessibleName(tr("At node"));
    m_node->setToolTip(tr("The node that would get the request"));
    m_node->setMinimumWidth(96);
    line->addWidget(m_node);
    auto* close = new QToolButton(form);
    close->setObjectName(QStringLiteral("routeClose"));
    close->setIcon(theme::icon(QStringLiteral("close")));
    close->setToolTip(tr("Close the route tester"));
    close->setAccessibleName(close->toolTip());
    theme::setButtonRole(*close, theme::ButtonRole::Ghost);
    line->addWidget(close);
    connect(close, &QToolButton::clicked, this, &RouteTester::closeRequested);
    connect(m_method, &QComboBox::currentTextChanged, &m_soon, qOverload<>(&QTimer::start));
    connect(m_node, &QComboBox::currentTextChanged, &m_soon, qOverload<>(&QTimer::start));
    return form;
}

void RouteTester::fillNodes()
{
    const QString current = m_node->currentText();
    const QStringList nodes = bridge::routeNodes(*m_session.document());
    const QSignalBlocker blocker(m_node);
    m_node->clear();
    m_node->addItems(nodes);
    m_node->setCurrentIndex(std::max(0, static_cast<int>(nodes.indexOf(current))));
    m_node->setEnabled(nodes.size() > 1);
}

void RouteTester::setQuestion(const bridge::RouteQuestionRow& question)
{
    m_method->setCurrentText(question.method);
    m_url->setText(question.url);
    QStringList headers;
    for (const auto& [name, value] : question.headers) {
        headers << name + QStringLiteral(": ") + value;
    }
    m_headers->setText(headers.join(QStringLiteral("; ")));
    const int node = m_node->findText(question.node);
    if (node >= 0) {
        m_node->setCurrentIndex(node);
    }
    test();
}

void RouteTester::setRequest(const bridge::TapRow& request)
{
    bridge::RouteQuestionRow question;
    question.node = request.node;
    question.method = request.method;
    question.url = request.host.isEmpty() ? request.path
                                          : QStringLiteral("http://") + request.host + request.path;
    question.headers = request.headers;
    setQuestion(question);
}

void RouteTester::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().panel);
}

bridge::RouteQuestionRow RouteTester::question() const
{
    return {
        m_node->currentText(),
        m_method->currentText().trimmed(),
        m_url->text().trimmed(),
        headersOf(m_headers->text())};
}

void RouteTester::test()
{
    m_soon.stop();
    const bridge::RouteQuestionRow asked = question();
    const bool isAsked = !asked.url.isEmpty() && m_session.isOpen();
    m_hint->setVisible(!isAsked);
    if (!isAsked) {
        m_answers[0]->hide();
        m_answers[1]->hide();
        return;
    }
    const bridge::RouteAnswerRow running = bridge::testRoute(*m_session.document(), asked);
    const auto draft = m_session.draftDocument();
    const bool isChanged = m_session.isDraftChanged();
    bridge::RouteAnswerRow next;
    if (isChanged && draft) {
        next = bridge::testRoute(*draft, asked);
    } else if (isChanged) {
        next.problem = tr("The draft has errors; see Problems.");
    }
    const bool isDifferent = isChanged && !(next == running);
    m_answers[0]->setAnswer(
        isChanged && !isDifferent ? tr("What runs, and the draft: the same") : tr("What runs"),
        running
    );
    m_answers[0]->show();
    m_answers[1]->setVisible(isDifferent);
    if (isDifferent) {
        m_answers[1]->setAnswer(tr("The draft"), next);
    }
}

} // namespace mesh::pages
