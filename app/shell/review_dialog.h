#pragma once

#include <QDialog>
#include <QString>

class QLineEdit;
class QPushButton;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::forms {
class Draft;
}

namespace mesh::shell {

// What the draft changes, object by object and field by field, before it is applied: what it was,
// what it will be. Problems block the button; its text names what it acts on.
class ReviewDialog : public QDialog
{
    Q_OBJECT

public:
    ReviewDialog(const bridge::MeshSession& session, const forms::Draft& draft, QWidget* parent);

    [[nodiscard]] QString message() const;

private:
    QLineEdit* m_message;
    QPushButton* m_apply;
};

} // namespace mesh::shell
