#pragma once

#include "app/forms/field_editor.h"
#include "app/forms/split_shares.h"

#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QToolButton;
class QVBoxLayout;

namespace mesh::forms {

class ShareSlider;
class SplitRow;
class SplitBar;

// True for a list of {service, weight}, which SplitEditor edits.
[[nodiscard]] bool isSplit(const model::Field& field);

// A traffic split: a bar of the shares, and for each part its service, a slider, a number, a lock.
//
// The shares always add up to 100: moving one changes the others that are not locked in
// proportion. Weights of another sum are shown as their shares and written so at the first change;
// until then the file keeps them.
class SplitEditor : public FieldEditor
{
    Q_OBJECT

public:
    SplitEditor(const model::Field& field, QWidget* parent);

    [[nodiscard]] EditorWidth editorWidth() const override { return EditorWidth::Wide; }
    void setValue(const model::Value* value) override;
    void setNames(const ObjectNames& names) override;
    [[nodiscard]] const std::vector<SplitShare>& parts() const { return m_parts; }

private:
    void showParts();
    void showNote(const QString& note);
    void fillAdd();
    void startMove(std::size_t index);
    void moveTo(std::size_t index, int share);
    void change(std::vector<SplitShare> parts);
    [[nodiscard]] model::Value toValue() const;

    std::vector<SplitShare> m_parts;
    std::vector<SplitShare> m_before; // When the slider in hand began to move.
    std::size_t m_moving = 0;
    bool m_isReadable = true; // False: the text holds what sliders cannot show.
    QStringList m_services; // Of the document.
    SplitBar* m_bar;
    QVBoxLayout* m_column;
    std::vector<SplitRow*> m_rows;
    QComboBox* m_add;
    QLabel* m_note;
};

// One part of the split.
class SplitRow : public QWidget
{
    Q_OBJECT

public:
    SplitRow(std::size_t index, QWidget* parent);

    void show(const SplitShare& part, const QStringList& services, bool isOnly);

Q_SIGNALS:
    void moveStarted();
    void shareMoved(int share);
    void serviceChosen(const QString& service);
    void lockToggled(bool isLocked);
    void removeClicked();
    void focused();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    std::size_t m_index;
    QComboBox* m_service;
    ShareSlider* m_slider;
    QLineEdit* m_share;
    QToolButton* m_lock;
    QToolButton* m_remove;
};

} // namespace mesh::forms
