// One request of the tap, opened.
#include "app/bridge/find_language.h"
#include "app/pages/tap_view.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {

namespace {

constexpr int kLineHeight = 34;
constexpr int kMargin = 14;

struct Bar
{
    QString label;
    QString note;
    double begin_ms = 0;
    double length_ms = 0;
    bool isBad = false;
};

QString statusText(int status)
{
    return status > 0 ? QString::number(status) : TapDetail::tr("no answer");
}

// The whole request, then each attempt; without attempts, what the node waited for its target.
std::vector<Bar> barsOf(const bridge::TapRow& request)
{
    const bool isBad = request.status == 0 || request.status >= 500;
    std::vector<Bar> bars = {
        {TapDetail::tr("request at %1").arg(request.node),
         QStringLiteral("%1 · %2\u202Fms")
             .arg(statusText(request.status), millisecondsText(request.latency_ms)),
         0,
         request.latency_ms,
         isBad}};
    int number = 0;
    for (const bridge::TapAttempt& attempt : request.tries) {
        const bool isFailed = attempt.status == 0 || attempt.status >= 500;
        bars.push_back(
            {TapDetail::tr("%1. %2").arg(++number).arg(attempt.target),
             QStringLiteral("%1 · %2\u202Fms")
                 .arg(
                     attempt.status > 0 ? QString::number(attempt.status)
                                        : QString(attempt.outcome).replace(u'_', u' '),
                     millisecondsText(attempt.latency_ms)
                 ),
             attempt.started_ms,
             attempt.latency_ms,
             isFailed}
        );
    }
    if (request.tries.empty() && request.upstream_ms > 0) {
        const double begin = std::max(0.0, request.latency_ms - request.upstream_ms) / 2;
        bars.push_back(
            {request.target.isEmpty() ? TapDetail::tr("target") : request.target,
             QStringLiteral("%1\u202Fms").arg(millisecondsText(request.upstream_ms)),
             begin,
             request.upstream_ms,
             isBad}
        );
    }
    return bars;
}

QString line(const QString& title, const QString& value)
{
    return value.isEmpty() ? QString()
                           : QStringLiteral("<tr><td style='padding-right:14px'>%1</td><td>%2</td>"
                                            "</tr>")
                                 .arg(title.toHtmlEscaped(), value.toHtmlEscaped());
}

} // namespace

class TapDetail::Waterfall : public QWidget
{
public:
    explicit Waterfall(QWidget* parent)
        : QWidget(parent)
    {
        setObjectName(QStringLiteral("tapWaterfall"));
        setAccessibleName(TapDetail::tr("The request's way in time"));
    }

    void setRequest(const bridge::TapRow& request)
    {
        m_bars = barsOf(request);
        QStringList words;
        for (const Bar& bar : m_bars) {
            words << bar.label + u' ' + bar.note;
        }
        setAccessibleDescription(words.join(QStringLiteral("; ")));
        setFixedHeight(static_cast<int>(m_bars.size()) * kLineHeight + 4);
        update();
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        const theme::Tokens& t = theme::tokens();
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        double whole = 0.001;
        for (const Bar& bar : m_bars) {
            whole = std::max(whole, bar.begin_ms + bar.length_ms);
        }
        double y = 0;
        for (const Bar& bar : m_bars) {
            painter.setFont(theme::font(theme::Role::Caption));
            painter.setPen(t.text2);
            const QRectF words(0, y, width(), 16);
            painter.drawText(
                words,
                Qt::AlignLeft | Qt::AlignVCenter,
                painter.fontMetrics().elidedText(bar.label, Qt::ElideMiddle, width() * 6 / 10)
            );
            painter.setPen(bar.isBad ? t.of(theme::State::Failure).text : t.text1);
            theme::drawFigures(painter, words, bar.note, Qt::AlignRight | Qt::AlignVCenter);
            const QRectF lane(0, y + 18, width(), 8);
            painter.setPen(Qt::NoPen);
            painter.setBrush(t.hover);
            painter.drawRoundedRect(lane, 3, 3);
            QRectF filled = lane;
            filled.setLeft(lane.width() * bar.begin_ms / whole);
            filled.setWidth(std::max(3.0, lane.width() * bar.length_ms / whole));
            painter.setBrush(bar.isBad ? t.of(theme::State::Failure).line : t.series.front());
            painter.drawRoundedRect(filled, 3, 3);
            y += kLineHeight;
        }
    }

private:
    std::vector<Bar> m_bars;
};

