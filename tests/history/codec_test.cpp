// What is remembered survives being written down; damaged bytes become nothing, never nonsense.
#include "history/codec.h"

#include "history/remembered_account.h"
#include "simulator/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::history {
namespace {

using testing::fingerprint;
using testing::RememberedAccount;
using testing::reread;

TEST(Codec, BringsBackWhatCollectionsRemember) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    simulator::Random random(seed);
    RememberedAccount account(seed, simulator::random_knobs(random));
    for (int i = 0; i < 3; ++i) {
      const auto memory = account.collect(std::chrono::minutes(7 + random.below(2000)));
      const auto again = reread(*memory);
      ASSERT_TRUE(again);
      ASSERT_EQ(fingerprint(again), fingerprint(memory)) << "seed " << seed;
      account.restart_with(again);
    }
  }
}

TEST(Codec, BringsBackTheLastGoodSnapshot) {
  RememberedAccount account(1);
  const auto memory = account.collect();
  const Snapshot& before = *memory->last_good;
  const auto again = reread(*memory);
  const Snapshot& after = *again->last_good;
  EXPECT_EQ(after.collected_at, before.collected_at);
  EXPECT_EQ(after.servers, before.servers);
  EXPECT_EQ(after.info, before.info);
  ASSERT_EQ(after.jobs.size(), before.jobs.size());
  for (std::size_t i = 0; i < before.jobs.size(); ++i) {
    EXPECT_EQ(after.jobs[i]->job, before.jobs[i]->job);
    EXPECT_EQ(*after.jobs[i]->settings, *before.jobs[i]->settings);
    EXPECT_EQ(*after.jobs[i]->remembered, *before.jobs[i]->remembered);
    EXPECT_EQ(after.jobs[i]->runs->tallies, before.jobs[i]->runs->tallies);
    EXPECT_EQ(after.jobs[i]->runs->databases, before.jobs[i]->runs->databases);
    EXPECT_EQ(after.jobs[i]->runs->extents, before.jobs[i]->runs->extents);
    EXPECT_EQ(after.jobs[i]->runs_reach, before.jobs[i]->runs_reach);
    // What is published and what is remembered are the same runs, not two copies of them.
    EXPECT_EQ(after.jobs[i]->runs.get(), &again->jobs[i]->runs->runs);
  }
}

TEST(Codec, PublishedDataSurviveALaterHalfReadCollection) {
  RememberedAccount account(1);
  auto memory = std::make_shared<AccountMemory>(*account.collect());
  const JobSnapshot& published = *memory->last_good->jobs[0];
  ASSERT_GT(published.runs->tallies.size(), 1u);
  auto half_read = std::make_shared<RememberedJob>(*memory->jobs[0]);
  half_read->runs = std::make_shared<RememberedRuns>();
  half_read->remembered = std::make_shared<Remembered>();
  half_read->runs_complete = false;
  memory->jobs[0] = half_read;
  const auto again = reread(*memory);
  ASSERT_TRUE(again);
  const JobSnapshot& after = *again->last_good->jobs[0];
  ASSERT_TRUE(after.runs);
  EXPECT_EQ(after.runs->tallies, published.runs->tallies);
  EXPECT_EQ(after.runs->databases, published.runs->databases);
  EXPECT_EQ(after.runs->extents, published.runs->extents);
  EXPECT_EQ(*after.remembered, *published.remembered);
  EXPECT_TRUE(again->jobs[0]->runs->ids.empty());
  EXPECT_TRUE(fingerprint(again) == fingerprint(memory));
}

TEST(Codec, PublishedDataAreNotMixedWithAFailedCollections) {
  RememberedAccount account(1);
  const auto published = account.collect();
  auto memory = std::make_shared<AccountMemory>(*account.collect(std::chrono::hours(80)));
  memory->last_good = published->last_good;
  ASSERT_NE(memory->jobs[0]->runs->runs.tallies, published->last_good->jobs[0]->runs->tallies);
  const auto again = reread(*memory);
  ASSERT_TRUE(again);
  for (std::size_t i = 0; i < published->last_good->jobs.size(); ++i) {
    EXPECT_EQ(again->last_good->jobs[i]->runs->tallies, published->last_good->jobs[i]->runs->tallies);
    EXPECT_EQ(*again->last_good->jobs[i]->remembered, *published->last_good->jobs[i]->remembered);
  }
  EXPECT_EQ(again->jobs[0]->runs->runs.tallies, memory->jobs[0]->runs->runs.tallies);
}

