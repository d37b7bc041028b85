// /servers, /jobs and /jobruns: one envelope, three kinds of rows.
#include "sqlbak/decode.h"
#include "sqlbak/endpoints.h"
#include "sqlbak/field.h"
#include "sqlbak/json_walker.h"
#include "sqlbak/keep_last.h"
#include "sqlbak/plausible.h"
#include "sqlbak_gateway/base/text.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

constexpr std::string_view kUnknown = "unknown";

enum : NodeId { kList = kData + 1, kHasMore, kTotal, kRow, kFirstMember };

// The envelope of a list whose rows have these members, all of them scalars.
template <std::size_t N>
constexpr auto list_schema(const std::array<std::string_view, N>& members) {
  std::array<SchemaRow, 4 + N> rows = {{
      {kList, kData, Shape::list, "list"},
      {kHasMore, kData, Shape::scalar, "has_more"},
      {kTotal, kData, Shape::scalar, "total"},
      {kRow, kList, Shape::object, ""},
  }};
  for (std::size_t i = 0; i < N; ++i) {
    rows[4 + i] = {static_cast<NodeId>(kFirstMember + i), kRow, Shape::scalar, members[i]};
  }
  return make_schema(rows);
}

// A reader reads one row: value() takes its members, numbered as in its schema, and finish() says whether the
// row can be identified.
struct ServerReader {
  using Row = Server;
  static constexpr NotedField kNoRow = NotedField::server_row;
  enum : NodeId { kId, kName, kAppType, kStatus };
  static constexpr auto kSchema =
      list_schema(std::array<std::string_view, 4>{"id", "name", "app_type", "status"});

  Server row{.id = {}, .name = std::string(kUnknown), .app_type = std::string(kUnknown), .status = {}};

  void value(NodeId member, const Value& value, Notes& notes) {
    switch (member) {
      case kId:
        row.id = text_or("", value, NotedField::server_id, notes);
        break;
      case kName:
        row.name = text_or(kUnknown, value, NotedField::server_name, notes);
        break;
      case kAppType:
        row.app_type = text_or(kUnknown, value, NotedField::server_name, notes);
        break;
      case kStatus:
        row.status = status_of(value, notes);
        break;
    }
  }
  bool finish(Notes&) { return true; }

 private:
  static std::string status_of(const Value& value, Notes& notes) {
    std::string status = lower_case(trimmed(text_or("", value, NotedField::server_status, notes)));
    if (!status.empty() && status != "online" && status != "offline" && status != "disconnected") {
      notes.unrecognised.note(NotedField::server_status, status);
    }
    return status;
  }
};

struct JobReader {
  using Row = Job;
  static constexpr NotedField kNoRow = NotedField::job_row;
  enum : NodeId { kId, kName, kServerId, kJobType, kType, kIsEnabled, kEnabled };
  static constexpr auto kSchema = list_schema(std::array<std::string_view, 7>{
      "id", "name", "server_id", "job_type", "type", "is_enabled", "enabled"});

  Job row{
      .id = {}, .name = std::string(kUnknown), .server_id = {}, .server_name = {}, .type = {}, .enabled = {}};

  void value(NodeId member, const Value& value, Notes& notes) {
    switch (member) {
      case kId:
        id_given = true;
        row.id = identity(value, NotedField::job_id, notes);
        break;
      case kName:
        row.name = text_or(kUnknown, value, NotedField::job_name, notes);
        break;
      case kServerId:
        row.server_id = text_or("", value, NotedField::server_id, notes);
        break;
      case kJobType:
      case kType:
        type.read(member - std::size_t{kJobType}, type_of(value, notes), notes);
        break;
      case kIsEnabled:
      case kEnabled:
        enabled.read(member - std::size_t{kIsEnabled}, flag_from(value, NotedField::job_enabled, notes),
                     notes);
        break;
    }
  }
  bool finish(Notes& notes) {
    if (!id_given) notes.unrecognised.note(NotedField::job_id, "missing");
    row.type = type.take();
    row.enabled = enabled.take();
    return !row.id.empty();
  }