TapDetail::TapDetail(QWidget* parent)
    : QWidget(parent)
    , m_title(new QLabel(this))
    , m_facts(new QLabel(this))
    , m_waterfall(new Waterfall(this))
{
    setObjectName(QStringLiteral("tapDetail"));
    setMinimumWidth(300);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(kMargin, 8, kMargin, 8);
    outer->setSpacing(8);
    auto* head = new QHBoxLayout;
    m_title->setObjectName(QStringLiteral("tapDetailTitle"));
    theme::setText(*m_title, theme::Role::BodyStrong);
    m_title->setWordWrap(true);
    m_title->setTextFormat(Qt::PlainText);
    head->addWidget(m_title, 1);
    auto* close = new QToolButton(this);
    close->setIcon(theme::icon(QStringLiteral("close")));
    close->setToolTip(tr("Close the request"));
    close->setAccessibleName(close->toolTip());
    theme::setButtonRole(*close, theme::ButtonRole::Ghost);
    connect(close, &QToolButton::clicked, this, &TapDetail::closeRequested);
    head->addWidget(close, 0, Qt::AlignTop);
    outer->addLayout(head);
    auto* content = new QWidget(this);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(m_waterfall);
    m_facts->setObjectName(QStringLiteral("tapDetailFacts"));
    m_facts->setTextFormat(Qt::RichText);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_facts->setWordWrap(true);
    theme::setText(*m_facts, theme::Role::Small, theme::TextColor::Text2);
    column->addWidget(m_facts);
    column->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(content);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    outer->addWidget(scroll, 1);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    auto* filter = new QPushButton(tr("Filter on this"), this);
    filter->setObjectName(QStringLiteral("tapFilterOnThis"));
    filter->setFixedHeight(26);
    connect(filter, &QPushButton::clicked, this, [this, filter] {
        using bridge::FindOperand;
        using bridge::FindSense;
        const std::vector<std::pair<FindOperand, QString>> choices = {
            {FindOperand::Route, m_request.route},
            {FindOperand::Service, m_request.service},
            {FindOperand::Target, m_request.target},
            {FindOperand::Source, m_request.source},
            {FindOperand::Node, m_request.node},
            {FindOperand::Path, m_request.path},
            {FindOperand::Status, QString::number(m_request.status)}};
        QMenu menu;
        for (const auto& [operand, value] : choices) {
            if (!value.isEmpty()) {
                const QString term = bridge::findTerm(operand, value, FindSense::Only);
                menu.addAction(term)->setData(term);
            }
        }
        if (const QAction* chosen = menu.exec(filter->mapToGlobal(QPoint(0, filter->height())))) {
            Q_EMIT filterRequested(chosen->data().toString());
        }
    });
    buttons->addWidget(filter);
    auto* test = new QPushButton(tr("Open in route tester"), this);
    test->setObjectName(QStringLiteral("tapRouteTest"));
    test->setFixedHeight(26);
    connect(test, &QPushButton::clicked, this, &TapDetail::routeTestRequested);
    buttons->addWidget(test);
    buttons->addStretch();
    outer->addLayout(buttons);
}

void TapDetail::setRequest(const bridge::TapRow& request)
{
    m_request = request;
    m_title->setText(QStringLiteral("%1 %2%3").arg(request.method, request.host, request.path));
    m_waterfall->setRequest(request);
    QStringList policies;
    for (const QString& policy : request.policies) {
        policies << QString(policy).replace(u'_', u' ');
    }
    QString headers;
    for (const auto& [name, value] : request.headers) {
        headers += line(name, value);
    }
    m_facts->setText(
        QStringLiteral("<table cellspacing='3'>") + line(tr("When"), dateTimeText(request.time_us))
        + line(tr("Status"), statusText(request.status))
        + line(tr("Why it failed"), request.failure) + line(tr("From"), request.source)
        + line(
            tr("Route"),
            request.route.isEmpty() ? tr("none took it")
            : request.why.isEmpty() ? request.route
                                    : tr("%1, by %2").arg(request.route, request.why)
        )
        + line(tr("Service"), request.service) + line(tr("Target"), request.target)
        + line(tr("Attempts"), QString::number(request.attempts))
        + line(tr("Policies that acted"), policies.join(QStringLiteral(", ")))
        + line(tr("Bytes"), tr("%1 in, %2 out").arg(request.bytesIn).arg(request.bytesOut))
        + line(
            tr("Time in the proxy"), QStringLiteral("%1\u202Fms").arg(request.proxy_ms, 0, 'f', 2)
        )
        + line(tr("Request id"), request.requestId) + headers + QStringLiteral("</table>")
    );
}

} // namespace mesh::pages
