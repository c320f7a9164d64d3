#include "app/console/pseudo_translator.h"

namespace mesh::console {

QString PseudoTranslator::translate(
    const char* context, const char* sourceText, const char* disambiguation, int n
) const
{
    Q_UNUSED(context)
    Q_UNUSED(disambiguation)
    static const QString kPlain = QStringLiteral("aeiouAEIOUcnsy");
    static const QString kAccented = QStringLiteral("åéïöüÅÉÏÖÜçñšý");
    QString text = QString::fromUtf8(sourceText);
    if (text.isEmpty()) {
        return text;
    }
    for (QChar& letter : text) {
        const qsizetype at = kPlain.indexOf(letter);
        if (at >= 0) {
            letter = kAccented[at];
        }
    }
    text.replace(QStringLiteral("%ñ"), QString::number(n)); // %n, accented like the rest.
    const qsizetype more = (text.size() * 2 + 4) / 5;
    return u'[' + text + QString(more, u'·') + u']';
}

} // namespace mesh::console