// Found by the fuzz target `collection`: a job that the list has not named for a day, while all collections
// failed.
TEST(Codec, PublishedDataKeepTheSettingsTheyWereReadWith) {
  RememberedAccount account(1);
  const auto published = account.collect();
  ASSERT_GT(published->jobs.size(), 1u);
  auto memory = std::make_shared<AccountMemory>(*published);
  auto changed = std::make_shared<RememberedJob>(*memory->jobs[0]);
  auto settings = std::make_shared<JobSettings>(*changed->settings);
  settings->full_retention_days += 100;
  changed->settings = settings;
  memory->jobs[0] = changed;
  memory->jobs.erase(memory->jobs.begin() + 1, memory->jobs.end());
  const auto again = reread(*memory);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->last_good->jobs.size(), published->last_good->jobs.size());
  for (std::size_t i = 0; i < published->last_good->jobs.size(); ++i) {
    ASSERT_TRUE(again->last_good->jobs[i]->settings);
    EXPECT_EQ(*again->last_good->jobs[i]->settings, *published->last_good->jobs[i]->settings);
  }
  EXPECT_EQ(*again->jobs[0]->settings, *settings);
  EXPECT_TRUE(fingerprint(again) == fingerprint(memory));
}

TEST(Codec, KeepsVanishedAndMissingRuns) {
  RememberedAccount account(1);
  auto memory = std::make_shared<AccountMemory>(*account.collect());
  memory->last_good = nullptr;
  auto job = std::make_shared<RememberedJob>(*memory->jobs[0]);
  auto runs = std::make_shared<RememberedRuns>(*job->runs);
  ASSERT_FALSE(runs->ids.empty());
  runs->runs.tallies[0].vanished = true;
  UnsettledRun missing;
  missing.id = RunId::from_bits(1);
  missing.missing = true;
  runs->unsettled.insert(runs->unsettled.begin(), missing);
  job->runs = runs;
  memory->jobs[0] = job;
  const auto again = reread(*memory);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jobs[0]->runs->runs.tallies, runs->runs.tallies);
  EXPECT_EQ(again->jobs[0]->runs->unsettled, runs->unsettled);
}

TEST(Codec, BringsBackWhenAJobsRunsWereDoubted) {
  RememberedAccount account(1);
  auto memory = std::make_shared<AccountMemory>(*account.collect());
  auto job = std::make_shared<RememberedJob>(*memory->jobs[0]);
  job->doubted_at = memory->last_good->collected_at;
  memory->jobs[0] = job;
  const auto again = reread(*memory);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jobs[0]->doubted_at, job->doubted_at);
  EXPECT_EQ(again->jobs[1]->doubted_at, std::nullopt);
  EXPECT_EQ(again->jobs[1]->runs_read_at, memory->jobs[1]->runs_read_at);
}

TEST(Codec, RefusesAnAccountThatNamesAJobTwice) {
  RememberedAccount account(1);
  auto memory = std::make_shared<AccountMemory>(*account.collect());
  memory->jobs.push_back(memory->jobs[0]);
  EXPECT_FALSE(reread(*memory));
}

