// Any bytes in a history file. Every part is refused or valid, and what was accepted can be judged, shown,
// collected on and written again.
//
// The input consists of parts, each with two bytes for its length: the header, the lists, then jobs and
// chunks in turn; a chunk begins with the length of its job's id. The target adds a correct checksum to each
// part, so that damage gets beyond the first check.
#include "fuzz/fuzz.h"
#include "fuzz/snapshot_promises.h"
#include "history/bytes.h"
#include "history/remembered_account.h"
#include "support/collecting.h"

namespace sqlbak_gateway::fuzz {
namespace {

std::string sealed(std::string_view part) {
  std::string bytes(part);
  const std::uint64_t sum = stable_hash(part);
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<unsigned char>(sum >> (8 * i)));
  return bytes;
}

std::string_view next_part(std::string_view& rest) {
  if (rest.size() < 2) return rest = {}, std::string_view();
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(rest[0])) << 8 |
                           static_cast<unsigned char>(rest[1]);
  rest.remove_prefix(2);
  const std::string_view part = rest.substr(0, size);
  rest.remove_prefix(part.size());
  return part;
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  std::string_view rest = text_of(data, size);
  history::AccountDecoder decoder;
  const std::string_view header = next_part(rest);
  const std::string_view lists = next_part(rest);
  if (!decoder.account(sealed(header), lists.empty() ? std::string() : sealed(lists))) return 0;
  while (!rest.empty()) {
    std::string_view part = next_part(rest);
    if (part.empty()) continue;
    const bool is_chunk = part.front() != '\0';
    part.remove_prefix(1);
    if (!is_chunk) {
      if (!decoder.job(sealed(part))) return 0;
    } else {
      const std::size_t id = part.empty() ? 0 : static_cast<unsigned char>(part.front());
      if (!part.empty()) part.remove_prefix(1);
      const std::string_view job = part.substr(0, id);
      if (!decoder.chunk(job, sealed(part.substr(job.size())))) return 0;
    }
  }
  const std::shared_ptr<const AccountMemory> memory = std::move(decoder).finish();
  if (!memory) return 0;

  // Writing and reading it again gives the same.
  const std::shared_ptr<const AccountMemory> again = history::testing::reread(*memory);
  require(again != nullptr, "what was accepted is accepted again");
  require(history::testing::fingerprint(again) == history::testing::fingerprint(memory), "and is the same");

  testing::ManualClock clock;
  if (memory->last_good) require_exposition(*memory->last_good, clock.system_now());

  // A collection starts from it, against an API that has nothing and against one that is down.
  for (const int status : {200, 0}) {
    sqlbak::CollectionPlan plan;
    plan.started_at = clock.system_now();
    plan.token_fingerprint = memory->token_fingerprint;
    sqlbak::Collection collection(plan, memory);
    const testing::Api api = [status](const sqlbak::Request& request) {
      sqlbak::Answer answer;
      answer.status = status;
      if (status == 0)
        answer.failure = {FailureReason::connection, "down"};
      else if (request.endpoint == sqlbak::Endpoint::jobs)
        answer.body = R"({"data":{"list":[{"id":1,"name":"a"},{"id":10001,"name":"b"},{"id":"c"}]}})";
      else
        answer.body = R"({"data":{"list":[],"backups":[{"status":"succeeded"}],"started_at":1768392000000}})";
      return answer;
    };
    testing::drive(collection, api, clock);
    const sqlbak::CollectionOutcome outcome = collection.finish();
    require_outcome(outcome, memory.get());
    if (outcome.snapshot) require_exposition(*outcome.snapshot, clock.system_now());
  }
  return 0;
}
