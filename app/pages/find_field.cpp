#include "app/pages/find_field.h"

#include "app/bridge/mesh_session.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>

#include <utility>

namespace mesh::pages {
namespace {

constexpr qsizetype kHistoryMax = 20;
constexpr qsizetype kOffersMax = 16;
constexpr int kFieldHeight = 24;
const QString kHistoryKey = QStringLiteral("find.history");

// What all words begin with, without case.
QString sharedBeginning(const QStringList& words)
{
    QString shared = words.first();
    for (const QString& word : words) {
        while (!word.startsWith(shared, Qt::CaseInsensitive)) {
            shared.chop(1);
        }
    }
    return shared;
}

} // namespace

FindField::FindField(bridge::MeshSession& session, bridge::FindScopes scopes, QWidget* parent)
    : QLineEdit(parent)
    , m_session(session)
    , m_scopes(scopes)
    , m_help(
          tr("A name, or conditions: error% > 1 and zone = b. Tab completes, Down opens what was "
             "asked before.")
      )
    , m_note(new QLabel(this))
{
    setFont(theme::font(theme::Role::Code));
    setFixedHeight(kFieldHeight);
    setMinimumWidth(120);
    setMaxLength(static_cast<int>(bridge::kFindTextMax));
    theme::setText(*m_note, theme::Role::Caption, theme::TextColor::Text3);
    m_note->setAttribute(Qt::WA_TransparentForMouseEvents);
    auto* inside = new QHBoxLayout(this);
    inside->setContentsMargins(0, 0, 8, 0);
    inside->addStretch();
    inside->addWidget(m_note);
    connect(this, &QLineEdit::textChanged, this, &FindField::read);
    connect(this, &QLineEdit::returnPressed, this, &FindField::remember);
    read();
}

void FindField::setNames(std::function<QStringList()> names) { m_names = std::move(names); }

void FindField::setPresets(const QStringList& presets) { m_presets = presets; }

void FindField::setScopes(bridge::FindScopes scopes)
{
    m_scopes = scopes;
    tint();
}

void FindField::setMatches(int count, int total)
{
    m_count = count;
    m_total = total;
    tint();
}

void FindField::narrow(const QString& term)
{
    setText(bridge::narrowed(text(), term));
    remember();
}

void FindField::read()
{
    m_language = bridge::FindLanguage(text());
    tint();
    Q_EMIT expressionChanged();
}

void FindField::tint()
{
    theme::FieldState state = theme::FieldState::Normal;
    QString note;
    QString help = m_help;
    if (const auto& problem = m_language.problem()) {
        state = problem->isIncomplete ? theme::FieldState::Doubtful : theme::FieldState::Invalid;
        note = problem->isIncomplete ? tr("goes on") : tr("at %1").arg(problem->position + 1);
        help =
            tr("At %1: %2. %3").arg(problem->position + 1).arg(problem->message, problem->remedy);
    } else if (!m_language.isEmpty()) {
        const QStringList foreign = m_language.foreignOperands(m_scopes);
        const bool isDoubtful = !foreign.isEmpty() || m_count == 0;
        state = isDoubtful ? theme::FieldState::Doubtful : theme::FieldState::Valid;
        note = foreign.isEmpty() ? tr("%1 of %2").arg(m_count).arg(m_total)
                                 : tr("no %1 here").arg(foreign.first());
        help = foreign.isEmpty() ? m_language.canonical()
                                 : tr("These rows have no %1.").arg(foreign.join(u','));
    }
    theme::setFieldState(*this, state);
    m_note->setText(note);
    setToolTip(help);
    setAccessibleDescription(help);
}

bool FindField::event(QEvent* event)
{
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Tab && key->modifiers() == Qt::NoModifier && complete()) {
            return true;
        }
    }
    return QLineEdit::event(event);
}