// Found by the fuzz target `history`: with them, a collection computed beyond what an integer holds.
TEST(Codec, RefusesInstantsAndRetentionsBeyondAllReason) {
  RememberedAccount account(1);
  const auto sound = account.collect();
  ASSERT_TRUE(reread(*sound));

  auto memory = std::make_shared<AccountMemory>(*sound);
  memory->info_asked_at = SystemTime::min();
  EXPECT_FALSE(reread(*memory));
  memory->info_asked_at = SystemTime::max();
  EXPECT_FALSE(reread(*memory));
  memory->info_asked_at = SystemTime(std::chrono::hours(-24 * kMaxRetentionDays));
  EXPECT_TRUE(reread(*memory)) << "as far back as the longest window reaches";

  memory = std::make_shared<AccountMemory>(*sound);
  auto job = std::make_shared<RememberedJob>(*memory->jobs[0]);
  memory->jobs[0] = job;
  auto settings = std::make_shared<JobSettings>(*job->settings);
  job->settings = settings;
  settings->full_retention_days = kMaxRetentionDays;
  EXPECT_TRUE(reread(*memory));
  settings->full_retention_days = kMaxRetentionDays + 1;
  EXPECT_FALSE(reread(*memory));
}

TEST(Codec, BringsBackTheLatestSuccessesThatAreNotKept) {
  RememberedAccount account(1);
  auto memory = std::make_shared<AccountMemory>(*account.collect());
  auto job = std::make_shared<RememberedJob>(*memory->jobs[0]);
  memory->jobs[0] = job;
  const auto with = [&](std::vector<EpochMs> successes) {
    auto remembered = std::make_shared<Remembered>(*job->remembered);
    remembered->of(BackupType::log).successes = std::move(successes);
    job->remembered = remembered;
    return reread(*memory);
  };
  const auto read = with({EpochMs(1000), EpochMs(2000.5)});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->jobs[0]->remembered, *job->remembered);
  EXPECT_FALSE(with({EpochMs(1000), EpochMs(1000)})) << "they ascend";
  EXPECT_FALSE(with({EpochMs()})) << "and have a start";
  EXPECT_FALSE(with(std::vector<EpochMs>(RememberedType::kSuccesses + 1))) << "and are no more than these";
}

TEST(Codec, BringsBackIdsThatAreNoNumbers) {
  auto runs = std::make_shared<RememberedRuns>();
  runs->names = {"run-a", "007"};
  runs->ids = {RunId::named(0), *RunId::numeric("7"), RunId::named(1)};
  runs->runs.tallies.resize(3);
  for (std::size_t i = 0; i < 2; ++i)
    runs->runs.tallies[i].started_at = EpochMs(1000.0 * static_cast<double>(i));
  auto job = std::make_shared<RememberedJob>();
  job->id = "job \"1\"";
  job->remembered = std::make_shared<Remembered>();
  job->runs = runs;
  AccountMemory memory;
  memory.jobs = {job};
  const auto again = reread(memory);
  ASSERT_TRUE(again);
  const RememberedRuns& read = *again->jobs[0]->runs;
  EXPECT_EQ(read.ids[0].text(read.names), "run-a");
  EXPECT_EQ(read.ids[1].text(read.names), "7");
  EXPECT_EQ(read.ids[2].text(read.names), "007");
}

TEST(Codec, RefusesBytesThatAreDamagedAnywhere) {
  RememberedAccount account(2, {}, {1, 1, 8});
  const auto memory = account.collect();
  const EncodedAccount encoded = encode_account(*memory);
  const std::string job = encode_job(*memory->jobs[0]);
  const std::string chunk = encode_chunks(*memory->jobs[0]->runs).begin()->second;
  const auto sound = [&](const std::string& header, const std::string& body, const std::string& rows) {
    AccountDecoder decoder;
    return decoder.account(header, encoded.lists) && decoder.job(body) &&
           decoder.chunk(memory->jobs[0]->id, rows);
  };
  ASSERT_TRUE(sound(encoded.header, job, chunk));
  const auto flipped = [](std::string bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    return bytes;
  };
  for (std::size_t at = 0; at < encoded.header.size(); ++at)
    ASSERT_FALSE(sound(flipped(encoded.header, at), job, chunk));
  for (std::size_t at = 0; at < job.size(); ++at)
    ASSERT_FALSE(sound(encoded.header, flipped(job, at), chunk));
  for (std::size_t at = 0; at < chunk.size(); ++at)
    ASSERT_FALSE(sound(encoded.header, job, flipped(chunk, at)));
  for (std::size_t size = 0; size < job.size(); ++size)
    ASSERT_FALSE(sound(encoded.header, job.substr(0, size), chunk));
}

