#include "app/pages/edit_page.h"

#include "app/bridge/mesh_session.h"
#include "app/forms/child_table.h"
#include "app/forms/config_text_edit.h"
#include "app/forms/schema_form.h"
#include "app/forms/value_path.h"
#include "app/pages/object_tree.h"
#include "app/pages/texts.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSplitter>
#include <QTabBar>
#include <QTableWidget>
#include <QTimer>
#include <QVBoxLayout>

#include <array>
#include <string_view>
#include <utility>

namespace mesh::pages {
namespace {

constexpr int kTreeWidth = 236;
constexpr int kTextWidth = 500;
constexpr int kHeadHeight = 35;
constexpr int kTypingPause_ms = 250; // After the last key, before the text is parsed.

using forms::DraftObject;

// The problems below a path, made relative to it.
std::vector<config::Problem> problemsBelow(
    const std::vector<config::Problem>& all, const std::string& path
)
{
    std::vector<config::Problem> own;
    for (config::Problem problem : all) {
        if (problem.path.rfind(path, 0) != 0) {
            continue;
        }
        const std::string rest = problem.path.substr(path.size());
        if (rest.empty() || rest.front() == '.') {
            problem.path = rest.empty() ? rest : rest.substr(1);
            own.push_back(std::move(problem));
        }
    }
    return own;
}

// The object a problem's path belongs to: "services[0].routes[1].paths[0]" -> its route.
std::string objectPathOf(const std::string& path)
{
    std::string best;
    for (std::size_t at = path.find(']'); at != std::string::npos; at = path.find(']', at + 1)) {
        const std::string part = path.substr(0, at + 1);
        const auto open = part.rfind('[');
        const auto dot = part.rfind('.', open);
        const std::string key =
            part.substr(dot == std::string::npos ? 0 : dot + 1, open - (dot + 1));
        if (model::entityKind(key) == nullptr) {
            break;
        }
        if (key != "targets") {
            best = part;
        }
    }
    return best;
}

// The names of all objects, by kind, for fields that name others.
forms::ObjectNames namesIn(const forms::Draft& draft)
{
    forms::ObjectNames names;
    for (const DraftObject& object : draft.objects()) {
        names[std::string(object.kind->plural)] << object.name;
        for (const DraftObject& child : object.children) {
            names[std::string(child.kind->plural)] << child.name;
        }
    }
    for (auto& [kind, list] : names) {
        list.sort();
    }
    return names;
}

// What the topology says of the workload behind a target's address.
forms::LiveTarget liveTarget(const bridge::MeshSession& session, const QString& address)
{
    const std::string wanted = address.toStdString();
    QString workload;
    if (const auto document = session.document()) {
        for (const model::Workload& candidate : document->workloads) {
            if (candidate.inbound == wanted || candidate.address == wanted) {
                workload = QString::fromStdString(candidate.name);
            }
        }
    }
    for (const bridge::EntityRow& entity : session.topology().entities) {
        for (const bridge::InstanceRow& instance : entity.instances) {
            if (instance.address == address || (!workload.isEmpty() && instance.id == workload)) {
                const bool isUp = instance.state == bridge::InstanceState::Up;
                const theme::State state = isUp ? theme::State::Healthy : theme::State::Failure;
                const QString rate = rateText(instance.figures.rps);
                return {
                    rate == QStringLiteral("–") ? rate : EditPage::tr("%1 rps").arg(rate),
                    isUp ? EditPage::tr("healthy") : wordOf(instance.state),
                    static_cast<int>(state)};
            }
        }
    }
    return {QStringLiteral("–"), {}, -1};
}

} // namespace

EditPage::EditPage(bridge::MeshSession& session, forms::Draft& draft, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_draft(draft)
    , m_tree(new ObjectTree(draft, this))
    , m_typing(new QTimer(this))
{
    setObjectName(QStringLiteral("editPage"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->setHandleWidth(1);
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(m_tree);
    splitter->addWidget(makeForm());
    m_textPane = makeText();
    splitter->addWidget(m_textPane);
    splitter->setStretchFactor(1, 1);
    m_tree->setMinimumWidth(180);
    splitter->setSizes({kTreeWidth, 640, kTextWidth});
    row->addWidget(splitter);
    m_typing->setSingleShot(true);
    m_typing->setInterval(kTypingPause_ms);
    connect(m_typing, &QTimer::timeout, this, [this] { m_draft.editText(m_typed); });
    connect(m_tree, &ObjectTree::objectSelected, this, &EditPage::showObject);
    m_tree->guard(session);
    guardWrite(*m_form, session, bridge::WriteAction::EditDraft);
    // The text is read on, so it is not disabled.
    m_text->setProperty(kWritesProperty, static_cast<int>(bridge::WriteAction::EditDraft));
    const auto guardText = [this] {
        m_text->setReadOnly(m_session.gate().isRefused(bridge::WriteAction::EditDraft));
    };
    connect(&session.gate(), &bridge::WriteGate::changed, this, guardText);
    guardText();
    connect(&draft, &forms::Draft::changed, this, &EditPage::refresh);
    connect(&session, &bridge::MeshSession::topologyChanged, this, [this] {
        if (!isVisible()) {
            return;
        }
        if (m_children != nullptr) {
            m_children->refreshLive();
        }
        if (const DraftObject* object = m_tree->object(m_path)) {
            refreshUse(*object);
        }
    });
    refresh();
}

QWidget* EditPage::makeForm()
{
    auto* pane = new QWidget(this);
    pane->setMinimumWidth(420);
    pane->setAutoFillBackground(true);
    pane->setBackgroundRole(QPalette::Base);
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(pane);
    head->setFixedHeight(kHeadHeight);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(16, 0, 16, 0);
    m_breadcrumb = new QLabel(head);
    m_breadcrumb->setTextFormat(Qt::RichText);
    theme::setText(*m_breadcrumb, theme::Role::Body, theme::TextColor::Text2);
    row->addWidget(m_breadcrumb);
    m_edited = new theme::Chip(tr("edited"), head);
    m_edited->setFocusPolicy(Qt::NoFocus);
    m_edited->setAccessibleName(tr("This object has been edited"));
    row->addWidget(m_edited);
    row->addStretch();
    m_use = new QLabel(head);
    theme::setText(*m_use, theme::Role::Caption, theme::TextColor::Text3);
    row->addWidget(m_use);
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, pane));
    m_general = new QLabel(pane);
    m_general->setWordWrap(true);
    m_general->setContentsMargins(28, 8, 24, 4);
    theme::setText(*m_general, theme::Role::Small, theme::TextColor::Failure);
    column->addWidget(m_general);
    m_scroll = new QScrollArea(pane);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    m_form = new forms::SchemaForm(m_scroll);
    m_form->setObjectName(QStringLiteral("form"));
    m_form->setBackgroundRole(QPalette::Base);
    m_form->setAutoFillBackground(true);
    m_form->column().addStretch();
    m_scroll->setWidget(m_form);
    column->addWidget(m_scroll, 1);
    connect(
        m_form,
        &forms::SchemaForm::edited,
        this,
        [this](const std::string& field, const model::Value& value) {
            m_draft.editValue(forms::joinPath(m_path, field), value);
        }
    );
    connect(m_form, &forms::SchemaForm::fieldFocused, this, &EditPage::followField);
    return pane;
}

QWidget* EditPage::makeText()
{
    auto* pane = new QWidget(this);
    pane->setMinimumWidth(260);
    const auto paintCanvas = [pane] {
        QPalette colors = pane->palette();
        colors.setColor(QPalette::Window, theme::tokens().canvas);
        pane->setPalette(colors);
    };
    pane->setAutoFillBackground(true);
    paintCanvas();
    connect(&theme::current(), &theme::Theme::changed, pane, paintCanvas);
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(pane);
    head->setFixedHeight(kHeadHeight);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(6, 0, 8, 0);
    m_tabs = new QTabBar(head);
    m_tabs->setObjectName(QStringLiteral("textForm"));
    m_tabs->setAccessibleName(tr("Form of the text"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->addTab(tr("YAML"));
    m_tabs->addTab(tr("JSON"));
    row->addWidget(m_tabs);
    row->addStretch();
    auto* copy = new QPushButton(tr("Copy"), head);
    copy->setObjectName(QStringLiteral("copyText"));
    copy->setAccessibleName(tr("Copy the whole text"));
    copy->setToolTip(tr("Copy the whole text"));
    copy->setIcon(theme::icon(QStringLiteral("copy")));
    copy->setIconSize({13, 13});
    theme::setButtonRole(*copy, theme::ButtonRole::Ghost);
    row->addWidget(copy);
    connect(copy, &QPushButton::clicked, this, [this] {
        QApplication::clipboard()->setText(m_draft.text());
    });
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, pane));
    m_text = new forms::ConfigTextEdit(pane);
    m_text->setObjectName(QStringLiteral("configText"));
    m_text->setAccessibleName(tr("Configuration as text"));
    column->addWidget(m_text, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, pane));
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(14, 5, 14, 6);
    foot->setSpacing(20);
    m_place = new QLabel(pane);
    theme::setText(*m_place, theme::Role::Caption, theme::TextColor::Text3);
    foot->addWidget(m_place);
    for (const QString& words : {tr("form and text edit the same draft"), tr("schema 3.0")}) {
        auto* label = new QLabel(words, pane);
        theme::setText(*label, theme::Role::Caption, theme::TextColor::Text3);
        foot->addWidget(label);
        if (words != tr("schema 3.0")) {
            foot->addStretch();
        }
    }
    column->addLayout(foot);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int tab) {
        const auto form = tab == 0 ? config::TextForm::Yaml : config::TextForm::Json;
        if (!m_draft.setTextForm(form)) {
            m_tabs->setCurrentIndex(tab == 0 ? 1 : 0); // Text with a syntax error keeps its form.
        }
    });
    connect(m_text, &forms::ConfigTextEdit::textEdited, this, [this](const QString& text) {
        m_typed = text;
        m_typing->start();
    });
    connect(m_text, &forms::ConfigTextEdit::cursorPlaceChanged, this, [this](int line, int at) {
        m_place->setText(tr("Line %1, column %2").arg(line).arg(at));
    });
    m_place->setText(tr("Line %1, column %2").arg(1).arg(1));
    return pane;
}

