#include "sqlbak/field.h"

#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway::sqlbak {

namespace {

std::string bounded(std::string text, NotedField field, Notes& notes) {
  if (text.size() <= kMaxTextBytes) return text;
  notes.unrecognised.note(field, text);
  return shortened_to(text, kMaxTextBytes);
}

}  // namespace

std::string identity(const Value& value, NotedField field, Notes& notes) {
  if (truthy(value) && !value.is_container()) return text_of(value);
  notes.unrecognised.note(field, sample_of(value));
  return {};
}

std::string text_or(std::string_view otherwise, const Value& value, NotedField field, Notes& notes) {
  if (value.kind == Value::Kind::null) return std::string(otherwise);
  if (!value.is_container()) return bounded(text_of(value), field, notes);
  notes.unrecognised.note(field, sample_of(value));
  return std::string(otherwise);
}

std::optional<bool> flag_from(const Value& value, NotedField field, Notes& notes) {
  if (value.kind == Value::Kind::null) return std::nullopt;
  if (!value.is_container()) return truthy(value);
  notes.unrecognised.note(field, sample_of(value));
  return std::nullopt;
}

std::optional<Error> not_a_list(std::string_view path, const Value& value) {
  if (!truthy(value)) return std::nullopt;
  return Error{"the answer's `" + std::string(path) + "` is " + std::string(kind_of(value)) +
               " instead of a list"};
}

}  // namespace sqlbak_gateway::sqlbak
