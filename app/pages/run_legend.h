#pragma once

#include <QLabel>

namespace mesh::pages {

// Which line is which: a stroke and a name each, the second dashed.
class RunLegend : public QLabel
{
    Q_OBJECT

public:
    explicit RunLegend(QWidget* parent);

    void setNames(const QString& shown, const QString& reference); // Empty: not drawn.
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_shown;
    QString m_reference;
};

} // namespace mesh::pages
