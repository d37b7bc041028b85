#include "history/codec.h"

#include "history/bytes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::history {
namespace {

constexpr std::int64_t kUndatedChunk = std::numeric_limits<std::int64_t>::max();

std::int64_t chunk_of(EpochMs start) {
  if (!start.has_value()) return kUndatedChunk;
  return static_cast<std::int64_t>(
      std::floor(std::clamp(start.milliseconds() / kMillisecondsPerDay, -1e9, 1e9)));
}

void write(ByteWriter& out, const std::optional<AccountInfo>& info) {
  out.flag(info.has_value());
  if (!info) return;
  out.text(info->email);
  out.flag(info->suspended);
  out.instant(info->created_at);
}

std::optional<AccountInfo> read_info(ByteReader& in) {
  if (!in.flag()) return std::nullopt;
  AccountInfo info;
  info.email = in.text();
  info.suspended = in.optional_flag();
  info.created_at = in.epoch_ms();
  return info;
}

void write(ByteWriter& out, const Remembered& remembered) {
  out.instant(remembered.first_seen);
  out.instant(remembered.oldest_run);
  for (const RememberedType& type : remembered.types) {
    const bool known = !(type == RememberedType{});
    out.flag(known);
    if (!known) continue;
    out.instant(type.last_success);
    out.instant(type.last_attempt);
    out.instant(type.last_finished);
    out.flag(type.last_finished_succeeded);
    out.number(type.consecutive_failures);
  }
}

Remembered read_remembered(ByteReader& in) {
  Remembered remembered;
  remembered.first_seen = in.epoch_ms();
  remembered.oldest_run = in.epoch_ms();
  for (RememberedType& type : remembered.types) {
    if (!in.flag()) continue;
    type.last_success = in.epoch_ms();
    type.last_attempt = in.epoch_ms();
    type.last_finished = in.epoch_ms();
    type.last_finished_succeeded = in.flag();
    type.consecutive_failures = in.number();
  }
  return remembered;
}

// These come last, so that a history without them can be read.
void write_successes(ByteWriter& out, const Remembered& remembered) {
  for (const RememberedType& type : remembered.types) {
    out.number(type.successes.size());
    for (const EpochMs start : type.successes) out.instant(start);
  }
}

void read_successes(ByteReader& in, Remembered& remembered) {
  if (in.at_end()) return;
  for (RememberedType& type : remembered.types) {
    const std::size_t count = in.count();
    if (count > RememberedType::kSuccesses) return in.fail();
    for (std::size_t i = 0; i < count; ++i) {
      const EpochMs start = in.epoch_ms();
      if (!start.has_value() || (i > 0 && !(type.successes.back().milliseconds() < start.milliseconds())))
        return in.fail();
      type.successes.push_back(start);
    }
  }
}

void write(ByteWriter& out, const JobSettings& settings) {
  for (const BackupType type : kBackupTypes) out.flag(settings.enabled_types.contains(type));
  out.integer(settings.full_retention_days);
  out.integer(settings.inc_retention_days);
  out.flag(settings.enabled);
}

JobSettings read_settings(ByteReader& in) {
  JobSettings settings;
  for (const BackupType type : kBackupTypes) {
    if (in.flag()) settings.enabled_types.insert(type);
  }
  settings.full_retention_days = in.integer_within(kMaxRetentionDays);
  settings.inc_retention_days = in.integer_within(kMaxRetentionDays);
  settings.enabled = in.optional_flag();
  return settings;
}

void write(ByteWriter& out, RunId id, const std::vector<std::string>& names) {
  out.flag(id.is_named());
  if (id.is_named()) {
    out.text(names[id.name_index()]);
  } else {
    out.number(id.bits());
  }
}

// Gives texts new numbers while it reads.
std::uint32_t number_of(std::string text, std::vector<std::string>& texts,
                        std::unordered_map<std::string, std::uint32_t>& numbers) {
  const auto [found, added] = numbers.try_emplace(text, static_cast<std::uint32_t>(texts.size()));
  if (added) texts.push_back(std::move(text));
  return found->second;
}

RunId read_id(ByteReader& in, std::vector<std::string>& names,
              std::unordered_map<std::string, std::uint32_t>& numbers) {
  if (in.flag()) return RunId::named(number_of(in.text(), names, numbers));
  const RunId id = RunId::from_bits(in.number());
  if (id.is_named()) in.fail();
  return in.ok() ? id : RunId();
}

BackupType read_type(ByteReader& in) {
  return kBackupTypes[in.at_most(kBackupTypeCount - 1)];
}

void write(ByteWriter& out, const Job& job) {
  out.text(job.id);
  out.text(job.name);
  out.text(job.server_id);
  out.text(job.server_name);
  out.flag(job.type.has_value());
  if (job.type) out.text(*job.type);
  out.flag(job.enabled);
}

Job read_job(ByteReader& in) {
  Job job;
  job.id = in.text();
  job.name = in.text();
  job.server_id = in.text();
  job.server_name = in.text();
  if (in.flag()) job.type = in.text();
  job.enabled = in.optional_flag();
  return job;
}

void write(ByteWriter& out, const RunTally& tally) {
  out.instant(tally.started_at);
  out.number(tally.succeeded);
  out.number(tally.failed);
  out.number(tally.other);
  out.byte(static_cast<std::uint8_t>(tally.type));
  out.flag(tally.undeleted);
  out.flags(tally.open, tally.vanished);
}

// Fails if they are not in order, on which everything else relies.
void read_tally(ByteReader& in, std::vector<RunTally>& tallies) {
  RunTally& tally = tallies.emplace_back();
  tally.started_at = in.epoch_ms();
  tally.succeeded = in.number32();
  tally.failed = in.number32();
  tally.other = in.number32();
  tally.type = read_type(in);
  tally.undeleted = in.flag();
  std::tie(tally.open, tally.vanished) = in.flags();
  if (tallies.size() == 1 || !tally.started_at.has_value()) return;
  const EpochMs before = tallies[tallies.size() - 2].started_at;
  if (!(before.milliseconds() <= tally.started_at.milliseconds())) in.fail();
}

// The members of JobRuns beside its tallies.
void write_latest(ByteWriter& out, const JobRuns& runs) {
  out.number(runs.databases.size());
  for (const DatabaseOutcome& outcome : runs.databases) {
    out.instant(outcome.started_at);
    out.text(outcome.database);
    out.byte(static_cast<std::uint8_t>(outcome.type));
    out.byte(static_cast<std::uint8_t>(outcome.status));
  }
  out.number(runs.extents.size());
  for (const RunExtent& extent : runs.extents) {
    out.instant(extent.started_at);
    out.instant(extent.finished_at);
    out.real(extent.size_bytes);
    out.byte(static_cast<std::uint8_t>(extent.type));
  }
}

void read_latest(ByteReader& in, JobRuns& runs) {
  for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
    DatabaseOutcome& outcome = runs.databases.emplace_back();
    outcome.started_at = in.epoch_ms();
    outcome.database = in.text();
    outcome.type = read_type(in);
    outcome.status = static_cast<EntryStatus>(in.at_most(2));
  }
  for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
    RunExtent& extent = runs.extents.emplace_back();
    extent.started_at = in.epoch_ms();
    extent.finished_at = in.epoch_ms();
    extent.size_bytes = in.real();
    extent.type = read_type(in);
  }
}

