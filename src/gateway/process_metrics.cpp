#include "process_metrics.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace sqlbak_gateway::gateway {
namespace {

// The fields of /proc/self/stat from the third on (proc(5)); the second, the program's name, may hold blanks.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields = {0.0};
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

std::optional<double> boot_time_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  // Numbers of proc(5), less the three before the list begins.
  constexpr std::size_t kUtime = 14 - 3;
  constexpr std::size_t kStime = 15 - 3;
  constexpr std::size_t kThreads = 20 - 3;
  constexpr std::size_t kStartTime = 22 - 3;
  constexpr std::size_t kVirtual = 23 - 3;
  constexpr std::size_t kResident = 24 - 3;
  if (const std::vector<double> fields = stat_fields(); fields.size() > kResident) {
    facts.cpu_seconds = (fields[kUtime] + fields[kStime]) / ticks;
    facts.threads = fields[kThreads];
    facts.virtual_memory_bytes = fields[kVirtual];
    facts.resident_memory_bytes = fields[kResident] * page;
    if (const auto boot = boot_time_seconds()) facts.start_time_seconds = *boot + fields[kStartTime] / ticks;
  }
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error)
    facts.open_fds =
        static_cast<double>(std::distance(begin(open), end(open)) - 1);  // less the listing's own
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = static_cast<double>(limit.rlim_cur);
  return facts;
}

}  // namespace sqlbak_gateway::gateway