void FindField::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Down) {
        showHistory();
        return;
    }
    if (event->key() == Qt::Key_Escape && !text().isEmpty()) {
        clear();
        return;
    }
    QLineEdit::keyPressEvent(event);
}

void FindField::focusOutEvent(QFocusEvent* event)
{
    if (event->reason() != Qt::PopupFocusReason) {
        remember();
    }
    QLineEdit::focusOutEvent(event);
}

// False: there is nothing to complete, so that Tab goes on to the next control.
bool FindField::complete()
{
    if (text().isEmpty()) {
        return false;
    }
    const bridge::FindCompletion completion = bridge::completeFind(
        text(), cursorPosition(), m_scopes, m_names ? m_names() : QStringList()
    );
    const bool isBegun = completion.length > 0 || text().endsWith(u' ');
    if (completion.words.isEmpty() || !isBegun) {
        return false;
    }
    const QString shared = sharedBeginning(completion.words);
    if (completion.words.size() == 1) {
        put(completion, completion.words.first() + u' ');
    } else if (shared.size() > completion.length) {
        put(completion, shared);
    } else {
        offer(completion);
    }
    return true;
}

void FindField::offer(const bridge::FindCompletion& completion)
{
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("findOffers"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const QString& word : completion.words.mid(0, kOffersMax)) {
        QString help;
        for (const bridge::FindOperandRow& row : bridge::findOperands()) {
            help = word == QLatin1String(row.name) ? bridge::findHelp(row) : help;
        }
        // What stands behind the tab is drawn as a shortcut.
        QAction* action = menu->addAction(help.isEmpty() ? word : word + u'\t' + help);
        connect(action, &QAction::triggered, this, [this, completion, word] {
            put(completion, word + u' ');
        });
    }
    const int rest = static_cast<int>(completion.words.size() - menu->actions().size());
    if (rest > 0) {
        menu->addAction(tr("%n more, type on", nullptr, rest))->setEnabled(false);
    }
    menu->popup(mapToGlobal(QPoint(cursorRect().left(), height())));
}

void FindField::put(const bridge::FindCompletion& completion, const QString& word)
{
    QString changed = text();
    changed.replace(completion.begin, completion.length, word);
    setText(changed);
    setCursorPosition(static_cast<int>(completion.begin + word.size()));
}

QStringList FindField::history() const
{
    const QJsonArray kept =
        QJsonDocument::fromJson(m_session.setting(kHistoryKey).toUtf8()).array();
    QStringList texts;
    for (const QJsonValue& text : kept) {
        if (text.isString() && texts.size() < kHistoryMax) {
            texts << text.toString();
        }
    }
    return texts;
}

void FindField::remember()
{
    if (m_language.isEmpty() || !m_language.isValid()) {
        return;
    }
    QStringList texts = history();
    const QString text = this->text().simplified();
    if (!texts.isEmpty() && texts.first() == text) {
        return;
    }
    texts.removeAll(text);
    texts.prepend(text);
    m_session.setSetting(
        kHistoryKey,
        QString::fromUtf8(QJsonDocument(QJsonArray::fromStringList(texts.mid(0, kHistoryMax)))
                              .toJson(QJsonDocument::Compact))
    );
}

void FindField::showHistory()
{
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("findHistory"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const auto add = [this, menu](const QString& text) {
        QString shown = text;
        connect(
            menu->addAction(shown.replace(u'&', QStringLiteral("&&"))),
            &QAction::triggered,
            this,
            [this, text] { setText(text); }
        );
    };
    for (const QString& preset : m_presets) {
        add(preset);
    }
    if (!m_presets.isEmpty()) {
        menu->addSeparator();
    }
    const QStringList texts = history();
    for (const QString& text : texts) {
        add(text);
    }
    if (texts.isEmpty()) {
        menu->addAction(tr("Nothing was asked yet"))->setEnabled(false);
    }
    menu->popup(mapToGlobal(QPoint(0, height())));
}

} // namespace mesh::pages
