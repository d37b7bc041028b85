// Writes seeds for the corpora of `answers`, `collection` and `history` below a folder: the answers of
// simulated accounts, as they are and with every fault of the simulator, and what is remembered of the
// accounts.
#include "history/remembered_account.h"
#include "simulator/faults.h"
#include "sqlbak/endpoints.h"
#include "sqlbak/random_answers.h"

#include <filesystem>
#include <fstream>

namespace sqlbak_gateway::fuzz {
namespace {

using simulator::Garbage;

void write(const std::filesystem::path& folder, const std::string& name, const std::string& content) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary) << content;
}

std::string part(const std::string& content) {
  std::string bytes;
  bytes += static_cast<char>(static_cast<unsigned char>(content.size() >> 8));
  bytes += static_cast<char>(static_cast<unsigned char>(content.size()));
  return bytes + content;
}

// Leaves the checksum out, because the target adds it.
std::string unsealed(const std::string& sealed) {
  return sealed.substr(0, sealed.size() - 8);
}

std::string remembered(const AccountMemory& memory) {
  const history::EncodedAccount account = history::encode_account(memory);
  std::string input =
      part(unsealed(account.header)) + part(account.lists.empty() ? "" : unsealed(account.lists));
  for (const auto& job : memory.jobs) {
    input += part('\0' + unsealed(history::encode_job(*job)));
    if (!job->runs) continue;
    for (const auto& [day, chunk] : history::encode_chunks(*job->runs)) {
      input += part('\1' + std::string(1, static_cast<char>(static_cast<unsigned char>(job->id.size()))) +
                    job->id + unsealed(chunk));
    }
  }
  return input;
}

void write_answers(const std::filesystem::path& folder) {
  testing::ManualClock clock;
  simulator::Simulator api(simulator::demo_world(clock.kStart), clock);
  for (const std::string account : {"acme", "globex", "initech"}) {
    const std::string token = std::string(simulator::kDemoTokenPrefix) + account;
    std::map<sqlbak::Endpoint, std::string> bodies;
    sqlbak::CollectionPlan plan;
    plan.started_at = clock.system_now();
    plan.token_fingerprint = "fingerprint";
    sqlbak::Collection collection(plan, nullptr);
    testing::drive(
        collection,
        [&](const sqlbak::Request& request) {
          sqlbak::Answer answer = testing::answer_of(api, token, request.target);
          // A few rows are enough.
          if (answer.body.size() < 3000 || !bodies.contains(request.endpoint))
            bodies[request.endpoint] = answer.body;
          return answer;
        },
        clock);
    const auto input = [&](Garbage garbage, int which) {
      std::string text;
      int number = 0;
      for (const sqlbak::Endpoint endpoint :
           {sqlbak::Endpoint::servers, sqlbak::Endpoint::jobs, sqlbak::Endpoint::settings,
            sqlbak::Endpoint::jobruns, sqlbak::Endpoint::jobrun_details, sqlbak::Endpoint::me}) {
        text += number == 0 ? "" : "\n---\n";
        text += number == which ? simulator::spoilt(garbage, bodies[endpoint]) : bodies[endpoint];
        ++number;
      }
      return text;
    };
    write(folder, account, input(Garbage::none, 0));
    constexpr std::array kGarbage = {Garbage::wrong_types, Garbage::huge_numbers, Garbage::invalid_utf8,
                                     Garbage::truncated, Garbage::null};
    for (std::size_t i = 0; i < kGarbage.size(); ++i) {
      for (int which = 0; which < 6; ++which) {
        write(folder, account + "-" + std::to_string(i) + "-" + std::to_string(which),
              input(kGarbage[i], which));
      }
    }
  }
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    sqlbak::testing::RandomAnswers random(seed);
    write(folder, "random-" + std::to_string(seed),
          random.servers() + "\n---\n" + random.jobs() + "\n---\n" + random.settings() + "\n---\n" +
              random.runs() + "\n---\n" + random.run() + "\n---\n" + random.account());
  }
}

void write_history(const std::filesystem::path& folder) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    simulator::Random random(seed);
    history::testing::RememberedAccount account(seed, simulator::random_knobs(random), {1, 1 + seed % 3, 4});
    for (int i = 0; i < 3; ++i) {
      write(folder, std::to_string(seed) + "-" + std::to_string(i),
            remembered(*account.collect(std::chrono::minutes(7 + random.below(2000)))));
    }
  }
}

void write_collections(const std::filesystem::path& folder) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    simulator::Random random(seed);
    std::string input;
    for (std::size_t i = 0, n = 20 + random.below(200); i < n; ++i) {
      input += static_cast<char>(static_cast<unsigned char>(random.below(256)));
    }
    write(folder, std::to_string(seed), input);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  sqlbak_gateway::fuzz::write_answers(folder / "answers");
  sqlbak_gateway::fuzz::write_history(folder / "history");
  sqlbak_gateway::fuzz::write_collections(folder / "collection");
  return 0;
}
