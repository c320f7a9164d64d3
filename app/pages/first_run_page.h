#pragma once

#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>
#include <vector>

class QLabel;
class QPushButton;
class QTableWidget;

namespace mesh::pages {

// One line of Recent: what a document held when it was last seen.
struct RecentDocument
{
    QString path;
    QString name;
    QString environment; // Tag: "PROD"; empty: none.
    int services = 0;
    int nodes = 0;
    std::int64_t revision = 0;
    std::int64_t revisionTime_us = 0;
    std::int64_t opened_us = 0;
};

enum class Door : std::uint8_t { Demo, Connect, Import };

// One of the three doors: a picture, what is behind it, and its button; a key opens it too.
class DoorCard : public QWidget
{
    Q_OBJECT

public:
    DoorCard(Door door, QWidget* parent);

    [[nodiscard]] QPushButton& button() { return *m_button; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void layOut(const QString& title, const QString& text, const QString& hint);

    Door m_door;
    QPushButton* m_button;
};

// What stands in the window while no mesh is open: three doors, recent documents, and what the demo
// is about.
class FirstRunPage : public QWidget
{
    Q_OBJECT

public:
    explicit FirstRunPage(QWidget* parent = nullptr);

    void setRecent(const std::vector<RecentDocument>& recent);
    // A sentence under the doors while something is being opened, or why it was not; empty: none.
    void setMessage(const QString& text);
    void focusFirstDoor();

Q_SIGNALS:
    void doorOpened(mesh::pages::Door door);
    void openOther();
    void documentChosen(const QString& path);
    void fileDropped(const QString& path);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    QWidget* makeHead();
    QWidget* makeRecent();
    QWidget* makeSteps();

    std::array<DoorCard*, 3> m_doors{};
    QTableWidget* m_recent = nullptr;
    QLabel* m_noRecent = nullptr;
    QLabel* m_message = nullptr;
    std::vector<RecentDocument> m_documents;
};

} // namespace mesh::pages
