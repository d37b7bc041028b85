// Walks a JSON document along a schema, which is a tree of the members that matter. The walker knows JSON and
// the tree, and a Document knows what the members mean. Everything else is skipped without being stored.
//
//   body ─ data ─┬─ started_at                open(data), value(started_at, 17…), open(backups), open(entry),
//                └─ backups ─ entry ─ status   value(status, "succeeded"), close(entry),
//                                              close(backups), close(data)
//
// If a member is repeated, the last one counts. So open() and value() of a member must first forget what an
// earlier one of that name in the same object has brought, its contents included.
#pragma once

#include "sqlbak/json_value.h"
#include "sqlbak_gateway/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// A node's place in its schema. Every schema begins with these two nodes, the envelope of every answer, which
// the walker handles itself.
using NodeId = std::uint8_t;
inline constexpr NodeId kBody = 0;
inline constexpr NodeId kData = 1;

enum class Shape : std::uint8_t {
  scalar,  // any value; of an object or a list only whether it is empty
  object,  // its members are nodes
  list,    // its elements are one node
};

// A row of a schema. Parents come before their children, and the children of one node stand next to each
// other.
struct SchemaRow {
  NodeId id;
  NodeId parent;
  Shape shape;
  std::string_view key;  // empty for the elements of a list
};

struct SchemaNode {
  std::string_view key;
  Shape shape = Shape::scalar;
  NodeId first_child = 0;
  NodeId end_child = 0;
};
using Schema = std::span<const SchemaNode>;

inline constexpr SchemaRow kEnvelope[] = {{kBody, kBody, Shape::object, ""},
                                          {kData, kBody, Shape::object, "data"}};

// The envelope with `rows` below it. A mistake in the rows is an error at compile time.
template <std::size_t N>
constexpr std::array<SchemaNode, N + 2> make_schema(const std::array<SchemaRow, N>& rows) {
  std::array<SchemaNode, N + 2> nodes{};
  for (std::size_t i = 0; i < N + 2; ++i) {
    const SchemaRow& row = i < 2 ? kEnvelope[i] : rows[i - 2];
    if (row.id != i) throw "the rows of a schema are in the order of their ids";
    nodes[i].key = row.key;
    nodes[i].shape = row.shape;
    if (i == 0) continue;
    SchemaNode& parent = nodes[row.parent];
    if (row.parent >= i || parent.shape == Shape::scalar) throw "a parent comes before its children";
    if (parent.end_child == 0) {
      parent.first_child = row.id;
    } else if (parent.end_child != i || parent.shape == Shape::list) {
      throw "the children of a node are next to each other, and a list has one";
    }
    parent.end_child = static_cast<NodeId>(i + 1);
  }
  return nodes;
}

// The depth of the deepest schema: body, data, backups, entry, uploads, upload, files, file.
inline constexpr std::size_t kMaxSchemaDepth = 8;

class Document {
 public:
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  virtual ~Document() = default;

  // The object `data` begins: the document forgets everything.
  virtual void begin() = 0;
  // An object or a list of the schema begins.
  virtual void open(NodeId node) = 0;
  // An object or a list of the schema ends.
  virtual void close(NodeId node) = 0;
  // A scalar; or whatever else stands in the place of an object or a list of the schema.
  virtual void value(NodeId node, const Value& value) = 0;
};

// An Error if `body` is not JSON or has no object `data`. The document then holds nothing of use.
Result<void> walk(std::string_view body, Schema schema, Document& document);

}  // namespace sqlbak_gateway::sqlbak
