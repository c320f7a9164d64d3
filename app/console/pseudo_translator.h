#pragma once

#include <QTranslator>

namespace mesh::console {

// A language made by rule, for trying the layout: accented letters, 40 % longer, in brackets.
class PseudoTranslator : public QTranslator
{
    Q_OBJECT

public:
    using QTranslator::QTranslator;

    [[nodiscard]] QString translate(
        const char* context, const char* sourceText, const char* disambiguation, int n
    ) const override;
    [[nodiscard]] bool isEmpty() const override { return false; }
};

} // namespace mesh::console