// The memory with one more run of its first job, a day after the newest.
std::shared_ptr<const AccountMemory> with_another_run(const AccountMemory& memory) {
  auto after = std::make_shared<AccountMemory>(memory);
  auto job = std::make_shared<RememberedJob>(*memory.jobs[0]);
  auto runs = std::make_shared<RememberedRuns>(*job->runs);
  RunTally tally = runs->runs.tallies.back();
  tally.started_at = EpochMs(tally.started_at.milliseconds() + kMillisecondsPerDay);
  runs->runs.tallies.push_back(tally);
  runs->ids.push_back(RunId::from_bits(987'654'321));
  job->runs = std::move(runs);
  after->jobs[0] = std::move(job);
  after->last_good = nullptr;
  return after;
}

TEST(Changes, AreTheHeaderAloneIfNothingChanged) {
  RememberedAccount account(1);
  const auto memory = account.collect();
  const Changes none = changes(memory.get(), *memory);
  EXPECT_EQ(none.header, encode_account(*memory).header);
  EXPECT_EQ(none.lists, std::nullopt);
  EXPECT_THAT(none.jobs, ::testing::IsEmpty());
  EXPECT_THAT(none.chunks, ::testing::IsEmpty());
  EXPECT_THAT(none.removed_jobs, ::testing::IsEmpty());
}

TEST(Changes, AreOneJobAndOneChunkAfterARun) {
  RememberedAccount account(1);
  auto before = std::make_shared<AccountMemory>(*account.collect());
  before->last_good = nullptr;
  const auto after = with_another_run(*before);
  const std::string& id = before->jobs[0]->id;

  const Changes added = changes(before.get(), *after);
  ASSERT_THAT(added.jobs, ::testing::SizeIs(1));
  EXPECT_EQ(added.jobs.begin()->first, id);
  ASSERT_THAT(added.chunks, ::testing::SizeIs(1));
  EXPECT_EQ(added.chunks[0].job, id);
  EXPECT_TRUE(added.chunks[0].body.has_value());

  const Changes removed = changes(after.get(), *before);
  ASSERT_THAT(removed.chunks, ::testing::SizeIs(1));
  EXPECT_EQ(removed.chunks[0].day, added.chunks[0].day);
  EXPECT_EQ(removed.chunks[0].body, std::nullopt);
}

TEST(Changes, NameJobsThatWereRemoved) {
  RememberedAccount account(1);
  const auto before = account.collect();
  auto after = std::make_shared<AccountMemory>(*before);
  after->jobs.erase(after->jobs.begin());
  EXPECT_THAT(changes(before.get(), *after).removed_jobs, ::testing::ElementsAre(before->jobs[0]->id));
}

TEST(Changes, FromNothingAreEveryPart) {
  RememberedAccount account(1);
  const auto memory = account.collect();
  const Changes all = changes(nullptr, *memory);
  EXPECT_EQ(all.lists, encode_account(*memory).lists);
  EXPECT_THAT(all.jobs, ::testing::SizeIs(memory->jobs.size()));
  std::size_t chunks = 0;
  for (const auto& job : memory->jobs) chunks += encode_chunks(*job->runs).size();
  EXPECT_THAT(all.chunks, ::testing::SizeIs(chunks));
}

TEST(Codec, RefusesAnAccountWithoutAllOfItsJobs) {
  RememberedAccount account(3);
  const auto memory = account.collect();
  const EncodedAccount encoded = encode_account(*memory);
  AccountDecoder decoder;
  ASSERT_TRUE(decoder.account(encoded.header, encoded.lists));
  ASSERT_TRUE(decoder.job(encode_job(*memory->jobs[0])));
  EXPECT_EQ(std::move(decoder).finish(), nullptr);
}

}  // namespace
}  // namespace sqlbak_gateway::history
