// Decoding: how fast an API answer becomes packed records, and with how many allocations. Beside it, in the
// same run, what it is measured against: a decoder over nlohmann's DOM that reads the same fields, and the
// speed of memory.
#include "sqlbak/decode.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

namespace {

std::size_t allocations = 0;  // by this program's only thread

}  // namespace

// Not inlined: g++ takes malloc() and free() that meet at one place for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace sqlbak_gateway;
using namespace sqlbak_gateway::sqlbak;

// A run of three databases, each in one file at two destinations, with the fields that are documented or
// plausible: 1.6 KB.
std::string run_details() {
  std::string body =
      R"({"data":{"id":9482211,"job_id":1207,"started_at":1768392000123,"finished_at":1768392183456,"status":"succeeded","backups":[)";
  for (int i = 0; i < 3; ++i) {
    const std::string database = "erp_tenant_" + std::to_string(i);
    if (i > 0) body += ',';
    body += R"({"id":)" + std::to_string(51230000 + i) +
            R"(,"backup_type":"database_transaction_log","status":"succeeded","database_name":")" + database +
            R"(","size":)" + std::to_string(73400320 + i) +
            R"(,"duration_seconds":61,"compressed":true,"error":null,"uploads":[)";
    for (int destination = 0; destination < 2; ++destination) {
      if (destination > 0) body += ',';
      body += R"({"destination_id":)" + std::to_string(310 + destination) +
              R"(,"status":"succeeded","attempts":1,"files":[{"name":")" + database +
              R"(_202601141200.trn","size":18350080,"is_deleted":false}]})";
    }
    body += "]}";
  }
  return body + "]}}";
}

// A page of a hundred runs, as the list may carry them: 26 KB.
std::string run_list() {
  std::string body = R"({"data":{"list":[)";
  for (std::int64_t i = 0; i < 100; ++i) {
    if (i > 0) body += ',';
    body +=
        R"({"id":)" + std::to_string(9482211 + i) +
        R"(,"job_id":1207,"job_name":"Nightly ERP","server_id":88,"server_name":"SQL-PROD-01","started_at":)" +
        std::to_string(1768392000123 + i * 900000) + R"(,"finished_at":)" +
        std::to_string(1768392183456 + i * 900000) +
        R"(,"status":"succeeded","trigger":"schedule","backups_count":3,"warnings":[],"is_manual":false,"error":null})";
  }
  return body + R"(],"has_more":true,"page":1,"page_size":100,"total":672}})";
}

// The straightforward way: build the document, then look things up.
RunDetails run_by_dom(const std::string& body) {
  const auto document = nlohmann::json::parse(body);
  const auto& data = document.at("data");
  RunDetails run;
  run.started_at = EpochMs(data.at("started_at").get<double>());
  run.finished_at = EpochMs(data.at("finished_at").get<double>());
  for (const auto& entry : data.at("backups")) {
    const auto type = backup_type_from_api(entry.value("backup_type", std::string()));
    const auto status = entry.value("status", std::string());
    RunTally& tally = run.tallies.of(type);
    ++(status == "succeeded" ? tally.succeeded : status == "failed" ? tally.failed : tally.other);
    bool any = false;
    bool undeleted = false;
    for (const auto& upload : entry.at("uploads")) {
      for (const auto& file : upload.at("files")) {
        any = true;
        undeleted |= !file.value("is_deleted", false);
      }
    }
    tally.undeleted |= status == "succeeded" && (undeleted || !any);
    run.extents.of(type).size_bytes = entry.value("size", 0.0);
    run.databases.push_back({run.started_at, entry.value("database_name", std::string()), type,
                             status == "succeeded" ? EntryStatus::succeeded : EntryStatus::other});
    ++run.entries;
  }
  return run;
}

Page<RunRow> runs_by_dom(const std::string& body) {
  const auto document = nlohmann::json::parse(body);
  const auto& data = document.at("data");
  Page<RunRow> page;
  for (const auto& row : data.at("list")) {
    page.rows.push_back({row.at("id").dump()});
  }
  page.has_more = data.value("has_more", false);
  return page;
}

// Runs `decode` over `body` again and again, and counts.
template <typename Decode>
void measure(benchmark::State& state, const std::string& body, Decode decode) {
  const std::size_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(decode(body));
  const auto allocated = static_cast<double>(allocations - before);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
  state.counters["allocations"] = benchmark::Counter(allocated, benchmark::Counter::kAvgIterations);
  state.counters["document_bytes"] = static_cast<double>(body.size());
}

void BM_RunDetails(benchmark::State& state) {
  measure(state, run_details(), [](const std::string& body) {
    Notes notes;
    return decode_run(body, notes);
  });
}
BENCHMARK(BM_RunDetails);

void BM_RunDetailsByDom(benchmark::State& state) {
  measure(state, run_details(), run_by_dom);
}
BENCHMARK(BM_RunDetailsByDom);

void BM_RunList(benchmark::State& state) {
  measure(state, run_list(), [](const std::string& body) {
    Notes notes;
    return decode_runs(body, notes);
  });
}
BENCHMARK(BM_RunList);

void BM_RunListByDom(benchmark::State& state) {
  measure(state, run_list(), runs_by_dom);
}
BENCHMARK(BM_RunListByDom);

// The parser alone, with a handler that does nothing: what is left for the decoder to add.
void BM_ParserAlone(benchmark::State& state) {
  struct Nothing : nlohmann::json::json_sax_t {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
      return false;
    }
  };
  measure(state, run_details(), [](const std::string& body) {
    Nothing nothing;
    return nlohmann::json::sax_parse(body.data(), body.data() + body.size(), &nothing);
  });
}
BENCHMARK(BM_ParserAlone);

// Copying a block far larger than the caches: the speed of memory.
void BM_MemoryCopy(benchmark::State& state) {
  const std::vector<char> from(std::size_t{128} << 20, 'x');
  std::vector<char> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}
BENCHMARK(BM_MemoryCopy);

}  // namespace
