// Configuration files. Whatever is in them, the result is a configuration, or errors at places that exist.
// What was understood can be written out and reads back as the same.
//
// The input is the main file and, after a line "---", a file of accounts.d.
#include "fuzz/fuzz.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace sqlbak_gateway::fuzz {
namespace {

// A folder of this process, in memory if the system has such a place.
class Folder {
 public:
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    path_ = (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
            ("sqlbak-gateway-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(path_ / "accounts.d");
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

std::size_t lines_of(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

void require_diagnostics(const std::vector<config::Diagnostic>& diagnostics, std::size_t most_lines) {
  for (const config::Diagnostic& diagnostic : diagnostics) {
    const std::string text = to_text(diagnostic);
    require(is_valid_utf8(text), "messages are valid UTF-8", text);
    require(text.find('\n') == std::string::npos, "messages are one line", text);
    require(text.size() < 4000, "messages are bounded", text.substr(0, 400));
    require(diagnostic.place.line >= 0 && static_cast<std::size_t>(diagnostic.place.line) <= most_lines + 1,
            "the line is one of the file", text);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  static const Folder folder;
  const std::vector<std::string_view> files = documents(text_of(data, size));
  // The fuzzer must not read other files of this machine.
  if (text_of(data, size).find("accounts_dir") != std::string_view::npos) return 0;
  std::string main(files[0]);
  if (files.size() > 1) main = "accounts_dir = \"accounts.d\"\n" + main;
  const std::string file = folder.write("gateway.toml", main);
  folder.write("accounts.d/tenant.toml", files.size() > 1 ? files[1] : "");
  const std::size_t most_lines = std::max(lines_of(main), files.size() > 1 ? lines_of(files[1]) : 0);

  for (const config::LoadMode mode : {config::LoadMode::start, config::LoadMode::check}) {
    config::LoadOptions options;
    options.mode = mode;
    options.environment = [](const std::string&) { return std::nullopt; };
    const config::LoadOutcome outcome = config::load(file, options);
    require(outcome.config.has_value() == outcome.errors.empty(),
            "there is a configuration, or there are errors");
    require_diagnostics(outcome.errors, most_lines);
    require_diagnostics(outcome.warnings, most_lines);
    for (const config::RejectedFile& rejected : outcome.rejected) {
      require(!rejected.errors.empty(), "a file is rejected for a reason");
      require_diagnostics(rejected.errors, most_lines);
    }
    if (!outcome.config) continue;
    for (const auto& [name, account] : outcome.config->accounts) {
      require(config::is_account_name(name), "names of accounts are clean", name);
      require(account.max_stale >= account.cache_ttl && account.collection_timeout >= account.request_timeout,
              "what is accepted fits together", name);
    }
    require(is_valid_utf8(config::check_report(*outcome.config)), "the report is valid UTF-8");
    const std::string written = config::masked(*outcome.config);
    require(is_valid_utf8(written), "the written configuration is valid UTF-8");
    // Secrets are masked, and a masked secret cannot be read back.
    if (written.find("<masked>") != std::string::npos) continue;
    folder.write("accounts.d/tenant.toml", "");
    config::LoadOptions again = options;
    again.mode = config::LoadMode::start;
    config::LoadOutcome reread = config::load(folder.write("written.toml", written), again);
    require(reread.config.has_value(), "what is written out reads back",
            written + (reread.errors.empty() ? "" : to_text(reread.errors[0])));
    reread.config->accounts_dir = outcome.config->accounts_dir;
    for (auto& [name, account] : reread.config->accounts) {
      const auto original = outcome.config->accounts.find(name);
      require(original != outcome.config->accounts.end(), "with the same accounts", name);
      account.token.below = original->second.token.below;
    }
    require(*reread.config == *outcome.config, "as the same configuration", written);
    folder.write("accounts.d/tenant.toml", files.size() > 1 ? files[1] : "");
  }
  return 0;
}