 private:
  static std::optional<std::string> type_of(const Value& value, Notes& notes) {
    std::string type = lower_case(trimmed(text_or("", value, NotedField::job_type, notes)));
    if (type.empty()) return std::nullopt;
    if (type != "backup" && type != "maintenance") notes.unrecognised.note(NotedField::job_type, type);
    return type;
  }

  bool id_given = false;
  Plausible<std::string, PlausibleField::job_type_job_type, 2> type;
  Plausible<bool, PlausibleField::job_enabled_is_enabled, 2> enabled;
};

struct RunReader {
  using Row = RunRow;
  static constexpr NotedField kNoRow = NotedField::run_row;
  static constexpr auto kSchema = list_schema(std::array<std::string_view, 1>{"id"});

  RunRow row;

  void value(NodeId, const Value& value, Notes& notes) {
    id_given = true;
    row.id = identity(value, NotedField::run_id, notes);
  }
  bool finish(Notes& notes) {
    if (!id_given) notes.unrecognised.note(NotedField::run_id, "missing");
    return !row.id.empty();
  }

 private:
  bool id_given = false;
};

std::optional<std::uint64_t> total_of(const Value& value) {
  if (value.kind == Value::Kind::integer && !value.negative) return value.magnitude;
  const auto amount = amount_of(value);
  if (!amount || *amount >= 0x1p64) return std::nullopt;
  return static_cast<std::uint64_t>(*amount);
}

template <typename Reader>
class ListDocument final : public Document {
 public:
  using Row = typename Reader::Row;

  void begin() override {
    page_ = {};
    notes_ = {};
    unreadable_.reset();
  }
  void open(NodeId node) override {
    if (node == kList) return begin_list();
    count_element();
    reader_ = Reader{};
  }
  void close(NodeId node) override {
    if (node == kRow && reader_.finish(notes_) && !unreadable_) page_.rows.push_back(std::move(reader_.row));
  }
  void value(NodeId node, const Value& value) override {
    switch (node) {
      case kList:
        begin_list();
        unreadable_ = not_a_list("data.list", value);
        break;
      case kHasMore:
        page_.has_more = truthy(value);
        break;
      case kTotal:
        page_.total = total_of(value);
        break;
      case kRow:
        count_element();
        notes_.unrecognised.note(Reader::kNoRow, sample_of(value));
        break;
      default:
        reader_.value(static_cast<NodeId>(node - kFirstMember), value, notes_);
    }
  }

  Result<Page<Row>> finish(Notes& notes) && {
    if (unreadable_) return *std::move(unreadable_);
    // Servers without an id are never the same: their places tell them apart.
    keep_last_of_each(page_.rows, [&](const Row& row) {
      const auto place = row.id.empty() ? &row - page_.rows.data() : 0;
      return std::pair(std::string_view(row.id), place);
    });
    notes.merge(notes_);
    return std::move(page_);
  }

 private:
  void begin_list() {
    page_.rows.clear();
    page_.rows.reserve(kPageSize);
    page_.elements = 0;
    unreadable_.reset();
  }
  void count_element() {
    if (++page_.elements <= kMaxPageElements || unreadable_) return;
    unreadable_ = Error{"the answer's page has more than " + std::to_string(kMaxPageElements) +
                        " elements, of " + std::to_string(kPageSize) + " asked for"};
    page_.rows.clear();
  }

  Page<Row> page_;
  Notes notes_;
  std::optional<Error> unreadable_;
  Reader reader_;
};

template <typename Reader>
Result<Page<typename Reader::Row>> decode_list(std::string_view body, Notes& notes) {
  ListDocument<Reader> document;
  if (const auto walked = walk(body, Reader::kSchema, document); !walked.ok()) return walked.error();
  return std::move(document).finish(notes);
}

}  // namespace

Result<Page<Server>> decode_servers(std::string_view body, Notes& notes) {
  return decode_list<ServerReader>(body, notes);
}

Result<Page<Job>> decode_jobs(std::string_view body, Notes& notes) {
  return decode_list<JobReader>(body, notes);
}

Result<Page<RunRow>> decode_runs(std::string_view body, Notes& notes) {
  return decode_list<RunReader>(body, notes);
}

}  // namespace sqlbak_gateway::sqlbak