bool EditPage::goToPath(const std::string& path)
{
    const std::string object = objectPathOf(path);
    if (object.empty() || !m_tree->selectPath(object)) {
        return false;
    }
    showObject(object);
    if (path.size() > object.size() + 1) {
        m_form->focusField(path.substr(object.size() + 1));
    }
    return true;
}

void EditPage::goToEntity(const QString& name)
{
    // What is looked for there: of a workload, its share.
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKinds = {
        {{"upstreams", ""}, {"services", ""}, {"nodes", ""}, {"workloads", ".weight"}}};
    for (const auto& [kind, field] : kKinds) {
        for (const DraftObject& object : m_draft.objects()) {
            if (object.kind->plural == kind && object.name == name) {
                goToPath(object.path + std::string(field));
                return;
            }
        }
    }
}

void EditPage::showAddMenu() { m_tree->showAddMenu(); }

void EditPage::toggleText() { m_textPane->setVisible(m_textPane->isHidden()); }

void EditPage::goToLine(int line) { m_text->goToLine(line); }

void EditPage::focusFilter() { m_tree->focusFilter(); }

void EditPage::goToProblem(int direction)
{
    const auto count = static_cast<int>(m_draft.problems().size());
    if (count == 0) {
        return;
    }
    m_problemAt = ((m_problemAt + direction) % count + count) % count;
    const config::Problem& problem = m_draft.problems()[static_cast<std::size_t>(m_problemAt)];
    if (!goToPath(problem.path) && problem.place) {
        goToLine(problem.place->line);
    }
}

