// Random API answers: shaped like the real ones, with a value of the wrong type, a missing or a repeated
// member here and there, and damaged documents. The same seed gives the same answers on every machine.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak::testing {

class RandomAnswers {
 public:
  explicit RandomAnswers(std::uint64_t seed) : random_(seed) {}

  std::string servers() {
    return list([this] {
      return object({{"id", id()}, {"name", name()}, {"app_type", name()}, {"status", status()}});
    });
  }
  std::string jobs() {
    return list([this] {
      return object({{"id", id()},
                     {"name", name()},
                     {"server_id", id()},
                     {"job_type", name()},
                     {"type", status()},
                     {"is_enabled", flag()},
                     {"enabled", flag()}});
    });
  }
  std::string runs() {
    return list([this] {
      return object({{"id", id()},
                     {"started_at", instant()},
                     {"status", status()},
                     {"finished_at", instant()},
                     {"ended_at", instant()},
                     {"end_time", instant()},
                     {"completed_at", instant()}});
    });
  }
  std::string run() {
    return envelope({{"id", id()},
                     {"started_at", instant()},
                     {"finished_at", instant()},
                     {"completed_at", instant()},
                     {"backups", array([this] { return entry(); })}});
  }
  std::string settings() {
    const auto enabled = [this] { return object({{"is_enabled", flag()}}); };
    return envelope(
        {{"schedule_settings", object({{"database_full", odd()},
                                       {"database_differential", enabled()},
                                       {"database_transaction_log", enabled()},
                                       {"database_incremental", enabled()}})},
         {"folders_backup_settings", object({{"backup_types", array([this] { return type(); })}})},
         {"destinations", array([this] {
            return object({{"full_backups_keep_months", days()},
                           {"full_backups_keep_days", days()},
                           {"inc_backups_keep_months", days()},
                           {"inc_backups_keep_days", days()}});
          })},
         {"is_enabled", flag()},
         {"enabled", flag()}});
  }
  std::string account() {
    return envelope({{"email", name()}, {"is_suspended", flag()}, {"created_at", instant()}});
  }

  // `body` with one piece of damage: something cut off, taken out, put in or doubled.
  std::string damaged(std::string body) {
    const std::size_t at = below(body.size());
    switch (below(5)) {
      case 0:
        return body.substr(0, at);
      case 1:
        return body.erase(at, 1 + below(3));
      case 2:
        return body.insert(at, 1, pick({"{", "}", "[", "]", ",", ":", "\"", "\xE9", "\\"})[0]);
      case 3:
        return body.insert(at, body.substr(at, 1 + below(12)));
      default:
        body[at] = pick({"{", "}", "[", "]", ",", ":", "\"", " ", "\xE9"})[0];
        return body;
    }
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }

 private:
  struct Member {
    std::string_view key;
    std::string value;
  };

  std::string_view pick(std::initializer_list<std::string_view> choices) {
    return choices.begin()[below(choices.size())];
  }
  // True one time in `n`.
  bool once_in(std::size_t n) { return below(n) == 0; }
  // Gives `value`, or now and then something else.
  std::string mostly(std::string_view value) { return once_in(12) ? odd() : std::string(value); }

  // A number whose text does not depend on how it is written, except for a trailing ".0".
  std::string odd() {
    return std::string(pick({"null",
                             "true",
                             "false",
                             "0",
                             "0.0",
                             "1",
                             "-1",
                             "42.0",
                             "42.5",
                             "\"\"",
                             "\"x\"",
                             "\" 12 \"",
                             "\"false\"",
                             "\"succeeded\"",
                             "{}",
                             "[]",
                             "[0]",
                             "[null]",
                             R"({"a":1})",
                             R"({"a":{"b":[{}]}})",
                             R"([[[{"id":1}]]])",
                             "[{}]",
                             "[[]]",
                             "18446744073709551615",
                             "\"\xE9\"",
                             R"({"is_deleted":true})"}));
  }
  std::string id() {
    return mostly(pick({"1", "2", "3", "4", "10", "\"2\"", "3.0", "\"a b\"", "9007199254740993"}));
  }
  std::string name() {
    return mostly(pick({"\"a\"", "\"b\"", R"("c \"d\" \\")", "\"\xC3\xA9\"", "\" Backup \"", "7"}));
  }
  std::string status() {
    return mostly(
        pick({"\"succeeded\"", "\"succeeded\"", "\" Failed \"", "\"running\"", "\"online\"", "\"OFFLINE\""}));
  }
  std::string type() {
    return mostly(pick({"\"database_full\"", "\"database_differential\"", "\"database_transaction_log\"",
                        "\" Database_Incremental\"", "\"folder\"", "\"other\""}));
  }
  std::string flag() { return mostly(pick({"true", "false", "1", "0", "\"yes\"", "null"})); }
  std::string instant() {
    return mostly(pick({"1768392000123", "1768392000999.5", "1768390000000", "null", "0"}));
  }
  std::string days() { return mostly(pick({"0", "1", "14", "3.9", "\"12\"", "-3", "\"x\"", "99999999"})); }

  std::string entry() {
    return object({{"backup_type", type()},
                   {"status", status()},
                   {"finished_at", instant()},
                   {"end_time", instant()},
                   {"size", days()},
                   {"size_bytes", days()},
                   {"database_name", name()},
                   {"db_name", name()},
                   {"uploads", array([this] {
                      return object({{"files", array([this] { return object({{"is_deleted", flag()}}); })}});
                    })}});
  }

  template <typename Element>
  std::string array(Element element) {
    if (once_in(30)) return odd();
    std::string text = "[";
    for (std::size_t i = 0, n = below(4); i < n; ++i)
      text += (i > 0 ? "," : "") + (once_in(30) ? odd() : element());
    return text + "]";
  }

  // Leaves out some members, repeats some, and shuffles them.
  std::string object(std::initializer_list<Member> members) {
    std::string text;
    const auto add = [&](std::string_view key, const std::string& value) {
      if (!text.empty()) text += once_in(2) ? "," : " , ";
      text += '"';
      text.append(key).append("\":").append(value);
    };
    const std::size_t first = below(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const Member& member = members.begin()[(first + i) % members.size()];
      if (once_in(6)) continue;
      if (once_in(25)) add(member.key, odd());
      add(member.key, member.value);
      if (once_in(25)) add(member.key, odd());
      if (once_in(25)) add("brand_new", odd());
    }
    return "{" + text + "}";
  }

  std::string envelope(std::initializer_list<Member> members) {
    return R"({"data":)" + (once_in(40) ? odd() : object(members)) + "}";
  }

  template <typename Row>
  std::string list(Row row) {
    return envelope({{"list", array(row)}, {"has_more", flag()}, {"total", days()}});
  }

  std::mt19937_64 random_;
};

}  // namespace sqlbak_gateway::sqlbak::testing
