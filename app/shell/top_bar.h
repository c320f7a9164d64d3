#pragma once

#include "app/theme/tokens.h"

#include <QAbstractButton>
#include <QMenuBar>
#include <QWidget>

class QAction;
class QPushButton;
class QToolButton;

namespace mesh::theme {
class ElidedLabel;
}

namespace mesh::shell {

class Locator;

// "production", "staging", "development", "local" -> kind; anything else is local.
[[nodiscard]] theme::EnvironmentKind environmentOf(const QString& setting);
[[nodiscard]] QString environmentTag(theme::EnvironmentKind kind); // "PROD"

// The mesh's environment and name with a menu behind them.
class MeshButton : public QAbstractButton
{
    Q_OBJECT

public:
    explicit MeshButton(QWidget* parent);

    // Empty name: none is open. tag: what stands before it, in the colour of the kind.
    void setMesh(const QString& name, theme::EnvironmentKind kind, const QString& tag);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] double tagWidth() const;

    QString m_name;
    QString m_tag;
    theme::EnvironmentKind m_kind = theme::EnvironmentKind::Local;
};

// 44 px: mark, menus, mesh, locator, draft actions.
class TopBar : public QWidget
{
    Q_OBJECT

public:
    explicit TopBar(QWidget* parent = nullptr);

    [[nodiscard]] QMenuBar& menus() { return *m_menus; }
    [[nodiscard]] Locator& locator() { return *m_locator; }
    [[nodiscard]] MeshButton& meshButton() { return *m_mesh; }
    // The draft's buttons act as these actions do.
    void setDraftActions(
        QAction* undo, QAction* redo, QAction* discard, QAction* review, QAction* push
    );
    void setChanges(int count); // On the review button.

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QMenuBar* m_menus;
    MeshButton* m_mesh;
    Locator* m_locator;
    QToolButton* m_undo;
    QToolButton* m_redo;
    QPushButton* m_discard;
    QPushButton* m_review;
    QPushButton* m_push;
};

} // namespace mesh::shell