// How the runs of a published job are written.
enum PublishedRuns : std::uint8_t {
  kNoRuns,
  kTheJobsRuns,  // what is remembered of the job
  kOwnRuns  // runs of its own: a later collection has read the job at least in part, and was not published
};

// How the settings of a published job are written.
enum PublishedSettings : std::uint8_t {
  kNoSettings,
  kTheJobsSettings,
  kOwnSettings  // settings of its own: a later collection has read others or forgotten the job, and was not
                // published
};

bool knows_all_runs(const RememberedJob* job) {
  return job && job->runs && job->runs_complete;
}

// JobSnapshot::runs_reach of a job that was published at `collected_at`.
std::chrono::milliseconds reach_of(const RememberedJob* job, SystemTime collected_at) {
  if (!job || !job->covered_from) return std::chrono::milliseconds::max();
  const SystemTime listed_at = std::max(collected_at, job->runs_read_at.value_or(SystemTime::min()));
  return std::max(std::chrono::milliseconds::zero(), listed_at - *job->covered_from);
}

// --- Encoding ---

void write_header(ByteWriter& header, const RememberedJob& job) {
  header.text(job.id);
  header.instant(job.settings_read_at);
  header.instant(job.covered_from);
  header.number(job.collections_since_whole);
  header.instant(job.unlisted_since);
  header.flags(job.runs_complete, job.doubted_at.has_value());
  header.instant(job.runs_read_at);
  if (job.doubted_at) header.instant(*job.doubted_at);
}

