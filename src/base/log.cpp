#include "sqlbak_gateway/base/log.h"

#include "sqlbak_gateway/base/text.h"

#include <cerrno>
#include <unistd.h>

namespace sqlbak_gateway {
namespace {

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "";
}

// logfmt values have quotes only if a reader could not tell where they end.
bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

void append_pair(std::string& line, LogFormat format, std::string_view key, std::string_view value) {
  if (format == LogFormat::json) {
    line.append(line.size() > 1 ? ",\"" : "\"").append(json_escaped(key)).append("\":\"");
    line.append(json_escaped(value)).append("\"");
    return;
  }
  if (!line.empty()) line += ' ';
  line.append(key).append("=");
  if (needs_quotes(value)) {
    line.append("\"").append(json_escaped(value)).append("\"");
  } else {
    line.append(valid_utf8(value));
  }
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (text == name(level)) return level;
  }
  return Error{"log level \"" + json_escaped(text) + "\" is not one of debug, info, warn, error"};
}

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "logfmt") return LogFormat::logfmt;
  if (text == "json") return LogFormat::json;
  return Error{"log format \"" + json_escaped(text) + "\" is not one of logfmt, json"};
}

void StderrSink::write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // standard error is closed, so there is nowhere to report it
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Logger::write(LogLevel level, std::string_view message, Fields fields) const {
  if (!enabled(level)) return;
  std::string line;
  line.reserve(256);
  if (format_ == LogFormat::json) line += '{';
  append_pair(line, format_, "ts", format_time(clock_.system_now()));
  append_pair(line, format_, "level", name(level));
  append_pair(line, format_, "msg", message);
  for (const LogField& field : fields) append_pair(line, format_, field.key, field.value);
  line += format_ == LogFormat::json ? "}\n" : "\n";
  sink_.write(line);
}

}  // namespace sqlbak_gateway
