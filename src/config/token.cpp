#include "sqlbak_gateway/config/token.h"

#include "config/file.h"
#include "config/token_text.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace sqlbak_gateway::config {
namespace {

constexpr std::size_t kMaxFileBytes = kMaxTokenBytes + 2;  // and a line break

Result<Secret> named(const std::string& what, const Result<Secret>& token) {
  if (token) return token;
  return Error{what + ' ' + token.error().message};
}

Result<Secret> read_token_file(const std::string& path, const std::string& below) {
  auto content = read_file(path, kMaxFileBytes, below);
  if (!content) return content.error();
  return checked_token(Secret(std::move(*content)));
}

Result<Secret> token_in(const TokenSource& file) {
  return named("token file " + file.name, read_token_file(file.name, file.below));
}

TokenStamp stamp_of(const TokenSource& file) {
  struct stat status {};
  if (::stat(file.name.c_str(), &status) != 0) return {};
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_nsec};
  };
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

}  // namespace

TokenLook look_at_token_file(const TokenSource& source) {
  // Takes the stamp first, so that a token that is replaced between the two counts as changed.
  const TokenStamp stamp = stamp_of(source);
  return {stamp, token_in(source)};
}

Result<Secret> checked_token(const Secret& content) {
  std::string_view text = content.reveal();
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  const auto holds = [&](auto&& matches) { return std::any_of(text.begin(), text.end(), matches); };
  if (text.empty()) return Error{"is empty: it must hold the token"};
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    return Error{"begins with a byte order mark: save it as plain text without one"};
  }
  if (holds([](char c) { return c == '\0'; })) return Error{"holds a NUL byte: it must be plain text"};
  if (holds([](char c) { return c == '\n' || c == '\r'; })) {
    return Error{"holds more than one line: it must hold nothing but the token"};
  }
  if (holds([](char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; })) {
    return Error{"holds a blank: it must hold nothing but the token"};
  }
  if (holds([](char c) { return c < 0x21 || c > 0x7e; })) {
    return Error{"holds a character that is not printable ASCII: it must hold nothing but the token"};
  }
  if (text.size() > kMaxTokenBytes) {
    return Error{"is longer than " + std::to_string(kMaxTokenBytes) + " bytes: that is no token"};
  }
  return Secret(std::string(text));
}

TokenReader::TokenReader(Environment environment) : environment_(std::move(environment)) {
  credentials_directory_ = environment_("CREDENTIALS_DIRECTORY").value_or("");
  if (credentials_directory_.empty()) return;
  std::error_code error;
  std::filesystem::directory_iterator entry(credentials_directory_, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    credentials_.emplace(entry->path().filename().string(), read_token_file(entry->path().string(), {}));
  }
}

Result<Secret> TokenReader::read(const TokenSource& source) const {
  switch (source.kind) {
    case TokenSource::Kind::file:
      return token_in(source);
    case TokenSource::Kind::environment: {
      const std::string what = "environment variable " + source.name;
      auto value = environment_(source.name);
      if (!value) return Error{what + " is not set: it must hold the token"};
      return named(what, checked_token(Secret(std::move(*value))));
    }
    case TokenSource::Kind::credential: {
      const std::string what = "credential " + source.name;
      if (credentials_directory_.empty()) {
        return Error{what +
                     " cannot be read: $CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with "
                     "LoadCredential="};
      }
      const auto credential = credentials_.find(source.name);
      if (credential == credentials_.end()) {
        return Error{what + " was not there when the service started: add LoadCredential=" + source.name +
                     ":PATH to the unit and restart it"};
      }
      return named(what, credential->second);
    }
    case TokenSource::Kind::none:
      return Error{source.name};
  }
  return Error{"unknown kind of token"};
}

}  // namespace sqlbak_gateway::config
