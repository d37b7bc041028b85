#include "sqlbak_gateway/config/bounded_tokens.h"

#include "sqlbak_gateway/base/mutex.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace sqlbak_gateway::config {
namespace {

using FileKey = std::pair<std::string, std::string>;  // the path, and the directory it must lie below

TokenLook without_an_answer(const TokenSource& source, const std::string& why) {
  return {std::nullopt, Error{"token file " + source.name + ' ' + why}};
}

}  // namespace

struct BoundedTokens::Looking {
  SteadyTime since;
  std::optional<TokenLook> found;  // under the mutex of Shared
};

struct BoundedTokens::Shared {
  Mutex mutex;
  Condition changed;  // a file has been read
  std::map<FileKey, std::shared_ptr<Looking>> running GUARDED_BY(mutex);
};

BoundedTokens::BoundedTokens(const TokenReader& reader, const Clock& clock, LookAtFile look_at_file,
                             Duration patience)
    : reader_(reader),
      clock_(clock),
      look_at_file_(std::move(look_at_file)),
      patience_(patience),
      shared_(std::make_shared<Shared>()) {}

BoundedTokens::~BoundedTokens() = default;

TokenLook BoundedTokens::look(const TokenSource& source, Deadline deadline) const {
  return look(std::vector{source}, deadline).front();
}

std::vector<TokenLook> BoundedTokens::look(const std::vector<TokenSource>& sources) const {
  return look(sources, Deadline::never());
}

// Joins the reading in progress, if there is one.
std::shared_ptr<BoundedTokens::Looking> BoundedTokens::begin(const TokenSource& source) const {
  auto looking = std::make_shared<Looking>(Looking{clock_.steady_now(), {}});
  const FileKey key{source.name, source.below};
  MutexLock lock(shared_->mutex);
  const auto [entry, first] = shared_->running.try_emplace(key, looking);
  if (!first) return entry->second;
  try {
    std::thread([shared = shared_, look_at_file = look_at_file_, source, key, looking] {
      std::optional<TokenLook> found;
      try {
        found.emplace(look_at_file(source));
      } catch (const std::exception& exception) {
        found.emplace(TokenLook{std::nullopt, Error{exception.what()}});
      }
      MutexLock ended(shared->mutex);
      looking->found = std::move(found);
      shared->running.erase(key);
      shared->changed.notify_all();
    }).detach();
  } catch (const std::exception& exception) {
    looking->found =
        without_an_answer(source, std::string("cannot be read: no thread for it: ") + exception.what());
    shared_->running.erase(entry);
  }
  return looking;
}

std::vector<TokenLook> BoundedTokens::look(const std::vector<TokenSource>& sources, Deadline deadline) const {
  const Deadline limit = std::min(deadline, Deadline::after(clock_.steady_now(), patience_));
  std::vector<std::shared_ptr<Looking>> looks(sources.size());  // null if not begun, or not a file
  std::size_t begun = 0;
  std::size_t unanswered = 0;
  for (;;) {
    for (; begun < sources.size() && unanswered < kTogether; ++begun) {
      if (sources[begun].kind != TokenSource::Kind::file) continue;
      looks[begun] = begin(sources[begun]);
      ++unanswered;
    }
    MutexLock lock(shared_->mutex);
    const SteadyTime now = clock_.steady_now();
    if (limit.passed(now)) break;
    Deadline next = limit;
    bool waits = false;
    unanswered = 0;
    for (const std::shared_ptr<Looking>& looking : looks) {
      if (!looking || looking->found) continue;
      ++unanswered;
      const Deadline hangs = Deadline::after(looking->since, patience_);
      if (hangs.passed(now)) continue;
      waits = true;
      next = std::min(next, hangs);
    }
    if (begun < sources.size() && unanswered < kTogether) continue;
    if (!waits) break;
    const auto waited = shared_->changed.wait_for(shared_->mutex, next.remaining(now));
    // Else another caller began this reading, and nobody waits for it any longer.
    if (waited == std::cv_status::timeout && next == limit) break;
  }

  std::vector<TokenLook> found;
  found.reserve(sources.size());
  MutexLock lock(shared_->mutex);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].kind != TokenSource::Kind::file) {
      found.push_back({TokenStamp(), reader_.read(sources[i])});
    } else if (i >= begun) {
      found.push_back(without_an_answer(sources[i], "was not looked at: too many others do not answer"));
    } else if (looks[i]->found) {
      found.push_back(*looks[i]->found);
    } else {
      found.push_back(
          without_an_answer(sources[i], "could not be read in time: its file system does not answer"));
    }
  }
  return found;
}

}  // namespace sqlbak_gateway::config
