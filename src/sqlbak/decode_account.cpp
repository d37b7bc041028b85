// /me: whose account the token opens.
#include "sqlbak/decode.h"
#include "sqlbak/field.h"
#include "sqlbak/json_walker.h"

#include <array>

namespace sqlbak_gateway::sqlbak {
namespace {

enum : NodeId { kEmail = kData + 1, kIsSuspended, kCreatedAt };

constexpr auto kSchema = make_schema(std::array<SchemaRow, 3>{{
    {kEmail, kData, Shape::scalar, "email"},
    {kIsSuspended, kData, Shape::scalar, "is_suspended"},
    {kCreatedAt, kData, Shape::scalar, "created_at"},
}});

class AccountDocument final : public Document {
 public:
  void begin() override {
    account_ = {};
    notes_ = {};
  }
  void open(NodeId) override {}
  void close(NodeId) override {}
  void value(NodeId node, const Value& value) override {
    switch (node) {
      case kEmail:
        account_.email = text_or("", value, NotedField::account, notes_);
        break;
      case kIsSuspended:
        account_.suspended = flag_from(value, NotedField::account, notes_);
        break;
      case kCreatedAt:
        account_.created_at = instant_of(value);
        if (!account_.created_at.has_value() && value.kind != Value::Kind::null) {
          notes_.unrecognised.note(NotedField::account, sample_of(value));
        }
        break;
      default:
        break;
    }
  }
  AccountInfo finish(Notes& notes) && {
    notes.merge(notes_);
    return std::move(account_);
  }

 private:
  AccountInfo account_;
  Notes notes_;
};

}  // namespace

Result<AccountInfo> decode_account(std::string_view body, Notes& notes) {
  AccountDocument document;
  if (const auto walked = walk(body, kSchema, document); !walked.ok()) return walked.error();
  return std::move(document).finish(notes);
}

}  // namespace sqlbak_gateway::sqlbak
