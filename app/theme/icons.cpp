#include "app/theme/icons.h"

#include "app/theme/theme.h"

#include <QDir>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include <cmath>
#include <optional>

namespace mesh::theme {

namespace {

QString pathOf(const QString& name)
{
    return QStringLiteral(":/icons/") + name + QStringLiteral(".svg");
}

QPixmap render(const QString& name, double size, const QColor& color, double ratio)
{
    QFile file(pathOf(name));
    if (!file.open(QIODevice::ReadOnly)) {

        return {};
    }
    QByteArray svg = file.readAll();
    svg.replace("currentColor", color.name(QColor::HexRgb).toLatin1());
    QSvgRenderer renderer(svg);
    const int pixels = std::max(1, static_cast<int>(std::ceil(size * ratio)));
    QPixmap pixmap(pixels, pixels);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setOpacity(color.alphaF());
    renderer.render(&painter, QRectF(0, 0, pixels, pixels));
    painter.end();
    pixmap.setDevicePixelRatio(ratio);
    return pixmap;
}

// Asks the theme at the moment of drawing, so that an icon given to a button once stays right.
class ThemedEngine : public QIconEngine
{
public:
    ThemedEngine(QString name, std::optional<QColor> color)
        : m_name(std::move(name))
        , m_color(std::move(color))
    {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override
    {
        drawIcon(*painter, rect, m_name, colorOf(mode));
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override
    {
        return iconPixmap(m_name, std::min(size.width(), size.height()), colorOf(mode), 1);
    }

    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State, qreal scale) override
    {
        const double logical = std::min(size.width(), size.height()) / scale;
        return iconPixmap(m_name, logical, colorOf(mode), scale);
    }

    [[nodiscard]] QIconEngine* clone() const override { return new ThemedEngine(*this); }

private:
    [[nodiscard]] QColor colorOf(QIcon::Mode mode) const
    {
        const Tokens& t = tokens();
        if (mode == QIcon::Disabled) {
            return t.textDisabled;
        }
        if (m_color) {
            return *m_color;
        }
        return mode == QIcon::Normal ? t.text2 : t.text1;
    }

    QString m_name;
    std::optional<QColor> m_color;
};

} // namespace

QPixmap iconPixmap(const QString& name, double size, const QColor& color, double devicePixelRatio)
{
    const QString key = QStringLiteral("mesh:%1:%2:%3:%4")
                            .arg(name, color.name(QColor::HexArgb))
                            .arg(size)
                            .arg(devicePixelRatio);
    QPixmap pixmap;
    if (!QPixmapCache::find(key, &pixmap)) {
        pixmap = render(name, size, color, devicePixelRatio);
        QPixmapCache::insert(key, pixmap);
    }
    return pixmap;
}

QIcon icon(const QString& name)
{
    return QFile::exists(pathOf(name)) ? QIcon(new ThemedEngine(name, std::nullopt)) : QIcon();
}

QIcon icon(const QString& name, const QColor& color)
{
    return QFile::exists(pathOf(name)) ? QIcon(new ThemedEngine(name, color)) : QIcon();
}

void drawIcon(QPainter& painter, const QRectF& rect, const QString& name, const QColor& color)
{
    const double size = std::min(rect.width(), rect.height());
    const QTransform& transform = painter.deviceTransform();
    const double scale = std::hypot(transform.m11(), transform.m12());
    const QPixmap pixmap = iconPixmap(name, size, color, std::max(0.25, scale));
    const QPointF corner = rect.center() - QPointF(size / 2, size / 2);
    painter.drawPixmap(QRectF(corner, QSizeF(size, size)), pixmap, QRectF(pixmap.rect()));
}

QStringList iconNames()
{
    QStringList names = QDir(QStringLiteral(":/icons")).entryList(QDir::Files, QDir::Name);
    for (QString& name : names) {
        name.chop(4);
    }
    return names;
}

} // namespace mesh::theme