// A job as last published. `remembered` is the job of the same id in the account's memory; null if there is
// none. Returns whether runs of its own were written.
bool write_published(ByteWriter& lists, const JobSnapshot& job, const RememberedJob* remembered) {
  write(lists, job.job);
  const bool the_jobs_settings = remembered && remembered->settings == job.settings;
  const PublishedSettings settings = !job.settings       ? kNoSettings
                                     : the_jobs_settings ? kTheJobsSettings
                                                         : kOwnSettings;
  lists.byte(settings);
  if (settings == kOwnSettings) write(lists, *job.settings);
  const bool the_jobs_runs = knows_all_runs(remembered) && job.runs.get() == &remembered->runs->runs;
  const PublishedRuns runs = !job.runs ? kNoRuns : the_jobs_runs ? kTheJobsRuns : kOwnRuns;
  lists.byte(runs);
  if (runs == kOwnRuns) {
    write(lists, *job.remembered);
    lists.number(job.runs->tallies.size());
    for (const RunTally& tally : job.runs->tallies) write(lists, tally);
    write_latest(lists, *job.runs);
  }
  lists.flag(job.settings_current);
  lists.flag(job.runs_current);
  lists.instant(job.runs_read_at);
  return runs == kOwnRuns;
}

std::string encode_lists(const Snapshot& snapshot, const AccountMemory& memory) {
  ByteWriter lists;
  lists.number(snapshot.servers.size());
  for (const Server& server : snapshot.servers) {
    lists.text(server.id);
    lists.text(server.name);
    lists.text(server.app_type);
    lists.text(server.status);
  }
  std::unordered_map<std::string_view, const RememberedJob*> known;
  for (const auto& job : memory.jobs) known.emplace(job->id, job.get());
  std::vector<const Remembered*> own;
  lists.number(snapshot.jobs.size());
  for (const auto& job : snapshot.jobs) {
    const auto found = known.find(job->job.id);
    if (write_published(lists, *job, found == known.end() ? nullptr : found->second))
      own.push_back(job->remembered.get());
  }
  for (const Remembered* remembered : own) write_successes(lists, *remembered);
  return std::move(lists).sealed();
}

}  // namespace

EncodedAccount encode_account(const AccountMemory& memory) {
  EncodedAccount encoded;
  ByteWriter header;
  header.text(memory.token_fingerprint);
  write(header, memory.info);
  header.instant(memory.info_asked_at);
  header.flag(memory.complete);
  header.flag(memory.runs_show_end);
  header.number(memory.jobs.size());
  for (const auto& job : memory.jobs) write_header(header, *job);
  const Snapshot* snapshot = memory.last_good.get();
  header.flag(snapshot != nullptr);
  if (snapshot) {
    header.instant(snapshot->collected_at);
    header.number(snapshot->jobs_unreadable);
    header.flag(snapshot->jobruns_available);
    header.flag(snapshot->jobsettings_available);
    write(header, snapshot->info);
    encoded.lists = encode_lists(*snapshot, memory);
  }
  encoded.header = std::move(header).sealed();
  return encoded;
}

