// Collector: runs the collections of all accounts on one thread, the upstream thread, which alternates
// between letting the Scheduler say what may be sent, and the Transport what has come back.
//
// A collection is detached from whoever asked for it: it goes on to its end, and its sink is told. Nothing in
// here waits but Transport::poll, and nothing needs a lock but the inbox through which other threads reach
// it.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "sqlbak_gateway/upstream/scheduler.h"
#include "sqlbak_gateway/upstream/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace sqlbak_gateway::gateway {

class Trace;  // gateway/trace.h: what one collection did

// Who ordered a collection. Called on the upstream thread; must be quick, and must not call the Collector
// back but through submit(), cancel() and forget().
class CollectionSink {
 public:
  CollectionSink() = default;
  CollectionSink(const CollectionSink&) = delete;
  CollectionSink& operator=(const CollectionSink&) = delete;
  virtual ~CollectionSink() = default;

  // What is known when the collection begins; null: nothing.
  virtual std::shared_ptr<const AccountMemory> memory() = 0;
  // One attempt ended. `status` is 0 when there was no answer.
  virtual void attempted(sqlbak::Endpoint endpoint, int status, Duration elapsed) = 0;
  // A backfill has read more jobs; at most once a second.
  virtual void progressed(std::shared_ptr<const Snapshot> snapshot) = 0;
  // What would be remembered if the collection ended now; at most once a minute, so that a long one that is
  // killed does not begin anew.
  virtual void write_down(std::shared_ptr<const AccountMemory> so_far) = 0;
  // The end, exactly once for each order: what was read, and what it took.
  virtual void ended(sqlbak::CollectionOutcome outcome, std::shared_ptr<const Trace> trace) = 0;
};

// One collection to be done. Value type.
struct CollectionOrder {
  upstream::AccountKey account{};  // one collection at a time for each
  upstream::Share share;  // its kind is set by the collector: a collection without memory is a backfill
  std::shared_ptr<const upstream::Peer> peer;
  std::shared_ptr<const Secret> token;
  sqlbak::CollectionPlan plan;
  Duration request_timeout = std::chrono::seconds(30);
  Duration collection_timeout = std::chrono::minutes(10);  // without any progress
  std::uint64_t max_response_bytes = 16u << 20;
  std::shared_ptr<CollectionSink> sink;
};

// Resource type. submit(), cancel(), forget(), set_limits() and wake() from any thread; the rest on the
// upstream thread.
class Collector {
 public:
  // Clock and transport outlive it. The seed makes the jitter of retries repeatable.
  Collector(const Clock& clock, upstream::Transport& transport, upstream::GlobalLimits limits,
            std::uint64_t seed);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector();

  void submit(CollectionOrder order) EXCLUDES(mutex_);
  // Gives up the account's collection, if one was submitted before and has not ended. Its sink is told the
  // end, with what has been read as memory.
  void cancel(upstream::AccountKey account) EXCLUDES(mutex_);
  // The same, and drops what the scheduler knows of the account: it is no longer configured.
  void forget(upstream::AccountKey account) EXCLUDES(mutex_);
  void set_limits(upstream::GlobalLimits limits) EXCLUDES(mutex_);
  // Ends a turn() early.
  void wake() { transport_.wake(); }

  // One turn of the loop: takes what other threads handed in, sends what may be sent, waits until something
  // comes back or `until` has come, and hands on what came.
  void turn(Deadline until);
  // Gives up every collection, without waiting for anything.
  void abandon_all();
  std::size_t running() const { return running_.size(); }

 private:
  struct Running;
  struct Asked {
    Running* running;
    sqlbak::Request request;
  };
  struct Cancellation {
    upstream::AccountKey account;
    bool forget;
  };

  void hand_in(std::variant<CollectionOrder, Cancellation, upstream::GlobalLimits> what) EXCLUDES(mutex_);
  void take_inbox() EXCLUDES(mutex_);
  void begin(CollectionOrder order);
  void give_up(const Cancellation& cancellation);
  void feed(Running& running);
  void send();
  void receive(upstream::Completion completion);
  void publish_progress(Running& running, SteadyTime now);
  void write_down(Running& running, SteadyTime now);
  std::optional<sqlbak::Answer::Failure> stalled(const CollectionOrder& order, SteadyTime now) const;
  void give_up_stalled();
  void end(Running& running);

  const Clock& clock_;
  upstream::Transport& transport_;
  upstream::Scheduler scheduler_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Running>> running_;  // by AccountKey
  std::unordered_map<upstream::Ticket, Asked> asked_;                    // enqueued or in flight

  Mutex mutex_;
  std::vector<std::variant<CollectionOrder, Cancellation, upstream::GlobalLimits>> inbox_ GUARDED_BY(mutex_);
};

}  // namespace sqlbak_gateway::gateway
