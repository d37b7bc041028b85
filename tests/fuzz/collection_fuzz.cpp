// Feeds sequences of answers, failures, lies and pauses to several collections in a row over one simulated
// account. In between, what is remembered goes through the history's bytes, as in a restart. Each collection
// ends, makes a bounded number of requests with unique ids, and publishes and remembers what keeps the
// promises. Once the API is healthy again, the next collection succeeds.
//
// The input is one byte for the account, then two for each answer: which request in flight, and what it gets.
#include "fuzz/fuzz.h"
#include "fuzz/snapshot_promises.h"
#include "history/remembered_account.h"
#include "simulator/faults.h"
#include "support/collecting.h"

#include <set>

namespace sqlbak_gateway::fuzz {
namespace {

constexpr std::array kGarbage = {
    simulator::Garbage::malformed,    simulator::Garbage::wrong_types, simulator::Garbage::huge_numbers,
    simulator::Garbage::invalid_utf8, simulator::Garbage::truncated,   simulator::Garbage::empty,
    simulator::Garbage::html,         simulator::Garbage::null,        simulator::Garbage::no_data};

// An account written by hand, which is quicker than one with a history.
std::unique_ptr<simulator::Account> small_account(std::size_t jobs, std::size_t runs) {
  auto account = std::make_unique<simulator::Account>("acme", "token", testing::ManualClock::kStart, 1);
  account->add_server({.name = "sql"});
  for (std::size_t i = 0; i < jobs; ++i) {
    const auto job = account->add_job({.name = "job-" + std::to_string(i), .server_id = 1});
    for (std::size_t run = runs; run > 0; --run) {
      account->add_run(job, account->now() - simulator::Hours(30 * run), {.open = run == 1 && i == 1});
    }
  }
  return account;
}

// What a request gets whose honest answer is `answer`.
sqlbak::Answer spoilt(sqlbak::Answer answer, Choices& choices, const std::vector<std::string>& earlier) {
  // Most answers stay as they are, so that collections get far.
  const std::size_t kind = choices.below(32);
  if (kind < kFailureReasons.size()) {
    answer.body.clear();
    answer.failure = {kFailureReasons[kind], "as the fuzzer wished"};
    answer.status = kFailureReasons[kind] == FailureReason::upstream_error ? 500 : 0;
  } else if (kind < kFailureReasons.size() + kGarbage.size() && answer.status == 200) {
    answer.body = simulator::spoilt(kGarbage[kind - kFailureReasons.size()], answer.body);
  } else if (kind == 29) {
    answer.status = 404;
    answer.body.clear();
  } else if (kind == 30 && !earlier.empty()) {
    answer.body = earlier[choices.below(earlier.size())];  // another request's answer
  }
  return answer;
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  Choices choices(text_of(data, size));
  const std::uint8_t shape = choices.byte();

  testing::ManualClock clock;
  simulator::World world;
  world.add(small_account(1u + shape % 3, shape / 3 % 6));
  simulator::Random knobs(shape);
  simulator::Simulator api(std::move(world), clock,
                           shape % 2 == 0 ? simulator::Knobs() : random_knobs(knobs));

  std::shared_ptr<const AccountMemory> memory;
  std::vector<std::string> earlier;
  bool last_one = false;
  for (int round = 0; round < 6 && !last_one; ++round) {
    // The API is healthy for the last collection.
    last_one = choices.empty() || round == 5;
    sqlbak::CollectionPlan plan;
    plan.started_at = clock.system_now();
    plan.settings_ttl = std::chrono::minutes(shape % 20);
    plan.token_fingerprint = !last_one && choices.below(8) == 7 ? "another" : "fingerprint";
    sqlbak::Collection collection(plan, memory);
    std::vector<sqlbak::Request> in_flight;
    std::set<std::uint64_t> ids;
    std::uint64_t jobs_read = 0;
    while (!collection.done()) {
      while (in_flight.size() < 4) {
        std::optional<sqlbak::Request> request = collection.next();
        if (!request) break;
        require(ids.insert(request->id).second, "no request has the id of another");
        in_flight.push_back(std::move(*request));
      }
      require(!in_flight.empty(), "a collection asks, waits, or has ended");
      require(ids.size() <= 2000, "requests are bounded");
      std::swap(in_flight[choices.below(in_flight.size())], in_flight.back());
      const sqlbak::Request request = std::move(in_flight.back());
      in_flight.pop_back();
      sqlbak::Answer answer = testing::answer_of(api, "token", request.target);
      if (earlier.size() < 64) earlier.push_back(answer.body);
      if (!last_one) answer = spoilt(std::move(answer), choices, earlier);
      collection.on(request.id, answer, clock.system_now());
      if (!last_one && choices.below(16) == 15)
        collection.on(request.id, answer, clock.system_now());  // twice
      if (!last_one && choices.below(64) == 63) collection.give_up({FailureReason::timeout, "given up"});
      require(collection.jobs_read() >= jobs_read, "progress does not go back");
      jobs_read = collection.jobs_read();
      if (collection.backfill() && !collection.done() && choices.below(8) == 7) {
        if (const auto progress = collection.progress()) {
          require(!progress->jobruns_available || progress->jobs_pending == 0,
                  "while jobs are pending not all runs are there");
        }
        require(history::testing::reread(*collection.memory_so_far()) != nullptr,
                "what is remembered half-way survives being written down");
      }
    }
    require(!collection.next().has_value(), "what has ended asks nothing");
    const sqlbak::CollectionOutcome outcome = collection.finish();
    require_outcome(outcome, memory.get());
    // Reading expositions takes most of the time; the target `answers` does it for every snapshot.
    if (outcome.snapshot && last_one) require_exposition(*outcome.snapshot, clock.system_now());
    memory = history::testing::reread(*outcome.memory);
    require(memory != nullptr, "what is remembered survives being written down");
    require(history::testing::fingerprint(memory) == history::testing::fingerprint(outcome.memory),
            "and comes back as it was");
    if (last_one) {
      require(!outcome.failure, "an account is well again when its API is",
              outcome.failure ? outcome.failure->message : "");
      require(outcome.snapshot->jobs_unreadable == 0, "with every job");
    }
    clock.advance(std::chrono::minutes(20 + 30 * choices.below(64)));
  }
  return 0;
}