std::string encode_job(const RememberedJob& job) {
  ByteWriter out;
  out.text(job.id);
  write(out, *job.remembered);
  out.flag(job.settings != nullptr);
  if (job.settings) write(out, *job.settings);
  out.flag(job.runs != nullptr);
  if (!job.runs) {
    write_successes(out, *job.remembered);
    return std::move(out).sealed();
  }
  const RememberedRuns& runs = *job.runs;
  out.number(runs.ids.size());
  write_latest(out, runs.runs);
  out.number(runs.unsettled.size());
  for (const UnsettledRun& run : runs.unsettled) {
    write(out, run.id, runs.names);
    out.instant(run.started_at);
    out.instant(run.first_seen);
    out.instant(run.unchanged_since);
    out.instant(run.failed_at);
    out.byte(run.failures);
    out.flags(run.read, run.missing);
  }
  out.number(runs.idle.size());
  for (const IdleRun& run : runs.idle) {
    write(out, run.id, runs.names);
    out.instant(run.started_at);
    out.flag(run.empty);
  }
  write_successes(out, *job.remembered);
  return std::move(out).sealed();
}

Chunks encode_chunks(const RememberedRuns& runs) {
  Chunks chunks;
  auto outcome = runs.outcomes.begin();
  for (std::size_t row = 0; row < runs.ids.size();) {
    const std::int64_t chunk = chunk_of(runs.runs.tallies[row].started_at);
    ByteWriter out;
    std::map<std::uint32_t, std::uint64_t> databases;
    for (; row < runs.ids.size() && chunk_of(runs.runs.tallies[row].started_at) == chunk; ++row) {
      out.flag(true);
      write(out, runs.ids[row], runs.names);
      write(out, runs.runs.tallies[row]);
      const auto end = std::find_if(outcome, runs.outcomes.end(),
                                    [row](const PackedOutcome& other) { return other.tally != row; });
      out.number(static_cast<std::uint64_t>(end - outcome));
      for (; outcome != end; ++outcome) {
        // Written by name the first time in a chunk, then by number.
        const auto [database, first] = databases.try_emplace(outcome->database, databases.size() + 1);
        out.number(first ? 0 : database->second);
        if (first) out.text(runs.databases[outcome->database]);
        out.byte(static_cast<std::uint8_t>(outcome->status));
      }
    }
    out.flag(false);
    chunks.emplace(chunk, std::move(out).sealed());
  }
  return chunks;
}

namespace {

void add_changed_chunks(const RememberedJob* before, const RememberedJob& after,
                        std::vector<Changes::Chunk>& out) {
  if (before && before->runs == after.runs) return;
  Chunks old = before && before->runs ? encode_chunks(*before->runs) : Chunks{};
  for (auto& [day, body] : after.runs ? encode_chunks(*after.runs) : Chunks{}) {
    const auto same = old.find(day);
    const bool changed = same == old.end() || same->second != body;
    if (same != old.end()) old.erase(same);
    if (changed) out.push_back({after.id, day, body});
  }
  for (const auto& [day, body] : old) out.push_back({after.id, day, std::nullopt});
}

}  // namespace

