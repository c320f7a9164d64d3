#include "app/shell/review_dialog.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/forms/draft.h"
#include "app/forms/value_path.h"
#include "app/pages/rows_table.h"
#include "app/shell/top_bar.h"
#include "app/theme/controls.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace mesh::shell {
namespace {

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString shown(const model::Value& value)
{
    return value.isNull() ? ReviewDialog::tr("default")
                          : QString::fromStdString(forms::toDisplay(value));
}

std::vector<pages::TableRow> changeRows(const forms::Draft& draft)
{
    std::vector<pages::TableRow> rows;
    for (const model::ObjectChange& change : draft.changes()) {
        const QString object =
            toQString(change.object.kind) + QStringLiteral(" / ") + toQString(change.object.name);
        if (change.fields.empty()) {
            pages::TableRow row;
            row.key = object;
            row.cells = {{object}, {toQString(model::toText(change.kind))}, {}, {}};
            rows.push_back(std::move(row));
        }
        for (const model::FieldChange& field : change.fields) {
            pages::TableRow row;
            row.key = object + toQString(field.path);
            row.cells = {
                {object}, {toQString(field.path)}, {shown(field.before)}, {shown(field.after)}};
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

} // namespace

ReviewDialog::ReviewDialog(
    const bridge::MeshSession& session, const forms::Draft& draft, QWidget* parent
)
    : QDialog(parent)
    , m_message(new QLineEdit(this))
    , m_apply(new QPushButton(this))
{
    setWindowTitle(tr("Review changes"));
    setObjectName(QStringLiteral("reviewDialog"));
    resize(760, 460);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 16, 20, 16);
    column->setSpacing(10);
    const auto count = static_cast<int>(draft.changes().size());
    auto* title = new QLabel(tr("%n object(s) change", nullptr, count), this);
    theme::setText(*title, theme::Role::Title);
    column->addWidget(title);
    auto* table = new pages::RowsTable(
        tr("Changes"),
        {{tr("Object"), 220}, {tr("Field"), 200}, {tr("Was"), 130}, {tr("Will be"), 0}},
        this
    );
    table->setObjectName(QStringLiteral("changes"));
    table->setRows(changeRows(draft));
    column->addWidget(table, 1);
    if (draft.hasErrors()) {
        auto* note =
            new QLabel(tr("The draft has errors; it can be applied when they are gone."), this);
        theme::setText(*note, theme::Role::Small, theme::TextColor::Failure);
        column->addWidget(note);
    }
    m_message->setObjectName(QStringLiteral("message"));
    m_message->setAccessibleName(tr("Message of the revision"));
    m_message->setPlaceholderText(tr("What this changes, for the history"));
    column->addWidget(m_message);
    auto* row = new QHBoxLayout;
    row->addStretch();
    auto* cancel = new QPushButton(tr("Cancel"), this);
    cancel->setObjectName(QStringLiteral("cancel"));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    row->addWidget(cancel);
    const auto kind =
        environmentOf(session.setting(QStringLiteral("environment"), QStringLiteral("local")));
    const QString changes = tr("%n change(s)", nullptr, count);
    int running = 0;
    for (const bridge::NodeRow& node : session.nodes()) {
        running += node.state == bridge::NodeState::Running ? 1 : 0;
    }
    const QString nodes = tr("%n node(s)", nullptr, running);
    m_apply->setText(
        running > 0
            ? tr("Apply %1 to %2 %3 (%4)").arg(changes, environmentTag(kind), session.name(), nodes)
            : tr("Save %1 of %2 as a revision (no node runs it)").arg(changes, session.name())
    );
    m_apply->setObjectName(QStringLiteral("apply"));
    m_apply->setDefault(true);
    m_apply->setEnabled(
        draft.isChanged() && !draft.hasErrors() && !session.isReadOnly()
        && !session.gate().isRefused(bridge::WriteAction::Apply)
    );
    theme::setButtonRole(*m_apply, theme::ButtonRole::Primary);
    connect(m_apply, &QPushButton::clicked, this, &QDialog::accept);
    row->addWidget(m_apply);
    column->addLayout(row);
    m_message->setFocus();
}

QString ReviewDialog::message() const { return m_message->text(); }

} // namespace mesh::shell
