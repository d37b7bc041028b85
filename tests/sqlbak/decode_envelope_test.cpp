// Rules that hold for every answer.
#include "sqlbak/answers.h"

#include <functional>
#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

using namespace ::sqlbak_gateway::sqlbak::testing;
using namespace std::string_literals;
using ::testing::HasSubstr;

struct Decoder {
  std::string name;
  std::function<std::string(const std::string&)> refusal_of;
};

const std::vector<Decoder>& decoders() {
  static const std::vector<Decoder> all = {
      {"servers", [](const std::string& body) { return refusal(decode_servers, body); }},
      {"jobs", [](const std::string& body) { return refusal(decode_jobs, body); }},
      {"settings", [](const std::string& body) { return refusal(decode_settings, body); }},
      {"runs", [](const std::string& body) { return refusal(decode_runs, body); }},
      {"run", [](const std::string& body) { return refusal(decode_run, body); }},
      {"account", [](const std::string& body) { return refusal(decode_account, body); }},
  };
  return all;
}

void expect_refused(const std::string& body, const std::string& message) {
  for (const Decoder& decoder : decoders()) {
    EXPECT_THAT(decoder.refusal_of(body), HasSubstr(message)) << decoder.name << ": " << body.substr(0, 80);
  }
}

void expect_accepted(const std::string& body) {
  for (const Decoder& decoder : decoders()) {
    EXPECT_EQ(decoder.refusal_of(body), "") << decoder.name << ": " << body.substr(0, 80);
  }
}

TEST(Envelope, IsAnObjectWithAnObjectData) {
  for (const char* body : {"null", "true", "42", "\"data\"", "[]", R"([{"data":{}}])", "{}", R"({"Data":{}})",
                           R"({"data":null})", R"({"data":[]})", R"({"data":"x"})", R"({"data":0})",
                           R"({"error":{"data":{}}})", R"({"data":[{"list":[]}]})"}) {
    expect_refused(body, "not an object with an object `data`");
  }
  for (const char* body :
       {R"({"data":{}})", " \t\r\n{ \"data\" : { } }\n", "\xEF\xBB\xBF{\"data\":{}}",
        R"({"status":"ok","data":{},"request_id":[1,{"data":7}]})", R"({"d\u0061ta":{}})"}) {
    expect_accepted(body);
  }
}

TEST(Envelope, TheLastOfRepeatedDataStands) {
  expect_accepted(R"({"data":null,"data":{}})");
  expect_refused(R"({"data":{},"data":null})", "not an object with an object `data`");
  expect_refused(R"({"data":{},"data":[]})", "not an object with an object `data`");
  EXPECT_EQ(decoded(decode_account, R"({"data":{"email":"a"},"data":{}})").email, "");
  EXPECT_TRUE(decoded(decode_runs, R"({"data":{"list":[{"id":1}],"has_more":1},"data":{}})").rows.empty());
  EXPECT_EQ(
      decoded(decode_run, R"({"data":{"started_at":1,"backups":"x"},"data":{"started_at":2}})").started_at,
      EpochMs(2.0));
}

TEST(Envelope, RefusesWhatIsNotJson) {
  expect_refused("", "empty");
  expect_refused("<html><body>502 Bad Gateway</body></html>", "not JSON: byte 1 of 41");
  for (const std::string& body :
       {R"({"data":{"x":NaN}})"s, R"({"data":{"x":Infinity}})"s, R"({"data":{"x":-Infinity}})"s,
        R"({'data':{}})"s, R"({"data":{},})"s, R"({"data":{}}x)"s, R"({"data":{}}{"data":{}})"s,
        R"({"data":{}}/**/)"s, R"({"data":{"x":01}})"s, R"({"data":{"x":1.}})"s, R"({"data":{"x":"\q"}})"s,
        "{\"data\":{\"x\":\"\n\"}}"s, "{\"data\":{}}\0"s, "{\"data\":{}}\0{}"s, "{\"data\":{\"x\":\"\0\"}}"s,
        "\0{\"data\":{}}"s, "\xFF\xFE{\0}\0"s, R"({"data":{"x":1e99999}})"s}) {
    expect_refused(body, "not JSON: byte ");
  }
}

TEST(Envelope, RefusesAnAnswerCutOffAnywhere) {
  const std::string whole = data(R"("list":[{"id":17,"name":"x"}],"backups":[{"uploads":[]}],"email":"y\n")");
  expect_accepted(whole);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    for (const Decoder& decoder : decoders()) {
      EXPECT_NE(decoder.refusal_of(whole.substr(0, length)), "") << decoder.name << " at " << length;
    }
  }
  expect_refused(whole.substr(0, 40), "cut off: its JSON does not end within 40 bytes");
}

TEST(Envelope, IgnoresMembersNeverSeenBeforeWhateverTheyHold) {
  const std::string deep = std::string(50'000, '[') + std::string(50'000, ']');
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += R"({"data":)";
  objects += "1" + std::string(50'000, '}');
  for (const std::string& value :
       {"1e400"s, "-1e400"s, "1e-400"s, std::string(400, '9'), "123456789012345678901234567890"s,
        R"({"list":7,"backups":{"destinations":[]}})"s, R"([{"id":1}])"s, "\"\\ud83d\\ude00\""s, deep,
        objects}) {
    expect_accepted(data(R"("brand_new":)" + value));
    expect_accepted(R"({"brand_new":)" + value + R"(,"data":{}})");
  }
}

TEST(Envelope, IsSafeAtAnyDepth) {
  expect_refused(std::string(500'000, '['), "cut off");
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += R"({"data":)";
  expect_refused(objects, "cut off");
}

TEST(Envelope, AFailedAnswerNotesNothing) {
  Notes notes;
  EXPECT_FALSE(decode_run(run(R"({"status":"odd","size":1},)"), notes).ok());
  EXPECT_FALSE(decode_run(run(R"({"status":"odd","size":1,"uploads":1})"), notes).ok());
  EXPECT_TRUE(notes.unrecognised.empty());
  EXPECT_TRUE(notes.fields.empty());
}

// "\xE9" is é in Latin-1; "\ud83d" is the first half of an emoji.
TEST(Text, InvalidInAnyWayIsReplaced) {
  struct Case {
    std::string in_json;
    std::string name;
  };
  const Case cases[] = {
      {"caf\xC3\xA9", "caf\xC3\xA9"},
      {"caf\xE9", "caf\xEF\xBF\xBD"},
      {"\xF0\x9F\x98", "\xEF\xBF\xBD"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
      {R"(\ud83d)", "\xEF\xBF\xBD"},
      {R"(\ude00)", "\xEF\xBF\xBD"},
      {R"(\ud83d\ud83d\ude00)", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
      {R"(\ud83d\u0041)", "\xEF\xBF\xBD\x41"},
      {R"(\ud83dx)", "\xEF\xBF\xBDx"},
      {R"(\\ud83d)", R"(\ud83d)"},
      {"\\\\\\ud83d\xE9", "\\\xEF\xBF\xBD\xEF\xBF\xBD"},
      {R"(a \"b\" \\ \n \u0000)", "a \"b\" \\ \n \0"s},
  };
  for (const Case& c : cases) {
    const auto servers = decoded(decode_servers, page(R"({"id":1,"name":")" + c.in_json + R"("})"));
    ASSERT_EQ(servers.rows.size(), 1u);
    EXPECT_EQ(servers.rows[0].name, c.name) << c.in_json;
  }
  expect_refused(R"({"data":{"x":"\ud8"}})", "not JSON");
  expect_refused("{\"data\":{}}\xE9", "not JSON");
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