Changes changes(const AccountMemory* before, const AccountMemory& after) {
  EncodedAccount account = encode_account(after);
  Changes changes;
  changes.header = std::move(account.header);
  if (!before || encode_account(*before).lists != account.lists) changes.lists = std::move(account.lists);

  std::map<std::string_view, const RememberedJob*> old;
  if (before) {
    for (const auto& job : before->jobs) old[job->id] = job.get();
  }
  for (const auto& job : after.jobs) {
    const auto found = old.find(job->id);
    const RememberedJob* was = found == old.end() ? nullptr : found->second;
    if (was) old.erase(found);
    std::string body = encode_job(*job);
    if (!was || encode_job(*was) != body) changes.jobs.emplace(job->id, std::move(body));
    add_changed_chunks(was, *job, changes.chunks);
  }
  for (const auto& [id, job] : old) changes.removed_jobs.emplace_back(id);
  return changes;
}

// --- Decoding ---

bool AccountDecoder::account(std::string_view header, std::string_view lists) {
  ByteReader in(header);
  memory_->token_fingerprint = in.text();
  memory_->info = read_info(in);
  memory_->info_asked_at = in.optional_instant();
  memory_->complete = in.flag();
  memory_->runs_show_end = in.flag();
  for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
    auto job = std::make_shared<RememberedJob>();
    job->id = in.text();
    job->settings_read_at = in.optional_instant();
    job->covered_from = in.optional_instant();
    job->collections_since_whole = in.number32();
    job->unlisted_since = in.optional_instant();
    bool was_doubted = false;
    std::tie(job->runs_complete, was_doubted) = in.flags();
    job->runs_read_at = in.optional_instant();
    if (was_doubted) job->doubted_at = in.instant();
    if (!parts_.try_emplace(job->id, Part{job, nullptr, {}, {}}).second) return false;
    memory_->jobs.push_back(std::move(job));
  }
  if (!in.flag()) return in.finished();
  snapshot_ = std::make_shared<Snapshot>();
  snapshot_->collected_at = in.instant();
  snapshot_->jobs_unreadable = in.number32();
  snapshot_->jobruns_available = in.flag();
  snapshot_->jobsettings_available = in.flag();
  snapshot_->info = read_info(in);
  return in.finished() && published(lists);
}

bool AccountDecoder::published(std::string_view lists) {
  ByteReader rows(lists);
  for (std::size_t i = rows.count(); i > 0 && rows.ok(); --i) {
    Server& server = snapshot_->servers.emplace_back();
    server.id = rows.text();
    server.name = rows.text();
    server.app_type = rows.text();
    server.status = rows.text();
  }
  std::vector<std::shared_ptr<Remembered>> own;
  for (std::size_t i = rows.count(); i > 0 && rows.ok(); --i) {
    auto job = std::make_shared<JobSnapshot>();
    job->job = read_job(rows);
    // Placeholders until the job itself is read.
    const std::uint64_t settings = rows.at_most(kOwnSettings);
    if (settings == kTheJobsSettings) job->settings = placeholder_settings_;
    if (settings == kOwnSettings) job->settings = std::make_shared<const JobSettings>(read_settings(rows));
    const std::uint64_t published = rows.at_most(kOwnRuns);
    if (published == kTheJobsRuns) job->runs = placeholder_runs_;
    if (published == kOwnRuns) {
      own.push_back(std::make_shared<Remembered>(read_remembered(rows)));
      job->remembered = own.back();
      auto runs = std::make_shared<JobRuns>();
      for (std::size_t j = rows.count(); j > 0 && rows.ok(); --j) read_tally(rows, runs->tallies);
      read_latest(rows, *runs);
      job->runs = std::move(runs);
    }
    job->settings_current = rows.flag();
    job->runs_current = rows.flag();
    job->runs_read_at = rows.optional_instant();
    snapshot_->jobs.push_back(std::move(job));
  }
  for (const auto& remembered : own) read_successes(rows, *remembered);
  return rows.finished();
}

