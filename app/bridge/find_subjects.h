#pragma once

#include "app/bridge/find_language.h"
#include "app/bridge/session_rows.h"
#include "app/bridge/topology.h"

#include <QHash>
#include <QString>

#include <memory>

namespace mesh::model {
struct Document;
}

// Rows as the find language sees them. Each keeps a reference: the row outlives the subject.
namespace mesh::bridge {

// Tags of the configuration, by the rows they belong to.
class FindTags
{
public:
    FindTags() = default;
    explicit FindTags(const model::Document& document);
    // Of "service:cart", "gateway:edge-1", a node's or an instance's name; none: empty.
    [[nodiscard]] QStringList of(const QString& id) const { return m_tags.value(id); }

private:
    QHash<QString, QStringList> m_tags; // "team:web", or a word.
};

class EntitySubject : public FindSubject
{
public:
    EntitySubject(const EntityRow& row, const FindTags& tags)
        : m_row(row)
        , m_tags(tags)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const EntityRow& m_row;
    const FindTags& m_tags;
};

class EdgeSubject : public FindSubject
{
public:
    explicit EdgeSubject(const EdgeRow& row)
        : m_row(row)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const EdgeRow& m_row;
};

class InstanceSubject : public FindSubject
{
public:
    InstanceSubject(const InstanceRow& row, const FindTags& tags)
        : m_row(row)
        , m_tags(tags)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const InstanceRow& m_row;
    const FindTags& m_tags;
};

class NodeSubject : public FindSubject
{
public:
    NodeSubject(const NodeRow& row, const FindTags& tags)
        : m_row(row)
        , m_tags(tags)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const NodeRow& m_row;
    const FindTags& m_tags;
};

class RequestSubject : public FindSubject
{
public:
    explicit RequestSubject(const TapRow& row)
        : m_row(row)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const TapRow& m_row;
};

class RevisionSubject : public FindSubject
{
public:
    explicit RevisionSubject(const RevisionRow& row)
        : m_row(row)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const RevisionRow& m_row;
};

class EventSubject : public FindSubject
{
public:
    explicit EventSubject(const Marker& row)
        : m_row(row)
    {}
    [[nodiscard]] FindValue value(FindOperand operand, const QString& key) const override;

private:
    const Marker& m_row;
};

// "degraded": the state as filters and alert rules write it.
[[nodiscard]] QString findWord(HealthState state);

} // namespace mesh::bridge
