#include "sqlbak_gateway/sqlbak/notes.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(Unrecognised, CountsEachFieldAndKeepsItsFirstSample) {
  Unrecognised noted;
  EXPECT_TRUE(noted.empty());
  noted.note(NotedField::entry_status, "warning");
  noted.note(NotedField::entry_type, "database_snapshot");
  noted.note(NotedField::entry_status, "cancelled");
  EXPECT_EQ(noted.count(NotedField::entry_status), 2u);
  EXPECT_EQ(noted.count(NotedField::entry_type), 1u);
  EXPECT_EQ(noted.count(NotedField::job_id), 0u);
  ASSERT_THAT(noted.entries(), SizeIs(2));
  EXPECT_EQ(noted.entries()[0].sample, "warning");
}

TEST(Unrecognised, MergesCounts) {
  Unrecognised all;
  all.note(NotedField::entry_status, "warning");
  Unrecognised more;
  more.note(NotedField::entry_status, "cancelled");
  more.note(NotedField::entry_status, "cancelled");
  more.note(NotedField::job_id, "{}");
  all.merge(more);
  EXPECT_EQ(all.count(NotedField::entry_status), 3u);
  EXPECT_EQ(all.count(NotedField::job_id), 1u);
  EXPECT_EQ(all.entries()[0].sample, "warning");
}

TEST(Unrecognised, CutsSamplesBetweenCharacters) {
  Unrecognised noted;
  const std::string before(Unrecognised::kMaxSampleBytes - 1, 'x');
  noted.note(NotedField::entry_status, before + "\xC3\xA9 and more");
  noted.note(NotedField::entry_type, before + "y and more");
  EXPECT_EQ(noted.entries()[0].sample, before);
  EXPECT_EQ(noted.entries()[1].sample, before + "y");
}

TEST(FieldsSeen, NamesEachFieldOnce) {
  FieldsSeen seen;
  EXPECT_TRUE(seen.empty());
  seen.insert(PlausibleField::entry_db_name);
  seen.insert(PlausibleField::run_finished_at);
  seen.insert(PlausibleField::entry_db_name);
  FieldsSeen more;
  more.insert(PlausibleField::job_type_type);
  seen.merge(more);
  EXPECT_TRUE(seen.contains(PlausibleField::job_type_type));
  EXPECT_FALSE(seen.contains(PlausibleField::job_type_job_type));
  EXPECT_THAT(seen.names(),
              ElementsAre("jobs: type", "jobrun_details: finished_at", "jobrun_details: backups[].db_name"));
}

TEST(Notes, HaveANameForEveryField) {
  std::set<std::string_view> noted;
  for (std::size_t i = 0; i < kNotedFieldCount; ++i) noted.insert(name(static_cast<NotedField>(i)));
  EXPECT_THAT(noted, SizeIs(kNotedFieldCount));
  EXPECT_EQ(name(NotedField::run_started_at), "run_started_at");
  EXPECT_EQ(name(NotedField::account), "account");
  std::set<std::string_view> plausible;
  for (std::size_t i = 0; i < kPlausibleFieldCount; ++i)
    plausible.insert(name(static_cast<PlausibleField>(i)));
  EXPECT_THAT(plausible, SizeIs(kPlausibleFieldCount));
  EXPECT_EQ(name(PlausibleField::entry_size_bytes), "jobrun_details: backups[].size_bytes");
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