void EditPage::refresh()
{
    refreshText();
    const DraftObject* object = m_tree->object(m_path);
    if (object == nullptr) {
        const auto objects = m_draft.objects();
        m_path.clear();
        for (const DraftObject& candidate : objects) {
            if (candidate.kind->plural == "upstreams" || (m_path.empty() && candidate.kind)) {
                m_path = candidate.path;
                if (candidate.kind->plural == "upstreams") {
                    break;
                }
            }
        }
        if (!m_path.empty()) {
            m_tree->selectPath(m_path);
        }
    }
    if (!m_path.empty()) {
        showObject(m_path);
    } else {
        m_breadcrumb->setText(tr("No objects yet"));
        m_edited->hide();
        m_general->hide();
    }
}

void EditPage::refreshText()
{
    if (!m_typing->isActive()) {
        m_text->showText(m_draft.text());
    }
    m_text->setChangedLines(m_draft.changedLineNumbers());
    std::map<int, QString> messages;
    for (const config::Problem& problem : m_draft.problems()) {
        if (problem.place) {
            messages.try_emplace(problem.place->line, QString::fromStdString(problem.message));
        }
    }
    m_text->setProblemLines(messages);
}

void EditPage::showObject(const std::string& path)
{
    const DraftObject* object = m_tree->object(path);
    const model::Value* record =
        object != nullptr ? forms::valueAt(m_draft.tree(), object->path) : nullptr;
    if (object == nullptr || record == nullptr) {
        return;
    }
    const bool isOther = path != m_path;
    m_path = path;
    if (isOther) {
        m_field.clear();
        m_scroll->verticalScrollBar()->setValue(0);
    }
    if (isOther) {
        m_form->foldAnew();
    }
    m_form->setSchema(*object->kind->schema);
    m_form->setNames(namesIn(m_draft));
    const model::Value* base = m_draft.baseRecord(*object);
    m_form->setRecord(*record, base);
    const auto rest = m_form->setProblems(problemsBelow(m_draft.problems(), path));
    QStringList general;
    for (const config::Problem& problem : rest) {
        general << QString::fromStdString(problem.message);
    }
    m_general->setText(general.join(u'\n'));
    m_general->setVisible(!general.isEmpty());
    const QString parent =
        object->parent.isEmpty() ? forms::translated(object->kind->labelPlural) : object->parent;
    m_breadcrumb->setText(
        QStringLiteral("%1 &nbsp;/&nbsp; <b><span style=\"color:%2\">%3</span></b>")
            .arg(parent.toHtmlEscaped(), theme::tokens().text1.name(), object->name.toHtmlEscaped())
    );
    m_edited->setVisible(base == nullptr || !(*base == *record));
    m_edited->setText(base == nullptr ? tr("new") : tr("edited"));
    refreshUse(*object);
    refreshChildren(*object);
    if (isOther || m_form->rows().size() != m_rowsOrdered) {
        m_rowsOrdered = m_form->rows().size();
        theme::followLayouts(*this);
    }
    const int line = lineOf(m_field.empty() ? m_path : forms::joinPath(m_path, m_field));
    m_text->setFocusLine(line);
    if (line > 0 && !m_text->hasFocus()) {
        m_place->setText(tr("Line %1").arg(line));
    }
}

