#include "proxyengine/http/parser.h"

#include "proxyengine/http/head_reader.h"

namespace mesh::http {

ParseStatus RequestParser::parse(std::string_view bytes, RequestHead& head)
{
    if (m_isRefused) {
        return ParseStatus::Refused;
    }
    HeadReader reader(bytes, m_lineAt, m_refusal);
    ParseStatus status = ParseStatus::Done;
    if (!m_hasFirstLine) {
        HeadReader::clear(head.fields);
        status = reader.readRequestLine(head);
        m_hasFirstLine = status == ParseStatus::Done;
    } else {
        head.rebase(bytes.data());
    }
    if (status == ParseStatus::Done) {
        status = reader.readFields(head.fields);
    }
    if (status == ParseStatus::Done) {
        status = reader.finish(head);
    }
    m_lineAt = reader.lineAt();
    m_isRefused = status == ParseStatus::Refused;
    if (status == ParseStatus::Done) {
        m_lineAt = 0; // Ready for the next head.
        m_hasFirstLine = false;
    }
    return status;
}

ParseStatus ResponseParser::parse(std::string_view bytes, Method request, ResponseHead& head)
{
    if (m_isRefused) {
        return ParseStatus::Refused;
    }
    HeadReader reader(bytes, m_lineAt, m_refusal);
    ParseStatus status = ParseStatus::Done;
    if (!m_hasFirstLine) {
        HeadReader::clear(head.fields);
        status = reader.readStatusLine(head);
        m_hasFirstLine = status == ParseStatus::Done;
    } else {
        head.rebase(bytes.data());
    }
    if (status == ParseStatus::Done) {
        status = reader.readFields(head.fields);
    }
    if (status == ParseStatus::Done) {
        status = reader.finish(head, request);
    }
    m_lineAt = reader.lineAt();
    m_isRefused = status == ParseStatus::Refused;
    if (status == ParseStatus::Done) {
        m_lineAt = 0;
        m_hasFirstLine = false;
    }
    return status;
}

} // namespace mesh::http
