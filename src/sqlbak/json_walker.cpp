#include "sqlbak/json_walker.h"

#include "sqlbak/json_repair.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::sqlbak {
namespace {

// The parser refuses numbers beyond its floating-point type. With long double, a number of up to 1e4932 in a
// member that nobody reads does not make the document unreadable.
using Json =
    nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, long double>;

// nlohmann's SAX interface, which fixes the names and signatures. A skipped value is only counted, so depth
// costs nothing here; the parser itself needs a bit for each level.
class Walker {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  Walker(Schema schema, Document& document) : schema_(schema), document_(document) {}

  bool has_data() const { return has_data_; }
  // The position of the first byte that could not be read, counted from 1.
  std::size_t error_position() const { return error_position_; }

  bool null() { return scalar(Value{}); }
  bool boolean(bool boolean) {
    Value value;
    value.kind = Value::Kind::boolean;
    value.boolean = boolean;
    return scalar(value);
  }
  bool number_integer(number_integer_t number) {
    const auto bits = static_cast<std::uint64_t>(number);
    return integer(number < 0, number < 0 ? 0 - bits : bits, static_cast<double>(number));
  }
  bool number_unsigned(number_unsigned_t number) {
    return integer(false, number, static_cast<double>(number));
  }
  bool number_float(number_float_t rounded, const string_t& written) {
    Value value;
    value.kind = Value::Kind::real;
    value.text = written;
    // The text is read again, because rounding twice, by way of long double, may miss the nearest double.
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value.number);
    if (error != std::errc{}) {
      value.number = std::abs(rounded) < 1
                         ? 0.0
                         : std::copysign(std::numeric_limits<double>::infinity(), rounded < 0 ? -1.0 : 1.0);
    }
    return scalar(value);
  }
  bool string(const string_t& text) {
    Value value;
    value.kind = Value::Kind::string;
    value.text = text;
    return scalar(value);
  }
  bool binary(const binary_t&) { return false; }

  bool start_object(std::size_t) { return start(Value::Kind::object, Shape::object); }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return start(Value::Kind::list, Shape::list); }
  bool end_array() { return end(); }

  bool key(const string_t& key) {
    if (skipped_depth_ > 0) {
      skipped_.empty = false;
      return true;
    }
    const SchemaNode& object = schema_[open_[depth_ - 1]];
    next_ = kNone;
    for (NodeId child = object.first_child; child < object.end_child; ++child) {
      if (schema_[child].key == key) {
        next_ = child;
        break;
      }
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    error_position_ = position;
    return false;
  }

 private:
  static constexpr NodeId kNone = 0xFF;

  // The node of the value that begins now; kNone if the schema does not have it.
  NodeId node_of_value() const {
    if (depth_ == 0) return kBody;
    const SchemaNode& container = schema_[open_[depth_ - 1]];
    return container.shape == Shape::list ? container.first_child : next_;
  }

  bool integer(bool negative, std::uint64_t magnitude, double number) {
    Value value;
    value.kind = Value::Kind::integer;
    value.negative = negative;
    value.magnitude = magnitude;
    value.number = number;
    return scalar(value);
  }

  bool scalar(const Value& value) {
    if (skipped_depth_ > 0) {
      skipped_.empty = false;
    } else {
      deliver(node_of_value(), value);
    }
    return true;
  }

  bool start(Value::Kind kind, Shape shape) {
    if (skipped_depth_ > 0) {
      skipped_.empty = false;
      ++skipped_depth_;
      return true;
    }
    const NodeId node = node_of_value();
    if (node == kNone || schema_[node].shape != shape) {
      skipped_depth_ = 1;
      skipped_node_ = node;
      skipped_.kind = kind;
      skipped_.empty = true;
      return true;
    }
    assert(depth_ < kMaxSchemaDepth);
    open_[depth_++] = node;
    if (node == kData) {
      has_data_ = true;
      document_.begin();
    } else if (node != kBody) {
      document_.open(node);
    }
    return true;
  }

  bool end() {
    if (skipped_depth_ == 0) {
      const NodeId node = open_[--depth_];
      if (node > kData) document_.close(node);
    } else if (--skipped_depth_ == 0) {
      deliver(skipped_node_, skipped_);
    }
    return true;
  }

  void deliver(NodeId node, const Value& value) {
    if (node == kNone) return;
    if (node <= kData) {
      has_data_ = false;
    } else {
      document_.value(node, value);
    }
  }

  Schema schema_;
  Document& document_;
  std::array<NodeId, kMaxSchemaDepth> open_{};  // the nodes around the current value, outermost first
  std::size_t depth_ = 0;
  NodeId next_ = kNone;            // of the member whose key was read last
  std::size_t skipped_depth_ = 0;  // above 0: inside a value that is skipped
  NodeId skipped_node_ = kNone;    // whose value that is
  Value skipped_;
  bool has_data_ = false;
  std::size_t error_position_ = 0;
};

Result<void> parse(std::string_view body, Schema schema, Document& document) {
  Walker walker(schema, document);
  const bool parsed = Json::sax_parse(body.data(), body.data() + body.size(), &walker);
  // The parser takes a NUL as the end of the text.
  const auto nul = parsed ? body.find('\0') : std::string_view::npos;
  if (parsed && nul == std::string_view::npos) {
    if (walker.has_data()) return {};
    return Error{"the answer is JSON, but not an object with an object `data`; is api_url the SqlBak API's?"};
  }
  if (body.empty()) return Error{"the answer is empty"};
  const std::size_t position = parsed ? nul + 1 : walker.error_position();
  if (position > body.size()) {
    return Error{"the answer is cut off: its JSON does not end within " + std::to_string(body.size()) +
                 " bytes"};
  }
  return Error{"the answer is not JSON: byte " + std::to_string(position) + " of " +
               std::to_string(body.size()) + " cannot be read"};
}

}  // namespace

Result<void> walk(std::string_view body, Schema schema, Document& document) {
  Result<void> walked = parse(body, schema, document);
  if (walked.ok()) return walked;
  // Only after the parser has refused the body, so that valid answers do not pay for it.
  const std::optional<std::string> repaired = repaired_json(body);
  return repaired ? parse(*repaired, schema, document) : walked;
}

}  // namespace sqlbak_gateway::sqlbak