void EditPage::refreshChildren(const DraftObject& object)
{
    const model::EntityKind* kind = nullptr;
    for (const model::EntityKind& candidate : model::entityKinds()) {
        if (candidate.parent == object.kind->plural && !candidate.parent.empty()) {
            kind = &candidate;
        }
    }
    if (m_children != nullptr && (kind == nullptr || &m_children->kind() != kind)) {
        m_childSection->deleteLater();
        m_childSection = nullptr;
        m_children = nullptr;
    }
    if (kind == nullptr) {
        return;
    }
    if (m_children == nullptr) {
        m_childSection = new forms::FormSection(forms::translated(kind->labelPlural), {}, m_form);
        m_children = new forms::ChildTable(*kind, m_childSection);
        m_childSection->addHeaderWidget(&m_children->addButton());
        m_childSection->rows().addWidget(m_children);
        m_form->column().insertWidget(1, m_childSection);
        connect(
            m_children,
            &forms::ChildTable::edited,
            this,
            [this](const std::string& path, const model::Value& value) {
                m_draft.editValue(path, value);
            }
        );
        connect(m_children, &forms::ChildTable::addRequested, this, [this, kind] {
            m_draft.addObject(*kind, m_path);
        });
        connect(
            m_children, &forms::ChildTable::removeRequested, &m_draft, &forms::Draft::removeObject
        );
        connect(
            m_children,
            &forms::ChildTable::openRequested,
            this,
            [this](const std::string& path) { m_tree->selectPath(path); }
        );
        m_children->setLive([this](const QString& address) {
            return liveTarget(m_session, address);
        });
    }
    m_children->setObject(m_draft, object);
    m_childSection->setCaption(tr("%n in this object", nullptr, m_children->table().rowCount()));
}

void EditPage::refreshUse(const DraftObject& object)
{
    int services = 0;
    for (const DraftObject& other : m_draft.objects()) {
        const model::Value* record = forms::valueAt(m_draft.tree(), other.path);
        const model::Value* host = record != nullptr ? record->find("host") : nullptr;
        const bool isUser = other.kind->plural == "services" && host != nullptr && host->isString()
                            && QString::fromStdString(host->text()) == object.name;
        services += isUser ? 1 : 0;
    }
    QStringList parts;
    if (object.kind->plural == "upstreams") {
        parts << tr("used by %n service(s)", nullptr, services);
    }
    const QString id = QStringLiteral("service:") + object.name;
    if (const bridge::EntityRow* entity = findEntity(m_session.topology(), id)) {
        if (entity->figures.rps > 0) {
            parts << tr("%1 rps").arg(rateText(entity->figures.rps));
        }
    }
    m_use->setText(parts.join(QStringLiteral(" · ")));
}

void EditPage::followField(const std::string& field)
{
    m_field = field;
    const int line = lineOf(forms::joinPath(m_path, field));
    m_text->setFocusLine(line);
    m_place->setText(tr("Line %1").arg(line));
}

int EditPage::lineOf(const std::string& path) const
{
    auto tree = config::parseTree(m_draft.text().toStdString());
    if (!tree) {
        return 0;
    }
    const config::TreeNode* node = config::nodeAt(*tree, path);
    return node != nullptr ? static_cast<int>(node->mark().line) : 0;
}

} // namespace mesh::pages