bool AccountDecoder::job(std::string_view body) {
  ByteReader in(body);
  const auto found = parts_.find(in.text());
  if (!in.ok() || found == parts_.end()) return false;
  Part& part = found->second;
  part.read = true;
  auto& job = part.job;
  auto& runs = part.runs;
  const auto remembered = std::make_shared<Remembered>(read_remembered(in));
  job->remembered = remembered;
  if (in.flag()) job->settings = std::make_shared<const JobSettings>(read_settings(in));
  if (!in.flag()) {
    read_successes(in, *remembered);
    return in.finished();
  }

  runs = std::make_shared<RememberedRuns>();
  // Reserves memory for the chunks. The number of rows is from the file, and bounded because it may be
  // damaged.
  const std::size_t rows = std::min<std::size_t>(in.number32(), 1u << 20);
  runs->ids.reserve(rows);
  runs->runs.tallies.reserve(rows);
  read_latest(in, runs->runs);
  for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
    UnsettledRun& run = runs->unsettled.emplace_back();
    run.id = read_id(in, runs->names, part.names);
    run.started_at = in.epoch_ms();
    run.first_seen = in.instant();
    run.unchanged_since = in.instant();
    run.failed_at = in.instant();
    run.failures = in.byte();
    std::tie(run.read, run.missing) = in.flags();
  }
  for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
    IdleRun& run = runs->idle.emplace_back();
    run.id = read_id(in, runs->names, part.names);
    run.started_at = in.epoch_ms();
    run.empty = in.flag();
  }
  read_successes(in, *remembered);
  return in.finished();
}

bool AccountDecoder::chunk(std::string_view job_id, std::string_view body) {
  const auto found = parts_.find(job_id);
  if (found == parts_.end() || !found->second.runs) return false;
  Part& part = found->second;
  RememberedRuns& runs = *part.runs;
  ByteReader in(body);
  std::vector<std::uint32_t> databases;  // of this chunk
  while (in.flag()) {
    const auto row = static_cast<std::uint32_t>(runs.ids.size());
    runs.ids.push_back(read_id(in, runs.names, part.names));
    read_tally(in, runs.runs.tallies);
    for (std::size_t i = in.count(); i > 0 && in.ok(); --i) {
      PackedOutcome& outcome = runs.outcomes.emplace_back();
      outcome.tally = row;
      const std::uint64_t database = in.number();
      if (database == 0) databases.push_back(number_of(in.text(), runs.databases, part.databases));
      if (database > databases.size()) in.fail();
      if (in.ok())
        outcome.database = databases[database == 0 ? databases.size() - 1 : database - 1] & ((1u << 30) - 1);
      outcome.status = in.at_most(2) & 3u;
    }
  }
  return in.finished();
}

std::shared_ptr<const AccountMemory> AccountDecoder::finish() && {
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  for (auto& [id, part] : parts_) {
    if (!part.read) return nullptr;
    if (!part.runs) continue;
    part.runs->ids.shrink_to_fit();
    part.runs->runs.tallies.shrink_to_fit();
    part.runs->outcomes.shrink_to_fit();
    // Names have other numbers now than in the file.
    std::sort(part.runs->unsettled.begin(), part.runs->unsettled.end(), by_id);
    std::sort(part.runs->idle.begin(), part.runs->idle.end(), by_id);
    part.job->runs = std::move(part.runs);
  }
  if (snapshot_) {
    for (auto& published : snapshot_->jobs) {
      auto job = std::make_shared<JobSnapshot>(*published);
      const auto found = parts_.find(job->job.id);
      const RememberedJob* known = found == parts_.end() ? nullptr : found->second.job.get();
      if (job->settings == placeholder_settings_) job->settings = known ? known->settings : nullptr;
      if (job->runs == placeholder_runs_) {
        job->runs =
            knows_all_runs(known) ? std::shared_ptr<const JobRuns>(known->runs, &known->runs->runs) : nullptr;
      }
      if (!job->remembered && known) job->remembered = known->remembered;
      job->runs_reach = reach_of(known, snapshot_->collected_at);
      published = std::move(job);
    }
    memory_->last_good = std::move(snapshot_);
  }
  return memory_;
}

}  // namespace sqlbak_gateway::history
