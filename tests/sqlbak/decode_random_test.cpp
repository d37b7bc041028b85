// The decoder and a naive one agree on random answers: they refuse the same ones, and read the same values
// from the others.
#include "sqlbak/answers.h"
#include "sqlbak/naive_decoder.h"
#include "sqlbak/random_answers.h"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace sqlbak_gateway::sqlbak {

template <typename Row>
bool operator==(const Page<Row>& a, const Page<Row>& b) {
  return a.rows == b.rows && a.elements == b.elements && a.has_more == b.has_more && a.total == b.total;
}

namespace {

using namespace ::sqlbak_gateway::sqlbak::testing;

bool same(const RunDetails& run, const NaiveRun& naive) {
  std::map<BackupType, RunTally> tallies;
  for (const RunTally& tally : run.tallies) tallies[tally.type] = tally;
  std::map<BackupType, RunExtent> extents;
  for (const RunExtent& extent : run.extents) extents[extent.type] = extent;
  std::map<std::tuple<std::string, BackupType>, EntryStatus> databases;
  for (const DatabaseOutcome& outcome : run.databases) {
    if (outcome.started_at != naive.started_at) return false;
    databases[{outcome.database, outcome.type}] = outcome.status;
  }
  return databases.size() == run.databases.size() && run.started_at == naive.started_at &&
         run.finished_at == naive.finished_at && run.entries == naive.entries &&
         run.all_final == naive.all_final && tallies == naive.tallies && extents == naive.extents &&
         databases == naive.databases;
}

template <typename T>
bool same(const T& decoded, const T& naive) {
  return decoded == naive;
}

constexpr int kDocuments = 3000;

// Damage can join two numbers into one, and the naive decoder is exact only up to 2^64.
bool has_huge_number(const std::string& body) {
  std::size_t digits = 0;
  for (const char c : body) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 20) return true;
  }
  return false;
}

// Every other document is damaged once or twice.
template <typename T, typename Naive>
void expect_agreement(std::string (RandomAnswers::*make)(), Result<T> (*decode)(std::string_view, Notes&),
                      std::optional<Naive> (*naive)(std::string_view)) {
  RandomAnswers random(20260114);
  int refused = 0;
  for (int i = 0; i < kDocuments; ++i) {
    std::string body = (random.*make)();
    if (i % 2 == 1) body = random.damaged(body);
    if (i % 4 == 3 && !body.empty()) body = random.damaged(body);
    if (has_huge_number(body)) continue;
    Notes notes;
    const Result<T> result = decode(body, notes);
    const std::optional<Naive> expected = naive(body);
    ASSERT_EQ(result.ok(), expected.has_value()) << i << ": " << body;
    if (!result.ok()) {
      ++refused;
      continue;
    }
    ASSERT_TRUE(same(*result, *expected)) << i << ": " << body;
  }
  EXPECT_GT(refused, kDocuments / 10);
  EXPECT_LT(refused, kDocuments * 6 / 10);
}

TEST(RandomAnswers, ServersAreReadAlike) {
  expect_agreement(&RandomAnswers::servers, decode_servers, naive_servers);
}

TEST(RandomAnswers, JobsAreReadAlike) {
  expect_agreement(&RandomAnswers::jobs, decode_jobs, naive_jobs);
}

TEST(RandomAnswers, RunListsAreReadAlike) {
  expect_agreement(&RandomAnswers::runs, decode_runs, naive_runs);
}

TEST(RandomAnswers, RunsAreReadAlike) {
  expect_agreement(&RandomAnswers::run, decode_run, naive_run);
}

TEST(RandomAnswers, SettingsAreReadAlike) {
  expect_agreement(&RandomAnswers::settings, decode_settings, naive_settings);
}

TEST(RandomAnswers, AccountsAreReadAlike) {
  expect_agreement(&RandomAnswers::account, decode_account, naive_account);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
